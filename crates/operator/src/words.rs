//! How things look in a terminal: colours for outcomes, and text that came from outside made harmless.

use anstyle::{AnsiColor, Style};
use tourniquet::Outcome;

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

/// Text for one line of a terminal. Tags, names and policies are an attacker's to choose, and control characters could move the
/// cursor or change what was printed before.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_invisible(c) { '\u{fffd}' } else { c }).collect()
}

/// Characters that change the direction of text, or cannot be seen.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_moves_the_cursor() {
        assert_eq!(plain("a\u{1b}[2Kb\r\nc\u{202e}d"), "a\u{fffd}[2Kb\u{fffd}\u{fffd}c\u{fffd}d");
        assert_eq!(plain("größe 日本"), "größe 日本");
    }
}
