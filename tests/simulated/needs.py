"""Which permissions one request needs: its actions, the resources that it names and the context of its conditions.

From the Service Authorization Reference, for the services that the functions use. A service that is not named here
needs its own action on what moto takes for the resource.
"""

import json
from dataclasses import dataclass

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends

from simulated import buckets, trails

# Keys that may be absent from a request without being unknown.
OPEN_KEYS = ("aws:requesttag/", "aws:resourcetag/", "ec2:resourcetag/", "autoscaling:resourcetag/", "ec2:attribute")

TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}

EC2_TYPES = {
    "i": "instance",
    "eni": "network-interface",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "vol": "volume",
    "vpc": "vpc",
    "subnet": "subnet",
    "snap": "snapshot",
    "acl": "network-acl",
}


@dataclass
class Need:
    action: str
    resource: str
    context: dict


def of(response, request, resource):
    """Every `Need` of a request that moto is about to carry out."""
    action = request._action
    service, _, operation = action.partition(":")
    place = Place(response, request)
    if service == "dynamodb":
        yield from tables(place, operation, body(request))
    elif service == "ec2":
        yield from compute(place, operation, response.querystring)
    elif service == "autoscaling":
        yield from scaling(place, operation, response.querystring)
    elif service == "elasticloadbalancing":
        yield from balancing(place, operation, response.querystring)
    elif service == "iam":
        yield place.need(action, identity(place, operation, response.querystring))
    elif service == "sns":
        yield place.need(action, one(response.querystring, "TopicArn", "*"))
    elif service == "cloudtrail":
        yield from trails.needs(place, action, body(request))
    elif service in ("s3", "s3control"):
        yield from buckets.needs(place, action, request)
    else:
        yield place.need(action, resource)


class Place:
    """Where a request goes, and the context that all its conditions share."""

    def __init__(self, response, request):
        self.account = request.account_id
        self.region = request._region
        self.partition = request._access_key.partition
        caller = request._access_key
        self.context = {
            "aws:requestedregion": self.region,
            "aws:principalaccount": self.account,
            "aws:resourceaccount": self.account,
            "aws:principalarn": caller.arn.replace(":sts:", ":iam:").replace("assumed-role", "role").rsplit("/", 1)[0],
            "aws:securetransport": "true",
            "ec2:region": self.region,
            "aws:tagkeys": None,
            "ec2:createaction": None,
            "dynamodb:leadingkeys": None,
        }

    def arn(self, service, rest, account=None):
        return f"arn:{self.partition}:{service}:{self.region}:{self.account if account is None else account}:{rest}"

    def need(self, action, resource, **context):
        return Need(action, resource, self.context | {key.replace("__", ":"): v for key, v in context.items()})


def tables(place, operation, sent):
    if operation in ("TransactWriteItems", "TransactGetItems"):
        for item in sent.get("TransactItems", []):
            for kind, call in item.items():
                context = {"dynamodb__leadingkeys": leading(call)}
                yield place.need(f"dynamodb:{TRANSACTION[kind]}", table(place, call["TableName"]), **context)
        return
    names = list(sent.get("RequestItems", {})) or [sent.get("TableName")]
    for name in names:
        arn = table(place, name) if name else "*"
        if sent.get("IndexName"):
            arn = f"{arn}/index/{sent['IndexName']}"
        yield place.need(f"dynamodb:{operation}", arn, dynamodb__leadingkeys=leading(sent))


def leading(call):
    """The values of the partition key, for `dynamodb:LeadingKeys`; the journal's is called `pk`."""
    key = (call.get("Key") or call.get("Item") or {}).get("pk")
    if key:
        return [key.get("S")]
    values = call.get("ExpressionAttributeValues", {})
    expression = call.get("KeyConditionExpression", "")
    return [v["S"] for name, v in values.items() if "S" in v and f"= {name}" in expression] or None


def table(place, name):
    return name if name.startswith("arn:") else place.arn("dynamodb", f"table/{name}")


