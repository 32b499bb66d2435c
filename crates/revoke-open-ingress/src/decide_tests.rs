use std::collections::BTreeMap;

use tourniquet::Change as _;
use tourniquet::actor::Actor;
use tourniquet::exemption::Source as Stands;
use tourniquet::plan::Recorded;
use tourniquet::{Cause, Place};

use super::*;
use crate::change::Purpose;
use crate::observation::PrefixList;
use crate::rule::{Access, Rule, Source};
use crate::settings::{NoRoom, WideRules};

fn lead() -> Lead<Detail> {
    Lead {
        place: Place::new("111122223333", "eu-central-1"),
        subject: "sg-0a1b2c3d4e5f60718".into(),
        cause: Cause { what: "AuthorizeSecurityGroupIngress".into(), key: "e1".into() },
        actor: Actor::default(),
        detail: Detail::Group,
    }
}

fn source(text: &str) -> Source {
    match text {
        list if list.starts_with("pl-") => Source::PrefixList(list.into()),
        group if group.starts_with("sg-") => Source::Group(group.into()),
        v6 if v6.contains(':') => Source::Ipv6(v6.into()),
        v4 => Source::Ipv4(v4.into()),
    }
}

/// A group from lines such as `tcp 20-80 0.0.0.0/0`, with rule ids from 1 on.
fn group(lines: &[&str]) -> Observation {
    let rules = lines.iter().enumerate().map(|(n, line)| rule(&(n + 1).to_string(), line)).collect();
    Observation { owner: "111122223333".into(), name: "web".into(), rules, ..Observation::default() }
}

fn rule(id: &str, line: &str) -> Rule {
    let mut words = line.split(' ');
    let mut next = || words.next().unwrap();
    let (protocol, ports) = (next().to_owned(), next());
    let (from, to) = ports.split_once('-').unwrap_or((ports, ports));
    let access = Access { protocol, from: from.parse().ok(), to: to.parse().ok(), source: source(next()) };
    Rule { id: format!("sgr-{id}"), access, description: None, tags: BTreeMap::new() }
}

fn decided(seen: &Observation, settings: &Settings) -> Verdict<Change> {
    decide(&lead(), seen, settings, &Standing::default())
}

fn steps(verdict: &Verdict<Change>) -> Vec<Planned> {
    match &verdict.ruling {
        Ruling::Act(steps) => steps.clone(),
        _ => Vec::new(),
    }
}

fn summaries(verdict: &Verdict<Change>) -> Vec<String> {
    steps(verdict).iter().map(|step| format!("{} {}", step.wave, step.change.summary())).collect()
}

fn plan(lines: &[&str]) -> Vec<String> {
    summaries(&decided(&group(lines), &Settings::default()))
}

/// What the group is like after a plan, of which some steps fail.
pub(crate) fn carried_out(
    seen: &Observation,
    verdict: &Verdict<Change>,
    fails: impl Fn(&Change) -> bool,
) -> Observation {
    let mut after = seen.clone();
    let mut steps = steps(verdict);
    steps.sort_by_key(|step| step.wave);
    for (n, step) in steps.into_iter().enumerate().filter(|(_, step)| !fails(&step.change)) {
        match step.change {
            Change::Add { rule, .. } => after.rules.push(Rule {
                id: format!("{}-{n}", seen.rules.len()),
                access: rule.access,
                description: rule.description,
                tags: rule.tags,
            }),
            Change::Revoke { rule, .. } => after.rules.retain(|live| live.id != rule.id),
        }
    }
    after
}

/// What the next look in the same run, or a retry, knows.
pub(crate) fn begun(verdict: &Verdict<Change>) -> Standing {
    let planned = steps(verdict).iter().map(|step| Recorded::of(&step.change)).collect();
    Standing { begun: true, planned, ..Standing::default() }
}

fn exemption(scope: &str) -> Exemption {
    Exemption {
        subject: "sg-*".into(),
        region: "*".into(),
        scope: Some(scope.into()),
        reason: "partner without fixed addresses".into(),
        owner: "network-team".into(),
        expires: "2027-01-01T00:00:00Z".parse().unwrap(),
        source: Stands::Journal,
    }
}

fn exempted(scope: &str) -> Standing {
    Standing { scoped: vec![exemption(scope)], ..Standing::default() }
}

