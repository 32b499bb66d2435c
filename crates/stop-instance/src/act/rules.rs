//! Security group rules between AWS's shape and ours: AWS nests sources in permissions, ours are flat.

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, PrefixListId, SecurityGroup, UserIdGroupPair};

use crate::observation::{Group, Peer, Rule};

pub(super) fn group_of(group: &SecurityGroup) -> Option<Group> {
    let ingress = group.ip_permissions().iter().flat_map(|p| rules_of(p, false));
    let egress = group.ip_permissions_egress().iter().flat_map(|p| rules_of(p, true));
    Some(Group { id: group.group_id()?.to_owned(), rules: ingress.chain(egress).collect() })
}

fn rules_of(permission: &IpPermission, egress: bool) -> Vec<Rule> {
    let ipv4 = permission.ip_ranges().iter().filter_map(|r| Some(Peer::Ipv4(r.cidr_ip()?.to_owned())));
    let ipv6 = permission.ipv6_ranges().iter().filter_map(|r| Some(Peer::Ipv6(r.cidr_ipv6()?.to_owned())));
    let lists = permission
        .prefix_list_ids()
        .iter()
        .filter_map(|r| Some(Peer::PrefixList(r.prefix_list_id()?.to_owned())));
    let groups =
        permission.user_id_group_pairs().iter().filter_map(|r| Some(Peer::Group(r.group_id()?.to_owned())));
    let rule = |peer| Rule {
        egress,
        protocol: permission.ip_protocol().unwrap_or("-1").to_owned(),
        from: permission.from_port(),
        to: permission.to_port(),
        peer,
    };
    ipv4.chain(ipv6).chain(lists).chain(groups).map(rule).collect()
}

/// The permissions that revoke rules of one direction.
pub(super) fn permissions(rules: &[Rule], egress: bool) -> Vec<IpPermission> {
    rules.iter().filter(|r| r.egress == egress).map(permission).collect()
}

fn permission(rule: &Rule) -> IpPermission {
    let base =
        IpPermission::builder().ip_protocol(&rule.protocol).set_from_port(rule.from).set_to_port(rule.to);
    match &rule.peer {
        Peer::Ipv4(cidr) => base.ip_ranges(IpRange::builder().cidr_ip(cidr).build()),
        Peer::Ipv6(cidr) => base.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(cidr).build()),
        Peer::PrefixList(id) => base.prefix_list_ids(PrefixListId::builder().prefix_list_id(id).build()),
        Peer::Group(id) => base.user_id_group_pairs(UserIdGroupPair::builder().group_id(id).build()),
    }
    .build()
}

/// Everything from and to everywhere: with such rules AWS does not track connections.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html>
pub(super) fn everything() -> [IpPermission; 2] {
    let all = || IpPermission::builder().ip_protocol("-1");
    [
        all().ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build()).build(),
        all().ipv6_ranges(Ipv6Range::builder().cidr_ipv6("::/0").build()).build(),
    ]
}
