//! Where a resource lives: an account and a region. Names of partitions and ARNs follow from the region, so that
//! no ARN in the project is built with a fixed partition.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An AWS account and one of its regions.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Place {
    /// The twelve digits of the account.
    pub account: String,
    /// The region's code, such as `eu-central-1`.
    pub region: String,
}

impl Place {
    /// A place from its two names.
    pub fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    /// The ARN of something regional in this place: `arn:<partition>:<service>:<region>:<account>:<resource>`.
    #[must_use]
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", partition(&self.region), self.region, self.account)
    }

    /// The ARN of a role in this place's account; IAM has no region.
    #[must_use]
    pub fn role_arn(&self, name: &str) -> String {
        format!("arn:{}:iam::{}:role/{name}", partition(&self.region), self.account)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

/// The partition of a region, by the prefixes of the SDKs' `partitions.json`.
#[must_use]
pub fn partition(region: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 8] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-iso-", "aws-iso"),
        ("eusc-", "aws-eusc"),
        ("", "aws"),
    ];
    PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

/// Whether a text is an account id: twelve digits.
#[must_use]
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text can be a region's code. It goes into host names and ARNs, so nothing else may pass.
#[must_use]
pub fn is_region(text: &str) -> bool {
    (5..=32).contains(&text.len())
        && text.contains('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g13_arns_carry_the_partition_of_the_region() {
        for (region, expected) in [
            ("eu-central-1", "aws"),
            ("us-east-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            let place = Place::new("111122223333", region);
            assert_eq!(
                place.arn("ec2", "instance/i-1"),
                format!("arn:{expected}:ec2:{region}:111122223333:instance/i-1")
            );
            assert_eq!(place.role_arn("r"), format!("arn:{expected}:iam::111122223333:role/r"));
        }
    }

    #[test]
    fn only_codes_pass_as_regions_and_digits_as_accounts() {
        assert!(is_region("ap-southeast-2") && is_region("us-gov-west-1"));
        assert!(
            !is_region("")
                && !is_region("evil.example.com")
                && !is_region("us_east_1")
                && !is_region("a/../b-1")
        );
        assert!(is_account("012345678901"));
        assert!(!is_account("12345") && !is_account("12345678901x"));
    }
}