#[test]
fn r7_only_the_source_that_opens_the_port_goes_by_its_id() {
    assert_eq!(
        plan(&[
            "tcp 22 10.0.0.0/8",
            "tcp 22 0.0.0.0/0",
            "tcp 22 198.51.100.0/24",
            "tcp 22 ::/0",
            "tcp 443 0.0.0.0/0"
        ]),
        ["1 revoke tcp 22 from 0.0.0.0/0 (sgr-2)", "1 revoke tcp 22 from ::/0 (sgr-4)"]
    );
}

#[test]
fn r8_the_harmless_part_of_a_range_is_added_first_with_description_and_tags() {
    let mut seen = group(&["tcp 20-80 0.0.0.0/0"]);
    seen.rules[0].description = Some("legacy ftp and web".into());
    seen.rules[0].tags = BTreeMap::from([("team".to_owned(), "web".to_owned())]);
    let verdict = decided(&seen, &Settings::default());
    assert_eq!(
        summaries(&verdict),
        [
            "0 keep allowing tcp 20-21 from 0.0.0.0/0",
            "0 keep allowing tcp 23-80 from 0.0.0.0/0",
            "1 revoke tcp 20-80 from 0.0.0.0/0 (sgr-1)"
        ]
    );
    for step in &steps(&verdict)[..2] {
        let Change::Add { rule, purpose: Purpose::Piece, .. } = &step.change else { panic!("{step:?}") };
        assert_eq!((&rule.description, &rule.tags), (&seen.rules[0].description, &seen.rules[0].tags));
    }
    // The revocation waits for nobody.
    assert!(steps(&verdict).iter().all(|step| step.needs.is_empty()));
    let after = carried_out(&seen, &verdict, |_| false);
    assert_eq!(decide(&lead(), &after, &Settings::default(), &begun(&verdict)).ruling, Ruling::Safe);
}

#[test]
fn r8_a_piece_that_failed_is_decided_again_until_it_is_there() {
    let seen = group(&["tcp 20-80 0.0.0.0/0"]);
    let verdict = decided(&seen, &Settings::default());
    let after = carried_out(&seen, &verdict, |change| change.summary().contains("23-80"));
    let again = decide(&lead(), &after, &Settings::default(), &begun(&verdict));
    assert_eq!(summaries(&again), ["0 keep allowing tcp 23-80 from 0.0.0.0/0"]);
    assert_eq!(again.why, "what was to be added is not there");
    let whole = carried_out(&after, &again, |_| false);
    assert_eq!(decide(&lead(), &whole, &Settings::default(), &begun(&verdict)).ruling, Ruling::Safe);
}

#[test]
fn r8_a_piece_is_not_added_again_when_somebody_put_the_whole_back_or_guards_more_by_now() {
    let seen = group(&["tcp 20-80 0.0.0.0/0"]);
    let planned = begun(&decided(&seen, &Settings::default()));
    let more = Settings { guarded_tcp: [22, 25].into(), ..Settings::default() };
    let after = group(&["tcp 20-21 0.0.0.0/0"]);
    let verdict = decide(&lead(), &after, &more, &planned);
    assert_eq!(verdict.ruling, Ruling::Safe);
    assert!(
        verdict.notes.iter().any(|note| note.contains("access that is lost") && note.contains("tcp 23-80"))
    );
    let exempt = Standing { scoped: vec![exemption("tcp/22")], ..planned };
    assert_eq!(decide(&lead(), &seen, &Settings::default(), &exempt).ruling, Ruling::Safe);
}

#[test]
fn r8_without_the_permission_to_add_the_whole_goes_and_the_loss_is_said() {
    let settings = Settings { add_rules: false, ..Settings::default() };
    let verdict = decided(&group(&["tcp 20-80 0.0.0.0/0"]), &settings);
    assert_eq!(summaries(&verdict), ["1 revoke tcp 20-80 from 0.0.0.0/0 (sgr-1)"]);
    assert!(
        verdict.notes[0].ends_with("tcp 20-21 from 0.0.0.0/0, tcp 23-80 from 0.0.0.0/0"),
        "{:?}",
        verdict.notes
    );
}

