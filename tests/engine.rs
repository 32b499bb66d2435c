//! What one delivery of one event cannot show: warm processes, little time, sweeps, races for the change limit. Each test
//! sets a stage of the catalogue and starts function processes itself.

#![cfg(test)]

use std::time::Duration;

use drill::account::Account;
use drill::fault::{At, Fault, Kind};
use drill::running::{Running, outcomes};
use drill::scenario::{self, Scenario};
use drill::tools::Tools;
use serde_json::json;

fn catalogue() -> Vec<Scenario> {
    scenario::catalogue(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")).unwrap()
}

fn named(name: &str) -> Scenario {
    catalogue().into_iter().find(|s| s.name == name).unwrap()
}

async fn on_stage<'a>(tools: &'a Tools, account: &'a Account, scenario: &Scenario) -> Running<'a> {
    Running::on_stage(tools, account, scenario).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn g14_nothing_of_one_event_is_visible_in_the_next() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let played = on_stage(&tools, &account, &named("attack-sequence")).await;
    let first = played.deliver().await.unwrap();
    assert_eq!(outcomes(&first), ["contained", "contained"]);
    let victim = json!({"detail-type": "GuardDuty Finding", "source": "aws.guardduty", "account": account.id, "region": account.region,
        "detail": {"id": "other", "type": "Backdoor:EC2/Spambot", "severity": 8, "accountId": account.id, "region": account.region,
            "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-0123456789abcdef0"}},
            "service": {"archived": false, "resourceRole": "ACTOR"}}});
    let second = played.function.invoke(&victim).await.unwrap();
    assert_eq!(outcomes(&second), ["gone"]);
    let text = second.log.join("\n");
    for id in first.reports.iter().filter_map(|r| r.subject.as_deref()) {
        assert!(!text.contains(id), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g15_with_little_time_left_the_record_says_what_was_done_and_the_retry_does_the_rest() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut scenario = named("command-and-control");
    scenario.config.insert("lease_seconds".to_owned(), json!(1));
    let mut played = on_stage(&tools, &account, &scenario).await;
    played.stage.deployment.manifest.timeout_s = 3;
    played.proxy.set_latency(Duration::from_millis(250));
    let short = played.stage.function(&played.proxy).await.unwrap();
    let ended = short.invoke(&played.stage.event).await.unwrap();
    assert_eq!(outcomes(&ended), ["partial"], "{:?}", ended.log);
    assert_eq!(ended.error.unwrap().error_type, "Partial");
    assert_eq!(played.records().await.unwrap(), json!(["partial"]));
    assert!(ended.reports[0].changes.iter().any(|c| c.key.starts_with("isolate ")));
    played.proxy.set_latency(Duration::ZERO);
    let retried = played.deliver().await.unwrap();
    assert_eq!(outcomes(&retried), ["contained"], "{:?}", retried.log);
    assert_eq!(played.records().await.unwrap(), json!(["contained"]));
    short.stop(&account).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn g26_two_runs_cannot_both_take_the_last_of_the_change_limit() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut scenario = named("attack-sequence");
    scenario.config.insert("changes_per_hour".to_owned(), json!(1));
    let played = on_stage(&tools, &account, &scenario).await;
    let ended = played.deliver().await.unwrap();
    let mut both = outcomes(&ended);
    both.sort_unstable();
    assert_eq!(both, ["contained", "held"], "{:?}", ended.log);
    assert_eq!(played.count("ec2:StopInstances"), 1);
    assert_eq!(played.records().await.unwrap(), json!(["contained", "held"]));
    assert_eq!(played.messages().await.unwrap().len(), 2);
    // The next hour works again.
    let limit = json!({"TableName": "tourniquet-journal", "Key": {"pk": {"S": "limit#stop-instance#${account}"}, "sk": {"S": "${hour}"}}});
    played.see("dynamodb.delete_item", limit, "@").await.unwrap();
    let mut later = outcomes(&played.deliver().await.unwrap()).join(" ");
    if later == "contained already-safe" {
        later = "already-safe contained".to_owned();
    }
    assert_eq!(later, "already-safe contained");
}

#[tokio::test(flavor = "multi_thread")]
async fn e5_g29_what_was_contained_stays_contained_until_a_human_exempts_it() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let played = on_stage(&tools, &account, &named("command-and-control")).await;
    assert_eq!(outcomes(&played.deliver().await.unwrap()), ["contained"]);
    let sweep = json!({"version": "0", "id": "s", "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": account.id,
        "time": "2026-11-23T00:00:00Z", "region": account.region, "resources": [], "detail": {}});
    let set_free = async || {
        let to_web = json!({"NetworkInterfaceId": "${eni}", "Groups": ["${web}"]});
        played.see("ec2.modify_network_interface_attribute", to_web, "@").await.unwrap();
        played.see("ec2.start_instances", json!({"InstanceIds": ["${instance}"]}), "@").await.unwrap();
    };
    assert_eq!(outcomes(&played.function.invoke(&sweep).await.unwrap()), ["already-safe"]);
    for round in 2..=3 {
        set_free().await;
        let swept = played.function.invoke(&sweep).await.unwrap();
        assert_eq!(outcomes(&swept), ["contained"], "{:?}", swept.log);
        assert!(swept.log.iter().any(|l| l.contains(r#""fight":true"#)) == (round == 3), "{:?}", swept.log);
    }
    assert_eq!(played.records().await.unwrap(), json!(["contained", "contained", "contained"]));
    assert_eq!(played.count("ec2:CreateSnapshots"), 1, "one set of snapshots for a finding");
    let messages = played.messages().await.unwrap();
    assert!(messages.len() == 3 && messages[2].contains("three times"), "{messages:?}");
    let finding = played.stage.event["detail"]["id"].clone();
    let exemption = json!({"TableName": "tourniquet-journal", "Item": {"pk": {"S": "exemption#stop-instance#${account}"}, "sk": {"S": "x"},
        "subject": {"S": "${instance}"}, "scope": {"S": finding}, "reason": {"S": "looked at"}, "owner": {"S": "sre"}, "ends": {"S": "${tomorrow}"}}});
    played.see("dynamodb.put_item", exemption, "@").await.unwrap();
    set_free().await;
    assert_eq!(outcomes(&played.deliver().await.unwrap()), ["exempt"]);
    assert_eq!(outcomes(&played.function.invoke(&sweep).await.unwrap()), ["exempt"]);
    assert_eq!(
        played
            .see(
                "ec2.describe_instances",
                json!({"InstanceIds": ["${instance}"]}),
                "Reservations[0].Instances[0].State.Name"
            )
            .await
            .unwrap(),
        json!("running")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn g12_a_warm_process_enters_a_member_account_once() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let played = on_stage(&tools, &account, &named("member-account")).await;
    assert_eq!(outcomes(&played.deliver().await.unwrap()), ["contained"]);
    assert_eq!(outcomes(&played.deliver().await.unwrap()), ["already-safe"]);
    assert_eq!(played.count("sts:AssumeRole"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn g15_a_sweep_stops_in_time_and_says_what_it_did_not_look_at() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut scenario = named("attack-sequence");
    scenario.config.insert("concurrency".to_owned(), json!(1));
    let mut played = on_stage(&tools, &account, &scenario).await;
    assert_eq!(outcomes(&played.deliver().await.unwrap()), ["contained", "contained"]);
    played.stage.deployment.manifest.timeout_s = 7;
    played.proxy.set_latency(Duration::from_millis(600));
    let short = played.stage.function(&played.proxy).await.unwrap();
    let sweep = json!({"detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": {}});
    let ended = short.invoke(&sweep).await.unwrap();
    assert_eq!(outcomes(&ended), ["already-safe", "partial"], "{:?}", ended.log);
    assert!(ended.error.unwrap().error_message.contains("1 subjects were not looked at"));
    short.stop(&account).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn g10_what_cannot_be_isolated_is_stopped_and_what_cannot_be_cut_is_isolated() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let denied = |at: &str| vec![Fault { at: At::Operation(at.to_owned()), kind: Kind::Deny, times: 99 }];
    let instance = json!({"InstanceIds": ["${instance}"]});
    let state = "Reservations[0].Instances[0].State.Name";

    let played = on_stage(&tools, &account, &named("command-and-control")).await;
    played.proxy.set_faults(denied("ec2:ModifyNetworkInterfaceAttribute"));
    let ended = played.deliver().await.unwrap();
    assert_eq!(outcomes(&ended), ["partial"]);
    let message = ended.error.unwrap().error_message;
    assert!(message.contains("ec2:ModifyNetworkInterfaceAttribute: UnauthorizedOperation"), "{message}");
    assert_eq!(played.see("ec2.describe_instances", instance, state).await.unwrap(), json!("stopped"));
    played.proxy.set_faults(Vec::new());
    assert_eq!(outcomes(&played.deliver().await.unwrap()), ["contained"]);
    played.stop().await.unwrap();

    let played = on_stage(&tools, &account, &named("cut-connections")).await;
    played.proxy.set_faults(denied("ec2:AuthorizeSecurityGroupIngress"));
    let ended = played.deliver().await.unwrap();
    assert_eq!(outcomes(&ended), ["contained"]);
    let notes = ended.reports[0].notes.join("; ");
    assert!(notes.contains("open connections are not cut"), "{notes}");
    assert!(notes.contains("ec2:AuthorizeSecurityGroupIngress: UnauthorizedOperation"), "{notes}");
    let attached = json!({"Filters": [{"Name": "attachment.instance-id", "Values": ["${instance}"]}]});
    let groups = "NetworkInterfaces[].Groups[].GroupName";
    let isolated = played.see("ec2.describe_network_interfaces", attached, groups).await.unwrap();
    assert_eq!(isolated, json!(["tourniquet-isolation"]));
    played.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn g10_e17_a_denied_action_is_named_and_the_other_steps_go_on() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let played = on_stage(&tools, &account, &named("command-and-control")).await;
    let denied = |at: &str| Fault { at: At::Operation(at.to_owned()), kind: Kind::Deny, times: 99 };
    played.proxy.set_faults(vec![denied("ec2:CreateSnapshots")]);
    let ended = played.deliver().await.unwrap();
    assert_eq!(outcomes(&ended), ["partial"]);
    assert!(ended.error.unwrap().error_message.contains("ec2:CreateSnapshots: UnauthorizedOperation"));
    assert_eq!(played.count("ec2:StopInstances"), 1);
    assert_eq!(
        played.proxy.calls().iter().filter(|c| c.name == "ec2:CreateSnapshots").count(),
        1,
        "not retried"
    );
    let again = played.deliver().await.unwrap();
    assert_eq!(outcomes(&again), ["partial"]);
    assert_eq!(played.messages().await.unwrap().len(), 1, "one message a record, not one a retry");
    played.proxy.set_faults(vec![]);
    assert_eq!(outcomes(&played.deliver().await.unwrap()), ["contained"]);
    assert_eq!(played.records().await.unwrap(), json!(["contained"]));
}
