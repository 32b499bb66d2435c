use super::*;
use crate::observation::PrefixList;
use crate::rule::{Access, Source};

fn rule(id: &str, ports: (i32, i32), source: Source) -> Rule {
    let access = Access { protocol: "tcp".into(), from: Some(ports.0), to: Some(ports.1), source };
    Rule { id: id.into(), access, description: None, tags: BTreeMap::new() }
}

/// Rules for port 22 from these sources, numbered from 1.
fn ssh_from(sources: &[&str]) -> Vec<Rule> {
    let source = |text: &str| match text {
        list if list.starts_with("pl-") => Source::PrefixList(list.into()),
        group if group.starts_with("sg-") => Source::Group(group.into()),
        v6 if v6.contains(':') => Source::Ipv6(v6.into()),
        v4 => Source::Ipv4(v4.into()),
    };
    sources.iter().enumerate().map(|(n, text)| rule(&(n + 1).to_string(), (22, 22), source(text))).collect()
}

fn list(blocks: &[&str]) -> PrefixList {
    let blocks = blocks.iter().map(|text| (*text).to_owned()).collect();
    PrefixList { owner: "444455556666".into(), blocks: Some(blocks), ..PrefixList::default() }
}

fn seen() -> Observation {
    let lists = [
        ("pl-world", list(&["198.51.100.0/24", "0.0.0.0/0"])),
        ("pl-halves", list(&["0.0.0.0/1", "128.0.0.0/1"])),
        ("pl-v6", list(&["::/0"])),
        ("pl-overlapping", list(&["::/1", "fc00::/6", "::/0"])),
        ("pl-offices", list(&["198.51.100.0/24", "203.0.113.0/24", "17.1.2.0/24"])),
        (
            "pl-hidden",
            PrefixList {
                problem: "ec2:GetManagedPrefixListEntries: UnauthorizedOperation".into(),
                ..PrefixList::default()
            },
        ),
    ];
    let lists = lists.into_iter().map(|(id, list)| (id.to_owned(), list)).collect();
    Observation { lists, ..Observation::default() }
}

fn closed(sources: &[&str], settings: &Settings) -> Vec<String> {
    let rules = ssh_from(sources);
    let gone = judge(&rules, &seen(), settings, |_, _| false).closed;
    rules.iter().filter(|r| gone.contains_key(&r.id)).map(|r| r.access.source.text().to_owned()).collect()
}

fn gone(sources: &[&str]) -> Vec<String> {
    closed(sources, &Settings::default())
}

const NONE: [&str; 0] = [];

#[test]
fn r3_the_world_in_any_spelling_goes_and_what_is_beside_it_stays() {
    assert_eq!(gone(&["0.0.0.0/0", "10.0.0.0/8", "198.51.100.0/24", "::/0"]), ["0.0.0.0/0", "::/0"]);
    assert_eq!(gone(&["203.0.113.254/0"]), ["203.0.113.254/0"]);
    assert_eq!(gone(&["0:0:0:0:0:0:0:0/0", "2001:0db8::/0"]), ["0:0:0:0:0:0:0:0/0", "2001:0db8::/0"]);
    assert_eq!(gone(&["0.0.0.0/16", "0.0.0.0/32", "0.0.0.0/8"]), NONE);
}

#[test]
fn r4_the_world_in_pieces_goes_whatever_the_pieces() {
    assert_eq!(gone(&["0.0.0.0/1", "128.0.0.0/1", "17.0.0.0/8"]), ["0.0.0.0/1", "128.0.0.0/1"]);
    assert_eq!(gone(&["128.0.0.0/1"]), ["128.0.0.0/1"]);
    let quarters = ["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"];
    assert_eq!(gone(&quarters), quarters);
    let sixteenths: Vec<String> = (0..14).map(|n| format!("{}.0.0.0/4", n * 16)).collect();
    let sixteenths: Vec<&str> = sixteenths.iter().map(String::as_str).collect();
    assert_eq!(gone(&sixteenths), sixteenths);
    assert_eq!(
        gone(&["2400::/12", "2600::/12", "2a00::/12", "2001:db8::/32"]),
        ["2400::/12", "2600::/12", "2a00::/12"]
    );
    // Nearly everything, with a hole.
    assert_eq!(gone(&["0.0.0.0/2", "64.0.0.0/3", "96.0.0.0/4", "128.0.0.0/1"]).len(), 4 - 2);
}

