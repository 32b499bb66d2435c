//! Block Public Access: four settings of a bucket, of an account or of an access point.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The four settings. What is not configured is off.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "AWS's own four settings")]
pub struct Block {
    /// `BlockPublicAcls`: new public ACLs are refused. Ends no exposure that is there.
    pub block_acls: bool,
    /// `IgnorePublicAcls`: public ACLs of the bucket and its objects do not count.
    pub ignore_acls: bool,
    /// `BlockPublicPolicy`: new public policies are refused. Ends no exposure that is there.
    pub block_policy: bool,
    /// `RestrictPublicBuckets`: a public policy lets in only the account itself and AWS services.
    pub restrict: bool,
}

impl Block {
    /// All four on.
    pub const FULL: Self = Self { block_acls: true, ignore_acls: true, block_policy: true, restrict: true };

    /// What counts of two levels: S3 applies the most restrictive combination.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            block_acls: self.block_acls || other.block_acls,
            ignore_acls: self.ignore_acls || other.ignore_acls,
            block_policy: self.block_policy || other.block_policy,
            restrict: self.restrict || other.restrict,
        }
    }

    /// Whether nothing behind it can be public, whatever ACLs and policies say.
    #[must_use]
    pub fn ends_exposure(self) -> bool {
        self.ignore_acls && self.restrict
    }

    fn settings(self) -> [(&'static str, bool); 4] {
        [
            ("BlockPublicAcls", self.block_acls),
            ("IgnorePublicAcls", self.ignore_acls),
            ("BlockPublicPolicy", self.block_policy),
            ("RestrictPublicBuckets", self.restrict),
        ]
    }

    /// The names of the settings that are off.
    #[must_use]
    pub fn off(self) -> String {
        let off: Vec<&str> =
            self.settings().into_iter().filter(|(_, on)| !on).map(|(name, _)| name).collect();
        off.join(", ")
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on: Vec<&str> = self.settings().into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect();
        match on.len() {
            0 => f.write_str("all four off"),
            4 => f.write_str("all four on"),
            _ => write!(f, "on: {}; off: {}", on.join(", "), self.off()),
        }
    }
}
