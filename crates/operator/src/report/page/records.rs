//! Every record of the period, newest first, with its plan to unfold.

use std::collections::BTreeSet;

use maud::{Markup, html};
use tourniquet::journal::Record;

use super::{NAME, SENTENCE, brief, chip, count, foreign, moment};
use crate::page::filters;
use crate::records::Entry;
use crate::report::speed::length;
use crate::report::summary::{actor, contained_ms};

/// A page with more rows is slow on a phone and a book on paper.
const SHOWN: usize = 300;
/// Steps of one plan.
const STEPS: usize = 12;

/// The section.
pub(super) fn section(entries: &[Entry]) -> Markup {
    let shown: Vec<&Entry> = entries.iter().rev().take(SHOWN).collect();
    let left = entries.len() - shown.len();
    let functions: BTreeSet<String> = shown.iter().map(|entry| brief(&entry.record.function, NAME)).collect();
    let outcomes: BTreeSet<&str> = shown.iter().map(|entry| entry.outcome()).collect();
    let choices = [
        ("function", functions.into_iter().collect()),
        ("outcome", outcomes.into_iter().map(str::to_owned).collect()),
    ];
    html! {
        section {
            h2 { "Records" }
            @if left > 0 {
                p class="soft" { "The newest " (count(SHOWN)) "; " (count(left)) " older ones are not shown. " code { "tourniquet history" } " lists them." }
            }
            (filters(&choices))
            table class="stack records" {
                thead { tr { th class="when" { "Begun" } th class="outcome" { "Outcome" } th { "What" } th class="who" { "Who" } th class="number" { "Contained after" } } }
                tbody { @for entry in shown { (row(entry)) } }
            }
        }
    }
}

fn row(entry: &Entry) -> Markup {
    let record = &entry.record;
    html! {
        tr data-row data-function=(brief(&record.function, NAME)) data-outcome=(entry.outcome()) {
            td class="when" { (moment(record.started)) }
            td { (chip(entry.outcome(), None)) }
            td {
                strong { (foreign(&record.subject, NAME)) }
                div class="soft" { (foreign(&record.function, NAME)) " · " (place(record)) }
                div { (foreign(&record.why, SENTENCE)) }
                (plan(entry))
            }
            td data-name="who" { (foreign(actor(record), NAME)) }
            td class="number" data-name="contained after" { (contained_ms(record).map_or_else(|| "–".to_owned(), length)) }
        }
    }
}

/// Account and region of a record.
pub(super) fn place(record: &Record) -> Markup {
    html! { (foreign(&record.place.account, NAME)) " " (foreign(&record.place.region, NAME)) }
}

/// What was changed, or would be, to unfold.
pub(super) fn plan(entry: &Entry) -> Markup {
    let steps = &entry.record.steps;
    let (shown, rest) = steps.split_at(steps.len().min(STEPS));
    html! {
        @if !steps.is_empty() {
            details {
                summary { (steps.len()) @if steps.len() == 1 { " change" } @else { " changes" } " in the plan" }
                table class="stack" {
                    thead { tr { th { "Change" } th { "Before" } th { "After" } } }
                    tbody {
                        @for step in shown {
                            tr {
                                td { (foreign(&step.summary, SENTENCE)) }
                                td data-name="before" { code { (foreign(&step.before, SENTENCE)) } }
                                td data-name="after" { code { (foreign(&step.after, SENTENCE)) } }
                            }
                        }
                    }
                }
                @if !rest.is_empty() { p class="soft" { "and " (rest.len()) " more" } }
            }
        }
    }
}
