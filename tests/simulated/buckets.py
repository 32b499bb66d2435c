"""S3 and S3 Control: what makes a bucket public, where it answers, and which permission a request needs.

New buckets are as AWS makes them since April 2023: all four settings of Block Public Access on, and no ACLs. Whether a
policy is public is judged here anew, from AWS's page, and shares nothing with the function under test.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

import ipaddress
import json
import warnings
from urllib.parse import parse_qs, urlparse

from moto.core.responses import ActionResult
from moto.s3 import models, responses
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeAcl, FakeGrant, PublicAccessBlock, S3Backend, s3_backends
from moto.s3.responses import S3Response
from moto.s3control.exceptions import S3ControlError
from moto.s3control.models import S3ControlBackend, s3control_backends
from moto.s3control.responses import S3ControlResponse

PUBLIC_GROUPS = ("/groups/global/AllUsers", "/groups/global/AuthenticatedUsers")


def correct():
    # AWS's model of S3 Control has no shape for a refusal, of which moto would warn in the middle of a drill.
    warnings.filterwarnings("ignore", r"Exception\(S3ControlError\)")
    new_buckets()
    lists()
    blocks()
    policy_status()
    access_points()
    answers()


def new_buckets():
    create = S3Backend.create_bucket

    def create_bucket(self, *args, **kwargs):
        bucket = create(self, *args, **kwargs)
        bucket.public_access_block = PublicAccessBlock(True, True, True, True)
        bucket.ownership_rule = "BucketOwnerEnforced"
        return bucket

    S3Backend.create_bucket = create_bucket


def lists():
    """With a limit S3 answers page by page and names the regions; moto does neither."""

    def all_buckets(self):
        self.data["Action"] = "ListAllMyBuckets"
        self._authenticate_and_authorize_s3_action()
        self.data["Action"] = "ListBuckets"
        limit = self._get_param("max-buckets")
        after = self._get_param("continuation-token") or ""
        found = self.backend.list_buckets(self._get_param("prefix"), self._get_param("bucket-region"), None)
        found = sorted((b for b in found if b.name > after), key=lambda b: b.name)
        page = found[: int(limit)] if limit else found
        answer = {"Owner": {"ID": models.OWNER}, "Buckets": [listed_bucket(b, limit) for b in page]}
        if len(page) < len(found):
            answer["ContinuationToken"] = page[-1].name
        return self.serialized(ActionResult(answer))

    def listed_bucket(bucket, limit):
        plain = {"Name": bucket.name, "CreationDate": bucket.creation_date_ISO8601}
        return plain | ({"BucketRegion": bucket.region_name} if limit else {})

    S3Response.all_buckets = all_buckets


def blocks():
    """Block Public Access refuses what is new and public, whether the bucket's or the account's is on."""
    put_policy, put_acl = S3Backend.put_bucket_policy, S3Backend.put_bucket_acl

    def put_bucket_policy(self, bucket_name, policy):
        bucket = self.get_bucket(bucket_name)
        if is_public(policy) and blocked(bucket, "block_public_policy"):
            raise S3ClientError("AccessDenied", "public policies are blocked by the BlockPublicPolicy block public access setting.")
        put_policy(self, bucket_name, policy)

    def put_bucket_acl(self, bucket_name, acl):
        bucket = self.get_bucket(bucket_name)
        # moto writes only the first permission of a canned grant into its answer, and cannot answer with an empty list.
        grants = [FakeGrant([one], [p]) for g in (acl.grants if acl else []) for one in g.grantees for p in g.permissions]
        open_to = any(grant.grantees[0].uri.endswith(PUBLIC_GROUPS) for grant in grants)
        if bucket.ownership_rule == "BucketOwnerEnforced" and len(grants) > 1:
            raise S3ClientError("AccessControlListNotSupported", "The bucket does not allow ACLs")
        if open_to and blocked(bucket, "block_public_acls"):
            raise S3ClientError("AccessDenied", "public ACLs are blocked by the BlockPublicAcls block public access setting.")
        put_acl(self, bucket_name, FakeAcl(grants))

    S3Backend.put_bucket_policy = put_bucket_policy
    S3Backend.put_bucket_acl = put_bucket_acl

    account = S3ControlBackend.put_public_access_block

    def put_public_access_block(self, account_id, config):
        # An organisation's policy keeps the account from changing its own block.
        if getattr(self, "managed", None):
            raise S3ControlError("AccessDenied", "Block Public Access is managed by the organization.")
        account(self, account_id, config)

    S3ControlBackend.put_public_access_block = put_public_access_block


def blocked(bucket, setting):
    account = s3control_backends[bucket.account_id][bucket.partition].public_access_block
    return any(block is not None and getattr(block, setting) for block in (bucket.public_access_block, account))


def policy_status():
    # moto calls every statement with a condition not public.
    responses.bucket_policy_is_public = is_public


def access_points():
    """An access point belongs to its bucket's region; whether it is public is a matter of its policy."""
    every = S3ControlResponse.list_access_points

    def list_access_points(self):
        bucket = find(self._get_param("Bucket"))
        if bucket is not None and bucket.region_name != self.region:
            return ActionResult({"AccessPointList": []})
        return every(self)

    def get_access_point_policy_status(self):
        account, name = self._get_param("AccountId"), self._get_param("Name")
        policy = self.backend.get_access_point_policy(account, name)
        point = self.backend.get_access_point(account, name)
        public = point.network_origin == "Internet" and is_public(policy, of_access_point=True)
        return ActionResult({"PolicyStatus": {"IsPublic": public}})

    call = S3ControlResponse.call_action

    def call_action(self):
        # AWS names the root of an answer after its shape, moto after the operation; the Rust SDK reads no other name.
        status, headers, body = call(self)
        if status < 400 and isinstance(body, str):
            for operation in ("ListAccessPoints", "GetAccessPoint", "GetAccessPointPolicyStatus"):
                body = body.replace(f"<{operation}Response", f"<{operation}Result").replace(f"</{operation}Response", f"</{operation}Result")
        return status, headers, body

    S3ControlResponse.call_action = call_action

    put = S3ControlBackend.put_access_point_policy

    def put_access_point_policy(self, account_id, name, policy):
        point = self.get_access_point(account_id, name)
        held = str(point.pubc["BlockPublicPolicy"]).lower() == "true"
        if is_public(policy, of_access_point=True) and (held or blocked(find(point.bucket), "block_public_policy")):
            raise S3ControlError("AccessDenied", "public policies are blocked by the BlockPublicPolicy setting.")
        put(self, account_id, name, policy)

    S3ControlResponse.list_access_points = list_access_points
    S3ControlResponse.get_access_point_policy_status = get_access_point_policy_status
    S3ControlBackend.put_access_point_policy = put_access_point_policy


