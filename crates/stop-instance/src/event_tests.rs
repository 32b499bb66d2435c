use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn parse(event: &Value) -> Event {
    Event::parse(&event.to_string()).unwrap()
}

fn fixture(path: &str) -> Value {
    let path = format!("{}/fixtures/{path}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn why(event: &Value, settings: &Settings) -> String {
    match subjects(&parse(event), settings).unwrap() {
        Subjects::Ignored { why } => why,
        other => panic!("{other:?}"),
    }
}

fn leads(event: &Value, settings: &Settings) -> Vec<Lead<Detail>> {
    match subjects(&parse(event), settings).unwrap() {
        Subjects::Named(leads) => leads,
        other => panic!("{other:?}"),
    }
}

fn pascal(value: Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(
            object.into_iter().map(|(k, v)| (k[..1].to_uppercase() + &k[1..], pascal(v))).collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(pascal).collect()),
        other => other,
    }
}

#[test]
fn e1_an_envelope_a_bare_finding_and_a_console_export_name_the_same() {
    let event = fixture("match/crypto-miner");
    let expected = leads(&event, &Settings::default());
    assert_eq!(expected[0].subject, "i-0a1b2c3d4e5f60718");
    assert_eq!(expected[0].place, Place::new("111122223333", "eu-central-1"));
    assert_eq!(expected[0].cause.what, "CryptoCurrency:EC2/BitcoinTool.B!DNS");
    assert_eq!(leads(&event["detail"], &Settings::default()), expected);
    assert_eq!(leads(&pascal(event["detail"].clone()), &Settings::default()), expected);
}

#[test]
fn e2_samples_are_ignored_unless_for_an_instance_named_in_the_settings() {
    let mut event = fixture("match/sample");
    event["detail"]["resource"]["instanceDetails"]["instanceId"] = json!("i-0a1b2c3d4e5f60718");
    assert!(why(&event, &Settings::default()).contains("sample"));
    let other = Settings { samples_on: vec!["i-0a1b2c3d4e5f60719".into()], ..Settings::default() };
    assert!(why(&event, &other).contains("sample"));
    let named = Settings { samples_on: vec!["i-0a1b2c3d4e5f60718".into()], ..Settings::default() };
    assert_eq!(leads(&event, &named).len(), 1);
}

#[test]
fn e2_archived_findings_are_ignored() {
    assert!(why(&fixture("ignore/archived"), &Settings::default()).contains("archived"));
}

#[test]
fn e3_severity_is_a_number_of_either_kind_up_to_ten() {
    for (severity, answered) in
        [("3.9", false), ("4", true), ("4.0", true), ("8", true), ("9.5", true), ("10", true)]
    {
        let mut event = fixture("match/crypto-miner");
        event["detail"]["severity"] = serde_json::from_str(severity).unwrap();
        let named = matches!(subjects(&parse(&event), &Settings::default()).unwrap(), Subjects::Named(_));
        assert_eq!(named, answered, "{severity}");
    }
}

#[test]
fn e4_an_unknown_type_is_ignored_and_says_so_whatever_its_severity() {
    let mut event = fixture("match/unknown-type");
    event["detail"]["severity"] = json!(10);
    let why = why(&event, &Settings::default());
    assert!(why.contains("Backdoor:EC2/NotYetInvented is not in `finding_types`"), "{why}");
}

#[test]
fn e6_victims_are_ignored_and_attackers_are_not() {
    assert!(
        why(&fixture("match/ssh-brute-force-victim"), &Settings { min_severity: 1.0, ..Settings::default() })
            .contains("TARGET")
    );
    assert_eq!(leads(&fixture("match/ssh-brute-force-actor"), &Settings::default()).len(), 1);
}

#[test]
fn e7_every_instance_of_an_attack_sequence_is_a_subject() {
    let named = leads(&fixture("match/attack-sequence"), &Settings::default());
    let ids: Vec<&str> = named.iter().map(|l| l.subject.as_str()).collect();
    assert_eq!(ids, ["i-0a1b2c3d4e5f60718", "i-0a1b2c3d4e5f60719"]);
}

