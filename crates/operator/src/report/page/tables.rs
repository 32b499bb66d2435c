//! The numbers in tables: how fast, by function, by actor, exemptions, what was taken back.

use maud::{Markup, html};

use super::{NAME, SENTENCE, chip, count, day, foreign, moment};
use crate::report::exemptions::Exemption;
use crate::report::kind::Kind;
use crate::report::speed::{STEPS, Speed, length};
use crate::report::summary::{Summary, Tally};

/// Actors that are shown one by one.
const ACTORS: usize = 10;
/// Rows of the other tables.
const ROWS: usize = 100;

/// How fast, in steps.
pub(super) fn speed(summary: &Summary<'_>) -> Markup {
    let Some(speed) = &summary.all.speed else { return html! {} };
    html! {
        section {
            h2 { "How fast it was contained" }
            table class="bars" {
                @for ((_, name), number) in STEPS.iter().zip(speed.steps).filter(|(_, number)| *number > 0) {
                    tr {
                        th scope="row" { (name) }
                        td { (bar(&[(Kind::Contained, number)], speed.measured)) }
                        td class="number" { (count(number)) }
                    }
                }
            }
            p class="soft" { "From the beginning of a run until its changes were read back; measured for " (count(speed.measured)) " contained ones, those included that were taken back later." }
        }
    }
}

/// Parts of a whole, side by side.
fn bar(parts: &[(Kind, usize)], whole: usize) -> Markup {
    let percent = |number: usize| {
        100.0 * f64::from(u32::try_from(number).unwrap_or(u32::MAX))
            / f64::from(u32::try_from(whole).unwrap_or(u32::MAX).max(1))
    };
    let mut begin = 0.0;
    html! {
        svg class="timeline bar" aria-hidden="true" width="100%" height="10" {
            @for (kind, number) in parts {
                @let width = percent(*number);
                rect class=(kind.class()) x=(format!("{begin:.2}%")) width=(format!("{width:.2}%")) height="10" {}
                @let () = begin += width;
            }
        }
    }
}

/// By function.
pub(super) fn functions(summary: &Summary<'_>) -> Markup {
    html! {
        section {
            h2 { "By function" }
            table class="stack facts" {
                thead { tr {
                    th { "Function" } th class="number" { "Records" } th class="number" { "Contained" } th class="number" { "Median" }
                    th class="number" { "95th percentile" } th class="number" { "Slowest" } th class="number" { "Observed" }
                    th class="number" { "Held" } th class="number" { "Failed" }
                } }
                tbody { @for (name, tally) in &summary.functions { (function(name, tally)) } }
            }
        }
    }
}

fn function(name: &str, tally: &Tally) -> Markup {
    let time = |ms: fn(&Speed) -> u64| tally.speed.as_ref().map_or_else(|| "–".to_owned(), |s| length(ms(s)));
    let number = |words: &[&str]| count(tally.count(words));
    html! {
        tr {
            td { strong { (foreign(name, NAME)) } (bar(&ranked(tally).into_iter().map(|(word, number)| (Kind::of(word), number)).collect::<Vec<_>>(), tally.records)) }
            td class="number" data-name="records" { (count(tally.records)) }
            td class="number" data-name="contained" { (number(&["contained"])) }
            td class="number" data-name="median" { (time(|s| s.median_ms)) }
            td class="number" data-name="95th percentile" { (time(|s| s.p95_ms)) }
            td class="number" data-name="slowest" { (time(|s| s.worst_ms)) }
            td class="number" data-name="observed" { (number(&["observed"])) }
            td class="number" data-name="held" { (number(&["held"])) }
            td class="number" data-name="partial or failed" { (number(&["partial", "failed"])) }
        }
    }
}

/// Outcomes in the order in which people look for them.
fn ranked(tally: &Tally) -> Vec<(&'static str, usize)> {
    let mut ranked: Vec<_> = tally.outcomes.iter().map(|(word, number)| (*word, *number)).collect();
    ranked.sort_by_key(|(word, _)| Kind::of(word));
    ranked
}

