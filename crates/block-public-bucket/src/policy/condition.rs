//! Whether a Condition block keeps the public out: by AWS's list of keys, with fixed values, and such that a request
//! without the key does not pass.

use std::collections::BTreeMap;

use ipnet::{Ipv4Net, Ipv6Net};
use serde_json::Value;

use super::is_fixed;

/// The shortest prefixes of a `SourceIp` that AWS does not call public. Its exception for RFC 1918 follows: none of
/// those ranges is wider than a /8.
const PREFIX_V4: u8 = 8;
const PREFIX_V6: u8 = 32;

/// The keys that AWS lists for fixed values, in lower case, as names of keys are not case-sensitive. Its first entry, "an
/// AWS principal, user, role, or service principal", has one key as its example; those of `aws:Principal…` that nobody can
/// give himself belong to it. `aws:PrincipalTag` and `aws:username` do not: everybody chooses his own in his own account.
const FIXED: [&str; 12] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
];

/// Whether one of the tests lets in only what is fixed. All of them must hold, so one suffices.
///
/// Operators with `IfExists`, `ForAllValues:` and `Null` are passed by a request without the key, and negated ones by all
/// but a few; `ForAnyValue:` is not counted either.
pub(super) fn limits(conditions: &BTreeMap<String, BTreeMap<String, Value>>) -> bool {
    conditions.iter().any(|(operator, keys)| {
        let operator = operator.to_ascii_lowercase();
        keys.iter().any(|(key, values)| one(&operator, &key.to_ascii_lowercase(), values))
    })
}

fn one(operator: &str, key: &str, values: &Value) -> bool {
    let values = match values {
        Value::Array(values) => values.as_slice(),
        single => std::slice::from_ref(single),
    };
    let all = |fits: fn(&str) -> bool| {
        !values.is_empty()
            && values.iter().all(|value| match value {
                Value::String(text) => fits(text),
                // An account may be written as a number.
                Value::Number(number) => fits(&number.to_string()),
                _ => false,
            })
    };
    match operator {
        "ipaddress" => key == "aws:sourceip" && all(is_narrow),
        "stringequals" | "stringequalsignorecase" | "stringlike" | "arnequals" | "arnlike" => {
            if key == "s3:dataaccesspointarn" {
                all(has_fixed_account)
            } else {
                FIXED.contains(&key) && all(is_fixed)
            }
        }
        _ => false,
    }
}

/// Whether a range of addresses is one that AWS does not call public.
fn is_narrow(range: &str) -> bool {
    if range.contains(':') {
        let net = if range.contains('/') { range.to_owned() } else { format!("{range}/128") };
        return net.parse::<Ipv6Net>().is_ok_and(|net| net.prefix_len() >= PREFIX_V6);
    }
    let net = if range.contains('/') { range.to_owned() } else { format!("{range}/32") };
    net.parse::<Ipv4Net>().is_ok_and(|net| net.prefix_len() >= PREFIX_V4)
}

/// In a bucket policy, the name of an access point may be a wildcard as long as its account is fixed.
fn has_fixed_account(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let begins = parts.next() == Some("arn");
    let account = parts.nth(3).unwrap_or_default();
    let names_point = parts.next().is_some_and(|resource| resource.starts_with("accesspoint/"));
    begins && tourniquet::place::is_account(account) && names_point
}
