//! Recorded attacks with what they attacked: the resource of the event stands in the account as the attack left it, and the
//! function answers the very event. What only says where is moved into the drill's account: account, region, a group's id.

use drill::account::Account;
use drill::running::{Running, outcomes};
use drill::scenario::Scenario;
use drill::tools::Tools;
use serde_json::{Value, json};

use super::{HOME, recorded};

/// One recorded event, and how its answer must end.
struct Attack {
    file: &'static str,
    function: &'static str,
    /// What was there, step by step.
    given: Value,
    /// What the event tells of, done; after a first sweep, from which a function may know what was there before.
    done: Value,
    outcome: &'static str,
}

fn group(rule: &Value) -> (Value, Value) {
    let given = json!([
        {"call": "ec2.create_security_group", "with": {"GroupName": "web", "Description": "web"}, "save": {"group": "GroupId"}}
    ]);
    let done = json!([{"call": "ec2.authorize_security_group_ingress", "with": {"GroupId": "${group}", "IpPermissions": [rule]}}]);
    (given, done)
}

fn bucket(name: &str, done: Value) -> (Value, Value) {
    let place = json!({"LocationConstraint": "eu-central-1"});
    let given = json!([
        {"call": "s3.create_bucket", "with": {"Bucket": name, "CreateBucketConfiguration": place}},
        {"call": "s3.delete_public_access_block", "with": {"Bucket": name}}
    ]);
    (given, done)
}

fn policy(bucket: &str, action: &str, resource: &str) -> Value {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": action, "Resource": resource}
    ]});
    json!({"call": "s3.put_bucket_policy", "with": {"Bucket": bucket, "Policy": policy.to_string()}})
}

