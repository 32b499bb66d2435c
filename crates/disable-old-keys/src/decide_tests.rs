use std::collections::BTreeSet;

use proptest::prelude::*;
use tourniquet::actor::Actor;
use tourniquet::plan::Recorded;
use tourniquet::{Cause, Place};

use super::*;
use crate::observation::Used;

const NOW: &str = "2026-11-02T09:00:00Z";
const DAY: i64 = 86_400;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at(NOW)
}

fn ago(count: u32) -> Timestamp {
    now().checked_sub(days(count)).unwrap()
}

fn lead(user: &str) -> Lead<Detail> {
    Lead {
        place: Place::new("111122223333", "us-east-1"),
        subject: user.into(),
        cause: Cause::sweep(),
        actor: Actor::default(),
        detail: Detail::default(),
    }
}

fn key(four: &str, age: u32) -> Key {
    Key { name: KeyName { created: ago(age), last_four: four.into() }, active: true, used: None }
}

fn used(mut key: Key, before: u32) -> Key {
    key.used = Some(Used { at: ago(before), service: "s3".into(), region: "eu-west-1".into() });
    key
}

fn inactive(mut key: Key) -> Key {
    key.active = false;
    key
}

fn user(keys: impl Into<Vec<Key>>) -> Observation {
    Observation { keys: keys.into(), path: "/".into(), ..Observation::default() }
}

fn decided(seen: &Observation, standing: &Standing) -> Verdict<Change> {
    decide(&lead("ci"), seen, &Settings::default(), now(), standing)
}

/// A journal in which people know of these changes for so many days.
fn told(verdict: &Verdict<Change>, before: u32) -> Standing {
    let announced = steps(verdict).into_iter().map(|change| (change.key(), ago(before))).collect();
    Standing { announced, ..Standing::default() }
}

fn steps(verdict: &Verdict<Change>) -> Vec<Change> {
    match &verdict.ruling {
        Ruling::Act(steps) | Ruling::Announce(steps) => steps.iter().map(|s| s.change.clone()).collect(),
        _ => Vec::new(),
    }
}

/// The ends of the keys that are to be deactivated now.
fn acted(verdict: &Verdict<Change>) -> Vec<String> {
    match &verdict.ruling {
        Ruling::Act(steps) => steps.iter().map(|s| s.change.name().last_four.clone()).collect(),
        _ => Vec::new(),
    }
}

fn announced(verdict: &Verdict<Change>) -> Vec<String> {
    match &verdict.ruling {
        Ruling::Announce(steps) => steps.iter().map(|s| s.change.name().last_four.clone()).collect(),
        _ => Vec::new(),
    }
}

fn is_safe(verdict: &Verdict<Change>) -> bool {
    matches!(verdict.ruling, Ruling::Safe)
}

/// What the user looks like after the plan, and what the journal then holds of this run.
fn carried_out(seen: &Observation, verdict: &Verdict<Change>) -> (Observation, Standing) {
    let mut after = seen.clone();
    for change in steps(verdict) {
        after.keys.iter_mut().filter(|k| k.name == *change.name()).for_each(|k| k.active = false);
    }
    let planned = steps(verdict).iter().map(Recorded::of).collect();
    (after, Standing { begun: true, planned, ..Standing::default() })
}

#[test]
fn k1_the_limits_hold_to_the_second() {
    let created = at("2024-02-29T12:00:00Z");
    let seen = user([Key { name: KeyName { created, last_four: "AAAA".into() }, active: true, used: None }]);
    let at_second = |second: i64, standing: &Standing| {
        let now = created.checked_add(SignedDuration::from_secs(second)).unwrap();
        decide(&lead("ci"), &seen, &Settings::default(), now, standing)
    };
    assert!(is_safe(&at_second(80 * DAY, &Standing::default())));
    let warned = at_second(80 * DAY + 1, &Standing::default());
    assert_eq!(announced(&warned), ["AAAA"]);
    let standing = Standing { announced: [(steps(&warned)[0].key(), created)].into(), ..Standing::default() };
    assert!(acted(&at_second(90 * DAY, &standing)).is_empty());
    assert_eq!(acted(&at_second(90 * DAY + 1, &standing)), ["AAAA"]);
    assert!(warned.why.contains("2024-05-29T12:00:00Z"), "{}", warned.why);
}

