//! R20: whatever the group, afterwards no guarded port is open to the world, what was allowed otherwise is allowed still,
//! and nothing new is. Checked against a model of a security group that shares no code with the decision.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use tourniquet::actor::Actor;
use tourniquet::{Cause, Lead, Place, Ruling, Standing, Verdict};

use crate::change::Change;
use crate::decide::decide;
use crate::decide::tests::{begun, carried_out};
use crate::event::Detail;
use crate::observation::{Observation, PrefixList};
use crate::rule::{Access, Rule, Source};
use crate::settings::Settings;

const PORTS: [u16; 12] = [0, 20, 21, 22, 23, 80, 443, 3388, 3389, 3390, 8080, 65535];
const PROTOCOLS: [&str; 4] = ["tcp", "udp", "icmp", "icmpv6"];
const GUARDED: [(&str, u16); 3] = [("tcp", 22), ("tcp", 3389), ("udp", 3389)];
const LISTS: [(&str, &str, &[&str]); 4] = [
    ("pl-0000000a", "IPv4", &["0.0.0.0/0"]),
    ("pl-0000000b", "IPv4", &["0.0.0.0/2", "198.51.100.0/24"]),
    ("pl-0000000c", "IPv4", &["198.51.100.0/24"]),
    ("pl-0000000d", "IPv6", &["2600::/12", "2a00::/12"]),
];
/// Who is allowed instead of the world.
const REPLACEMENTS: [&str; 2] = ["198.51.100.0/24", "2600:1::/48"];
/// How far the model's measure of the world may be from the real one: it counts whole /8 and /12.
const BLUR: f64 = 0.02;