#[test]
fn r4_pieces_count_only_where_they_reach_the_same_port() {
    let mut halves = ssh_from(&["0.0.0.0/2", "64.0.0.0/3"]);
    halves[1].access.from = Some(23);
    halves[1].access.to = Some(23);
    let settings = Settings { world_share: 0.4, ..Settings::default() };
    assert!(judge(&halves, &seen(), &settings, |_, _| false).closed.is_empty());
    halves[1].access.from = Some(20);
    let whole = judge(&halves, &seen(), &settings, |_, _| false);
    assert_eq!(whole.closed.len(), 1, "{whole:?}");
    assert!(
        whole.findings[0].contains("tcp/22 is open to 42 % of the public IPv4 addresses (0.0.0.0/2)"),
        "{whole:?}"
    );
}

#[test]
fn r4_the_threshold_is_a_setting() {
    let strict = Settings { world_share: 0.9, ..Settings::default() };
    assert_eq!(closed(&["0.0.0.0/1"], &strict), NONE);
    assert_eq!(closed(&["0.0.0.0/1", "128.0.0.0/1"], &strict), ["0.0.0.0/1", "128.0.0.0/1"]);
    let all = Settings { world_share: 1.0, ..Settings::default() };
    assert_eq!(closed(&["0.0.0.0/0"], &all), ["0.0.0.0/0"]);
}

#[test]
fn r5_prefix_lists_count_with_their_entries_own_or_shared() {
    assert_eq!(gone(&["pl-world", "pl-offices"]), ["pl-world"]);
    assert_eq!(gone(&["pl-halves"]), ["pl-halves"]);
    assert_eq!(gone(&["pl-v6", "198.51.100.0/24"]), ["pl-v6"]);
    assert_eq!(gone(&["pl-offices"]), NONE);
    // Its blocks together are more addresses than there are.
    assert_eq!(gone(&["pl-overlapping"]), ["pl-overlapping"]);
}

#[test]
fn r5_a_list_that_cannot_be_read_is_named_and_hides_no_other_harm() {
    let rules = ssh_from(&["pl-hidden", "pl-gone", "0.0.0.0/0"]);
    let exposure = judge(&rules, &seen(), &Settings::default(), |_, _| false);
    let unread: Vec<&str> = exposure.unread.iter().map(|unread| unread.0.as_str()).collect();
    assert_eq!(
        unread,
        [
            "the prefix list pl-gone (not visible in this account)",
            "the prefix list pl-hidden (ec2:GetManagedPrefixListEntries: UnauthorizedOperation)"
        ]
    );
    assert_eq!(exposure.closed.keys().collect::<Vec<_>>(), ["3"]);
}

#[test]
fn r6_a_single_large_block_is_reported_and_goes_only_by_setting() {
    let rules = ssh_from(&["17.0.0.0/8", "10.0.0.0/8", "2600::/16"]);
    let report = judge(&rules, &seen(), &Settings::default(), |_, _| false);
    assert!(report.closed.is_empty());
    assert_eq!(
        report.large,
        [
            "tcp/22 is open to a large IPv4 block (17.0.0.0/8)",
            "tcp/22 is open to a large IPv6 block (2600::/16)"
        ]
    );
    let revoke = Settings { large_blocks: Answer::Revoke, ..Settings::default() };
    assert_eq!(closed(&["17.0.0.0/8", "10.0.0.0/8", "17.0.0.0/9"], &revoke), ["17.0.0.0/8"]);
}

#[test]
fn r14_groups_and_private_sources_are_nobodys_world() {
    let private =
        ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "sg-1", "224.0.0.0/3"];
    let beside: Vec<&str> = private.iter().copied().chain(["0.0.0.0/0", "::/0"]).collect();
    assert_eq!(gone(&private), NONE);
    assert_eq!(gone(&beside), ["0.0.0.0/0", "::/0"]);
}

#[test]
fn r21_a_sweep_asks_for_every_prefix_that_a_part_of_the_world_can_have() {
    assert_eq!(longest_prefix(Family::V4, 1.0, 1), 8);
    for family in FAMILIES {
        for world_share in [0.05, 0.25, 0.5, 1.0] {
            let longest = longest_prefix(family, world_share, 1000);
            let narrower = family.bits() - longest - 1;
            // A thousand sources that the sweep does not ask for are not the world together.
            let together = 1000.0 * 2_f64.powi(narrower.into());
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let world = size(family.public()) as f64 * world_share;
            assert!(together < world, "{family:?} {world_share}: /{longest}");
        }
    }
    let default = Settings::default().world_share;
    assert_eq!(
        (longest_prefix(Family::V4, default, 1000), longest_prefix(Family::V6, default, 1000)),
        (12, 20)
    );
}
