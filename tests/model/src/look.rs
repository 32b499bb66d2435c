//! What a run reads, and what it decides from it: `shared/src/run/mod.rs`.

use crate::state::{At, Draft, Knows, LEASE, Outcome, Record, Run, State, Then};
use crate::world::{Break, Protocol, Step};

/// How often a run is refused its record before it gives up.
const REFUSALS: u8 = 2;
/// How often it looks again for a change that does not show.
const LOOKS: u8 = 1;

impl Protocol {
    /// What a run can do next.
    pub(crate) fn steps(&self, state: &State, n: usize, mut may: impl FnMut(Step)) {
        let run = &state.runs[n];
        match &run.at {
            At::Due => may(Step::Begin),
            At::Looking { resource, records, exemptions } => {
                for (read, step) in [
                    (resource, Step::ReadResource),
                    (records, Step::ReadRecords),
                    (exemptions, Step::ReadExemptions),
                ] {
                    if !read {
                        may(step);
                    }
                }
            }
            At::Waiting { .. } => {
                if !self.is_held(state, n) {
                    may(Step::ReadRecords);
                } else if self.is(Break::FailureOverLease) {
                    may(Step::RunOut);
                }
            }
            At::Asking { records: false } => may(Step::ReadRecords),
            At::Listing | At::Asking { .. } => may(Step::ReadExemptions),
            At::Again => may(Step::ReadResource),
            At::Recording(..) | At::Closing(_) => {
                may(Step::Write);
                if state.losses > 0 && !self.is_last(n) {
                    may(Step::WriteAndLoseTheAnswer);
                }
            }
            At::Applying(left) => self.changes(state, n, *left, &mut may),
            At::Telling(_) => may(Step::Tell),
            At::Answered | At::DeadLetter => return,
        }
        if state.kills > 0 && run.at != At::Due && !self.is_last(n) {
            may(Step::Die);
        }
    }

    fn changes(&self, state: &State, n: usize, left: u8, may: &mut impl FnMut(Step)) {
        let renews = !self.is(Break::LeaseNotRenewed);
        let lease = state.runs[n].knows.record.as_ref().map(|(_, record)| record.lease);
        if lease.is_some_and(|lease| renews && lease <= state.now + 1) {
            may(Step::Renew);
        }
        if lease.is_some_and(|lease| renews && lease <= state.now) {
            return;
        }
        for change in (0..2).filter(|change| left & (1 << change) != 0) {
            may(Step::Apply(change));
            if state.idle_calls > 0 && !self.is_last(n) {
                may(Step::ApplyIdly(change));
            }
        }
    }

    /// Whether the newest record is another run's that is at it.
    pub(crate) fn is_held(&self, state: &State, n: usize) -> bool {
        let latest = state.subjects[state.runs[n].subject].records.last();
        latest.is_some_and(|record| self.is_anothers(record, n, state.now))
    }

    fn is_anothers(&self, record: &Record, n: usize, now: u8) -> bool {
        let runs = if self.is(Break::LockForLease) {
            record.outcome.is_none() && !record.undone
        } else {
            record.is_at_work(now) && !self.is(Break::NoLease)
        };
        runs && usize::from(record.owner) != n
    }

    /// A read, or what begins and ends a run.
    pub(crate) fn read(&self, state: &mut State, n: usize, step: Step) {
        let (now, taken) = (state.now, state.taken[usize::from(state.hour())]);
        let subject = state.subjects[state.runs[n].subject].clone();
        let run = &mut state.runs[n];
        let known = (run.knows.records.len(), run.knows.records.last().map(|r| r.version));
        match step {
            Step::ReadResource => run.knows.harm = subject.harm,
            Step::ReadExemptions => run.knows.exempt = subject.exempt,
            Step::ReadRecords => {
                run.knows.records = subject.records;
                run.knows.taken = taken;
            }
            _ => {}
        }
        match (&mut run.at, step) {
            (At::Due, _) if run.sweeps => {
                let ended = |record: &Record| record.outcome == Some(Outcome::Contained);
                let open = !self.is(Break::OpenNotSwept);
                let watched = state.subjects[run.subject].records.last().is_some_and(|r| open || ended(r));
                run.at = if watched { At::Listing } else { At::Answered };
            }
            (At::Due, _) => {
                // Where no human is, nobody writes exemptions.
                run.at = At::Looking { resource: false, records: false, exemptions: self.undos == 0 };
            }
            (At::Listing, _) => {
                run.at = At::Looking { resource: false, records: false, exemptions: true };
            }
            (At::Looking { resource, records, exemptions }, _) => {
                *resource |= step == Step::ReadResource;
                *records |= step == Step::ReadRecords;
                *exemptions |= step == Step::ReadExemptions;
                if *resource && *records && *exemptions {
                    let held = run.knows.records.last().is_some_and(|r| self.is_anothers(r, n, now));
                    let contained = run.knows.records.iter().any(|r| r.outcome == Some(Outcome::Contained));
                    if held {
                        run.at = At::Waiting { refused: false };
                    } else if contained {
                        run.at = At::Again;
                    } else {
                        self.decide(state, n);
                    }
                }
            }
            (At::Waiting { refused }, _) => {
                let refused = *refused;
                Self::waited(run, refused);
            }
            (At::Asking { records }, Step::ReadRecords) => {
                *records = true;
                let newest = |records: &[Record]| (records.len(), records.last().map(|r| r.version));
                let changed = newest(&run.knows.records) != known;
                run.knows.asked = !changed;
                if run.knows.records.last().is_some_and(|r| self.is_anothers(r, n, now)) {
                    run.at = At::Waiting { refused: false };
                } else if changed {
                    run.at = At::Again;
                }
            }
            (At::Asking { .. } | At::Again, _) => self.decide(state, n),
            _ => {}
        }
    }

