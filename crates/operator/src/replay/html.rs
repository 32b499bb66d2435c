//! The outcome as a page that a security lead can open from a mail.

use jiff::Timestamp;
use maud::{Markup, html};

use super::judge::{VERDICTS, Verdict};
use super::progress::megabytes;
use super::run::Outcome;
use super::table::read;
use super::tally::{Counts, Function, Group, Names, Row};
use crate::page::{Series, chip, filters, number, page, tiles, timeline};
use crate::words::plain;

/// Names in each of the short lists.
const TOP: usize = 10;

const SERIES: [Series; 4] = [
    Series { word: "would act", class: class(Verdict::Act) },
    Series { word: "would look", class: class(Verdict::Look) },
    Series { word: "would fail", class: class(Verdict::Fail) },
    Series { word: "would ignore", class: class(Verdict::Ignore) },
];

const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Act => "info",
        Verdict::Look => "warn",
        Verdict::Fail => "bad",
        Verdict::Ignore => "calm",
    }
}

/// The page.
#[must_use]
pub fn document(outcome: &Outcome, functions: &[&'static str], made: Timestamp) -> String {
    let sums = sums(outcome);
    let period = outcome.period.map(|(first, last)| format!("{} to {}", day(first), day(last)));
    let choices = [
        ("function", functions.iter().map(|name| (*name).to_owned()).collect()),
        ("verdict", VERDICTS.map(|verdict| verdict.word().replace(' ', "-")).to_vec()),
    ];
    let body = html! {
        header {
            h1 { "What Tourniquet would have done" }
            p class="soft" {
                @if let Some(period) = &period { (period) ", " } "replayed on " (day(made)) ". " (read(outcome))
            }
        }
        (tiles(&[
            ("would act", number(sum(sums, Verdict::Act))), ("would look", number(sum(sums, Verdict::Look))),
            ("would ignore", number(sum(sums, Verdict::Ignore))), ("would fail", number(sum(sums, Verdict::Fail))),
            ("records read", number(outcome.records)), ("megabytes", number(whole(outcome.inflated))),
        ]))
        (damaged(outcome))
        (filters(&choices))
        @for name in by_weight(outcome, functions) {
            @match outcome.functions.get(name) {
                Some(function) => (article(name, function)),
                None => article data-group data-function=(name) { header { h2 { (name) } (chip("calm", "no event reached it")) } },
            }
        }
        footer {
            p {
                strong { "would act" } ": the event alone proves it. " strong { "would look" } ": the live resource decides, which no recording "
                "has. " strong { "would ignore" } ": and why. " strong { "would fail" } ": the event does not say of what it is; the function "
                "ends with an error and the dead-letter queue keeps the event."
            }
            p {
                "Exemptions, the change limit and the mode of a function are not part of this: the journal was not asked. Sweeps, which find what "
                "no event told of, are not either. A trail's log files hold API calls alone: findings reach a replay only from recorded events. Days are in UTC."
            }
        }
    };
    page(
        &format!("Tourniquet replay{}", period.map(|period| format!(": {period}")).unwrap_or_default()),
        &body,
    )
    .into_string()
}

/// The functions that would have done most first.
fn by_weight(outcome: &Outcome, functions: &[&'static str]) -> Vec<&'static str> {
    let mut functions = functions.to_vec();
    functions
        .sort_by_key(|name| std::cmp::Reverse(outcome.functions.get(name).map(|function| function.counts)));
    functions
}

fn whole(bytes: u64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded for people")]
    let megabytes = megabytes(bytes).round() as u64;
    megabytes
}

fn day(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

fn sums(outcome: &Outcome) -> Counts {
    let mut sums = Counts::default();
    for function in outcome.functions.values() {
        sums.iter_mut().zip(function.counts).for_each(|(sum, count)| *sum += count);
    }
    sums
}

fn sum(counts: Counts, verdict: Verdict) -> u64 {
    VERDICTS.iter().zip(counts).find(|(one, _)| **one == verdict).map_or(0, |(_, count)| count)
}

fn damaged(outcome: &Outcome) -> Markup {
    html! {
        @if outcome.damaged > 0 {
            div class="notice" {
                p {
                    (number(outcome.damaged)) @if outcome.damaged == 1 { " file is" } @else { " files are" }
                    " damaged; everything in them that can be read was read."
                }
                details {
                    summary { "which" }
                    ul { @for (name, why) in &outcome.named { li { code { (plain(name)) } ": " (plain(why)) } } }
                    @let more = outcome.damaged - outcome.named.len() as u64;
                    @if more > 0 { p { "and " (number(more)) " more" } }
                }
            }
        }
    }
}

fn article(name: &str, function: &Function) -> Markup {
    html! {
        article data-group data-function=(name) {
            header {
                h2 { (name) }
                @for (verdict, count) in VERDICTS.iter().zip(function.counts).filter(|(_, count)| *count > 0) {
                    (chip(class(*verdict), &format!("{} {}", verdict.word(), number(count))))
                }
            }
            (timeline(&format!("What {name} would have done, by day"), &SERIES, &function.days))
            @let undated: u64 = function.undated.iter().sum();
            @if undated > 0 { p class="soft" { (number(undated)) " more without a day." } }
            div class="pair" {
                (names("Actors", &function.actors))
                (names("Subjects", &function.subjects))
                (names("Reasons", &function.reasons))
            }
            (table(function))
        }
    }
}

fn table(function: &Function) -> Markup {
    let unlisted: u64 = function.unlisted.iter().sum();
    html! {
        div class="wide" {
            table class="stack" {
                thead { tr { th { "verdict" } th { "day" } th { "subject" } th { "actor" } th { "what and why" } th class="number" { "times" } } }
                tbody { @for (row, group) in &function.rows { (line(row, group)) } }
            }
        }
        @if unlisted > 0 { p class="soft" { (number(unlisted)) " more are counted and not listed." } }
    }
}

fn line(row: &Row, group: &Group) -> Markup {
    html! {
        tr data-row data-verdict=(row.verdict.word().replace(' ', "-")) {
            td { (chip(class(row.verdict), row.verdict.word())) }
            td class="name" data-name="day" { @if let Some(day) = row.day { (day) } @else { "unknown" } }
            td data-name="subject" {
                @if let Some(subject) = &row.subject { code { (subject) } " " }
                @if let Some(place) = &row.place { span class="soft" { (place) } }
            }
            td data-name="actor" { (row.actor) }
            td data-name="why" {
                (row.what) ": " (row.why)
                details {
                    summary class="soft" { "event" }
                    code { (group.event) } @if let Some(first) = group.first { " at " (first) } br; code { (group.file) }
                }
            }
            td class="number" data-name="times" { (number(group.times)) }
        }
    }
}

fn names(title: &str, names: &Names) -> Markup {
    html! {
        @if !names.is_empty() {
            section {
                h3 { (title) }
                table {
                    @for (name, counts) in names.top(TOP) {
                        tr {
                            td { (name) }
                            td class="number" { @if names.dropped { "at least " } (number(counts.iter().sum())) }
                        }
                    }
                }
                @if names.len() > TOP { p class="soft" { "and " (number((names.len() - TOP) as u64)) @if names.dropped { " or more" } " others" } }
            }
        }
    }
}