def answers():
    """Before it looks at a request S3 sends it to the bucket's region, refuses it for another owner's bucket, and refuses a
    change while another one of the same bucket is under way. Steps of a scenario reach every bucket from anywhere."""
    original = S3Response._bucket_response

    def bucket_response(self, request, full_url):
        bucket = find(self.bucket_name)
        if bucket is None or administers(request):
            return original(self, request, full_url)
        if self.region != bucket.region_name:
            return redirect(request, bucket)
        expected = request.headers.get("x-amz-expected-bucket-owner")
        if expected and expected != bucket.account_id:
            raise S3ClientError("AccessDenied", "Access Denied")
        if request.method in ("PUT", "DELETE") and getattr(bucket, "busy", 0) > 0:
            bucket.busy -= 1
            message = "A conflicting conditional operation is currently in progress against this resource. Please try again."
            return plain_error(409, "OperationAborted", message)
        return original(self, request, full_url)

    S3Response._bucket_response = bucket_response

    shown = S3ControlResponse.get_public_access_block

    def get_public_access_block(self):
        managed = getattr(self.backend, "managed", None)
        if managed == "hidden":
            raise S3ControlError("AccessDenied", "Block Public Access is managed by the organization.")
        return shown(self)

    S3ControlResponse.get_public_access_block = get_public_access_block


