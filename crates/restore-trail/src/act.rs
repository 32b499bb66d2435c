//! The only part that calls AWS: observe, sweep, apply, revert.

mod apply;
mod convert;
mod observe;
mod revert;
mod storage;

use aws_types::SdkConfig;

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

#[cfg(test)]
#[path = "act_tests.rs"]
mod tests;
