//! Text from outside. Names, tags, descriptions and policies are an attacker's to choose.

/// Characters that change the direction of text, or cannot be seen.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// Text for one line: control characters could move a cursor, begin a line of their own, or change what was printed before.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_invisible(c) { '\u{fffd}' } else { c }).collect()
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
