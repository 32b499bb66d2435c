//! One check: what was looked at, how it is, and what to do.

use serde::Serialize;
use tourniquet::error::{Class, Error};

/// How something is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// It works, and somebody should know.
    Warning,
    /// It does not work.
    Problem,
    /// It could not be looked at.
    Unseen,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Check {
    /// The function; `None` is what all of them share.
    pub(super) function: Option<&'static str>,
    /// What was looked at.
    pub(super) about: String,
    /// How it is.
    pub(super) state: State,
    /// What was found.
    pub(super) found: String,
    /// What to do, for all that is not ok.
    pub(super) advice: Option<String>,
}

impl Check {
    fn new(about: impl Into<String>, state: State, found: impl Into<String>, advice: Option<String>) -> Self {
        Self { function: None, about: about.into(), state, found: found.into(), advice }
    }

    pub(super) fn ok(about: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(about, State::Ok, found, None)
    }

    pub(super) fn warning(
        about: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(about, State::Warning, found, Some(advice.into()))
    }

    pub(super) fn problem(
        about: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(about, State::Problem, found, Some(advice.into()))
    }

    pub(super) fn unseen(
        about: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(about, State::Unseen, found, Some(advice.into()))
    }

    /// AWS did not let us look, or did not answer.
    pub(super) fn refused(about: impl Into<String>, error: &Error) -> Self {
        match error {
            Error::Aws { call, class, code, .. }
                if *class == Class::Denied || code == "AuthorizationError" =>
            {
                Self::unseen(
                    about,
                    format!("could not look: needs {call}"),
                    format!("allow {call} to the role or user that you are, or take another --profile"),
                )
            }
            other => {
                Self::unseen(about, format!("could not look: {other}"), "try again; if it stays, ask AWS why")
            }
        }
    }

    /// The same, about one function.
    pub(super) fn of(self, function: &'static str) -> Self {
        Self { function: Some(function), ..self }
    }
}

/// What most advice comes down to.
pub(super) const APPLY: &str = "run `terraform apply` with the version that this command is of";
