//! How the command ends: exit codes, and what is said with them.

use std::process::ExitCode;

/// How a command ended that did not go wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Done {
    /// Everything asked for was done, or was done already.
    Well,
    /// The command did its work and found something that a human should look at.
    Findings,
}

impl Done {
    /// The exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Findings => 5,
        }
    }
}

/// How a command ended that went wrong. Each text says what happened to which resource and what to do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// What was asked for makes no sense, or cannot be read.
    #[error("{0}")]
    Usage(String),
    /// AWS or the machine refused; what was done before that is said.
    #[error("{0}")]
    Failed(String),
    /// Nothing was changed, because it was not safe to, or nobody agreed.
    #[error("{0}")]
    Refused(String),
    /// Some of it was done, the rest was not.
    #[error("{0}")]
    Partial(String),
}

impl Failure {
    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            // What clap ends with.
            Self::Usage(_) => 2,
            Self::Refused(_) => 3,
            Self::Partial(_) => 4,
        }
    }
}

impl From<tourniquet::Error> for Failure {
    fn from(error: tourniquet::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The exit code of a command's end; what went wrong goes to standard error.
#[must_use]
pub fn end(result: Result<Done, Failure>) -> ExitCode {
    match result {
        Ok(done) => done.code().into(),
        Err(failure) => {
            let style = anstyle::AnsiColor::Red.on_default().bold();
            anstream::eprintln!("{style}error:{style:#} {failure}");
            failure.code().into()
        }
    }
}

/// For `--help`.
pub const CODES: &str = "\
Exit codes:
  0  done, or nothing was left to do
  1  AWS or this machine refused; the message says what was done before that
  2  wrong usage, or an input that cannot be read
  3  refused: the resource has changed since, or nobody agreed; nothing was changed
  4  partial: some of it was done; the message says what is left
  5  done, and something was found that a human should look at";
