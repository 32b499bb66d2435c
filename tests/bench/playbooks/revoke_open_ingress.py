"""Closes the rules of a security group by which the world reaches port 22 or 3389."""

import boto3

import journal

ec2 = boto3.client("ec2")


def opened(group):
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    return [
        rule
        for rule in rules["SecurityGroupRules"]
        if not rule["IsEgress"]
        and rule["IpProtocol"] in ("tcp", "-1")
        and any(rule["IpProtocol"] == "-1" or rule["FromPort"] <= port <= rule["ToPort"] for port in (22, 3389))
        and (rule.get("CidrIpv4") == "0.0.0.0/0" or rule.get("CidrIpv6") == "::/0")
    ]


def handler(event, context):
    group, cause = event["detail"]["requestParameters"]["groupId"], event["detail"]["eventID"]
    before = opened(group)
    if not before:
        return {"outcomes": [{"subject": group, "outcome": "already-safe"}]}
    journal.begin(group, cause, before)
    names = [rule["SecurityGroupRuleId"] for rule in before]
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=names)
    if opened(group):
        raise RuntimeError(f"{group} is still open")
    return journal.close(group, cause, f"{group} was open to the world: {', '.join(names)} revoked")