#[test]
fn r9_without_room_the_whole_goes_or_is_reported() {
    let mut lines = vec!["tcp 20-80 0.0.0.0/0".to_owned()];
    lines.extend((1..60).map(|n| format!("tcp {} 198.51.100.0/24", 1000 + n)));
    let full = group(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let remove = decided(&full, &Settings::default());
    assert_eq!(summaries(&remove), ["1 revoke tcp 20-80 from 0.0.0.0/0 (sgr-1)"]);
    assert!(remove.notes.iter().any(|note| note.contains("no room")), "{:?}", remove.notes);
    assert!(remove.notes.iter().any(|note| note.contains("lost") && note.contains("tcp 20-21")));
    let report = Settings { no_room: NoRoom::Report, ..Settings::default() };
    let verdict = decided(&full, &report);
    assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Observed));
    assert!(verdict.why.contains("tcp/22 is open") && verdict.why.contains("no_room"), "{}", verdict.why);
    let raised = Settings { rules_per_group: 62, ..Settings::default() };
    assert_eq!(summaries(&decided(&full, &raised)).len(), 3);
}

#[test]
fn r9_families_count_apart_and_lists_with_their_most_entries() {
    let mut lines: Vec<String> = (1..60).map(|n| format!("tcp {} 2001:db8:{n}::/48", 1000 + n)).collect();
    lines.push("tcp 20-80 0.0.0.0/0".into());
    let v6 = group(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(summaries(&decided(&v6, &Settings::default())).len(), 3);
    let mut listed = group(&["tcp 443 pl-0a1b2c3d", "tcp 20-80 0.0.0.0/0"]);
    let list = PrefixList { max_entries: Some(58), address_family: "IPv4".into(), ..PrefixList::default() };
    listed.lists.insert("pl-0a1b2c3d".into(), list);
    assert_eq!(summaries(&decided(&listed, &Settings::default())).len(), 1);
}

#[test]
fn r10_a_rule_for_all_protocols_is_split_or_removed_by_setting() {
    let seen = group(&["-1 all 0.0.0.0/0"]);
    let split = decided(&seen, &Settings::default());
    assert_eq!(
        summaries(&split),
        [
            "0 keep allowing tcp 0-21 from 0.0.0.0/0",
            "0 keep allowing tcp 23-3388 from 0.0.0.0/0",
            "0 keep allowing tcp 3390-65535 from 0.0.0.0/0",
            "0 keep allowing udp 0-3388 from 0.0.0.0/0",
            "0 keep allowing udp 3390-65535 from 0.0.0.0/0",
            "0 keep allowing icmp from 0.0.0.0/0",
            "1 revoke everything from 0.0.0.0/0 (sgr-1)"
        ]
    );
    assert!(
        split.notes[0].contains("protocols other than TCP, UDP and ICMP from 0.0.0.0/0"),
        "{:?}",
        split.notes
    );
    let settings = Settings { wide_rules: WideRules::Remove, ..Settings::default() };
    let removed = decided(&seen, &settings);
    assert_eq!(summaries(&removed), ["1 revoke everything from 0.0.0.0/0 (sgr-1)"]);
    assert!(removed.notes[0].contains("icmp from 0.0.0.0/0"), "{:?}", removed.notes);
}

#[test]
fn r13_a_clean_group_is_safe() {
    let verdict = decided(
        &group(&["tcp 443 0.0.0.0/0", "tcp 22 10.0.0.0/8", "tcp 22 sg-1", "icmp -1 0.0.0.0/0"]),
        &Settings::default(),
    );
    assert_eq!(verdict.ruling, Ruling::Safe);
    assert!(verdict.notes.is_empty());
}

#[test]
fn r13_one_revocation_of_two_that_failed_is_decided_again() {
    let seen = group(&["tcp 22 0.0.0.0/0", "tcp 22 ::/0"]);
    let verdict = decided(&seen, &Settings::default());
    let after = carried_out(&seen, &verdict, |change| change.key() == "revoke sgr-2");
    assert_eq!(
        summaries(&decide(&lead(), &after, &Settings::default(), &begun(&verdict))),
        ["1 revoke tcp 22 from ::/0 (sgr-2)"]
    );
}

#[test]
fn r13_a_piece_of_the_world_whose_revocation_failed_still_goes() {
    let seen = group(&["tcp 22 0.0.0.0/3", "tcp 22 32.0.0.0/3"]);
    let verdict = decided(&seen, &Settings::default());
    let after = carried_out(&seen, &verdict, |change| change.key() == "revoke sgr-1");
    let again = decide(&lead(), &after, &Settings::default(), &begun(&verdict));
    assert_eq!(summaries(&again), ["1 revoke tcp 22 from 0.0.0.0/3 (sgr-1)"]);
    assert!(again.why.contains("was to be revoked and is still there"), "{}", again.why);
    let exempt = Standing { scoped: vec![exemption("tcp/22 0.0.0.0/3")], ..begun(&verdict) };
    assert_eq!(decide(&lead(), &after, &Settings::default(), &exempt).ruling, Ruling::Safe);
    // The port is not guarded any more, and the rule no longer what it was.
    let other = Settings { guarded_tcp: [3389].into(), ..Settings::default() };
    assert_eq!(decide(&lead(), &after, &other, &begun(&verdict)).ruling, Ruling::Safe);
    let changed = Observation { rules: vec![rule("1", "tcp 22 17.0.0.0/8")], ..after };
    assert_eq!(decide(&lead(), &changed, &Settings::default(), &begun(&verdict)).ruling, Ruling::Safe);
}

#[test]
fn r13_a_rule_that_goes_as_a_whole_counts_for_no_port_any_more() {
    let replace_with = vec!["96.0.0.0/3".into()];
    let settings = Settings { replace_with, wide_rules: WideRules::Remove, ..Settings::default() };
    // The second opens RDP with the third, and SSH with what is allowed instead of the first.
    let seen = group(&["-1 all 0.0.0.0/0", "-1 all 0.0.0.0/3", "tcp 3389 32.0.0.0/3"]);
    let verdict = decided(&seen, &settings);
    let half = carried_out(&seen, &verdict, |change| change.key() == "revoke sgr-2");
    let again = decide(&lead(), &half, &settings, &begun(&verdict));
    assert_eq!(summaries(&again), ["1 revoke everything from 0.0.0.0/3 (sgr-2)"]);
}

#[test]
fn r17_a_source_that_goes_is_not_allowed_instead_of_itself() {
    let settings = Settings { replace_with: vec!["32.0.0.0/3".into()], ..Settings::default() };
    let seen = group(&["tcp 22 32.0.0.0/3", "tcp 22 64.0.0.0/3", "tcp 22 96.0.0.0/3"]);
    let verdict = decided(&seen, &settings);
    assert!(summaries(&verdict).iter().all(|step| step.starts_with("1 revoke")), "{:?}", summaries(&verdict));
    assert!(
        verdict.notes.iter().any(|note| note.contains("32.0.0.0/3 of `replace_with` is not allowed instead"))
    );
    let half = carried_out(&seen, &verdict, |change| change.key() == "revoke sgr-2");
    let again = decide(&lead(), &half, &settings, &begun(&verdict));
    assert_eq!(summaries(&again), ["1 revoke tcp 22 from 64.0.0.0/3 (sgr-2)"]);
}

#[test]
fn r13_what_was_allowed_instead_stays_where_revocations_failed() {
    // The widest of all, so that it would go first if it were judged beside what goes anyway.
    let settings = Settings { replace_with: vec!["2c00::/6".into()], ..Settings::default() };
    let seen = group(&["tcp 22 ::/0", "tcp 22 2400::/12", "tcp 22 2600::/12", "tcp 22 2a00::/12"]);
    let verdict = decided(&seen, &settings);
    assert_eq!(summaries(&verdict)[0], "0 allow tcp 22 from 2c00::/6 instead of the world");
    let failed = ["revoke sgr-2", "revoke sgr-3", "revoke sgr-4"];
    let half = carried_out(&seen, &verdict, |change| failed.contains(&change.key().as_str()));
    let again = decide(&lead(), &half, &settings, &begun(&verdict));
    let keys: Vec<String> = steps(&again).iter().map(|step| step.change.key()).collect();
    assert_eq!(keys, failed);
    let whole = carried_out(&half, &again, |_| false);
    let left: Vec<String> = whole.rules.iter().map(|rule| rule.access.to_string()).collect();
    assert_eq!(left, ["tcp 22 from 2c00::/6"]);
}

#[test]
fn r17_what_is_allowed_instead_does_not_make_the_world_of_what_stays() {
    let settings = Settings { replace_with: vec!["16.0.0.0/4".into()], ..Settings::default() };
    // 15 and 7 percent stay, and 7 more would be too much: the wide one would go in the next look.
    let seen = group(&["tcp 22 0.0.0.0/0", "tcp 22 32.0.0.0/3", "tcp 22 64.0.0.0/4"]);
    let verdict = decided(&seen, &settings);
    assert_eq!(summaries(&verdict), ["1 revoke tcp 22 from 0.0.0.0/0 (sgr-1)"]);
    assert!(
        verdict.notes.iter().any(|note| note.contains("16.0.0.0/4 of `replace_with` is not allowed instead"))
    );
    let after = carried_out(&seen, &verdict, |_| false);
    assert_eq!(decide(&lead(), &after, &settings, &begun(&verdict)).ruling, Ruling::Safe);
    // Of two that fit alone, only one.
    let settings = Settings { replace_with: vec!["16.0.0.0/6".into(), "20.0.0.0/6".into()], ..settings };
    let verdict = decided(&seen, &settings);
    assert_eq!(summaries(&verdict).len(), 2, "{verdict:?}");
    assert!(
        verdict.notes.iter().any(|note| note.contains("20.0.0.0/6 of `replace_with` is not allowed instead"))
    );
}

#[test]
fn r15_a_managed_group_is_reported_or_answered_by_setting() {
    let mut seen = group(&["tcp 22 0.0.0.0/0"]);
    seen.tags.insert("aws:eks:cluster-name".into(), "prod".into());
    let verdict = decided(&seen, &Settings::default());
    assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Observed));
    assert!(verdict.why.contains("run by EKS"), "{}", verdict.why);
    let settings = Settings { managed_groups: Answer::Revoke, ..Settings::default() };
    assert_eq!(summaries(&decided(&seen, &settings)).len(), 1);
}

