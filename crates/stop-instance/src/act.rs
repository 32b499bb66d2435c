//! The only part that calls AWS: observe, apply, revert.

mod apply;
mod observe;
mod revert;
mod rules;

use aws_types::SdkConfig;
use futures_util::future;

pub(crate) use apply::apply;
pub(crate) use observe::observe;
pub(crate) use revert::revert;

/// The clients for one account and region.
#[derive(Clone, Debug)]
pub struct Clients {
    ec2: aws_sdk_ec2::Client,
    auto_scaling: aws_sdk_autoscaling::Client,
    elb: aws_sdk_elasticloadbalancingv2::Client,
    classic: aws_sdk_elasticloadbalancing::Client,
    sdk: SdkConfig,
}

impl Clients {
    /// Builds all of them; no call is made.
    #[must_use]
    pub fn new(sdk: &SdkConfig) -> Self {
        Self {
            ec2: aws_sdk_ec2::Client::new(sdk),
            auto_scaling: aws_sdk_autoscaling::Client::new(sdk),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(sdk),
            classic: aws_sdk_elasticloadbalancing::Client::new(sdk),
            sdk: sdk.clone(),
        }
    }

    /// Made where it is needed: each client is a part of a start, and few findings are about a role.
    fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.sdk)
    }
}

/// Opens two connections: the instance and the isolation group are read side by side.
pub(crate) async fn warm(sdk: &SdkConfig) {
    let client =
        aws_sdk_ec2::Client::from_conf(aws_sdk_ec2::config::Builder::from(sdk).allow_no_auth().build());
    drop(future::join(client.describe_instances().send(), client.describe_instances().send()).await);
}

/// The name of the inline policy that denies a role's older sessions, one for each finding.
fn revocation(finding: &str) -> String {
    // IAM allows word characters and +=,.@- in the name of a policy, 128 of them.
    let finding: String =
        finding.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
    format!("tourniquet-revoke-sessions-{finding}")
}

#[cfg(test)]
#[path = "act_tests.rs"]
mod tests;
