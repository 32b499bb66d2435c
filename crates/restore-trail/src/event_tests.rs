use proptest::prelude::*;
use serde_json::json;

use super::*;

fn config(text: &str) -> Config<Settings> {
    Config::parse(text).unwrap()
}

fn own() -> Config<Settings> {
    config(
        r#"{"account":"111122223333","own_role":"arn:aws:iam::111122223333:role/tourniquet-restore-trail"}"#,
    )
}

fn parse(event: &Value) -> Event {
    Event::parse(&event.to_string()).unwrap()
}

fn fixture(path: &str) -> Value {
    let path = format!("{}/fixtures/{path}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn why(event: &Value) -> String {
    match subjects(&parse(event), &own()).unwrap() {
        Subjects::Ignored { why } => why,
        other => panic!("{other:?}"),
    }
}

fn lead_in(event: &Value, config: &Config<Settings>) -> Lead<Detail> {
    match subjects(&parse(event), config).unwrap() {
        Subjects::Named(leads) => leads.into_iter().next().unwrap(),
        other => panic!("{other:?}"),
    }
}

fn lead(event: &Value) -> Lead<Detail> {
    lead_in(event, &own())
}

fn problem(event: &Value) -> String {
    subjects(&parse(event), &own()).unwrap_err().to_string()
}

#[test]
fn c1_a_trail_is_named_by_name_or_arn_in_two_parameters() {
    let arn = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/audit";
    for file in [
        "stop-logging",
        "stop-logging-by-arn",
        "delete-trail",
        "update-trail",
        "put-event-selectors",
        "put-insight-selectors",
    ] {
        let lead = lead(&fixture(&format!("match/{file}")));
        assert_eq!(lead.subject, "audit", "{file}");
        assert_eq!(lead.place, Place::new("111122223333", "eu-central-1"), "{file}");
        assert_eq!(lead.detail, Detail::Trail { arn: arn.into() }, "{file}");
    }
}

#[test]
fn c1_c2_the_home_region_is_the_arns_so_that_copies_elsewhere_are_one_trail() {
    let mut event = fixture("match/stop-logging");
    event["detail"]["requestParameters"]["name"] =
        json!("arn:aws:cloudtrail:us-east-1:111122223333:trail/audit");
    assert_eq!(lead(&event).place, Place::new("111122223333", "us-east-1"));
    event["detail"]["awsRegion"] = json!("ap-south-1");
    event["region"] = json!("ap-south-1");
    assert_eq!(lead(&event).place, Place::new("111122223333", "us-east-1"));
}

#[test]
fn c3_g12_an_organisations_trail_is_answered_in_its_account_if_that_is_ours_and_else_where_it_was_seen() {
    let mut event = fixture("match/stop-logging");
    let arn = "arn:aws:cloudtrail:us-east-1:444455556666:trail/org";
    event["detail"]["requestParameters"]["name"] = json!(arn);
    assert_eq!(lead(&event).place, Place::new("111122223333", "eu-central-1"));
    let hub = config(r#"{"account":"111122223333","accounts":["444455556666"]}"#);
    assert_eq!(lead_in(&event, &hub).place, Place::new("444455556666", "us-east-1"));
    assert_eq!(lead(&event).detail, Detail::Trail { arn: arn.into() });
}

#[test]
fn c5_g1_failed_attacks_on_trails_are_counted_and_other_failed_calls_ignored() {
    let counted = subjects(&parse(&fixture("match/stop-logging-denied")), &own()).unwrap();
    let Subjects::Attempted { account, why: said } = counted else { panic!("{counted:?}") };
    assert_eq!(account, "111122223333");
    assert!(
        said.contains("StopLogging of audit failed (AccessDenied)") && said.contains("mallory"),
        "{said}"
    );
    for file in ["delete-bucket", "disable-key"] {
        let mut event = fixture(&format!("match/{file}"));
        event["detail"]["errorCode"] = json!("AccessDenied");
        assert!(why(&event).contains("changed nothing"), "{file}");
    }
    let mut nameless = fixture("match/stop-logging-denied");
    nameless["detail"]["requestParameters"] = Value::Null;
    assert!(matches!(subjects(&parse(&nameless), &own()).unwrap(), Subjects::Attempted { .. }));
}

#[test]
fn g6_our_own_changes_are_ignored_failed_ones_too() {
    let issuer = json!({"arn": "arn:aws:iam::111122223333:role/tourniquet-restore-trail"});
    for file in ["update-trail", "put-event-selectors", "stop-logging-denied"] {
        let mut event = fixture(&format!("match/{file}"));
        event["detail"]["userIdentity"]["sessionContext"] = json!({ "sessionIssuer": issuer });
        assert!(why(&event).contains("own change"), "{file}");
    }
}

#[test]
fn c6_g11_who_did_it_may_be_root_a_service_or_nobody() {
    for identity in [
        json!({"type": "Root", "principalId": "111122223333", "arn": "arn:aws:iam::111122223333:root"}),
        json!({"type": "AWSService", "invokedBy": "cloudformation.amazonaws.com"}),
        json!({"type": "SAMLUser"}),
        json!({}),
    ] {
        let mut event = fixture("match/stop-logging");
        event["detail"]["userIdentity"] = identity;
        assert_eq!(lead(&event).subject, "audit");
    }
    let mut event = fixture("match/stop-logging");
    event["detail"].as_object_mut().unwrap().remove("userIdentity");
    assert_eq!(lead(&event).subject, "audit");
}

#[test]
fn c10_buckets_and_keys_are_their_own_subjects() {
    for file in ["delete-bucket", "put-bucket-policy", "delete-bucket-policy", "put-bucket-lifecycle"] {
        let lead = lead(&fixture(&format!("match/{file}")));
        assert_eq!((lead.subject.as_str(), lead.detail), ("audit-logs", Detail::Bucket), "{file}");
    }
    for file in ["disable-key", "schedule-key-deletion"] {
        let lead = lead(&fixture(&format!("match/{file}")));
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        assert_eq!((lead.subject.as_str(), lead.detail), (id, Detail::Key), "{file}");
    }
}

#[test]
fn c16_an_event_data_store_is_named_by_its_id() {
    let lead = lead(&fixture("match/stop-ingestion"));
    assert_eq!(lead.subject, "8d1f9c3e-1b2a-4c5d-8e6f-7a8b9c0d1e2f");
    let mut insights = fixture("match/put-insight-selectors");
    insights["detail"]["requestParameters"] = json!({"eventDataStore": lead.subject, "insightSelectors": []});
    assert!(why(&insights).contains("changes no trail"));
}

#[test]
fn findings_name_the_trail_or_the_bucket_of_logs() {
    let mut event = fixture("match/logging-disabled");
    assert_eq!(lead(&event).subject, "audit");
    assert_eq!(lead(&event).cause.what, FINDING);
    assert_eq!(lead(&event["detail"]).subject, "audit");
    event["detail"]["service"]["action"]["awsApiCallAction"]["affectedResources"] =
        json!({"AWS::S3::Bucket": "audit-logs"});
    assert_eq!(lead(&event).detail, Detail::Bucket);
    assert!(why(&fixture("match/logging-disabled-sample")).contains("sample"));
    assert!(why(&fixture("ignore/logging-disabled-archived")).contains("archived"));
    assert!(why(&fixture("ignore/password-policy-change")).contains("not answered"));
    event["detail"]["service"]["action"] = json!({});
    assert!(problem(&event).contains("affectedResources: names neither"));
}

#[test]
fn what_starts_or_creates_is_ignored() {
    for file in
        ["start-logging", "create-trail", "put-bucket-acl", "enable-key", "stop-configuration-recorder"]
    {
        assert!(why(&fixture(&format!("ignore/{file}"))).contains("changes no trail"), "{file}");
    }
}

#[test]
fn g16_a_malformed_name_is_an_error_that_names_the_field() {
    for (file, parameter, value) in [
        ("stop-logging", "name", json!(7)),
        ("stop-logging", "name", json!("a/../b")),
        ("put-insight-selectors", "trailName", json!("x")),
        ("stop-ingestion", "eventDataStore", json!("arn:aws:s3:::x")),
        ("delete-bucket", "bucketName", json!(null)),
        ("disable-key", "keyId", json!("alias/logs")),
    ] {
        let mut event = fixture(&format!("match/{file}"));
        event["detail"]["requestParameters"][parameter] = value;
        let error = problem(&event);
        assert!(error.contains(&format!("detail.requestParameters.{parameter}: ")), "{error}");
    }
    let mut event = fixture("match/stop-logging");
    event["detail"]["requestParameters"] = json!(null);
    assert!(problem(&event).contains("detail.requestParameters.name: missing"));
}

/// Recorded events of others, where they are there: `TOURNIQUET_EVENTS` names the folder.
#[test]
fn c1_recorded_events_name_their_trails() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/events");
    let folder = std::env::var("TOURNIQUET_EVENTS").unwrap_or_else(|_| beside.to_owned());
    let Ok(entries) = std::fs::read_dir(&folder) else { return };
    let mut seen = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let recorded = name.starts_with("cloudtrail-") && !name.contains("streamalert");
        if !recorded || name.starts_with("cloudtrail-other") {
            continue;
        }
        let raw = std::fs::read_to_string(&path).unwrap();
        let event = Event::parse(&raw).unwrap();
        let named = subjects(&event, &own());
        // The regions of some were made up when they were anonymised: then the ARN of the answer does not fit.
        match named.unwrap_or_else(|error| panic!("{name}: {error}")) {
            Subjects::Named(leads) => assert!(!leads[0].subject.is_empty(), "{name}"),
            Subjects::Attempted { why, .. } => assert!(why.contains("TrailNotFound"), "{name}: {why}"),
            Subjects::Ignored { why } => panic!("{name}: {why}"),
        }
        seen += 1;
    }
    assert!(seen >= 8, "only {seen} recorded events");
}

proptest! {
    #[test]
    fn g16_any_field_may_be_anything_and_nothing_panics(
        path in prop::sample::select(vec!["/detail/requestParameters", "/detail/requestParameters/name", "/detail/userIdentity",
            "/detail/eventSource", "/detail/eventName", "/detail/responseElements", "/detail/awsRegion", "/detail/type",
            "/detail/recipientAccountId", "/detail/errorCode", "/detail/service", "/detail/service/action", "/account"]),
        value in prop_oneof![Just(json!(null)), Just(json!([])), Just(json!({})), Just(json!(true)), any::<f64>().prop_map(|n| json!(n)), ".{0,20}".prop_map(|s| json!(s))],
    ) {
        for file in ["match/stop-logging", "match/update-trail", "match/delete-bucket", "match/disable-key", "match/logging-disabled"] {
            let mut event = fixture(file);
            if let Some(place) = event.pointer_mut(path) { *place = value.clone(); }
            if let Ok(event) = Event::parse(&event.to_string()) { let _ = subjects(&event, &own()); }
        }
    }
}
