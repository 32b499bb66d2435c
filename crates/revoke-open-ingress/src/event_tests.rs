use proptest::prelude::*;
use serde_json::{Value, json};
use tourniquet::Place;

use super::*;

fn config() -> Config<Settings> {
    Config::parse(
        r#"{"account":"111122223333","accounts":["444455556666"],"own_role":"arn:aws:iam::111122223333:role/tourniquet-revoke-open-ingress"}"#,
    )
    .unwrap()
}

fn read(event: &Value) -> Result<Subjects<Detail>, Error> {
    subjects(&Event::parse(&event.to_string()).unwrap(), &config(), "revoke-open-ingress")
}

fn fixture(path: &str) -> Value {
    let path = format!("{}/fixtures/{path}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn lead(event: &Value) -> Lead<Detail> {
    match read(event).unwrap() {
        Subjects::Named(leads) => {
            assert_eq!(leads.len(), 1, "one group is one subject, however many rules were changed");
            leads.into_iter().next().unwrap()
        }
        other => panic!("{other:?}"),
    }
}

fn why(event: &Value) -> String {
    match read(event).unwrap() {
        Subjects::Ignored { why } => why,
        other => panic!("{other:?}"),
    }
}

fn problem(event: &Value) -> String {
    read(event).unwrap_err().to_string()
}

const GROUP: &str = "sg-0a1b2c3d4e5f60718";

#[test]
fn r11_every_shape_of_a_call_names_its_group() {
    for name in [
        "ssh-opened",
        "rdp-opened",
        "rdp-opened-both-families",
        "flat-form",
        "rule-modified",
        "rules-modified",
        "group-created",
        "opened-by-cloudformation",
    ] {
        let event = fixture(&format!("match/{name}"));
        let lead = lead(&event);
        assert_eq!((lead.subject.as_str(), lead.detail), (GROUP, Detail::Group), "{name}");
        assert_eq!(lead.place, Place::new("111122223333", "eu-central-1"));
        assert_eq!(lead.cause.key, event["detail"]["eventID"]);
        // A bare record names the same.
        assert_eq!(super::tests::lead(&event["detail"]), lead);
    }
}

#[test]
fn r11_older_records_without_rules_in_the_answer_name_the_group_that_was_asked_for() {
    let mut event = fixture("match/ssh-opened");
    for answer in [json!({"_return": true}), Value::Null, json!({"securityGroupRuleSet": {}})] {
        event["detail"]["responseElements"] = answer;
        assert_eq!(lead(&event).subject, GROUP);
    }
}

#[test]
fn r11_a_group_by_name_is_its_id_where_aws_tells_it_and_a_name_to_be_looked_up_else() {
    let mut event = fixture("match/by-name");
    assert_eq!((lead(&event).subject.as_str(), lead(&event).detail), ("default", Detail::GroupName));
    event["detail"]["responseElements"] = fixture("match/ssh-opened")["detail"]["responseElements"].clone();
    assert_eq!((lead(&event).subject.as_str(), lead(&event).detail), (GROUP, Detail::Group));
}

#[test]
fn r5_a_prefix_list_that_changed_is_named_whatever_the_call() {
    for name in ["prefix-list-modified", "prefix-list-restored"] {
        let lead = lead(&fixture(&format!("match/{name}")));
        assert_eq!(
            (lead.subject.as_str(), lead.detail),
            ("pl-0a1b2c3d4e5f60718", Detail::PrefixList),
            "{name}"
        );
    }
}

#[test]
fn config_names_the_group_in_its_own_account_and_region() {
    let mut event = fixture("match/restricted-ssh");
    event["detail"]["awsAccountId"] = json!("444455556666");
    event["detail"]["awsRegion"] = json!("ap-southeast-2");
    let lead = lead(&event);
    assert_eq!((lead.subject.as_str(), lead.place), (GROUP, Place::new("444455556666", "ap-southeast-2")));
    assert_eq!(lead.cause.what, "restricted-ssh-conformance-pack-a1b2c3");
    assert!(why(&fixture("ignore/compliant-again")).contains("does not break"));
    assert!(why(&fixture("ignore/other-rule")).contains("not about a security group"));
}

#[test]
fn g12_the_owners_account_and_region_win_over_the_envelopes() {
    let mut event = fixture("match/ssh-opened");
    event["detail"]["recipientAccountId"] = json!("444455556666");
    event["detail"]["awsRegion"] = json!("us-gov-west-1");
    assert_eq!(lead(&event).place, Place::new("444455556666", "us-gov-west-1"));
}

#[test]
fn g1_a_call_that_failed_is_ignored() {
    assert!(why(&fixture("ignore/call-that-failed")).contains("Client.UnauthorizedOperation"));
}

#[test]
fn g6_our_own_call_is_ignored_and_a_humans_is_not() {
    let mut event = fixture("match/ssh-opened");
    event["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] =
        json!("arn:aws:iam::444455556666:role/tourniquet-revoke-open-ingress");
    assert!(why(&event).contains("own change"));
    event["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] =
        json!("arn:aws:iam::444455556666:role/operator");
    assert_eq!(lead(&event).subject, GROUP);
}

#[test]
fn g11_what_cloudformation_opens_is_answered_and_the_report_says_who() {
    let lead = lead(&fixture("match/opened-by-cloudformation"));
    assert!(lead.actor.to_string().contains("by cloudformation.amazonaws.com"), "{}", lead.actor);
}

#[test]
fn what_opens_no_group_is_ignored() {
    for name in ["egress-opened", "rule-revoked", "description-changed", "database-group-opened"] {
        assert!(why(&fixture(&format!("ignore/{name}"))).contains("opens no security group"), "{name}");
    }
    assert!(why(&fixture("ignore/ssh-brute-force")).contains("not about security groups"));
}

#[test]
fn g16_a_malformed_event_is_an_error_that_names_the_field() {
    let with = |path: &str, value: Value| {
        let mut event = fixture("match/ssh-opened");
        event["detail"]["responseElements"] = Value::Null;
        *event.pointer_mut(path).unwrap() = value;
        problem(&event)
    };
    assert!(
        with("/detail/requestParameters", Value::Null).contains("detail.requestParameters.groupId: missing")
    );
    assert!(
        with("/detail/requestParameters", json!([1])).contains("detail.requestParameters.groupId: missing")
    );
    assert!(
        with("/detail/requestParameters/groupId", json!(7))
            .contains("detail.requestParameters.groupId: expected a string")
    );
    for hostile in ["", "sg-", "sg-xyz", "i-0a1b2c3d", "sg-0a1b2c3d/../../x", "sg-0a1b2c3d\u{0}", "*", "sg-*"]
    {
        assert!(
            with("/detail/requestParameters/groupId", json!(hostile))
                .contains("is not the id of a security group"),
            "{hostile:?}"
        );
    }
    let mut list = fixture("match/prefix-list-modified");
    list["detail"]["requestParameters"]["ModifyManagedPrefixListRequest"]["PrefixListId"] = json!("pl-*");
    assert!(problem(&list).contains("is not the id of a prefix list"));
    list["detail"]["requestParameters"] = json!({});
    assert!(problem(&list).contains("detail.requestParameters.PrefixListId: missing"));
    let mut name = fixture("match/by-name");
    for hostile in [String::new(), "a\nb".into(), "x".repeat(256), "caf\u{e9}".into()] {
        name["detail"]["requestParameters"]["groupName"] = json!(hostile);
        assert!(problem(&name).contains("detail.requestParameters.groupName"), "{hostile:?}");
    }
    let mut compliance = fixture("match/restricted-ssh");
    compliance["detail"]["resourceId"] = json!("arn:aws:ec2:x");
    assert!(problem(&compliance).contains("detail.resourceId"));
    compliance["detail"]["newEvaluationResult"] = json!("NON_COMPLIANT");
    assert!(problem(&compliance).contains("detail.newEvaluationResult"));
}

proptest! {
    #[test]
    fn g16_no_shape_of_parameters_panics(key in "[a-zA-Z]{0,40}", inner in ".{0,40}", list in any::<bool>()) {
        let value = if list { json!([inner]) } else { json!({key.clone(): inner, "GroupId": inner}) };
        for name in ["AuthorizeSecurityGroupIngress", "ModifySecurityGroupRules", "ModifyManagedPrefixList"] {
            let mut event = fixture("match/ssh-opened");
            event["detail"]["eventName"] = json!(name);
            event["detail"]["responseElements"] = json!({key.clone(): value.clone()});
            event["detail"]["requestParameters"] = json!({key.clone(): value.clone(), format!("{name}Request"): value.clone()});
            let _ = read(&event);
        }
    }
}