    /// Another run's record is nobody's now.
    fn waited(run: &mut Run, refused: bool) {
        (run.knows.waited, run.knows.asked) = (true, false);
        let contained = run.knows.records.last().is_some_and(|r| r.outcome == Some(Outcome::Contained));
        run.at = if refused && contained { At::Answered } else { At::Again };
    }

    /// From what was seen to the next write.
    fn decide(&self, state: &mut State, n: usize) {
        let (now, hour) = (state.now, state.hour());
        let run = &mut state.runs[n];
        let latest = run.knows.records.last();
        let knows = &run.knows;
        if knows.harm == 0 {
            run.at = if knows.record.is_some() {
                self.end(Outcome::Contained)
            } else if latest.is_some_and(Record::is_unfinished) {
                let draft = self.draft(knows, n, now, 0, None);
                At::Recording(draft, Then::End(Outcome::Contained))
            } else {
                At::Answered
            };
            return;
        }
        if !knows.gated {
            let continued = latest.filter(|record| record.is_continued());
            let earlier = knows.records.len() - usize::from(continued.is_some());
            let may_be_released = knows.records[..earlier].iter().any(|record| record.counted.is_some());
            if (may_be_released || knows.waited) && !knows.asked && !self.is(Break::OldExemptions) {
                run.knows.asked = true;
                run.at = At::Asking { records: false };
                return;
            }
            if knows.exempt.is_some_and(|end| end > now) {
                let told = latest.is_some_and(|r| r.outcome == Some(Outcome::Exempt) && r.told);
                run.at = if told {
                    At::Answered
                } else {
                    let draft = self.draft(knows, n, now, 0, None);
                    At::Recording(draft, Then::End(Outcome::Exempt))
                };
                return;
            }
            run.knows.gated = true;
        }
        let fresh = run.knows.harm & !run.knows.done;
        run.at = if fresh == 0 && run.knows.looks < LOOKS {
            run.knows.looks += 1;
            At::Again
        } else if fresh == 0 {
            self.end(Outcome::Partial)
        } else if self.is(Break::ChangesFirst) {
            At::Applying(fresh)
        } else {
            At::Recording(self.draft(&run.knows, n, now, fresh, Some(hour)), Then::Apply(fresh))
        };
    }

    /// The record that is to be written: `hour` says from whose limit a new one takes.
    fn draft(&self, knows: &Knows, n: usize, now: u8, fresh: u8, hour: Option<u8>) -> Draft {
        let owner = u8::try_from(n).unwrap_or(u8::MAX);
        if let Some((at, own)) = &knows.record {
            let mut record = own.clone();
            plan(&mut record, fresh);
            (record.version, record.lease) = (own.version + 1, now + LEASE);
            return Draft { record, at: *at, prior: Some(own.version), takes_one: false };
        }
        let continued = |record: &&Record| {
            record.is_continued() && !(self.is(Break::RecordForEach) && record.outcome.is_none())
        };
        let latest = knows.records.last().filter(continued);
        let mut record = latest.cloned().unwrap_or(Record {
            version: 0,
            owner,
            lease: 0,
            outcome: None,
            planned: 0,
            before: 0,
            counted: None,
            told: false,
            undone: false,
        });
        if record.counted.is_none() || self.is(Break::NewBeforeImages) {
            record.before = 0;
            if record.counted.is_none() {
                record.planned = 0;
            }
        }
        plan(&mut record, fresh);
        if self.is(Break::NewBeforeImages) {
            record.before = record.planned & knows.harm;
        }
        let takes_one = record.counted.is_none() && hour.is_some();
        record.counted = record.counted.or(hour);
        (record.version, record.owner, record.lease) = (record.version + 1, owner, now + LEASE);
        (record.outcome, record.told) = (None, false);
        let at = knows.records.len() - usize::from(latest.is_some());
        Draft { record, at, prior: latest.map(|latest| latest.version), takes_one }
    }

    /// How a run ends that has its record.
    pub(crate) fn end(&self, outcome: Outcome) -> At {
        if self.is(Break::TellsLast) { At::Closing(outcome) } else { At::Telling(outcome) }
    }

    /// A run that was refused its record reads it again, a few times.
    pub(crate) fn refused(run: &mut Run) {
        run.knows.refusals += 1;
        run.knows.gated = false;
        run.knows.asked = false;
        if run.knows.refusals > REFUSALS {
            Self::fail(run);
        } else {
            run.at = At::Waiting { refused: true };
        }
    }

    /// An error: Lambda delivers again, or keeps the event in the dead-letter queue.
    pub(crate) fn fail(run: &mut Run) {
        run.knows = Knows::default();
        run.at = if run.retries > 0 { At::Due } else { At::DeadLetter };
        run.retries = run.retries.saturating_sub(1);
    }

    /// The failure of a run without a record, as it would be filed over another's.
    pub(crate) fn file_over(&self, state: &mut State, n: usize) {
        let now = state.now;
        let run = &mut state.runs[n];
        let draft = self.draft(&run.knows, n, now, 0, None);
        run.at = At::Recording(draft, Then::End(Outcome::Partial));
    }
}

/// Adds changes to a plan; one that is there keeps its before-image, which is the older one.
fn plan(record: &mut Record, fresh: u8) {
    record.before |= fresh & !record.planned;
    record.planned |= fresh;
}