#[test]
fn r16_an_exemption_covers_its_port_and_source_and_no_more() {
    let seen = group(&["tcp 20-25 0.0.0.0/0"]);
    let exempt = decide(&lead(), &seen, &Settings::default(), &exempted("tcp/22 0.0.0.0/0"));
    assert_eq!(exempt.ruling, Ruling::Leave(Outcome::Exempt));
    assert!(
        exempt.why.contains("exempt in the journal until 2027-01-01T00:00:00Z: partner"),
        "{}",
        exempt.why
    );
    let mut two = exempted("tcp/3389");
    two.scoped.push(Exemption { owner: "platform".into(), ..exemption("tcp/22") });
    let named = decide(&lead(), &seen, &Settings::default(), &two);
    assert!(named.why.ends_with("(owner: platform)"), "{}", named.why);
    for other in ["tcp/22 198.51.100.0/24", "tcp/3389", "udp/22", "tcp/22 ::/0"] {
        assert_eq!(
            summaries(&decide(&lead(), &seen, &Settings::default(), &exempted(other))).len(),
            3,
            "{other}"
        );
    }
    let both = group(&["tcp 22 0.0.0.0/0", "tcp 3389 0.0.0.0/0", "tcp 22 ::/0"]);
    let verdict = decide(&lead(), &both, &Settings::default(), &exempted("tcp/22 0.0.0.0/0"));
    assert_eq!(
        summaries(&verdict),
        ["1 revoke tcp 3389 from 0.0.0.0/0 (sgr-2)", "1 revoke tcp 22 from ::/0 (sgr-3)"]
    );
    assert!(
        verdict
            .notes
            .iter()
            .any(|note| note.starts_with("tcp/22 0.0.0.0/0 stays open: exempt in the journal"))
    );
    // Contained, with the exempt source as it was.
    let after = carried_out(&both, &verdict, |_| false);
    let standing = Standing { scoped: vec![exemption("tcp/22 0.0.0.0/0")], ..begun(&verdict) };
    assert_eq!(decide(&lead(), &after, &Settings::default(), &standing).ruling, Ruling::Safe);
}

