//! How things look in a terminal: colours for outcomes, and text that came from outside made harmless.

use anstyle::{AnsiColor, Style};
use tourniquet::Outcome;
pub use tourniquet::text::plain;

/// The style of an outcome.
#[must_use]
pub fn style(outcome: Option<Outcome>) -> Style {
    match outcome {
        Some(Outcome::Contained) => AnsiColor::Green.on_default(),
        Some(Outcome::Partial | Outcome::Failed) => AnsiColor::Red.on_default().bold(),
        Some(Outcome::Held | Outcome::Observed) | None => AnsiColor::Yellow.on_default(),
        Some(_) => Style::new().dimmed(),
    }
}

/// The style of an outcome as an operator sees it: in the words of [`crate::records::Entry::outcome`].
#[must_use]
pub fn outcome_style(word: &str, outcome: Option<Outcome>) -> Style {
    if word == "undone" { AnsiColor::Cyan.on_default() } else { style(outcome) }
}
