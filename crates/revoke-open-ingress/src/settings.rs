//! The settings of `revoke-open-ingress`.

use std::collections::BTreeSet;

use ipnet::IpNet;
use serde::Deserialize;

use crate::address::{Set, block, family, range, union};
use crate::rule::{Access, Port, Protocol, Source, Transport};

/// What becomes of a rule for all protocols (`-1`) from the world.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum WideRules {
    /// It becomes TCP and UDP without the guarded ports, and ICMP.
    #[default]
    Split,
    /// It goes whole.
    Remove,
}

/// What is done where changing something is a question of taste.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// People are told, nothing is changed.
    Report,
    /// It is answered like the world.
    Revoke,
}

/// What becomes of a rule that cannot be split because the group has no room for the pieces.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum NoRoom {
    /// It goes whole.
    #[default]
    Remove,
    /// People are told, nothing is changed.
    Report,
}

/// The settings of `revoke-open-ingress`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// TCP ports that must not be open to the world.
    pub guarded_tcp: BTreeSet<u16>,
    /// UDP ports that must not be open to the world.
    pub guarded_udp: BTreeSet<u16>,
    /// Which share of the public addresses is the world, above 0 and up to 1.
    pub world_share: f64,
    /// What is done about a single source that is large and not the world.
    pub large_blocks: Answer,
    /// Whether the function may add rules: the harmless pieces of a rule of which only a part goes, and `replace_with`.
    /// Without it, its role has no permission that opens anything, and such a rule goes whole.
    pub add_rules: bool,
    /// What becomes of rules for all protocols.
    pub wide_rules: WideRules,
    /// Sources that are allowed to a closed port instead of the world: blocks or ids of prefix lists.
    pub replace_with: Vec<String>,
    /// The quota of inbound rules of a group, for each address family.
    pub rules_per_group: u32,
    /// What becomes of a rule whose pieces do not fit into the quota.
    pub no_room: NoRoom,
    /// What is done about groups that another service manages, which puts its rules back.
    pub managed_groups: Answer,
    /// The regions that sweeps look at; empty means every region that is enabled in the account.
    pub regions: Vec<String>,
}

/// Either half of the IPv4 address space is more than this, 57 and 43 percent of the public addresses; so are most
/// quarters. A /3, 15 percent, is not. Nobody who lists networks that he knows comes near it.
const WORLD_SHARE: f64 = 0.25;

/// AWS's default; can be raised until this times the groups of an interface is 1000.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups>
const RULES_PER_GROUP: u32 = 60;
/// The most that the quota can be raised to.
pub(crate) const MOST_RULES: u32 = 1000;

impl Default for Settings {
    fn default() -> Self {
        Self {
            guarded_tcp: [22, 3389].into(),
            guarded_udp: [3389].into(),
            world_share: WORLD_SHARE,
            large_blocks: Answer::Report,
            add_rules: true,
            wide_rules: WideRules::Split,
            replace_with: Vec::new(),
            rules_per_group: RULES_PER_GROUP,
            no_room: NoRoom::Remove,
            managed_groups: Answer::Report,
            regions: Vec::new(),
        }
    }
}

impl Settings {
    /// Whether what stays of a rule is added before it goes; else all of it goes.
    pub(crate) fn splits(&self, access: &Access) -> bool {
        self.add_rules && (self.wide_rules == WideRules::Split || access.protocol() != Protocol::All)
    }

    /// Whether nothing is left for a port of a rule that goes for some.
    pub(crate) fn leaves_nothing(&self, access: &Access, going: &BTreeSet<Port>, port: Port) -> bool {
        going.contains(&port) || !self.splits(access)
    }

    /// The ports that must not be open to the world.
    pub(crate) fn guarded(&self) -> impl Iterator<Item = Port> + '_ {
        let ports = |transport, numbers: &'_ BTreeSet<u16>| {
            numbers.iter().map(move |number| Port { transport, number: *number }).collect::<Vec<_>>()
        };
        ports(Transport::Tcp, &self.guarded_tcp).into_iter().chain(ports(Transport::Udp, &self.guarded_udp))
    }

    /// The sources of `replace_with`.
    pub(crate) fn replacements(&self) -> impl Iterator<Item = Source> + '_ {
        self.replace_with.iter().filter_map(|text| {
            if is_list(text) {
                return Some(Source::PrefixList(text.clone()));
            }
            // AWS stores blocks without host bits.
            Some(match block(text)?.trunc() {
                net @ IpNet::V4(_) => Source::Ipv4(net.to_string()),
                net @ IpNet::V6(_) => Source::Ipv6(net.to_string()),
            })
        })
    }

    /// The prefix lists among `replace_with`.
    pub(crate) fn replacement_lists(&self) -> impl Iterator<Item = &String> {
        self.replace_with.iter().filter(|text| is_list(text))
    }
}

