//! Taking one change back, under the operator's credentials. What somebody else changed since stays as it is, and what
//! makes a bucket public again is done only when just that is asked for.

use serde_json::Value;
use tourniquet::error::{Error, aws};
use tourniquet::{Consent, Lead, Reverted};

use super::observe::{Read, Where, account_block};
use super::{Clients, Regional, apply, settled};
use crate::acl::Acl;
use crate::block::Block;
use crate::change::{Change, configured};
use crate::event::Detail;

/// Takes one change back.
pub(crate) async fn revert(
    clients: &Clients,
    lead: &Lead<Detail>,
    change: &Change,
    consent: Consent,
) -> Result<Reverted, Error> {
    match change {
        Change::Block { region, before } => block(&clients.at(region), lead, *before, consent).await,
        Change::TrimAcl { region, before, after } => {
            acl(&clients.at(region), lead, before, after, consent).await
        }
        Change::TrimPolicy { region, before, after, .. } => {
            policy(&clients.at(region), lead, before, after.as_deref(), consent).await
        }
        Change::RestoreAccountBlock { before } => {
            account(&clients.home, &lead.place.account, *before, consent).await
        }
    }
}

/// Why nothing is to be done, from what is there, what was there before, and what we left; none if it is to go back.
fn judge<T: PartialEq>(found: &T, before: &T, left: &T, words: impl Fn(&T) -> String) -> Option<Reverted> {
    if found == before {
        return Some(Reverted::AlreadyThere);
    }
    (found != left).then(|| Reverted::Drifted { expected: words(left), found: words(found) })
}

const PRIVATE: &str = "it stays private: it is made public again only when that is asked for";

async fn block(
    at: &Regional,
    lead: &Lead<Detail>,
    before: Option<Block>,
    consent: Consent,
) -> Result<Reverted, Error> {
    let found = match read(at, lead).block().await? {
        Where::Here(block) => block,
        Where::In(_) => {
            return Err(Error::Unexpected { call: "s3:GetBucketPublicAccessBlock", missing: "the bucket" });
        }
    };
    if let Some(done) = judge(&found, &before, &Some(Block::FULL), |block| configured(*block)) {
        return Ok(done);
    }
    let call = async {
        let Some(before) = before else {
            return settled(async || {
                let call = at.s3.delete_public_access_block().bucket(&lead.subject);
                let call = call.expected_bucket_owner(&lead.place.account);
                call.send().await.map(drop).map_err(|e| aws("s3:PutBucketPublicAccessBlock", e))
            })
            .await;
        };
        apply::put_block(at, lead, before).await
    };
    consent.release(PRIVATE, call).await
}

async fn account(
    at: &Regional,
    account: &str,
    before: Option<Block>,
    consent: Consent,
) -> Result<Reverted, Error> {
    let found = account_block(at, account).await?;
    if let Some(done) = judge(&found, &before, &Some(Block::FULL), |block| configured(*block)) {
        return Ok(done);
    }
    let call = async {
        let Some(before) = before else {
            return settled(async || {
                let call = at.control.delete_public_access_block().account_id(account);
                call.send().await.map(drop).map_err(|e| aws("s3:PutAccountPublicAccessBlock", e))
            })
            .await;
        };
        apply::put_account_block(at, account, before).await
    };
    let why = "the account's block stays on: it is taken off again only when that is asked for";
    consent.release(why, call).await
}

async fn acl(
    at: &Regional,
    lead: &Lead<Detail>,
    before: &Acl,
    left: &Acl,
    consent: Consent,
) -> Result<Reverted, Error> {
    let found = read(at, lead).acl().await?;
    if let Some(done) = judge(&found, before, left, ToString::to_string) {
        return Ok(done);
    }
    consent.release(PRIVATE, apply::put_acl(at, lead, before)).await
}

/// S3 may give a policy back with other spaces and another order, so it is compared by what it says; what is put back is
/// the text as it was.
async fn policy(
    at: &Regional,
    lead: &Lead<Detail>,
    before: &str,
    left: Option<&str>,
    consent: Consent,
) -> Result<Reverted, Error> {
    let found = read(at, lead).policy().await?;
    let said = |text: Option<&str>| text.map(|text| serde_json::from_str::<Value>(text).unwrap_or_default());
    let words = |said: &Option<Value>| said.as_ref().map_or_else(|| "no policy".to_owned(), Value::to_string);
    if let Some(done) = judge(&said(found.as_deref()), &said(Some(before)), &said(left), words) {
        return Ok(done);
    }
    consent.release(PRIVATE, apply::put_policy(at, lead, before)).await
}

fn read<'a>(at: &'a Regional, lead: &'a Lead<Detail>) -> Read<'a> {
    Read { at, bucket: &lead.subject, owner: &lead.place.account }
}
