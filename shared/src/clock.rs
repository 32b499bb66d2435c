//! The one place that reads the clock. Everything that decides takes the time as an argument.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::time::Instant;

/// Wall-clock time, UTC.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this module is the clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The instant at which an invocation ends, from Lambda's wall-clock deadline.
///
/// A deadline in the past, as a clock jump can produce, is now.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this module is the clock")]
pub fn instant_of(deadline: SystemTime) -> Instant {
    let left = deadline.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
    Instant::now() + left
}

/// A sleep of `base` with up to the same again added, so that runs that collided do not collide again.
pub async fn pause(base: Duration) {
    let spread = u64::try_from(base.as_millis()).unwrap_or(u64::MAX).max(1);
    tokio::time::sleep(base + Duration::from_millis(fastrand::u64(0..spread))).await;
}
