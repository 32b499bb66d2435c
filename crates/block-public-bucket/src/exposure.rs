//! Whether a bucket is public, and by what: its policy, its ACL, its access points, and the blocks of bucket and account,
//! all together. Pure.

use crate::block::Block;
use crate::observation::{Bucket, Rest};
use crate::policy::Policy;

/// What lets the public into a bucket.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Exposure {
    /// Whether its policy does.
    pub(crate) policy: bool,
    /// The public statements of the policy by our own judgement; empty also where the text cannot be read.
    pub(crate) statements: Vec<String>,
    /// The public grants of its ACL.
    pub(crate) grants: Vec<String>,
    /// Its public access points.
    pub(crate) points: Vec<String>,
    /// What could not be read and could let the public in.
    pub(crate) unknown: Vec<String>,
}

impl Exposure {
    /// Judges a bucket.
    pub(crate) fn of(bucket: &Bucket) -> Self {
        let block = effective(bucket);
        let mut found = Self::default();
        let Some(rest) = bucket.rest.as_ref().filter(|_| !block.ends_exposure()) else { return found };
        // BlockPublicPolicy and BlockPublicAcls refuse what is new and do not end what is there.
        if !block.restrict {
            found.by_policy(rest);
            found.by_points(rest);
        }
        if !block.ignore_acls {
            found.by_acl(rest);
        }
        found
    }

    /// Whether the public is let in.
    pub(crate) fn is_public(&self) -> bool {
        self.policy || !self.grants.is_empty() || !self.points.is_empty()
    }

    /// By what, for people.
    pub(crate) fn words(&self) -> String {
        let mut words = Vec::new();
        if self.policy {
            let which = match self.statements.as_slice() {
                [] => String::new(),
                statements => format!(" (statement {})", statements.join(", ")),
            };
            words.push(format!("by its policy{which}"));
        }
        if !self.grants.is_empty() {
            words.push(format!("by its ACL ({})", self.grants.join(", ")));
        }
        if !self.points.is_empty() {
            words.push(format!("through the access point {}", self.points.join(", ")));
        }
        words.join(", ")
    }

    /// S3's own verdict counts; ours stands in where it cannot be had, and says which statements it is.
    fn by_policy(&mut self, rest: &Rest) {
        let own = match &rest.policy {
            Ok(Some(text)) => Policy::parse(text).map(|policy| policy.public()),
            Ok(None) => Ok(Vec::new()),
            Err(problem) => Err(problem.clone()),
        };
        let told = rest.status.as_ref().ok().copied().flatten();
        match (told, own) {
            (Some(public), own) => {
                self.policy = public;
                self.statements = own.ok().filter(|_| public).unwrap_or_default();
            }
            (None, Ok(statements)) => {
                self.policy = !statements.is_empty();
                self.statements = statements;
            }
            // No policy, so nothing to be read.
            (None, Err(_)) if rest.status == Ok(None) => {}
            (None, Err(problem)) => self.unknown.push(problem),
        }
    }

    fn by_acl(&mut self, rest: &Rest) {
        match (&rest.acl, &rest.owner_enforced) {
            (_, Ok(true)) => {}
            // Whether it counts may be unknown; that it is public is known.
            (Ok(acl), _) => self.grants = acl.public().map(ToString::to_string).collect(),
            (Err(problem), _) => self.unknown.push(problem.clone()),
        }
    }

    fn by_points(&mut self, rest: &Rest) {
        match &rest.points {
            Ok(points) => {
                let public = points.iter().filter(|point| point.public);
                self.points = public.map(|point| point.name.clone()).collect();
            }
            Err(problem) => self.unknown.push(problem.clone()),
        }
    }
}

/// The block that counts: S3 applies the most restrictive combination of bucket and account.
pub(crate) fn effective(bucket: &Bucket) -> Block {
    let account = bucket.rest.as_ref().and_then(|rest| rest.account.as_ref().ok().copied().flatten());
    bucket.block.unwrap_or_default().and(account.unwrap_or_default())
}