def compute(place, operation, sent):
    if operation.startswith(("Describe", "Get")):
        yield place.need(f"ec2:{operation}", "*")
        return
    names = sorted(v[0] for key, v in sent.items() if v and key.partition(".")[0] not in ("Tag", "TagSpecification", "Filter"))
    named = [value for value in names if value.partition("-")[0] in EC2_TYPES and "-" in value and " " not in value]
    tags = dict(pairs(sent))
    context = {f"aws:requesttag/{key.lower()}": value for key, value in tags.items()}
    context["aws:tagkeys"] = sorted(tags) or None
    changed = (key.partition(".")[0] for key in sent if key.endswith((".Value", ".DeleteOnTermination")) and "Tag." not in key)
    attribute = sent.get("Attribute", [None])[0] or next(changed, None)
    context["ec2:attribute"] = attribute
    backend = ec2_backends[place.account][place.region]
    for value in named:
        owned = {f"{prefix}:resourcetag/{k.lower()}": v for k, v in backend.tags.get(value, {}).items() for prefix in ("aws", "ec2")}
        yield place.need(f"ec2:{operation}", resource(place, value), **(context | owned))
    made = created(operation)
    # A rule that gets tags is a resource of the call that makes it; without tags only the group is.
    if tags and operation == "AuthorizeSecurityGroupIngress":
        made = "sgr"
    if made:
        yield place.need(f"ec2:{operation}", resource(place, f"{made}-*"), **context)
    if not named and not made:
        yield place.need(f"ec2:{operation}", "*", **context)
    # Tags on create are authorised as a CreateTags call of their own.
    if tags and made:
        yield place.need("ec2:CreateTags", resource(place, f"{made}-*"), **(context | {"ec2:createaction": operation}))


def created(operation):
    return {"CreateSecurityGroup": "sg", "CreateSnapshots": "snap", "CreateSnapshot": "snap", "CreateVpc": "vpc"}.get(operation)


def resource(place, name):
    kind = EC2_TYPES[name.partition("-")[0]]
    # A snapshot's ARN names no account.
    account = "" if kind == "snapshot" else None
    return place.arn("ec2", f"{kind}/{'*' if name.endswith('-*') else name}", account)


def pairs(sent):
    for key, value in sent.items():
        if "Tag." in key and key.endswith(".Key"):
            yield value[0], sent.get(key.removesuffix("Key") + "Value", [""])[0]


def scaling(place, operation, sent):
    group = autoscaling_backends[place.account][place.region].autoscaling_groups.get(one(sent, "AutoScalingGroupName", ""))
    describing = operation.startswith("Describe")
    tags = {f"{p}:resourcetag/{t['Key'].lower()}": t["Value"] for t in (group.tags if group else []) for p in ("aws", "autoscaling")}
    arn = "*" if describing else group.arn if group else place.arn("autoscaling", "autoScalingGroup:none")
    yield place.need(f"autoscaling:{operation}", arn, **tags)


def balancing(place, operation, sent):
    action = f"elasticloadbalancing:{operation}"
    if operation.startswith("Describe"):
        yield place.need(action, "*")
    elif "LoadBalancerName" in sent:
        yield place.need(action, place.arn("elasticloadbalancing", f"loadbalancer/{one(sent, 'LoadBalancerName', '')}"))
    else:
        yield place.need(action, one(sent, "TargetGroupArn", "*"))


def identity(place, operation, sent):
    """Users and roles may have a path, which only the account knows."""
    backend = iam_backends[place.account][place.partition]
    for field, owned in (("UserName", backend.users), ("RoleName", backend.roles)):
        name = one(sent, field, None)
        if name:
            kind = field.removesuffix("Name").lower()
            found = next((item for item in owned.values() if item.name == name), None)
            return found.arn if found else f"arn:{place.partition}:iam::{place.account}:{kind}/{name}"
    profile = one(sent, "InstanceProfileName", None)
    return f"arn:{place.partition}:iam::{place.account}:instance-profile/{profile}" if profile else "*"


def one(sent, name, otherwise):
    value = sent.get(name)
    return value[0] if value else otherwise


def body(request):
    try:
        return json.loads(request._body or b"{}")
    except ValueError:
        return {}