/// The model: does a block hold an address? By hand, bit by bit.
fn holds(block: &str, address: IpAddr) -> bool {
    let (base, length) = block.split_once('/').unwrap();
    let length: u32 = length.parse().unwrap();
    let (base, address, bits) = match (base.parse().unwrap(), address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            (u128::from(base.to_bits()), u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => (base.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    (0..length).all(|bit| (base >> (bits - 1 - bit)) & 1 == (address >> (bits - 1 - bit)) & 1)
}

fn comes_from(source: &Source, address: IpAddr) -> bool {
    match source {
        Source::Ipv4(block) | Source::Ipv6(block) => holds(block, address),
        Source::PrefixList(id) => LISTS
            .iter()
            .any(|(list, _, blocks)| list == id && blocks.iter().any(|block| holds(block, address))),
        Source::Group(_) => false,
    }
}

fn reaches(access: &Access, protocol: &str, port: u16) -> bool {
    let same = access.protocol == protocol;
    let within = (access.from.unwrap_or(0)..=access.to.unwrap_or(65535)).contains(&i32::from(port));
    access.protocol == "-1" || (same && (protocol.starts_with("icmp") || within))
}

fn allows(rules: &[Rule], protocol: &str, port: u16, address: IpAddr) -> bool {
    rules.iter().any(|rule| reaches(&rule.access, protocol, port) && comes_from(&rule.access.source, address))
}

/// One address of each public block that the model counts.
fn public() -> [Vec<IpAddr>; 2] {
    let v4 = (1..=223_u8).filter(|n| ![10, 127].contains(n)).map(|n| Ipv4Addr::new(n, 200, 1, 1).into());
    let v6 = [0x2400, 0x2410, 0x2600, 0x2630, 0x2800, 0x2a00, 0x2a10, 0x2c00_u16];
    [v4.collect(), v6.map(|n| Ipv6Addr::new(n + 1, 1, 1, 1, 1, 1, 1, 1).into()).to_vec()]
}

/// The largest share of the public addresses that a guarded port is open to.
fn open(rules: &[Rule]) -> f64 {
    let share = |(protocol, port): (&str, u16), all: &Vec<IpAddr>| {
        let count = |n: usize| f64::from(u32::try_from(n).unwrap());
        count(all.iter().filter(|address| allows(rules, protocol, port, **address)).count())
            / count(all.len())
    };
    let all = GUARDED.into_iter().flat_map(|port| public().map(|all| share(port, &all)));
    all.fold(0.0, f64::max)
}

/// Addresses at which what is allowed before and after is compared.
fn addresses() -> Vec<IpAddr> {
    let texts = [
        "1.2.3.4",
        "9.9.9.9",
        "10.1.2.3",
        "17.5.5.5",
        "64.1.1.1",
        "100.64.1.1",
        "128.5.5.5",
        "172.16.0.9",
        "192.168.1.1",
        "198.51.100.7",
        "203.0.113.9",
        "223.1.1.1",
        "2001:db8::7",
        "2600:1::1",
        "2a05::1",
        "2c01::1",
        "fd00::1",
    ];
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn source() -> impl Strategy<Value = Source> {
    let v4 = proptest::sample::select(vec![
        "0.0.0.0/0",
        "203.0.113.254/0",
        "0.0.0.0/1",
        "128.0.0.0/1",
        "0.0.0.0/2",
        "64.0.0.0/2",
        "128.0.0.0/2",
        "192.0.0.0/2",
        "0.0.0.0/3",
        "32.0.0.0/3",
        "96.0.0.0/3",
        "160.0.0.0/3",
        "16.0.0.0/4",
        "17.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "198.51.100.0/24",
        "203.0.113.9/32",
    ]);
    let v6 = proptest::sample::select(vec![
        "::/0",
        "8000::/1",
        "2000::/3",
        "2400::/12",
        "2600::/12",
        "2a00::/12",
        "2c00::/12",
        "fd00::/8",
        "2001:db8::/32",
    ]);
    prop_oneof![
        6 => v4.prop_map(|text| Source::Ipv4(text.to_owned())),
        3 => v6.prop_map(|text| Source::Ipv6(text.to_owned())),
        1 => (0..LISTS.len()).prop_map(|n| Source::PrefixList(LISTS[n].0.to_owned())),
        1 => Just(Source::Group("sg-0a1b2c3d".to_owned())),
    ]
}

fn access() -> impl Strategy<Value = Access> {
    let port = proptest::sample::select(PORTS.to_vec());
    let kind = prop_oneof![6 => Just("tcp"), 3 => Just("udp"), 1 => Just("-1"), 1 => Just("icmp")];
    (kind, port.clone(), port, source()).prop_map(|(protocol, a, b, source)| {
        let (from, to) = match protocol {
            "-1" => (None, None),
            "icmp" => (Some(-1), Some(-1)),
            _ => (Some(a.min(b).into()), Some(a.max(b).into())),
        };
        // ICMP has another name in IPv6, and AWS does not mix them.
        let v6 = matches!(&source, Source::Ipv6(_)) || source.text() == "pl-0000000d";
        let protocol = if protocol == "icmp" && v6 { "icmpv6" } else { protocol };
        Access { protocol: protocol.to_owned(), from, to, source }
    })
}

fn group() -> impl Strategy<Value = Observation> {
    proptest::collection::btree_set(access(), 0..9).prop_map(|all| {
        let rule =
            |(n, access)| Rule { id: format!("sgr-{n}"), access, description: None, tags: BTreeMap::new() };
        let list = |(id, family, blocks): (&str, &str, &[&str])| {
            let blocks = Some(blocks.iter().map(|text| (*text).to_owned()).collect());
            (id.to_owned(), PrefixList { address_family: family.to_owned(), blocks, ..PrefixList::default() })
        };
        let rules = all.into_iter().enumerate().map(rule).collect();
        Observation { rules, lists: LISTS.into_iter().map(list).collect(), ..Observation::default() }
    })
}

pub(super) fn decided(seen: &Observation, settings: &Settings, standing: &Standing) -> Verdict<Change> {
    let lead = Lead {
        place: Place::new("111122223333", "eu-central-1"),
        subject: "sg-0a1b2c3d".into(),
        cause: Cause::sweep(),
        actor: Actor::default(),
        detail: Detail::Group,
    };
    decide(&lead, seen, settings, standing)
}

fn is_guarded(protocol: &str, port: u16) -> bool {
    GUARDED.contains(&(protocol, port))
}

/// Whether a source alone is no part of any world: it has no public addresses, or few.
fn is_narrow(source: &Source) -> bool {
    let few = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "198.51.100.0/24",
        "203.0.113.9/32",
        "fd00::/8",
        "2001:db8::/32",
        "8000::/1",
    ];
    few.contains(&source.text()) || matches!(source, Source::Group(_)) || source.text() == "pl-0000000c"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn r20_the_world_goes_and_everything_else_stays(seen in group(), failing in any::<u16>(), replacing in any::<bool>()) {
        let replace_with = if replacing { REPLACEMENTS.map(str::to_owned).to_vec() } else { Vec::new() };
        let settings = Settings { replace_with, ..Settings::default() };
        let verdict = decided(&seen, &settings, &Standing::default());
        let share = open(&seen.rules);
        let acts = matches!(verdict.ruling, Ruling::Act(_));
        prop_assert!(acts || share < Settings::default().world_share + BLUR, "open to {share}: {verdict:?}");
        prop_assert!(!acts || share > Settings::default().world_share - BLUR, "open to {share}: {verdict:?}");

        let after = carried_out(&seen, &verdict, |_| false);
        prop_assert!(open(&after.rules) < Settings::default().world_share + BLUR);
        compare(&seen.rules, &after.rules, replacing)?;
        if acts {
            // The same decision proves it.
            prop_assert_eq!(decided(&after, &settings, &begun(&verdict)).ruling, Ruling::Safe);
        }

        // Some calls fail, whichever: a second attempt ends where the first would have.
        let nth = std::cell::Cell::new(0_u32);
        let half = carried_out(&seen, &verdict, |_| {
            nth.set(nth.get() + 1);
            failing >> (nth.get() % 16) & 1 == 1
        });
        let again = decided(&half, &settings, &begun(&verdict));
        let whole = carried_out(&half, &again, |_| false);
        for protocol in PROTOCOLS {
            for port in PORTS {
                for address in addresses() {
                    let ends = [&whole, &after].map(|end| allows(&end.rules, protocol, port, address));
                    prop_assert_eq!(ends[0], ends[1], "{} {} from {}", protocol, port, address);
                }
            }
        }
    }
}

fn compare(before: &[Rule], after: &[Rule], replacing: bool) -> Result<(), TestCaseError> {
    for protocol in PROTOCOLS {
        for port in PORTS {
            for address in addresses() {
                // AWS has ICMP once for each family.
                if (protocol == "icmp" && address.is_ipv6()) || (protocol == "icmpv6" && address.is_ipv4()) {
                    continue;
                }
                let (was, is) =
                    (allows(before, protocol, port, address), allows(after, protocol, port, address));
                let replaces = replacing
                    && is_guarded(protocol, port)
                    && REPLACEMENTS.iter().any(|block| holds(block, address));
                prop_assert!(was || !is || replaces, "{protocol} {port} is new for {address}");
                prop_assert!(
                    is_guarded(protocol, port) || !was || is,
                    "{protocol} {port} is lost for {address}"
                );
            }
            // Sources that are no part of a world keep even the guarded ports.
            for rule in before.iter().filter(|rule| is_narrow(&rule.access.source)) {
                let kept = |other: &Rule| {
                    other.access.source == rule.access.source && reaches(&other.access, protocol, port)
                };
                let lost = reaches(&rule.access, protocol, port) && !after.iter().any(kept);
                prop_assert!(!lost, "{protocol} {port} is lost for {}", rule.access.source.text());
            }
        }
    }
    Ok(())
}
