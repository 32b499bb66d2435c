//! The requests that leave the function, byte for byte: they are what AWS acts on.

#[path = "act/undo_tests.rs"]
mod undo;

use std::sync::{Arc, Mutex};

use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tourniquet::actor::Actor;
use tourniquet::error::Class;
use tourniquet::sdk::offline;
use tourniquet::{Cause, Change as _, Depth, Place, Room};

use super::*;
use crate::RestoreTrail;
use crate::change::Change;
use crate::event::Detail;
use crate::observation::{BucketState, Destination, Observation, Seen, Trail};
use crate::policy::Delivery;
use crate::selectors::{Advanced, Basic, Condition, Data, Selectors};
use crate::settings::Settings;
use crate::trail::{Baseline, Difference, Insight, Part, Setting, TrailSettings};

const ARN: &str = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/audit";

type Requests = Arc<Mutex<Vec<String>>>;
type Lead = tourniquet::Lead<Detail>;

/// Status, headers and body of an answer.
struct Answer(u16, Vec<(&'static str, &'static str)>, String);

fn ok(body: &Value) -> Answer {
    Answer(200, vec![], body.to_string())
}

fn refused(code: &str) -> Answer {
    Answer(400, vec![], json!({"__type": code, "message": "AWS says no"}).to_string())
}

