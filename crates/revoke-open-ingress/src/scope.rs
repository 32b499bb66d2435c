//! Exemptions that are narrower than a group: one port, or one port and source.
//!
//! `tcp/22`, `tcp/8000-8100`, `tcp/22 203.0.113.0/24`, `udp/3389 pl-0123456789abcdef0`. With a block, rules whose source
//! lies inside of it are exempt; with a list, rules with that very list.

use std::ops::RangeInclusive;

use ipnet::IpNet;

use crate::address::block;
use crate::change::Change;
use crate::rule::{Port, Rule, Source, Transport};
use crate::settings::is_list;

/// What a scoped exemption covers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Scope {
    transport: Transport,
    ports: RangeInclusive<u16>,
    source: Option<Part>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    Inside(IpNet),
    List(String),
}

/// How a scope is written.
pub(crate) const FORM: &str = "expected tcp/22, tcp/8000-8100, tcp/22 203.0.113.0/24 or tcp/22 pl-…";

/// Reads one port, such as `tcp/22`.
pub(crate) fn port(text: &str) -> Option<Port> {
    let (transport, number) = text.split_once('/')?;
    Some(Port { transport: transport_of(transport)?, number: number.parse().ok()? })
}

fn transport_of(word: &str) -> Option<Transport> {
    [Transport::Tcp, Transport::Udp].into_iter().find(|transport| transport.word() == word)
}

/// The scopes without which a rule that somebody puts back would go again: its source, for each port that it opens. What was
/// added beside is not open to the world.
pub(crate) fn needed(change: &Change) -> Vec<String> {
    let Change::Revoke { rule, closes, .. } = change else { return Vec::new() };
    let source = match &rule.access.source {
        Source::Ipv4(text) | Source::Ipv6(text) | Source::PrefixList(text) => text.as_str(),
        Source::Group(_) => "",
    };
    closes.iter().map(|port| format!("{port} {source}").trim_end().to_owned()).collect()
}

impl Scope {
    /// Reads a scope.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (transport, ports) = words.next()?.split_once('/')?;
        let transport = transport_of(transport)?;
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
        let source = match words.next() {
            None => None,
            Some(id) if is_list(id) => Some(Part::List(id.to_owned())),
            Some(net) => Some(Part::Inside(block(net)?.trunc())),
        };
        (first <= last && words.next().is_none()).then_some(Self { transport, ports: first..=last, source })
    }

    /// Whether it covers what a rule allows to a port.
    pub(crate) fn covers(&self, rule: &Rule, port: Port) -> bool {
        let source = match (&self.source, &rule.access.source) {
            (None, _) => true,
            (Some(Part::List(list)), Source::PrefixList(id)) => list == id,
            (Some(Part::Inside(net)), Source::Ipv4(text) | Source::Ipv6(text)) => {
                block(text).is_some_and(|inner| net.contains(&inner.trunc()))
            }
            _ => false,
        };
        source && self.transport == port.transport && self.ports.contains(&port.number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::rule::Access;

    fn covers(scope: &str, source: Source, number: u16) -> bool {
        let access = Access { protocol: "tcp".into(), from: Some(22), to: Some(22), source };
        let rule = Rule { id: "sgr-1".into(), access, description: None, tags: BTreeMap::new() };
        Scope::parse(scope).unwrap().covers(&rule, Port { transport: Transport::Tcp, number })
    }

    #[test]
    fn r16_a_scope_is_as_narrow_as_one_port_and_source() {
        let v4 = |text: &str| Source::Ipv4(text.into());
        let list = || Source::PrefixList("pl-0123456789abcdef0".into());
        assert!(covers("tcp/22", v4("0.0.0.0/0"), 22) && covers("tcp/22", list(), 22));
        assert!(covers("tcp/20-30", v4("0.0.0.0/0"), 22));
        assert!(!covers("udp/22", v4("0.0.0.0/0"), 22) && !covers("tcp/3389", v4("0.0.0.0/0"), 22));
        assert!(covers("tcp/22 0.0.0.0/0", v4("203.0.113.254/0"), 22));
        assert!(
            covers("tcp/22 17.0.0.0/8", v4("17.0.0.0/8"), 22)
                && covers("tcp/22 17.0.0.0/8", v4("17.1.0.0/16"), 22)
        );
        assert!(
            !covers("tcp/22 17.0.0.0/8", v4("0.0.0.0/0"), 22) && !covers("tcp/22 ::/0", v4("0.0.0.0/0"), 22)
        );
        assert!(covers("tcp/22 pl-0123456789abcdef0", list(), 22));
        assert!(
            !covers("tcp/22 pl-0123456789abcdef1", list(), 22) && !covers("tcp/22 0.0.0.0/0", list(), 22)
        );
    }

    #[test]
    fn r16_what_is_no_scope_is_none() {
        for text in [
            "",
            "22",
            "tcp",
            "tcp/",
            "tcp/x",
            "tcp/30-20",
            "icmp/8",
            "tcp/22 office",
            "tcp/22 10.0.0.0/8 more",
        ] {
            assert_eq!(Scope::parse(text), None, "{text}");
        }
    }
}