#[test]
fn k11_the_grace_holds_to_the_second() {
    let seen = user([key("AAAA", 700)]);
    let warned = decided(&seen, &Standing::default());
    let told_at = |text: &str| Standing {
        announced: [(steps(&warned)[0].key(), at(text))].into(),
        ..Standing::default()
    };
    assert!(acted(&decided(&seen, &told_at("2026-10-26T09:00:01Z"))).is_empty());
    assert_eq!(acted(&decided(&seen, &told_at("2026-10-26T09:00:00Z"))), ["AAAA"]);
}

#[test]
fn k3_a_key_that_was_never_used_is_aged_by_its_creation() {
    let seen = user([key("AAAA", 91)]);
    let warned = decided(&seen, &Standing::default());
    assert_eq!(announced(&warned), ["AAAA"]);
    assert!(
        warned.notes.iter().any(|n| n.contains("…AAAA") && n.contains("never used")),
        "{:?}",
        warned.notes
    );
    assert_eq!(acted(&decided(&seen, &told(&warned, 7))), ["AAAA"]);
}

#[test]
fn k4_only_the_old_active_key_is_disabled_whatever_the_order() {
    let (new, old) = (used(key("NEWW", 5), 1), used(key("OLDD", 700), 3));
    for keys in [[new.clone(), old.clone()], [old.clone(), new.clone()]] {
        let seen = user(keys);
        let warned = decided(&seen, &Standing::default());
        assert_eq!(announced(&warned), ["OLDD"]);
        assert_eq!(acted(&decided(&seen, &told(&warned, 8))), ["OLDD"]);
    }
    assert!(is_safe(&decided(&user([inactive(old.clone()), new.clone()]), &Standing::default())));
    assert!(is_safe(&decided(&user([new, inactive(old)]), &Standing::default())));
}

#[test]
fn k5_a_rotation_under_way_gets_a_last_warning_of_its_own_or_waits() {
    let before = user([used(key("OLDD", 95), 1)]);
    let first = decided(&before, &Standing::default());
    let under_way = user([used(key("OLDD", 95), 1), key("NEWW", 5)]);
    // The first warning knew nothing of the successor.
    let last = decided(&under_way, &told(&first, 9));
    assert_eq!(announced(&last), ["OLDD"]);
    assert!(last.why.contains("LAST WARNING") && last.why.contains("…NEWW"), "{}", last.why);
    assert_eq!(acted(&decided(&under_way, &told(&last, 7))), ["OLDD"]);

    let wait = Settings { rotation: Rotation::Wait, ..Settings::default() };
    let waits = |seen, standing: &Standing| decide(&lead("ci"), seen, &wait, now(), standing);
    let waiting = waits(&under_way, &told(&first, 30));
    assert_eq!(announced(&waiting), ["OLDD"]);
    assert!(waiting.why.contains("when that has been used"), "{}", waiting.why);
    assert_eq!(announced(&waits(&under_way, &told(&waiting, 30))), ["OLDD"], "for as long as it takes");

    // Changed over: the first warning counts again.
    let over = user([used(key("OLDD", 95), 1), used(key("NEWW", 5), 1)]);
    assert_eq!(acted(&waits(&over, &told(&first, 30))), ["OLDD"]);
    // A successor that is old itself keeps nothing alive.
    let stuck = user([used(key("OLDD", 300), 1), key("NEWW", 85)]);
    assert!(!waits(&stuck, &Standing::default()).why.contains("when that has been used"));
}

#[test]
fn k5_never_both_keys_in_one_run() {
    let seen = user([used(key("OLDD", 700), 1), key("IDLE", 300)]);
    let warned = decided(&seen, &Standing::default());
    assert_eq!(announced(&warned), ["OLDD", "IDLE"], "people are told of both");
    let act = decided(&seen, &told(&warned, 8));
    assert_eq!(acted(&act), ["IDLE"], "the one that is missed least");
    let (after, mut standing) = carried_out(&seen, &act);
    standing.announced = told(&warned, 8).announced;
    let verified = decided(&after, &standing);
    assert!(is_safe(&verified), "{verified:?}");
    assert!(verified.notes.iter().any(|n| n.contains("next run")));
    // The next run has no record to go on with.
    assert_eq!(acted(&decided(&after, &told(&warned, 9))), ["OLDD"]);
}

#[test]
fn k5_k11_one_to_disable_and_one_to_announce_are_both_served() {
    let seen = user([used(key("OLDD", 300), 1), used(key("YOUN", 85), 1)]);
    let first = user([used(key("OLDD", 300), 1), used(key("YOUN", 70), 1)]);
    let act = decided(&seen, &told(&decided(&first, &Standing::default()), 8));
    assert_eq!(acted(&act), ["OLDD"]);
    let (after, standing) = carried_out(&seen, &act);
    assert!(is_safe(&decided(&after, &standing)));
    assert_eq!(announced(&decided(&after, &Standing::default())), ["YOUN"], "in the next run");
}

