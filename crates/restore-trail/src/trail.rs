//! The settings of a trail, and which of them were changed away from what they were. Pure.
//!
//! Not every difference is harm: a trail that now covers all regions, validates its files or sends to one topic more is
//! better than before, and stays so.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name;
use crate::selectors::Selectors;
use crate::settings::Settings;

/// What a trail was like when it was healthy.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Baseline {
    /// Its settings.
    pub trail: TrailSettings,
    /// What it recorded.
    pub selectors: Selectors,
    /// Its Insights.
    pub insights: Vec<Insight>,
    /// Its tags, without ours.
    pub tags: BTreeMap<String, String>,
}

/// One kind of Insights, and the events that it looks at.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Insight {
    /// Such as `ApiCallRateInsight`.
    pub kind: String,
    /// `Management`, `Data`; empty where AWS names none.
    pub categories: Vec<String>,
}

/// The settings of a trail by their names; one that is not set is empty, flags are `true` or `false`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct TrailSettings(pub BTreeMap<Setting, String>);

/// One setting of a trail.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// The bucket that the logs go to.
    Bucket,
    /// The beginning of their keys.
    Prefix,
    /// The KMS key that encrypts them.
    Key,
    /// Whether events of global services are recorded.
    GlobalEvents,
    /// Whether the trail covers every region.
    MultiRegion,
    /// Whether log files can be validated.
    Validation,
    /// The log group that the events go to.
    LogGroup,
    /// The role that writes to it.
    LogRole,
    /// The topic that is told of log files.
    Topic,
    /// Whether it is the trail of an organisation.
    Organization,
}

/// Settings that go back in one call, because AWS checks them against each other. What AWS refuses for one part, such as a
/// log group that is gone, does not keep the others from going back.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Where the logs go and what encrypts them.
    Destination,
    /// What the trail covers.
    Coverage,
    /// The log group.
    LogGroup,
    /// The topic.
    Topic,
    /// The organisation.
    Organization,
}

/// One setting that is not what it was.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Difference {
    /// Which.
    pub setting: Setting,
    /// What it was.
    pub then: String,
    /// What it is.
    pub now: String,
}

const ALL: [Setting; 10] = [
    Setting::Bucket,
    Setting::Prefix,
    Setting::Key,
    Setting::GlobalEvents,
    Setting::MultiRegion,
    Setting::Validation,
    Setting::LogGroup,
    Setting::LogRole,
    Setting::Topic,
    Setting::Organization,
];

impl Setting {
    /// The part that it goes back with.
    #[must_use]
    pub fn part(self) -> Part {
        match self {
            Self::Bucket | Self::Prefix | Self::Key => Part::Destination,
            Self::GlobalEvents | Self::MultiRegion | Self::Validation => Part::Coverage,
            Self::LogGroup | Self::LogRole => Part::LogGroup,
            Self::Topic => Part::Topic,
            Self::Organization => Part::Organization,
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bucket => "bucket",
            Self::Prefix => "prefix",
            Self::Key => "key",
            Self::GlobalEvents => "global events",
            Self::MultiRegion => "every region",
            Self::Validation => "log file validation",
            Self::LogGroup => "log group",
            Self::LogRole => "log group's role",
            Self::Topic => "topic",
            Self::Organization => "organisation",
        })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Destination => "destination",
            Self::Coverage => "coverage",
            Self::LogGroup => "log-group",
            Self::Topic => "topic",
            Self::Organization => "organisation",
        })
    }
}

impl TrailSettings {
    /// The value of a setting; empty if it is not set.
    #[must_use]
    pub fn get(&self, setting: Setting) -> &str {
        self.0.get(&setting).map_or("", String::as_str)
    }

    /// A setting as a flag.
    #[must_use]
    pub fn is(&self, setting: Setting) -> bool {
        self.get(setting) == "true"
    }

    /// What was changed away from `then` to the worse, by parts. `account` is the trail's own.
    #[must_use]
    pub fn weakened_since(
        &self,
        then: &Self,
        account: &str,
        settings: &Settings,
    ) -> BTreeMap<Part, Vec<Difference>> {
        let mut parts: BTreeMap<Part, Vec<Difference>> = BTreeMap::new();
        for setting in ALL {
            let (before, now) = (then.get(setting), self.get(setting));
            if before != now && is_harm(setting, before, now, account, settings) {
                let difference = Difference { setting, then: before.to_owned(), now: now.to_owned() };
                parts.entry(setting.part()).or_default().push(difference);
            }
        }
        if let Some(logs) = parts.get_mut(&Part::LogGroup) {
            // AWS takes a log group and its role only together.
            *logs = [Setting::LogGroup, Setting::LogRole]
                .map(|setting| Difference {
                    setting,
                    then: then.get(setting).to_owned(),
                    now: self.get(setting).to_owned(),
                })
                .to_vec();
        }
        parts
    }
}

/// Whether a change of a setting is one to the worse.
fn is_harm(setting: Setting, then: &str, now: &str, account: &str, settings: &Settings) -> bool {
    match setting {
        Setting::Bucket | Setting::Prefix => true,
        // Encryption that was not there before is no harm, unless somebody else holds the key: then he alone decides who
        // reads the logs.
        Setting::Key => {
            let owner = name::place_of(now).map(|place| place.account);
            !then.is_empty() || owner.is_none_or(|owner| !settings.trusts(&owner, account))
        }
        Setting::LogGroup | Setting::LogRole | Setting::Topic => !then.is_empty(),
        Setting::GlobalEvents | Setting::MultiRegion | Setting::Validation | Setting::Organization => {
            then == "true"
        }
    }
}

#[cfg(test)]
#[path = "trail_tests.rs"]
mod tests;
