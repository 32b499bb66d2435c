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

/// The longest that Lambda lets a function run.
const LONGEST: Duration = Duration::from_mins(15);

/// The instant at which an invocation ends, from Lambda's wall-clock deadline.
///
/// A deadline in the past, as a clock jump can produce, is now. One in the first minutes of 1970 is how long the invocation may
/// take: `cargo lambda watch` sends that.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this module is the clock")]
pub fn instant_of(deadline: SystemTime) -> Instant {
    let length = deadline.duration_since(SystemTime::UNIX_EPOCH).ok().filter(|length| *length <= LONGEST);
    let left = length.or_else(|| deadline.duration_since(SystemTime::now()).ok()).unwrap_or_default();
    Instant::now() + left
}

/// A sleep of `base` with up to the same again added, so that runs that collided do not collide again.
pub async fn pause(base: Duration) {
    let spread = u64::try_from(base.as_millis()).unwrap_or(u64::MAX).max(1);
    tokio::time::sleep(base + Duration::from_millis(fastrand::u64(0..spread))).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g15_a_deadline_is_a_point_in_time_or_now_or_a_length() {
        let left = |deadline: SystemTime| instant_of(deadline).saturating_duration_since(Instant::now());
        let (minute, day) = (Duration::from_mins(1), Duration::from_hours(24));
        let now = SystemTime::from(now());
        assert!((Duration::from_secs(50)..=minute).contains(&left(now + minute)));
        assert_eq!(left(now - day), Duration::ZERO);
        assert!((Duration::from_secs(50)..=minute).contains(&left(SystemTime::UNIX_EPOCH + minute)));
        assert_eq!(left(SystemTime::UNIX_EPOCH + day), Duration::ZERO);
    }
}
