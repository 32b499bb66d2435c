//! The outcome for a terminal.

use anstyle::{AnsiColor, Style};

use super::judge::{VERDICTS, Verdict};
use super::progress::megabytes;
use super::run::Outcome;
use super::tally::Counts;
use crate::failure::Failure;
use crate::out::Out;
use crate::page::number;
use crate::table::Table;
use crate::words::plain;

/// Rows that anybody reads in a terminal; the page and `--json` have more.
const ROWS: usize = 25;
const REASONS: usize = 8;

/// Says it.
pub fn print(outcome: &Outcome, functions: &[&'static str]) -> Result<(), Failure> {
    let mut out = Out::default();
    out.line(&read(outcome));
    if let Some((first, last)) = outcome.period {
        out.line(&format!("Events of functions from {first} to {last}."));
    }
    out.line("");
    summary(outcome, functions, &mut out);
    rows(outcome, &mut out);
    reasons(outcome, &mut out);
    if outcome.damaged > 0 {
        out.line("");
        out.line(&format!("{} damaged, of which everything readable was read:", files(outcome.damaged)));
        for (name, why) in &outcome.named {
            out.line(&format!("  {}: {}", plain(name), plain(why)));
        }
        more(outcome.damaged - outcome.named.len() as u64, &mut out);
    }
    out.end()
}

/// What was read, in a sentence or two.
#[must_use]
pub fn read(outcome: &Outcome) -> String {
    let mut text = format!(
        "{} records in {}, {:.1} MB of JSON: {} reached a function, {} are named by no trigger",
        number(outcome.records),
        files(outcome.files),
        megabytes(outcome.inflated),
        number(outcome.events),
        number(outcome.others)
    );
    for (count, what) in [
        (outcome.again, "came more than once and are counted once"),
        (outcome.outside, "are outside of the period"),
        (outcome.digests, "digest files hold no events and were passed over"),
    ] {
        if count > 0 {
            text = format!("{text}, {} {what}", number(count));
        }
    }
    text + "."
}

fn files(count: u64) -> String {
    format!("{} file{}", number(count), if count == 1 { "" } else { "s" })
}

fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Act => AnsiColor::Blue.on_default().bold(),
        Verdict::Look => AnsiColor::Yellow.on_default(),
        Verdict::Fail => AnsiColor::Red.on_default().bold(),
        Verdict::Ignore => Style::new().dimmed(),
    }
}

fn more(count: u64, out: &mut Out) {
    if count > 0 {
        out.line(&format!("  and {} more", number(count)));
    }
}

fn summary(outcome: &Outcome, functions: &[&'static str], out: &mut Out) {
    let header: Vec<&str> = std::iter::once("function").chain(VERDICTS.map(Verdict::word)).collect();
    let mut table = Table::new(&header);
    for name in functions {
        let counts = outcome.functions.get(name).map_or(Counts::default(), |function| function.counts);
        let counts = counts.map(number);
        let cells: Vec<&str> = std::iter::once(*name).chain(counts.iter().map(String::as_str)).collect();
        table.row(&cells, name, Style::new().bold());
    }
    table.lines().iter().for_each(|line| out.line(line));
}

fn rows(outcome: &Outcome, out: &mut Out) {
    let mut all: Vec<_> = outcome
        .functions
        .iter()
        .flat_map(|(name, function)| function.rows.iter().map(move |(row, group)| (row, *name, group)))
        .filter(|(row, ..)| row.verdict != Verdict::Ignore)
        .collect();
    if all.is_empty() {
        return;
    }
    all.sort_by_key(|(row, name, _)| (row.verdict, *row, *name));
    let mut table = Table::new(&["verdict", "day", "function", "where", "subject", "actor", "times", "why"]);
    for (row, name, group) in all.iter().take(ROWS) {
        let (day, times) =
            (row.day.map_or_else(|| "?".to_owned(), |day| day.to_string()), number(group.times));
        let word = row.verdict.word();
        let why = format!("{}: {}", row.what, row.why);
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let (place, subject) = (text(&row.place), text(&row.subject));
        table.row(&[word, &day, name, &place, &subject, &row.actor, &times, &why], word, style(row.verdict));
    }
    out.line("");
    table.lines().iter().for_each(|line| out.line(line));
    let unlisted: u64 =
        outcome.functions.values().flat_map(|function| function.unlisted.iter().take(3)).sum();
    let left: u64 = all.iter().skip(ROWS).map(|(.., group)| group.times).sum();
    more(left + unlisted, out);
}

fn reasons(outcome: &Outcome, out: &mut Out) {
    let ignored = VERDICTS.len() - 1;
    let mut all: Vec<(u64, &str, &str)> = outcome
        .functions
        .iter()
        .flat_map(|(name, function)| {
            let reasons = function.reasons.top(usize::MAX).into_iter();
            reasons.map(move |(why, counts)| (counts.get(ignored).copied().unwrap_or_default(), *name, why))
        })
        .filter(|(count, ..)| *count > 0)
        .collect();
    if all.is_empty() {
        return;
    }
    all.sort_by(|a, b| b.0.cmp(&a.0).then(a.cmp(b)));
    out.line("");
    let mut table = Table::new(&["ignored", "function", "why"]);
    for (count, name, why) in all.iter().take(REASONS) {
        let count = number(*count);
        table.row(&[&count, name, why], &count, Style::new().dimmed());
    }
    table.lines().iter().for_each(|line| out.line(line));
    more(all.iter().skip(REASONS).map(|(count, ..)| count).sum(), out);
}
