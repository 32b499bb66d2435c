//! The EventBridge envelope, and the bare records that people replay by hand.
//!
//! A bare GuardDuty finding or CloudTrail record, as consoles and log files hold them, is put into the envelope that
//! EventBridge would have given it, so that everything behind this module sees one shape.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::error::Error;

/// One event, parsed as far as its envelope.
#[derive(Clone, Debug)]
pub struct Event(EventBridgeEvent<Value>);

impl Event {
    /// Parses an event; an error names the field that is wrong.
    pub fn parse(raw: &str) -> Result<Self, Error> {
        let value: Value = serde_json::from_str(raw).map_err(|e| Error::event("event", e.to_string()))?;
        let Value::Object(object) = value else {
            return Err(Error::event("event", format!("expected an object, found {}", kind_of(&value))));
        };
        let envelope = if object.contains_key("detail-type") { object } else { wrap(object)? };
        match envelope.get("detail") {
            Some(Value::Object(_)) => {}
            Some(other) => {
                return Err(Error::event("detail", format!("expected an object, found {}", kind_of(other))));
            }
            None => return Err(Error::event("detail", "missing")),
        }
        from_value(Value::Object(envelope), "").map(Self)
    }

    /// The source, such as `aws.guardduty`.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The detail-type, such as `GuardDuty Finding`.
    #[must_use]
    pub fn detail_type(&self) -> &str {
        &self.0.detail_type
    }

    /// The account that the envelope names: the one whose event bus received the event first.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.0.account.as_deref()
    }

    /// The region that the envelope names.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// The event's id: the same for repeated deliveries of one event.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.0.id.as_deref()
    }

    /// Whether a schedule sent it, which asks for a sweep.
    #[must_use]
    pub fn is_schedule(&self) -> bool {
        self.detail_type() == "Scheduled Event" && matches!(self.source(), "aws.scheduler" | "aws.events")
    }

    /// The detail as it came.
    #[must_use]
    pub fn detail(&self) -> &Value {
        &self.0.detail
    }

    /// The detail as a type of the caller's; an error names the field that is wrong, from `detail.` on.
    pub fn detail_as<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_value(self.0.detail.clone(), "detail")
    }
}

/// Reads a value into a type; an error names the path of the field below `root`.
pub fn from_value<T: DeserializeOwned>(value: Value, root: &str) -> Result<T, Error> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let field = match (root, path.as_str()) {
            ("", ".") => "event".to_owned(),
            ("", path) => path.to_owned(),
            (root, ".") => root.to_owned(),
            (root, path) => format!("{root}.{path}"),
        };
        Error::event(field, error.into_inner().to_string())
    })
}

/// The envelope for an object that has none.
fn wrap(object: Map<String, Value>) -> Result<Map<String, Value>, Error> {
    let had_detail = object.contains_key("detail");
    let bare = match object.get("detail") {
        Some(Value::Object(detail)) => detail.clone(),
        Some(other) => {
            return Err(Error::event("detail", format!("expected an object, found {}", kind_of(other))));
        }
        None => object,
    };
    let text =
        |names: [&str; 2]| names.iter().find_map(|n| bare.get(*n)).and_then(Value::as_str).map(str::to_owned);
    let has = |names: [&str; 2]| names.iter().any(|name| bare.contains_key(*name));
    let by_guardduty =
        bare.get("service").and_then(|s| s.get("serviceName")).is_some_and(|name| name == "guardduty");
    let is_finding = has(["type", "Type"]) && (has(["resource", "Resource"]) || by_guardduty);
    let (source, detail_type, account, region) = if is_finding {
        let (account, region) = (text(["accountId", "AccountId"]), text(["region", "Region"]));
        ("aws.guardduty".to_owned(), "GuardDuty Finding", account, region)
    } else if let Some(service) = text(["eventSource", "eventSource"]) {
        let source = format!("aws.{}", service.trim_end_matches(".amazonaws.com"));
        (source, "AWS API Call via CloudTrail", text(["recipientAccountId"; 2]), text(["awsRegion"; 2]))
    } else if had_detail {
        return Err(Error::event("detail-type", "missing"));
    } else {
        return Err(Error::event(
            "detail",
            "missing: this is neither an EventBridge event nor a bare GuardDuty finding or CloudTrail record",
        ));
    };
    let envelope = json!({"source": source, "detail-type": detail_type, "account": account, "region": region, "detail": bare});
    match envelope {
        Value::Object(envelope) => Ok(envelope),
        _ => Err(Error::event("event", "cannot be put into an envelope")),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problem(raw: &str) -> String {
        Event::parse(raw).unwrap_err().to_string()
    }

    #[test]
    fn g16_a_malformed_event_is_an_error_that_names_the_field() {
        assert!(problem("{").contains("event: EOF"));
        assert!(problem("[]").contains("event: expected an object, found a list"));
        assert!(problem("\"x\"").contains("found a string"));
        assert!(problem("{}").contains("detail: missing"));
        assert!(problem(r#"{"detail-type":"x","source":"y"}"#).contains("detail: missing"));
        assert!(
            problem(r#"{"detail-type":"x","source":"y","detail":[]}"#).contains("detail: expected an object")
        );
        assert!(
            problem(r#"{"detail-type":1,"source":"y","detail":{}}"#).contains("detail-type: invalid type")
        );
        assert!(problem(r#"{"detail-type":"x","detail":{}}"#).contains("source"));
        assert!(problem(r#"{"detail":{}}"#).contains("detail-type: missing"));
    }

    #[test]
    fn g16_a_quarter_megabyte_of_nesting_is_an_error_and_no_crash() {
        let deep = format!(
            r#"{{"detail-type":"x","source":"y","detail":{}{}}}"#,
            "[".repeat(131_000),
            "]".repeat(131_000)
        );
        assert!(problem(&deep).contains("recursion limit"));
    }

    #[test]
    fn e1_a_bare_finding_gets_the_envelope_of_its_own_account_and_region() {
        for raw in [
            r#"{"accountId":"111122223333","region":"eu-west-1","type":"T","resource":{}}"#,
            r#"{"AccountId":"111122223333","Region":"eu-west-1","Type":"T","Resource":{}}"#,
            r#"{"detail":{"accountId":"111122223333","region":"eu-west-1","type":"T","resource":{}}}"#,
        ] {
            let event = Event::parse(raw).unwrap();
            assert_eq!((event.source(), event.detail_type()), ("aws.guardduty", "GuardDuty Finding"));
            assert_eq!((event.account(), event.region()), (Some("111122223333"), Some("eu-west-1")));
        }
    }

    #[test]
    fn a_bare_api_record_gets_an_envelope() {
        let event =
            Event::parse(r#"{"eventSource":"s3.amazonaws.com","eventName":"X","awsRegion":"eu-west-1"}"#)
                .unwrap();
        assert_eq!((event.source(), event.detail_type()), ("aws.s3", "AWS API Call via CloudTrail"));
    }

    proptest! {
        #[test]
        fn g16_no_text_panics(raw in ".{0,200}") {
            let _ = Event::parse(&raw);
        }

        #[test]
        fn g16_no_object_panics(key in "[a-z-]{1,12}", value in ".{0,40}") {
            let _ = Event::parse(&json!({"detail-type": value, "source": key, "detail": {key.clone(): value.clone()}, key: value}).to_string());
        }
    }
}
