//! Who a statement is about: fixed principals, or whoever asks.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{OneOrMany, is_fixed};

/// The element `Principal`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Principal {
    /// `"*"`; nothing else is allowed as a text.
    Text(String),
    /// By kind: `AWS`, `Service`, `CanonicalUser`, `Federated`.
    Kinds(BTreeMap<String, OneOrMany>),
}

impl Principal {
    /// Whether one of them is not fixed.
    pub(super) fn is_anyone(&self) -> bool {
        match self {
            Self::Text(_) => true,
            Self::Kinds(kinds) => kinds
                .iter()
                .any(|(kind, values)| values.all().iter().any(|value| !is_fixed_principal(kind, value))),
        }
    }

    /// Whether it is everybody, for a Deny to be one of everything.
    pub(super) fn is_everyone(&self) -> bool {
        match self {
            Self::Text(text) => text == "*",
            Self::Kinds(kinds) => {
                kinds.get("AWS").is_some_and(|values| values.all().iter().any(|value| value == "*"))
            }
        }
    }
}

fn is_fixed_principal(kind: &str, value: &str) -> bool {
    match kind {
        // An ARN, an account's twelve digits, the unique id that AWS leaves of a deleted principal; a CloudFront origin
        // access identity is an ARN or a canonical user.
        "AWS" | "Service" | "CanonicalUser" => is_fixed(value),
        // A provider of some account is that account's; a public one, such as `graph.facebook.com`, is AWS's own example of
        // a public policy, since everybody can have an identity there.
        "Federated" => is_fixed(value) && value.starts_with("arn:"),
        _ => false,
    }
}
