//! Reading a trail: one round trip for what containment needs, two more for what its deliveries depend on.
//!
//! Only its status and its tags are needed to start it again, and what the call of the event can have changed. Whatever else
//! cannot be read is kept as unread, which is an error, but not before the trail is logging.

use std::collections::BTreeMap;

use aws_sdk_cloudtrail::types::Trail as AwsTrail;
use aws_sdk_s3::types::{ExpirationStatus, LifecycleRule};
use futures_util::future::{join, join_all, join3, try_join};
use futures_util::stream::{self, Stream, StreamExt};
use tourniquet::actor::Actor;
use tourniquet::error::{Class, Error, aws};
use tourniquet::{Cause, Depth, Lead, Place};

use super::{Clients, convert, storage};
use crate::event::Detail;
use crate::name;
use crate::observation::{Bucket, BucketState, KeyState, Observation, Seen, Trail, User};
use crate::policy;
use crate::selectors::Selectors;
use crate::settings::Settings;
use crate::trail::{Insight, Setting, TrailSettings};

/// Reads a subject; `None` if there is no such event data store. A trail that is not there is something to answer.
pub(crate) async fn observe(
    clients: &Clients,
    lead: &Lead<Detail>,
    depth: Depth,
    settings: &Settings,
) -> Result<Option<Observation>, Error> {
    let full = depth == Depth::Full;
    let mut unread = Vec::new();
    let (tags, seen) = match &lead.detail {
        Detail::Trail { arn } | Detail::EventDataStore { arn } if is_foreign(arn, &lead.place) => {
            (BTreeMap::new(), Seen::Foreign)
        }
        Detail::Trail { arn } => trail(clients, lead, arn, full, settings, &mut unread).await?,
        Detail::EventDataStore { arn } => match store(clients, arn).await? {
            Some(seen) => seen,
            None => return Ok(None),
        },
        // There is nothing to contain, only to report.
        Detail::Bucket | Detail::Key if !full => (BTreeMap::new(), Seen::Unused),
        Detail::Bucket => (BTreeMap::new(), bucket_of_trails(clients, lead, settings, &mut unread).await?),
        Detail::Key => (BTreeMap::new(), key_of_trails(clients, lead, &mut unread).await?),
    };
    Ok(Some(Observation { tags, full, unread, seen }))
}

fn is_foreign(arn: &str, place: &Place) -> bool {
    name::place_of(arn).is_none_or(|owner| owner.account != place.account)
}

/// A value, or why it could not be read.
fn kept<T>(read: Result<T, Error>, unread: &mut Vec<String>) -> Option<T> {
    read.map_err(|error| unread.push(error.to_string())).ok()
}

async fn trail(
    clients: &Clients,
    lead: &Lead<Detail>,
    arn: &str,
    full: bool,
    settings: &Settings,
    unread: &mut Vec<String>,
) -> Result<(BTreeMap<String, String>, Seen), Error> {
    // What a call did not touch is looked at when the trail is logging.
    let asked = |call: &str| full || lead.cause.what == call;
    let status = async {
        let answer = clients.trail.get_trail_status().name(arn).send().await;
        answer.map_err(|e| aws("cloudtrail:GetTrailStatus", e))
    };
    let changeable = join3(
        when(asked("UpdateTrail"), described(clients, arn)),
        when(asked("PutEventSelectors"), selectors(clients, arn)),
        when(asked("PutInsightSelectors"), insights(clients, arn)),
    );
    let (status, tags, (described, selectors, insights)) =
        join3(status, tags(clients, arn), changeable).await;
    let status = match status {
        Err(error) if error.class() == Some(Class::NotFound) => return Ok((BTreeMap::new(), Seen::NoTrail)),
        status => status?,
    };
    let mut seen = Trail {
        logging: status.is_logging().unwrap_or(false),
        stopped: convert::time(status.stop_logging_time()),
        errors: convert::errors(&status),
        settings: described.and_then(|read| kept(read, unread)),
        selectors: selectors.and_then(|read| kept(read, unread)),
        insights: insights.and_then(|read| kept(read, unread)),
        bucket: None,
        key: None,
    };
    if full {
        rest(clients, lead, settings, &mut seen, unread).await;
    }
    Ok((tags?, Seen::Trail(Box::new(seen))))
}

async fn when<T>(asked: bool, read: impl Future<Output = T>) -> Option<T> {
    if asked { Some(read.await) } else { None }
}

