//! What no log line, record, message or page may hold: credentials, session tokens, whole ids of access keys.
//!
//! Looked for in every scenario that is played. The event that is delivered gets canaries besides: values that look like
//! secrets, where CloudTrail and GuardDuty have such values and no function has a use for them.

use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

const CANARY_KEY: &str = "ASIACANARYCANARY2345";
const CANARY_SECRET: &str = "canary/3Zs9q1WnR5tYbXkPuVdEgHjLmNcAfQo0SiTw";
const CANARY_TOKEN: &str = "IQoJb3JpZ2luX2VjCanaryCanaryCanaryCanary//////////wEaCXVzLWVhc3QtMSJHMEUCIQ==";
/// Text that callers choose, and that is nobody's business: the parameters and answers of other calls.
const CANARY_TEXT: &str = "canary-password-Tr0ub4dor";

/// How AWS's session tokens begin, the simulated ones too.
const TOKENS: [&str; 4] = ["FQoGZXIvYXdz", "FwoGZXIvYXdz", "IQoJb3JpZ2lu", "AQoDYXdz"];
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>
const KEYS: [&str; 2] = ["AKIA", "ASIA"];
/// IAM takes ids of 16 to 128 characters; today's have 20.
const KEY_LENGTH: RangeInclusive<usize> = 16..=128;

/// The event with canaries in it.
#[must_use]
pub fn planted(event: &Value) -> Value {
    let mut event = event.clone();
    let Some(detail) = event.get_mut("detail").and_then(Value::as_object_mut) else { return event };
    detail.insert("canary".to_owned(), json!(CANARY_TEXT));
    if detail.contains_key("eventName") {
        let credentials = json!({
            "accessKeyId": CANARY_KEY, "secretAccessKey": CANARY_SECRET, "sessionToken": CANARY_TOKEN
        });
        add(detail, &["userIdentity"], "accessKeyId", json!(CANARY_KEY));
        add(detail, &["userIdentity", "sessionContext"], "sessionToken", json!(CANARY_TOKEN));
        add(detail, &["requestParameters"], "masterUserPassword", json!(CANARY_TEXT));
        add(detail, &["responseElements"], "credentials", credentials);
        add(detail, &["additionalEventData"], "x-amz-security-token", json!(CANARY_TOKEN));
    }
    if detail.contains_key("service") {
        let key = json!({"accessKeyId": CANARY_KEY, "principalId": CANARY_KEY, "userName": "canary"});
        add(detail, &["resource"], "accessKeyDetails", key);
        add(detail, &["service", "additionalInfo"], "value", json!(CANARY_TEXT));
        add(detail, &["service", "action", "awsApiCallAction"], "userAgent", json!(CANARY_TOKEN));
    }
    event
}

/// Adds a field below a path, whose objects are made where they are absent or null; what is there stays.
fn add(object: &mut Map<String, Value>, path: &[&str], field: &str, value: Value) {
    let Some((first, rest)) = path.split_first() else {
        object.entry(field).or_insert(value);
        return;
    };
    let slot = object.entry(*first).or_insert(Value::Null);
    if slot.is_null() {
        *slot = json!({});
    }
    if let Some(inner) = slot.as_object_mut() {
        add(inner, rest, field, value);
    }
}

/// What of all this stands in some texts: one sentence each, without the secret itself.
#[must_use]
pub fn leaks<'a>(texts: impl IntoIterator<Item = (&'static str, &'a str)>, known: &[&str]) -> Vec<String> {
    let known: Vec<&str> = known.iter().copied().filter(|secret| !secret.is_empty()).collect();
    let mut leaks: Vec<String> =
        texts.into_iter().flat_map(|(place, text)| in_text(place, text, &known)).collect();
    leaks.sort();
    leaks.dedup();
    leaks
}

fn in_text(place: &str, text: &str, known: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut say = |what: &str, at: usize| {
        let before = text.get(..at).unwrap_or_default();
        let around: String = before.chars().rev().take(24).collect();
        found.push(format!("{what} is in a {place}, after \"{}\"", around.chars().rev().collect::<String>()));
    };
    let canaries = [CANARY_SECRET, CANARY_TOKEN, CANARY_TEXT].into_iter();
    for secret in known.iter().copied().chain(canaries) {
        if let Some(at) = text.find(secret) {
            say("a secret", at);
        }
    }
    for at in TOKENS.iter().filter_map(|start| text.find(start)) {
        say("a session token", at);
    }
    for (at, _) in KEYS.iter().flat_map(|start| text.match_indices(start)) {
        let inside =
            text.get(..at).is_some_and(|before| before.ends_with(|c: char| c.is_ascii_alphanumeric()));
        let rest = text.get(at..).unwrap_or_default();
        let length =
            rest.find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit())).unwrap_or(rest.len());
        if !inside && KEY_LENGTH.contains(&length) {
            say("the id of an access key", at);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_canary_is_found_and_what_is_short_is_not() {
        let event = planted(&json!({"detail": {
            "eventName": "PutBucketPolicy", "responseElements": null, "service": {}, "userIdentity": {"arn": "x"}
        }}));
        let text = event.to_string();
        for secret in [CANARY_KEY, CANARY_SECRET, CANARY_TOKEN, CANARY_TEXT] {
            assert!(text.contains(secret), "{secret}");
        }
        assert_eq!(event["detail"]["userIdentity"]["arn"], "x");
        assert!(leaks([("log line", text.as_str())], &[]).len() >= 5);
        assert!(leaks([("log line", "key AKIA…2345 of AROAEXAMPLEEXAMPLE22 in ASIA")], &[]).is_empty());
        let leaks = leaks([("message", "it is s3cr3t")], &["", "s3cr3t"]);
        assert_eq!(leaks, ["a secret is in a message, after \"it is \""]);
    }
}
