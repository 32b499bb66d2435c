//! What AWS says about a subject now.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::policy::Delivery;
use crate::selectors::Selectors;
use crate::trail::{Insight, TrailSettings};

/// A subject as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Its tags; buckets and keys are only reported, so theirs are not asked.
    pub tags: BTreeMap<String, String>,
    /// Whether everything was asked, not only what containment needs.
    pub full: bool,
    /// What could not be read, with the reason: it does not keep a trail from being restarted, and it is an error.
    pub unread: Vec<String>,
    /// What was seen.
    pub seen: Seen,
}

/// What was seen of a subject.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// A trail.
    Trail(Box<Trail>),
    /// No such trail: it was deleted.
    NoTrail,
    /// Something of an account that is not the one to act in: it was not asked about.
    Foreign,
    /// An event data store, by its status.
    Store(String),
    /// A bucket, and the trails that deliver to it.
    Bucket(Bucket, Vec<User>),
    /// A key, and the trails that it encrypts.
    Key(KeyState, Vec<User>),
    /// A bucket or a key that no trail uses.
    Unused,
}

/// A trail.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trail {
    /// Whether it is logging.
    pub logging: bool,
    /// When it was last stopped.
    pub stopped: Option<Timestamp>,
    /// What it cannot deliver.
    pub errors: Vec<DeliveryError>,
    /// Its settings, if they could be read.
    pub settings: Option<TrailSettings>,
    /// What it records, if that could be read.
    pub selectors: Option<Selectors>,
    /// Its Insights, as far as they were asked and could be read.
    pub insights: Option<Vec<Insight>>,
    /// Its bucket, if it was asked.
    pub bucket: Option<Bucket>,
    /// Its key, if it has one and it was asked.
    pub key: Option<KeyState>,
}

/// One destination that a trail cannot deliver to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeliveryError {
    /// Which destination.
    pub to: Destination,
    /// The service's error code.
    pub code: String,
}

/// Where a trail delivers to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Destination {
    /// Log files in the bucket.
    Bucket,
    /// Digest files in the bucket.
    Digest,
    /// The topic.
    Topic,
    /// The log group.
    LogGroup,
}

/// A bucket with logs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Whether it is there.
    pub state: BucketState,
    /// What its policy does to deliveries, if it could be read.
    pub policy: Option<Delivery>,
    /// The rule that deletes logs first, with the days that it leaves them.
    pub shortest: Option<(String, i32)>,
}

/// Whether a bucket is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BucketState {
    /// It is, and belongs to whom it should.
    There,
    /// It is not.
    Gone,
    /// It may not be looked at: another account's, or a policy forbids it.
    Refused,
}

/// The state of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyState {
    /// Its ARN or id.
    pub key: String,
    /// Such as `Enabled` or `PendingDeletion`; `NotFound` if there is none.
    pub state: String,
}

/// A trail that uses a bucket or a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// Its ARN.
    pub arn: String,
    /// What it cannot deliver.
    pub errors: Vec<DeliveryError>,
}

impl tourniquet::Observation for Observation {
    fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }
}
