//! What the function can change: one key from active to inactive.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::key::KeyName;

/// One change.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Change {
    /// An active key becomes inactive.
    Deactivate {
        /// The key.
        key: KeyName,
        /// What speaks against it.
        ground: Ground,
        /// The user's newer key that was never used, if the user is still to change over to it.
        successor: Option<KeyName>,
        /// Whether AWS had put the user under quarantine: then nobody but the account's people may activate it again.
        compromised: bool,
    },
}

/// What speaks against a key.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// It is older than allowed.
    Age,
    /// It was not used for longer than allowed: since then, or since its creation.
    Unused(Timestamp),
}

impl Change {
    /// The key that it is about.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        let Self::Deactivate { key, .. } = self;
        key
    }
}

impl tourniquet::Change for Change {
    /// A warning counts for exactly what it warned of: a key that was used since, or whose user has begun to rotate it,
    /// is another change, of which people are told anew.
    fn key(&self) -> String {
        let Self::Deactivate { key, ground, successor, .. } = self;
        let ground = match ground {
            Ground::Age => String::new(),
            Ground::Unused(since) => format!(" unused since {since}"),
        };
        let successor = successor.as_ref().map(|s| format!(" before {s} is used")).unwrap_or_default();
        format!("deactivate {key}{ground}{successor}")
    }

    fn summary(&self) -> String {
        format!("deactivate access key {}", self.name())
    }

    fn before(&self) -> String {
        "Active".to_owned()
    }

    fn after(&self) -> String {
        "Inactive".to_owned()
    }
}
