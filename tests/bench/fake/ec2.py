"""EC2: security groups of three regions. The planted ones open SSH to the world, every tenth is a public web server."""

import re
from collections import defaultdict

from fake import ACCOUNT, HOME, REGIONS, spread
from fake.server import Refused

# A source of TCP to a port.
INSIDE, OFFICE, SHOP, WORLD = (22, "10.0.0.0/8"), (22, "198.51.100.0/24"), (443, "0.0.0.0/0"), (22, "0.0.0.0/0")


class Groups:
    SERVICE = "ec2"
    TYPE = "text/xml"

    def __init__(self, count, planted):
        self.rules, self.places, self.harmful = {}, defaultdict(list), set()
        open_to_all = spread(count, planted)
        for number in range(count):
            group = f"sg-{number:017x}"
            rules = [INSIDE] + ([SHOP] if number % 10 == 1 else []) + ([OFFICE, WORLD] if number in open_to_all else [])
            self.rules[group] = {f"sgr-{number:015x}{index:02x}": rule for index, rule in enumerate(rules)}
            self.places[REGIONS[number % len(REGIONS)]].append(group)
            if number in open_to_all:
                self.harmful.add(group)
        self.lost, self.closed = [], set()

    def seen(self):
        """What was closed, and what went besides."""
        return {"contained": sorted(self.closed), "right": self.closed == self.harmful, "lost": self.lost}

    def name(self, call):
        return call.form.get("Action", "?")

    def answer(self, call):
        match self.name(call):
            case "DescribeRegions":
                items = [f"<item><regionName>{region}</regionName></item>" for region in REGIONS]
                return wrapped(call, f"<regionInfo>{''.join(items)}</regionInfo>")
            case "DescribeSecurityGroups":
                return self.describe(call)
            case "DescribeSecurityGroupRules":
                group = filters(call)["group-id"][0]
                items = "".join(rule(group, *one) for one in self.rules.get(group, {}).items())
                return wrapped(call, f"<securityGroupRuleSet>{items}</securityGroupRuleSet>")
            case "RevokeSecurityGroupIngress":
                return self.revoke(call)
        raise Refused(400, "NotSimulated")

    def error(self, refused):
        return f"<Response><Errors><Error><Code>{refused.code}</Code><Message>{refused.message}</Message></Error></Errors></Response>"

    def describe(self, call):
        ids = call.listed("GroupId")
        found = ids or [group for group in self.places[call.region or HOME] if self.asked(group, filters(call))]
        start, size = int(call.form.get("NextToken", 0)), int(call.form.get("MaxResults", len(found) or 1))
        items = "".join(self.written(group) for group in found[start : start + size])
        more = f"<nextToken>{start + size}</nextToken>" if start + size < len(found) else ""
        return wrapped(call, f"<securityGroupInfo>{items}</securityGroupInfo>{more}")

    def asked(self, group, wanted):
        """Filters are joined by "and", their values by "or"; `*` is any text."""
        for name, values in wanted.items():
            match name:
                case "ip-permission.cidr":
                    have = [source for _, source in self.rules[group].values()]
                case "owner-id":
                    have = [ACCOUNT]
                case "ip-permission.ipv6-cidr" | "ip-permission.prefix-list-id":
                    have = []
                case _:
                    raise Refused(400, "NotSimulated", name)
            if not any(pattern(values).fullmatch(one) for one in have):
                return False
        return True

    def written(self, group):
        """As AWS writes it: the sources of one port are one permission."""
        ports = defaultdict(list)
        for port, source in self.rules[group].values():
            ports[port].append(f"<item><cidrIp>{source}</cidrIp></item>")
        items = "".join(
            f"<item><ipProtocol>tcp</ipProtocol><fromPort>{port}</fromPort><toPort>{port}</toPort><groups/>"
            f"<ipRanges>{''.join(ranges)}</ipRanges><ipv6Ranges/><prefixListIds/></item>"
            for port, ranges in ports.items()
        )
        return (
            f"<item><ownerId>{ACCOUNT}</ownerId><groupId>{group}</groupId><groupName>{group[3:]}</groupName>"
            f"<groupDescription>one of many</groupDescription><vpcId>vpc-0</vpcId><ipPermissions>{items}</ipPermissions>"
            "<ipPermissionsEgress/><tagSet/></item>"
        )

    def revoke(self, call):
        """By the ids of rules, or by what they allow."""
        group = call.form["GroupId"]
        gone = set(call.listed("SecurityGroupRuleId"))
        number = 1
        while (port := call.form.get(f"IpPermissions.{number}.FromPort")) is not None:
            at = 1
            while (source := call.form.get(f"IpPermissions.{number}.IpRanges.{at}.CidrIp")) is not None:
                gone |= {name for name, one in self.rules[group].items() if one == (int(port), source)}
                at += 1
            number += 1
        if not gone or not gone <= set(self.rules[group]):
            raise Refused(400, "InvalidPermission.NotFound")
        for name in gone:
            removed = self.rules[group].pop(name)
            if removed == WORLD:
                self.closed.add(group)
            else:
                self.lost.append(f"{group}: tcp/{removed[0]} from {removed[1]}")
        return wrapped(call, "<return>true</return>")


PATTERNS = {}


def pattern(values):
    """What a filter asks for; a sweep asks every group the same."""
    key = tuple(values)
    if key not in PATTERNS:
        PATTERNS[key] = re.compile("|".join(re.escape(value).replace(r"\*", ".*") for value in values))
    return PATTERNS[key]


def filters(call):
    found, number = {}, 1
    while (name := call.form.get(f"Filter.{number}.Name")) is not None:
        found[name] = call.listed(f"Filter.{number}.Value")
        number += 1
    return found


def rule(group, name, access):
    port, source = access
    return (
        f"<item><securityGroupRuleId>{name}</securityGroupRuleId><groupId>{group}</groupId><groupOwnerId>{ACCOUNT}</groupOwnerId>"
        f"<isEgress>false</isEgress><ipProtocol>tcp</ipProtocol><fromPort>{port}</fromPort><toPort>{port}</toPort>"
        f"<cidrIpv4>{source}</cidrIpv4><tagSet/></item>"
    )


def wrapped(call, inside):
    action = call.form["Action"]
    return f'<{action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>{inside}</{action}Response>'
