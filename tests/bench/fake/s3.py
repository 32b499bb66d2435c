"""S3: buckets. The planted ones are public by their policy, every tenth has no block and nothing public, all others have their block."""

import re

from fake import HOME, spread
from fake.server import Refused

SETTINGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
NO_BLOCK = "NoSuchPublicAccessBlockConfiguration"
ABSENT = {
    "tagging": "NoSuchTagSet", "website": "NoSuchWebsiteConfiguration", "ownershipControls": "OwnershipControlsNotFoundError",
}
OWNER = "<Owner><ID>own</ID></Owner>"
OWN = '<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>own</ID></Grantee>'
ACL = f"<AccessControlPolicy>{OWNER}<AccessControlList>{OWN}<Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>"


class Buckets:
    SERVICE = "s3"
    TYPE = "application/xml"

    def __init__(self, count, planted):
        self.names = [f"bucket-{number:05}" for number in range(count)]
        self.known = frozenset(self.names)
        self.harmful = {self.names[number] for number in spread(count, planted)}
        self.bare = {name for number, name in enumerate(self.names) if number % 10 == 1} | self.harmful
        self.blocked = {}
        self.before = len(self.bare)

    def seen(self):
        right = set(self.blocked) == self.harmful and all(all(block) for block in self.blocked.values())
        return {"contained": sorted(self.blocked), "right": right, "lost": sorted(set(self.blocked) - self.harmful), "bare": self.before}

    def name(self, call):
        """As AWS's logs name it, near enough to count by."""
        if call.path.startswith("/v20180820/"):
            return "AccountPublicAccessBlock" if call.path.endswith("publicAccessBlock") else "ListAccessPoints"
        if call.path == "/":
            return "ListBuckets"
        return f"{call.method} {next((key for key in call.query if key not in ('x-id',)), 'bucket')}"

    def answer(self, call):
        if call.path.startswith("/v20180820/configuration/publicAccessBlock"):
            raise Refused(404, NO_BLOCK, "account")
        if call.path.startswith("/v20180820/accesspoint"):
            return "<ListAccessPointsResult><AccessPointList/></ListAccessPointsResult>"
        if call.path == "/":
            return self.listing(call)
        bucket = call.path.strip("/")
        if bucket not in self.known:
            raise Refused(404, "NoSuchBucket")
        return self.of(bucket, call)

    def error(self, refused):
        error = f"<Error><Code>{refused.code}</Code><Message>{refused.message}</Message></Error>"
        # S3 Control wraps its errors.
        return f"<ErrorResponse>{error}</ErrorResponse>" if refused.code == NO_BLOCK and refused.message == "account" else error

    def listing(self, call):
        """Without a limit all of them, and then without their regions."""
        size = int(call.query.get("max-buckets", len(self.names) or 1))
        start = int(call.query.get("continuation-token", 0))
        region = f"<BucketRegion>{HOME}</BucketRegion>" if "max-buckets" in call.query else ""
        created = "<CreationDate>2020-01-01T00:00:00.000Z</CreationDate>"
        items = "".join(f"<Bucket><Name>{name}</Name>{created}{region}</Bucket>" for name in self.names[start : start + size])
        more = f"<ContinuationToken>{start + size}</ContinuationToken>" if start + size < len(self.names) else ""
        return f"<ListAllMyBucketsResult>{OWNER}<Buckets>{items}</Buckets>{more}</ListAllMyBucketsResult>"

    def of(self, bucket, call):
        if call.method == "PUT" and "publicAccessBlock" in call.query:
            said = dict(re.findall(r"<(\w+)>(true|false)</", call.body.decode()))
            self.blocked[bucket] = [said.get(setting) == "true" for setting in SETTINGS]
            return ""
        if call.method != "GET":
            raise Refused(400, "NotSimulated")
        if "publicAccessBlock" in call.query:
            return block(self.block(bucket))
        if "policyStatus" in call.query:
            self.policy(bucket)
            return f"<PolicyStatus><IsPublic>{str(bucket in self.harmful).lower()}</IsPublic></PolicyStatus>"
        if "policy" in call.query:
            return self.policy(bucket)
        if "acl" in call.query:
            return ACL
        if "location" in call.query:
            return f"<LocationConstraint>{HOME}</LocationConstraint>"
        for part, code in ABSENT.items():
            if part in call.query:
                raise Refused(404, code)
        raise Refused(400, "NotSimulated")

    def block(self, bucket):
        if bucket in self.blocked:
            return self.blocked[bucket]
        if bucket in self.bare:
            raise Refused(404, NO_BLOCK)
        return [True] * len(SETTINGS)

    def policy(self, bucket):
        if bucket not in self.harmful:
            raise Refused(404, "NoSuchBucketPolicy")
        return (
            '{"Version": "2012-10-17", "Statement": [{"Sid": "Everybody", "Effect": "Allow", "Principal": "*", '
            f'"Action": "s3:GetObject", "Resource": "arn:aws:s3:::{bucket}/*"}}]}}'
        )


def block(values):
    inside = "".join(f"<{name}>{str(value).lower()}</{name}>" for name, value in zip(SETTINGS, values))
    return f"<PublicAccessBlockConfiguration>{inside}</PublicAccessBlockConfiguration>"
