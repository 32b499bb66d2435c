//! Making one change. Each call can be made twice without harm.
//!
//! Logs never go to a bucket that is not its owner's any more: whoever deletes a bucket frees its name for everybody, and a
//! trail would deliver to the bucket of an attacker without an error.

use std::time::Duration;

use tourniquet::Lead;
use tourniquet::clock;
use tourniquet::error::{Class, Error, aws};

use super::observe::head;
use super::{Clients, convert, storage};
use crate::change::Change;
use crate::decide::TAG_RESTARTED;
use crate::event::Detail;
use crate::selectors::Selectors;
use crate::settings::Settings;
use crate::trail::{Baseline, Insight, Setting};

/// How often a change is made again that collides with another one of the same trail.
const COLLISIONS: u32 = 3;
/// The wait before the first time; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(150);

/// Makes one change.
pub(crate) async fn apply(
    clients: &Clients,
    lead: &Lead<Detail>,
    change: &Change,
    settings: &Settings,
) -> Result<(), Error> {
    let mut collisions = 0;
    loop {
        match once(clients, lead, change, settings).await {
            Err(error) if error.code() == Some("ConflictException") && collisions < COLLISIONS => {
                clock::pause(FIRST_WAIT * 2_u32.pow(collisions)).await;
                collisions += 1;
            }
            done => return done.map_err(explained),
        }
    }
}

async fn once(
    clients: &Clients,
    lead: &Lead<Detail>,
    change: &Change,
    settings: &Settings,
) -> Result<(), Error> {
    let arn = lead.detail.arn().unwrap_or_default();
    match change {
        Change::Create { baseline } => create(clients, lead, baseline, settings).await,
        Change::Restart { .. } => {
            let answer = clients.trail.start_logging().name(arn).send().await;
            answer.map(|_| ()).map_err(|e| aws("cloudtrail:StartLogging", e))
        }
        Change::RestoreSettings { differences, .. } => {
            let values = differences.iter().map(|d| (d.setting, d.then.as_str()));
            if let Some((_, bucket)) = values.clone().find(|(setting, _)| *setting == Setting::Bucket) {
                check_bucket(clients, lead, bucket, settings).await?;
            }
            update(clients, arn, values).await
        }
        Change::RestoreSelectors { then, .. } => put_selectors(clients, arn, then).await,
        Change::RestoreInsights { then, .. } => put_insights(clients, arn, then).await,
        Change::StartIngestion => {
            let answer = clients.trail.start_event_data_store_ingestion().event_data_store(arn).send().await;
            match answer.map_err(|e| aws("cloudtrail:StartEventDataStoreIngestion", e)) {
                // It ingests already, or is about to: the next look tells which.
                Err(error) if error.code() == Some("InvalidEventDataStoreStatusException") => Ok(()),
                answer => answer.map(|_| ()),
            }
        }
        Change::Mark { cause } => {
            let tag = convert::tag(TAG_RESTARTED, cause)?;
            let answer = clients.trail.add_tags().resource_id(arn).tags_list(tag).send().await;
            answer.map(|_| ()).map_err(|e| aws("cloudtrail:AddTags", e))
        }
    }
}

async fn create(
    clients: &Clients,
    lead: &Lead<Detail>,
    baseline: &Baseline,
    settings: &Settings,
) -> Result<(), Error> {
    let trail = &baseline.trail;
    let text = |setting| Some(trail.get(setting)).filter(|value| !value.is_empty()).map(str::to_owned);
    let tags: Vec<_> = baseline.tags.iter().map(|(k, v)| convert::tag(k, v)).collect::<Result<_, _>>()?;
    check_bucket(clients, lead, trail.get(Setting::Bucket), settings).await?;
    let answer = clients
        .trail
        .create_trail()
        .name(&lead.subject)
        .s3_bucket_name(trail.get(Setting::Bucket))
        .set_s3_key_prefix(text(Setting::Prefix))
        .set_kms_key_id(text(Setting::Key))
        .include_global_service_events(trail.is(Setting::GlobalEvents))
        .is_multi_region_trail(trail.is(Setting::MultiRegion))
        .enable_log_file_validation(trail.is(Setting::Validation))
        .set_cloud_watch_logs_log_group_arn(text(Setting::LogGroup))
        .set_cloud_watch_logs_role_arn(text(Setting::LogRole))
        .set_sns_topic_name(text(Setting::Topic))
        .is_organization_trail(trail.is(Setting::Organization))
        .set_tags_list((!tags.is_empty()).then_some(tags))
        .send()
        .await;
    match answer.map_err(|e| aws("cloudtrail:CreateTrail", e)) {
        // What somebody else made in its place is compared with the baseline at the next look.
        Err(error) if error.code() == Some("TrailAlreadyExistsException") => Ok(()),
        answer => answer.map(|_| ()),
    }
}

