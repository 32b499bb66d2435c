//! `tourniquet explain`, as a process.

#![cfg(test)]

#[path = "common/process.rs"]
mod process;

use std::path::{Path, PathBuf};
use std::time::Duration;

use drill::account::Account;
use drill::blueprint::Blueprint;
use drill::fault::{At, Fault, Kind};
use drill::proxy::Proxy;
use drill::scenario::{self, Scenario};
use drill::stage::Stage;
use drill::tools::Tools;
use process::{Ended, run};
use serde_json::{Value, json};

fn fixture(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    assert!(path.exists(), "{}", path.display());
    path
}

async fn offline(arguments: &[&str], input: &str) -> Ended {
    run(None, &[&["explain"], arguments].concat(), input).await
}

#[tokio::test]
async fn an_event_is_told_by_its_trigger_its_subject_and_what_may_be_read_of_it() {
    let path = fixture("restore-trail/fixtures/match/stop-logging.json");
    let ended = offline(&[path.to_str().unwrap()], "").await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    let event: Value = scenario::read(&path).unwrap();
    let trail = event["detail"]["requestParameters"]["name"].as_str().unwrap();
    for told in [
        "Matched by cloudtrail. Configuration: the defaults.",
        &format!("Subject {trail} in 111122223333/"),
        "cause  StopLogging",
        "cloudtrail:GetTrailStatus",
        "Any trail, that of the organisation among them",
    ] {
        assert!(ended.out.contains(told), "{told}: {}", ended.out);
    }
    // Only its own function is matched; the others say which field differs, or that they have no triggers.
    assert_eq!(ended.out.matches("Matched by").count(), 1);
    assert!(
        ended.out.contains("source\n      wanted: \"aws.s3\"\n      is:     \"aws.cloudtrail\""),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("only a schedule, cron(0 9 * * ? *)"), "{}", ended.out);
    assert!(!ended.out.contains("cloudtrail:StartLogging"), "a change is told as a read: {}", ended.out);
}

#[tokio::test]
async fn a_look_alike_is_told_by_the_field_that_differs() {
    for (room, file, field, is) in [
        ("block-public-bucket", "guardduty-archived.json", "detail.service.archived", "true"),
        ("block-public-bucket", "failed-put-bucket-policy.json", "detail.errorCode", "\"AccessDenied\""),
        ("revoke-open-ingress", "rule-revoked.json", "detail.eventName", "\"RevokeSecurityGroupIngress\""),
    ] {
        let path = fixture(&format!("{room}/fixtures/ignore/{file}"));
        let ended = offline(&[path.to_str().unwrap(), "--function", room, "--json"], "").await;
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        let told: Value = serde_json::from_str(&ended.out).unwrap();
        let one = &told["functions"][0];
        assert_eq!((told["functions"].as_array().unwrap().len(), &one["function"]), (1, &json!(room)));
        assert_eq!((&one["triggers"], &one["subjects"]), (&json!([]), &json!([])));
        let differences = one["nearest"]["differences"].as_array().unwrap();
        assert_eq!(differences.len(), 1, "{file}: {differences:?}");
        assert_eq!((&differences[0]["field"], &differences[0]["has"]), (&json!(field), &json!(is)), "{file}");
    }
}

#[tokio::test]
async fn a_bare_record_is_explained_as_the_event_that_it_becomes() {
    let path = fixture("restore-trail/fixtures/match/stop-logging.json");
    let event: Value = scenario::read(&path).unwrap();
    let log_file = json!({"Records": [event["detail"]]}).to_string();
    let ended = offline(&["-", "--function", "restore-trail"], &log_file).await;
    assert!(ended.out.contains("It came bare") && ended.out.contains("Matched by cloudtrail"), "{ended:?}");

    // As `aws guardduty get-findings` prints it.
    let finding = json!({"Findings": [{
        "AccountId": "111122223333", "Region": "eu-central-1", "Id": "f", "Type": "CryptoCurrency:EC2/BitcoinTool.B!DNS",
        "Severity": 8, "Resource": {"ResourceType": "Instance", "InstanceDetails": {"InstanceId": "i-0a1b2c3d4e5f60718"}},
        "Service": {"Archived": false, "ResourceRole": "ACTOR"}
    }]});
    let ended = offline(&["-", "--function", "stop-instance"], &finding.to_string()).await;
    assert!(ended.out.contains("Subject i-0a1b2c3d4e5f60718 in 111122223333/eu-central-1"), "{ended:?}");

    let several = json!({"Records": [event["detail"], event["detail"]]}).to_string();
    let ended = offline(&["-"], &several).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
    assert!(
        ended.err.contains("there are 2 records") && ended.err.contains("tourniquet replay"),
        "{}",
        ended.err
    );
}