async fn selectors(clients: &Clients, arn: &str) -> Result<Selectors, Error> {
    const CALL: &str = "cloudtrail:GetEventSelectors";
    let answer =
        clients.trail.get_event_selectors().trail_name(arn).send().await.map_err(|e| aws(CALL, e))?;
    // No selectors are a reason to put some back: an answer that is about no trail is not taken for none.
    answer.trail_arn().ok_or(Error::Unexpected { call: CALL, missing: "the trail" })?;
    Ok(convert::selectors(&answer))
}

/// The settings of a trail.
pub(super) async fn described(clients: &Clients, arn: &str) -> Result<TrailSettings, Error> {
    const CALL: &str = "cloudtrail:GetTrail";
    let answer = clients.trail.get_trail().name(arn).send().await.map_err(|e| aws(CALL, e))?;
    let found = answer.trail().ok_or(Error::Unexpected { call: CALL, missing: "the trail" })?;
    Ok(convert::settings(found))
}

/// The tags of a trail or an event data store; those of one that is gone are none.
pub(super) async fn tags(clients: &Clients, arn: &str) -> Result<BTreeMap<String, String>, Error> {
    const CALL: &str = "cloudtrail:ListTags";
    let answer = clients.trail.list_tags().resource_id_list(arn).send().await;
    let answer = match answer.map_err(|e| aws(CALL, e)) {
        Err(error) if error.class() == Some(Class::NotFound) => return Ok(BTreeMap::new()),
        answer => answer?,
    };
    let resources = answer.resource_tag_list.ok_or(Error::Unexpected { call: CALL, missing: "the tags" })?;
    let tags = resources.iter().flat_map(|r| r.tags_list());
    Ok(tags.map(|t| (t.key().to_owned(), t.value().unwrap_or_default().to_owned())).collect())
}

/// What a trail's deliveries depend on.
async fn rest(
    clients: &Clients,
    lead: &Lead<Detail>,
    settings: &Settings,
    seen: &mut Trail,
    unread: &mut Vec<String>,
) {
    let get = |setting| seen.settings.as_ref().map(|s| s.get(setting)).filter(|value| !value.is_empty());
    let prefix = get(Setting::Prefix).unwrap_or_default();
    let bucket = async {
        match get(Setting::Bucket) {
            Some(name) => Some(bucket(clients, &lead.place.account, name, prefix, settings).await),
            None => None,
        }
    };
    let key = async {
        match get(Setting::Key) {
            Some(id) => Some(key(clients, &lead.place, id).await),
            None => None,
        }
    };
    let (bucket, key) = join(bucket, key).await;
    seen.bucket = bucket.and_then(|read| kept(read, unread));
    seen.key = key.and_then(|read| kept(read, unread)).flatten();
}

