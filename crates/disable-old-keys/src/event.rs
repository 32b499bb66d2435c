//! Events name no subjects: a key grows old without one. Pure.

use serde::{Deserialize, Serialize};
use tourniquet::actor::Actor;
use tourniquet::{Cause, Error, Event, Lead, Place, Subjects};

/// How the credential report calls the root user. No user of IAM can have that name.
pub(crate) const ROOT: &str = "<root_account>";

/// What the room keeps of how it found a user.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Detail {
    /// What the credential report says besides, or why it could not be asked.
    pub notes: Vec<String>,
}

/// None, and why.
pub(crate) fn subjects(event: &Event) -> Subjects<Detail> {
    let why = format!(
        "{} from {}: the age of a key is the trigger, not an event; the sweep looks at it",
        event.detail_type(),
        event.source()
    );
    Subjects::Ignored { why }
}

/// A user that the sweep has found.
pub(crate) fn lead(place: &Place, user: &str, notes: Vec<String>) -> Result<Lead<Detail>, Error> {
    if user != ROOT && !is_user(user) {
        return Err(Error::Unexpected { call: "iam:ListUsers", missing: "a user name that IAM allows" });
    }
    Ok(Lead {
        place: place.clone(),
        subject: user.to_owned(),
        cause: Cause::sweep(),
        actor: Actor::default(),
        detail: Detail { notes },
    })
}

/// IAM's pattern for the names of users. The name becomes part of keys of the journal and of ids that people type.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html>
fn is_user(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
