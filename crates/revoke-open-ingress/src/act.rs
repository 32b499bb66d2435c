//! The only part that calls AWS: observe, apply, revert, sweep.

mod apply;
mod observe;
mod resolve;
mod revert;
mod sweep;

use aws_sdk_ec2::types::Filter;
use aws_types::SdkConfig;
use futures_util::future;

pub(crate) use apply::apply;
pub(crate) use observe::observe;
pub(crate) use resolve::resolve;
pub(crate) use revert::revert;
pub(crate) use sweep::{places, sweep};

/// The client for one account and region.
#[derive(Clone, Debug)]
pub struct Clients {
    ec2: aws_sdk_ec2::Client,
}

impl Clients {
    /// Builds it; no call is made.
    #[must_use]
    pub fn new(sdk: &SdkConfig) -> Self {
        Self { ec2: aws_sdk_ec2::Client::new(sdk) }
    }
}

/// Opens two connections: the group and its rules are read side by side.
pub(crate) async fn warm(sdk: &SdkConfig) {
    let client =
        aws_sdk_ec2::Client::from_conf(aws_sdk_ec2::config::Builder::from(sdk).allow_no_auth().build());
    drop(
        future::join(client.describe_security_groups().send(), client.describe_security_groups().send())
            .await,
    );
}

fn filter(name: &str, values: impl IntoIterator<Item = String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values.into_iter().collect())).build()
}

#[cfg(test)]
#[path = "act_tests.rs"]
mod tests;
