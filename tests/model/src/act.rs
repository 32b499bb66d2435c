//! What a run writes and changes: `shared/src/run/apply.rs`, `close.rs` and `shared/src/journal/write.rs`.

use crate::promises::{LEASE_KEPT, ONE_AT_ONCE, RECORDED_BEFORE, SAFE_SEEN, UNDONE_STAYS};
use crate::state::{At, Draft, LEASE, Outcome, Record, State, Then};
use crate::world::{Break, Protocol, Step};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sent {
    Ours,
    Duplicate,
    LimitReached,
}

impl Protocol {
    /// One step of a run.
    pub(crate) fn step(&self, state: &mut State, n: usize, step: Step) {
        match step {
            Step::Begin | Step::ReadExemptions | Step::ReadRecords | Step::ReadResource => {
                self.read(state, n, step);
            }
            Step::Write => self.write(state, n),
            Step::WriteAndLoseTheAnswer => {
                state.losses -= 1;
                let mut draft = Self::next_write(state, n);
                self.send(state, n, &mut draft);
            }
            Step::Apply(change) => self.apply(state, n, change, true),
            Step::ApplyIdly(change) => {
                state.idle_calls -= 1;
                self.apply(state, n, change, false);
            }
            Step::Renew => self.renew(state, n),
            Step::Tell => self.tell(state, n),
            Step::RunOut => self.file_over(state, n),
            Step::Die => {
                state.kills -= 1;
                Self::fail(&mut state.runs[n]);
            }
        }
    }

    fn next_write(state: &State, n: usize) -> Draft {
        let run = &state.runs[n];
        match (&run.at, &run.knows.record) {
            (At::Recording(draft, _), _) => draft.clone(),
            (At::Closing(outcome), Some((at, record))) => {
                let next = Record { version: record.version + 1, outcome: Some(*outcome), ..record.clone() };
                Draft { record: next, at: *at, prior: Some(record.version), takes_one: false }
            }
            _ => unreachable!("a run writes where it records or closes"),
        }
    }

    /// One conditional write, or a transaction of two. What stands there may be this very write, sent twice.
    fn send(&self, state: &mut State, n: usize, draft: &mut Draft) -> Sent {
        let (now, hour) = (state.now, state.hour());
        let subject = &mut state.subjects[state.runs[n].subject];
        let stored = subject.records.get(draft.at);
        let holds = stored.map(|record| record.version) == draft.prior;
        if !holds && !self.is(Break::NoVersion) {
            let counted = stored.and_then(|record| record.counted);
            let sent = Record { counted, ..draft.record.clone() };
            if stored != Some(&sent) {
                return Sent::Duplicate;
            }
            draft.record = sent;
            return Sent::Ours;
        }
        let taken = &mut state.taken[usize::from(hour)];
        if draft.takes_one {
            let seen = if self.is(Break::LimitReadBefore) { state.runs[n].knows.taken } else { *taken };
            if seen >= self.limit {
                return Sent::LimitReached;
            }
            *taken += 1;
        }
        if let Some(stored) = stored {
            let broken = [
                (stored.undone && !draft.record.undone, UNDONE_STAYS),
                (stored.is_at_work(now) && stored.owner != draft.record.owner, LEASE_KEPT),
            ];
            state.broken |= broken.iter().filter(|(is, _)| *is).fold(0, |all, (_, bit)| all | bit);
        }
        if draft.takes_one {
            draft.record.counted = Some(hour);
        }
        let record = draft.record.clone();
        if draft.at < subject.records.len() {
            subject.records[draft.at] = record;
        } else {
            subject.records.push(record);
            subject.made.push([None; 2]);
        }
        Sent::Ours
    }

