//! The calls of one scenario as a picture: a bar for each call, from its request to its answer, on one scale of time.
//!
//! Positions are percentages and letters keep their size, so that the same picture fits a phone and a sheet of paper.
//! A bar's label stands where there is room: behind it in the left half, before it in the right, on it if it fills both.

use maud::{Markup, html};

use crate::call::Call;
use crate::run::Played;

const ROW: f64 = 20.0;
const TOP: f64 = 24.0;

/// The scale of a picture: where on it a moment is.
#[derive(Clone, Copy)]
struct Scale {
    from: f64,
    to: f64,
}

impl Scale {
    fn of(played: &Played) -> Option<Self> {
        let from = played.deliveries.first()?.started_ms;
        let ends = played.calls.iter().map(|call| call.ended_ms).filter(|end| end.is_finite());
        let to =
            ends.chain(played.deliveries.iter().map(|delivery| delivery.ended_ms)).fold(from + 1.0, f64::max);
        Some(Self { from, to })
    }

    fn percent(self, ms: f64) -> f64 {
        (100.0 * (ms - self.from) / (self.to - self.from)).clamp(0.0, 100.0)
    }

    fn at(self, ms: f64) -> String {
        format!("{:.2}%", self.percent(ms))
    }

    /// Three to six round numbers of milliseconds.
    fn ticks(self) -> Vec<f64> {
        let span = self.to - self.from;
        let steps = (-1..7).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)));
        let step = steps.into_iter().find(|step| span / step <= 5.0).unwrap_or(span);
        (1..6).map(|n| f64::from(n) * step).filter(|ms| *ms < span * 0.97).collect()
    }
}

/// Draws the calls of a scenario; nothing if the function was not called.
#[must_use]
pub fn timeline(played: &Played) -> Markup {
    let Some(scale) = Scale::of(played) else { return html! {} };
    let calls: Vec<&Call> = played.calls.iter().filter(|call| call.ended_ms >= scale.from).collect();
    if calls.is_empty() {
        return html! {};
    }
    let rows = (0_u32..).map(|row| TOP + f64::from(row) * ROW);
    let height = rows.clone().nth(calls.len()).unwrap_or(TOP) + 16.0;
    let label = format!("{} calls in {:.0} milliseconds", calls.len(), scale.to - scale.from);
    html! {
        svg class="timeline" role="img" aria-label=(label) width="100%" height=(height) {
            (starts(played, &calls, scale, height))
            (grid(scale, height))
            @if let Some(moment) = contained(played) {
                line class="moment" x1=(scale.at(moment)) x2=(scale.at(moment)) y1="14" y2=(height) {}
                @let percent = scale.percent(moment);
                (beside("moment", &format!("contained after {:.0} ms", moment - started(played)), (percent, percent), 11.0))
            }
            @for (call, y) in calls.iter().zip(rows) { (bar(call, scale, y)) }
        }
    }
}

fn grid(scale: Scale, height: f64) -> Markup {
    html! {
        @for ms in scale.ticks() {
            @let x = scale.at(scale.from + ms);
            line class="grid" x1=(x) x2=(x) y1="18" y2=(height) {}
            text class="tick" x=(x) y=(height - 2.0) dx="3" { (ms) " ms" }
        }
    }
}

/// Where deliveries begin, and how long the process took to its first call.
fn starts(played: &Played, calls: &[&Call], scale: Scale, height: f64) -> Markup {
    html! {
        @for (index, delivery) in played.deliveries.iter().enumerate() {
            @let x = scale.percent(delivery.started_ms);
            @let first = calls.iter().map(|call| call.started_ms).filter(|ms| *ms >= delivery.started_ms).fold(delivery.ended_ms, f64::min);
            rect class="start" x=(scale.at(delivery.started_ms)) y="18" width=(format!("{:.2}%", scale.percent(first) - x)) height=(height - 18.0) {
                title { "until the first call of delivery " (index + 1) }
            }
            @if played.deliveries.len() > 1 {
                line class="delivery" x1=(scale.at(delivery.started_ms)) x2=(scale.at(delivery.started_ms)) y1="14" y2=(height) {}
                @if index > 0 { text class="tick" x=(scale.at(delivery.started_ms)) y="11" dx="3" { "delivery " (index + 1) } }
            }
            @if delivery.killed {
                text class="killed" x=(scale.at(delivery.ended_ms)) y="22" text-anchor="middle" { "✕" title { "the process was killed" } }
            }
        }
    }
}

fn bar(call: &Call, scale: Scale, y: f64) -> Markup {
    let end = if call.ended_ms.is_finite() { call.ended_ms } else { scale.to };
    let (left, right) = (scale.percent(call.started_ms), scale.percent(end));
    let label = match (&call.error, call.fault) {
        (Some(code), _) => format!("{} · {code}", call.name),
        (None, Some(kind)) => format!("{} · {}", call.name, crate::show::fault(kind)),
        (None, None) => call.name.clone(),
    };
    html! {
        g class=(class(call)) {
            title { (label) ": " (format!("{:.1}", end - call.started_ms)) " ms, from " (format!("{:.1}", call.started_ms - scale.from)) " ms on" }
            rect x=(format!("{left:.2}%")) y=(y + 4.0) width=(format!("{:.2}%", (right - left).max(0.4))) height="10" rx="2" {}
            (beside("label", &label, (left, right), y + 13.0))
        }
    }
}

/// Text beside a stretch: behind it in the left half, before it in the right, on it if it fills both.
fn beside(class: &str, text: &str, (left, right): (f64, f64), y: f64) -> Markup {
    let (percent, anchor, shift) = if right < 55.0 {
        (right, "start", "5")
    } else if left < 45.0 {
        (left, "start", "5")
    } else {
        (left, "end", "-5")
    };
    html! { text class=(class) x=(format!("{percent:.2}%")) y=(y) dx=(shift) text-anchor=(anchor) { (text) } }
}

fn class(call: &Call) -> &'static str {
    if !call.succeeded() {
        "broken"
    } else if call.name.starts_with("dynamodb:") || call.name.starts_with("sns:") {
        "own"
    } else if call.changes() {
        "change"
    } else {
        "read"
    }
}

fn contained(played: &Played) -> Option<f64> {
    Some(started(played) + played.contained_ms?)
}

/// The delivery in which containment was reached is the latest that began before a call that contains ended.
fn started(played: &Played) -> f64 {
    let index = played.contained_delivery.unwrap_or_default();
    played.deliveries.get(index).map_or(0.0, |delivery| delivery.started_ms)
}

#[cfg(test)]
mod tests {
    use super::Scale;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(Scale { from: 10.0, to: 430.0 }.ticks(), [100.0, 200.0, 300.0, 400.0]);
        assert_eq!(Scale { from: 0.0, to: 3.0 }.ticks(), [1.0, 2.0]);
        assert!((Scale { from: 0.0, to: 4.0 }.percent(1.0) - 25.0).abs() < f64::EPSILON);
    }
}
