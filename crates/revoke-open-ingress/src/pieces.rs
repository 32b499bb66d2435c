//! What stays of a rule of which a part goes. Pure.
//!
//! A port range keeps its other ports. A rule for all protocols becomes TCP and UDP without the guarded ports, and ICMP;
//! AWS has no way to say "every other protocol" but a rule for each, so those are lost, and the report says it.

use std::collections::BTreeSet;

use range_set_blaze::RangeSetBlaze;

use crate::observation::Observation;
use crate::rule::{Access, Port, Protocol, Source, Transport};

/// The accesses that stay when `closed` goes out of `access`, without what `kept` allows to the same source anyway.
pub(crate) fn pieces<'a>(
    access: &Access,
    closed: &BTreeSet<Port>,
    kept: impl IntoIterator<Item = &'a Access>,
    seen: &Observation,
) -> Vec<Access> {
    let same: Vec<&Access> = kept.into_iter().filter(|other| other.source == access.source).collect();
    let mut pieces = Vec::new();
    for transport in [Transport::Tcp, Transport::Udp] {
        let Some(all) = access.ports(transport) else { continue };
        let numbers = closed.iter().filter(|port| port.transport == transport).map(|port| port.number);
        let gone: RangeSetBlaze<u16> = numbers.collect();
        let covered: RangeSetBlaze<u16> = same.iter().filter_map(|other| other.ports(transport)).collect();
        let stays = RangeSetBlaze::from_iter([all]) - gone - covered;
        pieces.extend(stays.ranges().map(|ports| Access {
            protocol: transport.word().to_owned(),
            from: Some((*ports.start()).into()),
            to: Some((*ports.end()).into()),
            source: access.source.clone(),
        }));
    }
    if access.protocol() == Protocol::All {
        let icmp = Access {
            protocol: icmp(&access.source, seen).to_owned(),
            from: Some(-1),
            to: Some(-1),
            source: access.source.clone(),
        };
        if !same.contains(&&icmp) {
            pieces.push(icmp);
        }
    }
    pieces
}

/// ICMP of the family of a source.
fn icmp(source: &Source, seen: &Observation) -> &'static str {
    let v6 = match source {
        Source::Ipv6(_) => true,
        Source::PrefixList(id) => {
            seen.lists.get(id).is_some_and(|list| list.address_family.eq_ignore_ascii_case("IPv6"))
        }
        Source::Ipv4(_) | Source::Group(_) => false,
    };
    if v6 { "icmpv6" } else { "icmp" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(
        protocol: &str,
        from: i32,
        to: i32,
        closed: &[(Transport, u16)],
        kept: &[Access],
    ) -> Vec<String> {
        let closed = closed.iter().map(|(transport, number)| Port { transport: *transport, number: *number });
        let all = access(protocol, from, to, "0.0.0.0/0");
        let seen = Observation::default();
        pieces(&all, &closed.collect(), kept, &seen).iter().map(ToString::to_string).collect()
    }

    fn access(protocol: &str, from: i32, to: i32, source: &str) -> Access {
        Access {
            protocol: protocol.into(),
            from: Some(from),
            to: Some(to),
            source: Source::Ipv4(source.into()),
        }
    }

    const SSH: (Transport, u16) = (Transport::Tcp, 22);

    #[test]
    fn r8_a_range_keeps_its_other_ports() {
        assert_eq!(
            split("tcp", 20, 80, &[SSH], &[]),
            ["tcp 20-21 from 0.0.0.0/0", "tcp 23-80 from 0.0.0.0/0"]
        );
        assert_eq!(split("tcp", 22, 100, &[SSH], &[]), ["tcp 23-100 from 0.0.0.0/0"]);
        assert_eq!(split("tcp", 1, 22, &[SSH], &[]), ["tcp 1-21 from 0.0.0.0/0"]);
        assert_eq!(split("tcp", 22, 22, &[SSH], &[]), [""; 0]);
        assert_eq!(
            split("tcp", 0, 65535, &[SSH, (Transport::Tcp, 65535)], &[]),
            ["tcp 0-21 from 0.0.0.0/0", "tcp 23-65534 from 0.0.0.0/0"]
        );
        assert_eq!(split("6", 21, 22, &[SSH], &[]), ["tcp 21 from 0.0.0.0/0"]);
    }

    #[test]
    fn r8_what_another_rule_allows_to_the_same_source_is_no_piece() {
        let kept = [access("tcp", 20, 21, "0.0.0.0/0"), access("tcp", 23, 80, "198.51.100.0/24")];
        assert_eq!(split("tcp", 20, 80, &[SSH], &kept), ["tcp 23-80 from 0.0.0.0/0"]);
    }

    #[test]
    fn r10_a_rule_for_all_protocols_becomes_tcp_udp_and_icmp() {
        let all = Access { protocol: "-1".into(), from: None, to: None, source: Source::Ipv6("::/0".into()) };
        let closed = [SSH, (Transport::Udp, 3389)].map(|(transport, number)| Port { transport, number });
        let texts: Vec<String> = pieces(&all, &closed.into(), [], &Observation::default())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            texts,
            [
                "tcp 0-21 from ::/0",
                "tcp 23-65535 from ::/0",
                "udp 0-3388 from ::/0",
                "udp 3390-65535 from ::/0",
                "icmpv6 from ::/0"
            ]
        );
    }
}