/// Clients whose requests are kept, answered by `answer` from the operation's name and how often it was called before.
fn recording(answer: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> (Clients, Requests) {
    let requests: Requests = Arc::default();
    let kept = Arc::clone(&requests);
    let http = infallible_client_fn(move |request| {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let target = request.headers().get("x-amz-target").and_then(|v| v.to_str().ok());
        let (name, line) = if let Some(name) = target.and_then(|t| t.rsplit('.').next()) {
            (name.to_owned(), format!("{host} {name} {body}"))
        } else {
            let owner = request.headers().get("x-amz-expected-bucket-owner");
            let owner = owner.and_then(|v| v.to_str().ok()).unwrap_or("anybody");
            let query = request.uri().query().unwrap_or_default();
            let name = format!("{} {query}", request.method());
            (name.trim().to_owned(), format!("{host} {name} {} of {owner}", request.uri().path()))
        };
        let mut all = kept.lock().unwrap();
        let before = all.iter().filter(|l| l.contains(&format!(" {name}"))).count();
        all.push(line);
        let Answer(status, headers, body) = answer(&name, before);
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        response.body(SdkBody::from(body)).unwrap()
    });
    (Clients::new(&offline(http, "eu-central-1", None)), requests)
}

fn lead_of(detail: Detail) -> Lead {
    tourniquet::Lead {
        place: Place::new("111122223333", "eu-central-1"),
        subject: "audit".into(),
        cause: Cause { what: "StopLogging".into(), key: "e1".into() },
        actor: Actor::default(),
        detail,
    }
}

fn lead() -> Lead {
    lead_of(Detail::Trail { arn: ARN.into() })
}

fn difference(setting: Setting, then: &str, now: &str) -> Difference {
    Difference { setting, then: then.into(), now: now.into() }
}

fn basic() -> Selectors {
    let data = vec![Data { kind: "AWS::S3::Object".into(), values: vec!["arn:aws:s3:::payments/".into()] }];
    let excluded = vec!["kms.amazonaws.com".into()];
    let one = Basic { read_write: "All".into(), management: true, excluded, data };
    Selectors { basic: vec![one], advanced: vec![] }
}

fn advanced() -> Selectors {
    let is = |field: &str, value: &str| Condition {
        field: field.into(),
        equals: vec![value.into()],
        ..Condition::default()
    };
    let not = Condition {
        field: "eventSource".into(),
        not_equals: vec!["kms.amazonaws.com".into()],
        ..Condition::default()
    };
    let fields = vec![is("eventCategory", "Management"), not];
    Selectors { basic: vec![], advanced: vec![Advanced { name: Some("management".into()), fields }] }
}

fn insight() -> Insight {
    Insight { kind: "ApiCallRateInsight".into(), categories: vec!["Management".into()] }
}

fn baseline() -> Baseline {
    let values = [
        (Setting::Bucket, "audit-logs"),
        (Setting::Prefix, "all"),
        (Setting::Key, "arn:aws:kms:eu-central-1:111122223333:key/k1"),
        (Setting::GlobalEvents, "true"),
        (Setting::MultiRegion, "true"),
        (Setting::Validation, "true"),
        (Setting::LogGroup, "arn:aws:logs:eu-central-1:111122223333:log-group:audit:*"),
        (Setting::LogRole, "arn:aws:iam::111122223333:role/audit"),
        (Setting::Topic, "arn:aws:sns:eu-central-1:111122223333:audit"),
        (Setting::Organization, "false"),
    ];
    Baseline {
        trail: TrailSettings(values.map(|(s, v)| (s, v.to_owned())).into()),
        selectors: basic(),
        insights: vec![insight()],
        tags: [("team".to_owned(), "security".to_owned())].into(),
    }
}

fn every_change() -> Vec<Change> {
    let part = |part, differences| Change::RestoreSettings { part, differences };
    vec![
        Change::Create { baseline: Box::new(baseline()) },
        Change::Restart { stopped: "2026-11-02T09:30:00Z".parse().ok() },
        part(
            Part::Destination,
            vec![
                difference(Setting::Bucket, "audit-logs", "elsewhere"),
                difference(Setting::Prefix, "", "x"),
                difference(Setting::Key, "", "arn:aws:kms:eu-central-1:999900009999:key/k9"),
            ],
        ),
        part(
            Part::Coverage,
            vec![
                difference(Setting::GlobalEvents, "true", "false"),
                difference(Setting::MultiRegion, "true", "false"),
                difference(Setting::Validation, "true", "false"),
            ],
        ),
        part(
            Part::LogGroup,
            vec![difference(Setting::LogGroup, "arn:lg", ""), difference(Setting::LogRole, "arn:role", "")],
        ),
        part(Part::Topic, vec![difference(Setting::Topic, "arn:topic", "")]),
        part(Part::Organization, vec![difference(Setting::Organization, "true", "false")]),
        Change::RestoreSelectors { now: Some(Selectors::default()), then: basic() },
        Change::RestoreSelectors { now: Some(basic()), then: advanced() },
        Change::RestoreSelectors { now: None, then: basic() },
        Change::RestoreInsights { now: vec![], then: vec![insight()] },
        Change::Mark { cause: "0123456789".into() },
    ]
}

fn started() -> (Change, Lead) {
    let arn = "arn:aws:cloudtrail:eu-central-1:111122223333:eventdatastore/8d1f9c3e".to_owned();
    (Change::StartIngestion, lead_of(Detail::EventDataStore { arn }))
}

async fn applied(
    change: &Change,
    lead: &Lead,
    answer: fn(&str, usize) -> Answer,
) -> (Result<(), tourniquet::Error>, String) {
    let (clients, requests) = recording(answer);
    let done = apply(&clients, lead, change, &Settings::default()).await;
    let lines = requests.lock().unwrap().join("\n  ");
    (done, lines)
}

#[tokio::test]
async fn every_change_sends_exactly_these_requests() {
    let mut wire = Vec::new();
    let all = every_change().into_iter().map(|change| (change, lead())).chain([started()]);
    for (change, lead) in all {
        let (done, lines) = applied(&change, &lead, |_, _| ok(&json!({}))).await;
        done.unwrap();
        wire.push(format!("{}\n  {lines}", change.key()));
    }
    insta::assert_snapshot!(wire.join("\n"));
}

#[test]
fn law_7_every_change_comes_back_from_its_record() {
    for change in every_change().into_iter().chain([Change::StartIngestion]) {
        let recorded = tourniquet::plan::Recorded::of(&change);
        let text = serde_json::to_string(&recorded.change).unwrap();
        assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), change);
    }
    let text = serde_json::to_string(&baseline()).unwrap();
    assert_eq!(serde_json::from_str::<Baseline>(&text).unwrap(), baseline());
}

#[tokio::test]
async fn c9_a_trail_is_never_created_into_a_bucket_that_is_gone_or_a_strangers() {
    for (status, code, said) in [
        (404, "NotOurBucket", "does not exist: create it again"),
        (403, "NotOurBucket", "does not belong to account 111122223333"),
    ] {
        for change in every_change()
            .iter()
            .filter(|c| ["create-trail", "restore-settings destination"].contains(&c.key().as_str()))
        {
            let (clients, requests) = recording(move |name, _| match name {
                "HEAD" => Answer(status, vec![], String::new()),
                _ => ok(&json!({})),
            });
            let error = apply(&clients, &lead(), change, &Settings::default()).await.unwrap_err();
            assert_eq!(error.code(), Some(code));
            assert!(error.to_string().contains(said), "{error}");
            assert_eq!(requests.lock().unwrap().len(), 1, "nothing but the look at the bucket");
        }
    }
}