    fn write(&self, state: &mut State, n: usize) {
        let mut draft = Self::next_write(state, n);
        let sent = self.send(state, n, &mut draft);
        let run = &mut state.runs[n];
        match (run.at.clone(), sent) {
            (At::Recording(_, then), Sent::Ours) => {
                let new = run.knows.record.is_none();
                run.knows.was_safe &= !new;
                run.knows.record = Some((draft.at, draft.record));
                run.at = match then {
                    Then::Apply(changes) => At::Applying(changes),
                    Then::End(outcome) => self.end(outcome),
                };
            }
            (At::Recording(..), Sent::LimitReached) => {
                let mut held = draft;
                (held.record.counted, held.record.planned, held.takes_one) = (None, 0, false);
                run.at = At::Recording(held, Then::End(Outcome::Held));
            }
            (At::Recording(..), Sent::Duplicate) if run.knows.record.is_some() => self.lost(state, n),
            (At::Recording(_, Then::Apply(_)), Sent::Duplicate) => Self::refused(run),
            // Another run ends the record, or tells the outcome.
            (At::Recording(..), Sent::Duplicate) => run.at = At::Answered,
            (At::Closing(outcome), Sent::Ours) => {
                let ghost = run.knows.was_safe;
                if outcome == Outcome::Contained && !ghost {
                    state.broken |= SAFE_SEEN;
                }
                if self.is(Break::TellsLast) {
                    run.at = At::Telling(outcome);
                } else {
                    Self::answer(state, n, outcome);
                }
            }
            _ => Self::fail(run),
        }
    }

    /// The run's record has become another's: it makes no more changes and says so.
    fn lost(&self, state: &mut State, n: usize) {
        let run = &mut state.runs[n];
        if self.is(Break::LostVersionCounts)
            && let Some((_, record)) = run.knows.record.as_mut()
        {
            record.version += 1;
        }
        run.at = self.end(Outcome::Partial);
    }

    fn answer(state: &mut State, n: usize, outcome: Outcome) {
        let run = &mut state.runs[n];
        if outcome == Outcome::Partial {
            Self::fail(run);
        } else {
            run.at = At::Answered;
        }
    }

    fn tell(&self, state: &mut State, n: usize) {
        let run = &mut state.runs[n];
        let At::Telling(outcome) = run.at else { return };
        state.subjects[run.subject].messages = 1;
        if let Some((_, record)) = run.knows.record.as_mut() {
            record.told = true;
        }
        if self.is(Break::TellsLast) {
            Self::answer(state, n, outcome);
        } else {
            run.at = At::Closing(outcome);
        }
    }

    fn renew(&self, state: &mut State, n: usize) {
        let Some((at, record)) = state.runs[n].knows.record.clone() else { return };
        let next = Record { version: record.version + 1, lease: state.now + LEASE, ..record.clone() };
        let mut draft = Draft { record: next, at, prior: Some(record.version), takes_one: false };
        if self.send(state, n, &mut draft) == Sent::Ours {
            state.runs[n].knows.record = Some((at, draft.record));
        } else {
            self.lost(state, n);
        }
    }

    fn apply(&self, state: &mut State, n: usize, change: u8, shows: bool) {
        let bit = 1 << change;
        let others = state.runs.iter().enumerate().any(|(other, run)| {
            let in_time = run.knows.record.as_ref().is_none_or(|(_, record)| record.lease > state.now);
            other != n
                && run.subject == state.runs[n].subject
                && matches!(run.at, At::Applying(_))
                && (in_time || self.is(Break::LeaseNotRenewed))
        });
        let run = &mut state.runs[n];
        let subject = &mut state.subjects[run.subject];
        let at = run.knows.record.as_ref().map(|(at, _)| *at);
        let stored = at.and_then(|at| subject.records.get(at));
        if others {
            state.broken |= ONE_AT_ONCE;
        }
        if !stored.is_some_and(|record| record.planned & bit != 0 && record.counted.is_some()) {
            state.broken |= RECORDED_BEFORE;
        }
        if shows {
            if let Some(at) = at.filter(|_| subject.harm & bit != 0) {
                let owner = u8::try_from(n).unwrap_or(u8::MAX);
                subject.made[at][usize::from(change)].get_or_insert(owner);
            }
            subject.harm &= !bit;
        }
        run.knows.done |= bit;
        let At::Applying(left) = run.at else { return };
        run.at = match left & !bit {
            0 if self.is(Break::Believes) => self.end(Outcome::Contained),
            0 => At::Again,
            left => At::Applying(left),
        };
    }
}