#[tokio::test]
async fn what_cannot_be_explained_is_said() {
    let schedule =
        json!({"detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": {}}).to_string();
    for (arguments, input, told) in [
        (&["-"] as &[&str], "{", "this is not JSON"),
        (&["-"], "{}", "neither an EventBridge event nor a bare"),
        (&["-"], &schedule, "what a schedule sends"),
        (&["/nowhere.json"], "", "/nowhere.json cannot be read"),
        (&["-", "--function", "stop-everything"], "{}", "there is no function \"stop-everything\""),
        (
            &["-", "--config", "/nowhere.json"],
            "{\"eventSource\": \"s3.amazonaws.com\"}",
            "--config /nowhere.json",
        ),
    ] {
        let ended = offline(arguments, input).await;
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{arguments:?} {input}");
        assert!(ended.err.contains(told), "{told}: {}", ended.err);
    }
}

#[tokio::test]
async fn text_of_an_attacker_does_not_reach_the_terminal_as_it_is() {
    let evil = |text: &str| format!("{text}\u{1b}[2J\u{202e}\u{7}");
    let event = json!({
        "detail-type": evil("GuardDuty Finding"), "source": evil("aws.guardduty"), "account": evil("1"),
        "detail": {"type": evil("x")}
    });
    let archived =
        json!({"detail-type": "GuardDuty Finding", "source": "aws.guardduty", "detail": {"type": evil("x")}});
    for event in [event, archived] {
        let ended = offline(&["-"], &event.to_string()).await;
        assert_eq!(ended.code, Some(0));
        assert!(!ended.out.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{:?}", ended.out);
    }
}

/// A scenario whose function only observes.
fn observed(tools: &Tools, name: &str) -> Scenario {
    let all = scenario::catalogue(&tools.scenarios()).unwrap();
    let mut one = all.into_iter().find(|one| format!("{}/{}", one.function, one.name) == name).unwrap();
    one.config.insert("mode".to_owned(), json!("observe"));
    one
}

/// Deploys the stage's function into the simulated Lambda, with its configuration.
async fn deploy(stage: &Stage<'_>, tools: &Tools, scenario: &Scenario) {
    let blueprint = Blueprint::draw(tools, stage.account, &scenario.function, &scenario.config).unwrap();
    let config = stage.deployment.names.fill(&Value::Object(blueprint.config)).unwrap();
    let with = json!({
        "FunctionName": blueprint.name, "Runtime": "provided.al2023", "Handler": "bootstrap", "Code": {"ZipFile": "none"},
        "Role": stage.deployment.names.get("function_role"), "Environment": {"Variables": {"TOURNIQUET_CONFIG": config.to_string()}}
    });
    stage.account.call("lambda.create_function", with, "FunctionArn").await.unwrap();
}

/// Explains the stage's event behind a proxy.
async fn live(stage: &Stage<'_>, proxy: &Proxy, function: &str) -> Ended {
    let arguments = ["explain", "-", "--live", "--json", "--function", function];
    run(Some((stage.account, &proxy.url())), &arguments, &stage.event.to_string()).await
}

/// A change without the moment at which it was planned: of all times that alone has fractions of a second.
fn timeless(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(key, one)| (key.clone(), timeless(one))).collect(),
        Value::String(text) => {
            let words = text.split(' ').map(|word| match word.parse::<jiff::Timestamp>() {
                Ok(at) if at.subsec_nanosecond() != 0 => "now",
                _ => word,
            });
            json!(words.collect::<Vec<_>>().join(" "))
        }
        other => other.clone(),
    }
}

/// The plan that is told for a look at the live resource is the one that the function records for the same event, and nothing
/// was changed to tell it.
#[tokio::test]
async fn the_plan_is_the_one_that_the_function_records_and_nothing_is_changed() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    for name in [
        "stop-instance/miner-in-observe-mode",
        "restore-trail/stopped-trail",
        "restore-trail/deleted-trail",
        "block-public-bucket/public-by-policy",
        "revoke-open-ingress/range-keeps-its-other-ports",
        "revoke-open-ingress/prefix-list-becomes-the-world",
    ] {
        let scenario = observed(&tools, name);
        let stage = Stage::set(&tools, &account, &scenario).await.unwrap();
        deploy(&stage, &tools, &scenario).await;
        let before =
            account.call("dynamodb.scan", json!({"TableName": "tourniquet-journal"}), "Items").await.unwrap();
        let proxy = stage.proxy(Duration::ZERO).await.unwrap();
        let ended = live(&stage, &proxy, &scenario.function).await;
        assert_eq!(ended.code, Some(0), "{name}: {ended:?}");
        let calls = proxy.calls();
        let changing: Vec<&str> =
            calls.iter().filter(|call| call.changes()).map(|call| call.name.as_str()).collect();
        assert!(changing.is_empty() && calls.len() > 4, "{name}: {changing:?}");
        let after =
            account.call("dynamodb.scan", json!({"TableName": "tourniquet-journal"}), "Items").await.unwrap();
        assert_eq!(before, after, "{name}");

        let told: Value = serde_json::from_str(&ended.out).unwrap();
        let one = &told["functions"][0];
        assert_eq!(
            (&one["configuration"], &one["mode"]),
            (&json!("of the deployed function"), &json!("observe"))
        );
        let live = &one["subjects"][0]["live"];
        assert_eq!(live["verdict"], "act", "{name}: {live}");
        assert!(
            live["then"].as_str().unwrap().contains("would record this plan and change nothing"),
            "{live}"
        );
        assert!(!live["calls"].as_array().unwrap().is_empty(), "{name}");

        let proxy = stage.proxy(Duration::ZERO).await.unwrap();
        let function = stage.function(&proxy).await.unwrap();
        function.invoke(&stage.event).await.unwrap();
        let items = "Items[?starts_with(pk.S, 'record#') && id].body.S";
        let records =
            account.call("dynamodb.scan", json!({"TableName": "tourniquet-journal"}), items).await.unwrap();
        let bodies = records
            .as_array()
            .unwrap()
            .iter()
            .map(|body| serde_json::from_str(body.as_str().unwrap()).unwrap());
        let steps: Vec<Value> = bodies
            .filter(|record: &Value| record["outcome"] == "observed")
            .map(|one| one["steps"].clone())
            .collect();
        assert_eq!(steps.len(), 1, "{name}");
        let recorded = steps[0].as_array().unwrap();
        let plan = live["plan"].as_array().unwrap();
        for (step, change) in recorded.iter().zip(plan) {
            assert_eq!(timeless(step), timeless(change), "{name}");
        }
        assert_eq!(recorded.len(), plan.len(), "{name}");
        function.stop(&account).await.unwrap();
    }
}

