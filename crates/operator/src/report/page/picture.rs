//! The timeline: for each function a row for each kind of outcome, and a mark where something happened; the more, the larger.
//!
//! Positions are percentages and letters keep their size, so that the same picture fits a phone and a sheet of paper.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::{NAME, brief, count, mark};
use crate::records::Entry;
use crate::report::kind::Kind;
use crate::report::picture::{Scale, cells};
use crate::report::summary::Period;

const LANE: u32 = 17;
const LABEL: u32 = 22;
const GAP: u32 = 8;
const TICKS: usize = 4;

/// The section.
pub(super) fn section(entries: &[Entry], period: &Period) -> Markup {
    let scale = Scale::of(period);
    let cells = cells(entries, &scale);
    let mut top = 0;
    let mut rows = Vec::new();
    for (function, kinds) in &cells {
        rows.push((top, *function, kinds));
        top += LABEL + LANE * u32::try_from(kinds.len()).unwrap_or_default() + GAP;
    }
    let shown: BTreeSet<Kind> = cells.values().flat_map(|kinds| kinds.keys().copied()).collect();
    html! {
        section {
            h2 { "When" }
            svg class="timeline" role="group" aria-label="records by time, function and outcome" width="100%" height=(top + 18) {
                @for tick in 0..TICKS {
                    @let index = tick * scale.count / TICKS;
                    @if tick == 0 || index > (tick - 1) * scale.count / TICKS {
                        @let x = at(&scale, index, 0.0);
                        line x1=(x) x2=(x) y1="0" y2=(top) {}
                        text x=(x) y=(top + 13) dx="2" { (scale.tick(index)) }
                    }
                }
                @for (y, function, kinds) in rows { (row(y, function, kinds, &scale)) }
            }
            div class="key" { @for kind in shown { span class=(kind.class()) { (mark(kind)) (kind.word()) } } }
        }
    }
}

fn row(top: u32, function: &str, kinds: &BTreeMap<Kind, Vec<usize>>, scale: &Scale) -> Markup {
    let total: usize = kinds.values().flatten().sum();
    html! {
        text class="strong" x="0" y=(top + 14) { (brief(function, NAME)) " · " (count(total)) }
        @for (lane, (kind, counts)) in (0_u32..).zip(kinds) {
            @let y = top + LABEL + LANE * lane + LANE / 2;
            line x1="0" x2="100%" y1=(y) y2=(y) {}
            @for (index, number) in counts.iter().enumerate().filter(|(_, number)| **number > 0) {
                svg class=(kind.class()) role="img" overflow="visible" width="1" height="1" x=(at(scale, index, 0.5)) y=(y) {
                    title { (scale.name(index)) ", " (brief(function, NAME)) ": " (count(*number)) " " (kind.word()) }
                    path fill-rule="evenodd" transform=(format!("scale({:.1})", radius(*number))) d=(kind.shape()) {}
                }
            }
        }
    }
}

/// Where on the picture a stretch is: its beginning at 0, its middle at 0.5.
fn at(scale: &Scale, index: usize, inside: f64) -> String {
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    format!("{:.2}%", 100.0 * (number(index) + inside) / number(scale.count))
}

/// Half the height of a mark, in pixels.
fn radius(number: usize) -> f64 {
    let number = f64::from(u32::try_from(number).unwrap_or(u32::MAX)).max(1.0);
    (4.0 + number.log10() * 1.7).min(7.5)
}
