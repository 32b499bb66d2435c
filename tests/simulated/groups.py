"""Security groups: rules with ids, tags and quotas, prefix lists, and the regions of an account."""

import ipaddress

from moto.core.responses import ActionResult
from moto.core.utils import aws_api_matches
from moto.ec2.exceptions import (
    EC2ClientError,
    InvalidPermissionDuplicateError,
    InvalidPermissionNotFoundError,
    InvalidSecurityGroupNotFoundError,
    InvalidSecurityGroupRuleIdNotFoundError,
    RulesPerSecurityGroupLimitExceededError,
)
from moto.ec2.models import ec2_backends
from moto.ec2.models.managed_prefixes import ManagedPrefixListBackend
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupBackend, SecurityGroupRule
from moto.ec2.responses.availability_zones_and_regions import AvailabilityZonesAndRegions
from moto.ec2.responses.security_groups import SecurityGroups
from moto.ec2.responses.vpcs import VPCs

# Inbound rules of a group, for each address family.
QUOTA = 60


def correct():
    rules()
    authorizing()
    revoking()
    modifying()
    filtering()
    pages()
    prefix_lists()
    regions()


def rules():
    """A rule's description belongs to its source, whatever kind that is; moto keeps only that of an address block. Its
    owner is the group's, which need not be the account of the caller."""
    original = SecurityGroupRule.__init__

    def init(self, *args, **kwargs):
        original(self, *args, **kwargs)
        sources = [kwargs.get(name) or {} for name in ("ip_range", "source_group", "prefix_list_id")]
        sources += [part for part in args if isinstance(part, dict)]
        self.text = next((part["Description"] for part in sources if part.get("Description")), None)

    SecurityGroupRule.__init__ = init
    SecurityGroupRule.description = property(lambda self: self.ip_range.get("Description") or self.text)


def canonical(block):
    """AWS stores blocks without host bits, and has done so for some years; older rules are as they were written.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html"""
    return str(ipaddress.ip_network(block, strict=False))


def weight(backend, rule):
    """For how many IPv4 and IPv6 rules a rule counts: a prefix list for as many as it may have entries.
    https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups"""
    if rule.prefix_list_id:
        found = backend.managed_prefix_lists.get(rule.prefix_list_id)
        entries = int(found.max_entries or 1) if found else 1
        return (0, entries) if found and found.address_family == "IPv6" else (entries, 0)
    if rule.source_group:
        return 1, 1
    return (0, 1) if rule.cidr_ipv6 else (1, 0)


def built(backend, group, asked):
    """The rules that a request names, which are not yet in the group."""
    new = []
    for part in asked:
        for source in part["ip_ranges"]:
            for key in ("CidrIp", "CidrIpv6"):
                if source.get(key):
                    source[key] = canonical(source[key])
        new += backend._iterate_security_rules(
            part["ip_protocol"],
            group.group_id,
            part["from_port"],
            part["to_port"],
            part["ip_ranges"],
            backend._add_source_group(part["source_groups"], group.vpc_id),
            part["prefix_list_ids"],
            is_egress=False,
        )
    return new


def named(backend, name_or_id):
    group = backend.get_security_group_by_name_or_id(name_or_id)
    if group is None:
        raise InvalidSecurityGroupNotFoundError(name_or_id)
    return group


def authorizing():
    """AWS adds all rules of a request or none, counts IPv4 and IPv6 apart, and answers with every rule; moto adds one
    permission after the other and answers with the last."""

    def authorize_security_group_ingress(self):
        self.error_on_dryrun()
        asked = list(self._process_rules_from_querystring())
        backend = self.ec2_backend
        group = named(backend, asked[0]["group_name_or_id"])
        new = built(backend, group, asked)
        for index, rule in enumerate(new):
            if rule in group.ingress_rules or rule in new[:index]:
                raise InvalidPermissionDuplicateError()
        weights = [weight(backend, rule) for rule in group.ingress_rules + new]
        if any(sum(column) > QUOTA for column in zip(*weights)):
            raise RulesPerSecurityGroupLimitExceededError()
        for rule in new:
            rule.add_tags(asked[0]["sgrule_tags"])
            group.add_ingress_rule(rule)
        return ActionResult({"Return": True, "SecurityGroupRules": new})

    SecurityGroups.authorize_security_group_ingress = authorize_security_group_ingress


