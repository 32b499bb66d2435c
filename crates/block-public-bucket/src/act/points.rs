//! The access points of a bucket: which there are, and which of them let the public in.

use aws_sdk_s3control::types::NetworkOrigin;
use futures_util::future::join;
use futures_util::{StreamExt, stream};
use tourniquet::error::{Error, aws};
use tourniquet::{Lead, Place};

use super::answer::{of_account, or_absent, said};
use super::{Clients, Regional};
use crate::event::Detail;
use crate::observation::{Point, Reading};

/// How many access points are asked side by side.
const SIDE_BY_SIDE: usize = 8;

/// An access point that leads to the bucket, not judged yet.
pub(super) struct Found {
    name: String,
    /// Reachable from a VPC alone: such a one is never public, whatever its policy says.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status>
    private: bool,
}

/// Those of the bucket's own account; S3 does not tell of those that other accounts made.
pub(super) async fn list(at: &Regional, account: &str, bucket: &str) -> Result<Vec<Found>, Error> {
    const CALL: &str = "s3:ListAccessPoints";
    let call = at.control.list_access_points().account_id(account).bucket(bucket);
    let mut pages = call.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|e| aws(CALL, e))?;
        let points = said(page.access_point_list, CALL, "the list")?;
        found.extend(points.iter().map(|point| Found {
            name: point.name().to_owned(),
            private: *point.network_origin() == NetworkOrigin::Vpc,
        }));
    }
    Ok(found)
}

/// Judges all of them. Known public ones are enough to know; else every one must have been read.
pub(super) async fn judge(at: &Regional, account: &str, found: Vec<Found>) -> Reading<Vec<Point>> {
    let asked: Vec<_> = found.into_iter().map(|point| one(at, account, point)).collect();
    let answers: Vec<Result<Point, Error>> =
        stream::iter(asked).buffered(SIDE_BY_SIDE).collect::<Vec<_>>().await;
    let (known, unread): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    let known: Vec<Point> = known.into_iter().flatten().collect();
    match unread.into_iter().find_map(Result::err) {
        Some(error) if !known.iter().any(|point| point.public) => Err(error.to_string()),
        _ => Ok(known),
    }
}

async fn one(at: &Regional, account: &str, point: Found) -> Result<Point, Error> {
    let Found { name, private } = point;
    let public = !private && {
        let (status, own) = join(status(at, account, &name), restricts(at, account, &name)).await;
        status? && !own?
    };
    Ok(Point { name, public })
}

/// S3's own verdict on the policy of an access point.
async fn status(at: &Regional, account: &str, name: &str) -> Result<bool, Error> {
    const CALL: &str = "s3:GetAccessPointPolicyStatus";
    let call = at.control.get_access_point_policy_status().account_id(account).name(name);
    let answer = call.send().await.map_err(|e| aws(CALL, e));
    let public = answer.and_then(|answer| Ok(said(answer.policy_status, CALL, "the status")?.is_public()));
    or_absent(public, false)
}

/// Whether the access point's own block, which nobody can change, holds a public policy back.
async fn restricts(at: &Regional, account: &str, name: &str) -> Result<bool, Error> {
    let call = at.control.get_access_point().account_id(account).name(name);
    let answer = call.send().await.map_err(|e| aws("s3:GetAccessPoint", e));
    let restricts =
        answer.map(|a| a.public_access_block_configuration().is_some_and(|block| of_account(block).restrict));
    // Gone meanwhile: it leads nowhere.
    or_absent(restricts, true)
}

/// The bucket that the access point of a lead leads to; none if there is no such access point any more.
pub(crate) async fn resolve(clients: &Clients, lead: &Lead<Detail>) -> Result<Vec<Lead<Detail>>, Error> {
    let Detail::Point { name } = &lead.detail else { return Ok(vec![lead.clone()]) };
    let (at, account) = (clients.at(&lead.place.region), lead.place.account.as_str());
    let call = at.control.get_access_point().account_id(account).name(name);
    let answer = call.send().await.map_err(|e| aws("s3:GetAccessPoint", e));
    let Some(found) = or_absent(answer.map(Some), None)? else { return Ok(Vec::new()) };
    let bucket =
        found.bucket().ok_or(Error::Unexpected { call: "s3:GetAccessPoint", missing: "the bucket" })?;
    // An access point can lead to a bucket of another account, which is then the one to act in.
    let owner = found.bucket_account_id().unwrap_or(account);
    let place = Place::new(owner, &lead.place.region);
    Ok(vec![Lead { place, subject: bucket.to_owned(), detail: Detail::Bucket, ..lead.clone() }])
}
