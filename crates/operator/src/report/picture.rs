//! A period cut into stretches of time, and how many records of each kind every function began in each.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::kind::Kind;
use super::summary::Period;
use crate::records::Entry;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// More marks side by side than these touch each other on a phone.
const MOST: i64 = 48;

/// The stretches of a period.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Scale {
    from: i64,
    /// Seconds of one stretch.
    pub step: i64,
    /// How many there are.
    pub count: usize,
}

impl Scale {
    /// Hours, quarters of days, days or weeks, depending on the period; they begin when those do in UTC.
    #[must_use]
    pub fn of(period: &Period) -> Self {
        let (since, before) = (period.since.as_second(), period.before.as_second());
        let fits = |step: &i64| (before - since) / step < MOST;
        let days = ((before - since) / (MOST * DAY) + 1).max(30);
        let step = [HOUR, 6 * HOUR, DAY, 7 * DAY].into_iter().find(fits).unwrap_or(days * DAY);
        let from = since.div_euclid(step) * step;
        let count = usize::try_from((before - 1 - from).div_euclid(step) + 1).unwrap_or_default().max(1);
        Self { from, step, count }
    }

    /// The stretch of a moment.
    #[must_use]
    pub fn index(&self, at: Timestamp) -> usize {
        let index = (at.as_second() - self.from).div_euclid(self.step);
        usize::try_from(index).unwrap_or_default().min(self.count - 1)
    }

    /// When a stretch begins.
    #[must_use]
    pub fn begin(&self, index: usize) -> Timestamp {
        let at = i64::try_from(index)
            .ok()
            .and_then(|n| n.checked_mul(self.step))
            .and_then(|s| s.checked_add(self.from));
        at.and_then(|second| Timestamp::from_second(second).ok()).unwrap_or(Timestamp::MAX)
    }

    /// A stretch in words.
    #[must_use]
    pub fn name(&self, index: usize) -> String {
        let (begin, end) = (self.begin(index), self.begin(index + 1));
        match self.step {
            DAY => begin.strftime("%-d %b").to_string(),
            ..DAY => format!("{} to {}", begin.strftime("%-d %b %H:%M"), end.strftime("%H:%M")),
            _ => format!("{} to before {}", begin.strftime("%-d %b %Y"), end.strftime("%-d %b")),
        }
    }

    /// The beginning of a stretch in a few letters.
    #[must_use]
    pub fn tick(&self, index: usize) -> String {
        let form = match self.step {
            HOUR => "%-d %b %H:%M",
            ..=DAY => "%-d %b",
            _ => "%b %Y",
        };
        self.begin(index).strftime(form).to_string()
    }
}

/// How many records there are, by function, kind and stretch.
pub type Cells<'a> = BTreeMap<&'a str, BTreeMap<Kind, Vec<usize>>>;

/// Counts records.
#[must_use]
pub fn cells<'a>(entries: &'a [Entry], scale: &Scale) -> Cells<'a> {
    let mut cells = Cells::new();
    for entry in entries {
        let kinds = cells.entry(&entry.record.function).or_default();
        let counts = kinds.entry(Kind::of(entry.outcome())).or_insert_with(|| vec![0; scale.count]);
        if let Some(count) = counts.get_mut(scale.index(entry.record.started)) {
            *count += 1;
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(since: &str, before: &str) -> Scale {
        let (since, before): (Timestamp, Timestamp) = (since.parse().unwrap(), before.parse().unwrap());
        Scale::of(&Period { since, before, made: before })
    }

    #[test]
    fn the_stretches_fit_the_period() {
        let month = scale("2026-10-16T12:30:00Z", "2026-11-15T12:30:00Z");
        assert_eq!((month.step, month.count), (DAY, 31));
        assert_eq!((month.name(0), month.tick(30)), ("16 Oct".to_owned(), "15 Nov".to_owned()));
        let day = scale("2026-11-14T12:30:00Z", "2026-11-15T12:30:00Z");
        assert_eq!((day.step, day.count, day.name(1).as_str()), (HOUR, 25, "14 Nov 13:00 to 14:00"));
        assert_eq!(scale("2026-11-08T00:00:00Z", "2026-11-15T00:00:00Z").count, 28);
        let decades = scale("1990-01-01T00:00:00Z", "2026-11-15T00:00:00Z");
        assert!(decades.count <= 50, "{decades:?}");
        assert_eq!(scale("2026-11-15T00:00:00Z", "2026-11-15T00:00:00Z").count, 1);
    }

    #[test]
    fn every_moment_of_the_period_has_its_stretch() {
        let month = scale("2026-10-16T12:30:00Z", "2026-11-15T00:00:00Z");
        for (at, index) in
            [("2026-10-16T12:30:00Z", 0), ("2026-10-17T00:00:00Z", 1), ("2026-11-14T23:59:59Z", 29)]
        {
            assert_eq!(month.index(at.parse().unwrap()), index, "{at}");
        }
        assert_eq!(month.count, 30);
    }
}
