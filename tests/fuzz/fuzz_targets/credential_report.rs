//! The credential report of IAM: whatever it holds, a key that may be old makes its user one to look at.

#![no_main]

#[path = "../../../crates/disable-old-keys/src"]
#[allow(dead_code)]
mod room {
    pub(crate) mod event;
    pub(crate) mod report;
    pub(crate) mod settings;
}

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use room::{event, report, settings};
use settings::Settings;

/// 2026-11-02.
const NOW: i64 = 1_793_610_000;
const DAY: i64 = 86_400;

fuzz_target!(|data: &[u8]| {
    let now = Timestamp::from_second(NOW).expect("a moment");
    let Some(rows) = report::rows(data.to_vec()) else { return };
    let strict = Settings { unused_days: Some(45), ..Settings::default() };
    for row in rows.filter_map(Result::ok) {
        let keys = row.notes();
        let found = row.is_candidate(&Settings::default(), now);
        assert!(!found || !keys.is_empty(), "a candidate without a key that works");
        assert!(!found || row.is_candidate(&strict, now), "a stricter setting finds less");
        for key in &keys {
            let from = key.split_once(" is from ").map_or("", |(_, rest)| rest);
            let date = from.split_once(", last used at ").map_or("", |(date, _)| date).parse::<Timestamp>();
            let is_old = date.map_or(true, |date| NOW - date.as_second() > 80 * DAY);
            assert!(found || !(is_old || row.user == event::ROOT), "{key}");
        }
    }
});
