//! Bucket policies, judged by AWS's published meaning of "public": a policy is public unless every Allow names fixed
//! principals or is limited by fixed values of certain condition keys.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status>
//!
//! Where S3's own verdict can be read it counts and not this one. This one says which statements it is, so that they can
//! be taken out alone, and stands in where the verdict cannot be read. In doubt a statement is public.

mod condition;
mod principal;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use principal::Principal;

/// A policy. The text of every statement is kept as it was written.
#[derive(Debug)]
pub(crate) struct Policy {
    /// The elements beside the statements, `Version` and `Id`, whatever their values.
    head: BTreeMap<String, Box<RawValue>>,
    statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug)]
struct Statement {
    text: Box<RawValue>,
    body: Body,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    #[serde(default)]
    sid: Option<String>,
    effect: String,
    #[serde(default)]
    principal: Option<Principal>,
    #[serde(default)]
    action: Option<OneOrMany>,
    #[serde(default)]
    resource: Option<OneOrMany>,
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, Value>>,
}

/// A text, or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl Policy {
    /// Reads a policy; an error says what is wrong and where.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut head: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(text).map_err(|e| e.to_string())?;
        let texts: Vec<Box<RawValue>> = match head.remove("Statement") {
            None => Vec::new(),
            Some(raw) if raw.get().starts_with('[') => {
                serde_json::from_str(raw.get()).map_err(|e| e.to_string())?
            }
            Some(raw) => vec![raw],
        };
        let statements = texts.into_iter().enumerate().map(|(index, text)| {
            let body = serde_json::from_str(text.get())
                .map_err(|e| format!("its statement {} cannot be read: {e}", index + 1))?;
            Ok(Statement { text, body })
        });
        Ok(Self { head, statements: statements.collect::<Result<_, String>>()? })
    }

    /// The names of the statements that make the policy public: their `Sid`, else their place.
    pub(crate) fn public(&self) -> Vec<String> {
        let named = self.statements.iter().enumerate().filter(|(_, statement)| self.is_public(statement));
        named
            .map(|(index, statement)| match &statement.body.sid {
                Some(sid) if !sid.is_empty() => format!("{sid:?}"),
                _ => format!("number {}", index + 1),
            })
            .collect()
    }

    /// The policy without its public statements, the others byte for byte; none if no statement is left.
    pub(crate) fn without_public(&self) -> Option<String> {
        let left: Vec<&RawValue> =
            self.statements.iter().filter(|s| !self.is_public(s)).map(|s| &*s.text).collect();
        if left.is_empty() {
            return None;
        }
        let mut elements: Vec<String> =
            self.head.iter().map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), value)).collect();
        let left: Vec<&str> = left.into_iter().map(RawValue::get).collect();
        elements.push(format!("\"Statement\":[{}]", left.join(",")));
        Some(format!("{{{}}}", elements.join(",")))
    }

    /// Whether a statement lets in whoever asks, and no other statement denies just that.
    fn is_public(&self, statement: &Statement) -> bool {
        let body = &statement.body;
        // S3 refuses other words than the two; what is no Deny is taken for an Allow.
        body.effect != "Deny"
            // Without `Principal` it is `NotPrincipal`, which is everybody but some.
            && body.principal.as_ref().is_none_or(Principal::is_anyone)
            && !condition::limits(&body.condition)
            && !self.statements.iter().any(|other| other.body.denies_all_of(body))
    }
}

impl Body {
    /// Whether this denies to everybody, under no condition, everything that another statement allows.
    fn denies_all_of(&self, allow: &Self) -> bool {
        let all = |ours: &Option<OneOrMany>, theirs: &Option<OneOrMany>, covers: fn(&str, &str) -> bool| {
            let Some(ours) = ours else { return false };
            match theirs {
                Some(theirs) => {
                    theirs.all().iter().all(|text| ours.all().iter().any(|own| covers(own, text)))
                }
                // All but some can be anything, so only what denies everything covers it.
                None => ours.all().iter().any(|own| matches!(own.as_str(), "*" | "s3:*")),
            }
        };
        self.effect == "Deny"
            && self.condition.is_empty()
            && self.principal.as_ref().is_some_and(Principal::is_everyone)
            && all(&self.action, &allow.action, covers_action)
            && all(&self.resource, &allow.resource, covers)
    }
}

/// The names of actions are not case-sensitive, those of buckets and objects are.
fn covers_action(pattern: &str, other: &str) -> bool {
    covers(&pattern.to_ascii_lowercase(), &other.to_ascii_lowercase())
}

/// Whether a pattern covers everything that another one does. A `?` could stand against the other's `*`, so with one in it
/// the two must be the same.
fn covers(pattern: &str, other: &str) -> bool {
    if pattern == other {
        return true;
    }
    let mut rest = other;
    let parts: Vec<&str> = pattern.split('*').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return false };
    if pattern.contains('?') || !rest.starts_with(first) {
        return false;
    }
    rest = rest.get(first.len()..).unwrap_or_default();
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// Whether a value is fixed: neither a wildcard nor a policy variable in it.
fn is_fixed(value: &str) -> bool {
    !value.is_empty() && !value.contains(['*', '?']) && !value.contains("${")
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
