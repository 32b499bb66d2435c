//! Made-up records, and what must hold of the numbers of any.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use tourniquet::Place;

use super::*;
use crate::report::kind::Kind;
use crate::report::picture::{Scale, cells};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn november() -> Period {
    Period {
        since: at("2026-11-01T00:00:00Z"),
        before: at("2026-12-01T00:00:00Z"),
        made: at("2026-12-01T00:00:00Z"),
    }
}

/// What differs between made-up records.
#[derive(Clone, Debug)]
struct Made {
    function: &'static str,
    subject: &'static str,
    actor: Option<&'static str>,
    outcome: Option<&'static str>,
    minute: i64,
    ms: Option<u64>,
    undone: bool,
}

const MADE: Made = Made {
    function: "stop-instance",
    subject: "i-1",
    actor: None,
    outcome: Some("contained"),
    minute: 0,
    ms: None,
    undone: false,
};

fn entry(made: &Made) -> Entry {
    let started = november().since.checked_add(jiff::SignedDuration::from_mins(made.minute)).unwrap();
    let record: Record = serde_json::from_value(json!({
        "function": made.function, "place": {"account": "111122223333", "region": "eu-central-1"},
        "subject": made.subject, "cause": {"what": "x", "key": format!("{made:?}")}, "attempt": 1,
        "mode": if made.outcome == Some("observed") { "observe" } else { "enforce" },
        "outcome": made.outcome, "why": "because", "actor": {"principal": made.actor}, "detail": {}, "steps": [],
        "notes": [], "started": started, "finished": started, "contained_ms": made.ms, "version": 1,
        "owner": "o", "lease": started, "counted": true, "told": null, "watched": false,
    }))
    .unwrap();
    let id = record.id();
    let undo = made.undone.then(|| Undo {
        record: id.clone(),
        reason: "ours".to_owned(),
        by: "arn:aws:iam::111122223333:user/ann".to_owned(),
        until: started,
        started,
        finished: Some(started),
        changes: Vec::new(),
    });
    Entry { id, record, undo }
}

fn home() -> Place {
    Place::new("111122223333", "eu-central-1")
}

fn made() -> impl Strategy<Value = Made> {
    let outcomes =
        ["contained", "already-safe", "observed", "exempt", "ignored", "gone", "held", "partial", "failed"];
    (
        select(vec!["stop-instance", "restore-trail", "block-public-bucket"]),
        select(vec!["a", "b", "c"]),
        prop::option::of(select(vec!["ann", "bob", " ", "eve"])),
        prop::option::weighted(0.9, select(outcomes.to_vec())),
        0..30 * 24 * 60_i64,
        prop::option::of(0..100_000_u64),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(function, subject, actor, outcome, minute, ms, undone)| Made {
            function,
            subject,
            actor,
            outcome,
            minute,
            ms,
            undone,
        })
}

fn sum<'a>(tallies: impl IntoIterator<Item = &'a Tally>, part: impl Fn(&Tally) -> usize) -> usize {
    tallies.into_iter().map(part).sum()
}

