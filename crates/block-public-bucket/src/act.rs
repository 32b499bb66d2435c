//! The only part that calls AWS: observe, apply, revert, and the list of buckets for a sweep.

mod answer;
mod apply;
mod observe;
mod points;
mod revert;
mod sweep;

use std::time::Duration;

use aws_sdk_s3control::config::endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint};
use aws_types::SdkConfig;
use aws_types::region::Region;
use tourniquet::clock;
use tourniquet::error::Error;

pub(crate) use apply::apply;
pub(crate) use observe::observe;
pub(crate) use points::resolve;
pub(crate) use revert::revert;
pub(crate) use sweep::sweep;

/// How often a change is tried again that S3 refuses because another one of the same bucket is under way, and the first
/// wait, which doubles: about six seconds in all.
const AGAIN: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The clients for one account, in one region and, where a bucket turns out to be elsewhere, in others.
#[derive(Clone, Debug)]
pub struct Clients {
    sdk: SdkConfig,
    home: Regional,
}

/// The clients of one region.
#[derive(Clone, Debug)]
struct Regional {
    region: String,
    s3: aws_sdk_s3::Client,
    control: aws_sdk_s3control::Client,
}

impl Clients {
    /// Builds those of the region; no call is made.
    #[must_use]
    pub fn new(sdk: &SdkConfig) -> Self {
        let region = sdk.region().map(ToString::to_string).unwrap_or_default();
        Self { sdk: sdk.clone(), home: Regional::new(sdk, &region) }
    }

    /// The clients of a region. Those of another than home share its connections and credentials.
    fn at(&self, region: &str) -> Regional {
        if region == self.home.region { self.home.clone() } else { Regional::new(&self.sdk, region) }
    }
}

impl Regional {
    fn new(sdk: &SdkConfig, region: &str) -> Self {
        let own = sdk.endpoint_url();
        let s3 = aws_sdk_s3::config::Builder::from(sdk)
            .region(Region::new(region.to_owned()))
            // A bucket's name in front of an endpoint of one's own is no host that anybody can find.
            .force_path_style(own.is_some())
            .build();
        let mut control =
            aws_sdk_s3control::config::Builder::from(sdk).region(Region::new(region.to_owned()));
        if let Some(url) = own {
            control = control.endpoint_resolver(Fixed(url.to_owned()));
        }
        Self {
            region: region.to_owned(),
            s3: aws_sdk_s3::Client::from_conf(s3),
            control: aws_sdk_s3control::Client::from_conf(control.build()),
        }
    }
}

/// An endpoint of one's own as it is: the SDK puts the account in front of its host otherwise.
#[derive(Debug)]
struct Fixed(String);

impl ResolveEndpoint for Fixed {
    fn resolve_endpoint<'a>(&'a self, _params: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(Endpoint::builder().url(self.0.clone()).build()))
    }
}

/// Makes a change, again while S3 says that a conflicting one is under way (`OperationAborted`).
async fn settled<F: Future<Output = Result<(), Error>>>(change: impl Fn() -> F) -> Result<(), Error> {
    for again in 0..AGAIN {
        match change().await {
            Err(error) if error.code() == Some("OperationAborted") => {
                clock::pause(FIRST_WAIT * 2_u32.pow(again)).await;
            }
            done => return done,
        }
    }
    change().await
}

#[cfg(test)]
#[path = "act_tests.rs"]
mod tests;
