use proptest::prelude::*;
use serde_json::{Value, json};
use tourniquet::error::Error;

use super::*;

fn fixture(path: &str) -> Value {
    let path = format!("{}/fixtures/{path}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn config() -> Config<Settings> {
    Config::parse(
        r#"{"account":"111122223333","own_role":"arn:aws:iam::111122223333:role/tourniquet-block-public-bucket"}"#,
    )
    .unwrap()
}

fn asked(event: &Value) -> Result<Subjects<Detail>, Error> {
    subjects(&Event::parse(&event.to_string()).unwrap(), &config())
}

fn leads(event: &Value) -> Vec<Lead<Detail>> {
    match asked(event).unwrap() {
        Subjects::Named(leads) => leads,
        other => panic!("{other:?}"),
    }
}

fn why(event: &Value) -> String {
    match asked(event).unwrap() {
        Subjects::Ignored { why } => why,
        other => panic!("{other:?}"),
    }
}

fn names(event: &Value) -> Vec<String> {
    leads(event).into_iter().map(|lead| lead.subject).collect()
}

fn home() -> Place {
    Place::new("111122223333", "eu-central-1")
}

#[test]
fn every_call_that_can_make_a_bucket_public_names_it() {
    for name in [
        "create-access-point",
        "create-bucket",
        "delete-bucket-public-access-block",
        "put-bucket-acl",
        "put-bucket-ownership-controls",
        "put-bucket-policy",
        "put-bucket-public-access-block",
    ] {
        let found = leads(&fixture(&format!("match/{name}")));
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(
            (found[0].subject.as_str(), &found[0].detail),
            ("customer-exports", &Detail::Bucket),
            "{name}"
        );
        assert_eq!(found[0].place, home(), "{name}");
        let actor = found[0].actor.to_string();
        assert!(actor.contains("developer/eve") && actor.contains("198.51.100.7"), "{name}: {actor}");
    }
}

#[test]
fn s11_a_new_bucket_is_where_its_constraint_says() {
    let mut event = fixture("match/create-bucket");
    assert_eq!(
        (event["detail"]["awsRegion"].as_str(), leads(&event)[0].place.clone()),
        (Some("us-east-1"), home())
    );
    for (constraint, region) in
        [("EU", "eu-west-1"), ("ap-northeast-1", "ap-northeast-1"), ("../x", "us-east-1")]
    {
        event["detail"]["requestParameters"]["CreateBucketConfiguration"]["LocationConstraint"] =
            json!(constraint);
        assert_eq!(leads(&event)[0].place.region, region);
    }
}

#[test]
fn s13_the_accounts_block_is_a_subject_of_its_own() {
    for name in
        ["delete-account-public-access-block", "put-account-public-access-block", "guardduty-account-block"]
    {
        let found = leads(&fixture(&format!("match/{name}")));
        assert_eq!(
            (found[0].subject.as_str(), &found[0].detail),
            ("111122223333", &Detail::Account),
            "{name}"
        );
    }
}

#[test]
fn s20_an_access_point_is_its_bucket_where_the_event_names_it() {
    let mut event = fixture("match/put-access-point-policy");
    let found = leads(&event);
    assert_eq!(found[0].detail, Detail::Point { name: "front".into() });
    assert_eq!(found[0].subject, "accesspoint/front");
    event["detail"]["requestParameters"]["name"].take();
    assert_eq!(leads(&event)[0].subject, "accesspoint/front", "from the record's list of resources");
    event["detail"]["requestParameters"] = json!({"bucket": "customer-exports"});
    assert_eq!(leads(&event)[0].detail, Detail::Bucket);
    event["detail"]["requestParameters"] = json!({"name": "../../x"});
    assert!(asked(&event).unwrap_err().to_string().contains("detail.requestParameters.name"));
}

#[test]
fn s7_a_grant_in_an_event_may_be_an_object_or_a_list() {
    let mut event = fixture("match/put-bucket-acl");
    let list = "AccessControlPolicy";
    let one = event["detail"]["requestParameters"][list]["AccessControlList"]["Grant"].clone();
    for grants in [json!([one]), json!([]), Value::Null, json!("x")] {
        event["detail"]["requestParameters"][list]["AccessControlList"]["Grant"] = grants;
        assert_eq!(names(&event), ["customer-exports"]);
    }
}

#[test]
fn null_parameters_name_no_bucket_unless_the_resources_do() {
    let mut event = fixture("match/create-bucket-without-parameters");
    assert!(why(&event).contains("names no bucket; the sweep will find it"));
    event["detail"]["resources"] =
        json!([{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::customer-exports"}]);
    assert_eq!(names(&event), ["customer-exports"]);
}

#[test]
fn s10_other_kinds_of_buckets_are_skipped_and_named() {
    for (text, kind) in [
        ("fast--euc1-az1--x-s3", "a directory bucket"),
        ("rows--table-s3", "a table bucket"),
        ("front-abc-s3alias", "the alias of an access point"),
        ("arn:aws:s3express:eu-central-1:111122223333:bucket/fast--euc1-az1--x-s3", "a directory bucket"),
        ("arn:aws:s3tables:eu-central-1:111122223333:bucket/rows", "a table bucket"),
        ("arn:aws:s3vectors:eu-central-1:111122223333:bucket/vectors", "a vector bucket"),
    ] {
        let mut event = fixture("match/access-analyzer");
        event["detail"]["resource"] = json!(text);
        assert!(why(&event).contains(kind), "{text}: {}", why(&event));
    }
}

#[test]
fn s17_each_bucket_of_configs_evaluations_is_a_subject_whatever_the_words() {
    let mut event = fixture("match/config-evaluations");
    assert_eq!(names(&event), ["customer-exports", "backups-of-hr"]);
    for evaluation in event["detail"]["requestParameters"]["evaluations"].as_array_mut().unwrap() {
        evaluation["annotation"] = json!(null);
    }
    assert_eq!(names(&event).len(), 2);
    event["detail"]["additionalEventData"]["managedRuleIdentifier"] = json!("S3_BUCKET_LOGGING_ENABLED");
    assert!(why(&event).contains("not about public buckets"));
}

#[test]
fn s17_a_rule_is_known_by_the_beginning_of_its_name_and_compliance_is_ignored() {
    for name in ["config-public-read", "config-public-write"] {
        let event = fixture(&format!("match/{name}"));
        assert_eq!(names(&event), ["customer-exports"]);
    }
    assert!(why(&fixture("ignore/config-compliant")).contains("complies"));
    assert!(why(&fixture("ignore/config-other-rule")).contains("not about public buckets"));
}

#[test]
fn s18_every_bucket_of_a_finding_is_a_subject_once() {
    let mut event = fixture("match/guardduty-two-buckets");
    assert_eq!(names(&event), ["customer-exports", "backups-of-hr"]);
    let details = &mut event["detail"]["resource"]["s3BucketDetails"];
    let again = details[0].clone();
    details.as_array_mut().unwrap().push(again);
    details.as_array_mut().unwrap().push(json!({"name": "fast--euc1-az1--x-s3"}));
    assert_eq!(names(&event), ["customer-exports", "backups-of-hr"]);
    let mut event = fixture("match/macie-public");
    assert_eq!(names(&event), ["customer-exports"]);
    event["detail"]["resourcesAffected"]["s3Bucket"] =
        json!([{"name": "one-bucket"}, {"name": "another-bucket"}]);
    assert_eq!(names(&event), ["one-bucket", "another-bucket"]);
}

#[test]
fn findings_that_are_archived_samples_or_about_something_else_are_ignored() {
    let sample = |path: [&str; 3]| {
        let mut event = fixture(path[0]);
        event["detail"][path[1]][path[2]] = json!(true);
        why(&event)
    };
    assert!(sample(["match/guardduty-two-buckets", "service", "archived"]).contains("archived"));
    let mut event = fixture("match/guardduty-two-buckets");
    event["detail"]["service"]["additionalInfo"] = json!({"sample": true});
    assert!(why(&event).contains("sample"));
    let mut event = fixture("match/macie-public");
    event["detail"]["sample"] = json!(true);
    assert!(why(&event).contains("sample"));
    for (name, expected) in [
        ("guardduty-exfiltration", "not about public buckets"),
        ("macie-shared-externally", "not about public access"),
        ("macie-archived", "archived"),
        ("macie-classic-alert", "nothing that this function answers"),
        ("access-analyzer-cross-account", "not with the public"),
        ("access-analyzer-resolved", "not active"),
        ("access-analyzer-role", "is no bucket"),
        ("trusted-advisor-ok", "OK"),
        ("trusted-advisor-exposed-keys", "not about public buckets"),
        ("put-object-acl", "cannot make a bucket public"),
    ] {
        let why = why(&fixture(&format!("ignore/{name}")));
        assert!(why.contains(expected), "{name}: {why}");
    }
}

#[test]
fn g3_trusted_advisor_speaks_in_us_east_1_of_buckets_in_any_region() {
    let mut event = fixture("match/trusted-advisor");
    assert_eq!(
        (event["region"].as_str(), event["detail"]["resource_id"].as_str()),
        (Some("us-east-1"), Some(""))
    );
    assert_eq!(
        (names(&event), leads(&event)[0].place.clone()),
        (vec!["customer-exports".to_owned()], home())
    );
    event["detail"]["check-item-detail"] = json!({"Region": "x"});
    event["detail"]["resource_id"] = json!("arn:aws:s3:::customer-exports");
    let found = leads(&event);
    assert_eq!(
        (found[0].subject.as_str(), found[0].place.region.as_str()),
        ("customer-exports", "us-east-1")
    );
}

#[test]
fn g1_failed_calls_changed_nothing() {
    let why = why(&fixture("ignore/failed-put-bucket-policy"));
    assert!(why.contains("PutBucketPolicy failed (AccessDenied)"), "{why}");
}

#[test]
fn g6_our_own_change_is_ignored() {
    let mut event = fixture("match/put-bucket-public-access-block");
    event["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] =
        json!("arn:aws:iam::111122223333:role/tourniquet-block-public-bucket");
    assert!(why(&event).contains("own change"));
}

#[test]
fn g11_calls_of_aws_services_are_answered_and_said() {
    let mut event = fixture("match/put-bucket-policy");
    event["detail"]["userIdentity"] =
        json!({"type": "AWSService", "invokedBy": "cloudformation.amazonaws.com"});
    let actor = leads(&event)[0].actor.to_string();
    assert_eq!(actor, "from 198.51.100.7, by cloudformation.amazonaws.com, with aws-cli/2.31.0");
}

#[test]
fn g12_the_owners_account_and_region_win_over_the_envelopes() {
    let owner = Place::new("444455556666", "ap-northeast-1");
    let mut api = fixture("match/put-bucket-policy");
    api["detail"]["recipientAccountId"] = json!(owner.account);
    api["detail"]["awsRegion"] = json!(owner.region);
    let mut rule = fixture("match/config-public-read");
    rule["detail"]["awsAccountId"] = json!(owner.account);
    rule["detail"]["awsRegion"] = json!(owner.region);
    for name in ["guardduty-two-buckets", "macie-public", "access-analyzer"] {
        let mut finding = fixture(&format!("match/{name}"));
        finding["detail"]["accountId"] = json!(owner.account);
        finding["detail"]["region"] = json!(owner.region);
        assert_eq!(leads(&finding)[0].place, owner, "{name}");
    }
    assert_eq!((&leads(&api)[0].place, &leads(&rule)[0].place), (&owner, &owner));
}

#[test]
fn g13_buckets_of_every_partition_are_read_from_their_arns() {
    for partition in ["aws", "aws-cn", "aws-us-gov", "aws-eusc"] {
        let mut event = fixture("match/access-analyzer");
        event["detail"]["resource"] = json!(format!("arn:{partition}:s3:::customer-exports"));
        assert_eq!(names(&event), ["customer-exports"]);
    }
}

#[test]
fn g16_what_is_no_name_is_an_error_that_names_the_field() {
    for name in
        ["", "a", "../secrets", "a/b", "x?acl", "x\u{0}y", "ünicode", "a..b", ".hidden", &"x".repeat(256)]
    {
        let mut event = fixture("match/put-bucket-policy");
        event["detail"]["requestParameters"]["bucketName"] = json!(name);
        let problem = asked(&event).unwrap_err().to_string();
        assert!(problem.contains("detail.requestParameters.bucketName"), "{name:?}: {problem}");
    }
    let mut event = fixture("match/put-bucket-policy");
    event["detail"]["requestParameters"]["bucketName"] = json!(7);
    assert!(asked(&event).unwrap_err().to_string().contains("bucketName: 7 is not a text"));
    for (name, path) in [("macie-public", "detail.id"), ("access-analyzer", "detail.status")] {
        let mut event = fixture(&format!("match/{name}"));
        event["detail"][path.trim_start_matches("detail.")] = json!([1]);
        assert!(asked(&event).unwrap_err().to_string().contains(path), "{name}");
    }
}

#[test]
fn old_names_with_capitals_and_underscores_are_names() {
    for name in ["Old_Bucket.2009", "abc", "a.b-c", &"x".repeat(255)] {
        let mut event = fixture("match/put-bucket-policy");
        event["detail"]["requestParameters"]["bucketName"] = json!(name);
        assert_eq!(names(&event), [name]);
    }
}

#[test]
fn every_delivery_of_one_event_has_the_same_cause() {
    for entry in std::fs::read_dir(format!("{}/fixtures/match", env!("CARGO_MANIFEST_DIR"))).unwrap() {
        let path = entry.unwrap().path();
        let event: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(asked(&event).unwrap(), asked(&event).unwrap());
    }
}

/// A fixture in which some value was replaced by any other.
fn mutated() -> impl Strategy<Value = Value> {
    let names = [
        "put-bucket-policy",
        "config-evaluations",
        "guardduty-two-buckets",
        "macie-public",
        "trusted-advisor",
        "put-access-point-policy",
    ];
    let fixtures: Vec<Value> = names.iter().map(|name| fixture(&format!("match/{name}"))).collect();
    let other = prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!(7)),
        Just(json!(true)),
        ".{0,12}".prop_map(|text| json!(text))
    ];
    (prop::sample::select(fixtures), other, any::<prop::sample::Index>()).prop_map(
        |(mut event, other, index)| {
            let mut pointers = Vec::new();
            pointers_of(&event["detail"], "/detail", &mut pointers);
            *event.pointer_mut(&pointers[index.index(pointers.len())]).unwrap() = other;
            event
        },
    )
}

fn pointers_of(value: &Value, at: &str, out: &mut Vec<String>) {
    let mut inside = |key: &str, value: &Value| {
        let path = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        out.push(path.clone());
        pointers_of(value, &path, out);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| inside(key, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(n, value)| inside(&n.to_string(), value)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn g16_no_event_panics_or_names_what_is_no_bucket(event in mutated()) {
        if let Ok(event) = Event::parse(&event.to_string())
            && let Ok(Subjects::Named(leads)) = subjects(&event, &config())
        {
            for lead in leads {
                let name = lead.subject.trim_start_matches("accesspoint/");
                prop_assert!(!name.contains(['/', '?', '#', '%']) && !name.contains(".."), "{}", lead.subject);
            }
        }
    }
}
