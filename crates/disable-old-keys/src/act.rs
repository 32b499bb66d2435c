//! The only part that calls AWS: sweep, observe, apply, revert. The ids of keys do not leave it.

mod apply;
mod observe;
mod revert;
mod sweep;

use aws_types::SdkConfig;
use tourniquet::error::Error;

use crate::key::without_ids;

pub(crate) use apply::apply;
pub(crate) use observe::observe;
pub(crate) use revert::revert;
pub(crate) use sweep::sweep;

/// The client for one account; IAM has no regions.
#[derive(Clone, Debug)]
pub struct Clients {
    iam: aws_sdk_iam::Client,
}

impl Clients {
    /// Builds it; no call is made.
    #[must_use]
    pub fn new(sdk: &SdkConfig) -> Self {
        Self { iam: aws_sdk_iam::Client::new(sdk) }
    }
}

/// Opens one connection: a sweep asks for the credential report alone.
pub(crate) async fn warm(sdk: &SdkConfig) {
    let client =
        aws_sdk_iam::Client::from_conf(aws_sdk_iam::config::Builder::from(sdk).allow_no_auth().build());
    drop(client.generate_credential_report().send().await);
}

/// IAM's messages name keys by their whole id; ours do not.
fn scrubbed(error: Error) -> Error {
    match error {
        Error::Aws { call, code, message, class } => {
            Error::Aws { call, code, message: without_ids(&message), class }
        }
        other => other,
    }
}

#[cfg(test)]
#[path = "act_tests.rs"]
mod tests;
