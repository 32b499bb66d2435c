//! The settings of `disable-old-keys`.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tourniquet::exemption::{Draft, Exemption, Source};

/// More days than anybody can mean, and few enough to be added to any date.
const MOST: u32 = 10_000;

/// What happens to an old key while its user is changing over to a newer one that was never used.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Rotation {
    /// A last warning, and after the grace it is deactivated.
    #[default]
    Disable,
    /// It waits until the newer key has been used, or is old itself.
    Wait,
}

/// Where the sweep finds the users to look at.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Candidates {
    /// In the credential report: one call for the whole account.
    #[default]
    Report,
    /// Every user: one call for each.
    Users,
}

/// An exemption by setting.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Exempt {
    /// Which users, paths or groups: a glob.
    pub glob: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// A date, which ends with its last second in UTC, or a point in time.
    pub until: String,
}

/// The settings of `disable-old-keys`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// People are told of keys that are older than so many times 24 hours.
    pub warn_after_days: u32,
    /// Keys that are older than so many times 24 hours are deactivated.
    pub disable_after_days: u32,
    /// How long before that people must have been told.
    pub grace_days: u32,
    /// Keys that were not used for so many times 24 hours are deactivated too; without it no key is.
    pub unused_days: Option<u32>,
    /// What happens to an old key while its user is rotating it.
    pub rotation: Rotation,
    /// Where the sweep finds the users to look at.
    pub candidates: Candidates,
    /// Users that are exempt, by name.
    pub exempt_users: Vec<Exempt>,
    /// Users that are exempt, by path.
    pub exempt_paths: Vec<Exempt>,
    /// Users that are exempt, by one of their groups.
    pub exempt_groups: Vec<Exempt>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            warn_after_days: 80,
            disable_after_days: 90,
            grace_days: 7,
            unused_days: None,
            rotation: Rotation::Disable,
            candidates: Candidates::Report,
            exempt_users: Vec::new(),
            exempt_paths: Vec::new(),
            exempt_groups: Vec::new(),
        }
    }
}

/// So many times 24 hours.
pub(crate) fn days(count: u32) -> SignedDuration {
    SignedDuration::from_hours(i64::from(count) * 24)
}

impl Settings {
    /// How long a key is unused when people are told of it.
    pub(crate) fn unused_warning(&self) -> Option<SignedDuration> {
        self.unused_days.map(|unused| days(unused.saturating_sub(self.grace_days)))
    }

    /// Whether a key of this date can be one to tell people of: it is old, or could have been unused for long.
    pub(crate) fn concerns(&self, created: Timestamp, now: Timestamp) -> bool {
        let old = days(self.warn_after_days);
        now.duration_since(created) > self.unused_warning().map_or(old, |unused| unused.min(old))
    }
}

impl Exempt {
    /// The exemption, or why it is not honoured.
    pub(crate) fn check(&self, now: Timestamp) -> Result<Exemption, String> {
        let some = |text: &String| Some(text.clone());
        let draft = Draft {
            subject: some(&self.glob),
            reason: some(&self.reason),
            owner: some(&self.owner),
            expires: some(&self.until),
            ..Draft::default()
        };
        draft.check(Source::Journal, now)
    }
}

impl tourniquet::Settings for Settings {
    fn check(&self) -> Result<(), (&'static str, String)> {
        let counts = [
            ("warn_after_days", self.warn_after_days),
            ("disable_after_days", self.disable_after_days),
            ("grace_days", self.grace_days),
            ("unused_days", self.unused_days.unwrap_or(1)),
        ];
        for (key, count) in counts {
            if !(1..=MOST).contains(&count) {
                return Err((key, format!("expected 1 to {MOST}")));
            }
        }
        if self.warn_after_days > self.disable_after_days {
            return Err(("warn_after_days", "later than `disable_after_days`".to_owned()));
        }
        if self.unused_days.is_some_and(|unused| unused <= self.grace_days) {
            return Err(("unused_days", "not more than `grace_days`: nobody could be warned".to_owned()));
        }
        let lists = [
            ("exempt_users", &self.exempt_users),
            ("exempt_paths", &self.exempt_paths),
            ("exempt_groups", &self.exempt_groups),
        ];
        for (key, list) in lists {
            for one in list {
                one.check(Timestamp::MIN).map_err(|problem| (key, problem))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
