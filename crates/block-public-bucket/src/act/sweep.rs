//! Every bucket of an account, page by page, each in its own region; and none where the account's own block says that
//! nothing in it can be public.

use futures_util::stream::{self, BoxStream, StreamExt};
use tourniquet::actor::Actor;
use tourniquet::error::{Class, Error, aws};
use tourniquet::{Cause, Lead, Place};

use super::Clients;
use super::observe::account_block;
use crate::block::Block;
use crate::event::Detail;
use crate::settings::Settings;

/// How many buckets S3 names in one answer. Only with a limit in the question does the answer hold their regions.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>
const PAGE: i32 = 1000;

type Leads<'a> = BoxStream<'a, Result<Lead<Detail>, Error>>;

/// The subjects of a sweep over one account.
pub(crate) fn sweep<'a>(clients: &'a Clients, place: &'a Place, settings: &'a Settings) -> Leads<'a> {
    stream::once(begin(clients, place, settings)).flatten().boxed()
}

async fn begin<'a>(clients: &'a Clients, place: &'a Place, settings: &'a Settings) -> Leads<'a> {
    let mut first = Vec::new();
    match account_block(&clients.home, &place.account).await {
        // The account's block covers what a bucket's own does, so there is nothing more to ask, unless each bucket must
        // have its own.
        Ok(Some(Block::FULL)) if !settings.require_block => return stream::empty().boxed(),
        Ok(Some(Block::FULL)) => {}
        Ok(_) if settings.restore_account_block => {
            first.push(Ok(lead(place.clone(), place.account.clone(), Detail::Account)));
        }
        Ok(_) => {}
        // Where the organisation manages the block, AWS may refuse to show it: the buckets are judged all the same.
        Err(error) if error.class() == Some(Class::Denied) => {}
        Err(error) => first.push(Err(error)),
    }
    let pages = clients.home.s3.list_buckets().max_buckets(PAGE).into_paginator().send();
    let pages = stream::unfold(pages, |mut pages| async { pages.next().await.map(|page| (page, pages)) });
    let buckets = pages.flat_map(|page| {
        let leads = match page {
            Err(error) => vec![Err(aws("s3:ListAllMyBuckets", error))],
            Ok(page) => page
                .buckets()
                .iter()
                .filter_map(|bucket| {
                    let region = bucket.bucket_region().unwrap_or(&place.region);
                    let place = Place::new(&place.account, region);
                    Some(Ok(lead(place, bucket.name()?.to_owned(), Detail::Bucket)))
                })
                .collect(),
        };
        stream::iter(leads)
    });
    stream::iter(first).chain(buckets).boxed()
}

fn lead(place: Place, subject: String, detail: Detail) -> Lead<Detail> {
    Lead { place, subject, cause: Cause::sweep(), actor: Actor::default(), detail }
}
