//! The drill's clock, and the moments that scenarios may name.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;

/// Milliseconds since a moment.
#[must_use]
pub fn since(start: Instant) -> f64 {
    millis(start.elapsed())
}

/// A duration in milliseconds, with fractions.
#[must_use]
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The moments that `${…}` in a scenario can name, as RFC 3339, and the hour as the change limit writes it.
#[must_use]
pub fn names() -> Vec<(&'static str, Value)> {
    let now = now();
    let shifted = |hours| now.checked_add(SignedDuration::from_hours(hours)).unwrap_or(now);
    vec![
        ("now", json!(seconds(now))),
        ("yesterday", json!(seconds(shifted(-24)))),
        ("tomorrow", json!(seconds(shifted(24)))),
        ("hour", json!(now.strftime("%Y-%m-%dT%H").to_string())),
    ]
}

/// Day and time for people, in UTC.
#[must_use]
pub fn day() -> String {
    now().strftime("%-d %B %Y, %H:%M UTC").to_string()
}

#[expect(
    clippy::disallowed_methods,
    reason = "scenarios happen now; the functions under test take `now` as an argument"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
