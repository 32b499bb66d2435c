//! What holds in every state.

use stateright::Property;

use crate::state::{At, Outcome, Record, State};
use crate::world::Protocol;

pub(crate) const SAFE_SEEN: u16 = 1;
pub(crate) const RECORDED_BEFORE: u16 = 2;
pub(crate) const ONE_AT_ONCE: u16 = 4;
pub(crate) const UNDONE_STAYS: u16 = 8;
pub(crate) const EXEMPT_BEFORE: u16 = 16;
pub(crate) const LEASE_KEPT: u16 = 32;

type Holds = fn(&Protocol, &State) -> bool;

/// What holds in every state.
pub(crate) const PROMISES: [(&str, Holds); 13] = [
    ("never_contained_unless_safe", |_, state| state.keeps(SAFE_SEEN)),
    ("recorded_before_changed", |_, state| state.keeps(RECORDED_BEFORE)),
    ("no_two_runs_change_a_subject_at_once", |_, state| state.keeps(ONE_AT_ONCE)),
    ("nobody_writes_over_a_running_lease", |_, state| state.keeps(LEASE_KEPT)),
    ("undone_stays_undone", |_, state| state.keeps(UNDONE_STAYS)),
    ("exempt_before_the_first_change_is_taken_back", |_, state| state.keeps(EXEMPT_BEFORE)),
    ("what_a_human_took_back_stays_until_the_exemption_ends", stays),
    ("one_open_record_for_a_subject_and_cause", one_open),
    ("before_images_are_of_before_the_first_change", before_images),
    ("the_limit_is_never_exceeded", limit),
    ("every_delivery_ends_answered_or_in_the_dead_letter_queue", ends),
    ("an_interrupted_record_is_finished", finished),
    ("what_is_contained_was_told", told),
];

/// What happens in some state: promises about what never happens hold nothing.
pub(crate) const EXAMPLES: [(&str, Holds); 7] = [
    ("contained", |_, state| any(state, |record| record.outcome == Some(Outcome::Contained))),
    ("contained twice", |_, state| {
        let contained = |record: &&Record| record.outcome == Some(Outcome::Contained);
        state.subjects.iter().any(|subject| subject.records.iter().filter(contained).count() == 2)
    }),
    ("taken over", |_, state| {
        state
            .subjects
            .iter()
            .flat_map(|subject| &subject.made)
            .any(|made| made[0].is_some() && made[1].is_some() && made[0] != made[1])
    }),
    ("partial", |_, state| any(state, |record| record.outcome == Some(Outcome::Partial))),
    ("held", |_, state| any(state, |record| record.outcome == Some(Outcome::Held))),
    ("exempt", |_, state| any(state, |record| record.outcome == Some(Outcome::Exempt))),
    ("taken back", |_, state| state.subjects.iter().any(|s| s.undo.is_some_and(|undo| undo.finished))),
];

/// For the checker.
pub(crate) fn all() -> Vec<Property<Protocol>> {
    let promises = PROMISES.iter().map(|(name, holds)| Property::always(name, *holds));
    promises.chain(EXAMPLES.iter().map(|(name, is)| Property::sometimes(name, *is))).collect()
}

impl State {
    fn keeps(&self, promise: u16) -> bool {
        self.broken & promise == 0
    }
}

fn any(state: &State, is: impl Fn(&Record) -> bool) -> bool {
    state.subjects.iter().flat_map(|subject| &subject.records).any(is)
}

fn one_open(_: &Protocol, state: &State) -> bool {
    let open = |record: &&Record| record.outcome.is_none() && !record.undone;
    state.subjects.iter().all(|subject| subject.records.iter().filter(open).count() <= 1)
}

/// What was changed under a record can be put back from it.
fn before_images(_: &Protocol, state: &State) -> bool {
    state.subjects.iter().all(|subject| {
        subject.records.iter().zip(&subject.made).all(|(record, made)| {
            (0..2).all(|change| made[change].is_none() || record.before & (1 << change) != 0)
        })
    })
}

fn limit(protocol: &Protocol, state: &State) -> bool {
    let records = || state.subjects.iter().flat_map(|subject| subject.records.iter().zip(&subject.made));
    let hours = 0..u8::try_from(state.taken.len()).unwrap_or(u8::MAX);
    hours.into_iter().all(|hour| {
        let changed = |(record, made): &(&Record, &[Option<u8>; 2])| {
            record.counted == Some(hour) && made.iter().any(Option::is_some)
        };
        records().filter(changed).count() <= usize::from(protocol.limit)
    })
}

fn stays(_: &Protocol, state: &State) -> bool {
    state.subjects.iter().all(|subject| {
        let Some(undo) = subject.undo.filter(|undo| undo.finished && subject.is_exempt(state.now)) else {
            return true;
        };
        let record = &subject.records[undo.record];
        let taken_back = record.planned & record.before;
        subject.harm & taken_back == taken_back
    })
}

fn ends(protocol: &Protocol, state: &State) -> bool {
    let ended = state.runs.iter().all(|run| matches!(run.at, At::Answered | At::DeadLetter));
    ended || state.broken != 0 || !protocol.is_quiet(state)
}

/// At the end a sweep has come by.
fn finished(protocol: &Protocol, state: &State) -> bool {
    let open = |record: &Record| {
        record.is_unfinished() && !matches!(record.outcome, Some(Outcome::Exempt | Outcome::Held))
    };
    !any(state, open) || state.broken != 0 || !protocol.is_quiet(state)
}

fn told(protocol: &Protocol, state: &State) -> bool {
    let silent = state.subjects.iter().any(|subject| {
        subject.messages == 0 && subject.records.iter().any(|r| r.outcome == Some(Outcome::Contained))
    });
    !silent || !protocol.is_quiet(state)
}
