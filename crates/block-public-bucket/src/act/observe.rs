//! Reading a bucket: everything side by side, in one round trip; a second one only where access points could matter, and
//! where the bucket is in another region than the event says.
//!
//! A sweep asks for the block alone first: most buckets of an account are done with after that one call.

use std::collections::BTreeMap;

use aws_sdk_s3::types::ObjectOwnership;
use futures_util::future::{join, join4};
use tourniquet::error::{Class, Error, aws};
use tourniquet::{Cause, Lead};

use super::answer::{acl, elsewhere, is_gone, of_account, of_bucket, or_absent, reading, said};
use super::points::{self, Found};
use super::{Clients, Regional};
use crate::acl::Acl;
use crate::block::Block;
use crate::event::Detail;
use crate::observation::{Bucket, Observation, Reading, Rest, Seen};
use crate::settings::Settings;

/// Reads the subject; `None` if it does not exist.
pub(crate) async fn observe(
    clients: &Clients,
    lead: &Lead<Detail>,
    settings: &Settings,
) -> Result<Option<Observation>, Error> {
    match &lead.detail {
        Detail::Account => account(clients, lead).await.map(Some),
        Detail::Bucket | Detail::Point { .. } => bucket(clients, lead, settings).await,
    }
}

async fn bucket(
    clients: &Clients,
    lead: &Lead<Detail>,
    settings: &Settings,
) -> Result<Option<Observation>, Error> {
    let mut region = lead.place.region.clone();
    // The second region is S3's own answer.
    for _ in 0..2 {
        let at = clients.at(&region);
        let read = Read { at: &at, bucket: &lead.subject, owner: &lead.place.account };
        match read.whole(lead, settings).await? {
            Where::Here(seen) => return Ok(seen),
            Where::In(other) => region = other,
        }
    }
    Err(Error::Unexpected { call: "s3:GetBucketPublicAccessBlock", missing: "the region of the bucket" })
}

/// Where a bucket answers.
pub(super) enum Where<T> {
    /// In the region that was asked.
    Here(T),
    /// In this one.
    In(String),
}

/// The reads of one bucket in one region. Each says whose bucket it must be, so that a name that somebody else took over
/// is refused and not judged.
pub(super) struct Read<'a> {
    pub(super) at: &'a Regional,
    pub(super) bucket: &'a str,
    pub(super) owner: &'a str,
}

