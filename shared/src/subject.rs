//! What a run is about: one resource, in one place, for one reason.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::actor::Actor;
use crate::error::Error;
use crate::event::from_value;
use crate::journal::Record;
use crate::place::Place;

/// One resource that an event or a sweep names, with what its room needs to know of the event.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Lead<D> {
    /// Where the resource lives. The owner's place, which may differ from the envelope's.
    pub place: Place,
    /// The resource's id, such as `i-0abc`.
    pub subject: String,
    /// What made us look.
    pub cause: Cause,
    /// Who did it, as far as the event says.
    pub actor: Actor,
    /// The room's own part of the event.
    pub detail: D,
}

/// What made us look at a subject.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cause {
    /// What happened, in the source's words: a finding type, an API name.
    pub what: String,
    /// The identity under which deliveries of the same cause are one: a finding's id, an API event's id.
    pub key: String,
}

impl<D: DeserializeOwned> Lead<D> {
    /// The lead of a record, to look at its subject again.
    pub fn of_record(record: &Record) -> Result<Self, Error> {
        Ok(Self {
            place: record.place.clone(),
            subject: record.subject.clone(),
            cause: record.cause.clone(),
            actor: record.actor.clone(),
            detail: from_value(record.detail.clone(), "record.detail")?,
        })
    }
}

impl Cause {
    /// The cause of a subject that a sweep found by itself: one and the same for every sweep, so that people are told
    /// once of what stays as it is.
    #[must_use]
    pub fn sweep() -> Self {
        Self { what: "sweep".to_owned(), key: "sweep".to_owned() }
    }

    /// A short name of the cause, the same for every delivery of it: part of the record's id.
    #[must_use]
    pub fn digest(&self) -> String {
        digest(&self.key, 10)
    }

    /// Whether a sweep found it by itself.
    #[must_use]
    pub fn is_sweep(&self) -> bool {
        *self == Self::sweep()
    }
}

/// The first `digits` hexadecimal digits of a text's SHA-256: a short name without the text in it.
#[must_use]
pub fn digest(text: &str, digits: usize) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .flat_map(|b| [b >> 4, b & 15])
        .take(digits)
        .filter_map(|n| char::from_digit(n.into(), 16))
        .collect()
}

/// What an event names.
#[derive(Clone, Debug, PartialEq)]
pub enum Subjects<D> {
    /// These resources.
    Named(Vec<Lead<D>>),
    /// An attack that AWS refused: nothing changed, and the next sweep says how many there were.
    Attempted {
        /// The account that was attacked.
        account: String,
        /// One sentence: what was tried, by whom.
        why: String,
    },
    /// Nothing of ours, and why.
    Ignored {
        /// One sentence for the log.
        why: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_has_one_short_name() {
        let cause = |key: &str| Cause { what: "x".into(), key: key.into() };
        assert_eq!(cause("a").digest(), cause("a").digest());
        assert_ne!(cause("a").digest(), cause("b").digest());
        assert_eq!(cause("a").digest(), "ca978112ca");
    }
}
