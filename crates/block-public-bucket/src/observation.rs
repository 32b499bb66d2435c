//! What AWS says about a bucket or about the block of an account now.
//!
//! Whether a bucket is public is decided from all of it together. What could not be read is kept with the reason, since
//! much can be decided without it: a bucket whose policy denies being read can be seen to be public by its status.

use std::collections::BTreeMap;

use crate::acl::Acl;
use crate::block::Block;

/// What was read, or why it was not.
pub(crate) type Reading<T> = Result<T, String>;

/// What was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The bucket's tags; empty for what has none.
    pub tags: BTreeMap<String, String>,
    /// What it is.
    pub seen: Seen,
}

/// A bucket or an account.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// A bucket.
    Bucket(Box<Bucket>),
    /// The block of an account; none if nothing is configured.
    Account(Option<Block>),
    /// The block of an account that AWS does not let anybody see or change, with AWS's words.
    Managed(String),
}

/// A bucket as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// The region in which it answered.
    pub region: String,
    /// Its own block; none if nothing is configured.
    pub block: Option<Block>,
    /// The rest; a sweep does not read it where the block alone says that nothing can be public.
    pub rest: Option<Rest>,
}

/// What the block alone does not say.
#[derive(Clone, Debug, PartialEq)]
pub struct Rest {
    /// The block of its account, as far as something is configured.
    pub account: Reading<Option<Block>>,
    /// S3's own verdict on its policy; none if it has no policy.
    pub status: Reading<Option<bool>>,
    /// The text of its policy, if it has one.
    pub policy: Reading<Option<String>>,
    /// Its access control list.
    pub acl: Reading<Acl>,
    /// Whether object ownership is `BucketOwnerEnforced`, so that no ACL counts.
    pub owner_enforced: Reading<bool>,
    /// The access points of its own account that lead to it.
    pub points: Reading<Vec<Point>>,
    /// Whether it is a website.
    pub website: bool,
}

/// An access point.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Point {
    /// Its name.
    pub name: String,
    /// Whether it lets the public in: from the internet, by S3's own verdict on its policy, and not held back by its own
    /// block. The blocks of bucket and account are not in this.
    pub public: bool,
}

impl tourniquet::Observation for Observation {
    fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }
}
