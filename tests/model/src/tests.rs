use std::collections::BTreeSet;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use crate::promises::{EXAMPLES, PROMISES};
use crate::world::{Break, Protocol};

/// Two changes of one subject, one delivery that Lambda repeats once.
const ONE: Protocol = Protocol {
    harm: [0b11, 0],
    deliveries: &[0],
    sweeps: &[],
    retries: 1,
    undos: 0,
    undo_tries: 0,
    kills: 0,
    losses: 0,
    idle_calls: 0,
    attacks: 0,
    ticks: 2,
    limit: 9,
    exempt: 9,
    broken: None,
};
/// The same event twice at once; a process dies, an answer gets lost.
const DOUBLED: Protocol = Protocol { deliveries: &[0, 0], retries: 0, kills: 1, losses: 1, ..ONE };
/// A change of which AWS says that it was made and that does not show.
const IDLE: Protocol = Protocol { kills: 1, idle_calls: 1, ..ONE };
/// A sweep comes by while a delivery is at it, and the harm comes back after it was contained.
const AGAIN: Protocol = Protocol { sweeps: &[0], kills: 1, attacks: 1, ..ONE };
/// A human takes it back while the delivery and its repetition are at it; two of them die.
const HUMAN: Protocol = Protocol { undos: 1, undo_tries: 2, kills: 2, ..ONE };
/// A human takes it back while a second delivery of the event is at it.
const CROWD: Protocol = Protocol { deliveries: &[0, 0], retries: 0, undos: 1, undo_tries: 1, ..ONE };
const SWEPT: Protocol = Protocol { sweeps: &[0], retries: 0, undos: 1, undo_tries: 1, kills: 1, ..ONE };
/// Two humans take the same record back.
const HUMANS: Protocol = Protocol { retries: 0, undos: 2, undo_tries: 2, kills: 1, ..ONE };
/// The exemption ends while a run is at it.
const EXPIRES: Protocol =
    Protocol { deliveries: &[0, 0], retries: 0, undos: 1, undo_tries: 1, ticks: 3, exempt: 2, ..ONE };
/// Two subjects, one change an hour, and the hour ends.
const LIMIT: Protocol =
    Protocol { harm: [0b1, 0b1], deliveries: &[0, 1], kills: 1, losses: 1, limit: 1, ..ONE };

fn broken_by(protocol: &Protocol) -> (BTreeSet<&'static str>, String) {
    #[expect(clippy::disallowed_methods, reason = "the checker runs outside of the pipeline")]
    let began = Instant::now();
    let checker =
        protocol.clone().checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let found = checker.discoveries();
    let failed = found.iter().filter(|(name, _)| PROMISES.iter().any(|(promise, _)| promise == *name));
    let mut said = format!(
        "{} states, {} steps deep, {:.1} s",
        checker.unique_state_count(),
        checker.max_depth(),
        began.elapsed().as_secs_f64()
    );
    for (name, path) in failed.clone() {
        said = format!("{said}\n  {name}: {:?}", path.clone().into_actions());
    }
    (found.into_keys().collect(), said)
}

/// Every promise holds in every state, and what they speak of does happen.
fn holds(name: &str, protocol: &Protocol, examples: &[&str]) {
    let (found, said) = broken_by(protocol);
    println!("{name}: {said}");
    let wanted: BTreeSet<&str> = examples.iter().copied().chain(["contained"]).collect();
    assert!(examples.iter().all(|example| EXAMPLES.iter().any(|(known, _)| known == example)));
    assert!(found.iter().all(|name| PROMISES.iter().all(|(promise, _)| promise != name)), "{said}");
    assert!(wanted.is_subset(&found), "{name} shows only {found:?}");
}

/// With one rule broken, a promise does not hold.
fn fails(rule: Break, protocol: &Protocol, promise: &str) {
    let (found, said) = broken_by(&Protocol { broken: Some(rule), ..protocol.clone() });
    println!("{rule:?}: {said}");
    assert!(found.contains(promise), "{rule:?} broke {found:?} and not {promise}");
}

#[test]
fn law_3_a_doubled_event_with_processes_that_die() {
    holds("doubled", &DOUBLED, &["taken over"]);
    holds("idle", &IDLE, &["taken over", "partial"]);
    holds("again", &AGAIN, &["contained twice"]);
}

#[test]
fn law_7_humans_take_it_back_while_runs_are_at_it() {
    holds("human", &HUMAN, &["taken back", "exempt"]);
    holds("crowd", &CROWD, &["taken back", "exempt"]);
    holds("swept", &SWEPT, &["taken back", "exempt"]);
    holds("humans", &HUMANS, &["taken back"]);
    holds("expires", &EXPIRES, &["taken back", "contained twice"]);
}

#[test]
fn law_9_the_last_of_the_change_limit() {
    holds("limit", &LIMIT, &["held"]);
}

#[test]
fn each_rule_is_needed() {
    fails(Break::Believes, &IDLE, "never_contained_unless_safe");
    fails(Break::ChangesFirst, &ONE, "recorded_before_changed");
    fails(Break::NoLease, &DOUBLED, "nobody_writes_over_a_running_lease");
    fails(Break::FailureOverLease, &DOUBLED, "nobody_writes_over_a_running_lease");
    fails(Break::LeaseNotRenewed, &DOUBLED, "no_two_runs_change_a_subject_at_once");
    fails(Break::LeaseNotRenewed, &HUMAN, "what_a_human_took_back_stays_until_the_exemption_ends");
    fails(Break::NoVersion, &HUMAN, "undone_stays_undone");
    fails(Break::LostVersionCounts, &HUMAN, "undone_stays_undone");
    fails(Break::ExemptionLast, &HUMAN, "exempt_before_the_first_change_is_taken_back");
    fails(Break::OldExemptions, &CROWD, "what_a_human_took_back_stays_until_the_exemption_ends");
    fails(Break::NoMark, &HUMAN, "what_a_human_took_back_stays_until_the_exemption_ends");
    fails(Break::RecordForEach, &DOUBLED, "one_open_record_for_a_subject_and_cause");
    fails(Break::NewBeforeImages, &DOUBLED, "before_images_are_of_before_the_first_change");
    fails(Break::LimitReadBefore, &LIMIT, "the_limit_is_never_exceeded");
    fails(Break::LockForLease, &DOUBLED, "every_delivery_ends_answered_or_in_the_dead_letter_queue");
    fails(Break::OpenNotSwept, &DOUBLED, "an_interrupted_record_is_finished");
    fails(Break::TellsLast, &DOUBLED, "what_is_contained_was_told");
}
