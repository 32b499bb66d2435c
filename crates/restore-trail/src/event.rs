//! Which trails, event data stores, buckets and keys an event names, and whether it is one to answer. Pure.
//!
//! A call that changes a bucket or a key says nothing of trails; whether one depends on it is seen when it is observed.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tourniquet::cloudtrail::{ApiCall, DETAIL_TYPE};
use tourniquet::error::Error;
use tourniquet::event::Event;
use tourniquet::guardduty::Finding;
use tourniquet::{Cause, Config, Lead, Place, Room, Subjects};

use crate::RestoreTrail;
use crate::name::{self, Named};
use crate::settings::Settings;

/// The one finding type that is answered.
pub(crate) const FINDING: &str = "Stealth:IAMUser/CloudTrailLoggingDisabled";

/// What the room keeps of an event: what the subject is.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum Detail {
    /// A trail.
    Trail {
        /// Its ARN.
        arn: String,
    },
    /// An event data store of `CloudTrail` Lake.
    EventDataStore {
        /// Its ARN.
        arn: String,
    },
    /// A bucket in which a trail may keep its logs.
    Bucket,
    /// A key with which a trail may encrypt them.
    Key,
}

impl Detail {
    /// The ARN, for what has one of its own.
    pub(crate) fn arn(&self) -> Option<&str> {
        match self {
            Self::Trail { arn } | Self::EventDataStore { arn } => Some(arn),
            Self::Bucket | Self::Key => None,
        }
    }
}

/// What a call is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum About {
    Trail(&'static str),
    Store(&'static str),
    Bucket,
    Key,
}

/// The subjects of an event.
pub(crate) fn subjects(event: &Event, config: &Config<Settings>) -> Result<Subjects<Detail>, Error> {
    match (event.detail_type(), event.source()) {
        (DETAIL_TYPE, _) => of_call(event, config),
        ("GuardDuty Finding", "aws.guardduty") => of_finding(event, config),
        (other, source) => Ok(ignored(format!("{other} from {source} is neither an API call nor a finding"))),
    }
}

fn ignored(why: String) -> Subjects<Detail> {
    Subjects::Ignored { why }
}

fn of_call(event: &Event, config: &Config<Settings>) -> Result<Subjects<Detail>, Error> {
    let call = ApiCall::of(event)?;
    let Some(about) = about(&call) else {
        return Ok(ignored(format!("{} of {} changes no trail", call.event_name, call.event_source)));
    };
    if call.is_echo(config, RestoreTrail::NAME) {
        return Ok(ignored(format!("{} was {}'s own change", call.event_name, RestoreTrail::NAME)));
    }
    let here = call.place(event)?;
    if let Some(failure) = call.failure() {
        return Ok(failed(&call, about, &failure, here));
    }
    if matches!(about, About::Bucket | About::Key) && call.request_parameters.is_null() {
        // CloudTrail leaves the parameters out of some records.
        return Ok(ignored(format!("{} does not say of what", call.event_name)));
    }
    let (detail, subject, place) = named(&call, about, &here, config)?;
    let (cause, actor) = (call.cause(event), call.actor());
    Ok(Subjects::Named(vec![Lead { place, subject, cause, actor, detail }]))
}

/// What a call is about, if it is one of those that are answered.
///
/// The record of a new lifecycle configuration is called `PutBucketLifecycle`, by the older name of the API.
fn about(call: &ApiCall) -> Option<About> {
    let service = call.event_source.strip_suffix(".amazonaws.com")?;
    Some(match (service, call.event_name.as_str()) {
        ("cloudtrail", "StopLogging" | "DeleteTrail" | "UpdateTrail") => About::Trail("name"),
        ("cloudtrail", "PutEventSelectors") => About::Trail("trailName"),
        // On an event data store it carries `eventDataStore` and no trail.
        ("cloudtrail", "PutInsightSelectors") if call.request_parameters.get("trailName").is_some() => {
            About::Trail("trailName")
        }
        ("cloudtrail", "StopEventDataStoreIngestion") => About::Store("eventDataStore"),
        (
            "s3",
            "DeleteBucket"
            | "PutBucketPolicy"
            | "DeleteBucketPolicy"
            | "PutBucketLifecycle"
            | "PutBucketLifecycleConfiguration",
        ) => About::Bucket,
        ("kms", "DisableKey" | "ScheduleKeyDeletion") => About::Key,
        _ => return None,
    })
}

/// A failed call changed nothing. One against a trail is an attack that AWS refused; of one against a bucket or a key
/// nobody knows whether it was about logs.
fn failed(call: &ApiCall, about: About, failure: &str, here: Place) -> Subjects<Detail> {
    let name = match about {
        About::Trail(field) | About::Store(field) => {
            call.request_parameters.get(field).and_then(Value::as_str)
        }
        About::Bucket | About::Key => {
            let why = format!("{} failed ({failure}), so it changed nothing", call.event_name);
            return Subjects::Ignored { why };
        }
    };
    let name: String = name.unwrap_or("a trail that it did not name").chars().take(140).collect();
    let why = format!("{} of {name} failed ({failure}): {}", call.event_name, call.actor());
    Subjects::Attempted { account: here.account, why }
}

fn named(
    call: &ApiCall,
    about: About,
    here: &Place,
    config: &Config<Settings>,
) -> Result<(Detail, String, Place), Error> {
    let text = |name: &str| -> Result<String, Error> {
        let field = format!("detail.requestParameters.{name}");
        match call.request_parameters.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            None | Some(Value::Null) => Err(Error::event(field, "missing")),
            Some(_) => Err(Error::event(field, "expected a text")),
        }
    };
    match about {
        About::Trail(field) => {
            // AWS's own answer, where there is one, has the whole ARN.
            let answered = call.response_elements.get("trailARN").and_then(Value::as_str);
            let answered = answered.and_then(|arn| name::trail(arn, here, "").ok());
            let named = match answered {
                Some(named) => named,
                None => name::trail(&text(field)?, here, &format!("detail.requestParameters.{field}"))?,
            };
            Ok(of_trail(named, here, config))
        }
        About::Store(field) => {
            let named = name::store(&text(field)?, here, &format!("detail.requestParameters.{field}"))?;
            let place = owner(&named, here, config);
            Ok((Detail::EventDataStore { arn: named.arn }, named.name, place))
        }
        About::Bucket => {
            let field = "detail.requestParameters.bucketName";
            let bucket = name::bucket(&text("bucketName")?, field)?;
            Ok((Detail::Bucket, bucket, here.clone()))
        }
        About::Key => {
            let (key, place) = name::key(&text("keyId")?, here, "detail.requestParameters.keyId")?;
            Ok((Detail::Key, key, place))
        }
    }
}

