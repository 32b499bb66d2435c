//! How fast subjects were contained.

use serde::Serialize;

/// The bounds of the steps by which times are counted, in milliseconds, as people say them. The last step has no bound.
pub const STEPS: [(u64, &str); 6] = [
    (100, "within 100 ms"),
    (1_000, "within a second"),
    (10_000, "within 10 seconds"),
    (60_000, "within a minute"),
    (600_000, "within 10 minutes"),
    (u64::MAX, "longer"),
];

/// Times to containment, in milliseconds. The percentiles are measured times (nearest rank), not interpolated ones.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Speed {
    /// How many were measured.
    pub measured: usize,
    /// Half of them were not slower.
    pub median_ms: u64,
    /// Nineteen of twenty were not slower.
    pub p95_ms: u64,
    /// The slowest.
    pub worst_ms: u64,
    /// How many ended within each of the [`STEPS`] and not within the one before.
    pub steps: [usize; STEPS.len()],
}

impl Speed {
    /// The numbers of some times; nothing of none.
    #[must_use]
    pub fn of(mut times: Vec<u64>) -> Option<Self> {
        times.sort_unstable();
        let rank =
            |percent: usize| times.get((times.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        let mut steps = [0; STEPS.len()];
        for time in &times {
            let step = STEPS.iter().zip(&mut steps).find(|((bound, _), _)| time <= bound);
            if let Some((_, count)) = step {
                *count += 1;
            }
        }
        Some(Self {
            measured: times.len(),
            median_ms: rank(50)?,
            p95_ms: rank(95)?,
            worst_ms: rank(100)?,
            steps,
        })
    }
}

/// A length of time for people: `38 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
#[must_use]
pub fn length(ms: u64) -> String {
    let pair = |whole: u64, unit: &str, rest: u64, small: &str| {
        if rest == 0 { format!("{whole} {unit}") } else { format!("{whole} {unit} {rest} {small}") }
    };
    let seconds = ms / 1_000;
    match seconds {
        0 => format!("{ms} ms"),
        1..60 => format!("{seconds}.{} s", ms % 1_000 / 100),
        60..3_600 => pair(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => pair(seconds / 3_600, "h", seconds / 60 % 60, "min"),
        _ => pair(seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentiles_are_measured_times() {
        let speed = Speed::of((1..=100).rev().collect()).unwrap();
        assert_eq!((speed.median_ms, speed.p95_ms, speed.worst_ms), (50, 95, 100));
        let speed = Speed::of(vec![40, 7]).unwrap();
        assert_eq!((speed.median_ms, speed.p95_ms, speed.worst_ms), (7, 40, 40));
        assert_eq!(Speed::of(vec![7]).unwrap().p95_ms, 7);
        assert_eq!(Speed::of(Vec::new()), None);
        assert_eq!(Speed::of(vec![100, 101, 1_000, 600_001]).unwrap().steps, [1, 2, 0, 0, 0, 1]);
    }

    #[test]
    fn lengths_can_be_read() {
        let texts = [0, 38, 1_000, 4_290, 60_000, 200_000, 7_500_000, 273_600_000].map(length);
        assert_eq!(texts, ["0 ms", "38 ms", "1.0 s", "4.2 s", "1 min", "3 min 20 s", "2 h 5 min", "3 d 4 h"]);
    }

    proptest! {
        #[test]
        fn the_numbers_of_times_fit_each_other(times in prop::collection::vec(0_u64..2_000_000, 1..60)) {
            let speed = Speed::of(times.clone()).unwrap();
            prop_assert!(speed.median_ms <= speed.p95_ms && speed.p95_ms <= speed.worst_ms);
            prop_assert_eq!(Some(&speed.worst_ms), times.iter().max());
            prop_assert_eq!((speed.measured, speed.steps.iter().sum::<usize>()), (times.len(), times.len()));
            let faster = times.iter().filter(|time| **time <= speed.median_ms).count();
            prop_assert!(faster * 2 >= times.len());
        }
    }
}
