"""Starts a trail that was stopped."""

import boto3

import journal

cloudtrail = boto3.client("cloudtrail")


def handler(event, context):
    trail, cause = event["detail"]["requestParameters"]["name"], event["detail"]["eventID"]
    before = cloudtrail.get_trail_status(Name=trail)
    if before["IsLogging"]:
        return {"outcomes": [{"subject": trail, "outcome": "already-safe"}]}
    journal.begin(trail, cause, {"IsLogging": False, "since": before.get("StopLoggingTime")})
    cloudtrail.start_logging(Name=trail)
    if not cloudtrail.get_trail_status(Name=trail)["IsLogging"]:
        raise RuntimeError(f"{trail} does not log")
    return journal.close(trail, cause, f"{trail} was stopped and logs again")
