//! The requests that leave the function, byte for byte: they are what AWS acts on.

#[path = "act/sweep_tests.rs"]
mod sweeping;
#[path = "act/undo_tests.rs"]
mod undo;

use std::sync::{Arc, Mutex};

use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use tourniquet::actor::Actor;
use tourniquet::sdk::offline;
use tourniquet::{Cause, Consent, Lead, Place};

use super::*;
use crate::acl::{Acl, Grant};
use crate::block::Block;
use crate::change::Change;
use crate::event::Detail;
use crate::observation::{Bucket, Observation, Rest, Seen};
use crate::settings::Settings;

/// A request as it left: method, host, path with query, the header that says whose it must be, and the body.
#[derive(Clone, Debug)]
struct Request {
    method: String,
    host: String,
    path: String,
    owner: String,
    body: String,
}

impl Request {
    fn line(&self) -> String {
        let Self { method, host, path, owner, body } = self;
        format!("{method} {host}{path} owner={owner} {body}").trim_end().to_owned()
    }

    /// The configuration that it is about, such as `policyStatus`.
    fn about(&self) -> &str {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        let path = self.path.split('?').next().unwrap_or_default();
        match path.strip_prefix("/v20180820/") {
            Some("configuration/publicAccessBlock") => "account",
            Some("accesspoint") => "points",
            Some(point) if point.ends_with("/policyStatus") => "pointStatus",
            Some(_) => "point",
            None if path == "/" && !query.is_empty() && query.contains("max-buckets") => "buckets",
            None => query.split(['&', '=']).next().unwrap_or_default(),
        }
    }
}