/// A trail without Insights is told as an error.
pub(super) async fn insights(clients: &Clients, arn: &str) -> Result<Vec<Insight>, Error> {
    const CALL: &str = "cloudtrail:GetInsightSelectors";
    let answer = clients.trail.get_insight_selectors().trail_name(arn).send().await;
    match answer.map_err(|e| aws(CALL, e)) {
        Ok(answer) if answer.trail_arn.is_none() && answer.insight_selectors.is_none() => {
            Err(Error::Unexpected { call: CALL, missing: "the trail" })
        }
        Ok(answer) => Ok(convert::insights(answer.insight_selectors())),
        Err(error) if error.code() == Some("InsightNotEnabledException") => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Whether a bucket is there, belongs to whom it should, lets `CloudTrail` write and keeps what was written.
async fn bucket(
    clients: &Clients,
    account: &str,
    name: &str,
    prefix: &str,
    settings: &Settings,
) -> Result<Bucket, Error> {
    let mut seen = Bucket { name: name.to_owned(), state: BucketState::There, policy: None, shortest: None };
    let owner = settings.owner_of(name, account);
    let region = match head(clients, name, owner).await {
        Ok(region) => region,
        Err(error) if storage::is_gone(&error) => return Ok(Bucket { state: BucketState::Gone, ..seen }),
        Err(error) if storage::is_refused(&error) => {
            return Ok(Bucket { state: BucketState::Refused, ..seen });
        }
        Err(error) => return Err(error),
    };
    let region = region.as_deref();
    let policy = clients.s3.get_bucket_policy().bucket(name).expected_bucket_owner(owner).customize();
    let rules = clients.s3.get_bucket_lifecycle_configuration().bucket(name).expected_bucket_owner(owner);
    let (policy, rules) = join(
        policy.config_override(storage::s3_in(region)).send(),
        rules.customize().config_override(storage::s3_in(region)).send(),
    )
    .await;
    let slash = if prefix.is_empty() { "" } else { "/" };
    let path = format!("{name}/{prefix}{slash}AWSLogs/");
    seen.policy = match policy.map_err(|e| aws("s3:GetBucketPolicy", e)) {
        Ok(answer) => Some(policy::delivery(answer.policy().unwrap_or_default(), &path)),
        Err(error) if error.class() == Some(Class::NotFound) => Some(policy::Delivery::NotAllowed),
        Err(error) => return Err(error),
    };
    seen.shortest = match rules.map_err(|e| aws("s3:GetLifecycleConfiguration", e)) {
        Ok(answer) => shortest(answer.rules()),
        Err(error) if error.class() == Some(Class::NotFound) => None,
        Err(error) => return Err(error),
    };
    Ok(seen)
}

/// Asks for a bucket as its owner's, in its own region; gives back that region if it is not the client's.
pub(super) async fn head(clients: &Clients, name: &str, owner: &str) -> Result<Option<String>, Error> {
    let ask = |region: Option<&str>| {
        let call = clients.s3.head_bucket().bucket(name).expected_bucket_owner(owner).customize();
        call.config_override(storage::s3_in(region)).send()
    };
    // A `HEAD` needs the permission to list.
    let Err(error) = ask(None).await else { return Ok(None) };
    let Some(region) = storage::elsewhere(&error) else { return Err(aws("s3:ListBucket", error)) };
    ask(Some(&region)).await.map(|_| Some(region.clone())).map_err(|e| aws("s3:ListBucket", e))
}

/// The rule that deletes soonest. Its filter is not read: whoever writes a rule can write one for the logs.
fn shortest(rules: &[LifecycleRule]) -> Option<(String, i32)> {
    let enabled = rules.iter().filter(|rule| *rule.status() == ExpirationStatus::Enabled);
    let days = enabled.filter_map(|rule| {
        // A date, rather than days, is one that comes.
        let expiration = rule.expiration()?;
        let days = expiration.days().or_else(|| expiration.date().map(|_| 0))?;
        Some((rule.id().unwrap_or("without a name").to_owned(), days))
    });
    days.min_by_key(|(_, days)| *days)
}

/// The state of a key. One of another account that may not be looked at is left to the delivery errors.
async fn key(clients: &Clients, place: &Place, id: &str) -> Result<Option<KeyState>, Error> {
    let owner = name::place_of(id);
    let region = owner.as_ref().map(|owner| owner.region.as_str()).filter(|region| *region != place.region);
    let call = clients.kms.describe_key().key_id(id).customize().config_override(storage::kms_in(region));
    let state = match call.send().await.map_err(|e| aws("kms:DescribeKey", e)) {
        Ok(answer) => {
            let state = answer.key_metadata().and_then(|key| key.key_state());
            state.map_or("Unknown", |state| state.as_str()).to_owned()
        }
        Err(error) if error.class() == Some(Class::NotFound) => "NotFound".to_owned(),
        Err(error)
            if error.class() == Some(Class::Denied) && owner.is_some_and(|o| o.account != place.account) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    Ok(Some(KeyState { key: id.to_owned(), state }))
}

async fn store(clients: &Clients, arn: &str) -> Result<Option<(BTreeMap<String, String>, Seen)>, Error> {
    let read = async {
        let answer = clients.trail.get_event_data_store().event_data_store(arn).send().await;
        answer.map_err(|e| aws("cloudtrail:GetEventDataStore", e))
    };
    match try_join(read, tags(clients, arn)).await {
        Ok((answer, tags)) => {
            let status = answer.status().map_or("UNKNOWN", |status| status.as_str());
            Ok(Some((tags, Seen::Store(status.to_owned()))))
        }
        Err(error) if error.class() == Some(Class::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The trails that are seen in a region, shadows of other regions' and of the organisation's among them.
async fn users(clients: &Clients, uses: impl Fn(&AwsTrail) -> bool) -> Result<Vec<AwsTrail>, Error> {
    let answer = clients.trail.describe_trails().include_shadow_trails(true).send().await;
    let answer = answer.map_err(|e| aws("cloudtrail:DescribeTrails", e))?;
    Ok(answer.trail_list().iter().filter(|trail| uses(trail)).cloned().collect())
}

/// What those trails cannot deliver.
async fn errors(clients: &Clients, trails: &[AwsTrail], unread: &mut Vec<String>) -> Vec<User> {
    let read = trails.iter().filter_map(|trail| trail.trail_arn()).map(|arn| async move {
        let answer = clients.trail.get_trail_status().name(arn).send().await;
        let errors = answer.map(|status| convert::errors(&status));
        (arn.to_owned(), errors.map_err(|e| aws("cloudtrail:GetTrailStatus", e)))
    });
    let all = join_all(read).await.into_iter();
    all.map(|(arn, errors)| User { arn, errors: kept(errors, unread).unwrap_or_default() }).collect()
}

/// One call for a bucket that no trail uses, which is nearly every one.
async fn bucket_of_trails(
    clients: &Clients,
    lead: &Lead<Detail>,
    settings: &Settings,
    unread: &mut Vec<String>,
) -> Result<Seen, Error> {
    let name = lead.subject.as_str();
    let trails = users(clients, |trail| trail.s3_bucket_name() == Some(name)).await?;
    let Some(first) = trails.first() else { return Ok(Seen::Unused) };
    let prefix = first.s3_key_prefix().unwrap_or_default();
    let bucket = bucket(clients, &lead.place.account, name, prefix, settings).await?;
    Ok(Seen::Bucket(bucket, errors(clients, &trails, unread).await))
}

async fn key_of_trails(
    clients: &Clients,
    lead: &Lead<Detail>,
    unread: &mut Vec<String>,
) -> Result<Seen, Error> {
    let arn = lead.place.arn("kms", &format!("key/{}", lead.subject));
    let trails = users(clients, |trail| trail.kms_key_id() == Some(&arn)).await?;
    if trails.is_empty() {
        return Ok(Seen::Unused);
    }
    match key(clients, &lead.place, &arn).await? {
        Some(state) => Ok(Seen::Key(state, errors(clients, &trails, unread).await)),
        None => Ok(Seen::Unused),
    }
}

/// The trails of one account, wherever their home is, and the event data stores of one of its regions. Shadow copies name
/// the same trail and are one lead; an organisation's trail is its own account's to look at.
pub(crate) fn sweep<'a>(
    clients: &'a Clients,
    place: &'a Place,
) -> impl Stream<Item = Result<Lead<Detail>, Error>> + Send + 'a {
    let trails = clients.trail.list_trails().into_paginator().send();
    let trails = stream::unfold(trails, |mut pages| async { pages.next().await.map(|page| (page, pages)) });
    let trails = trails.flat_map(move |page| {
        let leads: Vec<_> = match page.map_err(|e| aws("cloudtrail:ListTrails", e)) {
            Ok(page) => {
                let arns = page.trails().iter().filter_map(|trail| trail.trail_arn());
                arns.filter_map(|arn| found(arn, place, name::trail, |arn| Detail::Trail { arn })).collect()
            }
            Err(error) => vec![Err(error)],
        };
        stream::iter(leads)
    });
    let stores = clients.trail.list_event_data_stores().into_paginator().send();
    let stores = stream::unfold(stores, |mut pages| async { pages.next().await.map(|page| (page, pages)) });
    let stores = stores.flat_map(move |page| {
        let leads: Vec<_> = match page.map_err(|e| aws("cloudtrail:ListEventDataStores", e)) {
            Ok(page) => {
                let arns = page.event_data_stores().iter().filter_map(|store| store.event_data_store_arn());
                let detail = |arn| Detail::EventDataStore { arn };
                arns.filter_map(|arn| found(arn, place, name::store, detail)).collect()
            }
            // Lake is not in every region.
            Err(error) if error.code() == Some("UnsupportedOperationException") => Vec::new(),
            Err(error) => vec![Err(error)],
        };
        stream::iter(leads)
    });
    trails.chain(stores)
}

/// The lead of an ARN that a list has, unless it is another account's.
fn found(
    arn: &str,
    place: &Place,
    read: fn(&str, &Place, &str) -> Result<name::Named, Error>,
    detail: impl Fn(String) -> Detail,
) -> Option<Result<Lead<Detail>, Error>> {
    let named = match read(arn, place, "the ARN in a list of CloudTrail") {
        Ok(named) => named,
        Err(error) => return Some(Err(error)),
    };
    let ours = named.owner.account == place.account;
    ours.then(|| {
        Ok(Lead {
            place: named.owner,
            subject: named.name,
            cause: Cause::sweep(),
            actor: Actor::default(),
            detail: detail(named.arn),
        })
    })
}