/// By actor.
pub(super) fn actors(summary: &Summary<'_>) -> Markup {
    let (shown, rest) = summary.actors.split_at(summary.actors.len().min(ACTORS));
    html! {
        section {
            h2 { "By actor" }
            table class="stack actors" {
                thead { tr { th class="who" { "Who" } th class="number" { "Records" } th { "How they ended" } th { "Last" } } }
                tbody {
                    @for one in shown {
                        tr {
                            td { (foreign(one.actor, NAME)) }
                            td class="number" data-name="records" { (count(one.tally.records)) }
                            td { @for (word, number) in ranked(&one.tally) { (chip(word, Some(number))) " " } }
                            td class="when" data-name="last" { (moment(one.last)) }
                        }
                    }
                }
            }
            @if !rest.is_empty() {
                @let records: usize = rest.iter().map(|one| one.tally.records).sum();
                p class="soft" { "and " (count(rest.len())) @if rest.len() == 1 { " other" } @else { " others" } " with " (count(records)) " records" }
            }
        }
    }
}

/// Exemptions that are about to end, have ended, or do not count.
pub(super) fn exemptions(summary: &Summary<'_>) -> Markup {
    let all = &summary.exemptions;
    let table = |title: &str, ones: &[Exemption], when: &str| {
        let (shown, rest) = ones.split_at(ones.len().min(ROWS));
        html! {
            @if !ones.is_empty() {
                h3 { (title) }
                table class="stack" {
                    thead { tr { th { (when) } th { "Subject" } th { "Why" } th { "Owner" } } }
                    tbody { @for one in shown { (exemption(one)) } }
                }
                @if !rest.is_empty() { p class="soft" { "and " (count(rest.len())) " more" } }
            }
        }
    };
    html! {
        section {
            h2 { "Exemptions" }
            p class="soft" {
                @if all.valid == 0 { "None is valid now." } @else { (count(all.valid)) " valid now; " (count(all.ending.len())) " of them end within 14 days." }
                " Those in tags of resources are not counted."
            }
            (table("About to end", &all.ending, "Ends"))
            (table("Ended in the period", &all.ended, "Ended"))
            @if !all.refused.is_empty() {
                h3 { "Not honoured" }
                ul {
                    @for (one, problem) in all.refused.iter().take(ROWS) {
                        li { (foreign(&one.function, NAME)) ", subject " (foreign(&one.subject, NAME)) ": " (foreign(problem, SENTENCE)) }
                    }
                }
            }
        }
    }
}

fn exemption(one: &Exemption) -> Markup {
    html! {
        tr {
            td class="when" { (one.ends.map(day).unwrap_or_default()) }
            td {
                strong { (foreign(&one.subject, NAME)) }
                @if let Some(scope) = &one.scope { " " (foreign(scope, NAME)) }
                span class="soft" { " " (foreign(&one.function, NAME)) " · " (foreign(&one.account, NAME)) @if one.region != "*" { " " (foreign(&one.region, NAME)) } }
            }
            td { (foreign(&one.reason, SENTENCE)) }
            td data-name="owner" { (foreign(&one.owner, NAME)) }
        }
    }
}

/// What humans took back.
pub(super) fn undone(summary: &Summary<'_>) -> Markup {
    html! {
        @if !summary.undone.is_empty() {
            section {
                h2 { "Undone" }
                table class="stack" {
                    thead { tr { th { "When" } th { "Why" } th { "By" } th { "Left alone until" } th { "Record" } } }
                    tbody {
                        @for undo in summary.undone.iter().take(ROWS) {
                            tr {
                                td class="when" { (moment(undo.started)) @if undo.finished.is_none() { " " span class="bad" { "not finished" } } }
                                td { (foreign(&undo.reason, SENTENCE)) }
                                td data-name="by" { (foreign(&undo.by, NAME)) }
                                td class="when" data-name="left alone until" { (moment(undo.until)) }
                                td { code { (foreign(&undo.record, 2 * NAME)) } }
                            }
                        }
                    }
                }
                @if summary.undone.len() > ROWS { p class="soft" { "and " (count(summary.undone.len() - ROWS)) " more" } }
            }
        }
    }
}
