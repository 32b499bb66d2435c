//! The credential report: one line of CSV for each user. Pure.
//!
//! It is up to four hours old and says less than IAM does, so it only names the users at whom the sweep looks.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>

use std::io::Cursor;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::event::ROOT;
use crate::settings::{Settings, days};

/// How old the report may be.
const STALE: SignedDuration = SignedDuration::from_hours(4);

/// One line, as far as it is about access keys.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Row {
    pub(crate) user: String,
    access_key_1_active: String,
    access_key_1_last_rotated: String,
    access_key_1_last_used_date: String,
    access_key_1_last_used_region: String,
    access_key_1_last_used_service: String,
    access_key_2_active: String,
    access_key_2_last_rotated: String,
    access_key_2_last_used_date: String,
    access_key_2_last_used_region: String,
    access_key_2_last_used_service: String,
}

/// What a line says about one key.
#[derive(Clone, Copy, Debug)]
struct Reported<'a> {
    active: &'a str,
    rotated: &'a str,
    used: &'a str,
    region: &'a str,
    service: &'a str,
}

/// The lines of a report, read one after the other.
pub(crate) type Rows = csv::DeserializeRecordsIntoIter<Cursor<Vec<u8>>, Row>;

/// The lines of a report; `None` if it is no report that we can read.
pub(crate) fn rows(report: Vec<u8>) -> Option<Rows> {
    let mut reader = csv::Reader::from_reader(Cursor::new(report));
    let headers = reader.headers().ok()?;
    let needed = ["user", "access_key_1_active", "access_key_1_last_rotated", "access_key_2_active"];
    if !needed.iter().all(|name| headers.iter().any(|header| header == *name)) {
        return None;
    }
    Some(reader.into_deserialize())
}

impl Row {
    fn keys(&self) -> [Reported<'_>; 2] {
        [
            Reported {
                active: &self.access_key_1_active,
                rotated: &self.access_key_1_last_rotated,
                used: &self.access_key_1_last_used_date,
                region: &self.access_key_1_last_used_region,
                service: &self.access_key_1_last_used_service,
            },
            Reported {
                active: &self.access_key_2_active,
                rotated: &self.access_key_2_last_rotated,
                used: &self.access_key_2_last_used_date,
                region: &self.access_key_2_last_used_region,
                service: &self.access_key_2_last_used_service,
            },
        ]
    }

    /// Whether the sweep must look at the user: rather once too often, since it then reads everything anew.
    pub(crate) fn is_candidate(&self, settings: &Settings, now: Timestamp) -> bool {
        let root = self.user == ROOT;
        self.keys().iter().any(|key| key.is_active() && (root || key.may_be_old(settings, now)))
    }

    /// What it says about the keys, for people; needed for the root user, about whose keys nothing else says more.
    pub(crate) fn notes(&self) -> Vec<String> {
        let numbered = self.keys().into_iter().zip(1..).filter(|(key, _)| key.is_active());
        let note = |(key, n): (Reported<'_>, u8)| {
            format!(
                "credential report: access key {n} is from {}, last used at {} for {} in {}",
                key.rotated, key.used, key.service, key.region
            )
        };
        numbered.map(note).collect()
    }
}

impl Reported<'_> {
    fn is_active(&self) -> bool {
        self.active.eq_ignore_ascii_case("true")
    }

    fn may_be_old(&self, settings: &Settings, now: Timestamp) -> bool {
        let Ok(rotated) = self.rotated.parse::<Timestamp>() else { return true };
        let used = self.used.parse::<Timestamp>().ok();
        let since = |from: Timestamp| now.duration_since(from) + STALE;
        // AWS says that `last_rotated` is when the key was "created or last changed": a key that was used before that
        // date is older than it.
        since(rotated) > days(settings.warn_after_days)
            || used.is_some_and(|used| used < rotated)
            || settings.unused_warning().is_some_and(|unused| since(used.unwrap_or(rotated)) > unused)
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
