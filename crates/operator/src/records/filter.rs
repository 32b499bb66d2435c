//! Which records people ask for.

use jiff::{SignedDuration, Timestamp};
use tourniquet::journal::Record;
use tourniquet::place::{is_account, is_region};
use tourniquet::{Outcome, Place, clock};
use wildmatch::WildMatch;

use super::Entry;
use crate::failure::Failure;

/// Which records are asked for.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Filter {
    /// Only those begun at or after this time: 2026-11-01, 2026-11-01T12:00:00Z, or an age such as 7d or 12h.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<Timestamp>,
    /// Only those begun before this time.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub before: Option<Timestamp>,
    /// Only those of this function.
    #[arg(long)]
    pub function: Option<String>,
    /// Only those in this account.
    #[arg(long)]
    pub account: Option<String>,
    /// Only those in this region; `*` and `?` stand for others.
    #[arg(long, value_name = "GLOB")]
    pub subject_region: Option<String>,
    /// Only those about this subject; `*` and `?` stand for others.
    #[arg(long, value_name = "GLOB")]
    pub subject: Option<String>,
    /// Only those whose actor holds this text, such as a user's name or an address.
    #[arg(long, value_name = "TEXT")]
    pub actor: Option<String>,
    /// Only those with this outcome: contained, observed, held, partial, failed, exempt, open or undone. May be given again.
    #[arg(long, value_name = "OUTCOME")]
    pub outcome: Vec<String>,
}

/// A point in time: a date (its first second in UTC), a timestamp, or an age in hours or days.
pub fn time(text: &str) -> Result<Timestamp, String> {
    let day = |day: jiff::civil::Date| day.to_zoned(jiff::tz::TimeZone::UTC).map(|z| z.timestamp());
    text.parse::<Timestamp>()
        .or_else(|_| text.parse().and_then(day))
        .ok()
        .or_else(|| clock::now().checked_sub(age(text)?).ok())
        .ok_or_else(|| "expected 2026-11-01, 2026-11-01T12:00:00Z, 7d or 12h".to_owned())
}

/// A time span in hours or days, such as `12h` or `7d`; at most a hundred years.
#[must_use]
pub fn age(text: &str) -> Option<SignedDuration> {
    let (number, hours) = match text.strip_suffix('d') {
        Some(days) => (days, 24),
        None => (text.strip_suffix('h')?, 1),
    };
    let all_digits = number.bytes().all(|b| b.is_ascii_digit());
    let hours = number.parse::<i64>().ok().filter(|_| all_digits)?.checked_mul(hours)?;
    (hours <= 876_000).then(|| SignedDuration::from_hours(hours))
}

impl Filter {
    pub(super) fn takes(&self, entry: &Entry) -> bool {
        let record = &entry.record;
        let same = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|w| w == found);
        let like = |glob: &Option<String>, found: &str| {
            glob.as_ref().is_none_or(|g| WildMatch::new(g).matches(found))
        };
        self.since.is_none_or(|since| record.started >= since)
            && self.before.is_none_or(|before| record.started < before)
            && same(&self.function, &record.function)
            && same(&self.account, &record.place.account)
            && like(&self.subject_region, &record.place.region)
            && like(&self.subject, &record.subject)
            && self.actor.as_ref().is_none_or(|part| record.actor.to_string().contains(part))
            && (self.outcome.is_empty() || self.outcome.iter().any(|word| word == entry.outcome()))
    }

    /// The one partition that can hold such records, if the filter names one.
    pub(super) fn partition(&self) -> Option<String> {
        let exact = |glob: &Option<String>| glob.clone().filter(|text| !text.contains(['*', '?']));
        let place = Place::new(self.account.clone()?, exact(&self.subject_region)?);
        Some(Record::partition(self.function.as_ref()?, &place, &exact(&self.subject)?))
    }

    /// Refuses what names nothing.
    pub fn check(&self) -> Result<(), Failure> {
        if let Some(name) = &self.function {
            crate::rooms::named(name)?;
        }
        let wrong = |text: String| Err(Failure::Usage(text));
        if let Some(account) = self.account.as_ref().filter(|account| !is_account(account)) {
            return wrong(format!("--account: {account:?} is not an account: expected twelve digits"));
        }
        let no_region = |r: &&String| !is_region(r) && !r.contains(['*', '?']);
        if let Some(region) = self.subject_region.as_ref().filter(no_region) {
            return wrong(format!("--subject-region: {region:?} is not a region such as eu-central-1"));
        }
        if let (Some(since), Some(before)) = (self.since, self.before)
            && since >= before
        {
            return wrong(format!("nothing is at or after {since} and before {before}"));
        }
        let known = |word: &str| {
            matches!(word, "open" | "undone")
                || serde_json::from_value::<Outcome>(serde_json::Value::from(word)).is_ok()
        };
        match self.outcome.iter().find(|word| !known(word)) {
            Some(word) => wrong(format!("--outcome: there is no outcome {word:?}")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