#[tokio::test]
async fn c9_a_bucket_in_another_region_is_asked_there() {
    let (clients, requests) = recording(|name, before| match (name, before) {
        ("HEAD", 0) => Answer(301, vec![("x-amz-bucket-region", "us-east-1")], String::new()),
        _ => ok(&json!({})),
    });
    let settings = Settings {
        bucket_owners: [("audit-logs".to_owned(), "444455556666".to_owned())].into(),
        ..Settings::default()
    };
    apply(&clients, &lead(), &every_change()[0], &settings).await.unwrap();
    let lines = requests.lock().unwrap().clone();
    assert_eq!(lines[1], "audit-logs.s3.us-east-1.amazonaws.com HEAD  / of 444455556666");
    assert!(lines[2].contains("CreateTrail"));
}

#[tokio::test]
async fn c9_a_trail_that_is_there_already_is_compared_at_the_next_look() {
    let (done, _) = applied(&every_change()[0], &lead(), |name, _| match name {
        "CreateTrail" => refused("TrailAlreadyExistsException"),
        _ => ok(&json!({})),
    })
    .await;
    assert!(done.is_ok());
}

#[tokio::test]
async fn c13_each_refusal_has_its_own_words_and_class() {
    for (code, class, said) in [
        ("InvalidHomeRegionException", Class::Rejected, "home is another region"),
        ("TrailNotFoundException", Class::NotFound, "deleted in the meantime"),
        ("InsufficientDependencyServiceAccessPermissionException", Class::Denied, "AWS Organizations"),
        ("NoManagementAccountSLRExistsException", Class::Rejected, "service-linked role"),
        (
            "NotOrganizationMasterAccountException",
            Class::Denied,
            "only the organisation's management account",
        ),
        ("CloudTrailAccessNotEnabledException", Class::Rejected, "trusted access"),
        ("AccessDeniedException", Class::Denied, "AWS says no"),
    ] {
        let (clients, _) = recording(move |_, _| refused(code));
        let error = apply(&clients, &lead(), &Change::Restart { stopped: None }, &Settings::default())
            .await
            .unwrap_err();
        assert_eq!((error.code(), error.class()), (Some(code), Some(class)));
        assert!(
            error.to_string().contains("cloudtrail:StartLogging") && error.to_string().contains(said),
            "{error}"
        );
    }
}

#[tokio::test]
async fn c13_a_conflict_is_tried_again_and_then_said() {
    let (done, lines) = applied(&Change::Restart { stopped: None }, &lead(), |_, before| {
        if before < 2 { refused("ConflictException") } else { ok(&json!({})) }
    })
    .await;
    done.unwrap();
    assert_eq!(lines.matches("StartLogging").count(), 3);
    let (done, lines) =
        applied(&Change::Restart { stopped: None }, &lead(), |_, _| refused("ConflictException")).await;
    assert!(done.unwrap_err().to_string().contains("the retry tries again"));
    assert_eq!(lines.matches("StartLogging").count(), 4);
}

#[tokio::test]
async fn c16_a_store_that_ingests_already_is_no_error() {
    let (change, lead) = started();
    let (done, _) = applied(&change, &lead, |_, _| refused("InvalidEventDataStoreStatusException")).await;
    assert!(done.is_ok());
}

fn described(bucket: &str) -> Value {
    json!({"Trail": {"Name": "audit", "TrailARN": ARN, "HomeRegion": "eu-central-1", "S3BucketName": bucket, "S3KeyPrefix": "all",
        "IncludeGlobalServiceEvents": true, "IsMultiRegionTrail": true, "LogFileValidationEnabled": false, "IsOrganizationTrail": false,
        "KmsKeyId": "arn:aws:kms:us-east-1:111122223333:key/k1", "SnsTopicARN": "arn:aws:sns:eu-central-1:111122223333:audit"}})
}

const RULES: &str = "<LifecycleConfiguration><Rule><ID>slow</ID><Status>Enabled</Status><Filter/><Expiration><Days>30</Days></Expiration></Rule>\
    <Rule><ID>off</ID><Status>Disabled</Status><Filter/><Expiration><Days>1</Days></Expiration></Rule>\
    <Rule><ID>fast</ID><Status>Enabled</Status><Filter/><Expiration><Days>7</Days></Expiration></Rule></LifecycleConfiguration>";

