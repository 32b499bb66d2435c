//! Whether a bucket's policy lets `CloudTrail` write. Pure.
//!
//! It only tells a policy that surely keeps `CloudTrail` out from one that may let it in: the whole evaluation is S3's,
//! and shows as the trail's delivery error.

use serde_json::Value;

/// What a policy does to `CloudTrail`'s deliveries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Delivery {
    /// Nothing in it keeps `CloudTrail` out.
    Possible,
    /// No statement allows `CloudTrail` to put objects.
    NotAllowed,
    /// A statement without conditions denies it.
    Denied,
}

const WRITER: &str = "cloudtrail.amazonaws.com";

/// Reads a policy for what `CloudTrail` writes below `path`: the bucket, the trail's prefix and `AWSLogs/`. One that is no
/// JSON allows nothing.
pub(crate) fn delivery(policy: &str, path: &str) -> Delivery {
    let document: Value = serde_json::from_str(policy).unwrap_or_default();
    let statements = listed(part(&document, "Statement"));
    let concerns = |statement: &&&Value, effect: &str| {
        part(statement, "Effect") == effect && is_writer(statement) && puts(statement)
    };
    // S3 adds conditions of source and owner to the usual Allow, so an Allow counts with any; a Deny only without, as
    // the usual one is about transport.
    let mut denials = statements.iter().filter(|s| concerns(s, "Deny") && part(s, "Condition").is_null());
    if denials.any(|s| paths(s).any(|denied| path.starts_with(denied))) {
        return Delivery::Denied;
    }
    let mut grants = statements.iter().filter(|s| concerns(s, "Allow"));
    // The usual Allow names the account below the path, or a bucket as a whole.
    let granted =
        grants.any(|s| paths(s).any(|granted| path.starts_with(granted) || granted.starts_with(path)));
    if granted { Delivery::Possible } else { Delivery::NotAllowed }
}

/// The beginnings of the keys, with their bucket, that a statement is about.
fn paths(statement: &Value) -> impl Iterator<Item = &str> {
    let resources = listed(part(statement, "Resource")).into_iter().filter_map(Value::as_str);
    resources.filter_map(|resource| {
        let whole = resource.split_once(":::").map_or(resource, |(_, path)| path);
        whole.strip_suffix('*')
    })
}

fn is_writer(statement: &Value) -> bool {
    let principal = part(statement, "Principal");
    if !part(statement, "NotPrincipal").is_null() {
        return part(statement, "Effect") == "Allow";
    }
    principal == "*"
        || listed(part(principal, "Service")).iter().any(|service| *service == WRITER)
        || listed(part(principal, "AWS")).iter().any(|one| *one == "*")
}

fn puts(statement: &Value) -> bool {
    let matches = |action: &&Value| {
        action.as_str().is_some_and(|action| {
            let action = action.to_ascii_lowercase();
            action == "*"
                || action == "s3:putobject"
                || action.strip_suffix('*').is_some_and(|start| "s3:putobject".starts_with(start))
        })
    };
    if !part(statement, "NotAction").is_null() {
        return !listed(part(statement, "NotAction")).iter().any(matches);
    }
    listed(part(statement, "Action")).iter().any(matches)
}

fn part<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

/// IAM takes one value for a list of one.
fn listed(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn usual() -> Value {
        json!({"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject",
               "Resource": "arn:aws:s3:::logs/AWSLogs/111122223333/*",
               "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}})
    }

    fn with(statements: &[Value]) -> Delivery {
        delivery(&json!({"Version": "2012-10-17", "Statement": statements}).to_string(), "logs/AWSLogs/")
    }

    #[test]
    fn c10_the_usual_policy_lets_cloudtrail_write_and_one_without_its_statement_does_not() {
        let tls = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
                         "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
        assert_eq!(with(&[usual(), tls.clone()]), Delivery::Possible);
        assert_eq!(with(&[tls]), Delivery::NotAllowed);
        assert_eq!(with(&[]), Delivery::NotAllowed);
        assert_eq!(delivery("no policy", "logs/AWSLogs/"), Delivery::NotAllowed);
    }

    #[test]
    fn c10_a_deny_without_conditions_keeps_it_out() {
        for deny in [
            json!({"Effect": "Deny", "Principal": "*", "Action": "s3:Put*", "Resource": "*"}),
            json!({"Effect": "Deny", "Principal": {"Service": ["cloudtrail.amazonaws.com"]}, "Action": ["s3:PutObject"],
                   "Resource": ["arn:aws:s3:::logs", "arn:aws:s3:::logs/AWSLogs/*"]}),
            json!({"Effect": "Deny", "Principal": {"AWS": "*"}, "NotAction": "s3:GetObject", "Resource": "arn:aws:s3:::logs/*"}),
        ] {
            assert_eq!(with(&[usual(), deny.clone()]), Delivery::Denied, "{deny}");
        }
        for other in [
            json!({"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::1:role/x"}, "Action": "*", "Resource": "*"}),
            json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::logs/secret/*"}),
        ] {
            assert_eq!(with(&[usual(), other.clone()]), Delivery::Possible, "{other}");
        }
    }

    #[test]
    fn c10_an_allow_for_another_place_is_none() {
        let mut moved = usual();
        moved["Resource"] = json!("arn:aws:s3:::logs/elsewhere/*");
        assert_eq!(with(&[moved]), Delivery::NotAllowed);
    }

    proptest! {
        #[test]
        fn g16_no_policy_panics(text in ".{0,80}", key in "[A-Za-z]{1,9}") {
            let _ = delivery(&text, "logs/");
            let _ = delivery(&json!({"Statement": [{key: text}, text]}).to_string(), "logs/");
        }
    }
}
