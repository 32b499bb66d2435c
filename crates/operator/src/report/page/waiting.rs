//! What waits for a human: each record with what was wrong, what went wrong, and what to do.

use maud::{Markup, html};

use super::{NAME, SENTENCE, chip, count, foreign, moment, records};
use crate::report::kind::Kind;
use crate::report::needs::Need;

/// More than these nobody works through on a page.
const SHOWN: usize = 50;
/// Notes of one record.
const NOTES: usize = 6;

/// The section, if anything waits.
pub(super) fn section(needs: &[Need<'_>]) -> Markup {
    let (shown, rest) = needs.split_at(needs.len().min(SHOWN));
    html! {
        @if !needs.is_empty() {
            section id="waiting" {
                h2 { "Needs a human now" }
                @for need in shown { (one(need)) }
                @if !rest.is_empty() {
                    p class="soft" { "and " (count(rest.len())) " more, which " code { "tourniquet history" } " lists." }
                }
            }
        }
    }
}

fn one(need: &Need<'_>) -> Markup {
    let record = &need.entry.record;
    let (notes, rest) = need.notes.split_at(need.notes.len().min(NOTES));
    html! {
        div class=(format!("waiting {}", Kind::of(need.outcome).class())) {
            p { (chip(need.outcome, None)) " " strong { (foreign(&record.subject, NAME)) } }
            p class="soft" { (foreign(&record.function, NAME)) " · " (records::place(record)) " · " (moment(record.started)) }
            p { (foreign(need.why, 3 * SENTENCE)) }
            @if !notes.is_empty() {
                ul { @for note in notes { li { (foreign(note, SENTENCE)) } } @if !rest.is_empty() { li { "and " (count(rest.len())) " more" } } }
            }
            p { strong { "To do: " } (need.advice) }
            (records::plan(need.entry))
            p class="soft" { "Record " code { (foreign(need.record, 2 * NAME)) } }
        }
    }
}
