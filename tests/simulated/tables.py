"""DynamoDB: transactions that may be sent twice, and tables that are not there."""

import json

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import ResourceNotFoundException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.responses import DynamoHandler


def correct():
    original = DynamoDBBackend.transact_write_items

    def transact(self, transact_items):
        # AWS names a missing table as such; moto wraps it into a cancelled transaction.
        for item in transact_items:
            for call in item.values():
                if call["TableName"].split("/")[-1] not in self.tables:
                    raise ResourceNotFoundException()
        return original(self, transact_items)

    DynamoDBBackend.transact_write_items = transact

    handle = DynamoHandler.transact_write_items

    def once(self):
        # For ten minutes AWS answers the same ClientRequestToken with success and changes nothing, which is how the
        # SDK's own retry of a lost answer stays harmless. moto applies the transaction again.
        token = self.body.get("ClientRequestToken")
        sent = json.dumps(self.body, sort_keys=True, default=str)
        seen = self.dynamodb_backend.__dict__.setdefault("tokens_seen", {})
        if token and seen.get(token) == sent:
            return ActionResult({})
        result = handle(self)
        if token:
            seen[token] = sent
        return result

    DynamoHandler.transact_write_items = once
