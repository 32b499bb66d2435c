//! What one delivery at a time cannot show: deliveries at once, warm processes, little time, sweeps, races for the
//! change limit. Each test sets a stage of the catalogue and starts function processes itself.

#![cfg(test)]

use std::collections::BTreeSet;
use std::time::Duration;

use drill::account::Account;
use drill::fault::{At, Fault, Kind};
use drill::function::{Function, Invocation};
use drill::proxy::Proxy;
use drill::run::{self, Options};
use drill::scenario::{self, Scenario};
use drill::stage::Stage;
use drill::tools::Tools;
use futures_util::future::join_all;
use serde_json::{Value, json};

fn catalogue() -> Vec<Scenario> {
    scenario::catalogue(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")).unwrap()
}

fn named(name: &str) -> Scenario {
    catalogue().into_iter().find(|s| s.name == name).unwrap()
}

/// A stage with one process of the function on it.
struct Played<'a> {
    stage: Stage<'a>,
    proxy: Proxy,
    function: Function,
}

async fn on_stage<'a>(tools: &'a Tools, account: &'a Account, scenario: &Scenario) -> Played<'a> {
    let stage = Stage::set(tools, account, scenario).await.unwrap();
    let proxy = stage.proxy(Duration::ZERO).await.unwrap();
    let function = stage.function(&proxy).await.unwrap();
    Played { stage, proxy, function }
}

impl Played<'_> {
    async fn deliver(&self) -> Invocation {
        self.function.invoke(&self.stage.event).await.unwrap()
    }

    async fn see(&self, call: &str, with: Value, at: &str) -> Value {
        self.stage.account.settle().await.unwrap();
        let (with, at) =
            (self.stage.deployment.names.fill(&with).unwrap(), self.stage.deployment.names.text(at).unwrap());
        self.stage.account.call(call, with, &at).await.unwrap()
    }

    async fn records(&self) -> Value {
        self.see(
            "dynamodb.scan",
            json!({"TableName": "tourniquet-journal"}),
            "sort(Items[?starts_with(pk.S, 'record#')].outcome.S)",
        )
        .await
    }

    fn count(&self, name: &str) -> usize {
        self.proxy.calls().iter().filter(|c| c.name == name && c.succeeded()).count()
    }
}

