//! What a reader has to tell apart at a glance: the outcomes in a few kinds, each with a colour and a shape, since not everybody
//! sees the colours and not every printer has them.

use serde::Serialize;

/// A kind of outcome, in the order in which people look for them.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Partial and failed.
    Failed,
    /// Held by the change limit, or not ended.
    Held,
    /// Contained.
    Contained,
    /// Contained, and taken back by a human.
    Undone,
    /// Observed only.
    Observed,
    /// Exempt.
    Exempt,
    /// Nothing to do: safe already, not ours, gone.
    Other,
}

impl Kind {
    /// The kind of an outcome's word.
    #[must_use]
    pub fn of(outcome: &str) -> Self {
        match outcome {
            "partial" | "failed" => Self::Failed,
            "held" | "open" => Self::Held,
            "contained" => Self::Contained,
            "undone" => Self::Undone,
            "observed" => Self::Observed,
            "exempt" => Self::Exempt,
            _ => Self::Other,
        }
    }

    /// What people call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "partial or failed",
            Self::Held => "held or open",
            Self::Contained => "contained",
            Self::Undone => "undone",
            Self::Observed => "observed only",
            Self::Exempt => "exempt",
            Self::Other => "nothing to do",
        }
    }

    /// The class of its colour.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Failed => "bad",
            Self::Held | Self::Observed => "warn",
            Self::Contained => "good",
            Self::Undone => "info",
            Self::Exempt | Self::Other => "calm",
        }
    }

    /// Its shape: a path around the origin, two units wide and high.
    #[must_use]
    pub fn shape(self) -> &'static str {
        match self {
            Self::Failed => "M-1-.7-.7-1 0-.3.7-1 1-.7.3 0 1 .7.7 1 0 .3-.7 1-1 .7-.3 0z",
            Self::Held => "M0-1 1 .85H-1z",
            Self::Contained => "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0z",
            Self::Undone => "M-1 0 .85-1V1z",
            Self::Observed => "M0-1.15 1.15 0 0 1.15-1.15 0zM0-.5-.5 0 0 .5.5 0z",
            Self::Exempt => "M-.9-.9H.9V.9H-.9zM-.4-.4V.4H.4V-.4z",
            Self::Other => "M-.9-.3H.9V.3H-.9z",
        }
    }
}
