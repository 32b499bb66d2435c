"""DynamoDB: the journal's table, as far as sweeps use it. An expression that is not known here is an error."""

import json
from collections import defaultdict

from fake.server import Refused

NEW, VERSION = "attribute_not_exists(pk)", "version = :version"
LIMIT = "attribute_not_exists(taken) OR taken < :limit"


class Tables:
    TYPE = "application/x-amz-json-1.0"

    def __init__(self):
        self.items = defaultdict(dict)

    def name(self, call):
        return call.target

    def answer(self, call):
        asked = call.json()
        match call.target:
            case "Query":
                return json.dumps(self.query(asked))
            case "PutItem":
                self.check(asked)
                self.put(asked["Item"])
                return "{}"
            case "TransactWriteItems":
                return self.transact(asked["TransactItems"])
        raise Refused(400, "NotSimulated")

    def error(self, refused):
        if isinstance(refused, Cancelled):
            return refused.body
        return json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{refused.code}", "message": refused.message})

    def query(self, asked):
        values = asked["ExpressionAttributeValues"]
        match asked["KeyConditionExpression"]:
            case "pk = :pk":
                found = list(self.items.get(values[":pk"]["S"], {}).values())
            case "watched = :function":
                every = (item for partition in self.items.values() for item in partition.values())
                found = [item for item in every if item.get("watched") == values[":function"]]
            case _:
                raise Refused(400, "NotSimulated")
        return {"Items": found, "Count": len(found)}

    def stored(self, item):
        return self.items.get(item["pk"]["S"], {}).get(item["sk"]["S"])

    def put(self, item):
        self.items[item["pk"]["S"]][item["sk"]["S"]] = item

    def holds(self, asked):
        stored = self.stored(asked["Item"])
        match asked["ConditionExpression"]:
            case condition if condition == NEW:
                return stored is None
            case condition if condition == VERSION:
                return stored is not None and stored["version"] == asked["ExpressionAttributeValues"][":version"]
        raise Refused(400, "NotSimulated")

    def check(self, asked):
        if not self.holds(asked):
            raise Refused(400, "ConditionalCheckFailedException")

    def transact(self, writes):
        put, update = writes[0]["Put"], writes[1]["Update"]
        if update["ConditionExpression"] != LIMIT:
            raise Refused(400, "NotSimulated")
        key, values = update["Key"], update["ExpressionAttributeValues"]
        stored = self.stored(key) or {**key, "taken": {"N": "0"}}
        taken, limit = int(stored["taken"]["N"]), int(values[":limit"]["N"])
        reasons = [self.holds(put), taken < limit]
        if not all(reasons):
            codes = [{"Code": "None" if fine else "ConditionalCheckFailed"} for fine in reasons]
            body = {"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "CancellationReasons": codes}
            raise Cancelled(json.dumps(body))
        self.put(put["Item"])
        self.put({**stored, "taken": {"N": str(taken + 1)}, "expires": values[":expires"]})
        return "{}"


class Cancelled(Refused):
    def __init__(self, body):
        super().__init__(400, "TransactionCanceledException")
        self.body = body
