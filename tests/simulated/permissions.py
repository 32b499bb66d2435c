"""IAM as far as a function's role can run into it: moto's check is replaced by one that reads resources and conditions.

moto compares an action with a policy, but gives it neither the resource nor the request's context, asks for
`dynamodb:TransactWriteItems` (AWS asks for the actions inside the transaction), ignores that tags on create need
`ec2:CreateTags`, and answers every refusal as XML. A condition key that is not known here refuses the call and
says so: better a loud test than a permission that nobody checked. Signatures stay moto's own check.
"""

import fnmatch
import json
import re

from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.utils import get_service_model
from moto.iam import models
from moto.iam.access_control import AssumedRoleAccessKey, S3IAMRequest
from moto.iam.models import Policy, iam_backends
from werkzeug.exceptions import HTTPException

from simulated import needs, server

# An administrator's key is this and the number of the account. What is done with it, by the steps of a scenario or by
# Terraform, is not checked.
ADMINISTRATOR = "DRILLADM"


def administrator(account):
    return ADMINISTRATOR + account


def correct():
    def authorize(self, iam_request_cls, resource="*"):
        if self.get_access_key().startswith(ADMINISTRATOR):
            return
        request = iam_request_cls(
            account_id=self.current_account,
            method=self.method,
            path=self.raw_path + (f"?{self.parsed_url.query}" if self.parsed_url.query else ""),
            data=self.data,
            body=self.normalized_request.environ[server.BODY],
            headers=self.headers,
            action=self._get_action(),
        )
        request.check_signature()
        check(self, request, resource)

    ActionAuthenticatorMixin._authenticate_and_authorize_action = authorize

    def get_account_id_from(access_key):
        return access_key.removeprefix(ADMINISTRATOR) if access_key.startswith(ADMINISTRATOR) else original(access_key)

    original = models.get_account_id_from
    models.get_account_id_from = get_account_id_from


def check(response, request, resource):
    """Refuses the call unless every action that it needs, on every resource that it names, is allowed."""
    if request._action == "sts:GetCallerIdentity":
        return
    statements = list(statements_of(request._access_key))
    for need in needs.of(response, request, resource):
        if decide(statements, need) and (need.action != "sts:AssumeRole" or trusted(request, need)):
            continue
        if isinstance(request, S3IAMRequest):
            request._raise_access_denied()
        refuse(response, request._access_key.arn, need)


def statements_of(access_key):
    for policy in access_key.collect_policies():
        if isinstance(policy, Policy):
            document = next(version.document for version in policy.versions if version.is_default)
        else:
            document = policy if isinstance(policy, str) else policy["policy_document"]
        yield from listed(json.loads(document)["Statement"])


def decide(statements, need):
    """An explicit Deny wins; without an Allow nothing is allowed."""
    allowed = False
    for statement in statements:
        if not concerns(statement, "Action", need.action, str.lower):
            continue
        if not concerns(statement, "Resource", need.resource, str):
            continue
        if not holds(statement.get("Condition", {}), need.context):
            continue
        if statement["Effect"] == "Deny":
            return False
        allowed = True
    return allowed


def concerns(statement, element, value, fold):
    if f"Not{element}" in statement:
        return not any(like(fold(pattern), fold(value)) for pattern in listed(statement[f"Not{element}"]))
    return any(like(fold(pattern), fold(value)) for pattern in listed(statement.get(element, [])))


