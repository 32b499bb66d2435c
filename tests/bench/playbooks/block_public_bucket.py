"""Turns all four settings of Block Public Access on for a bucket that its policy or ACL makes public."""

import boto3
from botocore.exceptions import ClientError

import journal

s3 = boto3.client("s3")
ALL = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
EVERYBODY = "http://acs.amazonaws.com/groups/global/"


def block(bucket):
    try:
        return s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
            raise
        return {}


def public(bucket):
    if s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"]:
        return True
    grants = s3.get_bucket_acl(Bucket=bucket)["Grants"]
    return any(grant["Grantee"].get("URI", "").startswith(EVERYBODY) for grant in grants)


def handler(event, context):
    bucket, cause = event["detail"]["requestParameters"]["bucketName"], event["detail"]["eventID"]
    before = block(bucket)
    if before == ALL or not public(bucket):
        return {"outcomes": [{"subject": bucket, "outcome": "already-safe"}]}
    journal.begin(bucket, cause, before)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=ALL)
    if block(bucket) != ALL:
        raise RuntimeError(f"{bucket} is not blocked")
    return journal.close(bucket, cause, f"{bucket} was public and is blocked")
