//! The parts of a CloudTrail record that functions share: did the call succeed, who made it, was it us.
//!
//! Own types, because the ones of `aws_lambda_events` have no `errorCode`, by which a denied call differs from a
//! successful one, and refuse a record in which any of several optional fields is absent.

use serde::Deserialize;
use serde_json::Value;

use crate::actor::Actor;
use crate::error::Error;
use crate::event::Event;
use crate::place::Place;
use crate::settings::{Config, Settings};
use crate::subject::Cause;

/// The detail-type of API calls on EventBridge.
pub const DETAIL_TYPE: &str = "AWS API Call via CloudTrail";

/// One API call, as CloudTrail reports it. Only what decisions and reports read.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiCall {
    /// The service's host, such as `ec2.amazonaws.com`.
    pub event_source: String,
    /// The operation, such as `StopLogging`.
    pub event_name: String,
    /// The record's own id: the same for repeated deliveries.
    #[serde(rename = "eventID", default)]
    pub event_id: Option<String>,
    /// Where the call was made.
    #[serde(default)]
    pub aws_region: Option<String>,
    /// The account that owns the resource, where it differs from the caller's.
    #[serde(default)]
    pub recipient_account_id: Option<String>,
    /// The call's parameters; `null` for some calls.
    #[serde(default)]
    pub request_parameters: Value,
    /// The call's answer.
    #[serde(default)]
    pub response_elements: Value,
    #[serde(default)]
    error_code: Option<String>,
    #[serde(default)]
    error_message: Option<String>,
    #[serde(rename = "sourceIPAddress", default)]
    source_ip_address: Option<String>,
    #[serde(default)]
    user_agent: Option<String>,
    #[serde(default)]
    user_identity: UserIdentity,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UserIdentity {
    arn: Option<String>,
    user_name: Option<String>,
    invoked_by: Option<String>,
    session_context: Option<SessionContext>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SessionContext {
    session_issuer: Option<SessionIssuer>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct SessionIssuer {
    arn: Option<String>,
}

impl ApiCall {
    /// The API call of an event.
    pub fn of(event: &Event) -> Result<Self, Error> {
        event.detail_as()
    }

    /// The call of an event, unless there is nothing to answer: it is no API event, the call failed, or it was our own.
    /// Then one sentence says so.
    pub fn to_answer<S: Settings>(
        event: &Event,
        config: &Config<S>,
        function: &str,
    ) -> Result<Result<Self, String>, Error> {
        if event.detail_type() != DETAIL_TYPE {
            let why = format!("{} from {} is no API call", event.detail_type(), event.source());
            return Ok(Err(why));
        }
        let call = Self::of(event)?;
        if let Some(failure) = call.failure() {
            return Ok(Err(format!("{} failed ({failure}), so it changed nothing", call.event_name)));
        }
        if call.is_echo(config, function) {
            return Ok(Err(format!("{} was {function}'s own change", call.event_name)));
        }
        Ok(Ok(call))
    }

    /// Where the resource is: the owner's account, which need not be the caller's.
    pub fn place(&self, event: &Event) -> Result<Place, Error> {
        let need = |own: &Option<String>, envelope: Option<&str>, field: &str| {
            own.clone()
                .or_else(|| envelope.map(str::to_owned))
                .ok_or_else(|| Error::event(field, "missing, and the envelope has none"))
        };
        Ok(Place {
            account: need(&self.recipient_account_id, event.account(), "detail.recipientAccountId")?,
            region: need(&self.aws_region, event.region(), "detail.awsRegion")?,
        })
    }

    /// What made us look: the same for every delivery of the record.
    #[must_use]
    pub fn cause(&self, event: &Event) -> Cause {
        let key = self.event_id.as_deref().or(event.id()).map_or_else(
            // Made by hand: what it says is what it is.
            || format!("{} {}", self.event_name, self.request_parameters),
            str::to_owned,
        );
        Cause { what: self.event_name.clone(), key }
    }

    /// Why nothing changed, if the call failed: a failed call changed nothing.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        match (&self.error_code, &self.error_message) {
            (Some(code), _) => Some(code.clone()),
            (None, Some(message)) => Some(message.clone()),
            (None, None) => None,
        }
    }

    /// Who made it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let identity = &self.user_identity;
        Actor {
            principal: identity.arn.clone().or_else(|| identity.user_name.clone()),
            session_issuer: self.issuer().map(str::to_owned),
            source_ip: self.source_ip_address.clone(),
            user_agent: self.user_agent.clone(),
            invoked_by: identity.invoked_by.clone(),
        }
    }

    /// Whether the function itself made the call, here or in a member account.
    #[must_use]
    pub fn is_echo<S: Settings>(&self, config: &Config<S>, function: &str) -> bool {
        self.issuer().is_some_and(|role| config.acts_as(role, function))
    }

    /// The ARN of the role behind the caller's session.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.user_identity.session_context.as_ref()?.session_issuer.as_ref()?.arn.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(detail: &str) -> ApiCall {
        let raw = format!(
            r#"{{"detail-type":"AWS API Call via CloudTrail","source":"aws.ec2","detail":{detail}}}"#
        );
        ApiCall::of(&Event::parse(&raw).unwrap()).unwrap()
    }

    #[test]
    fn g1_a_call_with_an_error_failed() {
        let denied = call(r#"{"eventSource":"e","eventName":"n","errorCode":"AccessDenied"}"#);
        assert_eq!(denied.failure().as_deref(), Some("AccessDenied"));
        let odd = call(r#"{"eventSource":"e","eventName":"n","errorMessage":"no"}"#);
        assert_eq!(odd.failure().as_deref(), Some("no"));
        assert_eq!(call(r#"{"eventSource":"e","eventName":"n"}"#).failure(), None);
    }

    #[test]
    fn g6_our_own_changes_are_known_by_the_role_behind_the_session() {
        let config = Config::<()>::parse(
            r#"{"account":"111122223333","accounts":["444455556666"],"own_role":"arn:aws:iam::111122223333:role/tourniquet-x"}"#,
        )
        .unwrap();
        for (role, ours) in [
            ("arn:aws:iam::111122223333:role/tourniquet-x", true),
            ("arn:aws:iam::444455556666:role/tourniquet-x", true),
            ("arn:aws:iam::444455556666:role/path/tourniquet-x", true),
            ("arn:aws:iam::999900009999:role/tourniquet-x", false),
            ("arn:aws:iam::111122223333:role/operator", false),
        ] {
            let made = call(&format!(
                r#"{{"eventSource":"e","eventName":"n","userIdentity":{{"type":"AssumedRole","arn":"arn:aws:sts::1:assumed-role/r/s",
                   "sessionContext":{{"sessionIssuer":{{"arn":"{role}"}}}}}}}}"#
            ));
            assert_eq!(made.is_echo(&config, "x"), ours, "{role}");
        }
    }

    #[test]
    fn g11_a_call_without_a_user_has_an_actor_all_the_same() {
        let service = call(
            r#"{"eventSource":"e","eventName":"n","userIdentity":{"type":"AWSService","invokedBy":"cloudformation.amazonaws.com"}}"#,
        );
        assert_eq!(service.actor().to_string(), "by cloudformation.amazonaws.com");
    }

    #[test]
    fn g1_g6_what_is_not_to_be_answered_says_why() {
        let config = Config::<()>::parse(
            r#"{"account":"111122223333","own_role":"arn:aws:iam::111122223333:role/tourniquet-x"}"#,
        )
        .unwrap();
        let answer = |kind: &str, detail: &str| {
            let raw = format!(r#"{{"detail-type":"{kind}","source":"aws.ec2","detail":{detail}}}"#);
            ApiCall::to_answer(&Event::parse(&raw).unwrap(), &config, "x").unwrap()
        };
        let why = |kind: &str, detail: &str| answer(kind, detail).unwrap_err();
        assert!(answer(DETAIL_TYPE, r#"{"eventSource":"e","eventName":"n"}"#).is_ok());
        assert!(why("GuardDuty Finding", "{}").contains("is no API call"));
        assert!(
            why(DETAIL_TYPE, r#"{"eventSource":"e","eventName":"n","errorCode":"AccessDenied"}"#)
                .contains("n failed (AccessDenied)")
        );
        let ours = r#"{"eventSource":"e","eventName":"n","userIdentity":{"sessionContext":{"sessionIssuer":
            {"arn":"arn:aws:iam::111122223333:role/tourniquet-x"}}}}"#;
        assert!(why(DETAIL_TYPE, ours).contains("own change"));
    }

    #[test]
    fn g12_the_owners_account_wins_over_the_envelopes() {
        let event = |detail: &str| {
            Event::parse(&format!(
                r#"{{"detail-type":"{DETAIL_TYPE}","source":"s","account":"111122223333","region":"eu-west-1","id":"e-1","detail":{detail}}}"#
            ))
            .unwrap()
        };
        let plain = event(r#"{"eventSource":"e","eventName":"n"}"#);
        let forwarded = event(
            r#"{"eventSource":"e","eventName":"n","recipientAccountId":"444455556666","awsRegion":"us-east-1","eventID":"r-1"}"#,
        );
        let (one, other) = (ApiCall::of(&plain).unwrap(), ApiCall::of(&forwarded).unwrap());
        assert_eq!(one.place(&plain).unwrap(), Place::new("111122223333", "eu-west-1"));
        assert_eq!(other.place(&forwarded).unwrap(), Place::new("444455556666", "us-east-1"));
        assert_eq!((one.cause(&plain).key, other.cause(&forwarded).key), ("e-1".into(), "r-1".into()));
        let bare =
            Event::parse(r#"{"eventSource":"e.amazonaws.com","eventName":"n","requestParameters":{"a":1}}"#)
                .unwrap();
        let call = ApiCall::of(&bare).unwrap();
        assert!(call.place(&bare).unwrap_err().to_string().contains("detail.recipientAccountId: missing"));
        assert_eq!(call.cause(&bare).key, r#"n {"a":1}"#);
    }
}
