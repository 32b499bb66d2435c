//! The frame of the pages that the command writes, and what they have in common: one look with the drill's page.
//!
//! A page is a single file that asks nothing of anybody, which its own policy forbids: only the stylesheet and the script
//! below may run, known by their digests, so that a text that got past the escaping could still do nothing. Without
//! scripts everything is shown and only the filters are missing.

use std::collections::BTreeMap;

use aws_smithy_types::base64;
use jiff::civil::Date;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// More bars than this are no picture any more: each stands for several days then.
const BARS: i32 = 120;

/// A whole page.
#[must_use]
pub fn page(title: &str, body: &Markup) -> Markup {
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (body)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn digest(text: &str) -> String {
    format!("'sha256-{}'", base64::encode(Sha256::digest(text.as_bytes())))
}

/// A number for people: `1,234,567`.
#[must_use]
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A word in a coloured frame. The classes are `good`, `bad`, `warn`, `info` and `calm`.
#[must_use]
pub fn chip(class: &str, word: &str) -> Markup {
    html! { span class=(format!("chip {class}")) { (word) } }
}

/// The class of an outcome, by its word.
#[must_use]
pub fn class_of(outcome: &str) -> &'static str {
    match outcome {
        "contained" => "good",
        "partial" | "failed" => "bad",
        "held" | "observed" | "open" => "warn",
        "undone" => "info",
        _ => "calm",
    }
}

/// Large numbers with a name each.
#[must_use]
pub fn tiles(tiles: &[(&str, String)]) -> Markup {
    html! {
        dl class="tiles" { @for (name, value) in tiles { div { dt { (name) } dd { (value) } } } }
    }
}

/// Filters over everything that has the attribute `data-row`: a text, and for each choice a list. A row stays if its attribute
/// `data-<name>` is, or as one of several words holds, what was chosen. A `data-group` goes with its last row.
#[must_use]
pub fn filters(choices: &[(&str, Vec<String>)]) -> Markup {
    html! {
        form class="filters" hidden {
            label { "text" input name="text" type="search" autocomplete="off" placeholder="a name, an address …"; }
            @for (name, values) in choices {
                label { (name) select name=(name) { option value="" { "all" } @for value in values { option { (value) } } } }
            }
        }
    }
}

/// One kind of what a timeline counts.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// Its name.
    pub word: &'static str,
    /// Its colour: `good`, `bad`, `warn`, `info` or `calm`.
    pub class: &'static str,
}

/// Counts by day as bars, one part for each of the series from the bottom up. Days without an entry are nought; where there are many,
/// each bar stands for several.
#[must_use]
pub fn timeline<const N: usize>(
    label: &str,
    series: &[Series; N],
    days: &BTreeMap<Date, [u64; N]>,
) -> Markup {
    const HEIGHT: f64 = 96.0;
    let (Some((&first, _)), Some((&last, _))) = (days.first_key_value(), days.last_key_value()) else {
        return html! {};
    };
    let span = days_between(first, last) + 1;
    let width = (span + BARS - 1) / BARS;
    let mut bars = vec![[0_u64; N]; usize::try_from((span + width - 1) / width).unwrap_or_default()];
    for (day, counts) in days {
        let index = usize::try_from(days_between(first, *day) / width).unwrap_or_default();
        if let Some(bar) = bars.get_mut(index) {
            bar.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }
    let most = bars.iter().map(|bar| bar.iter().sum()).max().unwrap_or(0_u64).max(1);
    let slot = 100.0 / ratio(bars.len() as u64);
    let scale = |count: u64| HEIGHT * ratio(count) / ratio(most);
    html! {
        svg class="timeline" role="img" aria-label=(label) width="100%" height=(HEIGHT + 34.0) {
            line x1="0" x2="100%" y1=(HEIGHT + 16.0) y2=(HEIGHT + 16.0) {}
            text x="0" y="11" { (number(most)) @if width > 1 { " in " (width) " days" } @else { " a day" } }
            @for (index, bar) in bars.iter().enumerate().filter(|(_, bar)| bar.iter().any(|count| *count > 0)) {
                @let begins = first.saturating_add(jiff::Span::new().days(i64::from(width) * i64::try_from(index).unwrap_or_default()));
                g {
                    title { (begins) @for (kind, count) in series.iter().zip(bar) { ", " (number(*count)) " " (kind.word) } }
                    @for (part, kind) in series.iter().enumerate() {
                        @let below: u64 = bar.iter().take(part).sum();
                        @let height = scale(bar.get(part).copied().unwrap_or_default());
                        @if height > 0.0 {
                            rect class=(kind.class) x=(format!("{:.3}%", slot * ratio(index as u64)))
                                y=(format!("{:.1}", HEIGHT + 16.0 - scale(below) - height.max(1.5)))
                                width=(format!("{:.3}%", (slot * 0.85).min(4.0))) height=(format!("{:.1}", height.max(1.5))) {}
                        }
                    }
                }
            }
            text x="0" y=(HEIGHT + 31.0) { (first) }
            @if span > 1 { text x="100%" y=(HEIGHT + 31.0) text-anchor="end" { (last) } }
        }
        div class="key" { @for kind in series { span { i class=(kind.class) {} (kind.word) } } }
    }
}

fn days_between(first: Date, last: Date) -> i32 {
    first.until(last).map(|span| span.get_days()).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "for a picture")]
fn ratio(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERIES: [Series; 2] = [Series { word: "a", class: "good" }, Series { word: "b", class: "bad" }];

    fn bars(days: &[(&str, [u64; 2])]) -> (usize, String) {
        let days = days.iter().map(|(day, counts)| (day.parse().unwrap(), *counts)).collect();
        let svg = timeline("x", &SERIES, &days).into_string();
        (svg.matches("<g>").count(), svg)
    }

    #[test]
    fn a_page_runs_its_own_style_and_script_and_escapes_the_rest() {
        let page = page("<b>\"&", &html! { p { "<script>alert(1)</script>" } }).into_string();
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        assert!(page.contains("<title>&lt;b&gt;&quot;&amp;</title>") && page.contains("&lt;script&gt;alert"));
        for (begin, end, kind) in
            [("<style>", "</style>", "style-src"), ("<script>", "</script>", "script-src")]
        {
            let text = page.split(begin).nth(1).unwrap().split(end).next().unwrap();
            assert!(page.contains(&format!("{kind} {}", digest(text))), "{kind}");
        }
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("unsafe"));
    }

    #[test]
    fn a_timeline_has_a_bar_for_each_day_and_few_bars_for_years() {
        let (count, svg) = bars(&[("2026-01-01", [1, 2]), ("2026-01-05", [4, 0])]);
        assert_eq!(count, 2);
        assert!(svg.contains("<title>2026-01-05, 4 a, 0 b</title>"), "{svg}");
        assert!(svg.contains("4 a day"));
        let (count, svg) = bars(&[("2020-01-01", [1, 0]), ("2020-01-02", [1, 0]), ("2026-01-05", [4, 0])]);
        assert_eq!(count, 2, "the first two days share a bar");
        assert!(svg.contains("in 19 days"), "{svg}");
        assert_eq!(bars(&[]).0, 0);
    }

    #[test]
    fn numbers_can_be_read() {
        assert_eq!([0, 999, 1000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
    }
}
