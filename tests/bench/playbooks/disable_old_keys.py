"""Deactivates access keys that the credential report shows to be too old."""

import csv
import datetime
import io

import boto3

import journal

MAX_AGE = datetime.timedelta(days=90)
iam = boto3.client("iam")


def candidates():
    while iam.generate_credential_report()["State"] != "COMPLETE":
        pass
    report = iam.get_credential_report()["Content"].decode()
    oldest = datetime.datetime.now(datetime.timezone.utc) - MAX_AGE
    for row in csv.DictReader(io.StringIO(report)):
        for number in "12":
            rotated = row[f"access_key_{number}_last_rotated"]
            if row[f"access_key_{number}_active"] == "true" and datetime.datetime.fromisoformat(rotated) < oldest:
                yield row["user"], oldest
                break


def keys(user):
    return iam.list_access_keys(UserName=user)["AccessKeyMetadata"]


def handler(event, context):
    outcomes = []
    for user, oldest in candidates():
        for key in keys(user):
            if key["Status"] != "Active" or key["CreateDate"] > oldest:
                continue
            name = key["AccessKeyId"]
            used = iam.get_access_key_last_used(AccessKeyId=name)["AccessKeyLastUsed"]
            journal.begin(user, name, {"Status": "Active", "used": used})
            iam.update_access_key(UserName=user, AccessKeyId=name, Status="Inactive")
            if any(one["AccessKeyId"] == name and one["Status"] == "Active" for one in keys(user)):
                raise RuntimeError(f"a key of {user} is still active")
            outcomes += journal.close(user, name, f"a key of {user} was too old and is inactive")["outcomes"]
    return {"outcomes": outcomes}
