//! A period in numbers: records in, numbers out. No clock and no client.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use tourniquet::journal::Record;
use tourniquet::settings::Mode;
use tourniquet::{Outcome, Place};

use super::exemptions::Exemptions;
use super::needs::{self, Need};
use super::speed::Speed;
use crate::records::{Entry, Undo};

/// What a report is about, and when it was made.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Period {
    /// Records that were begun at or after this time
    pub since: Timestamp,
    /// and before this one.
    pub before: Timestamp,
    /// When the report was made.
    pub made: Timestamp,
}

/// The numbers of some records.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Tally {
    /// How many.
    pub records: usize,
    /// How many there are of each outcome, by its word; a record that was taken back is `undone` and nothing else.
    pub outcomes: BTreeMap<&'static str, usize>,
    /// How many were made in the mode `observe`.
    pub observe_mode: usize,
    /// How fast the contained ones were, those included that were taken back later.
    pub speed: Option<Speed>,
}

/// A period in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Summary<'a> {
    /// The period.
    #[serde(flatten)]
    pub period: Period,
    /// Where the journal is.
    pub journal: &'a Place,
    /// The accounts that the records are about.
    pub accounts: BTreeSet<&'a str>,
    /// All records.
    #[serde(flatten)]
    pub all: Tally,
    /// What a human has to look at now, the worst first.
    pub needs_human: Vec<Need<'a>>,
    /// How many were partial, failed or held and are contained by a later record.
    pub settled: usize,
    /// By function.
    pub functions: BTreeMap<&'a str, Tally>,
    /// By who did it, the most frequent first.
    pub actors: Vec<Actor<'a>>,
    /// What was taken back, the newest first.
    pub undone: Vec<&'a Undo>,
    /// Exemptions.
    pub exemptions: Exemptions,
}

/// The numbers of one actor.
#[derive(Clone, Debug, Serialize)]
pub struct Actor<'a> {
    /// Who.
    pub actor: &'a str,
    /// When the newest of the records was begun.
    pub last: Timestamp,
    /// The numbers.
    #[serde(flatten)]
    pub tally: Tally,
}

impl Tally {
    /// The numbers of some records.
    #[must_use]
    pub fn of(entries: &[&Entry]) -> Self {
        let mut outcomes = BTreeMap::new();
        for entry in entries {
            *outcomes.entry(entry.outcome()).or_default() += 1;
        }
        Self {
            records: entries.len(),
            outcomes,
            observe_mode: entries.iter().filter(|entry| entry.record.mode == Mode::Observe).count(),
            speed: Speed::of(entries.iter().filter_map(|entry| contained_ms(&entry.record)).collect()),
        }
    }

    /// How many records have one of these outcomes.
    #[must_use]
    pub fn count(&self, words: &[&str]) -> usize {
        words.iter().filter_map(|word| self.outcomes.get(word)).sum()
    }
}

/// How long it took to contain, in milliseconds, where it was measured.
#[must_use]
pub fn contained_ms(record: &Record) -> Option<u64> {
    record.contained_ms.filter(|_| record.outcome == Some(Outcome::Contained))
}

/// Who did it, in one name: the one under which AWS knows the caller, else where the call came from.
#[must_use]
pub fn actor(record: &Record) -> &str {
    let actor = &record.actor;
    [&actor.principal, &actor.session_issuer, &actor.source_ip, &actor.invoked_by]
        .into_iter()
        .find_map(|name| name.as_deref().filter(|name| !name.trim().is_empty()))
        .unwrap_or(if record.cause.what == "sweep" { "found by a sweep" } else { "unknown" })
}

impl<'a> Summary<'a> {
    /// The numbers of the records of a period, oldest first, and of the exemptions.
    #[must_use]
    pub fn of(entries: &'a [Entry], exemptions: Exemptions, journal: &'a Place, period: Period) -> Self {
        let (needs_human, settled) = needs::of(entries, period.made);
        let by_actor = grouped(entries, |entry| actor(&entry.record));
        let mut actors: Vec<Actor<'_>> = by_actor
            .into_iter()
            .map(|(actor, entries)| Actor {
                actor,
                last: entries.iter().map(|entry| entry.record.started).max().unwrap_or(period.since),
                tally: Tally::of(&entries),
            })
            .collect();
        actors.sort_by(|a, b| (b.tally.records, b.last, a.actor).cmp(&(a.tally.records, a.last, b.actor)));
        let mut undone: Vec<&Undo> = entries.iter().filter_map(|entry| entry.undo.as_ref()).collect();
        undone.sort_by(|a, b| (b.started, &a.record).cmp(&(a.started, &b.record)));
        Self {
            period,
            journal,
            accounts: entries.iter().map(|entry| entry.record.place.account.as_str()).collect(),
            all: Tally::of(&entries.iter().collect::<Vec<_>>()),
            needs_human,
            settled,
            functions: grouped(entries, |entry| entry.record.function.as_str())
                .into_iter()
                .map(|(function, entries)| (function, Tally::of(&entries)))
                .collect(),
            actors,
            undone,
            exemptions,
        }
    }
}

fn grouped<'a>(
    entries: &'a [Entry],
    key: impl Fn(&'a Entry) -> &'a str,
) -> BTreeMap<&'a str, Vec<&'a Entry>> {
    let mut groups: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        groups.entry(key(entry)).or_default().push(entry);
    }
    groups
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