def holds(conditions, context):
    return all(
        test(operator, context.get(key.lower()), [str(value) for value in listed(values)], key, context)
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def test(operator, actual, wanted, key, context):
    """One line of a Condition block, with IAM's set operators, `IfExists` and `Null`."""
    if key.lower() not in context and not key.lower().startswith(needs.OPEN_KEYS):
        raise UnknownCondition(f"the simulated account does not know the condition key {key}")
    quantifier, _, name = operator.rpartition(":")
    if name == "Null":
        return (actual is None) == (wanted[0].lower() == "true")
    negated = "Not" in name
    if actual is None:
        return name.endswith("IfExists") or quantifier == "ForAllValues" or negated
    compare = COMPARISONS.get(name.removesuffix("IfExists").replace("Not", ""))
    if compare is None:
        raise UnknownCondition(f"the simulated account does not know the condition operator {operator}")
    hits = [any(compare(str(value), pattern) for pattern in wanted) != negated for value in listed(actual)]
    return all(hits) if quantifier == "ForAllValues" or negated else any(hits)


class UnknownCondition(Exception):
    pass


COMPARISONS = {
    "StringEquals": lambda value, pattern: value == pattern,
    "StringEqualsIgnoreCase": lambda value, pattern: value.lower() == pattern.lower(),
    "StringLike": lambda value, pattern: like(pattern, value),
    "ArnLike": lambda value, pattern: like(pattern, value),
    "ArnEquals": lambda value, pattern: like(pattern, value),
    "Bool": lambda value, pattern: value.lower() == pattern.lower(),
}


def like(pattern, value):
    """IAM's wildcards are `*` and `?` alone; `[` means itself."""
    return re.fullmatch(fnmatch.translate(pattern.replace("[", "[[]")), value) is not None


def listed(value):
    return value if isinstance(value, list) else [value]


def trusted(request, need):
    """Whether the role, in whatever account it lives, trusts the caller's role or the caller's account."""
    role = role_of(need.resource)
    if role is None:
        return False
    caller = request._access_key
    own = f"arn:{caller.partition}:iam::{caller.account_id}"
    names = {f"{own}:root", caller.account_id, "*"}
    if isinstance(caller, AssumedRoleAccessKey):
        names.add(f"{own}:role/{caller._owner_role_name}")
    return trusts(role, "AWS", names, need.context)


def role_of(arn):
    return next((role for role in iam_backends[arn.split(":")[4]]["aws"].roles.values() if role.arn == arn), None)


def trusts(role, kind, names, context):
    """Whether a statement of the role's trust policy names one of the names, under conditions that hold."""
    for statement in listed(json.loads(role.assume_role_policy_document)["Statement"]):
        principal = statement.get("Principal", {})
        principals = listed(principal if isinstance(principal, str) else principal.get(kind, []))
        if not names & set(principals) or not concerns(statement, "Action", "sts:AssumeRole", str):
            continue
        if statement["Effect"] == "Allow" and holds(statement.get("Condition", {}), context):
            return True
    return False


def enter(account, region, role, service, source):
    """A service of AWS takes on a role for one of its resources, if the role trusts it to; moto never asks."""
    context = {"aws:sourceaccount": account, "aws:sourcearn": source}
    if not trusts(role_of(role), "Service", {service}, context):
        raise ValueError(f"the role {role} does not trust {service} for {source}")
    return {}


def refuse(response, caller, need):
    """The refusal in the shape of the service's own protocol; moto answers all of them as XML."""
    message = (
        f"User: {caller} is not authorized to perform: {need.action} on resource: {need.resource} "
        f"because no identity-based policy allows the {need.action} action"
    )
    model = get_service_model(response.boto3_service_name)
    code, status, content_type, body = refusal(model.metadata["protocol"], need.action, message)
    response.response_headers["Content-Type"] = content_type
    error = HTTPException(description=body)
    error.code = status
    error.error_code = code
    raise error


def refusal(protocol, action, message):
    if protocol == "ec2":
        code = "UnauthorizedOperation"
        message = f"You are not authorized to perform this operation. {message}"
        body = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            "<RequestID>drill</RequestID></Response>"
        )
        return code, 403, "text/xml", body
    if protocol in ("json", "rest-json"):
        body = json.dumps({"__type": "AccessDeniedException", "message": message, "Message": message})
        return "AccessDeniedException", 400 if protocol == "json" else 403, "application/x-amz-json-1.0", body
    code = "AuthorizationError" if action.startswith("sns:") else "AccessDenied"
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>drill</RequestId></ErrorResponse>"
    )
    return code, 403, "text/xml", body
