//! The settings of `restore-trail`.

use std::collections::BTreeMap;

use serde::Deserialize;
use tourniquet::place::{is_account, is_region};

/// The settings of `restore-trail`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The account that owns a bucket, by the bucket's name, where it is not the trail's own account: a log archive.
    pub bucket_owners: BTreeMap<String, String>,
    /// The least number of days that a bucket's lifecycle rules must leave the logs alone; fewer are reported.
    pub min_log_days: u32,
    /// Regions besides the function's own in which a sweep looks for event data stores, and asks for trails once more.
    pub regions: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { bucket_owners: BTreeMap::new(), min_log_days: 90, regions: Vec::new() }
    }
}

impl Settings {
    /// The account that a trail's bucket must belong to.
    #[must_use]
    pub fn owner_of<'a>(&'a self, bucket: &str, account: &'a str) -> &'a str {
        self.bucket_owners.get(bucket).map_or(account, String::as_str)
    }

    /// Whether a key of this account may encrypt the logs of a trail: the trail's own, or that of a log archive.
    #[must_use]
    pub fn trusts(&self, key_account: &str, account: &str) -> bool {
        key_account == account || self.bucket_owners.values().any(|owner| owner == key_account)
    }
}

impl tourniquet::Settings for Settings {
    fn check(&self) -> Result<(), (&'static str, String)> {
        if let Some((bucket, owner)) = self.bucket_owners.iter().find(|(_, owner)| !is_account(owner)) {
            let problem = format!("{owner:?}, for {bucket}, is not the twelve digits of an account");
            return Err(("bucket_owners", problem));
        }
        if !(1..=36_500).contains(&self.min_log_days) {
            return Err(("min_log_days", "expected 1 to 36500".to_owned()));
        }
        if let Some(region) = self.regions.iter().find(|region| !is_region(region)) {
            return Err(("regions", format!("{region:?} is not the code of a region")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tourniquet::Config;

    use super::*;

    fn problem(settings: &str) -> String {
        let raw = format!(r#"{{"account":"111122223333","settings":{settings}}}"#);
        Config::<Settings>::parse(&raw).unwrap_err().to_string()
    }

    #[test]
    fn g22_impossible_settings_name_their_key() {
        for (settings, expected) in [
            (r#"{"min_log_day":9}"#, "unknown field `min_log_day`"),
            (r#"{"min_log_days":"9"}"#, "settings.min_log_days: invalid type"),
            (r#"{"min_log_days":0}"#, "settings.min_log_days: expected 1 to 36500"),
            (r#"{"bucket_owners":{"logs":"archive"}}"#, "settings.bucket_owners: \"archive\", for logs"),
            (r#"{"regions":["Frankfurt"]}"#, "settings.regions: \"Frankfurt\""),
        ] {
            assert!(problem(settings).contains(expected), "{settings}: {}", problem(settings));
        }
    }

    #[test]
    fn c9_a_bucket_belongs_to_the_trails_account_unless_the_settings_name_another() {
        let settings = Settings {
            bucket_owners: [("archive".to_owned(), "444455556666".to_owned())].into(),
            ..Settings::default()
        };
        assert_eq!(settings.owner_of("logs", "111122223333"), "111122223333");
        assert_eq!(settings.owner_of("archive", "111122223333"), "444455556666");
        assert!(settings.trusts("444455556666", "111122223333"));
        assert!(!settings.trusts("999900009999", "111122223333"));
    }
}
