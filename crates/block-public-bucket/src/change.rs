//! What `block-public-bucket` can change, each with what was there before.

use serde::{Deserialize, Serialize};

use crate::acl::Acl;
use crate::block::Block;

/// One change.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Change {
    /// `PutPublicAccessBlock`: all four settings of the bucket.
    Block {
        /// The bucket's region.
        region: String,
        /// What was on; none if nothing was configured.
        before: Option<Block>,
    },
    /// `PutBucketAcl`: the list without the public grants.
    TrimAcl {
        /// The bucket's region.
        region: String,
        /// The whole list before.
        before: Acl,
        /// The whole list after.
        after: Acl,
    },
    /// `PutBucketPolicy` or `DeleteBucketPolicy`: the policy without the public statements.
    TrimPolicy {
        /// The bucket's region.
        region: String,
        /// The statements that go.
        statements: Vec<String>,
        /// The text of the policy before, byte for byte.
        before: String,
        /// The text after; none if no statement is left.
        after: Option<String>,
    },
    /// `PutPublicAccessBlock` of S3 Control: all four settings of the account.
    RestoreAccountBlock {
        /// What was on; none if nothing was configured.
        before: Option<Block>,
    },
}

impl tourniquet::Change for Change {
    fn key(&self) -> String {
        match self {
            Self::Block { .. } => "block",
            Self::TrimAcl { .. } => "trim-acl",
            Self::TrimPolicy { .. } => "trim-policy",
            Self::RestoreAccountBlock { .. } => "restore-account-block",
        }
        .to_owned()
    }

    fn summary(&self) -> String {
        match self {
            Self::Block { .. } => "put the bucket's Block Public Access on".to_owned(),
            Self::TrimAcl { before, .. } => {
                let grants: Vec<String> = before.public().map(ToString::to_string).collect();
                format!("take out of the ACL: {}", grants.join(", "))
            }
            Self::TrimPolicy { statements, .. } => {
                format!("take out of the policy: statement {}", statements.join(", "))
            }
            Self::RestoreAccountBlock { .. } => "put the account's Block Public Access back on".to_owned(),
        }
    }

    fn before(&self) -> String {
        match self {
            Self::Block { before, .. } | Self::RestoreAccountBlock { before } => configured(*before),
            Self::TrimAcl { before, .. } => before.to_string(),
            Self::TrimPolicy { before, .. } => before.clone(),
        }
    }

    fn after(&self) -> String {
        match self {
            Self::Block { .. } | Self::RestoreAccountBlock { .. } => Block::FULL.to_string(),
            Self::TrimAcl { after, .. } => after.to_string(),
            Self::TrimPolicy { after, .. } => after.clone().unwrap_or_else(|| "no policy".to_owned()),
        }
    }
}

/// A block for people.
pub(crate) fn configured(block: Option<Block>) -> String {
    block.map_or_else(|| "not configured".to_owned(), |block| block.to_string())
}
