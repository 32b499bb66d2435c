//! What AWS says about a user and its access keys.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::key::KeyName;

/// A user as it is now; of the root user only whether it has keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// Its access keys, of which IAM allows two.
    pub keys: Vec<Key>,
    /// Its tags; like everything below, not read if no key is old enough to matter.
    pub tags: BTreeMap<String, String>,
    /// Its path, such as `/ci/`.
    pub path: String,
    /// Its groups, read only if a setting exempts groups.
    pub groups: Vec<String>,
    /// The policy with which AWS has put it under quarantine, if AWS has.
    pub quarantine: Option<String>,
    /// Whether the root user has access keys; only read of the root user.
    pub root_keys: bool,
}

/// An access key.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// What it is called.
    pub name: KeyName,
    /// Whether it works.
    pub active: bool,
    /// When it was last used; `None` if never, since IAM began to keep that in April 2015.
    pub used: Option<Used>,
}

/// The last use of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Used {
    /// When; IAM keeps the first use in 15 minutes.
    pub at: Timestamp,
    /// For which service, in its namespace, such as `ses`.
    pub service: String,
    /// In which region.
    pub region: String,
}

impl tourniquet::Observation for Observation {
    fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }
}
