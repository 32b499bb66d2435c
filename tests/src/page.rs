//! The drill as one page: what was attacked, what each function did, how fast, and what it changed.
//!
//! The page is a single file without scripts and without a request to anywhere, which its own policy forbids. Every
//! text from a scenario or a function is escaped.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use crate::run::Played;
use crate::show::{brief, few, speed};
use crate::timeline::timeline;

const STYLE: &str = include_str!("page.css");

/// The page about everything that was played at `when`.
#[must_use]
pub fn page(all: &[Played], when: &str) -> Markup {
    let passed = all.iter().filter(|played| played.passed).count();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "Tourniquet drill: " (passed) " of " (all.len()) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Tourniquet drill" }
                    p class="soft" {
                        (all.len()) @if all.len() == 1 { " attack" } @else { " attacks" } " on a simulated AWS account, answered by the binaries that ship. Played on " (when) "."
                    }
                    p class=(if passed == all.len() { "good" } else { "bad" }) { (verdict(passed, all.len())) }
                }
                (tiles(all, passed))
                (table(all))
                @for played in all { (article(played)) }
            }
        }
    }
}

fn verdict(passed: usize, all: usize) -> String {
    if passed == all {
        "Every scenario ended as declared.".to_owned()
    } else {
        format!("{} of {all} scenarios did not end as declared.", all - passed)
    }
}

fn tiles(all: &[Played], passed: usize) -> Markup {
    let mut times: Vec<f64> = all.iter().filter_map(|played| played.contained_ms).collect();
    times.sort_by(f64::total_cmp);
    let mut trips: Vec<usize> = all.iter().filter_map(|played| played.round_trips).collect();
    trips.sort_unstable();
    let calls: usize = all.iter().map(|played| played.total_calls).sum();
    html! {
        dl class="tiles" {
            div { dt { "as declared" } dd { (passed) " / " (all.len()) } }
            div { dt { "contained" } dd { (times.len()) } }
            @if let Some(median) = times.get(times.len() / 2) {
                div { dt { "median time to contain" } dd { (format!("{median:.0}")) " ms" } }
            }
            @if let Some(median) = trips.get(trips.len() / 2) {
                div { dt { "median round trips" } dd { (median) } }
            }
            div { dt { "AWS calls" } dd { (calls) } }
        }
    }
}

fn table(all: &[Played]) -> Markup {
    html! {
        div class="wide" {
            table class="stack" {
                thead {
                    tr {
                        th { "Scenario" } th { "Function" } th { "Outcome" }
                        th class="number" { "Contained after" } th class="number" { "Round trips" } th class="number" { "Calls" }
                    }
                }
                tbody {
                    @for played in all {
                        tr {
                            td { (mark(played)) " " a href=(format!("#{}", anchor(played))) { (played.title) } }
                            td class="name" { code { (played.function) } }
                            td { (badge(&played.outcome)) }
                            td class="number" data-name="contained after" { (or_dash(played.contained_ms.map(|ms| format!("{ms:.0} ms")))) }
                            td class="number" data-name="round trips" { (or_dash(played.round_trips.map(|trips| trips.to_string()))) }
                            td class="number" data-name="calls" { (played.total_calls) }
                        }
                    }
                }
            }
        }
    }
}

fn article(played: &Played) -> Markup {
    html! {
        article id=(anchor(played)) {
            header {
                h2 { (mark(played)) " " (played.title) }
                (badge(&played.outcome))
                span class="soft" { (speed(played)) }
            }
            ul class="story" { @for line in &played.story { li { (line) } } }
            p { code { (played.function) } @if !played.why.is_empty() { ": " (brief(&played.why, 600)) } }
            @if !played.failures.is_empty() {
                div class="failures" { "Not as declared:" ul { @for failure in &played.failures { li { (failure) } } } }
            }
            @if let Some(error) = &played.error { pre { (error.error_type) ": " (error.error_message) } }
            (calls(played))
            (changes(played))
            @if !played.notes.is_empty() { h3 { "Notes" } (list(&played.notes)) }
            @if !played.messages.is_empty() { h3 { "What people were told" } @for text in &played.messages { pre { (brief(text, 3_000)) } } }
            @if let Some(undo) = &played.undo { h3 { "To take it back" } pre { (undo) } }
            @if let Some(record) = &played.record { p class="soft" { "Record " code { (record) } } }
        }
    }
}

fn calls(played: &Played) -> Markup {
    if played.calls.is_empty() {
        return html! {};
    }
    if played.calls.len() > DRAWN {
        return counts(played);
    }
    html! {
        h3 { "Calls" }
        div class="wide" { (timeline(played)) }
        div class="key" {
            @for (colour, meaning) in [("read", "reads"), ("change", "changes"), ("own", "journal and messages"), ("bad", "failed or broken")] {
                span { i style=(format!("background:var(--{colour})")) {} (meaning) }
            }
        }
    }
}

/// The most calls that are drawn one by one.
const DRAWN: usize = 200;

/// How often each operation was called.
fn counts(played: &Played) -> Markup {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for call in &played.calls {
        *counts.entry(&call.name).or_default() += 1;
    }
    html! {
        h3 { (played.calls.len()) " calls" }
        table {
            thead { tr { th { "Operation" } th { "Calls" } } }
            tbody { @for (name, count) in counts { tr { td { code { (name) } } td { (count) } } } }
        }
    }
}

fn list(all: &[String]) -> Markup {
    let (shown, more) = few(all);
    html! { ul class="story" { @for line in shown { li { (line) } } @if let Some(more) = more { li { (more) } } } }
}

fn changes(played: &Played) -> Markup {
    if played.changes.is_empty() {
        return html! {};
    }
    let (shown, more) = few(&played.changes);
    html! {
        h3 { @if played.outcome == "observed" { "What would be changed" } @else { "What was changed" } }
        table class="stack" {
            thead { tr { th { "Change" } th { "Before" } th { "After" } } }
            tbody {
                @for change in shown {
                    tr {
                        td { (change.summary) }
                        td data-name="before" { code { (plain(&change.before)) } }
                        td data-name="after" { code { (plain(&change.after)) } }
                    }
                }
            }
        }
        @if let Some(more) = more { p class="soft" { (more) } }
    }
}

fn mark(played: &Played) -> Markup {
    html! { @if played.passed { span class="good" { "✔" } } @else { span class="bad" { "✘" } } }
}

fn badge(outcome: &str) -> Markup {
    let class = match outcome {
        "contained" | "already-safe" => "good",
        "partial" | "failed" | "error" | "killed" => "bad",
        "held" | "exempt" | "observed" => "warn",
        _ => "info",
    };
    html! { span class=(format!("badge {class}")) { (outcome) } }
}

fn anchor(played: &Played) -> String {
    format!("{}-{}", played.function, played.name)
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "–".to_owned())
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::page;
    use crate::run::Played;

    #[test]
    fn text_is_escaped_and_nothing_is_requested() {
        let hostile = "<script src=https://evil.example></script>".to_owned();
        let played = Played {
            title: hostile.clone(),
            why: hostile.clone(),
            messages: vec![hostile],
            ..Played::default()
        };
        let text = page(&[played], "today").into_string();
        assert!(!text.contains("<script") && text.contains("&lt;script"));
        for outside in ["src=\"", "url(", "@import", "<link", "href=\"http"] {
            assert!(!text.contains(outside), "{outside}");
        }
    }
}