fn of_trail(named: Named, here: &Place, config: &Config<Settings>) -> (Detail, String, Place) {
    let place = owner(&named, here, config);
    (Detail::Trail { arn: named.arn }, named.name, place)
}

/// Where to act: in the owner's account and the home region. An organisation trail is seen in every member account; if
/// its own account is not one of ours, it is reported from where it was seen.
fn owner(named: &Named, here: &Place, config: &Config<Settings>) -> Place {
    if config.allows(&named.owner.account) { named.owner.clone() } else { here.clone() }
}

/// A finding names the trail or, where a bucket of logs was deleted, the bucket.
fn of_finding(event: &Event, config: &Config<Settings>) -> Result<Subjects<Detail>, Error> {
    let finding = Finding::of(event)?;
    let kind = finding.kind.clone().ok_or_else(|| Error::event("detail.type", "missing"))?;
    if kind != FINDING {
        return Ok(ignored(format!("the finding type {kind} is not answered")));
    }
    if finding.service.archived {
        return Ok(ignored(format!("the finding {kind} is archived")));
    }
    if finding.is_sample() {
        return Ok(ignored(format!("{kind} is a sample finding")));
    }
    let part = |own: &Option<String>, envelope: Option<&str>, field: &str| {
        let envelope = envelope.map(str::to_owned);
        own.clone().or(envelope).ok_or_else(|| Error::event(field, "missing"))
    };
    let here = Place {
        account: part(&finding.account_id, event.account(), "detail.accountId")?,
        region: part(&finding.region, event.region(), "detail.region")?,
    };
    let field = "detail.service.action.awsApiCallAction.affectedResources";
    let (detail, subject, place) = if let Some(trail) = finding.affected("AWS::CloudTrail::Trail") {
        of_trail(name::trail(trail, &here, field)?, &here, config)
    } else if let Some(bucket) = finding.affected("AWS::S3::Bucket") {
        let bucket = bucket.rsplit(':').next().unwrap_or(bucket);
        (Detail::Bucket, name::bucket(bucket, field)?, here)
    } else {
        return Err(Error::event(field, "names neither a trail nor a bucket"));
    };
    let id = finding.id.clone().ok_or_else(|| Error::event("detail.id", "missing"))?;
    let cause = Cause { what: kind, key: id };
    Ok(Subjects::Named(vec![Lead { place, subject, cause, actor: finding.actor(), detail }]))
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
