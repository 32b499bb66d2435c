//! How a run ended for one subject.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The ways in which a run can end for one subject.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Changed, read back, and seen to be safe.
    Contained,
    /// Nothing to do on the live resource.
    AlreadySafe,
    /// The mode is observe: the plan is on record, nothing was changed.
    Observed,
    /// A valid exemption covers it; the record names the exemption.
    Exempt,
    /// Not ours to answer: a failed call, our own echo, a sample, a victim rather than an actor.
    Ignored,
    /// The resource no longer exists.
    Gone,
    /// The change limit is reached; a human was told, nothing was changed.
    Held,
    /// Some changes were made, others not; the record says which.
    Partial,
    /// Nothing was proven.
    Failed,
}

impl Outcome {
    /// The word used in logs, metrics, records and messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Contained => "contained",
            Self::AlreadySafe => "already-safe",
            Self::Observed => "observed",
            Self::Exempt => "exempt",
            Self::Ignored => "ignored",
            Self::Gone => "gone",
            Self::Held => "held",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }

    /// Whether Lambda must be told that the run failed, so that it retries and the dead-letter queue keeps the event.
    #[must_use]
    pub fn is_error(self) -> bool {
        matches!(self, Self::Partial | Self::Failed)
    }

    /// Whether people get a message. Nothing happened in the other cases; they are log lines and metrics.
    #[must_use]
    pub fn is_told(self) -> bool {
        !matches!(self, Self::AlreadySafe | Self::Ignored | Self::Gone)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
