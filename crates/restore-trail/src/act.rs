//! The only part that calls AWS: observe, sweep, apply, revert.

mod apply;
mod convert;
mod observe;
mod revert;
mod storage;

use aws_types::SdkConfig;
use futures_util::future;

pub(crate) use apply::apply;
pub(crate) use observe::{observe, sweep};
pub(crate) use revert::revert;

/// The clients for one account and region.
#[derive(Clone, Debug)]
pub struct Clients {
    trail: aws_sdk_cloudtrail::Client,
    s3: aws_sdk_s3::Client,
    kms: aws_sdk_kms::Client,
}

impl Clients {
    /// Builds all of them; no call is made.
    #[must_use]
    pub fn new(sdk: &SdkConfig) -> Self {
        Self {
            trail: aws_sdk_cloudtrail::Client::new(sdk),
            s3: aws_sdk_s3::Client::new(sdk),
            kms: aws_sdk_kms::Client::new(sdk),
        }
    }
}

/// Opens two connections: the status of the trail and its tags are read side by side.
pub(crate) async fn warm(sdk: &SdkConfig) {
    let client = aws_sdk_cloudtrail::Client::from_conf(
        aws_sdk_cloudtrail::config::Builder::from(sdk).allow_no_auth().build(),
    );
    drop(future::join(client.get_trail_status().send(), client.get_trail_status().send()).await);
}

#[cfg(test)]
#[path = "act_tests.rs"]
mod tests;