/// Sets these settings and no others; an empty text takes one away.
pub(super) async fn update<'a>(
    clients: &Clients,
    arn: &str,
    values: impl Iterator<Item = (Setting, &'a str)>,
) -> Result<(), Error> {
    let mut call = clients.trail.update_trail().name(arn);
    for (setting, value) in values {
        let flag = value == "true";
        call = match setting {
            Setting::Bucket => call.s3_bucket_name(value),
            Setting::Prefix => call.s3_key_prefix(value),
            Setting::Key => call.kms_key_id(value),
            Setting::GlobalEvents => call.include_global_service_events(flag),
            Setting::MultiRegion => call.is_multi_region_trail(flag),
            Setting::Validation => call.enable_log_file_validation(flag),
            Setting::LogGroup => call.cloud_watch_logs_log_group_arn(value),
            Setting::LogRole => call.cloud_watch_logs_role_arn(value),
            Setting::Topic => call.sns_topic_name(value),
            Setting::Organization => call.is_organization_trail(flag),
        };
    }
    call.send().await.map(|_| ()).map_err(|e| aws("cloudtrail:UpdateTrail", e))
}

/// AWS takes basic or advanced selectors, not both.
pub(super) async fn put_selectors(clients: &Clients, arn: &str, selectors: &Selectors) -> Result<(), Error> {
    let call = clients.trail.put_event_selectors().trail_name(arn);
    let call = if selectors.advanced.is_empty() {
        call.set_event_selectors(Some(convert::basic_selectors(selectors)))
    } else {
        call.set_advanced_event_selectors(Some(convert::advanced_selectors(selectors)?))
    };
    call.send().await.map(|_| ()).map_err(|e| aws("cloudtrail:PutEventSelectors", e))
}

pub(super) async fn put_insights(clients: &Clients, arn: &str, insights: &[Insight]) -> Result<(), Error> {
    let selectors = convert::insight_selectors(insights);
    let call = clients.trail.put_insight_selectors().trail_name(arn).set_insight_selectors(Some(selectors));
    call.send().await.map(|_| ()).map_err(|e| aws("cloudtrail:PutInsightSelectors", e))
}

/// Refuses a bucket that is not there or not its owner's.
async fn check_bucket(
    clients: &Clients,
    lead: &Lead<Detail>,
    bucket: &str,
    settings: &Settings,
) -> Result<(), Error> {
    let owner = settings.owner_of(bucket, &lead.place.account);
    let words = match head(clients, bucket, owner).await {
        Ok(_) => return Ok(()),
        Err(error) if storage::is_gone(&error) => format!(
            "the bucket {bucket} does not exist: create it again in account {owner} with the policy for CloudTrail, and \
             deliver the event again"
        ),
        Err(error) if storage::is_refused(&error) => format!(
            "the bucket {bucket} does not belong to account {owner}, or a policy hides it: nothing is delivered there; if \
             another account of yours owns it, say so in `bucket_owners`"
        ),
        Err(error) => return Err(error),
    };
    Err(Error::Aws {
        call: "s3:ListBucket",
        code: "NotOurBucket".to_owned(),
        message: words,
        class: Class::Rejected,
    })
}

/// AWS's words, and what they mean for whoever reads the report.
fn explained(error: Error) -> Error {
    let Error::Aws { call, code, message, class } = error else { return error };
    let (words, class) = match code.as_str() {
        "InvalidHomeRegionException" => ("the trail's home is another region; look for it there", class),
        "TrailNotFoundException" => ("the trail was deleted in the meantime", class),
        "ConflictException" => {
            ("other changes of the trail went on for too long; the retry tries again", class)
        }
        "InsufficientDependencyServiceAccessPermissionException" => (
            "the function's role lacks permissions for AWS Organizations, which an organisation's trail needs",
            Class::Denied,
        ),
        "NoManagementAccountSLRExistsException" => {
            ("the management account has no service-linked role for CloudTrail; create it there", class)
        }
        "NotOrganizationMasterAccountException" => {
            ("only the organisation's management account can change this trail", Class::Denied)
        }
        "CloudTrailAccessNotEnabledException" => {
            ("the organisation does not trust CloudTrail any more; enable trusted access", class)
        }
        "InsufficientS3BucketPolicyException" => {
            ("the bucket's policy does not let CloudTrail write; mend it", class)
        }
        "S3BucketDoesNotExistException" => ("the bucket does not exist; create it again", Class::NotFound),
        "InsufficientEncryptionPolicyException" | "KmsKeyDisabledException" | "KmsException" => {
            ("the key is not usable or its policy does not let CloudTrail use it; mend it", class)
        }
        "KmsKeyNotFoundException" => ("the key does not exist any more; give the trail another", class),
        "InsufficientSnsTopicPolicyException" => {
            ("the topic does not exist or its policy does not let CloudTrail publish; mend it", class)
        }
        "InvalidCloudWatchLogsLogGroupArnException"
        | "InvalidCloudWatchLogsRoleArnException"
        | "CloudWatchLogsDeliveryUnavailableException" => {
            ("the log group or its role does not exist any more, or does not fit; mend them", class)
        }
        "MaximumNumberOfTrailsExceededException" => {
            ("the region has as many trails as AWS allows; delete one that was put in its place", class)
        }
        _ => return Error::Aws { call, code, message, class },
    };
    let message = if message.is_empty() { words.to_owned() } else { format!("{message}: {words}") };
    Error::Aws { call, code, message, class }
}