def redirect(request, bucket):
    region = bucket.region_name
    headers = {"x-amz-bucket-region": region, "content-type": "application/xml"}
    if request.method == "HEAD":
        return 301, headers, ""
    # Regions that were opened after March 20, 2019 answer with 400; here without the header, which is the harder case.
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
    if region.startswith(("me-", "af-", "il-", "ap-east", "eu-south")):
        del headers["x-amz-bucket-region"]
        code, status = "AuthorizationHeaderMalformed", 400
    else:
        code, status = "PermanentRedirect", 301
    answer = plain_error(status, code, f"The bucket is in {region}", f"<Region>{region}</Region>")
    return answer[0], headers, answer[2]


def plain_error(status, code, message, more=""):
    """An error that moto's model of S3 has no status for."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message>{more}<RequestId>drill</RequestId></Error>"
    return status, {"content-type": "application/xml"}, f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'


def administers(request):
    from simulated import permissions

    return permissions.ADMINISTRATOR in request.headers.get("Authorization", "")


def find(name):
    """A bucket in whatever account it is: names are global."""
    owners = (backend for partitions in s3_backends.values() for backend in partitions.values())
    return next((backend.buckets[name] for backend in owners if name in backend.buckets), None)


def busy(account, region, name, times):
    """Another change of the bucket is under way: the next changes are refused."""
    find(name).busy = times
    return {}


def organisation(account, region, shows=True):
    """The organisation manages the account's block: nobody in the account can change it, or even see it."""
    s3control_backends[account]["aws"].managed = "shown" if shows else "hidden"
    return {}


def many(account, region, count, prefix="archive"):
    """Many old buckets, as accounts have them."""
    backend = s3_backends[account]["aws"]
    for number in range(count):
        backend.create_bucket(f"{prefix}-{number:05}", region)
    return {}


# The meaning of public.

