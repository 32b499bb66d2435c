//! API calls by CloudTrail: those of S3 that can make a bucket public, and the evaluations that AWS Config's own rules
//! hand in. CloudTrail's names for the block are not the API's.

use serde_json::Value;
use tourniquet::cloudtrail::ApiCall;
use tourniquet::error::Error;
use tourniquet::event::Event;
use tourniquet::place::is_region;
use tourniquet::{Config, Place, Room, Subjects};

use super::bucket::is_point;
use super::{Detail, RULES, account, ignored, lead, named};
use crate::BlockPublicBucket;
use crate::settings::Settings;

/// Calls that name a bucket.
const OF_BUCKETS: [&str; 8] = [
    "CreateAccessPoint",
    "CreateBucket",
    "DeleteBucketOwnershipControls",
    "DeleteBucketPublicAccessBlock",
    "PutBucketAcl",
    "PutBucketOwnershipControls",
    "PutBucketPolicy",
    "PutBucketPublicAccessBlock",
];
/// Calls about the block of an account.
const OF_ACCOUNTS: [&str; 2] = ["DeleteAccountPublicAccessBlock", "PutAccountPublicAccessBlock"];
/// The call that names an access point and not its bucket.
const OF_POINTS: &str = "PutAccessPointPolicy";

pub(super) fn subjects(event: &Event, config: &Config<Settings>) -> Result<Subjects<Detail>, Error> {
    let call = match ApiCall::to_answer(event, config, BlockPublicBucket::NAME)? {
        Ok(call) => call,
        Err(why) => return ignored(why),
    };
    let (place, cause, actor) = (call.place(event)?, call.cause(event), call.actor());
    match (call.event_source.as_str(), call.event_name.as_str()) {
        ("s3.amazonaws.com", name) if OF_ACCOUNTS.contains(&name) => {
            Ok(account(&place.account, &place, &cause, &actor))
        }
        ("s3.amazonaws.com", OF_POINTS) => point(event, &call),
        ("s3.amazonaws.com", name) if OF_BUCKETS.contains(&name) => {
            let place = Place { region: region(&call).unwrap_or(place.region), ..place };
            match bucket(event, &call)? {
                Some(bucket) => named(vec![bucket], &place, &cause, &actor),
                None => ignored(format!("{name} names no bucket; the sweep will find it")),
            }
        }
        ("config.amazonaws.com", "PutEvaluations") => evaluations(event, &call),
        (source, name) => ignored(format!("{name} of {source} cannot make a bucket public")),
    }
}

/// The bucket: in the parameters, or in the record's list of resources. Parameters may be `null`.
fn bucket(event: &Event, call: &ApiCall) -> Result<Option<(String, &'static str)>, Error> {
    const FIELD: &str = "detail.requestParameters.bucketName";
    let parameters = &call.request_parameters;
    let created = parameters.get("CreateAccessPointRequest").and_then(|request| request.get("Bucket"));
    match parameters.get("bucketName").or_else(|| parameters.get("bucket")).or(created) {
        Some(Value::String(name)) => Ok(Some((name.clone(), FIELD))),
        Some(Value::Null) | None => {
            let resource = resource(event, "AWS::S3::Bucket");
            Ok(resource.map(|arn| (arn.to_owned(), "detail.resources[].ARN")))
        }
        Some(other) => Err(Error::event(FIELD, format!("{other} is not a text"))),
    }
}

/// The ARN of the first resource of a type that the record lists.
fn resource<'a>(event: &'a Event, kind: &str) -> Option<&'a str> {
    let resources = event.detail().get("resources")?.as_array()?;
    let one = resources.iter().find(|r| r.get("type").and_then(Value::as_str) == Some(kind))?;
    one.get("ARN")?.as_str()
}

/// A new bucket is where its constraint says, which need not be where the call was made.
fn region(call: &ApiCall) -> Option<String> {
    let constraint =
        call.request_parameters.get("CreateBucketConfiguration")?.get("LocationConstraint")?.as_str()?;
    // The oldest constraint is no region's code.
    let region = if constraint == "EU" { "eu-west-1" } else { constraint };
    is_region(region).then(|| region.to_owned())
}

fn point(event: &Event, call: &ApiCall) -> Result<Subjects<Detail>, Error> {
    const FIELD: &str = "detail.requestParameters.name";
    let (place, cause, actor) = (call.place(event)?, call.cause(event), call.actor());
    if let Some(bucket) = bucket(event, call)? {
        return named(vec![bucket], &place, &cause, &actor);
    }
    let listed = || resource(event, "AWS::S3::AccessPoint").and_then(|arn| arn.rsplit('/').next());
    let Some(name) = call.request_parameters.get("name").and_then(Value::as_str).or_else(listed) else {
        return ignored(format!("{OF_POINTS} names no access point; the sweep will find it"));
    };
    if !is_point(name) {
        return Err(Error::event(FIELD, format!("{name:?} is not the name of an access point")));
    }
    let detail = Detail::Point { name: name.to_owned() };
    Ok(Subjects::Named(vec![lead(&place, format!("accesspoint/{name}"), &cause, &actor, detail)]))
}

/// What a managed rule of AWS Config hands in: several resources at once. The annotation is words, and is not read.
fn evaluations(event: &Event, call: &ApiCall) -> Result<Subjects<Detail>, Error> {
    let managed =
        event.detail().get("additionalEventData").and_then(|data| data.get("managedRuleIdentifier"));
    let managed = managed.and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase().replace('_', "-");
    if !RULES.contains(&managed.as_str()) {
        return ignored(format!("evaluations by {managed:?}, which is not about public buckets"));
    }
    let evaluations = call.request_parameters.get("evaluations").and_then(Value::as_array);
    let text = |one: &Value, key: &str| one.get(key).and_then(Value::as_str).map(str::to_owned);
    let buckets = evaluations.into_iter().flatten().filter(|one| {
        text(one, "complianceType").as_deref() == Some("NON_COMPLIANT")
            && text(one, "complianceResourceType").as_deref() == Some("AWS::S3::Bucket")
    });
    let names = buckets.filter_map(|one| text(one, "complianceResourceId"));
    let names = names.map(|name| (name, "detail.requestParameters.evaluations[].complianceResourceId"));
    named(names.collect(), &call.place(event)?, &call.cause(event), &call.actor())
}