fn account(name: &str) -> Answer {
    match name {
        "GetTrailStatus" => ok(
            &json!({"IsLogging": false, "StopLoggingTime": 1_762_075_800, "LatestDeliveryError": "AccessDenied",
            "LatestNotificationError": ""}),
        ),
        "GetTrail" => ok(&described("audit-logs")),
        "GetEventSelectors" => ok(
            &json!({"TrailARN": ARN, "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true,
            "DataResources": [], "ExcludeManagementEventSources": []}]}),
        ),
        "GetInsightSelectors" => refused("InsightNotEnabledException"),
        "ListTags" => ok(
            &json!({"ResourceTagList": [{"ResourceId": ARN, "TagsList": [{"Key": "team", "Value": "security"}]}]}),
        ),
        "DescribeKey" => ok(&json!({"KeyMetadata": {"KeyId": "k1", "KeyState": "PendingDeletion"}})),
        "GET policy" => Answer(200, vec![], r#"{"Statement":[]}"#.to_owned()),
        "GET lifecycle" => Answer(200, vec![], RULES.to_owned()),
        _ => Answer(200, vec![], String::new()),
    }
}

async fn observed(
    depth: Depth,
    answer: impl Fn(&str, usize) -> Answer + Send + Sync + 'static,
) -> (Observation, Vec<String>) {
    let (clients, requests) = recording(answer);
    let seen = observe(&clients, &lead(), depth, &Settings::default()).await.unwrap().unwrap();
    let lines = requests.lock().unwrap().clone();
    (seen, lines)
}