proptest! {
    #[test]
    fn every_way_to_count_gives_the_same_sums(all in prop::collection::vec(made(), 0..80)) {
        let entries: Vec<Entry> = all.iter().map(entry).collect();
        let place = home();
        let summary = Summary::of(&entries, Exemptions::default(), &place, november());
        let n = all.len();
        prop_assert_eq!(summary.all.records, n);
        prop_assert_eq!(summary.all.outcomes.values().sum::<usize>(), n);
        let by_function = || summary.functions.values();
        let by_actor = || summary.actors.iter().map(|one| &one.tally);
        let measured = |tally: &Tally| tally.speed.as_ref().map_or(0, |speed| speed.measured);
        for part in [
            (|t: &Tally| t.records) as fn(&Tally) -> usize,
            |t| t.observe_mode,
            |t| t.count(&["partial", "failed"]),
            |t| t.count(&["undone"]),
            |t| t.speed.as_ref().map_or(0, |speed| speed.measured),
        ] {
            prop_assert_eq!(sum(by_function(), part), part(&summary.all));
            prop_assert_eq!(sum(by_actor(), part), part(&summary.all));
        }
        let timed = all.iter().filter(|one| one.outcome == Some("contained") && one.ms.is_some()).count();
        prop_assert_eq!(measured(&summary.all), timed);
        let scale = Scale::of(&summary.period);
        let drawn: usize = cells(&entries, &scale).values().flat_map(|k| k.values().flatten()).sum();
        prop_assert_eq!(drawn, n);
        let troubled = all.iter().filter(|one| !one.undone)
            .filter(|one| matches!(Kind::of(one.outcome.unwrap_or("open")), Kind::Failed | Kind::Held)).count();
        prop_assert_eq!(summary.needs_human.len() + summary.settled, troubled);
    }

    #[test]
    fn the_order_of_the_records_changes_no_number(all in prop::collection::vec(made(), 0..30)) {
        let mut entries: Vec<Entry> = all.iter().map(entry).collect();
        let place = home();
        let numbers = |entries: &[Entry]| {
            serde_json::to_value(Summary::of(entries, Exemptions::default(), &place, november())).unwrap()
        };
        let forth = numbers(&entries);
        entries.reverse();
        prop_assert_eq!(forth, numbers(&entries));
    }
}

#[test]
fn what_a_later_record_contained_waits_for_nobody() {
    let failed = Made { outcome: Some("failed"), minute: 1, ..MADE };
    let held = Made { outcome: Some("held"), minute: 2, ..MADE };
    let waits = |all: &[&Made]| {
        let entries: Vec<Entry> = all.iter().map(|one| entry(one)).collect();
        let place = home();
        let summary = Summary::of(&entries, Exemptions::default(), &place, november());
        (summary.needs_human.iter().map(|need| need.outcome).collect::<Vec<_>>(), summary.settled)
    };
    assert_eq!(waits(&[&held, &failed]), (vec!["failed", "held"], 0), "the worst first");
    assert_eq!(waits(&[&failed, &held, &Made { minute: 3, ..MADE }]), (vec![], 2));
    assert_eq!(waits(&[&Made { minute: 0, ..MADE }, &failed]), (vec!["failed"], 0), "contained before");
    assert_eq!(waits(&[&failed, &Made { minute: 3, subject: "i-2", ..MADE }]), (vec!["failed"], 0));
    assert_eq!(waits(&[&Made { undone: true, ..failed.clone() }]), (vec![], 0), "taken back");
}

#[test]
fn a_run_that_is_at_it_waits_for_nobody_and_an_interrupted_one_does() {
    let mut open = entry(&Made { outcome: None, ..MADE });
    let of = |entry: &Entry| needs::of(std::slice::from_ref(entry), november().made).0.len();
    assert_eq!(of(&open), 1);
    open.record.lease = at("2026-12-01T00:00:01Z");
    assert_eq!(of(&open), 0);
}

#[test]
fn an_undo_that_did_not_end_waits_for_a_human() {
    let mut half = entry(&Made { undone: true, ..MADE });
    assert!(needs::of(std::slice::from_ref(&half), november().made).0.is_empty());
    half.undo.as_mut().unwrap().finished = None;
    let (needs, _) = needs::of(std::slice::from_ref(&half), november().made);
    assert!(needs[0].advice.contains("tourniquet undo"), "{}", needs[0].advice);
}

#[test]
fn an_actor_has_the_best_name_there_is() {
    let mut one = entry(&MADE).record;
    assert_eq!(actor(&one), "unknown");
    one.cause.what = "sweep".to_owned();
    assert_eq!(actor(&one), "found by a sweep");
    one.actor.source_ip = Some("198.51.100.7".to_owned());
    assert_eq!(actor(&one), "198.51.100.7");
    one.actor.principal = Some("ann".to_owned());
    assert_eq!(actor(&one), "ann");
}
