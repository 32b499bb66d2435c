//! Making one change. Each can be made twice without harm, and is tried again while S3 is busy with another one.

use tourniquet::Lead;
use tourniquet::error::{Error, aws};

use super::answer::{for_account, for_bucket, written};
use super::{Clients, Regional, settled};
use crate::acl::Acl;
use crate::block::Block;
use crate::change::Change;
use crate::event::Detail;

/// Makes one change.
pub(crate) async fn apply(clients: &Clients, lead: &Lead<Detail>, change: &Change) -> Result<(), Error> {
    match change {
        Change::Block { region, .. } => put_block(&clients.at(region), lead, Block::FULL).await,
        Change::TrimAcl { region, after, .. } => put_acl(&clients.at(region), lead, after).await,
        Change::TrimPolicy { region, after: Some(after), .. } => {
            put_policy(&clients.at(region), lead, after).await
        }
        Change::TrimPolicy { region, after: None, .. } => delete_policy(&clients.at(region), lead).await,
        Change::RestoreAccountBlock { .. } => {
            put_account_block(&clients.home, &lead.place.account, Block::FULL).await
        }
    }
}

pub(super) async fn put_block(at: &Regional, lead: &Lead<Detail>, block: Block) -> Result<(), Error> {
    settled(async || {
        let call =
            at.s3.put_public_access_block().bucket(&lead.subject).expected_bucket_owner(&lead.place.account);
        let call = call.public_access_block_configuration(for_bucket(block));
        call.send().await.map(drop).map_err(|e| aws("s3:PutBucketPublicAccessBlock", e))
    })
    .await
}

pub(super) async fn put_account_block(at: &Regional, account: &str, block: Block) -> Result<(), Error> {
    settled(async || {
        let call = at.control.put_public_access_block().account_id(account);
        let call = call.public_access_block_configuration(for_account(block));
        call.send().await.map(drop).map_err(|e| aws("s3:PutAccountPublicAccessBlock", e))
    })
    .await
}

pub(super) async fn put_acl(at: &Regional, lead: &Lead<Detail>, acl: &Acl) -> Result<(), Error> {
    let list = written(acl)?;
    settled(async || {
        let call = at.s3.put_bucket_acl().bucket(&lead.subject).expected_bucket_owner(&lead.place.account);
        let call = call.access_control_policy(list.clone());
        call.send().await.map(drop).map_err(|e| aws("s3:PutBucketAcl", e))
    })
    .await
}

pub(super) async fn put_policy(at: &Regional, lead: &Lead<Detail>, text: &str) -> Result<(), Error> {
    settled(async || {
        let call = at.s3.put_bucket_policy().bucket(&lead.subject).expected_bucket_owner(&lead.place.account);
        call.policy(text).send().await.map(drop).map_err(|e| aws("s3:PutBucketPolicy", e))
    })
    .await
}

async fn delete_policy(at: &Regional, lead: &Lead<Detail>) -> Result<(), Error> {
    settled(async || {
        let call =
            at.s3.delete_bucket_policy().bucket(&lead.subject).expected_bucket_owner(&lead.place.account);
        call.send().await.map(drop).map_err(|e| aws("s3:DeleteBucketPolicy", e))
    })
    .await
}
