//! Bucket policies, as two functions read them. Held against a small evaluation of our own: a policy by which anybody, signed in or
//! not, is allowed something is public.

#![no_main]

#[path = "../../../crates/block-public-bucket/src"]
#[allow(dead_code)]
mod room {
    pub(crate) mod policy;
}
#[path = "../../../crates/restore-trail/src"]
#[allow(dead_code)]
mod trail {
    pub(crate) mod policy;
}

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use room::policy::Policy;
use serde_json::{Value, json};
use trail::policy::{Delivery, delivery};
use wildmatch::WildMatchPattern;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::json(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let document = serde_json::from_str::<Value>(text);
    delivers(text, document.as_ref().unwrap_or(&Value::Null));
    // A number too large for our side of the comparison can stand where the policy is not looked at.
    let (Ok(policy), Ok(document)) = (Policy::parse(text), document) else { return };
    let public = policy.public();
    assert!(!public.is_empty() || !is_allowed_to_anyone(&document), "not called public");

    let statements = listed(&document["Statement"]);
    let Some(rest) = policy.without_public() else {
        assert_eq!(public.len(), statements.len());
        return;
    };
    assert!(Policy::parse(&rest).expect("what stays is a policy").public().is_empty());
    let rest: Value = serde_json::from_str(&rest).expect("what stays is JSON");
    let kept = listed(&rest["Statement"]);
    assert_eq!(kept.len() + public.len(), statements.len());
    assert!(kept.iter().all(|one| statements.contains(one)), "what stays is as it was");
});

/// Where nothing is denied, the usual statement lets CloudTrail write, whatever else is there.
fn delivers(text: &str, document: &Value) {
    const PATH: &str = "logs/AWSLogs/111122223333/";
    let _ = delivery(text, PATH);
    let statements = listed(&document["Statement"]);
    if statements.iter().all(|one| one["Effect"] != "Deny") {
        let usual = json!({"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject",
                           "Resource": format!("arn:aws:s3:::{PATH}*")});
        let all: Vec<Value> = statements.into_iter().cloned().chain([usual]).collect();
        assert_eq!(delivery(&json!({"Statement": all}).to_string(), PATH), Delivery::Possible);
    }
}

fn listed(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    }
}

/// Whether a request without any condition key, by nobody, is surely allowed: in doubt it is not.
fn is_allowed_to_anyone(policy: &Value) -> bool {
    let statements = listed(&policy["Statement"]);
    statements.iter().filter(|one| one["Effect"] == "Allow" && is_anyone(one) && passes(one)).any(|allow| {
        let actions = listed(&allow["Action"]).into_iter().filter_map(request);
        let mut requests = actions.flat_map(|action| {
            listed(&allow["Resource"])
                .into_iter()
                .filter_map(request)
                .map(move |resource| (action.clone(), resource))
        });
        requests.any(|(action, resource)| {
            !statements.iter().any(|one| one["Effect"] == "Deny" && may_deny(one, &action, &resource))
        })
    })
}

/// Something that a pattern stands for.
fn request(pattern: &Value) -> Option<String> {
    pattern.as_str().map(|pattern| pattern.replace(['*', '?'], "x"))
}

fn is_anyone(statement: &Value) -> bool {
    let principal = &statement["Principal"];
    principal == "*" || listed(&principal["AWS"]).iter().any(|one| *one == "*")
}

/// Whether conditions are met by a request that has none of their keys.
fn passes(statement: &Value) -> bool {
    match &statement["Condition"] {
        Value::Null => true,
        Value::Object(tests) => {
            tests.keys().all(|operator| operator.ends_with("IfExists") && !operator.contains(':'))
        }
        _ => false,
    }
}

fn may_deny(statement: &Value, action: &str, resource: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let names = |name: &str, not: &str, text: &str, lower: bool| {
        let glob = |pattern: &str| {
            let pattern = if lower { pattern.to_ascii_lowercase() } else { pattern.to_owned() };
            WildMatchPattern::<'*', '?'>::new(&pattern).matches(text)
        };
        !statement[not].is_null() || listed(&statement[name]).iter().any(|one| one.as_str().is_some_and(glob))
    };
    names("Action", "NotAction", &action, true) && names("Resource", "NotResource", resource, false)
}