/// Whether a text is the id of a prefix list.
pub(crate) fn is_list(text: &str) -> bool {
    let digits = text.strip_prefix("pl-").unwrap_or_default();
    (8..=17).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

impl tourniquet::Settings for Settings {
    fn check(&self) -> Result<(), (&'static str, String)> {
        if self.guarded_tcp.is_empty() && self.guarded_udp.is_empty() {
            return Err(("guarded_tcp", "empty, as is guarded_udp: nothing would be guarded".to_owned()));
        }
        if !(self.world_share > 0.0 && self.world_share <= 1.0) {
            return Err(("world_share", "expected a share above 0 and up to 1".to_owned()));
        }
        if self.rules_per_group == 0 || self.rules_per_group > MOST_RULES {
            return Err(("rules_per_group", format!("expected 1 to {MOST_RULES}, AWS's own limit")));
        }
        if !self.replace_with.is_empty() && !self.add_rules {
            return Err(("replace_with", "needs `add_rules`".to_owned()));
        }
        let mut open = [Set::new(), Set::new()];
        for text in self.replace_with.iter().filter(|text| !is_list(text)) {
            let Some(net) = block(text) else {
                return Err((
                    "replace_with",
                    format!("{text:?} is neither a block nor the id of a prefix list"),
                ));
            };
            let [v4, v6] = &mut open;
            let all = if matches!(net, IpNet::V4(_)) { v4 } else { v6 };
            *all = union(all, &Set::from_iter([range(net)]));
            if family(&net).share(&(&*all & family(&net).public())) >= self.world_share {
                return Err(("replace_with", format!("with {text:?} it is the world itself")));
            }
        }
        if let Some(region) = self.regions.iter().find(|region| !tourniquet::place::is_region(region)) {
            return Err(("regions", format!("{region:?} is not the code of a region")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tourniquet::Config;

    use super::*;

    fn problem(settings: &str) -> String {
        let raw = format!(r#"{{"account":"111122223333","settings":{settings}}}"#);
        Config::<Settings>::parse(&raw).unwrap_err().to_string()
    }

    #[test]
    fn g22_impossible_settings_name_their_key() {
        for (settings, expected) in [
            (r#"{"guarded":[22]}"#, "unknown field `guarded`"),
            (r#"{"guarded_tcp":[],"guarded_udp":[]}"#, "settings.guarded_tcp: empty"),
            (r#"{"guarded_tcp":[70000]}"#, "settings.guarded_tcp[0]: invalid value"),
            (r#"{"guarded_tcp":["22"]}"#, "settings.guarded_tcp[0]: invalid type"),
            (r#"{"world_share":0}"#, "settings.world_share: expected"),
            (r#"{"world_share":1.5}"#, "settings.world_share: expected"),
            (r#"{"large_blocks":"remove"}"#, "settings.large_blocks: unknown variant `remove`"),
            (r#"{"wide_rules":"keep"}"#, "settings.wide_rules: unknown variant `keep`"),
            (r#"{"no_room":true}"#, "settings.no_room"),
            (r#"{"rules_per_group":1001}"#, "settings.rules_per_group: expected 1 to 1000"),
            (r#"{"replace_with":["office"]}"#, "settings.replace_with: \"office\""),
            (
                r#"{"replace_with":["1.2.3.4/0"]}"#,
                "settings.replace_with: with \"1.2.3.4/0\" it is the world",
            ),
            (r#"{"replace_with":["0.0.0.0/2","64.0.0.0/2"]}"#, "it is the world itself"),
            (
                r#"{"replace_with":["192.0.2.0/24"],"add_rules":false}"#,
                "settings.replace_with: needs `add_rules`",
            ),
            (r#"{"regions":["evil.example.com/x"]}"#, "settings.regions: \"evil.example.com/x\""),
        ] {
            assert!(problem(settings).contains(expected), "{settings}: {}", problem(settings));
        }
    }

    #[test]
    fn replacements_are_written_as_aws_stores_them() {
        let own = Settings {
            replace_with: ["198.51.100.7/24", "2001:DB8::1/48", "pl-0123456789abcdef0"]
                .map(str::to_owned)
                .to_vec(),
            ..Settings::default()
        };
        assert_eq!(
            own.replacements().collect::<Vec<_>>(),
            [
                Source::Ipv4("198.51.100.0/24".into()),
                Source::Ipv6("2001:db8::/48".into()),
                Source::PrefixList("pl-0123456789abcdef0".into())
            ]
        );
        assert_eq!(own.replacement_lists().count(), 1);
    }
}