fn trail_of(seen: &Observation) -> &Trail {
    match &seen.seen {
        Seen::Trail(trail) => trail,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn law_2_the_first_look_is_two_reads_and_what_the_call_can_have_changed_the_whole_one_nine() {
    let (seen, lines) = observed(Depth::Contain, |name, _| account(name)).await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(!seen.full && !trail_of(&seen).logging && seen.tags["team"] == "security");
    for (what, read) in [
        ("UpdateTrail", "GetTrail "),
        ("PutEventSelectors", "GetEventSelectors"),
        ("PutInsightSelectors", "GetInsightSelectors"),
    ] {
        let (clients, requests) = recording(|name, _| account(name));
        let lead = Lead { cause: Cause { what: what.into(), key: "e1".into() }, ..lead() };
        observe(&clients, &lead, Depth::Contain, &Settings::default()).await.unwrap().unwrap();
        let lines = requests.lock().unwrap().clone();
        assert!(lines.len() == 3 && lines.iter().any(|l| l.contains(read)), "{lines:?}");
    }
    let (_, lines) = observed(Depth::Full, |name, _| account(name)).await;
    assert_eq!(lines.len(), 9, "{lines:?}");
    assert!(lines.iter().any(|l| l.starts_with("kms.us-east-1.amazonaws.com DescribeKey")), "{lines:?}");
}

#[tokio::test]
async fn c10_the_whole_look_reads_what_deliveries_depend_on() {
    let (seen, _) = observed(Depth::Full, |name, _| account(name)).await;
    let trail = trail_of(&seen);
    assert_eq!(trail.errors.len(), 1);
    assert_eq!(trail.errors[0].to, Destination::Bucket);
    assert_eq!(trail.key.as_ref().unwrap().state, "PendingDeletion");
    let bucket = trail.bucket.as_ref().unwrap();
    assert_eq!(
        (bucket.policy, &bucket.shortest),
        (Some(Delivery::NotAllowed), &Some(("fast".to_owned(), 7)))
    );
    assert_eq!(trail.insights, Some(vec![]));
    assert_eq!(trail.stopped.unwrap().to_string(), "2025-11-02T09:30:00Z");
    for (status, state) in [(404, BucketState::Gone), (403, BucketState::Refused)] {
        let (seen, _) = observed(Depth::Full, move |name, _| match name {
            "HEAD" => Answer(status, vec![], String::new()),
            name => account(name),
        })
        .await;
        assert_eq!(trail_of(&seen).bucket.as_ref().unwrap().state, state);
    }
}

#[tokio::test]
async fn c9_a_deleted_trail_is_an_observation_and_not_gone() {
    let (seen, _) = observed(Depth::Contain, |name, _| match name {
        "ListTags" => refused("ResourceNotFoundException"),
        _ => refused("TrailNotFoundException"),
    })
    .await;
    assert_eq!(seen.seen, Seen::NoTrail);
}

#[tokio::test]
async fn c6_only_the_status_and_the_tags_are_needed() {
    let (seen, _) = observed(Depth::Full, |name, _| match name {
        "GetTrail" | "GetEventSelectors" | "GetInsightSelectors" => refused("AccessDeniedException"),
        name => account(name),
    })
    .await;
    assert!(!trail_of(&seen).logging);
    assert_eq!(seen.unread.len(), 3);
    assert!(seen.unread[0].contains("cloudtrail:GetTrail: AccessDeniedException"));
    for needed in ["GetTrailStatus", "ListTags"] {
        let (clients, _) =
            recording(
                move |name, _| {
                    if name == needed { refused("AccessDeniedException") } else { account(name) }
                },
            );
        assert!(observe(&clients, &lead(), Depth::Contain, &Settings::default()).await.is_err(), "{needed}");
    }
}

#[tokio::test]
async fn c6_an_answer_about_no_trail_is_no_answer() {
    let (seen, _) = observed(Depth::Full, |name, _| match name {
        "GetEventSelectors" | "GetInsightSelectors" => ok(&json!({})),
        name => account(name),
    })
    .await;
    assert_eq!(seen.unread.len(), 2, "{:?}", seen.unread);
    let (clients, _) = recording(|name, _| if name == "ListTags" { ok(&json!({})) } else { account(name) });
    assert!(observe(&clients, &lead(), Depth::Contain, &Settings::default()).await.is_err());
}

#[tokio::test]
async fn c3_nothing_is_asked_about_a_trail_of_another_account() {
    let (clients, requests) = recording(|name, _| account(name));
    let foreign = lead_of(Detail::Trail { arn: ARN.replace("111122223333", "999900009999") });
    let seen = observe(&clients, &foreign, Depth::Full, &Settings::default()).await.unwrap().unwrap();
    assert_eq!(seen.seen, Seen::Foreign);
    assert!(requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn c2_a_sweep_names_each_own_trail_of_every_region_and_each_store_page_by_page() {
    let (clients, requests) = recording(|name, before| match (name, before) {
        ("ListTrails", 0) => ok(&json!({"NextToken": "n", "Trails": [
            {"TrailARN": ARN, "Name": "audit", "HomeRegion": "eu-central-1"},
            {"TrailARN": "arn:aws:cloudtrail:us-east-1:999900009999:trail/org", "Name": "org", "HomeRegion": "us-east-1"}]})),
        ("ListTrails", _) => ok(&json!({"Trails": [
            {"TrailARN": "arn:aws:cloudtrail:us-east-1:111122223333:trail/global", "Name": "global", "HomeRegion": "us-east-1"}]})),
        _ => ok(&json!({"EventDataStores": [
            {"EventDataStoreArn": "arn:aws:cloudtrail:eu-central-1:111122223333:eventdatastore/8d1f9c3e", "Name": "lake"}]})),
    });
    let here = Place::new("111122223333", "eu-central-1");
    let leads: Vec<_> = sweep(&clients, &here).map(Result::unwrap).collect().await;
    let named: Vec<_> = leads.iter().map(|l| (l.subject.as_str(), l.place.region.as_str())).collect();
    assert_eq!(named, [("audit", "eu-central-1"), ("global", "us-east-1"), ("8d1f9c3e", "eu-central-1")]);
    assert_eq!(requests.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn c2_each_region_is_swept_once_and_what_has_a_baseline_is_looked_at_even_if_no_list_has_it() {
    let (clients, _) = recording(|_, _| ok(&json!({})));
    let raw = r#"{"account":"111122223333","settings":{"regions":["us-east-1","eu-central-1","us-east-1"]}}"#;
    let config = tourniquet::Config::parse(raw).unwrap();
    let here = Place::new("111122223333", "eu-central-1");
    let places = RestoreTrail::places(&clients, &here, &config).await.unwrap();
    assert_eq!(places, [here.clone(), Place::new("111122223333", "us-east-1")]);
    let known = RestoreTrail::known(&here, "audit").unwrap();
    assert_eq!((known.detail, known.cause), (Detail::Trail { arn: ARN.into() }, Cause::sweep()));
    assert_eq!(RestoreTrail::known(&here, "no name"), None);
}

#[tokio::test]
async fn c16_a_region_without_lake_has_no_stores() {
    let (clients, _) = recording(|name, _| match name {
        "ListTrails" => ok(&json!({"Trails": []})),
        _ => refused("UnsupportedOperationException"),
    });
    let here = Place::new("111122223333", "eu-central-1");
    assert_eq!(sweep(&clients, &here).count().await, 0);
}
