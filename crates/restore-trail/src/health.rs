//! What keeps a trail from delivering although it is logging, and what to mend. Pure.
//!
//! Buckets, policies, keys, topics and log groups are reported and never changed: what they should be is known to those who
//! own them.

use crate::observation::{Bucket, BucketState, DeliveryError, Destination, KeyState, Trail};
use crate::policy::Delivery;
use crate::settings::Settings;
use crate::trail::Setting;

/// Exemptions of a part of a trail name one of these scopes.
pub(crate) mod scope {
    /// That logs are not delivered.
    pub(crate) const DELIVERY: &str = "delivery";
    /// That the bucket is not known to be its owner's.
    pub(crate) const OWNER: &str = "bucket-owner";
    /// That logs are deleted early.
    pub(crate) const RETENTION: &str = "retention";
    /// What is recorded.
    pub(crate) const SELECTORS: &str = "selectors";
}

/// Something that people have to mend.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Harm {
    /// The scope by which an exemption can name it.
    pub(crate) scope: &'static str,
    /// What is wrong and what to do.
    pub(crate) text: String,
}

impl Harm {
    fn new(scope: &'static str, text: String) -> Self {
        Self { scope, text }
    }

    /// Whether logs are lost by it now.
    pub(crate) fn loses_logs(&self) -> bool {
        self.scope == scope::DELIVERY
    }
}

/// What is wrong with a trail's deliveries, and with what it records if nobody knows what it should record.
pub(crate) fn of_trail(trail: &Trail, settings: &Settings) -> Vec<Harm> {
    let mut harms: Vec<Harm> = Vec::new();
    if let Some(bucket) = &trail.bucket {
        harms.extend(of_bucket(bucket, settings));
    }
    if let Some(key) = &trail.key {
        harms.extend(of_key(key));
    }
    // Two causes of one error would be told as two.
    let known = harms.iter().any(Harm::loses_logs);
    let name = |setting| trail.settings.as_ref().map_or("", |s| s.get(setting));
    for error in &trail.errors {
        let to_bucket = matches!(error.to, Destination::Bucket | Destination::Digest);
        if !(known && to_bucket) {
            harms.push(of_error(error, &name));
        }
    }
    harms
}

/// Whether a trail records so little that it is no baseline for itself.
pub(crate) fn of_selectors(trail: &Trail) -> Option<Harm> {
    let selectors = trail.selectors.as_ref()?;
    let what = if selectors.record_nothing() {
        "it records no event at all"
    } else if selectors.record_no_changes() {
        "of management events it records reads only, so no change of anything"
    } else {
        return None;
    };
    let mend =
        "set its event selectors (`aws cloudtrail put-event-selectors`), or exempt the scope `selectors`";
    Some(Harm::new(
        scope::SELECTORS,
        format!("{what}, and no baseline tells what it recorded before: {mend}"),
    ))
}

/// What is wrong with a bucket of logs.
pub(crate) fn of_bucket(bucket: &Bucket, settings: &Settings) -> Vec<Harm> {
    let name = &bucket.name;
    let mut harms = Vec::new();
    if bucket.state == BucketState::Gone {
        let text =
            format!("the bucket {name} does not exist: create it again with the policy for CloudTrail");
        harms.push(Harm::new(scope::DELIVERY, text));
    }
    if bucket.state == BucketState::Refused {
        let text = format!(
            "the bucket {name} is not the account's own, or hides from the function: if it belongs to a log archive, name its \
             owner in `bucket_owners` and let the function's role list it; if not, somebody else reads the logs"
        );
        harms.push(Harm::new(scope::OWNER, text));
    }
    let refused = match bucket.policy {
        Some(Delivery::NotAllowed) => Some("does not allow CloudTrail to write"),
        Some(Delivery::Denied) => Some("denies CloudTrail to write"),
        Some(Delivery::Possible) | None => None,
    };
    if let Some(refused) = refused.filter(|_| bucket.state == BucketState::There) {
        let text =
            format!("the policy of the bucket {name} {refused}: mend it (`aws s3api put-bucket-policy`)");
        harms.push(Harm::new(scope::DELIVERY, text));
    }
    if let Some((rule, days)) = &bucket.shortest
        && i64::from(*days) < i64::from(settings.min_log_days)
    {
        let text = format!(
            "the lifecycle rule {rule:?} of the bucket {name} deletes logs after {days} days, sooner than `min_log_days` \
             ({}): mend it (`aws s3api put-bucket-lifecycle-configuration`)",
            settings.min_log_days
        );
        harms.push(Harm::new(scope::RETENTION, text));
    }
    harms
}

/// What is wrong with a key of logs.
pub(crate) fn of_key(key: &KeyState) -> Option<Harm> {
    let mend = match key.state.as_str() {
        "Enabled" => return None,
        "PendingDeletion" | "PendingReplicaDeletion" => {
            "take that back (`aws kms cancel-key-deletion`, then `aws kms enable-key`)"
        }
        "Disabled" => "enable it (`aws kms enable-key`)",
        _ => "give the trail another key (`aws cloudtrail update-trail --kms-key-id`)",
    };
    let text = format!("the key {} is {}: {mend}", key.key, key.state);
    Some(Harm::new(scope::DELIVERY, text))
}

/// What an error of a delivery means.
pub(crate) fn of_error<'a>(error: &DeliveryError, name: &dyn Fn(Setting) -> &'a str) -> Harm {
    let code = &error.code;
    let text = match error.to {
        Destination::Bucket | Destination::Digest => {
            let what = if error.to == Destination::Digest { "digest" } else { "log" };
            format!(
                "{what} files cannot be delivered to the bucket {} ({code}): mend the bucket, its policy or the key's \
                 policy",
                name(Setting::Bucket)
            )
        }
        Destination::Topic => format!(
            "the topic {} cannot be told of log files ({code}): mend the topic or its policy",
            name(Setting::Topic)
        ),
        Destination::LogGroup => format!(
            "events cannot be delivered to the log group {} ({code}): mend the log group or the role {}",
            name(Setting::LogGroup),
            name(Setting::LogRole)
        ),
    };
    Harm::new(scope::DELIVERY, text)
}
