//! A plan is data: the exact changes to make, each with what was there before it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// One change to one resource, with its before-image. Each room has an enum of them.
pub trait Change: Clone + Serialize + DeserializeOwned + Send + Sync {
    /// The stable name of the change within its subject: the same change decided twice has the same key.
    fn key(&self) -> String;
    /// What is done, for people: one clause.
    fn summary(&self) -> String;
    /// What was there before, for people.
    fn before(&self) -> String;
    /// What is there after, for people.
    fn after(&self) -> String;
}

/// A change at its position in a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<C> {
    /// The change.
    pub change: C,
    /// Changes of one wave are made side by side; a wave begins when the one before has ended.
    pub wave: u8,
    /// Keys of changes that must have succeeded, else this one is not made.
    pub needs: Vec<String>,
}

impl<C> Step<C> {
    /// A step of a wave that needs no other.
    pub fn new(wave: u8, change: C) -> Self {
        Self { change, wave, needs: Vec::new() }
    }

    /// The same step, made only if the changes with these keys succeeded.
    #[must_use]
    pub fn after(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        self.needs.extend(keys);
        self
    }
}

/// A change as the journal and the report hold it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Recorded {
    /// [`Change::key`].
    pub key: String,
    /// [`Change::summary`].
    pub summary: String,
    /// [`Change::before`].
    pub before: String,
    /// [`Change::after`].
    pub after: String,
    /// The change itself, from which it can be reverted.
    pub change: serde_json::Value,
}

impl Recorded {
    /// The recorded form of a change.
    ///
    /// A change is made of strings, lists and flags, which always serialize; `null` stands for the impossible case.
    pub fn of<C: Change>(change: &C) -> Self {
        Self {
            key: change.key(),
            summary: change.summary(),
            before: change.before(),
            after: change.after(),
            change: serde_json::to_value(change).unwrap_or_default(),
        }
    }
}
