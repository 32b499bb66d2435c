//! What would become of a change, or became of it.

use serde::Serialize;
use tourniquet::Reverted;
use tourniquet::error::{Class, Error};
use tourniquet::plan::Recorded;

/// In one word.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Status {
    /// It can be restored.
    Restorable,
    /// It is there again.
    Restored,
    /// It was there already.
    AlreadyThere,
    /// There is nothing to take back.
    Kept,
    /// It can be restored by who agrees to what that sets free.
    Unasked,
    /// Somebody else changed it since.
    Drifted,
    /// It is never taken back.
    Refused,
    /// It was to be restored and is not.
    Left,
}

/// What would become of one change, or became of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Fate {
    pub(super) key: String,
    pub(super) summary: String,
    /// What was there before the function's change.
    pub(super) before: String,
    /// What is there now.
    pub(super) now: String,
    /// What the function left there.
    pub(super) expected: String,
    pub(super) status: Status,
    pub(super) why: Option<String>,
}

impl Fate {
    /// What a look at a change tells; `released` says that a human agreed to set free what it holds.
    pub(super) fn looked(
        step: &Recorded,
        seen: Result<Reverted, Error>,
        released: bool,
    ) -> Result<Self, Error> {
        Ok(match seen {
            Ok(Reverted::Unasked(_)) if released => Self::new(step, Status::Restorable),
            Ok(Reverted::Restored) => Self::new(step, Status::Restorable),
            Ok(reverted) => Self::of(step, reverted),
            Err(error) if error.class() == Some(Class::NotFound) => {
                let found = format!("it does not exist any more ({error})");
                Self::of(step, Reverted::Drifted { expected: step.after.clone(), found })
            }
            Err(error) => return Err(error),
        })
    }

    /// What became of a change that was to be taken back.
    pub(super) fn taken(step: &Recorded, done: Result<Reverted, Error>) -> Self {
        let left = |why: String| Self { why: Some(why), ..Self::new(step, Status::Left) };
        match done {
            Ok(reverted @ (Reverted::Restored | Reverted::AlreadyThere | Reverted::Kept(_))) => {
                Self::of(step, reverted)
            }
            Ok(Reverted::Drifted { expected, found }) => {
                left(format!("somebody else has just changed it: expected {expected}, found {found}"))
            }
            Ok(Reverted::Unasked(why) | Reverted::Refused(why)) => left(why),
            Err(error) => left(error.to_string()),
        }
    }

    fn of(step: &Recorded, reverted: Reverted) -> Self {
        let why = |status, why| Self { why: Some(why), ..Self::new(step, status) };
        match reverted {
            Reverted::Restored => Self { now: step.before.clone(), ..Self::new(step, Status::Restored) },
            Reverted::AlreadyThere => {
                Self { now: step.before.clone(), ..Self::new(step, Status::AlreadyThere) }
            }
            Reverted::Kept(text) => why(Status::Kept, text),
            Reverted::Unasked(text) => why(Status::Unasked, text),
            Reverted::Refused(text) => why(Status::Refused, text),
            Reverted::Drifted { expected, found } => {
                Self { now: found, expected, ..Self::new(step, Status::Drifted) }
            }
        }
    }

    fn new(step: &Recorded, status: Status) -> Self {
        Self {
            key: step.key.clone(),
            summary: step.summary.clone(),
            before: step.before.clone(),
            now: step.after.clone(),
            expected: step.after.clone(),
            status,
            why: None,
        }
    }

    /// It was read back and is not there.
    pub(super) fn lost(self, why: String) -> Self {
        Self { status: Status::Left, why: Some(why), now: self.expected.clone(), ..self }
    }

    /// For people.
    pub(super) fn told(&self) -> String {
        let why = || self.why.clone().unwrap_or_default();
        match self.status {
            Status::Restorable => "goes back".to_owned(),
            Status::Restored => "restored".to_owned(),
            Status::AlreadyThere => "is there already".to_owned(),
            Status::Kept => format!("nothing to take back: {}", why()),
            Status::Unasked | Status::Refused => why(),
            Status::Drifted => format!("expected {}, found {}", self.expected, self.now),
            Status::Left => format!("left: {}", why()),
        }
    }
}