/// What the function answers for, why it does not act, and what cannot be read.
#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_deployment_the_resource_is_looked_at_all_the_same() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let scenario = observed(&tools, "restore-trail/stopped-trail");
    let stage = Stage::set(&tools, &account, &scenario).await.unwrap();
    let proxy = stage.proxy(Duration::ZERO).await.unwrap();
    let ended = live(&stage, &proxy, "restore-trail").await;
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    let live = &told["functions"][0]["subjects"][0]["live"];
    assert_eq!((ended.code, &live["verdict"]), (Some(0), &json!("act")), "{told}");
}

#[tokio::test]
async fn exemptions_limits_and_refusals_are_told() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut scenario = observed(&tools, "restore-trail/stopped-trail");
    scenario.config.insert("mode".to_owned(), json!("enforce"));
    let stage = Stage::set(&tools, &account, &scenario).await.unwrap();
    deploy(&stage, &tools, &scenario).await;
    let proxy = stage.proxy(Duration::ZERO).await.unwrap();
    let told = async || {
        let ended = live(&stage, &proxy, "restore-trail").await;
        let told: Value = serde_json::from_str(&ended.out).unwrap();
        (ended.code, told["functions"][0]["subjects"][0]["live"].clone())
    };
    let put = async |item: Value| {
        let with = json!({"TableName": "tourniquet-journal", "Item": item});
        account.call("dynamodb.put_item", with, "@").await.unwrap();
    };

    let (code, live) = told().await;
    assert_eq!((code, &live["verdict"]), (Some(0), &json!("act")));
    assert!(live["then"].as_str().unwrap().contains("in the mode enforce it makes these changes"), "{live}");

    let hour = drill::clock::names().into_iter().find(|(name, _)| *name == "hour").unwrap().1;
    put(json!({"pk": {"S": format!("limit#restore-trail#{}", account.id)}, "sk": {"S": hour}, "taken": {"N": "20"}})).await;
    let (_, live) = told().await;
    assert!(live["notes"].to_string().contains("limit of 20 changes an hour is reached"), "{live}");

    proxy.set_faults(vec![Fault {
        at: At::Operation("cloudtrail:GetTrailStatus".into()),
        kind: Kind::Deny,
        times: 99,
    }]);
    let (code, live) = told().await;
    assert_eq!(code, Some(4), "{live}");
    assert!(live["error"].as_str().unwrap().contains("cloudtrail:GetTrailStatus"), "{live}");
    proxy.set_faults(Vec::new());

    put(json!({
        "pk": {"S": format!("exemption#restore-trail#{}", account.id)}, "sk": {"S": "x"}, "subject": {"S": "*"},
        "reason": {"S": "migration"}, "owner": {"S": "sre"}, "ends": {"S": "2099-01-01"}
    }))
    .await;
    let (code, live) = told().await;
    assert_eq!((code, &live["verdict"]), (Some(0), &json!("exempt")));
    assert!(live["why"].as_str().unwrap().contains("migration (owner: sre)"), "{live}");
    assert_eq!(live["then"], "it changes nothing");

    let config = tempfile::NamedTempFile::new().unwrap();
    let other = json!({"restore-trail": {"account": "999988887777", "mode": "enforce"}}).to_string();
    std::fs::write(config.path(), other).unwrap();
    let arguments = [
        "explain",
        "-",
        "--live",
        "--function",
        "restore-trail",
        "--config",
        config.path().to_str().unwrap(),
    ];
    let ended = run(Some((&account, &proxy.url())), &arguments, &stage.event.to_string()).await;
    assert!(
        ended.out.contains("Nothing is done: account 111122223333 (account of the envelope)"),
        "{ended:?}"
    );
    assert!(proxy.calls().iter().all(|call| !call.changes()));
}
