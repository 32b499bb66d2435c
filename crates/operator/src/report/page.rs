//! The report as a page: what waits for a human first, then the numbers, the picture, and every record.
//!
//! Every text of a record is somebody else's, perhaps the attacker's: it is escaped, cut to a length that can be read, stripped of
//! what cannot be seen, and kept from turning the direction of the text around it.

mod picture;
mod records;
mod tables;
mod waiting;

use jiff::Timestamp;
use maud::{Markup, html};

use super::kind::Kind;
use super::speed::length;
use super::summary::Summary;
use crate::page;
use crate::records::{Entry, Filter};
use crate::words::plain;

/// The page about a period.
#[must_use]
pub fn page(summary: &Summary<'_>, entries: &[Entry], filter: &Filter) -> Markup {
    let period = format!("{} to {}", day(summary.period.since), day(summary.period.before));
    let body = html! {
        header {
            h1 { "Tourniquet report" }
            p { strong { (period) } @for narrowed in narrowed(filter) { " · " (narrowed) } }
            p class="soft" {
                "Journal of account " (summary.journal.account) " in " (summary.journal.region)
                " · made " (moment(summary.period.made)) ". All times are UTC."
            }
            (verdict(summary))
        }
        main {
            @if summary.all.records > 0 {
                (numbers(summary))
                (waiting::section(&summary.needs_human))
                (picture::section(entries, &summary.period))
                (tables::speed(summary))
                (tables::functions(summary))
                (tables::actors(summary))
            }
            (tables::exemptions(summary))
            (tables::undone(summary))
            @if summary.all.records > 0 { (records::section(entries)) }
        }
        footer { "Made by " code { "tourniquet report" } " from the records that were begun in this period. The numbers are in " code { "--json" } " too." }
    };
    page::page(&format!("Tourniquet report, {period}"), &body)
}

fn narrowed(filter: &Filter) -> Vec<Markup> {
    let outcomes = (!filter.outcome.is_empty()).then(|| filter.outcome.join(", "));
    [
        ("function", &filter.function),
        ("account", &filter.account),
        ("region", &filter.subject_region),
        ("subject", &filter.subject),
        ("actor", &filter.actor),
        ("outcome", &outcomes),
    ]
    .into_iter()
    .filter_map(|(name, value)| {
        value.as_ref().map(|value| html! { "only " (name) " " (foreign(value, NAME)) })
    })
    .collect()
}

fn verdict(summary: &Summary<'_>) -> Markup {
    let (records, needs) = (summary.all.records, summary.needs_human.len());
    html! {
        @if records == 0 {
            p class="notice" {
                "Nothing was recorded in this period. Functions record what they would do or did; "
                code { "tourniquet doctor" } " says whether they are deployed and called."
            }
        } @else if needs > 0 {
            p class="verdict bad" { a href="#waiting" { (mark(Kind::Failed)) (needs) @if needs == 1 { " record needs" } @else { " records need" } " a human now" } }
        } @else {
            p class="verdict good" { (mark(Kind::Contained)) "Nothing waits for a human" }
        }
        @if summary.settled > 0 {
            p class="soft" { (count(summary.settled)) " more failed or were held, and were contained by a later run." }
        }
        @if records > 0 && summary.all.observe_mode == records {
            p class="notice" { "Every record was made in the mode " code { "observe" } ": nothing was changed." }
        } @else if summary.all.observe_mode > 0 {
            p class="soft" { (count(summary.all.observe_mode)) " of " (count(records)) " records were made in the mode " code { "observe" } ", in which nothing is changed." }
        }
    }
}

fn numbers(summary: &Summary<'_>) -> Markup {
    let (all, speed) = (&summary.all, summary.all.speed.as_ref());
    let length_of = |ms: Option<u64>| ms.map_or_else(|| "–".to_owned(), length);
    let tile = |class: &str, name: &str, value: String| {
        html! { div { dt { (name) } dd class=(class) { (value) } } }
    };
    let of = |words: &[&str]| all.count(words);
    let colour = |count: usize, class: &'static str| if count > 0 { class } else { "" };
    html! {
        dl class="tiles numbers" {
            (tile("good", "contained", count(of(&["contained"]))))
            (tile("", "median time", length_of(speed.map(|s| s.median_ms))))
            (tile("", "95th percentile", length_of(speed.map(|s| s.p95_ms))))
            (tile("", "slowest", length_of(speed.map(|s| s.worst_ms))))
            @let failed = of(&["partial", "failed"]);
            (tile(colour(failed, "bad"), "partial or failed", count(failed)))
            @let held = of(&["held"]);
            (tile(colour(held, "warn"), "held", count(held)))
            (tile("", "observed only", count(of(&["observed"]))))
            (tile("", "exempt", count(of(&["exempt"]))))
            @let undone = of(&["undone"]);
            @if undone > 0 { (tile("", "undone", count(undone))) }
            (tile("", "records in all", count(all.records)))
        }
    }
}

/// The longest name that is shown whole.
const NAME: usize = 120;
/// The longest sentence that is shown whole.
const SENTENCE: usize = 400;

/// Text that somebody else chose.
fn foreign(text: &str, longest: usize) -> Markup {
    html! { bdi { (brief(text, longest)) } }
}

/// The beginning of a text that somebody else chose, without what cannot be seen.
fn brief(text: &str, longest: usize) -> String {
    let start: String = text.chars().take(longest).collect();
    if start.len() < text.len() { plain(&start) + "…" } else { plain(&start) }
}

/// An outcome in a frame, with its shape, and how many there are if it stands for many.
fn chip(outcome: &str, number: Option<usize>) -> Markup {
    let kind = Kind::of(outcome);
    html! {
        span class=(format!("chip {}", kind.class())) {
            (mark(kind)) (outcome) @if let Some(number) = number { " " strong { (count(number)) } }
        }
    }
}

/// The shape of a kind of outcome, beside text.
fn mark(kind: Kind) -> Markup {
    html! { svg class="mark" viewBox="-1.2 -1.2 2.4 2.4" aria-hidden="true" { path fill-rule="evenodd" d=(kind.shape()) {} } }
}

fn count(number: usize) -> String {
    page::number(number as u64)
}

fn day(at: Timestamp) -> String {
    at.strftime("%-d %B %Y").to_string()
}

fn moment(at: Timestamp) -> String {
    at.strftime("%-d %b %Y, %H:%M").to_string()
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
