//! Any group, as AWS could have it, and any settings.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use arbitrary::{Arbitrary, Result, Unstructured};
use tourniquet::Settings as _;

use crate::observation::{Observation, PrefixList};
use crate::rule::{Access, Rule, Source};
use crate::settings::{Answer, NoRoom, Settings, WideRules};

/// One input.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) seen: Observation,
    pub(crate) settings: Settings,
    /// Which calls fail.
    pub(crate) failing: u16,
}

const LISTS: [&str; 3] = ["pl-0000000a", "pl-0000000b", "pl-0000000c"];
const PORTS: [u16; 9] = [0, 20, 21, 22, 23, 3388, 3389, 3390, 65535];

fn port(u: &mut Unstructured<'_>) -> Result<u16> {
    if u.ratio(3, 4)? { Ok(*u.choose(&PORTS)?) } else { u.arbitrary() }
}

/// A block as AWS stores it, or with the bits of a host.
fn v4(u: &mut Unstructured<'_>) -> Result<String> {
    let length = if u.ratio(3, 4)? { u.int_in_range(0..=8)? } else { u.int_in_range(0..=32)? };
    let bits = u32::arbitrary(u)? & !u32::MAX.checked_shr(length).unwrap_or(0);
    let host = if u.ratio(1, 16)? { u.arbitrary()? } else { 0 };
    Ok(format!("{}/{length}", Ipv4Addr::from(bits | host)))
}

fn v6(u: &mut Unstructured<'_>) -> Result<String> {
    if u.ratio(1, 4)? {
        return Ok("::/0".to_owned());
    }
    let length = if u.ratio(3, 4)? { u.int_in_range(0..=16)? } else { u.int_in_range(0..=128)? };
    let starts =
        [0x2000, 0x2001, 0x2003, 0x2400, 0x2600, 0x2610, 0x2630, 0x2800, 0x2a00, 0x2a10, 0x2c00, 0xfd00];
    let first = if u.ratio(3, 4)? { *u.choose(&starts)? } else { u16::arbitrary(u)? };
    let rest = if length > 16 { u128::arbitrary(u)? >> 16 } else { 0 };
    let bits = (u128::from(first) << 112 | rest) & !u128::MAX.checked_shr(length).unwrap_or(0);
    Ok(format!("{}/{length}", Ipv6Addr::from(bits)))
}

fn access(u: &mut Unstructured<'_>) -> Result<Access> {
    let source = match u.int_in_range(0..=9)? {
        0 => Source::Ipv4("0.0.0.0/0".to_owned()),
        1..=5 => Source::Ipv4(v4(u)?),
        6 | 7 => Source::Ipv6(v6(u)?),
        8 => Source::PrefixList((*u.choose(&LISTS)?).to_owned()),
        _ => Source::Group("sg-0a1b2c3d".to_owned()),
    };
    let (protocol, ports) = match u.int_in_range(0..=9)? {
        0 => ("-1", false),
        // ICMP has another name in IPv6, and AWS does not mix them.
        1 => (if is_v6(&source) { "icmpv6" } else { "icmp" }, false),
        2 | 3 => ("udp", true),
        4 => ("6", true),
        _ => ("tcp", true),
    };
    let (one, other) = (i32::from(port(u)?), i32::from(port(u)?));
    let (from, to) = match protocol {
        "-1" => (None, None),
        _ if ports => (Some(one.min(other)), Some(one.max(other))),
        _ => (Some(-1), Some(-1)),
    };
    Ok(Access { protocol: protocol.to_owned(), from, to, source })
}

fn is_v6(source: &Source) -> bool {
    matches!(source, Source::Ipv6(_)) || source.text() == LISTS[2]
}

fn lists(u: &mut Unstructured<'_>) -> Result<BTreeMap<String, PrefixList>> {
    let mut lists = BTreeMap::new();
    for id in LISTS {
        let v6_only = id == LISTS[2];
        let count = u.int_in_range(0..=4)?;
        let blocks = (0..count).map(|_| if v6_only { v6(u) } else { v4(u) }).collect::<Result<Vec<_>>>()?;
        let address_family = if v6_only { "IPv6" } else { "IPv4" }.to_owned();
        // One may be another account's, whose entries AWS does not tell.
        let blocks = if u.ratio(1, 16)? { None } else { Some(blocks) };
        lists.insert(id.to_owned(), PrefixList { address_family, blocks, ..PrefixList::default() });
    }
    Ok(lists)
}

fn settings(u: &mut Unstructured<'_>) -> Result<Settings> {
    // Room for every piece: what becomes of a rule without it is another question.
    let mut settings = Settings { rules_per_group: 1000, no_room: NoRoom::Remove, ..Settings::default() };
    if u.ratio(1, 2)? {
        settings.world_share = *u.choose(&[0.25, 0.01, 0.1, 0.5, 0.9, 1.0])?;
        settings.large_blocks = if u.arbitrary()? { Answer::Revoke } else { Answer::Report };
        settings.add_rules = u.ratio(3, 4)?;
        settings.wide_rules = if u.arbitrary()? { WideRules::Split } else { WideRules::Remove };
        if u.arbitrary()? {
            settings.guarded_tcp = [port(u)?, port(u)?].into();
            settings.guarded_udp = (0..u.int_in_range(0..=2)?).map(|_| port(u)).collect::<Result<_>>()?;
        }
    }
    if settings.add_rules && u.arbitrary()? {
        settings.replace_with = vec!["198.51.100.0/24".to_owned(), v4(u)?, v6(u)?];
        settings.replace_with.truncate(u.int_in_range(1..=3)?);
    }
    Ok(if settings.check().is_ok() {
        settings
    } else {
        Settings { rules_per_group: 1000, ..Settings::default() }
    })
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut rules: Vec<Rule> = Vec::new();
        for n in 0..u.int_in_range(0..=7)? {
            let access = access(u)?;
            // AWS refuses the same rule twice.
            if rules.iter().all(|rule| rule.access != access) {
                rules.push(Rule { id: format!("sgr-{n}"), access, description: None, tags: BTreeMap::new() });
            }
        }
        let seen = Observation { rules, lists: lists(u)?, ..Observation::default() };
        Ok(Self { seen, settings: settings(u)?, failing: u.arbitrary()? })
    }
}