#[test]
fn r16_a_scope_that_cannot_be_read_is_not_honoured_and_said() {
    let verdict = decide(&lead(), &group(&["tcp 22 0.0.0.0/0"]), &Settings::default(), &exempted("ssh"));
    assert_eq!(summaries(&verdict).len(), 1);
    assert!(
        verdict
            .notes
            .iter()
            .any(|note| note.contains("the scope \"ssh\" is not honoured here: expected tcp/22"))
    );
    let cause = decide(&lead(), &group(&["tcp 22 0.0.0.0/0"]), &Settings::default(), &exempted("e1"));
    assert!(cause.notes.iter().all(|note| !note.contains("not honoured")));
}

#[test]
fn r17_what_replaces_the_world_is_added_before_and_looked_for_afterwards() {
    let replace_with = ["198.51.100.0/24", "2001:db8::/48", "203.0.113.0/24"].map(str::to_owned).to_vec();
    let settings = Settings { replace_with, ..Settings::default() };
    let seen = group(&["tcp 20-22 0.0.0.0/0", "tcp 22 203.0.113.0/24"]);
    let verdict = decided(&seen, &settings);
    assert_eq!(
        summaries(&verdict),
        [
            "0 allow tcp 22 from 198.51.100.0/24 instead of the world",
            "0 keep allowing tcp 20-21 from 0.0.0.0/0",
            "1 revoke tcp 20-22 from 0.0.0.0/0 (sgr-1)"
        ]
    );
    let after = carried_out(&seen, &verdict, |change| change.summary().contains("instead"));
    let again = decide(&lead(), &after, &settings, &begun(&verdict));
    assert_eq!(summaries(&again), ["0 allow tcp 22 from 198.51.100.0/24 instead of the world"]);
}