fn outcomes(invocation: &Invocation) -> Vec<&str> {
    invocation.reports.iter().map(|r| r.outcome.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn g4_the_same_event_fifty_times_at_once_is_answered_once() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let played = on_stage(&tools, &account, &named("command-and-control")).await;
    let processes = join_all((0..50).map(|_| played.stage.function(&played.proxy))).await;
    let processes: Vec<Function> = processes.into_iter().map(Result::unwrap).collect();
    let ended = join_all(processes.iter().map(|p| p.invoke(&played.stage.event))).await;
    let mut seen: Vec<String> = Vec::new();
    for invocation in ended {
        let invocation = invocation.unwrap();
        assert!(invocation.error.is_none(), "{:?}", invocation.error);
        seen.extend(outcomes(&invocation).into_iter().map(str::to_owned));
    }
    assert_eq!(seen.len(), 50);
    assert_eq!(seen.iter().filter(|o| *o == "contained").count(), 1, "{seen:?}");
    assert!(seen.iter().all(|o| o == "contained" || o == "already-safe"), "{seen:?}");
    assert_eq!(played.records().await, json!(["contained"]));
    assert_eq!(played.count("ec2:CreateSnapshots"), 1);
    assert_eq!(played.stage.deployment.messages(&account).await.unwrap().len(), 1);
    for process in processes {
        process.stop(&account).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g14_nothing_of_one_event_is_visible_in_the_next() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let played = on_stage(&tools, &account, &named("attack-sequence")).await;
    let first = played.deliver().await;
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
    assert_eq!(played.records().await, json!(["partial"]));
    assert!(ended.reports[0].changes.iter().any(|c| c.key.starts_with("isolate ")));
    played.proxy.set_latency(Duration::ZERO);
    let retried = played.deliver().await;
    assert_eq!(outcomes(&retried), ["contained"], "{:?}", retried.log);
    assert_eq!(played.records().await, json!(["contained"]));
    short.stop(&account).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn g26_two_runs_cannot_both_take_the_last_of_the_change_limit() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut scenario = named("attack-sequence");
    scenario.config.insert("changes_per_hour".to_owned(), json!(1));
    let played = on_stage(&tools, &account, &scenario).await;
    let ended = played.deliver().await;
    let mut both = outcomes(&ended);
    both.sort_unstable();
    assert_eq!(both, ["contained", "held"], "{:?}", ended.log);
    assert_eq!(played.count("ec2:StopInstances"), 1);
    assert_eq!(played.records().await, json!(["contained", "held"]));
    assert_eq!(played.stage.deployment.messages(&account).await.unwrap().len(), 2);
    // The next hour works again.
    let limit = json!({"TableName": "tourniquet-journal", "Key": {"pk": {"S": "limit#stop-instance#${account}"}, "sk": {"S": "${hour}"}}});
    played.see("dynamodb.delete_item", limit, "@").await;
    let mut later = outcomes(&played.deliver().await).join(" ");
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
    assert_eq!(outcomes(&played.deliver().await), ["contained"]);
    let sweep = json!({"version": "0", "id": "s", "detail-type": "Scheduled Event", "source": "aws.scheduler", "account": account.id,
        "time": "2026-11-23T00:00:00Z", "region": account.region, "resources": [], "detail": {}});
    let set_free = async || {
        let to_web = json!({"NetworkInterfaceId": "${eni}", "Groups": ["${web}"]});
        played.see("ec2.modify_network_interface_attribute", to_web, "@").await;
        played.see("ec2.start_instances", json!({"InstanceIds": ["${instance}"]}), "@").await;
    };
    assert_eq!(outcomes(&played.function.invoke(&sweep).await.unwrap()), ["already-safe"]);
    for round in 2..=3 {
        set_free().await;
        let swept = played.function.invoke(&sweep).await.unwrap();
        assert_eq!(outcomes(&swept), ["contained"], "{:?}", swept.log);
        assert!(swept.log.iter().any(|l| l.contains(r#""fight":true"#)) == (round == 3), "{:?}", swept.log);
    }
    assert_eq!(played.records().await, json!(["contained", "contained", "contained"]));
    assert_eq!(played.count("ec2:CreateSnapshots"), 1, "one set of snapshots for a finding");
    let messages = played.stage.deployment.messages(&account).await.unwrap();
    assert!(messages.len() == 3 && messages[2].contains("three times"), "{messages:?}");
    let finding = played.stage.event["detail"]["id"].clone();
    let exemption = json!({"TableName": "tourniquet-journal", "Item": {"pk": {"S": "exemption#stop-instance#${account}"}, "sk": {"S": "x"},
        "subject": {"S": "${instance}"}, "scope": {"S": finding}, "reason": {"S": "looked at"}, "owner": {"S": "sre"}, "ends": {"S": "${tomorrow}"}}});
    played.see("dynamodb.put_item", exemption, "@").await;
    set_free().await;
    assert_eq!(outcomes(&played.deliver().await), ["exempt"]);
    assert_eq!(outcomes(&played.function.invoke(&sweep).await.unwrap()), ["exempt"]);
    assert_eq!(
        played
            .see(
                "ec2.describe_instances",
                json!({"InstanceIds": ["${instance}"]}),
                "Reservations[0].Instances[0].State.Name"
            )
            .await,
        json!("running")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn g10_e17_a_denied_action_is_named_and_the_other_steps_go_on() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let played = on_stage(&tools, &account, &named("command-and-control")).await;
    let denied = |at: &str| Fault { at: At::Operation(at.to_owned()), kind: Kind::Deny, times: 99 };
    played.proxy.set_faults(vec![denied("ec2:CreateSnapshots")]);
    let ended = played.deliver().await;
    assert_eq!(outcomes(&ended), ["partial"]);
    assert!(ended.error.unwrap().error_message.contains("ec2:CreateSnapshots: UnauthorizedOperation"));
    assert_eq!(played.count("ec2:StopInstances"), 1);
    assert_eq!(
        played.proxy.calls().iter().filter(|c| c.name == "ec2:CreateSnapshots").count(),
        1,
        "not retried"
    );
    let again = played.deliver().await;
    assert_eq!(outcomes(&again), ["partial"]);
    assert_eq!(
        played.stage.deployment.messages(&account).await.unwrap().len(),
        1,
        "one message a record, not one a retry"
    );
    played.proxy.set_faults(vec![]);
    assert_eq!(outcomes(&played.deliver().await), ["contained"]);
    assert_eq!(played.records().await, json!(["contained"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn g21_g19_without_a_journal_only_the_urgent_answer_to_an_event_acts() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let played = on_stage(&tools, &account, &named("command-and-control")).await;
    played.see("dynamodb.delete_table", json!({"TableName": "tourniquet-journal"}), "@").await;
    let swept = json!({"detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": {}});
    let sweep = played.function.invoke(&swept).await.unwrap();
    assert_eq!(sweep.error.unwrap().error_type, "NotFound");
    assert!(!played.proxy.calls().iter().any(drill::call::Call::changes_the_account));
    let ended = played.deliver().await;
    assert_eq!(outcomes(&ended), ["partial"]);
    assert!(
        ended.reports[0].changes.iter().any(|c| c.before != json!("") && c.key.starts_with("isolate ")),
        "the log has the full record"
    );
    assert_eq!(played.count("ec2:StopInstances"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn g22_g17_a_wrong_configuration_answers_with_its_key_and_no_log_has_a_secret() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut scenario = named("command-and-control");
    let played = on_stage(&tools, &account, &scenario).await;
    let log = played.deliver().await.log.join("\n");
    let start = played.stage.deployment.start(&tools, "http://127.0.0.1:1").unwrap();
    for secret in ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"] {
        let value = start
            .environment
            .iter()
            .find(|(name, _)| name == secret)
            .map(|(_, value)| value.clone())
            .unwrap();
        assert!(!value.is_empty() && !log.contains(&value), "{secret} is in the log");
    }
    assert!(!log.contains("detectorId"), "a whole event is in the log");
    played.function.stop(&account).await.unwrap();
    scenario.config.insert("settings".to_owned(), json!({"min_severty": 4}));
    let wrong = on_stage(&tools, &account, &scenario).await;
    let ended = wrong.deliver().await;
    let error = ended.error.unwrap();
    assert_eq!(error.error_type, "Settings");
    assert!(error.error_message.contains("min_severty"), "{}", error.error_message);
}

#[tokio::test(flavor = "multi_thread")]
async fn g12_a_warm_process_enters_a_member_account_once() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let played = on_stage(&tools, &account, &named("member-account")).await;
    assert_eq!(outcomes(&played.deliver().await), ["contained"]);
    assert_eq!(outcomes(&played.deliver().await), ["already-safe"]);
    assert_eq!(played.count("sts:AssumeRole"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn g15_a_sweep_stops_in_time_and_says_what_it_did_not_look_at() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut scenario = named("attack-sequence");
    scenario.config.insert("concurrency".to_owned(), json!(1));
    let mut played = on_stage(&tools, &account, &scenario).await;
    assert_eq!(outcomes(&played.deliver().await), ["contained", "contained"]);
    played.stage.deployment.manifest.timeout_s = 6;
    played.proxy.set_latency(Duration::from_millis(600));
    let short = played.stage.function(&played.proxy).await.unwrap();
    let sweep = json!({"detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": {}});
    let ended = short.invoke(&sweep).await.unwrap();
    assert_eq!(outcomes(&ended), ["already-safe", "partial"], "{:?}", ended.log);
    assert!(ended.error.unwrap().error_message.contains("1 subjects were not looked at"));
    short.stop(&account).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn law_10_the_calls_of_all_scenarios_and_the_permissions_agree_both_ways() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let (mut used, mut allowed) = (BTreeSet::new(), BTreeSet::new());
    let all = catalogue();
    for scenario in &all {
        let played = run::play(&tools, &account, scenario, Options::default()).await;
        used.extend(played.calls.iter().filter(|c| c.number.is_some()).map(|c| c.name.clone()));
        for folder in [tools.room(&scenario.function), tools.project.join("shared")] {
            let permissions: Value = scenario::read(&folder.join("permissions.json")).unwrap();
            for statement in permissions["statements"].as_array().unwrap() {
                allowed.extend(
                    statement["actions"].as_array().unwrap().iter().map(|a| a.as_str().unwrap().to_owned()),
                );
            }
        }
    }
    // AWS authorises a transaction by the actions in it.
    if used.remove("dynamodb:TransactWriteItems") {
        used.extend(["dynamodb:PutItem".to_owned(), "dynamodb:UpdateItem".to_owned()]);
    }
    assert_eq!(
        used.difference(&allowed).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "called and not allowed"
    );
    assert_eq!(
        allowed.difference(&used).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "allowed and never called"
    );
}
