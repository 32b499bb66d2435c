//! Groups that look like harm and are none. A few thousand are made up in each run; `PROPTEST_CASES` asks for more.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::property::decided;
use super::*;
use crate::observation::PrefixList;
use crate::rule::{Access, Source};
use crate::settings::WideRules;

const OFFICES: &str = "pl-0123456789abcdef0";

/// A source that is nobody's world: inside, a peer, a few public addresses.
fn known() -> impl Strategy<Value = Source> {
    let inside = prop_oneof![
        (any::<u8>(), any::<u8>(), 9_u8..=32).prop_map(|(a, b, bits)| format!("10.{a}.{b}.0/{bits}")),
        (16_u8..32, any::<u8>(), 13_u8..=32).prop_map(|(a, b, bits)| format!("172.{a}.{b}.0/{bits}")),
        (any::<u8>(), 17_u8..=32).prop_map(|(a, bits)| format!("192.168.{a}.0/{bits}")),
        (64_u8..128, any::<u8>()).prop_map(|(a, b)| format!("100.{a}.{b}.0/24")),
        Just("10.0.0.0/8".to_owned()),
        Just("169.254.0.0/16".to_owned()),
    ];
    let public = (11_u8..100, any::<u8>(), any::<u8>(), 20_u8..=32)
        .prop_map(|(a, b, c, bits)| format!("{a}.{b}.{c}.0/{bits}"));
    let inside6 = (any::<u16>(), 16_u8..=128).prop_map(|(a, bits)| format!("fd00:{a:x}::/{bits}"));
    let public6 = (any::<u16>(), 40_u8..=128).prop_map(|(a, bits)| format!("2001:db8:{a:x}::/{bits}"));
    prop_oneof![
        4 => inside.prop_map(Source::Ipv4),
        3 => public.prop_map(Source::Ipv4),
        2 => prop_oneof![inside6, public6].prop_map(Source::Ipv6),
        1 => Just(Source::PrefixList(OFFICES.to_owned())),
        2 => (0_u64..9).prop_map(|n| Source::Group(format!("sg-{n:017x}"))),
    ]
}

fn world() -> impl Strategy<Value = Source> {
    prop_oneof![Just(Source::Ipv4("0.0.0.0/0".to_owned())), Just(Source::Ipv6("::/0".to_owned()))]
}

/// A range of ports of a protocol without any that is guarded, many of them just beside one.
fn harmless() -> impl Strategy<Value = (&'static str, i32, i32)> {
    let within = |protocol, first: i32, last: i32| {
        (prop_oneof![Just(first), first..=last], prop_oneof![Just(last), first..=last])
            .prop_map(move |(a, b)| (protocol, a.min(b), a.max(b)))
    };
    prop_oneof![
        3 => prop::sample::select(vec![21, 23, 80, 443, 2222, 3388, 3390, 8022, 8443, 33890, 65535]).prop_map(|p| ("tcp", p, p)),
        1 => within("tcp", 0, 21),
        1 => within("tcp", 23, 3388),
        1 => within("tcp", 3390, 65535),
        1 => within("udp", 0, 3388),
        1 => within("udp", 3390, 65535),
        1 => Just(("udp", 22, 22)),
        1 => Just(("icmp", -1, -1)),
        1 => Just(("47", 22, 22)),
    ]
}

fn innocent() -> impl Strategy<Value = Access> {
    let access = |source, (protocol, from, to): (&str, i32, i32)| Access {
        protocol: protocol.to_owned(),
        from: Some(from),
        to: Some(to),
        source,
    };
    // Guarded ports, alone, in a range, or with everything else: for those whom one knows.
    let guarded = prop::sample::select(vec![
        ("tcp", 22, 22),
        ("tcp", 3389, 3389),
        ("tcp", 20, 25),
        ("tcp", 0, 65535),
        ("udp", 3389, 3389),
        ("-1", -1, -1),
    ]);
    prop_oneof![
        3 => (known(), guarded).prop_map(move |(source, ports)| access(source, ports)),
        4 => (world(), harmless()).prop_map(move |(source, ports)| access(source, ports)),
        1 => (known(), harmless()).prop_map(move |(source, ports)| access(source, ports)),
    ]
}

fn group() -> impl Strategy<Value = Observation> {
    prop::collection::btree_set(innocent(), 0..30).prop_map(|all| {
        let rule =
            |(n, access)| Rule { id: format!("sgr-{n}"), access, description: None, tags: BTreeMap::new() };
        let offices = PrefixList {
            name: "offices".to_owned(),
            address_family: "IPv4".to_owned(),
            blocks: Some(["198.51.100.0/24", "203.0.113.0/24", "10.0.0.0/8"].map(str::to_owned).to_vec()),
            ..PrefixList::default()
        };
        let lists = [(OFFICES.to_owned(), offices)].into();
        Observation {
            rules: all.into_iter().enumerate().map(rule).collect(),
            lists,
            ..Observation::default()
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(2_000), ..ProptestConfig::default() })]

    #[test]
    fn innocent_groups_are_left_alone(seen in group(), remove in any::<bool>()) {
        let wide_rules = if remove { WideRules::Remove } else { WideRules::Split };
        let settings = Settings { wide_rules, ..Settings::default() };
        let verdict = decided(&seen, &settings, &Standing::default());
        prop_assert_eq!(verdict.ruling, Ruling::Safe, "{}", verdict.why);
    }
}
