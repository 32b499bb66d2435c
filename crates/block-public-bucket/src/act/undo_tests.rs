use tourniquet::{Consent, Reverted};

use super::*;

/// The account as our changes left it; `policy` is what is there in place of the policy.
fn as_we_left_it(policy: Option<&'static str>) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    move |request| match (request.method.as_str(), request.about()) {
        ("GET", "publicAccessBlock" | "account") => ok(block_xml(Block::FULL)),
        ("GET", "acl") => ok(acl_xml(&acl(false))),
        ("GET", "policy") => policy.map_or_else(|| refused(404, "NoSuchBucketPolicy"), ok),
        _ => ok(""),
    }
}

/// What S3 gives back after it has stored our text: another order, other spaces.
const TRIMMED_BY_S3: &str = r#"{ "Statement": [{"Action":"s3:PutObject","Effect":"Deny","Principal":"*","Resource":"arn:aws:s3:::customer-exports/*"}], "Version": "2012-10-17" }"#;

async fn reverted(
    answer: impl Fn(&Change) -> Box<dyn Fn(&Request) -> Reply + Send + Sync>,
    consent: Consent,
) -> Vec<(Reverted, String)> {
    let mut done = Vec::new();
    for change in every_change() {
        let (clients, requests) = recording("eu-central-1", None, answer(&change));
        let reverted = revert(&clients, &lead(), &change, consent).await.unwrap();
        let changing: Vec<String> =
            lines(&requests).into_iter().filter(|line| !line.starts_with("GET")).collect();
        done.push((reverted, changing.join("\n  ")));
    }
    done
}

fn left(change: &Change) -> Box<dyn Fn(&Request) -> Reply + Send + Sync> {
    let emptied = matches!(change, Change::TrimPolicy { after: None, .. });
    Box::new(as_we_left_it((!emptied).then_some(TRIMMED_BY_S3)))
}

#[tokio::test]
async fn s19_undo_restores_block_acl_and_policy_byte_for_byte() {
    let done = reverted(left, Consent::Explicit).await;
    let wire: Vec<String> = every_change()
        .iter()
        .zip(done)
        .map(|(change, (reverted, wire))| {
            format!("{}: {reverted:?}\n  {wire}", tourniquet::Change::key(change))
        })
        .collect();
    insta::assert_snapshot!(wire.join("\n"));
}

#[tokio::test]
async fn s19_undo_makes_nothing_public_unless_it_is_told_that_public_is_meant() {
    let (plain, look) = (reverted(left, Consent::Plain).await, reverted(left, Consent::Look).await);
    for (reverted, wire) in plain.into_iter().chain(look) {
        assert!(
            matches!(&reverted, Reverted::Unasked(why) if why.contains("only when that is asked for")),
            "{reverted:?}"
        );
        assert_eq!(wire, "");
    }
}

#[tokio::test]
async fn s19_undo_refuses_on_drift() {
    let third = |_: &Change| -> Box<dyn Fn(&Request) -> Reply + Send + Sync> {
        Box::new(|request| match (request.method.as_str(), request.about()) {
            ("GET", "publicAccessBlock" | "account") => {
                ok(block_xml(Block { ignore_acls: false, ..Block::FULL }))
            }
            ("GET", "acl") => ok(acl_xml(&Acl::default())),
            ("GET", "policy") => ok(r#"{"Statement":[]}"#),
            _ => panic!("{request:?}"),
        })
    };
    for (reverted, wire) in reverted(third, Consent::Explicit).await {
        assert!(matches!(&reverted, Reverted::Drifted { .. }), "{reverted:?}");
        assert_eq!(wire, "");
    }
}

#[tokio::test]
async fn s19_undo_does_nothing_the_second_time() {
    let restored = |change: &Change| -> Box<dyn Fn(&Request) -> Reply + Send + Sync> {
        let before = match change {
            Change::Block { before, .. } | Change::RestoreAccountBlock { before } => *before,
            _ => None,
        };
        Box::new(move |request| match (request.about(), before) {
            ("publicAccessBlock" | "account", Some(before)) => ok(block_xml(before)),
            _ => public_bucket(request),
        })
    };
    for (reverted, wire) in reverted(restored, Consent::Explicit).await {
        assert_eq!((reverted, wire), (Reverted::AlreadyThere, String::new()));
    }
}