#[test]
fn k6_inactive_keys_and_users_without_keys_are_safe() {
    for keys in [vec![], vec![inactive(key("AAAA", 900))], vec![inactive(key("AAAA", 900)), key("BBBB", 3)]] {
        assert!(is_safe(&decided(&user(keys), &Standing::default())));
    }
}

#[test]
fn k6_unused_keys_are_disabled_by_setting_after_a_warning_of_their_own() {
    let cis = Settings { unused_days: Some(45), ..Settings::default() };
    let decided = |seen: &Observation, standing: &Standing| decide(&lead("ci"), seen, &cis, now(), standing);
    assert!(is_safe(&decided(&user([used(key("AAAA", 60), 30)]), &Standing::default())));
    assert!(is_safe(&decided(&user([key("AAAA", 38)]), &Standing::default())));
    let never = decided(&user([key("AAAA", 39)]), &Standing::default());
    assert!(never.why.contains("has never been used"), "{}", never.why);

    let warned = decided(&user([used(key("AAAA", 75), 39)]), &Standing::default());
    assert_eq!(announced(&warned), ["AAAA"]);
    assert!(acted(&decided(&user([used(key("AAAA", 75), 39)]), &told(&warned, 30))).is_empty(), "not yet");
    let warned = decided(&user([used(key("AAAA", 75), 60)]), &Standing::default());
    assert_eq!(acted(&decided(&user([used(key("AAAA", 75), 60)]), &told(&warned, 7))), ["AAAA"]);
    // The key was used after the warning: that one says nothing about a later time of rest.
    let again = user([used(key("AAAA", 75), 46)]);
    assert!(acted(&decided(&again, &told(&warned, 30))).is_empty());
    assert_eq!(acted(&decided(&again, &told(&decided(&again, &Standing::default()), 7))), ["AAAA"]);
}

#[test]
fn k11_of_two_grounds_the_one_that_people_know_decides() {
    let cis = Settings { unused_days: Some(45), ..Settings::default() };
    let seen = user([used(key("AAAA", 95), 60)]);
    let by_age = decided(&seen, &Standing::default());
    let unused = decide(&lead("ci"), &seen, &cis, now(), &Standing::default());
    assert_ne!(steps(&by_age)[0].key(), steps(&unused)[0].key(), "the one that is due first is announced");
    for known in [by_age, unused] {
        let act = decide(&lead("ci"), &seen, &cis, now(), &told(&known, 8));
        assert_eq!(acted(&act), ["AAAA"]);
        assert_eq!(steps(&act)[0].key(), steps(&known)[0].key());
    }
}

#[test]
fn k8_root_keys_are_reported_loudly_and_not_touched() {
    let mut root = lead(ROOT);
    root.detail.notes = vec!["credential report: access key 1 is from 2019".into()];
    let seen = Observation { root_keys: true, ..Observation::default() };
    let verdict = decide(&root, &seen, &Settings::default(), now(), &Standing::default());
    assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Observed));
    assert!(verdict.why.contains("ROOT USER HAS ACCESS KEYS") && verdict.notes == root.detail.notes);
    assert!(is_safe(&decide(
        &root,
        &Observation::default(),
        &Settings::default(),
        now(),
        &Standing::default()
    )));
}

fn exempt(glob: &str, until: &str) -> Exempt {
    Exempt { glob: glob.into(), reason: "vendor".into(), owner: "sre".into(), until: until.into() }
}