#[test]
fn e7_findings_about_something_else_are_ignored_with_what_it_is() {
    let all = Settings {
        finding_types: vec!["*".into()],
        roles: vec!["ACTOR".into(), "TARGET".into()],
        ..Settings::default()
    };
    assert!(why(&fixture("ignore/access-key"), &all).contains("about AccessKey"));
    assert!(why(&fixture("ignore/eks-cluster"), &all).contains("about EKSCluster"));
    let mut event = fixture("match/crypto-miner");
    event["detail"]["resource"] = json!({"resourceType": "Instance"});
    assert!(why(&event, &all).contains("not about an instance"));
}

#[test]
fn e20_the_place_of_the_finding_wins_over_that_of_the_envelope() {
    let mut event = fixture("match/crypto-miner");
    event["account"] = json!("999988887777");
    event["region"] = json!("us-east-1");
    assert_eq!(leads(&event, &Settings::default())[0].place, Place::new("111122223333", "eu-central-1"));
    event["detail"]["accountId"].take();
    event["detail"]["region"].take();
    assert_eq!(leads(&event, &Settings::default())[0].place, Place::new("999988887777", "us-east-1"));
}

#[test]
fn g16_what_is_missing_or_wrong_is_named() {
    for (path, value, field) in [
        ("/detail/type", json!(null), "detail.type: missing"),
        ("/detail/severity", json!(null), "detail.severity: missing"),
        ("/detail/severity", json!("8"), "detail.severity: invalid type"),
        ("/detail/id", json!(null), "detail.id: missing"),
        (
            "/detail/resource/instanceDetails/instanceId",
            json!("i-../../x"),
            "detail.resource.instanceDetails.instanceId",
        ),
        ("/detail/resource", json!("x"), "detail.resource: invalid type"),
        ("/detail/service/resourceRole", json!(7), "detail.service.resourceRole: invalid type"),
    ] {
        let mut event = fixture("match/crypto-miner");
        *event.pointer_mut(path).unwrap() = value;
        let error = subjects(&parse(&event), &Settings::default()).unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
}

#[test]
fn e4_the_default_types_are_active_types_about_instances() {
    let list =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/guardduty-finding-types.tsv");
    let Ok(list) = std::fs::read_to_string(list) else { return };
    for kind in crate::settings::FINDING_TYPES {
        let line = list.lines().find(|l| l.split('\t').next() == Some(kind));
        let line = line.unwrap_or_else(|| panic!("{kind} is no finding type"));
        assert!(line.contains("\tactive\t"), "{line}");
        assert!(line.contains("EC2 instance") || line.contains("AttackSequence (EC2)"), "{line}");
    }
}

proptest! {
    #[test]
    fn e3_the_gate_is_the_same_for_any_severity_of_the_scale(severity in 1.0_f64..=10.0) {
        let mut event = fixture("match/crypto-miner");
        event["detail"]["severity"] = json!(severity);
        let named = matches!(subjects(&parse(&event), &Settings::default()).unwrap(), Subjects::Named(_));
        prop_assert_eq!(named, severity >= 4.0);
    }

    #[test]
    fn g16_any_field_may_be_anything_and_nothing_panics(
        path in prop::sample::select(vec!["/detail/type", "/detail/severity", "/detail/service", "/detail/resource",
            "/detail/service/additionalInfo", "/detail/service/action", "/detail/resource/instanceDetails", "/detail/id",
            "/detail/accountId", "/detail/service/archived", "/detail/title"]),
        value in prop_oneof![Just(json!(null)), Just(json!([])), Just(json!({})), Just(json!(true)), any::<f64>().prop_map(|n| json!(n)), ".{0,20}".prop_map(|s| json!(s))],
    ) {
        let mut event = fixture("match/attack-sequence");
        if let Some(place) = event.pointer_mut(path) { *place = value.clone(); }
        let _ = subjects(&parse(&event), &Settings::default());
        let mut event = fixture("match/crypto-miner");
        if let Some(place) = event.pointer_mut(path) { *place = value; }
        let _ = subjects(&parse(&event), &Settings::default());
    }
}
