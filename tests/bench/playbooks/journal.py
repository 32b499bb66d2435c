"""What the playbooks share: the record by which an event is answered once, and the message to people."""

import json
import os

import boto3

TABLE = os.environ["JOURNAL_TABLE"]
TOPIC = os.environ["REPORT_TOPIC"]
dynamodb = boto3.client("dynamodb")
sns = boto3.client("sns")


class Duplicate(Exception):
    """Another run has begun to answer this event."""


def begin(subject, cause, before):
    """Records what is there before anything is changed."""
    try:
        dynamodb.put_item(
            TableName=TABLE,
            Item={"pk": {"S": subject}, "sk": {"S": cause}, "before": {"S": json.dumps(before, default=str)}},
            ConditionExpression="attribute_not_exists(pk)",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        raise Duplicate(f"{subject} is being answered already") from error


def close(subject, cause, why):
    """Tells people, notes how it ended, and answers Lambda."""
    sns.publish(TopicArn=TOPIC, Subject=f"CONTAINED: {subject}"[:100], Message=why)
    dynamodb.update_item(
        TableName=TABLE,
        Key={"pk": {"S": subject}, "sk": {"S": cause}},
        UpdateExpression="SET outcome = :outcome",
        ExpressionAttributeValues={":outcome": {"S": "contained"}},
    )
    return {"outcomes": [{"subject": subject, "outcome": "contained"}]}