def revoking():
    """AWS takes out all rules of a request or none. What it does not know is an error, but in a default VPC, where it
    answers 200 and says in `unknownIpPermissionSet` what it did not find; a rule's id that it does not know is always one.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html"""

    def revoke_security_group_ingress(self):
        self.error_on_dryrun()
        asked = list(self._process_rules_from_querystring())
        backend = self.ec2_backend
        group = named(backend, asked[0]["group_name_or_id"])
        ids = asked[0]["security_rule_ids"]
        if ids:
            by_id = {rule.id: rule for rule in group.ingress_rules}
            missing = [one for one in ids if one not in by_id]
            if missing:
                raise InvalidSecurityGroupRuleIdNotFoundError(missing[0])
            gone, unknown = [by_id[one] for one in ids], []
        else:
            wanted = built(backend, group, asked)
            gone = [rule for rule in group.ingress_rules if rule in wanted]
            unknown = [rule for rule in wanted if rule not in group.ingress_rules]
            if unknown and not backend.vpcs[group.vpc_id].is_default == "true":
                raise InvalidPermissionNotFoundError()
        group.ingress_rules = [rule for rule in group.ingress_rules if rule not in gone]
        answer = {"Return": True, "RevokedSecurityGroupRules": gone}
        if unknown:
            answer["UnknownIpPermissions"] = group._flattened_rules(unknown)
        return ActionResult(answer)

    SecurityGroups.revoke_security_group_ingress = revoke_security_group_ingress


def modifying():
    """ModifySecurityGroupRules replaces what a rule allows, whatever its source; moto knows IPv4 only."""

    def modify(self, group_id, changes):
        group = named(self, group_id)
        for rule_id, wanted in changes.items():
            rule = group.get_rule(rule_id)
            if rule is None:
                raise InvalidSecurityGroupRuleIdNotFoundError(rule_id)
            rule.ip_protocol = wanted["IpProtocol"]
            rule.from_port = None if rule.ip_protocol == "-1" else int(wanted["FromPort"])
            rule.to_port = None if rule.ip_protocol == "-1" else int(wanted["ToPort"])
            blocks = (("CidrIpv4", "CidrIp"), ("CidrIpv6", "CidrIpv6"))
            rule.ip_range = {key: canonical(wanted[name]) for name, key in blocks if wanted.get(name)}
            rule.prefix_list_id = wanted.get("PrefixListId")
            rule.text = wanted.get("Description")

    SecurityGroupBackend.modify_security_group_rules = modify


def filtering():
    """AWS finds groups by the IPv6 blocks and the prefix lists of their inbound rules; moto refuses both filters."""
    SecurityGroup.filter_ip_permission__ipv6_cidr = by_source("cidr_ipv6")
    SecurityGroup.filter_ip_permission__prefix_list_id = by_source("prefix_list_id")


def by_source(field):
    def matches(self, values):
        sources = [getattr(rule, field) for rule in self.ingress_rules]
        return any(aws_api_matches(value, source) for value in values for source in sources if source)

    return matches


def pages():
    """AWS answers with as many items as `MaxResults` says, or fewer; moto always with all. `page_size` makes them few."""
    for name, result in (("describe_security_groups", "SecurityGroups"), ("describe_security_group_rules", "SecurityGroupRules")):
        setattr(SecurityGroups, name, paged(getattr(SecurityGroups, name), result))


