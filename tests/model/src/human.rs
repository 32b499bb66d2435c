//! A human who takes a record back: `crates/operator/src/undo`.

use crate::promises::EXEMPT_BEFORE;
use crate::state::{Doing, LEASE, State, Undo};
use crate::world::{Break, Deed, Protocol};

impl Protocol {
    /// What a human can do next.
    pub(crate) fn deeds(state: &State, n: usize, mut may: impl FnMut(Deed)) {
        let human = &state.humans[n];
        let subject = &state.subjects[human.subject];
        match human.doing {
            Doing::Nothing => {
                let Some((at, record)) =
                    subject.records.iter().enumerate().rev().find(|(_, record)| record.counted.is_some())
                else {
                    return;
                };
                let held = subject
                    .undo
                    .is_some_and(|undo| undo.record == at && !undo.finished && undo.lease > state.now);
                if !held && !record.is_at_work(state.now) {
                    may(Deed::Look);
                }
                return;
            }
            Doing::Agreed { .. } => may(Deed::Begin),
            Doing::Reverting { left: 0, .. } => may(Deed::Close),
            Doing::Reverting { left, .. } => {
                may(Deed::Revert(u8::try_from(left.trailing_zeros()).unwrap_or(0)));
            }
            Doing::Ended => return,
        }
        if state.kills > 0 {
            may(Deed::Die);
        }
    }

    /// One deed of a human.
    pub(crate) fn deed(&self, state: &mut State, n: usize, deed: Deed) {
        let now = state.now;
        let human = &mut state.humans[n];
        let subject = &mut state.subjects[human.subject];
        match (human.doing, deed) {
            (Doing::Nothing, _) => {
                let newest = subject.records.iter().enumerate().rev().find(|(_, r)| r.counted.is_some());
                let Some((record, seen)) = newest else { return };
                let undo = subject.undo.filter(|undo| undo.record == record);
                human.doing = if undo.is_some_and(|undo| undo.finished) {
                    Doing::Ended
                } else {
                    let undo = undo.map(|undo| undo.version);
                    Doing::Agreed { record, version: seen.version, undo }
                };
            }
            (_, Deed::Die) => {
                state.kills -= 1;
                again(state, n);
            }
            (Doing::Agreed { record, version, undo }, _) => {
                let stands = subject.undo.filter(|undo| undo.record == record).map(|undo| undo.version);
                let stored = &mut subject.records[record];
                if stored.version != version || stands != undo {
                    return again(state, n);
                }
                if !self.is(Break::NoMark) {
                    stored.version += 1;
                    stored.undone = true;
                }
                let left = stored.planned & stored.before;
                let version = undo.unwrap_or(0) + 1;
                subject.undo = Some(Undo { record, version, lease: now + LEASE, finished: false });
                if !self.is(Break::ExemptionLast) {
                    subject.exempt = Some(now + self.exempt);
                }
                human.doing = Doing::Reverting { record, version, left };
            }
            (Doing::Reverting { record, version, left }, Deed::Revert(change)) => {
                if subject.exempt.is_none() {
                    state.broken |= EXEMPT_BEFORE;
                }
                subject.harm |= 1 << change;
                subject.released |= 1 << change;
                human.doing = Doing::Reverting { record, version, left: left & !(1 << change) };
            }
            (Doing::Reverting { record, version, .. }, _) => {
                if self.is(Break::ExemptionLast) {
                    subject.exempt = Some(now + self.exempt);
                }
                if let Some(undo) = subject.undo.as_mut()
                    && (undo.record, undo.version) == (record, version)
                {
                    undo.finished = true;
                }
                human.doing = Doing::Ended;
            }
            (Doing::Ended, _) => {}
        }
    }
}

/// The human tries again, a few times.
fn again(state: &mut State, n: usize) {
    let human = &mut state.humans[n];
    human.tries -= 1;
    human.doing = if human.tries > 0 { Doing::Nothing } else { Doing::Ended };
}
