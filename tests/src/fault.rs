//! What can go wrong with a call: which call a fault meets, and the error in the shape of the service's own protocol.

use std::time::Duration;

use hyper::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::naming::Protocol;

const JSON: &str = "application/x-amz-json-1.0";

/// What happens to a call.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The service says that there are too many calls.
    Throttle,
    /// The service fails with status 500.
    Error500,
    /// The service refuses the call.
    Deny,
    /// The connection is reset before the call is carried out.
    Reset,
    /// There is never an answer; the call is not carried out.
    Hang,
    /// The call is carried out and its answer breaks off in the middle.
    Cut,
    /// The call is carried out and its answer comes after [`SLOW`].
    Slow,
    /// An HTML page with status 200 in place of the service's answer, as a proxy or a captive portal sends it; the call is
    /// not carried out.
    Html,
    /// Status 200 and no body; the call is not carried out.
    Empty,
    /// A well-formed answer with status 200 that holds nothing of what the operation answers; the call is not carried out.
    Other,
    /// The answer is the one that the same question got before: a read that does not show yet what was just written.
    Stale,
    /// The function is killed before the call is carried out.
    KillBefore,
    /// The function is killed after the call was carried out and before it sees the answer.
    KillAfter,
}

/// How late a slow answer is: more than the function has left, if its timeout is shorter.
pub const SLOW: Duration = Duration::from_secs(10);

/// Which calls: the nth of the process, or an operation's, from its nth call on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum At {
    /// The nth call, from 1.
    Number(u32),
    /// `ec2:StopInstances`, `ec2:StopInstances#2` for its second call, or `dynamodb:*` for any of a service.
    Operation(String),
}

/// One rule: from the matching call on, `times` calls fail.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Where.
    pub at: At,
    /// What.
    #[serde(rename = "do")]
    pub kind: Kind,
    /// How often, one call after the other. Default: once.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// Whether the rule meets a call: the `number`th of the process and, among those that `At::Operation` names, the
    /// `nth`; both from 1.
    #[must_use]
    pub fn meets(&self, number: u32, nth: u32) -> bool {
        let (place, first) = match &self.at {
            At::Number(first) => (number, *first),
            At::Operation(name) => (nth, name.split_once('#').and_then(|(_, n)| n.parse().ok()).unwrap_or(1)),
        };
        place >= first && place - first < self.times
    }

    /// Whether the rule counts calls of this name.
    #[must_use]
    pub fn names(&self, call: &str) -> bool {
        match &self.at {
            At::Number(_) => true,
            At::Operation(name) => {
                let name = name.split_once('#').map_or(name.as_str(), |(name, _)| name);
                name.strip_suffix('*').map_or(name == call, |start| call.starts_with(start))
            }
        }
    }
}

/// What is answered in place of the service: status, content type and body.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The content type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// What is answered to a call that does not reach the service: the service's own error to one that is throttled, failed or
/// denied, or what is no answer of the service's. Other kinds have none.
#[must_use]
pub fn refusal(kind: Kind, protocol: Protocol, name: &str) -> Option<Refusal> {
    if let Some(wrong) = wrong(kind, protocol) {
        return Some(wrong);
    }
    let (code, status) = code(kind, protocol, name)?;
    let message = match kind {
        Kind::Throttle => "Rate exceeded".to_owned(),
        Kind::Deny => format!("The drill denies {name}"),
        _ => "An internal error occurred".to_owned(),
    };
    let (content_type, body) = match protocol {
        Protocol::Ec2 => (
            "text/xml;charset=UTF-8",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
                 <Message>{message}</Message></Error></Errors><RequestID>drill</RequestID></Response>"
            ),
        ),
        Protocol::Query | Protocol::S3Control => (
            "text/xml",
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>drill</RequestId></ErrorResponse>"
            ),
        ),
        Protocol::Json => (JSON, json!({"__type": code, "message": message, "Message": message}).to_string()),
        Protocol::RestXml => (
            "application/xml",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
                 <RequestId>drill</RequestId></Error>"
            ),
        ),
    };
    Some(Refusal {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
        content_type,
        body,
    })
}

fn wrong(kind: Kind, protocol: Protocol) -> Option<Refusal> {
    let (content_type, body) = match (kind, protocol) {
        (Kind::Html, _) => {
            ("text/html", "<!DOCTYPE html>\n<html><body><h1>Please sign in</h1></body></html>")
        }
        (Kind::Empty, Protocol::Json) => (JSON, ""),
        (Kind::Empty, _) => ("text/xml", ""),
        (Kind::Other, Protocol::Json) => (JSON, r#"{"Unknown": {}}"#),
        (Kind::Other, _) => ("text/xml", "<UnknownResponse><requestId>drill</requestId></UnknownResponse>"),
        _ => return None,
    };
    Some(Refusal { status: StatusCode::OK, content_type, body: body.to_owned() })
}

/// The codes that the services themselves use, which differ and decide whether the SDK retries.
fn code(kind: Kind, protocol: Protocol, name: &str) -> Option<(&'static str, u16)> {
    let sns = name.starts_with("sns:");
    Some(match (kind, protocol) {
        (Kind::Throttle, Protocol::Ec2) => ("RequestLimitExceeded", 503),
        (Kind::Throttle, Protocol::Query) => ("Throttling", 400),
        (Kind::Throttle, Protocol::Json) => ("ThrottlingException", 400),
        (Kind::Throttle, Protocol::RestXml | Protocol::S3Control) => ("SlowDown", 503),
        (Kind::Error500, Protocol::Ec2 | Protocol::RestXml | Protocol::S3Control) => ("InternalError", 500),
        (Kind::Error500, Protocol::Query) => ("InternalFailure", 500),
        (Kind::Error500, Protocol::Json) => ("InternalServerError", 500),
        (Kind::Deny, Protocol::Ec2) => ("UnauthorizedOperation", 403),
        (Kind::Deny, Protocol::Query) if sns => ("AuthorizationError", 403),
        (Kind::Deny, Protocol::Query | Protocol::RestXml | Protocol::S3Control) => ("AccessDenied", 403),
        (Kind::Deny, Protocol::Json) => ("AccessDeniedException", 400),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{At, Fault, Kind};

    #[test]
    fn a_fault_meets_consecutive_calls_from_its_place_on() {
        let fault = Fault { at: At::Operation("ec2:Stop*#2".to_owned()), kind: Kind::Throttle, times: 2 };
        assert!(fault.names("ec2:StopInstances") && !fault.names("ec2:CreateTags"));
        let met: Vec<u32> = (1..6).filter(|nth| fault.meets(9, *nth)).collect();
        assert_eq!(met, [2, 3]);
    }
}