#[test]
fn k9_settings_exempt_by_name_path_and_group_until_they_end() {
    let mut seen = user([key("AAAA", 700)]);
    seen.path = "/vendor/backup/".into();
    seen.groups = vec!["people".into(), "break-glass".into()];
    let with = |users: &[(&str, &str)], paths: &[(&str, &str)], groups: &[(&str, &str)]| {
        let list = |all: &[(&str, &str)]| all.iter().map(|(glob, until)| exempt(glob, until)).collect();
        let settings = Settings {
            exempt_users: list(users),
            exempt_paths: list(paths),
            exempt_groups: list(groups),
            ..Settings::default()
        };
        decide(&lead("ci"), &seen, &settings, now(), &Standing::default())
    };
    for verdict in [
        with(&[("c*", "2026-11-02")], &[], &[]),
        with(&[], &[("/vendor/*", "2027-01-01")], &[]),
        with(&[], &[], &[("break-glass", "2026-11-02T09:00:01Z")]),
    ] {
        assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Exempt), "{verdict:?}");
        assert!(
            verdict.why.contains("vendor (owner: sre)") && verdict.why.contains("…AAAA"),
            "{}",
            verdict.why
        );
    }
    for verdict in [
        with(&[("other", "2027-01-01")], &[("/vendor/", "2027-01-01")], &[("glass", "2027-01-01")]),
        with(&[("ci", "2026-11-01")], &[], &[]),
    ] {
        assert_eq!(announced(&verdict), ["AAAA"]);
    }
    let ended = with(&[("ci", "2026-11-01")], &[], &[]);
    assert!(
        ended.notes.iter().any(|n| n.contains("exempt_users") && n.contains("ended")),
        "{:?}",
        ended.notes
    );
}

#[test]
fn k10_that_no_other_key_works_is_said_only_where_it_is_so() {
    let alone =
        |keys: Vec<Key>| decided(&user(keys), &Standing::default()).notes.join("\n").contains("no other key");
    assert!(alone(vec![key("AAAA", 85)]) && alone(vec![key("AAAA", 85), inactive(key("BBBB", 10))]));
    assert!(!alone(vec![key("AAAA", 85), key("BBBB", 10)]) && !alone(vec![key("AAAA", 85), key("BBBB", 86)]));
}

#[test]
fn k10_the_warning_holds_what_an_owner_needs_to_judge() {
    let mut seen = user([used(key("AAAA", 85), 2)]);
    seen.keys[0].used.as_mut().unwrap().service = "ses".into();
    seen.path = "/mail/".into();
    let notes = decided(&seen, &Standing::default()).notes.join("\n");
    for part in ["2026-10-31T09:00:00Z for ses in eu-west-1", "SMTP", "/mail/", "no other key that works"] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    let by_name = decide(
        &lead("ses-smtp-user.20240131-1"),
        &user([key("AAAA", 85)]),
        &Settings::default(),
        now(),
        &Standing::default(),
    );
    assert!(by_name.notes.iter().any(|n| n.contains("SMTP")));
}

#[test]
fn k13_quarantine_takes_the_grace_and_not_the_age() {
    let quarantined = |keys: Vec<Key>| Observation {
        quarantine: Some("AWSCompromisedKeyQuarantineV2".into()),
        ..user(keys)
    };
    let act = decided(&quarantined(vec![key("AAAA", 91)]), &Standing::default());
    assert_eq!(acted(&act), ["AAAA"]);
    assert!(act.why.contains("AWSCompromisedKeyQuarantineV2"), "{}", act.why);
    let Change::Deactivate { compromised, .. } = &steps(&act)[0];
    assert!(compromised);
    assert!(is_safe(&decided(&quarantined(vec![key("AAAA", 20)]), &Standing::default())));
    let both = quarantined(vec![key("AAAA", 91), used(key("BBBB", 300), 1)]);
    let act = decided(&both, &Standing::default());
    assert_eq!(acted(&act).len(), 1, "never both in one run");
    let (after, standing) = carried_out(&both, &act);
    assert!(is_safe(&decided(&after, &standing)));
    let wait = Settings { rotation: Rotation::Wait, ..Settings::default() };
    let rotating = quarantined(vec![used(key("OLDD", 91), 1), key("NEWW", 2)]);
    assert_eq!(acted(&decide(&lead("ci"), &rotating, &wait, now(), &Standing::default())), ["OLDD"]);
}

#[test]
fn g24_an_interrupted_run_goes_on_with_its_own_key() {
    let seen = user([used(key("OLDD", 700), 1), key("IDLE", 300)]);
    let warned = told(&decided(&seen, &Standing::default()), 8);
    let act = decided(&seen, &warned);
    let (_, mut standing) = carried_out(&seen, &act);
    standing.announced = warned.announced;
    // It was recorded and not done.
    assert_eq!(acted(&decided(&seen, &standing)), acted(&act));
    // Not even if it is not to be done any more: then the other one does not take its place, and nothing is called safe.
    standing.announced.retain(|change, _| !change.contains("IDLE"));
    let later = decided(&seen, &standing);
    assert_eq!(announced(&later), ["OLDD", "IDLE"], "{later:?}");
}

