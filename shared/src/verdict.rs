//! What a room decides from an observation.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::exemption::{Exemption, Found};
use crate::journal::{Kept, Record};
use crate::outcome::Outcome;
use crate::plan::{Recorded, Step};
use crate::subject::Cause;

/// What to do about a subject, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict<C> {
    /// What to do.
    pub ruling: Ruling<C>,
    /// One sentence: what is wrong, or why nothing is done.
    pub why: String,
    /// What the people who read the report must know besides.
    pub notes: Vec<String>,
}

/// What to do about a subject.
#[derive(Clone, Debug, PartialEq)]
pub enum Ruling<C> {
    /// Nothing is wrong with the live resource, or nothing is wrong any more.
    Safe,
    /// Make these changes, then look again.
    Act(Vec<Step<C>>),
    /// Tell people that these changes are to come, and change nothing now; [`Standing::announced`] says since when they
    /// know. The outcome is `observed`.
    Announce(Vec<Step<C>>),
    /// Nothing can be done yet: look again shortly.
    Wait,
    /// Leave it, with this outcome.
    Leave(Outcome),
}

impl<C> Verdict<C> {
    /// A verdict without notes.
    pub fn new(ruling: Ruling<C>, why: impl Into<String>) -> Self {
        Self { ruling, why: why.into(), notes: Vec::new() }
    }

    /// The same verdict with notes for the report.
    #[must_use]
    pub fn with_notes(mut self, notes: Vec<String>) -> Self {
        self.notes = notes;
        self
    }
}

/// What the journal knows that a decision may need.
#[derive(Clone, Debug)]
pub struct Standing<B = ()> {
    /// An earlier run for the same cause began to change the subject and did not finish, or this run has begun to.
    pub begun: bool,
    /// An earlier run for the same cause contained the subject, and nobody has released it since.
    pub contained_before: bool,
    /// The journal cannot be reached, and the answer does not wait for it: leave marks from which the record can be made.
    pub unrecorded: bool,
    /// Valid exemptions of the subject that are narrower than the whole subject; the room knows their scopes.
    pub scoped: Vec<Exemption>,
    /// The steps of the record that this run goes on with, made or not: what was planned and does not show is to be decided
    /// again.
    pub planned: Vec<Recorded>,
    /// The keys of the changes that this run tried and that failed.
    pub failed: BTreeSet<String>,
    /// What the subject was like when it was last seen healthy.
    pub baseline: Option<B>,
    /// Since when people know of announced changes, by the key of the change. Only messages that were sent in the mode
    /// `enforce` count.
    pub announced: BTreeMap<String, Timestamp>,
}

impl<B: DeserializeOwned> Standing<B> {
    /// What the journal knows of a subject, for a run with this cause. A baseline that cannot be read is none.
    #[must_use]
    pub fn of(cause: &Cause, records: &[Record], baseline: Option<&Kept>, exemptions: &Found) -> Self {
        let of_cause: Vec<&Record> = records.iter().filter(|r| r.cause.key == cause.key).collect();
        let unfinished = of_cause.iter().max_by_key(|r| r.attempt).filter(|r| r.is_unfinished());
        let mut announced: BTreeMap<String, Timestamp> = BTreeMap::new();
        for (key, since) in of_cause.iter().flat_map(|r| &r.announced) {
            let first = announced.entry(key.clone()).or_insert(*since);
            *first = (*first).min(*since);
        }
        Self {
            begun: unfinished.is_some(),
            contained_before: of_cause.iter().any(|r| r.is_contained()),
            unrecorded: false,
            scoped: exemptions.valid.iter().filter(|e| e.scope.is_some()).cloned().collect(),
            planned: unfinished.map(|r| r.steps.clone()).unwrap_or_default(),
            failed: BTreeSet::new(),
            baseline: baseline.and_then(|kept| serde_json::from_value(kept.baseline.clone()).ok()),
            announced,
        }
    }
}

impl<B> Default for Standing<B> {
    fn default() -> Self {
        Self {
            begun: false,
            contained_before: false,
            unrecorded: false,
            scoped: Vec::new(),
            planned: Vec::new(),
            failed: BTreeSet::new(),
            baseline: None,
            announced: BTreeMap::new(),
        }
    }
}
