//! What `revoke-open-ingress` can change, each with what was there before.

use serde::{Deserialize, Serialize};

use crate::rule::{Access, Draft, Rule};

/// One change of a security group.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Change {
    /// `AuthorizeSecurityGroupIngress`: a rule is added.
    Add {
        /// The rule.
        rule: Draft,
        /// What for.
        purpose: Purpose,
        /// The rule that goes, and for which this one comes.
        instead_of: Access,
    },
    /// `RevokeSecurityGroupIngress`: one rule goes, by its id.
    Revoke {
        /// The rule as it was.
        rule: Rule,
        /// The guarded ports that it opened, such as `tcp/22`.
        closes: Vec<String>,
        /// What others allow to those ports and keep allowing.
        beside: Vec<Access>,
        /// What this plan itself takes away from those ports or adds to them.
        with: Vec<Access>,
    },
}

/// What a rule is added for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// It is the harmless part of a rule that goes.
    Piece,
    /// `replace_with`: somebody is allowed instead of the world.
    Replacement,
}

impl tourniquet::Change for Change {
    fn key(&self) -> String {
        match self {
            Self::Add { rule, .. } => format!("add {}", rule.access),
            Self::Revoke { rule, .. } => format!("revoke {}", rule.id),
        }
    }

    fn summary(&self) -> String {
        match self {
            Self::Add { rule, purpose: Purpose::Piece, .. } => format!("keep allowing {}", rule.access),
            Self::Add { rule, purpose: Purpose::Replacement, .. } => {
                format!("allow {} instead of the world", rule.access)
            }
            Self::Revoke { rule, .. } => format!("revoke {} ({})", rule.access, rule.id),
        }
    }

    fn before(&self) -> String {
        match self {
            Self::Add { instead_of, .. } => format!("part of {instead_of}"),
            Self::Revoke { rule, .. } => match &rule.description {
                Some(text) => format!("allowed, {text:?}"),
                None => "allowed".to_owned(),
            },
        }
    }

    fn after(&self) -> String {
        match self {
            Self::Add { .. } => "a rule of its own".to_owned(),
            Self::Revoke { closes, .. } => format!("not allowed: closes {}", closes.join(", ")),
        }
    }
}