impl Read<'_> {
    async fn whole(
        &self,
        lead: &Lead<Detail>,
        settings: &Settings,
    ) -> Result<Where<Option<Observation>>, Error> {
        let alone =
            |block: &Block| block.ends_exposure() && (!settings.require_block || *block == Block::FULL);
        let (block, rest) = if lead.cause == Cause::sweep() {
            let block = self.block().await;
            let enough = matches!(&block, Ok(Where::Here(block)) if block.is_some_and(|block| alone(&block)));
            let rest =
                if enough || !matches!(block, Ok(Where::Here(_))) { None } else { Some(self.rest().await) };
            (block, rest)
        } else {
            let (block, rest) = join(self.block(), self.rest()).await;
            (block, Some(rest))
        };
        let block = match block {
            Ok(Where::Here(block)) => block,
            Ok(Where::In(region)) => return Ok(Where::In(region)),
            Err(error) if is_gone(&error) => return Ok(Where::Here(None)),
            Err(error) => return Err(error),
        };
        let (mut rest, tags) = match rest {
            None => (None, BTreeMap::new()),
            Some((mut rest, tags, found)) => {
                let held =
                    block.unwrap_or_default().and(rest.account.clone().ok().flatten().unwrap_or_default());
                // Behind RestrictPublicBuckets no access point lets the public in.
                rest.points = match found {
                    Ok(_) if held.restrict => Ok(Vec::new()),
                    Ok(found) => points::judge(self.at, self.owner, found).await,
                    Err(problem) => Err(problem),
                };
                (Some(rest), tags?)
            }
        };
        if let Some(rest) = rest.as_mut().filter(|rest| rest.status.is_err() && rest.policy == Ok(None)) {
            // Without a policy there is no verdict on it to be missed.
            rest.status = Ok(None);
        }
        let bucket = Bucket { region: self.at.region.clone(), block, rest };
        Ok(Where::Here(Some(Observation { tags, seen: Seen::Bucket(Box::new(bucket)) })))
    }

    /// The block, and whether the bucket is here at all.
    pub(super) async fn block(&self) -> Result<Where<Option<Block>>, Error> {
        let call = self.at.s3.get_public_access_block().bucket(self.bucket).expected_bucket_owner(self.owner);
        let answer = call.send().await.map_err(|error| match elsewhere(&error, &self.at.region) {
            Some(region) => Err(region),
            None => Ok(aws("s3:GetBucketPublicAccessBlock", error)),
        });
        match answer {
            Err(Err(region)) => Ok(Where::In(region)),
            Err(Ok(error)) => or_absent(Err(error), None).map(Where::Here),
            Ok(answer) => Ok(Where::Here(answer.public_access_block_configuration().map(of_bucket))),
        }
    }

    /// The rest, the tags, and the access points that lead here, which are judged later.
    async fn rest(&self) -> (Rest, Result<BTreeMap<String, String>, Error>, Reading<Vec<Found>>) {
        let policy = join(self.status(), self.policy());
        let acls = join(self.acl(), self.owner_enforced());
        let beyond = join(account_block(self.at, self.owner), points::list(self.at, self.owner, self.bucket));
        let marks = join(self.website(), self.tags());
        let ((status, policy), (acl, owner_enforced), (account, found), (website, tags)) =
            join4(policy, acls, beyond, marks).await;
        let rest = Rest {
            account: reading(account),
            status: reading(status),
            policy: reading(policy),
            acl: reading(acl),
            owner_enforced: reading(owner_enforced),
            points: Ok(Vec::new()),
            // For the report alone.
            website: website.unwrap_or_default(),
        };
        (rest, tags, reading(found))
    }

    async fn status(&self) -> Result<Option<bool>, Error> {
        const CALL: &str = "s3:GetBucketPolicyStatus";
        let call =
            self.at.s3.get_bucket_policy_status().bucket(self.bucket).expected_bucket_owner(self.owner);
        let answer = call.send().await.map_err(|e| aws(CALL, e));
        let public = answer.and_then(|answer| {
            let status = said(answer.policy_status, CALL, "the status")?;
            Ok(Some(status.is_public().unwrap_or(false)))
        });
        or_absent(public, None)
    }

    pub(super) async fn policy(&self) -> Result<Option<String>, Error> {
        const CALL: &str = "s3:GetBucketPolicy";
        let call = self.at.s3.get_bucket_policy().bucket(self.bucket).expected_bucket_owner(self.owner);
        let answer = call.send().await.map_err(|e| aws(CALL, e));
        let policy = answer
            .and_then(|a| said(a.policy.filter(|policy| !policy.is_empty()), CALL, "the policy").map(Some));
        or_absent(policy, None)
    }

    pub(super) async fn acl(&self) -> Result<Acl, Error> {
        const CALL: &str = "s3:GetBucketAcl";
        let call = self.at.s3.get_bucket_acl().bucket(self.bucket).expected_bucket_owner(self.owner);
        let answer = call.send().await.map_err(|e| aws(CALL, e))?;
        said(answer.owner(), CALL, "the owner")?;
        Ok(acl(&answer))
    }

    async fn owner_enforced(&self) -> Result<bool, Error> {
        let call =
            self.at.s3.get_bucket_ownership_controls().bucket(self.bucket).expected_bucket_owner(self.owner);
        let answer = call.send().await.map_err(|e| aws("s3:GetBucketOwnershipControls", e));
        let enforced = answer.map(|answer| {
            let rules = answer.ownership_controls().map(|controls| controls.rules()).unwrap_or_default();
            rules.iter().any(|rule| *rule.object_ownership() == ObjectOwnership::BucketOwnerEnforced)
        });
        or_absent(enforced, false)
    }

    async fn website(&self) -> Result<bool, Error> {
        let call = self.at.s3.get_bucket_website().bucket(self.bucket).expected_bucket_owner(self.owner);
        or_absent(call.send().await.map(|_| true).map_err(|e| aws("s3:GetBucketWebsite", e)), false)
    }

    async fn tags(&self) -> Result<BTreeMap<String, String>, Error> {
        let call = self.at.s3.get_bucket_tagging().bucket(self.bucket).expected_bucket_owner(self.owner);
        let answer = call.send().await.map_err(|e| aws("s3:GetBucketTagging", e));
        let tags = answer.map(|answer| {
            let tags = answer.tag_set().iter();
            tags.map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
        });
        or_absent(tags, BTreeMap::new())
    }
}

/// The block of an account, with what its organisation sets.
pub(super) async fn account_block(at: &Regional, account: &str) -> Result<Option<Block>, Error> {
    const CALL: &str = "s3:GetAccountPublicAccessBlock";
    let call = at.control.get_public_access_block().account_id(account);
    let answer = call.send().await.map_err(|e| aws(CALL, e));
    let block = answer.and_then(|answer| {
        let block = said(answer.public_access_block_configuration(), CALL, "the configuration")?;
        Ok(Some(of_account(block)))
    });
    or_absent(block, None)
}

async fn account(clients: &Clients, lead: &Lead<Detail>) -> Result<Observation, Error> {
    let seen = match account_block(&clients.at(&lead.place.region), &lead.subject).await {
        Ok(block) => Seen::Account(block),
        Err(error) if error.class() == Some(Class::Denied) => Seen::Managed(error.to_string()),
        Err(error) => return Err(error),
    };
    Ok(Observation { tags: BTreeMap::new(), seen })
}
