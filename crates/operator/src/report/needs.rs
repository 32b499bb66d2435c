//! What a human has to look at now: what was not contained and was not settled by a later record either.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use tourniquet::{Outcome, Place};

use crate::records::Entry;

/// One record that waits for a human.
#[derive(Clone, Debug, Serialize)]
pub struct Need<'a> {
    /// What is wrong with it, the worst first.
    #[serde(skip)]
    pub trouble: Trouble,
    /// The record's id.
    pub record: &'a str,
    /// Its outcome.
    pub outcome: &'static str,
    /// What was wrong with the subject.
    pub why: &'a str,
    /// What kept it from being contained, and what else was told.
    pub notes: &'a [String],
    /// What to do.
    pub advice: &'static str,
    /// The whole record.
    #[serde(skip)]
    pub entry: &'a Entry,
}

/// Why a record waits for a human.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Trouble {
    /// Nothing was proven.
    Failed,
    /// Some changes were made.
    Partial,
    /// A run did not come to its end.
    Interrupted,
    /// The change limit was reached.
    Held,
    /// Somebody began to take it back.
    HalfUndone,
}

impl Trouble {
    fn of(entry: &Entry, now: Timestamp) -> Option<Self> {
        match (&entry.undo, entry.record.outcome) {
            (Some(undo), _) => undo.finished.is_none().then_some(Self::HalfUndone),
            (None, Some(Outcome::Failed)) => Some(Self::Failed),
            (None, Some(Outcome::Partial)) => Some(Self::Partial),
            (None, Some(Outcome::Held)) => Some(Self::Held),
            (None, None) => (entry.record.lease < now).then_some(Self::Interrupted),
            (None, Some(_)) => None,
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Failed => {
                "Nothing was proven: look at the resource yourself. A retry or the next sweep tries again; what is denied stays denied until its cause is gone."
            }
            Self::Partial => {
                "Some changes were made, others not. It says above which and why; a retry or the next sweep goes on with it."
            }
            Self::Interrupted => {
                "A run began this and did not come to its end. The next sweep goes on with it; until then the resource may be as it was."
            }
            Self::Held => {
                "The change limit of that hour was reached and nothing was changed. See whether so many changes make sense; if so, raise the limit or contain it by hand."
            }
            Self::HalfUndone => {
                "An undo was begun and not finished: run `tourniquet undo` again for this record."
            }
        }
    }
}

/// What waits for a human, the worst first, and how many of the others were settled by a later record.
#[must_use]
pub fn of(entries: &[Entry], now: Timestamp) -> (Vec<Need<'_>>, usize) {
    let mut contained: HashMap<(&str, &Place, &str), Timestamp> = HashMap::new();
    for entry in entries.iter().filter(|entry| entry.record.outcome == Some(Outcome::Contained)) {
        let last = contained.entry(subject(entry)).or_insert(entry.record.started);
        *last = entry.record.started.max(*last);
    }
    let (mut needs, mut settled) = (Vec::new(), 0);
    for entry in entries {
        let Some(trouble) = Trouble::of(entry, now) else { continue };
        let later = contained.get(&subject(entry)).is_some_and(|last| *last > entry.record.started);
        if later && trouble != Trouble::HalfUndone {
            settled += 1;
            continue;
        }
        needs.push(Need {
            trouble,
            record: &entry.id,
            outcome: entry.outcome(),
            why: &entry.record.why,
            notes: &entry.record.notes,
            advice: trouble.advice(),
            entry,
        });
    }
    needs.sort_by(|a, b| {
        (a.trouble, b.entry.record.started, a.record).cmp(&(b.trouble, a.entry.record.started, b.record))
    });
    (needs, settled)
}

fn subject(entry: &Entry) -> (&str, &Place, &str) {
    (&entry.record.function, &entry.record.place, &entry.record.subject)
}