fn trail(name: &str, done: Value) -> (Value, Value) {
    let given = json!([
        {"call": "s3.create_bucket", "with": {"Bucket": "audit-logs", "CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}}},
        {"call": "s3.put_bucket_policy", "with": {"Bucket": "audit-logs", "Policy": "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Principal\": {\"Service\": \"cloudtrail.amazonaws.com\"}, \"Action\": \"s3:PutObject\", \"Resource\": \"arn:aws:s3:::audit-logs/*\"}]}"}},
        {"call": "cloudtrail.create_trail", "with": {"Name": name, "S3BucketName": "audit-logs", "IsMultiRegionTrail": true}},
        {"call": "cloudtrail.start_logging", "with": {"Name": name}}
    ]);
    (given, done)
}

fn attacks() -> Vec<Attack> {
    let ssh =
        json!({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]});
    let blind = json!([{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": false, "DataResources": []}]);
    let stop = |name: &str| json!([{"call": "cloudtrail.stop_logging", "with": {"Name": name}}]);
    let selectors = |name: &str| json!([{"call": "cloudtrail.put_event_selectors", "with": {"TrailName": name, "EventSelectors": blind}}]);
    let delete = |name: &str| json!([{"call": "cloudtrail.delete_trail", "with": {"Name": name}}]);
    let single = json!([{"call": "cloudtrail.update_trail", "with": {"Name": "management-events", "IsMultiRegionTrail": false}}]);
    let read = |name: &str| policy(name, "s3:GetObject", &format!("arn:aws:s3:::{name}/*"));
    let all = [
        ("sg-authorizeingress__panther__2", "revoke-open-ingress", group(&ssh), "contained"),
        ("sg-authorizeingress__stratus__1", "revoke-open-ingress", group(&ssh), "contained"),
        (
            "s3-putbucketpolicy__panther__1",
            "block-public-bucket",
            bucket(
                "example-bucket",
                json!([policy("example-bucket", "s3:GetBucketAcl", "arn:aws:s3:::example-bucket")]),
            ),
            "contained",
        ),
        (
            "s3-putbucketpolicy__streamalert__1",
            "block-public-bucket",
            bucket("test", json!([read("test")])),
            "contained",
        ),
        (
            "s3-publicaccessblock__panther__1",
            "block-public-bucket",
            bucket("corporate-documents", json!([read("corporate-documents")])),
            "contained",
        ),
        (
            "s3-publicaccessblock__panther__3",
            "block-public-bucket",
            bucket("corporate-documents", json!([])),
            "already-safe",
        ),
        ("s3-putbucketacl__panther__1", "block-public-bucket", bucket("bucket", json!([])), "already-safe"),
        (
            "cloudtrail-stoplogging__panther__1",
            "restore-trail",
            trail("example-trail", stop("example-trail")),
            "contained",
        ),
        (
            "cloudtrail-stoplogging__stratus__1",
            "restore-trail",
            trail(
                "stratus-red-team-ct-stop-trail-buykxbqejv",
                stop("stratus-red-team-ct-stop-trail-buykxbqejv"),
            ),
            "contained",
        ),
        (
            "cloudtrail-puteventselectors__panther__1",
            "restore-trail",
            trail("sample-cloudtrail-name", selectors("sample-cloudtrail-name")),
            "contained",
        ),
        (
            "cloudtrail-puteventselectors__stratus__1",
            "restore-trail",
            trail(
                "stratus-red-team-ctes-trail-khlvciwdor",
                selectors("stratus-red-team-ctes-trail-khlvciwdor"),
            ),
            "contained",
        ),
        (
            "cloudtrail-updatetrail__panther__1",
            "restore-trail",
            trail("management-events", single),
            "contained",
        ),
        (
            "cloudtrail-deletetrail__panther__1",
            "restore-trail",
            trail("example-trail", delete("example-trail")),
            "contained",
        ),
        (
            "cloudtrail-deletetrail__stratus__1",
            "restore-trail",
            trail(
                "stratus-red-team-cloudtraild-trail-kvrwohmiai",
                delete("stratus-red-team-cloudtraild-trail-kvrwohmiai"),
            ),
            "contained",
        ),
    ];
    let attack = |(file, function, (given, done), outcome)| Attack { file, function, given, done, outcome };
    all.into_iter().map(attack).collect()
}

#[tokio::test]
async fn recorded_attacks_are_answered_as_what_they_did_to_the_account() {
    let Some(events) = recorded() else { return };
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut wrong = Vec::new();
    for attack in attacks() {
        let event = moved(&events[attack.file]);
        let running = Running::on_stage(&tools, &account, &scenario(&attack, &event)).await.unwrap();
        let schedule = json!({"detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": {}});
        let before = running.function.invoke(&schedule).await.unwrap();
        assert!(before.error.is_none(), "{}: {:?}", attack.file, before.log);
        for step in attack.done.as_array().unwrap() {
            running.see(step["call"].as_str().unwrap(), step["with"].clone(), "@").await.unwrap();
        }
        let ended = running.deliver().await.unwrap();
        if outcomes(&ended) != [attack.outcome] {
            wrong.push(format!("{}: not {}: {:?}", attack.file, attack.outcome, ended.log));
        }
        running.stop().await.unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn scenario(attack: &Attack, event: &Value) -> Scenario {
    let scenario = json!({
        "title": "", "story": [], "function": attack.function, "config": {"mode": "enforce"}, "given": attack.given,
        "event": {"inline": event}, "expect": {"outcome": attack.outcome}
    });
    serde_json::from_value(scenario).unwrap()
}

/// The event, with the drill's account and region in the place of its own, and `${group}` for a group's id.
fn moved(event: &Value) -> Value {
    let own = |field: &str| event[field].as_str().unwrap_or_else(|| panic!("{field} is missing")).to_owned();
    let mut text = event
        .to_string()
        .replace(&own("recipientAccountId"), HOME)
        .replace(&own("awsRegion"), "eu-central-1");
    if let Some(group) = event["requestParameters"]["groupId"].as_str() {
        text = text.replace(group, "${group}");
    }
    serde_json::from_str(&text).unwrap()
}