FIXED = {
    "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce",
    "aws:sourceowner", "aws:sourceaccount", "aws:userid", "s3:dataaccesspointaccount",
}
MATCHES = {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"}


def is_public(policy, of_access_point=False):
    """Whether S3 calls a policy public: unless every Allow is bound to fixed values."""
    if isinstance(policy, bytes):
        policy = policy.decode()
    statements = listed(json.loads(policy)["Statement"])
    allows = (one for one in statements if one["Effect"] == "Allow")
    return any(not bound_to_principals(one) and not bound_by_condition(one, of_access_point) for one in allows)


def bound_to_principals(statement):
    principal = statement.get("Principal", "*")
    if not isinstance(principal, dict):
        return False
    for kind, names in principal.items():
        for name in listed(names):
            if "*" in name or (kind == "Federated" and not name.startswith("arn:")):
                return False
    return True


def bound_by_condition(statement, of_access_point):
    for operator, tests in statement.get("Condition", {}).items():
        for key, values in tests.items():
            values = [str(value) for value in listed(values)]
            if not values:
                continue
            if operator.lower() == "ipaddress" and key.lower() == "aws:sourceip":
                if all(narrow(value) for value in values):
                    return True
            elif operator.lower() in MATCHES and key.lower() == "s3:dataaccesspointarn" and not of_access_point:
                if all("*" not in value.split(":")[4] for value in values):
                    return True
            elif operator.lower() in MATCHES and key.lower() in FIXED:
                if not any(sign in value for value in values for sign in ("*", "?", "${")):
                    return True
    return False


def narrow(value):
    network = ipaddress.ip_network(value, strict=False)
    return network.prefixlen >= (8 if network.version == 4 else 32)


def listed(value):
    return value if isinstance(value, list) else [value]


# Permissions.

OPERATIONS = {
    "publicAccessBlock": ("GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock", "PutBucketPublicAccessBlock"),
    "policyStatus": ("GetBucketPolicyStatus", None, None),
    "policy": ("GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"),
    "acl": ("GetBucketAcl", "PutBucketAcl", None),
    "ownershipControls": ("GetBucketOwnershipControls", "PutBucketOwnershipControls", "PutBucketOwnershipControls"),
    "website": ("GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite"),
    "tagging": ("GetBucketTagging", "PutBucketTagging", "PutBucketTagging"),
    "location": ("GetBucketLocation", None, None),
    "lifecycle": ("GetLifecycleConfiguration", "PutLifecycleConfiguration", "PutLifecycleConfiguration"),
    "encryption": ("GetEncryptionConfiguration", "PutEncryptionConfiguration", "PutEncryptionConfiguration"),
    "versioning": ("GetBucketVersioning", "PutBucketVersioning", None),
}
METHODS = ("GET", "PUT", "DELETE")


def needs(place, action, request):
    """The IAM action of a request to S3 or S3 Control, and the resource that it needs it on.

    moto's own guess has the operation's name; the permission's differs, and an account's block is another permission than
    a bucket's. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
    """
    url = urlparse(request._path)
    path, query = url.path.strip("/"), parse_qs(url.query, keep_blank_values=True)
    if path.startswith("v20180820/"):
        yield place.need(*control(place, request._method, path.split("/")[1:]), s3__resourceaccount=place.account)
        return
    bucket, _, key = path.partition("/")
    arn = f"arn:{place.partition}:s3:::{path}" if bucket else "*"
    if not bucket:
        wanted = "s3:ListAllMyBuckets"
    elif key:
        wanted = action
    else:
        sub = next((name for name in OPERATIONS if name in query), None)
        wanted = f"s3:{OPERATIONS[sub][METHODS.index(request._method)]}" if sub else plain(action, request._method)
    need = place.need(wanted, arn)
    if bucket and locks_out(find(bucket), need):
        request._raise_access_denied()
    yield need


def plain(action, method):
    return "s3:ListBucket" if method in ("GET", "HEAD") else action


def control(place, method, path):
    match path:
        case ["configuration", "publicAccessBlock"]:
            verb = "Get" if method == "GET" else "Put"
            return f"s3:{verb}AccountPublicAccessBlock", "*"
        case ["accesspoint"]:
            return "s3:ListAccessPoints", "*"
        case ["accesspoint", name]:
            # Reading one has no resource in the Service Authorization Reference.
            arn = place.arn("s3", f"accesspoint/{name}")
            return {"GET": ("s3:GetAccessPoint", "*"), "PUT": ("s3:CreateAccessPoint", arn)}.get(method, ("s3:DeleteAccessPoint", arn))
        case ["accesspoint", name, what]:
            verb = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}[method]
            return f"s3:{verb}AccessPoint{what[0].upper()}{what[1:]}", place.arn("s3", f"accesspoint/{name}")
    return f"s3:{'/'.join(path)}", "*"


def locks_out(bucket, need):
    """Whether the bucket's own policy denies the call: a Deny there wins over what the role is allowed."""
    from simulated import permissions

    if bucket is None or not bucket.policy:
        return False
    caller = need.context["aws:principalarn"]
    for statement in listed(json.loads(bucket.policy)["Statement"]):
        principal = statement.get("Principal", "*")
        names = listed(principal.get("AWS", [])) if isinstance(principal, dict) else [principal]
        if statement["Effect"] != "Deny" or not {"*", caller, need.context["aws:principalaccount"]} & set(names):
            continue
        concerned = (permissions.concerns(statement, e, v, str) for e, v in (("Action", need.action), ("Resource", need.resource)))
        if all(concerned) and permissions.holds(statement.get("Condition", {}), need.context):
            return True
    return False