/// Status, body, and the region that S3 names in a header.
type Reply = (u16, String, Option<&'static str>);
type Requests = Arc<Mutex<Vec<Request>>>;

/// Clients whose requests are kept.
fn recording(
    region: &'static str,
    endpoint: Option<&str>,
    answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> (Clients, Requests) {
    let requests: Requests = Arc::default();
    let kept = Arc::clone(&requests);
    let http = infallible_client_fn(move |request| {
        let header =
            |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let seen = Request {
            method: request.method().to_string(),
            host: request.uri().host().unwrap_or_default().to_owned(),
            path: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
            owner: header("x-amz-expected-bucket-owner").or(header("x-amz-account-id")).unwrap_or_default(),
            body: String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned(),
        };
        let (status, body, region) = answer(&seen);
        kept.lock().unwrap().push(seen);
        let mut response = http::Response::builder().status(status);
        if let Some(region) = region {
            response = response.header("x-amz-bucket-region", region);
        }
        response.body(SdkBody::from(body)).unwrap()
    });
    (Clients::new(&offline(http, region, endpoint)), requests)
}

fn lead() -> Lead<Detail> {
    Lead {
        place: Place::new("111122223333", "eu-central-1"),
        subject: "customer-exports".into(),
        cause: Cause { what: "PutBucketPolicy".into(), key: "e1".into() },
        actor: Actor::default(),
        detail: Detail::Bucket,
    }
}

const PUBLIC: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::customer-exports/*"},{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::customer-exports/*"}]}"#;
const TRIMMED: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::customer-exports/*"}]}"#;
const HALF: Block = Block { block_acls: true, ignore_acls: false, block_policy: true, restrict: false };

fn acl(public: bool) -> Acl {
    let user = |id: &str, permission: &str| Grant {
        kind: "CanonicalUser".into(),
        id: Some(id.into()),
        permission: permission.into(),
        ..Grant::default()
    };
    let group = |uri: &str, permission: &str| Grant {
        kind: "Group".into(),
        uri: Some(format!("http://acs.amazonaws.com/groups/{uri}")),
        permission: permission.into(),
        ..Grant::default()
    };
    let mut grants =
        vec![user("owner-id", "FULL_CONTROL"), group("s3/LogDelivery", "WRITE"), user("partner-id", "READ")];
    if public {
        grants.push(group("global/AllUsers", "READ"));
    }
    Acl { owner: Some("owner-id".into()), owner_name: None, grants }
}

fn every_change() -> Vec<Change> {
    let region = || "eu-central-1".to_owned();
    let policy = |after: Option<&str>| Change::TrimPolicy {
        region: region(),
        statements: vec!["number 1".into()],
        before: PUBLIC.into(),
        after: after.map(str::to_owned),
    };
    vec![
        Change::Block { region: region(), before: None },
        Change::Block { region: region(), before: Some(HALF) },
        Change::TrimAcl { region: region(), before: acl(true), after: acl(false) },
        policy(Some(TRIMMED)),
        policy(None),
        Change::RestoreAccountBlock { before: None },
        Change::RestoreAccountBlock { before: Some(HALF) },
    ]
}

fn ok(body: impl Into<String>) -> Reply {
    (200, body.into(), None)
}

fn refused(status: u16, code: &str) -> Reply {
    let error = format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
    (status, error, None)
}

/// S3 Control wraps its errors.
fn refused_by_control(status: u16, code: &str) -> Reply {
    let (status, error, region) = refused(status, code);
    (status, format!("<ErrorResponse>{error}</ErrorResponse>"), region)
}

fn block_xml(block: Block) -> String {
    format!(
        "<PublicAccessBlockConfiguration><BlockPublicAcls>{}</BlockPublicAcls><IgnorePublicAcls>{}</IgnorePublicAcls>\
         <BlockPublicPolicy>{}</BlockPublicPolicy><RestrictPublicBuckets>{}</RestrictPublicBuckets></PublicAccessBlockConfiguration>",
        block.block_acls, block.ignore_acls, block.block_policy, block.restrict
    )
}

fn acl_xml(acl: &Acl) -> String {
    let grants = acl.grants.iter().map(|grant| {
        let grantee = match &grant.uri {
            Some(uri) => format!(r#"xsi:type="Group"><URI>{uri}</URI>"#),
            None => format!(r#"xsi:type="CanonicalUser"><ID>{}</ID>"#, grant.id.as_deref().unwrap_or_default()),
        };
        format!(
            r#"<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {grantee}</Grantee><Permission>{}</Permission></Grant>"#,
            grant.permission
        )
    });
    format!(
        "<AccessControlPolicy><Owner><ID>owner-id</ID></Owner><AccessControlList>{}</AccessControlList></AccessControlPolicy>",
        grants.collect::<String>()
    )
}

/// A bucket that is public by its policy, without a block, without access points.
fn public_bucket(request: &Request) -> Reply {
    if request.method != "GET" {
        return ok("");
    }
    match request.about() {
        "publicAccessBlock" => refused(404, "NoSuchPublicAccessBlockConfiguration"),
        "policyStatus" => ok("<PolicyStatus><IsPublic>true</IsPublic></PolicyStatus>"),
        "policy" => ok(PUBLIC),
        "acl" => ok(acl_xml(&acl(true))),
        "ownershipControls" => refused(404, "OwnershipControlsNotFoundError"),
        "website" => refused(404, "NoSuchWebsiteConfiguration"),
        "tagging" => ok("<Tagging><TagSet><Tag><Key>team</Key><Value>data</Value></Tag></TagSet></Tagging>"),
        "account" => refused_by_control(404, "NoSuchPublicAccessBlockConfiguration"),
        "points" => {
            ok("<ListAccessPointsResult><AccessPointList></AccessPointList></ListAccessPointsResult>")
        }
        other => panic!("{other}: {request:?}"),
    }
}

fn lines(requests: &Requests) -> Vec<String> {
    requests.lock().unwrap().iter().map(Request::line).collect()
}

fn bucket(seen: Observation) -> Bucket {
    match seen.seen {
        Seen::Bucket(bucket) => *bucket,
        other => panic!("{other:?}"),
    }
}

async fn looked(clients: &Clients, lead: &Lead<Detail>) -> Bucket {
    bucket(observe(clients, lead, &Settings::default()).await.unwrap().unwrap())
}

#[tokio::test]
async fn every_change_sends_exactly_these_requests() {
    let mut wire = Vec::new();
    for change in every_change() {
        let (clients, requests) = recording("eu-central-1", None, public_bucket);
        apply(&clients, &lead(), &change).await.unwrap();
        wire.push(format!("{}\n  {}", tourniquet::Change::key(&change), lines(&requests).join("\n  ")));
    }
    insta::assert_snapshot!(wire.join("\n"));
}

#[tokio::test]
async fn one_look_reads_exactly_this_in_one_round_trip() {
    let (clients, requests) = recording("eu-central-1", None, public_bucket);
    let seen = observe(&clients, &lead(), &Settings::default()).await.unwrap().unwrap();
    assert_eq!(seen.tags["team"], "data");
    let expected = Rest {
        account: Ok(None),
        status: Ok(Some(true)),
        policy: Ok(Some(PUBLIC.into())),
        acl: Ok(acl(true)),
        owner_enforced: Ok(false),
        points: Ok(Vec::new()),
        website: false,
    };
    assert_eq!(bucket(seen), Bucket { region: "eu-central-1".into(), block: None, rest: Some(expected) });
    let mut wire = lines(&requests);
    wire.sort();
    insta::assert_snapshot!(wire.join("\n"));
}

#[tokio::test]
async fn s12_every_request_says_whose_the_bucket_must_be() {
    let (clients, requests) = recording("eu-central-1", None, public_bucket);
    looked(&clients, &lead()).await;
    for change in every_change() {
        apply(&clients, &lead(), &change).await.unwrap();
        revert(&clients, &lead(), &change, Consent::Explicit).await.unwrap();
    }
    let requests = requests.lock().unwrap();
    assert!(requests.len() > 20);
    for request in requests.iter() {
        assert_eq!(request.owner, "111122223333", "{}", request.line());
    }
}

#[tokio::test]
async fn s12_another_owners_bucket_is_an_error() {
    let (clients, _) = recording("eu-central-1", None, |_| refused(403, "AccessDenied"));
    let error = observe(&clients, &lead(), &Settings::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "s3:GetBucketPublicAccessBlock: AccessDenied: m");
}

#[tokio::test]
async fn s11_the_buckets_own_region_is_asked_when_s3_names_it() {
    let malformed = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>me-south-1</Region></Error>";
    let illegal = "<Error><Code>IllegalLocationConstraintException</Code><Message>m</Message></Error>";
    for (reply, region) in [
        ((301, String::new(), Some("ap-northeast-1")), "ap-northeast-1"),
        ((400, malformed.to_owned(), None), "me-south-1"),
        ((400, illegal.to_owned(), Some("af-south-1")), "af-south-1"),
    ] {
        let (clients, requests) = recording("eu-central-1", None, move |request| {
            if request.host.contains(region) || request.host.contains("s3-control") {
                public_bucket(request)
            } else {
                reply.clone()
            }
        });
        let seen = looked(&clients, &lead()).await;
        assert_eq!(seen.region, region);
        apply(&clients, &lead(), &Change::Block { region: seen.region, before: None }).await.unwrap();
        let last = requests.lock().unwrap().last().unwrap().line();
        assert!(last.starts_with(&format!("PUT customer-exports.s3.{region}.amazonaws.com")), "{last}");
    }
}

#[tokio::test]
async fn s11_two_regions_that_point_at_each_other_are_an_error_and_no_loop() {
    let (clients, requests) = recording("eu-central-1", None, |request| {
        let other = if request.host.contains("eu-central-1") { "us-west-2" } else { "eu-central-1" };
        if request.host.contains("s3-control") {
            public_bucket(request)
        } else {
            (301, String::new(), Some(other))
        }
    });
    let error = observe(&clients, &lead(), &Settings::default()).await.unwrap_err();
    assert!(error.to_string().contains("the region of the bucket"), "{error}");
    assert!(requests.lock().unwrap().len() <= 18);
}

#[tokio::test]
async fn s11_no_region_of_an_answer_becomes_a_host_unless_it_is_one() {
    let (clients, requests) = recording("eu-central-1", None, |request| {
        if request.host.contains("s3-control") {
            public_bucket(request)
        } else {
            (301, String::new(), Some("evil.example.com/"))
        }
    });
    assert!(observe(&clients, &lead(), &Settings::default()).await.is_err());
    assert!(requests.lock().unwrap().iter().all(|request| !request.host.contains("evil")));
}

#[tokio::test]
async fn g7_a_bucket_that_is_gone_is_nothing() {
    let (clients, _) = recording("eu-central-1", None, |_| refused(404, "NoSuchBucket"));
    assert_eq!(observe(&clients, &lead(), &Settings::default()).await.unwrap(), None);
}

#[tokio::test]
async fn g13_other_partitions_have_their_own_hosts() {
    let (clients, requests) = recording("cn-north-1", None, public_bucket);
    let lead = Lead { place: Place::new("111122223333", "cn-north-1"), ..lead() };
    looked(&clients, &lead).await;
    let requests = requests.lock().unwrap();
    assert!(
        requests.iter().all(|request| request.host.ends_with("cn-north-1.amazonaws.com.cn")),
        "{requests:?}"
    );
}

#[tokio::test]
async fn an_endpoint_of_ones_own_is_used_as_it_is() {
    let (clients, requests) = recording("eu-central-1", Some("http://127.0.0.1:4566"), public_bucket);
    looked(&clients, &lead()).await;
    let requests = requests.lock().unwrap();
    assert!(requests.iter().all(|request| request.host == "127.0.0.1"));
    assert!(requests.iter().any(|request| request.path.starts_with("/customer-exports/?policyStatus")));
}

/// A bucket whose first answers to a change say that another one is under way.
fn busy(times: usize) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let left = Mutex::new(times);
    move |_| {
        let mut left = left.lock().unwrap();
        if *left == 0 {
            return ok("");
        }
        *left -= 1;
        refused(409, "OperationAborted")
    }
}

#[tokio::test]
async fn s16_a_change_that_conflicts_with_another_is_made_again() {
    let (clients, requests) = recording("eu-central-1", None, busy(2));
    apply(&clients, &lead(), &every_change()[0]).await.unwrap();
    let lines = lines(&requests);
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line == &lines[0]));
}

#[tokio::test]
async fn s16_a_conflict_without_end_is_an_error() {
    let (clients, requests) = recording("eu-central-1", None, busy(100));
    let error = apply(&clients, &lead(), &every_change()[0]).await.unwrap_err();
    assert_eq!(error.code(), Some("OperationAborted"));
    assert_eq!(requests.lock().unwrap().len(), 6);
}

/// Two access points, one for a VPC alone; the other lets the public in, unless its own block does not.
fn with_points(own: Block) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    move |request| match request.about() {
        "points" => {
            let point = |name: &str, origin: &str| {
                format!(
                    "<AccessPoint><Name>{name}</Name><NetworkOrigin>{origin}</NetworkOrigin><Bucket>customer-exports</Bucket></AccessPoint>"
                )
            };
            let second = request.path.contains("nextToken=t");
            let body = if second { point("front", "Internet") } else { point("inside", "VPC") };
            let next = if second { "" } else { "<NextToken>t</NextToken>" };
            ok(format!(
                "<ListAccessPointsResult><AccessPointList>{body}</AccessPointList>{next}</ListAccessPointsResult>"
            ))
        }
        "pointStatus" => ok(
            "<GetAccessPointPolicyStatusResult><PolicyStatus><IsPublic>true</IsPublic></PolicyStatus></GetAccessPointPolicyStatusResult>",
        ),
        "point" => ok(format!(
            "<GetAccessPointResult><Name>front</Name><Bucket>customer-exports</Bucket><NetworkOrigin>Internet</NetworkOrigin>{}</GetAccessPointResult>",
            block_xml(own)
        )),
        _ => public_bucket(request),
    }
}

#[tokio::test]
async fn s20_every_page_of_access_points_is_read_and_those_of_a_vpc_are_not_public() {
    for (own, public) in [(Block::default(), true), (HALF, true), (Block::FULL, false)] {
        let (clients, requests) = recording("eu-central-1", None, with_points(own));
        let points = looked(&clients, &lead()).await.rest.unwrap().points.unwrap();
        let found: Vec<_> = points.iter().map(|point| (point.name.as_str(), point.public)).collect();
        assert_eq!(found, [("inside", false), ("front", public)]);
        assert!(requests.lock().unwrap().iter().all(|request| !request.path.contains("/inside")));
    }
}

#[tokio::test]
async fn s20_an_access_point_stands_for_its_bucket() {
    let detail = Detail::Point { name: "front".into() };
    let point = Lead { subject: "accesspoint/front".into(), detail, ..lead() };
    let (clients, _) = recording("eu-central-1", None, with_points(Block::default()));
    assert_eq!(resolve(&clients, &point).await.unwrap(), [lead()]);
    assert_eq!(resolve(&clients, &lead()).await.unwrap(), [lead()]);
    let (clients, _) = recording("eu-central-1", None, |_| refused_by_control(404, "NoSuchAccessPoint"));
    assert_eq!(resolve(&clients, &point).await.unwrap(), []);
    let (clients, _) = recording("eu-central-1", None, |_| refused_by_control(403, "AccessDenied"));
    assert!(resolve(&clients, &point).await.unwrap_err().to_string().starts_with("s3:GetAccessPoint"));
}

#[tokio::test]
async fn s15_what_is_denied_is_kept_with_the_name_of_the_action() {
    let (clients, _) = recording("eu-central-1", None, |request| match request.about() {
        "policyStatus" | "policy" | "acl" => refused(403, "AccessDenied"),
        _ => public_bucket(request),
    });
    let rest = looked(&clients, &lead()).await.rest.unwrap();
    assert_eq!(rest.status, Err("s3:GetBucketPolicyStatus: AccessDenied: m".into()));
    assert_eq!(rest.policy, Err("s3:GetBucketPolicy: AccessDenied: m".into()));
    assert_eq!(rest.acl, Err("s3:GetBucketAcl: AccessDenied: m".into()));
}

#[tokio::test]
async fn s15_an_answer_without_content_is_no_answer() {
    let (clients, _) = recording("eu-central-1", None, |request| match request.about() {
        "policyStatus" | "policy" | "acl" | "account" | "points" => ok(""),
        _ => public_bucket(request),
    });
    let rest = looked(&clients, &lead()).await.rest.unwrap();
    assert!(rest.status.is_err() && rest.policy.is_err() && rest.acl.is_err(), "{rest:?}");
    assert!(rest.account.is_err() && rest.points.is_err(), "{rest:?}");
}

#[tokio::test]
async fn g20_tags_that_cannot_be_read_are_an_error_since_they_may_exempt() {
    let (clients, _) = recording("eu-central-1", None, |request| match request.about() {
        "tagging" => refused(403, "AccessDenied"),
        _ => public_bucket(request),
    });
    let error = observe(&clients, &lead(), &Settings::default()).await.unwrap_err();
    assert!(error.to_string().starts_with("s3:GetBucketTagging"));
}

#[tokio::test]
async fn s14_an_accounts_block_that_is_not_shown_is_kept_as_such() {
    let denied = |request: &Request| match request.about() {
        "account" => refused_by_control(403, "AccessDenied"),
        _ => public_bucket(request),
    };
    let (clients, _) = recording("eu-central-1", None, denied);
    let account = Lead { subject: "111122223333".into(), detail: Detail::Account, ..lead() };
    let seen = observe(&clients, &account, &Settings::default()).await.unwrap().unwrap();
    assert_eq!(seen.seen, Seen::Managed("s3:GetAccountPublicAccessBlock: AccessDenied: m".into()));
    assert!(looked(&clients, &lead()).await.rest.unwrap().account.is_err());
}

#[test]
fn law_7_every_change_comes_back_from_its_record() {
    for change in every_change() {
        let recorded = tourniquet::plan::Recorded::of(&change);
        let text = serde_json::to_string(&recorded.change).unwrap();
        assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), change);
    }
}