#[test]
fn r17_nobody_is_let_in_instead_of_a_world_that_was_exempted_in_the_meantime() {
    let settings = Settings { replace_with: vec!["198.51.100.0/24".into()], ..Settings::default() };
    let seen = group(&["tcp 22 0.0.0.0/0"]);
    let planned = begun(&decided(&seen, &settings));
    let standing = Standing { scoped: vec![exemption("tcp/22")], ..planned };
    assert_eq!(decide(&lead(), &seen, &settings, &standing).ruling, Ruling::Safe);
}

#[test]
fn r17_a_list_that_is_the_world_or_not_there_replaces_nothing() {
    let settings = Settings { replace_with: vec!["pl-0a1b2c3d".into()], ..Settings::default() };
    let mut seen = group(&["tcp 22 0.0.0.0/0"]);
    let list = |blocks: &[&str]| PrefixList {
        address_family: "IPv4".into(),
        blocks: Some(blocks.iter().map(|text| (*text).to_owned()).collect()),
        ..PrefixList::default()
    };
    assert_eq!(summaries(&decided(&seen, &settings)).len(), 1);
    seen.lists.insert("pl-0a1b2c3d".into(), list(&["0.0.0.0/0"]));
    let world = decided(&seen, &settings);
    assert_eq!(summaries(&world).len(), 1);
    assert!(
        world.notes.iter().any(|note| note.contains("or the world, alone or with what stays")),
        "{:?}",
        world.notes
    );
    seen.lists.insert("pl-0a1b2c3d".into(), list(&["198.51.100.0/24"]));
    assert_eq!(summaries(&decided(&seen, &settings)).len(), 2);
}

#[test]
fn r18_the_report_says_that_open_sessions_survive_and_how_else_to_get_in() {
    let verdict = decided(&group(&["tcp 22 0.0.0.0/0"]), &Settings::default());
    let note = verdict.notes.last().unwrap();
    for part in ["sessions that are open", "network ACL", "Session Manager", "EC2 Instance Connect Endpoint"]
    {
        assert!(note.contains(part), "{part}");
    }
    assert!(verdict.notes.iter().any(|note| note.contains("private addresses")), "{:?}", verdict.notes);
}

#[test]
fn r6_a_large_block_ends_observed_and_the_reason_stays_the_same() {
    let seen = group(&["tcp 22 17.0.0.0/8"]);
    let verdict = decided(&seen, &Settings::default());
    assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Observed));
    assert!(verdict.why.contains("17.0.0.0/8"), "{}", verdict.why);
    assert_eq!(verdict, decided(&seen, &Settings::default()));
}

#[test]
fn r5_a_list_that_cannot_be_read_is_no_proof_of_safety() {
    let verdict = decided(&group(&["tcp 22 pl-0a1b2c3d"]), &Settings::default());
    assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Failed));
    assert!(verdict.why.contains("pl-0a1b2c3d"), "{}", verdict.why);
    let elsewhere = decided(&group(&["tcp 443 pl-0a1b2c3d"]), &Settings::default());
    assert_eq!(elsewhere.ruling, Ruling::Safe);
}

#[test]
fn r19_a_revocation_knows_what_else_reached_the_port() {
    let seen =
        group(&["tcp 22 0.0.0.0/1", "tcp 22 128.0.0.0/1", "tcp 22 198.51.100.0/24", "tcp 443 0.0.0.0/0"]);
    let verdict = decided(&seen, &Settings::default());
    let Change::Revoke { closes, beside, with, .. } = &steps(&verdict)[0].change else { panic!() };
    assert_eq!(closes, &["tcp/22"]);
    assert_eq!(beside, std::slice::from_ref(&seen.rules[2].access));
    assert_eq!(with, std::slice::from_ref(&seen.rules[1].access));
}
