//! Inbound rules of a security group, and what one of them allows.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// One inbound rule, one source: what AWS calls a security group rule.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Rule {
    /// Its id, `sgr-…`.
    pub id: String,
    /// What it allows.
    pub access: Access,
    /// Its description.
    pub description: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A rule that is to be: it has no id yet.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Draft {
    /// What it allows.
    pub access: Access,
    /// Its description.
    pub description: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What a rule allows: traffic of a protocol to some ports from one source.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Access {
    /// The protocol as AWS writes it: `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all.
    pub protocol: String,
    /// First port, or ICMP type; none for `-1`.
    pub from: Option<i32>,
    /// Last port, or ICMP code; none for `-1`.
    pub to: Option<i32>,
    /// Where the traffic may come from.
    pub source: Source,
}

/// Where traffic may come from.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An IPv4 block.
    Ipv4(String),
    /// An IPv6 block.
    Ipv6(String),
    /// A prefix list.
    PrefixList(String),
    /// The members of a security group.
    Group(String),
}

/// A protocol that has ports.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Transport {
    Tcp,
    Udp,
}

/// One port of one protocol.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Port {
    pub(crate) transport: Transport,
    pub(crate) number: u16,
}

/// The protocol of a rule, as far as ports are concerned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Protocol {
    /// `-1`: every protocol, every port.
    All,
    /// One with ports.
    Ports(Transport),
    /// One without: ICMP's numbers are a type and a code, GRE has none.
    Portless,
}

impl Access {
    /// The protocol. AWS takes names and numbers; what it stored long ago may be either.
    pub(crate) fn protocol(&self) -> Protocol {
        match self.protocol.to_ascii_lowercase().as_str() {
            "-1" | "all" => Protocol::All,
            "6" | "tcp" => Protocol::Ports(Transport::Tcp),
            "17" | "udp" => Protocol::Ports(Transport::Udp),
            _ => Protocol::Portless,
        }
    }

    /// The ports of one protocol that are allowed; none if there are none.
    pub(crate) fn ports(&self, transport: Transport) -> Option<RangeInclusive<u16>> {
        match self.protocol() {
            Protocol::All => Some(0..=u16::MAX),
            Protocol::Ports(own) if own == transport => {
                // Without a number, or with -1, there is no limit.
                let from = self.from.and_then(|n| u16::try_from(n).ok()).unwrap_or(0);
                let to = match self.to {
                    Some(n) if n >= 0 => u16::try_from(n).unwrap_or(u16::MAX),
                    _ => u16::MAX,
                };
                (from <= to).then_some(from..=to)
            }
            _ => None,
        }
    }

    /// Whether a port is among those allowed.
    pub(crate) fn reaches(&self, port: Port) -> bool {
        self.ports(port.transport).is_some_and(|ports| ports.contains(&port.number))
    }
}

impl Transport {
    /// As AWS writes it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl Source {
    /// The block, the list's id or the group's id.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Ipv4(text) | Self::Ipv6(text) | Self::PrefixList(text) | Self::Group(text) => text,
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.transport.word(), self.number)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source.text();
        match (self.protocol(), self.from, self.to) {
            (Protocol::All, ..) => write!(f, "everything from {source}"),
            // Every ICMP type.
            (_, Some(-1), _) => write!(f, "{} from {source}", self.protocol),
            (_, Some(from), Some(to)) if from == to => {
                write!(f, "{} {from} from {source}", self.protocol)
            }
            (_, Some(from), Some(to)) => write!(f, "{} {from}-{to} from {source}", self.protocol),
            _ => write!(f, "{} from {source}", self.protocol),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(protocol: &str, from: Option<i32>, to: Option<i32>) -> Access {
        Access { protocol: protocol.into(), from, to, source: Source::Ipv4("0.0.0.0/0".into()) }
    }

    fn tcp(number: u16) -> Port {
        Port { transport: Transport::Tcp, number }
    }

    #[test]
    fn r1_protocols_have_names_and_numbers_and_icmp_has_no_ports() {
        for (protocol, tcp22, udp22) in [
            ("tcp", true, false),
            ("TCP", true, false),
            ("6", true, false),
            ("udp", false, true),
            ("17", false, true),
            ("-1", true, true),
            ("all", true, true),
            ("icmp", false, false),
            ("1", false, false),
            ("icmpv6", false, false),
            ("58", false, false),
            ("47", false, false),
            ("50", false, false),
        ] {
            let allowed = access(protocol, Some(22), Some(22));
            assert_eq!(allowed.reaches(tcp(22)), tcp22, "{protocol}");
            assert_eq!(allowed.reaches(Port { transport: Transport::Udp, number: 22 }), udp22, "{protocol}");
        }
        // ICMP type 3 (unreachable), code 3389 does not exist; type 22 is no port either.
        assert!(!access("icmp", Some(22), Some(22)).reaches(tcp(22)));
    }

    #[test]
    fn r2_every_range_that_covers_the_port_is_seen() {
        for (from, to, covers) in [
            (Some(22), Some(22), true),
            (Some(20), Some(30), true),
            (Some(22), Some(100), true),
            (Some(1), Some(22), true),
            (Some(0), Some(65535), true),
            (Some(0), Some(22), true),
            (None, None, true),
            (Some(-1), Some(-1), true),
            (Some(0), Some(70000), true),
            (Some(23), Some(80), false),
            (Some(0), Some(21), false),
            (Some(30), Some(20), false),
        ] {
            assert_eq!(access("tcp", from, to).reaches(tcp(22)), covers, "{from:?}-{to:?}");
        }
        assert!(
            access("-1", None, None).reaches(tcp(22)) && access("-1", Some(-1), Some(-1)).reaches(tcp(22))
        );
    }

    #[test]
    fn people_read_what_a_rule_allows() {
        assert_eq!(access("tcp", Some(22), Some(22)).to_string(), "tcp 22 from 0.0.0.0/0");
        assert_eq!(access("udp", Some(20), Some(80)).to_string(), "udp 20-80 from 0.0.0.0/0");
        assert_eq!(access("-1", None, None).to_string(), "everything from 0.0.0.0/0");
        assert_eq!(access("47", None, None).to_string(), "47 from 0.0.0.0/0");
    }
}
