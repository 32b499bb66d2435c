//! Tables for people: as wide as the terminal and one line for each row; whole where the reader is another program.

use std::io::IsTerminal;

use anstyle::Style;
use comfy_table::{ContentArrangement, Row, TableStyle, presets};

use crate::words::plain;

const STYLE: TableStyle = presets::NOTHING;

/// A table.
#[derive(Debug)]
pub struct Table {
    table: comfy_table::Table,
    styled: Vec<(String, Style)>,
}

impl Table {
    /// A table for standard output.
    #[must_use]
    pub fn new(header: &[&str]) -> Self {
        Self::wide(header, width())
    }

    fn wide(header: &[&str], width: Option<u16>) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(STYLE).set_header(header.iter().map(|name| name.to_uppercase()));
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        match width {
            Some(width) => {
                table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
                table.set_truncation_indicator("…");
            }
            None => {
                table.set_content_arrangement(ContentArrangement::Disabled);
            }
        }
        Self { table, styled: Vec::new() }
    }

    /// Adds a row of texts from outside. `word` is the one to style; nothing left of it in the row may hold it.
    pub fn row(&mut self, cells: &[&str], word: &str, style: Style) {
        let mut row: Row = cells.iter().map(|text| plain(text)).collect::<Vec<_>>().into();
        row.max_height(1);
        self.table.add_row(row);
        self.styled.push((word.to_owned(), style));
    }

    /// The lines, the header first.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut styles = self.styled.iter();
        let mut lines = Vec::new();
        for line in self.table.lines() {
            let line = line.trim_end().to_owned();
            lines.push(if lines.is_empty() {
                let bold = Style::new().bold();
                format!("{bold}{line}{bold:#}")
            } else if let Some((word, style)) = styles.next() {
                line.replacen(word.as_str(), &format!("{style}{word}{style:#}"), 1)
            } else {
                line
            });
        }
        lines
    }
}

/// The width of the terminal that standard output is.
#[must_use]
pub fn width() -> Option<u16> {
    let stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    terminal_size::terminal_size_of(stdout).map(|(width, _)| width.0.max(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(width: Option<u16>) -> Vec<String> {
        let mut table = Table::wide(&["started", "outcome", "why"], width);
        let long = "an instance talks to a host that is known for command and control\u{1b}[2J\nevil";
        table.row(&["2026-11-23", "contained", long], "contained", Style::new().bold());
        table.row(&["2026-11-24", "held", "short"], "held", Style::new().bold());
        table.lines()
    }

    #[test]
    fn a_row_is_one_line_as_wide_as_the_terminal() {
        let lines = drawn(Some(60));
        assert_eq!(lines.len(), 3, "{lines:#?}");
        let shown = anstream::adapter::strip_str(&lines[1]).to_string();
        assert!(shown.chars().count() <= 60 && shown.contains('…'), "{shown}");
        assert!(drawn(None)[1].ends_with("control\u{fffd}[2J\u{fffd}evil"), "{:?}", drawn(None));
    }

    #[test]
    fn only_the_word_is_styled() {
        let bold = Style::new().bold();
        assert!(drawn(None)[1].contains(&format!(" {bold}contained{bold:#} ")));
    }
}
