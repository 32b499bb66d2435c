//! What many verdicts add up to. However many there are, and whatever they are about, it stays small: past a number of
//! different rows, names or days the others are counted and not listed, and the output says how many.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Serialize, Serializer};

use super::judge::{Judged, VERDICTS, Verdict};
use crate::words::plain;

/// Different rows that are kept of each function and verdict.
const ROWS: usize = 1000;
/// Different names of which the most frequent are told.
const NAMES: usize = 4096;
/// Different days.
const DAYS: usize = 4096;
/// Characters of a text that are kept.
const TEXT: usize = 200;

/// How often each verdict was given, in the order of [`VERDICTS`].
pub type Counts = [u64; 4];

/// What is known of one function.
#[derive(Debug, Default)]
pub struct Function {
    /// All verdicts.
    pub counts: Counts,
    /// By day, in UTC.
    pub days: BTreeMap<Date, Counts>,
    /// Those without a day, or past so many that nobody looks at them all.
    pub undated: Counts,
    /// By actor.
    pub actors: Names,
    /// By subject.
    pub subjects: Names,
    /// By reason.
    pub reasons: Names,
    /// What happened, one row for each day, actor, subject and reason.
    pub rows: BTreeMap<Row, Group>,
    /// Verdicts whose rows are not kept.
    pub unlisted: Counts,
    kept: [usize; 4],
}

/// What verdicts are listed by.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Row {
    /// What it would have done.
    pub verdict: Verdict,
    /// The day in UTC.
    pub day: Option<Date>,
    /// Account and region.
    pub place: Option<String>,
    /// The subject, where one is named.
    pub subject: Option<String>,
    /// Who did it.
    pub actor: String,
    /// What happened.
    pub what: String,
    /// Why.
    pub why: String,
}

/// The events of a row.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// How many.
    pub times: u64,
    /// When the first of them was.
    pub first: Option<Timestamp>,
    /// Its id.
    pub event: String,
    /// Where it was read.
    pub file: String,
}

/// Where a verdict comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// When the event was.
    pub at: Option<Timestamp>,
    /// The event's id.
    pub event: &'a str,
    /// Where it was read.
    pub file: &'a str,
}

impl Function {
    /// Counts a verdict.
    pub fn add(&mut self, judged: Judged, origin: Origin<'_>) {
        let kind = index(judged.verdict);
        add(&mut self.counts, kind, 1);
        let day = origin.at.map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date());
        match day {
            Some(day) if self.days.len() < DAYS || self.days.contains_key(&day) => {
                add(self.days.entry(day).or_default(), kind, 1);
            }
            _ => add(&mut self.undated, kind, 1),
        }
        let place = judged.place.map(|place| short(&place.to_string()));
        let row = Row {
            verdict: judged.verdict,
            day,
            subject: judged.subject.as_deref().map(short),
            actor: short(&judged.actor),
            what: short(&judged.what),
            why: short(&judged.why),
            place,
        };
        self.actors.add(&row.actor, kind);
        if let Some(subject) = &row.subject {
            self.subjects.add(subject, kind);
        }
        self.reasons.add(&row.why, kind);
        self.list(row, kind, origin);
    }

    fn list(&mut self, row: Row, kind: usize, origin: Origin<'_>) {
        let group =
            || Group { times: 1, first: origin.at, event: short(origin.event), file: short(origin.file) };
        if let Some(known) = self.rows.get_mut(&row) {
            known.times += 1;
            if (origin.at, origin.event) < (known.first, known.event.as_str()) {
                *known = Group { times: known.times, ..group() };
            }
        } else if let Some(kept) = self.kept.get_mut(kind).filter(|kept| **kept < ROWS) {
            *kept += 1;
            self.rows.insert(row, group());
        } else {
            add(&mut self.unlisted, kind, 1);
        }
    }
}

/// How often each name was there, for the most frequent ones.
#[derive(Debug, Default)]
pub struct Names {
    names: BTreeMap<String, Counts>,
    /// Whether names were dropped for others, so that the counts are the least that it can have been.
    pub dropped: bool,
}

impl Names {
    fn add(&mut self, name: &str, kind: usize) {
        if let Some(counts) = self.names.get_mut(name) {
            add(counts, kind, 1);
            return;
        }
        if self.names.len() >= NAMES {
            // The rarer half makes room; who comes often comes again.
            let mut sums: Vec<u64> = self.names.values().map(|counts| counts.iter().sum()).collect();
            let (_, middle, _) = sums.select_nth_unstable(NAMES / 2);
            let middle = *middle;
            let mut room = NAMES / 2;
            self.names.retain(|_, counts| {
                let rare = room > 0 && counts.iter().sum::<u64>() <= middle;
                room -= usize::from(rare);
                !rare
            });
            self.dropped = true;
        }
        add(self.names.entry(name.to_owned()).or_default(), kind, 1);
    }

    /// The names with the gravest verdicts first, and of those the most frequent ones.
    #[must_use]
    pub fn top(&self, count: usize) -> Vec<(&str, Counts)> {
        let mut all: Vec<(&str, Counts)> =
            self.names.iter().map(|(name, counts)| (name.as_str(), *counts)).collect();
        all.sort_by(|(one, a), (other, b)| b.cmp(a).then(one.cmp(other)));
        all.truncate(count);
        all
    }

    /// How many different names are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.top(100).into_iter().map(|(name, counts)| (name, by_verdict(counts))))
    }
}

/// Counts under the names of the verdicts.
#[must_use]
pub fn by_verdict(counts: Counts) -> BTreeMap<Verdict, u64> {
    VERDICTS.into_iter().zip(counts).collect()
}

fn index(verdict: Verdict) -> usize {
    VERDICTS.iter().position(|one| *one == verdict).unwrap_or_default()
}

fn add(counts: &mut Counts, kind: usize, more: u64) {
    if let Some(count) = counts.get_mut(kind) {
        *count += more;
    }
}

/// As much of a text as anybody reads, without what cannot be seen: both are an attacker's to choose.
fn short(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        Some((end, _)) => plain(text.get(..end).unwrap_or_default()) + "…",
        None => plain(text),
    }
}

#[cfg(test)]
#[path = "tally_tests.rs"]
mod tests;
