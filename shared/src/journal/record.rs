//! One record: a plan before it is applied, its outcome after.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::plan::Recorded;
use crate::report::Report;
use crate::settings::Mode;
use crate::subject::Cause;

/// A DynamoDB item.
pub type Item = std::collections::HashMap<String, AttributeValue>;

/// The command that takes a record back, as a shell takes it: names of resources are an attacker's to choose.
#[must_use]
pub fn undo_command(id: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_.:+@=,".contains(c);
    let quoted = format!("'{}'", id.replace('\'', r"'\''"));
    let id = if id.chars().all(is_plain) { id } else { &quoted };
    format!("tourniquet undo {id} --reason '…' --until 7d")
}

/// One answer to one cause about one subject.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Record {
    /// The function that answered.
    pub function: String,
    /// Where the subject lives.
    pub place: Place,
    /// The subject's id.
    pub subject: String,
    /// What made us look.
    pub cause: Cause,
    /// Counts the answers to one cause: above 1 where the subject was contained and became unsafe again.
    pub attempt: u32,
    /// The mode at that time.
    pub mode: Mode,
    /// How it ended; `None` while a run is at it.
    pub outcome: Option<Outcome>,
    /// What was wrong, in one sentence.
    pub why: String,
    /// Who did it.
    pub actor: Actor,
    /// The room's own part of the event, from which the sweep can look again.
    pub detail: serde_json::Value,
    /// The plan, with what was there before.
    pub steps: Vec<Recorded>,
    /// What the report said besides.
    pub notes: Vec<String>,
    /// When it was first recorded.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// Milliseconds from the beginning until the changes were read back as containing; of an interrupted run, from its own
    /// beginning. `None` where no run saw both the changes and their effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contained_ms: Option<u64>,
    /// Counts the writes: each is made on the condition that nobody wrote in between.
    pub version: u64,
    /// The invocation that is, or was last, at it.
    pub owner: String,
    /// Until when the owner alone may go on.
    pub lease: Timestamp,
    /// Whether it has taken one from the change limit.
    pub counted: bool,
    /// The outcome that people were last told.
    pub told: Option<Outcome>,
    /// Whether the sweep comes back to it although it has ended; to one that has not it comes back in any case.
    pub watched: bool,
    /// Since when people know of changes that are to come, by the key of the change.
    #[serde(default)]
    pub announced: BTreeMap<String, Timestamp>,
    /// Since when a human has been taking it back, or has taken it back: no run goes on with it.
    #[serde(default)]
    pub undone: Option<Timestamp>,
}

impl Record {
    /// The id that people use: function, account, region, subject, cause and attempt.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}/{}/{}", self.function, self.place, self.subject, self.sort().replace('#', "-"))
    }

    /// The partition of everything about one subject.
    #[must_use]
    pub fn partition(function: &str, place: &Place, subject: &str) -> String {
        format!("record#{function}#{}#{}#{subject}", place.account, place.region)
    }

    fn sort(&self) -> String {
        format!("{}#{:04}", self.cause.digest(), self.attempt)
    }

    /// Whether another invocation is at it now.
    #[must_use]
    pub fn is_held_by_another(&self, owner: &str, now: Timestamp) -> bool {
        self.is_at_work(now) && self.owner != owner
    }

    /// Whether an invocation is at it now.
    #[must_use]
    pub fn is_at_work(&self, now: Timestamp) -> bool {
        self.outcome.is_none() && self.undone.is_none() && self.lease > now
    }

    /// Whether the record is to be gone on with, rather than a new one begun. A contained one stands: it holds what
    /// an undo needs; so does one that was undone.
    #[must_use]
    pub fn is_continued(&self) -> bool {
        self.undone.is_none()
            && !matches!(self.outcome, Some(Outcome::Contained | Outcome::Gone | Outcome::AlreadySafe))
    }

    /// Whether the subject was contained under the record, and no human has released it since.
    #[must_use]
    pub fn is_contained(&self) -> bool {
        self.undone.is_none() && self.outcome == Some(Outcome::Contained)
    }

    /// Whether changes were begun under the record and not brought to their end.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.counted && self.is_continued()
    }

    /// Whether a report adds nothing to what the record says: people need not be told again.
    #[must_use]
    pub fn says_the_same(&self, report: &Report) -> bool {
        let keys = |steps: &[Recorded]| steps.iter().map(|s| s.key.clone()).collect::<Vec<_>>();
        self.outcome == Some(report.outcome)
            && self.why == report.why
            && keys(&self.steps) == keys(&report.changes)
    }

    /// Notes that people were told of the outcome, and of changes to come if it announces any.
    pub fn tell(&mut self, outcome: Outcome, announces: bool, now: Timestamp) {
        self.told = Some(outcome);
        if announces && self.mode == Mode::Enforce {
            for step in &self.steps {
                self.announced.entry(step.key.clone()).or_insert(now);
            }
        }
    }

    /// Adds steps to the plan; a step that is there keeps its before-image, which is the older one.
    pub fn add_steps(&mut self, steps: impl IntoIterator<Item = Recorded>) {
        for step in steps {
            if self.steps.iter().all(|known| known.key != step.key) {
                self.steps.push(step);
            }
        }
    }

    /// The record as an item: its keys, what people filter by in the console, and the whole as JSON.
    #[must_use]
    pub fn to_item(&self, keep: SignedDuration) -> Item {
        let text = |s: String| AttributeValue::S(s);
        let expires = self.started.checked_add(keep).unwrap_or(self.started).as_second();
        let mut item = Item::from([
            ("pk".to_owned(), text(Self::partition(&self.function, &self.place, &self.subject))),
            ("sk".to_owned(), text(self.sort())),
            ("id".to_owned(), text(self.id())),
            ("outcome".to_owned(), text(self.outcome.map_or("open", Outcome::word).to_owned())),
            ("started".to_owned(), text(self.started.to_string())),
            ("version".to_owned(), AttributeValue::N(self.version.to_string())),
            ("expires".to_owned(), AttributeValue::N(expires.to_string())),
            ("body".to_owned(), text(serde_json::to_string(self).unwrap_or_default())),
        ]);
        if self.watched || self.is_unfinished() {
            item.insert("watched".to_owned(), text(self.function.clone()));
        }
        item
    }

    /// The record of an item.
    pub fn from_item(item: &Item) -> Result<Self, Error> {
        let body = item
            .get("body")
            .and_then(|v| v.as_s().ok())
            .ok_or(Error::Unexpected { call: "dynamodb:Query", missing: "body" })?;
        serde_json::from_str(body)
            .map_err(|_| Error::Unexpected { call: "dynamodb:Query", missing: "a readable body" })
    }
}

#[cfg(test)]
mod tests {
    use super::undo_command;

    #[test]
    fn g27_the_command_in_a_message_is_one_for_a_shell() {
        let id = "disable-old-keys/111122223333/us-east-1/ci+build@example.com/ca978112ca-0001";
        assert_eq!(undo_command(id), format!("tourniquet undo {id} --reason '…' --until 7d"));
        let odd = "restore-trail/111122223333/us-east-1/a'; rm -rf ~ #/ca978112ca-0001";
        assert!(undo_command(odd).starts_with("tourniquet undo 'restore-trail/111122223333/us-east-1/a'\\''; rm -rf ~ #/ca978112ca-0001' --reason"), "{}", undo_command(odd));
    }
}