/// Any user with up to two keys, any journal and any settings.
fn any_key() -> impl Strategy<Value = Key> {
    let used_before = proptest::option::of(0_u32..400);
    ("[A-D]{4}", 0_u32..400, any::<bool>(), used_before).prop_map(|(four, age, active, before)| {
        let key = Key { active, ..key(&four, age) };
        match before {
            Some(before) => used(key, before.min(age)),
            None => key,
        }
    })
}

fn any_case() -> impl Strategy<Value = (Observation, Settings, Standing)> {
    let settings =
        (any::<bool>(), proptest::option::of(8_u32..60)).prop_map(|(wait, unused_days)| Settings {
            rotation: if wait { Rotation::Wait } else { Rotation::Disable },
            unused_days,
            ..Settings::default()
        });
    let keys = proptest::collection::vec(any_key(), 0..=2);
    (keys, settings, any::<bool>(), 0_u32..20).prop_filter_map(
        "two keys of one name",
        |(keys, settings, quarantine, before)| {
            if keys.len() == 2 && keys[0].name == keys[1].name {
                return None;
            }
            let quarantine = quarantine.then(|| "AWSCompromisedKeyQuarantineV3".to_owned());
            let seen = Observation { quarantine, ..user(keys) };
            let first = decide(&lead("ci"), &seen, &settings, now(), &Standing::default());
            let standing = if before > 0 { told(&first, before) } else { Standing::default() };
            Some((seen, settings, standing))
        },
    )
}

proptest! {
    #[test]
    fn k4_k5_k6_k11_a_plan_is_one_key_that_is_old_active_and_warned_of((seen, settings, standing) in any_case()) {
        let verdict = decide(&lead("ci"), &seen, &settings, now(), &standing);
        if let Ruling::Act(steps) = &verdict.ruling {
            prop_assert_eq!(steps.len(), 1);
            let change = &steps[0].change;
            let found = seen.keys.iter().find(|k| k.name == *change.name()).unwrap();
            prop_assert!(found.active);
            let idle = found.used.as_ref().map_or(found.name.created, |u| u.at);
            let old = now().duration_since(found.name.created) > days(90);
            prop_assert!(old || settings.unused_days.is_some_and(|n| now().duration_since(idle) > days(n)));
            let since = standing.announced.get(&change.key());
            prop_assert!(seen.quarantine.is_some() || since.is_some_and(|s| now().duration_since(*s) >= days(7)));
            let (after, begun) = carried_out(&seen, &verdict);
            prop_assert!(is_safe(&decide(&lead("ci"), &after, &settings, now(), &begun)), "seen after the change");
        }
    }

    #[test]
    fn k11_without_a_warning_on_record_nothing_is_disabled((seen, settings, _) in any_case()) {
        let seen = Observation { quarantine: None, ..seen };
        let verdict = decide(&lead("ci"), &seen, &settings, now(), &Standing::default());
        prop_assert!(acted(&verdict).is_empty());
        // Whatever is old and works is told.
        let old = seen.keys.iter().any(|k| k.active && now().duration_since(k.name.created) > days(80));
        prop_assert!(!old || !announced(&verdict).is_empty());
    }

    #[test]
    fn k12_people_are_told_once_as_long_as_nothing_changes((seen, settings, _) in any_case(), hours in 0_i64..24) {
        let seen = Observation { quarantine: None, ..seen };
        let later = now().checked_add(SignedDuration::from_hours(hours)).unwrap();
        let today = decide(&lead("ci"), &seen, &settings, now(), &Standing::default());
        let next = decide(&lead("ci"), &seen, &settings, later, &told(&today, 0));
        if announced(&today) == announced(&next) {
            prop_assert_eq!(today.why, next.why);
            prop_assert_eq!(steps_keys(&today.ruling), steps_keys(&next.ruling));
        }
    }

    #[test]
    fn k4_the_order_of_the_keys_does_not_matter((seen, settings, standing) in any_case()) {
        let mut turned = seen.clone();
        turned.keys.reverse();
        let (one, other) = (decide(&lead("ci"), &seen, &settings, now(), &standing), decide(&lead("ci"), &turned, &settings, now(), &standing));
        prop_assert_eq!(acted(&one), acted(&other));
        let sorted = |v: &Verdict<Change>| { let mut all = announced(v); all.sort(); all };
        prop_assert_eq!(sorted(&one), sorted(&other));
    }
}

fn steps_keys(ruling: &Ruling<Change>) -> BTreeSet<String> {
    match ruling {
        Ruling::Act(steps) | Ruling::Announce(steps) => steps.iter().map(|s| s.change.key()).collect(),
        _ => BTreeSet::new(),
    }
}
