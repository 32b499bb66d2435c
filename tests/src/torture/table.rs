//! The matrix as text: for a terminal, and as Markdown.

use std::fmt::Write;

use super::cell::{Cell, Place, Sign};
use super::matrix::Matrix;

impl Matrix {
    /// The cells in which a promise was broken, one sentence each.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let broken = self.named().filter(|(_, _, cell)| cell.sign == Sign::Broken);
        broken
            .map(|(place, column, cell)| {
                format!(
                    "{} {column} at {}: {} [{}]",
                    place.function,
                    call(place),
                    cell.broken.join("; "),
                    cell.deliveries.join(" | ")
                )
            })
            .collect()
    }

    /// The cells that were not contained by the first delivery, with how each delivery ended.
    #[must_use]
    pub fn notable(&self) -> Vec<String> {
        let others = self.named().filter(|(_, _, cell)| cell.sign != Sign::Contained(1));
        others
            .map(|(place, column, cell)| {
                let ends = cell.deliveries.join(" | ");
                format!("{} {column} at {}: {} [{ends}]", place.function, call(place), cell.sign)
            })
            .collect()
    }

    fn named(&self) -> impl Iterator<Item = (&Place, &'static str, &Cell)> {
        self.cells.iter().filter_map(|((row, column), cell)| {
            Some((self.rows.get(*row)?, self.columns.get(*column)?.name(), cell))
        })
    }

    /// How many cells ended in which way.
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |sign: &str| self.count(None, sign);
        let unknown = match count("-") {
            0 => String::new(),
            cells => format!(" {cells} of which no sweep can know (-),"),
        };
        format!(
            "{} cells: {} contained at once (=), {} by the first retry (2), {} by the second (3), {} at once with a record that the \
             sweep ended (s), {} in the dead-letter queue and contained once the fault was mended (dlq),{unknown} {} broken",
            self.cells.len(),
            count("="),
            count("2"),
            count("3"),
            count("s"),
            count("dlq"),
            count("FAIL"),
        )
    }

    /// How many cells, of one function or of all, ended with a sign.
    fn count(&self, function: Option<&str>, sign: &str) -> usize {
        let of =
            |row: usize| self.rows.get(row).is_some_and(|row| function.is_none_or(|f| f == row.function));
        self.cells.iter().filter(|((row, _), cell)| of(*row) && cell.sign.to_string() == sign).count()
    }

    /// The matrix in columns of one width.
    #[must_use]
    pub fn text(&self) -> String {
        let widest = self.rows.iter().map(|row| call(row).len()).max().unwrap_or_default();
        let mut out = String::new();
        for function in self.functions() {
            let _ = write!(out, "\n{function:<widest$}");
            for column in &self.columns {
                let _ = write!(out, "  {}", column.name());
            }
            out.push('\n');
            for (index, row) in self.rows.iter().enumerate().filter(|(_, row)| row.function == function) {
                let _ = write!(out, "{:<widest$}", call(row));
                for (at, column) in self.columns.iter().enumerate() {
                    let _ = write!(out, "  {:^1$}", self.sign(index, at), column.name().len());
                }
                out.push('\n');
            }
        }
        out
    }

    /// The matrix as tables of Markdown: how many cells of each function ended in which way, then one for each function.
    #[must_use]
    pub fn markdown(&self) -> String {
        const SIGNS: [&str; 7] = ["=", "2", "3", "s", "dlq", "-", "FAIL"];
        let used: Vec<&str> = SIGNS.into_iter().filter(|sign| self.count(None, sign) > 0).collect();
        let mut out = format!("| function | calls | `{}` |\n| --- |", used.join("` | `"));
        let _ = writeln!(out, "{}", " ---: |".repeat(used.len() + 1));
        for function in self.functions() {
            let calls = self.rows.iter().filter(|row| row.function == function).count();
            let counts: Vec<String> =
                used.iter().map(|sign| self.count(Some(function), sign).to_string()).collect();
            let _ = writeln!(out, "| {function} | {calls} | {} |", counts.join(" | "));
        }
        for function in self.functions() {
            let names: Vec<&str> = self.columns.iter().map(|column| column.name()).collect();
            let _ = writeln!(out, "\n**{function}**\n\n| call | {} |", names.join(" | "));
            let _ = writeln!(out, "| --- |{}", " :-: |".repeat(names.len()));
            for (index, row) in self.rows.iter().enumerate().filter(|(_, row)| row.function == function) {
                let signs: Vec<String> = (0..names.len()).map(|column| self.sign(index, column)).collect();
                let _ = writeln!(out, "| `{}` | {} |", call(row), signs.join(" | "));
            }
        }
        out
    }

    fn sign(&self, row: usize, column: usize) -> String {
        self.cells.get(&(row, column)).map_or_else(|| " ".to_owned(), |cell| cell.sign.to_string())
    }

    fn functions(&self) -> Vec<&str> {
        let mut functions: Vec<&str> = self.rows.iter().map(|row| row.function.as_str()).collect();
        functions.dedup();
        functions
    }
}

/// A call by its place in the run and the name of its operation; which one, where there are several.
fn call(place: &Place) -> String {
    let nth = if place.nth > 1 { format!(" ({})", place.nth) } else { String::new() };
    format!("{}. {}{nth}", place.number, place.operation)
}
