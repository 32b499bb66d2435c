//! What AWS's own watchers say about buckets: GuardDuty, Macie, Access Analyzer, Trusted Advisor. Each may name several.

use std::collections::BTreeMap;

use serde::Deserialize;
use tourniquet::error::Error;
use tourniquet::event::Event;
use tourniquet::guardduty::Finding;
use tourniquet::place::is_region;
use tourniquet::{Cause, Place, Subjects};

use super::{Detail, account, ignored, key, named};

/// GuardDuty's findings about public access; other findings about buckets are about what somebody did in them.
const GUARDDUTY: &str = "Policy:S3/";
const GUARDDUTY_ACCOUNT: &str = "Policy:S3/AccountBlockPublicAccessDisabled";
/// Macie's, by the beginning of the type: the others tell of sharing with named accounts and of encryption.
const MACIE: [&str; 2] = ["Policy:IAMUser/S3BucketPublic", "Policy:IAMUser/S3BlockPublicAccessDisabled"];
const TRUSTED_ADVISOR: &str = "Amazon S3 Bucket Permissions";

pub(super) fn guardduty(event: &Event) -> Result<Subjects<Detail>, Error> {
    let finding = Finding::of(event)?;
    let kind = finding.kind.clone().ok_or_else(|| Error::event("detail.type", "missing"))?;
    if finding.service.archived {
        return ignored(format!("the finding {kind} is archived"));
    }
    if finding.is_sample() {
        return ignored(format!("{kind} is a sample finding"));
    }
    if !kind.starts_with(GUARDDUTY) {
        return ignored(format!("the finding type {kind} is not about public buckets"));
    }
    let id = finding.id.clone().ok_or_else(|| Error::event("detail.id", "missing"))?;
    let place = place(event, finding.account_id.as_deref(), finding.region.as_deref(), "detail.accountId")?;
    let (cause, actor) = (Cause { what: kind.clone(), key: id }, finding.actor());
    if kind.starts_with(GUARDDUTY_ACCOUNT) {
        return Ok(account(&place.account.clone(), &place, &cause, &actor));
    }
    let buckets = finding.resource.s3_bucket_details.into_iter().filter_map(|bucket| bucket.name);
    let names = buckets.map(|name| (name, "detail.resource.s3BucketDetails[].name"));
    named(names.collect(), &place, &cause, &actor)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MacieFinding {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    account_id: Option<String>,
    region: Option<String>,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    sample: bool,
    #[serde(default)]
    resources_affected: Affected,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Affected {
    s3_bucket: Option<OneOrMany<MacieBucket>>,
}

#[derive(Deserialize)]
struct MacieBucket {
    name: String,
}

/// Macie names one bucket; a list would be as good.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

pub(super) fn macie(event: &Event) -> Result<Subjects<Detail>, Error> {
    let finding: MacieFinding = event.detail_as()?;
    let kind = finding.kind;
    if finding.archived || finding.sample {
        return ignored(format!("the Macie finding {kind} is archived or a sample"));
    }
    if !MACIE.iter().any(|prefix| kind.starts_with(prefix)) {
        return ignored(format!("the Macie finding {kind} is not about public access"));
    }
    let place = place(event, finding.account_id.as_deref(), finding.region.as_deref(), "detail.accountId")?;
    let buckets = match finding.resources_affected.s3_bucket {
        None => Vec::new(),
        Some(OneOrMany::One(bucket)) => vec![bucket],
        Some(OneOrMany::Many(buckets)) => buckets,
    };
    let names = buckets.into_iter().map(|bucket| (bucket.name, "detail.resourcesAffected.s3Bucket.name"));
    let cause = Cause { what: kind, key: finding.id };
    named(names.collect(), &place, &cause, &tourniquet::actor::Actor::default())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnalyzerFinding {
    id: String,
    status: String,
    resource: String,
    resource_type: String,
    #[serde(default)]
    is_public: bool,
    #[serde(default)]
    is_deleted: bool,
    account_id: Option<String>,
    region: Option<String>,
}

pub(super) fn access_analyzer(event: &Event) -> Result<Subjects<Detail>, Error> {
    let finding: AnalyzerFinding = event.detail_as()?;
    if finding.status != "ACTIVE" || finding.is_deleted {
        return ignored(format!("the finding {} about {} is not active", finding.id, finding.resource));
    }
    if finding.resource_type != "AWS::S3::Bucket"
        && finding.resource_type != "AWS::S3Express::DirectoryBucket"
    {
        return ignored(format!("{} is no bucket", finding.resource_type));
    }
    if !finding.is_public {
        return ignored(format!("{} is shared with others, but not with the public", finding.resource));
    }
    let place = place(event, finding.account_id.as_deref(), finding.region.as_deref(), "detail.accountId")?;
    let cause = Cause { what: "Access Analyzer Finding".to_owned(), key: finding.id };
    named(vec![(finding.resource, "detail.resource")], &place, &cause, &tourniquet::actor::Actor::default())
}

#[derive(Deserialize)]
struct AdvisorItem {
    #[serde(rename = "check-name")]
    check: String,
    status: String,
    #[serde(default, rename = "check-item-detail")]
    item: BTreeMap<String, Option<String>>,
    #[serde(default)]
    resource_id: String,
}

/// Trusted Advisor speaks from us-east-1 about every region; the item says which. `resource_id` may be empty.
pub(super) fn trusted_advisor(event: &Event) -> Result<Subjects<Detail>, Error> {
    let item: AdvisorItem = event.detail_as()?;
    if item.check != TRUSTED_ADVISOR {
        return ignored(format!("the check {:?} is not about public buckets", item.check));
    }
    if item.status == "OK" {
        return ignored(format!("{}: OK", item.check));
    }
    let text = |name: &str| item.item.get(name).cloned().flatten().filter(|text| !text.is_empty());
    let region = ["Region", "Region/AZ"].into_iter().find_map(text).filter(|region| is_region(region));
    let name = text("Bucket Name")
        .map(|name| (name, "detail.check-item-detail.Bucket Name"))
        .or_else(|| Some((item.resource_id.clone(), "detail.resource_id")).filter(|(id, _)| !id.is_empty()));
    let place = place(event, None, region.as_deref(), "account")?;
    let what = item.check.clone();
    let cause = Cause { key: key(event, &what), what };
    named(name.into_iter().collect(), &place, &cause, &tourniquet::actor::Actor::default())
}

/// The owner's place: what the finding says wins over the envelope, which may be an administrator's.
fn place(
    event: &Event,
    account: Option<&str>,
    region: Option<&str>,
    field: &'static str,
) -> Result<Place, Error> {
    let account = account.or(event.account()).ok_or_else(|| Error::event(field, "missing"))?;
    let region = region.or(event.region()).ok_or_else(|| Error::event("region", "missing"))?;
    Ok(Place::new(account, region))
}
