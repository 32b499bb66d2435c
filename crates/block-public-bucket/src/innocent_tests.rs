//! Buckets that look public and are not. A few thousand are made up in each run; `PROPTEST_CASES` asks for more.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use tourniquet::actor::Actor;
use tourniquet::{Cause, Place};

use super::*;
use crate::acl::{Acl, Grant};
use crate::observation::Point;

/// A statement that names everybody, and lets in only those whom its condition fixes.
fn conditioned() -> impl Strategy<Value = Value> {
    let condition = prop::sample::select(vec![
        json!({"StringEquals": {"aws:SourceVpce": "vpce-0a1b2c3d4e5f60718"}}),
        json!({"StringEquals": {"aws:SourceVpc": ["vpc-0a1b2c3d", "vpc-0a1b2c3e"]}}),
        json!({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        json!({"StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/"}}),
        json!({"StringEquals": {"aws:PrincipalAccount": 111_122_223_333_u64}}),
        json!({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/reader"}}),
        json!({"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "10.0.0.0/8"]}}),
        json!({"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"s3:DataAccessPointAccount": "111122223333"}}),
        json!({"StringLike": {"s3:DataAccessPointArn": "arn:aws:s3:eu-central-1:111122223333:accesspoint/*"}}),
    ]);
    let everybody = prop::sample::select(vec![json!("*"), json!({"AWS": "*"}), json!({"AWS": ["*"]})]);
    (everybody, condition, action()).prop_map(|(principal, condition, action)| {
        json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "arn:aws:s3:::b/*", "Condition": condition})
    })
}

/// A statement about somebody, or a denial of everybody.
fn named() -> impl Strategy<Value = Value> {
    let principal = prop::sample::select(vec![
        json!({"AWS": "444455556666"}),
        json!({"AWS": ["arn:aws:iam::444455556666:root", "arn:aws:iam::111122223333:role/a"]}),
        json!({"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1EXAMPLE"}),
        json!({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}),
        json!({"Service": "logging.s3.amazonaws.com"}),
        json!({"Service": ["delivery.logs.amazonaws.com", "cloudtrail.amazonaws.com"]}),
    ]);
    let denial = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
    let distribution = json!({"Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"}, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::b/*", "Condition": {"StringEquals": {"aws:SourceArn": "arn:aws:cloudfront::111122223333:distribution/E1"}}});
    prop_oneof![
        4 => (principal, action()).prop_map(|(principal, action)| {
            json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "arn:aws:s3:::b/*"})
        }),
        1 => Just(denial),
        1 => Just(distribution),
    ]
}

fn action() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["s3:GetObject", "s3:*", "*", "s3:PutObject", "s3:ListBucket"])
}

fn policy() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![conditioned(), named()], 1..6)
        .prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}).to_string())
}

fn grants(public: bool) -> impl Strategy<Value = Acl> {
    let group = |path: &str, permission: &str| Grant {
        kind: "Group".into(),
        uri: Some(format!("http://acs.amazonaws.com/groups/{path}")),
        permission: permission.into(),
        ..Grant::default()
    };
    let mut all = vec![
        group("s3/LogDelivery", "WRITE"),
        group("s3/LogDelivery", "READ_ACP"),
        Grant {
            kind: "CanonicalUser".into(),
            id: Some("partner".into()),
            permission: "FULL_CONTROL".into(),
            ..Grant::default()
        },
    ];
    if public {
        all.extend([group("global/AllUsers", "READ"), group("global/AuthenticatedUsers", "WRITE")]);
    }
    let count = all.len();
    prop::sample::subsequence(all, 0..=count).prop_map(|grants| Acl {
        owner: Some("owner".into()),
        owner_name: None,
        grants,
    })
}

/// What lets nobody in by itself: neither block is needed.
fn private() -> impl Strategy<Value = Rest> {
    let acl = prop_oneof![
        grants(false).prop_map(|acl| (acl, false)),
        // With ownership enforced no ACL counts.
        grants(true).prop_map(|acl| (acl, true)),
    ];
    // S3's own verdict, or none that can be read: then ours counts.
    let status =
        prop_oneof![Just(Ok(Some(false))), Just(Err("s3:GetBucketPolicyStatus: AccessDenied".to_owned()))];
    let website = any::<bool>();
    (policy(), status, acl, website).prop_map(|(policy, status, (acl, enforced), website)| Rest {
        account: Ok(None),
        status,
        policy: Ok(Some(policy)),
        acl: Ok(acl),
        owner_enforced: Ok(enforced),
        points: Ok(vec![Point { name: "inside".into(), public: false }]),
        website,
    })
}

/// What would be public if a block did not keep everybody out.
fn held_back() -> impl Strategy<Value = Rest> {
    let account = prop_oneof![Just(Ok(Some(Block::FULL))), Just(Ok(None))];
    (grants(true), account).prop_map(|(acl, account)| Rest {
        account,
        status: Ok(Some(true)),
        policy: Ok(Some(
            json!({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}]})
                .to_string(),
        )),
        acl: Ok(acl),
        owner_enforced: Ok(false),
        points: Ok(vec![Point { name: "open".into(), public: true }]),
        website: true,
    })
}

fn bucket() -> impl Strategy<Value = Bucket> {
    let half = Block { block_acls: false, ignore_acls: true, block_policy: false, restrict: true };
    let weak = Block { block_acls: true, ignore_acls: false, block_policy: true, restrict: false };
    let of = |block, rest| Bucket { region: "eu-central-1".into(), block, rest: Some(rest) };
    prop_oneof![
        3 => (prop::sample::select(vec![None, Some(weak), Some(Block::default())]), private()).prop_map(move |(block, rest)| of(block, rest)),
        2 => (prop::sample::select(vec![Some(Block::FULL), Some(half)]), held_back()).prop_map(move |(block, rest)| of(block, rest)),
        1 => held_back().prop_map(move |mut rest| { rest.account = Ok(Some(Block::FULL)); of(None, rest) }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(2_000), ..ProptestConfig::default() })]

    #[test]
    fn innocent_buckets_are_left_alone(bucket in bucket(), surgical in any::<bool>(), website in any::<bool>()) {
        let lead = Lead {
            place: Place::new("111122223333", "eu-central-1"),
            subject: "b".into(),
            cause: Cause::sweep(),
            actor: Actor::default(),
            detail: Detail::Bucket,
        };
        let tags = if website { BTreeMap::from([("public".to_owned(), "yes".to_owned())]) } else { BTreeMap::new() };
        let seen = Observation { tags, seen: Seen::Bucket(Box::new(bucket)) };
        let settings = Settings { surgical, ..Settings::default() };
        let verdict = decide(&lead, &seen, &settings, &Standing::default());
        prop_assert_eq!(verdict.ruling, Ruling::Safe, "{}", verdict.why);
    }
}
