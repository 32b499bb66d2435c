//! The record of a run: begun before the first change, gone on with after an interruption, never owned by two.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;

use super::{Ending, Run, Stop};
use crate::clock;
use crate::engine::Origin;
use crate::journal::{Begin, Limit, Record};
use crate::outcome::Outcome;
use crate::plan::{Recorded, Step};
use crate::room::Room;

/// How often a run that waits for another one looks at its record.
const LOOK_EVERY: Duration = Duration::from_millis(150);
/// How often a run is refused its record and reads it again, before it gives up.
const REFUSALS: u32 = 5;

impl<R: Room> Run<'_, R> {
    /// Waits while another delivery of the same cause is at it, until that one ends or its lease does. True if it
    /// waited, so that what was observed is old, and so are the exemptions.
    ///
    /// A run that has lost its process is taken over when its lease ends, well before Lambda would retry.
    pub(super) async fn wait_for_other(&mut self) -> bool {
        let mut waited = false;
        while self.is_held() {
            waited = true;
            clock::pause(LOOK_EVERY).await;
            let read = self.engine.journal.history(R::NAME, &self.lead.place, &self.lead.subject).await;
            // One that fails is made again, until the lease ends that is known.
            if let Ok(known) = read {
                self.history = known.records;
            }
        }
        self.waited |= waited;
        waited
    }

    /// Whether another delivery of the same cause is at it.
    pub(super) fn is_held(&self) -> bool {
        self.latest().is_some_and(|r| r.is_held_by_another(&self.invocation.id, clock::now()))
    }

    /// Puts steps on record before they are applied: in a new record, or added to ours.
    pub(super) async fn record_steps(&mut self, steps: &[Step<R::Change>], why: &str) -> Stop {
        let recorded: Vec<Recorded> = steps.iter().map(|s| Recorded::of(&s.change)).collect();
        self.keep_changes(&recorded);
        if self.without_journal.is_some() {
            return Stop::No;
        }
        if let Some(record) = self.record.as_mut() {
            record.add_steps(recorded);
            record.lease = lease(self.engine.config.lease_seconds);
            let saved = self.engine.journal.save(record).await;
            return saved.map_or_else(|error| self.journal_lost(error), |()| Stop::No);
        }
        let (mut record, prior) = self.draft(why);
        record.add_steps(recorded);
        let resumed = record.counted;
        let limit = Limit { changes: self.engine.config.changes_per_hour, urgent: R::URGENT };
        record.counted = true;
        match self.engine.journal.begin(&record, prior, (!resumed).then_some(limit)).await {
            Ok(Begin::Ours) => {
                self.keep_changes(&record.steps);
                self.record = Some(record);
                self.resumed = resumed;
                Stop::No
            }
            Ok(Begin::LimitReached(ceiling)) => {
                let why = format!("{why}; {}", limit.says(ceiling, &record.actor));
                Stop::End(Ending { ceiling: Some(ceiling), ..Ending::new(Outcome::Held, why) })
            }
            Ok(Begin::Duplicate) => self.refused().await,
            Err(error) => self.journal_lost(error),
        }
    }

    /// Another run, or a human who takes it back, wrote the record first.
    async fn refused(&mut self) -> Stop {
        self.refusals += 1;
        if self.refusals >= REFUSALS {
            let why = "the record is written by too many runs at once; nothing was changed by this one";
            return Stop::End(Ending::new(Outcome::Failed, why));
        }
        match self.engine.journal.history(R::NAME, &self.lead.place, &self.lead.subject).await {
            Ok(known) => self.history = known.records,
            Err(error) => return self.journal_lost(error),
        }
        self.wait_for_other().await;
        self.waited = true;
        // It began after this run looked, so what this run saw is what the other one ended.
        if let Some(record) = self.latest().filter(|r| r.outcome == Some(Outcome::Contained)) {
            let why = format!("contained by another delivery: {}", record.id());
            return Stop::End(Ending::new(Outcome::AlreadySafe, why));
        }
        self.changes.clear();
        Stop::LookAgain
    }

    /// What becomes of a run whose journal fails at a write: an urgent one goes on without it.
    fn journal_lost(&mut self, error: crate::Error) -> Stop {
        let taken = matches!(error, crate::Error::LostRecord { .. });
        if R::URGENT && self.origin == Origin::Event && !taken {
            self.without_journal = Some(error);
            return Stop::No;
        }
        let mut end = Ending::failed(&error, "the plan cannot be recorded, so it was not applied");
        if self.changed() {
            end.outcome = Outcome::Partial;
        }
        Stop::End(end)
    }

    /// The record to begin, and the version that must stand there: the one to go on with, or none.
    pub(super) fn draft(&self, why: &str) -> (Record, Option<u64>) {
        let now = clock::now();
        let latest = self.latest();
        let lease = lease(self.engine.config.lease_seconds);
        if let Some(latest) = latest
            && latest.is_continued()
        {
            let mut record = latest.clone();
            if !record.counted {
                // Nothing was changed under it, so its before-images are only old.
                record.steps.clear();
            }
            record.version += 1;
            record.owner.clone_from(&self.invocation.id);
            record.lease = lease;
            record.outcome = None;
            record.finished = None;
            record.mode = self.engine.config.mode;
            why.clone_into(&mut record.why);
            return (record, Some(latest.version));
        }
        let record = Record {
            function: R::NAME.to_owned(),
            place: self.lead.place.clone(),
            subject: self.lead.subject.clone(),
            cause: self.lead.cause.clone(),
            attempt: latest.map_or(0, |r| r.attempt) + 1,
            mode: self.engine.config.mode,
            outcome: None,
            why: why.to_owned(),
            actor: self.lead.actor.clone(),
            detail: serde_json::to_value(&self.lead.detail).unwrap_or_default(),
            steps: Vec::new(),
            notes: Vec::new(),
            started: now,
            finished: None,
            contained_ms: None,
            version: 1,
            owner: self.invocation.id.clone(),
            lease,
            counted: false,
            told: None,
            watched: false,
            announced: BTreeMap::new(),
            undone: None,
        };
        (record, None)
    }

    /// Keeps changes for the report; one that is known keeps its before-image.
    pub(super) fn keep_changes(&mut self, steps: &[Recorded]) {
        for step in steps {
            match self.changes.iter_mut().find(|c| c.key == step.key) {
                // What the record holds is older than what was read now.
                Some(known) if self.record.is_none() => *known = step.clone(),
                Some(_) => {}
                None => self.changes.push(step.clone()),
            }
        }
    }
}

/// Until when a run that shows itself now has the record to itself.
pub(super) fn lease(seconds: u32) -> jiff::Timestamp {
    let now = clock::now();
    now.checked_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(now)
}