def paged(original, result):
    def describe(self):
        most = int(self._get_param("MaxResults") or 0)
        size = min(size for size in (most, getattr(self.ec2_backend, "page_size", 0)) if size) if most else 0
        first = int(self._get_param("NextToken") or 0)
        everything = original(self)._result[result]
        answer = {result: everything[first : first + size] if size else everything}
        if size and first + size < len(everything):
            answer["NextToken"] = str(first + size)
        return ActionResult(answer)

    return describe


def prefix_lists():
    """AWS refuses a list that it does not know, keeps the name of a list that is modified, and gives each version its
    entries; moto answers with nothing, drops the name, and takes versions for texts."""
    original = ManagedPrefixListBackend.modify_managed_prefix_list
    entries = VPCs.get_managed_prefix_list_entries

    def modify(self, add_entry, remove_entry, prefix_list_id=None, current_version=None, prefix_list_name=None):
        found = known(self, prefix_list_id)
        name = prefix_list_name or found.prefix_list_name
        return original(self, add_entry, remove_entry, prefix_list_id, int(current_version or found.version), name)

    def get(self):
        known(self.ec2_backend, self._get_param("PrefixListId"))
        return entries(self)

    ManagedPrefixListBackend.modify_managed_prefix_list = modify
    VPCs.get_managed_prefix_list_entries = get


def known(backend, prefix_list_id):
    found = backend.managed_prefix_lists.get(prefix_list_id)
    if found is None:
        raise EC2ClientError("InvalidPrefixListID.NotFound", f"The prefix list ID '{prefix_list_id}' does not exist")
    return found


def regions():
    """An account sees the regions that are enabled in it, unless it asks for all; moto answers with all of every
    partition, and knows no filter."""

    def describe_regions(self):
        self.error_on_dryrun()
        names = self._get_param("RegionNames", [])
        filters = self._filters_from_querystring()
        chosen = getattr(self.ec2_backend, "enabled_regions", None)
        every = str(self._get_param("AllRegions", "false")).lower() == "true"
        found = []
        for region in self.ec2_backend.describe_regions(names):
            # moto's servers are of one partition.
            if region.name.startswith(("us-gov-", "cn-")):
                continue
            default = region.opt_in_status == "opt-in-not-required"
            enabled = region.name in chosen if chosen is not None else default
            status = "not-opted-in" if not enabled else "opt-in-not-required" if default else "opted-in"
            shown = {"RegionName": region.name, "Endpoint": region.endpoint, "OptInStatus": status}
            fields = {"opt-in-status": status, "region-name": region.name, "endpoint": region.endpoint}
            wanted = all(any(aws_api_matches(v, fields[name]) for v in values) for name, values in filters.items())
            if wanted and (every or enabled):
                found.append(shown)
        return ActionResult({"Regions": found})

    AvailabilityZonesAndRegions.describe_regions = describe_regions


# Steps of scenarios: what no API call can bring about.


def enable_regions(account, region, names):
    """Makes these the regions that are enabled in the account."""
    for backend in list(ec2_backends[account].values()) + [ec2_backends[account][region]]:
        backend.enabled_regions = names
    return {}


def page_size(account, region, size):
    """Makes AWS answer with few items at a time, as it may."""
    ec2_backends[account][region].page_size = size
    return {}


def group(account, region, id, **fields):
    """Sets fields of a group, such as its owner."""
    found = ec2_backends[account][region].get_security_group_from_id(id)
    for name, value in fields.items():
        setattr(found, name, value)
    return {"id": id}


def old_source(account, region, group, block, written):
    """A rule from before AWS stored blocks without host bits: its source is as somebody wrote it."""
    found: SecurityGroup = ec2_backends[account][region].get_security_group_from_id(group)
    for rule in found.ingress_rules:
        for key in ("CidrIp", "CidrIpv6"):
            if rule.ip_range.get(key) == block:
                rule.ip_range[key] = written
    return {"id": group}


def share_prefix_list(account, region, id, owner):
    """The list belongs to another account, which shares it with this one."""
    ec2_backends[account][region].managed_prefix_lists[id].resource_owner_id = owner
    return {"id": id}
