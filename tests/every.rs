//! What is promised for every function, shown for each over its model scenario: the shipped binary, delivered to as Lambda
//! would, with one thing out of the ordinary.

#![cfg(test)]

#[path = "functions.rs"]
mod functions;
#[path = "every/garbled.rs"]
mod garbled;
#[path = "every/warm.rs"]
mod warm;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use drill::account::Account;
use drill::call::Call;
use drill::fault::{At, Fault, Kind};
use drill::function::Function;
use drill::run::{self, Options};
use drill::running::{Running, outcomes};
use drill::scenario::{self, Scenario};
use drill::tools::Tools;
use functions::for_every_function;
use futures_util::future::join_all;
use garbled::g16_any_field_of_any_event_can_be_wrong;
use serde_json::{Value, json};
use warm::a_start_opens_connections_in_nobodys_name_and_waits_for_nobody;

for_every_function!(
    g4_the_same_event_fifty_times_at_once_is_answered_once,
    g5_a_late_event_about_a_safe_resource_changes_nothing,
    g10_a_denied_change_is_named_and_not_retried,
    g16_any_field_of_any_event_can_be_wrong,
    g18_our_own_resource_is_refused_and_reported,
    g19_unreadable_exemptions_change_nothing_unless_it_is_urgent,
    g20_an_exemption_in_the_journal_holds_until_it_ends,
    g21_without_a_journal_only_the_urgent_answer_to_an_event_acts,
    g22_g17_a_wrong_configuration_names_its_key_and_no_log_has_a_secret,
    g23_observe_mode_makes_no_changing_call,
    g26_past_the_change_limit_it_is_held_and_told_once,
    law_10_the_calls_of_all_scenarios_and_the_permissions_agree_both_ways,
    a_start_opens_connections_in_nobodys_name_and_waits_for_nobody,
);

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

fn model(function: &str) -> Scenario {
    scenario::model(&scenarios(), function).unwrap()
}

/// Whether a function answers events without the journal.
fn is_urgent(tools: &Tools, function: &str) -> bool {
    let manifest: Value = scenario::read(&tools.room(function).join("function.json")).unwrap();
    manifest["urgent"] == json!(true)
}

async fn g4_the_same_event_fifty_times_at_once_is_answered_once(function: &'static str) {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let running = Running::on_stage(&tools, &account, &model(function)).await.unwrap();
    let processes = join_all((0..50).map(|_| running.stage.function(&running.proxy))).await;
    let processes: Vec<Function> = processes.into_iter().map(Result::unwrap).collect();
    let ended = join_all(processes.iter().map(|p| p.invoke(&running.stage.event))).await;
    let mut contained = 0;
    for invocation in ended {
        let invocation = invocation.unwrap();
        assert!(invocation.error.is_none(), "{:?}", invocation.error);
        contained += outcomes(&invocation).iter().filter(|o| **o == "contained").count();
        assert!(outcomes(&invocation).iter().all(|o| ["contained", "already-safe"].contains(o)));
    }
    assert_eq!(contained, 1);
    assert_eq!(running.records().await.unwrap(), json!(["contained"]));
    for change in &running.stage.deployment.manifest.contained_by {
        assert!(running.count(change) <= 1, "{change} was made more than once");
    }
    assert_eq!(running.messages().await.unwrap().len(), 1);
    for process in processes {
        process.stop(&account).await.unwrap();
    }
}

async fn g5_a_late_event_about_a_safe_resource_changes_nothing(function: &'static str) {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let running = Running::on_stage(&tools, &account, &model(function)).await.unwrap();
    assert_eq!(outcomes(&running.deliver().await.unwrap()), ["contained"]);
    let before = running.changes().len();
    let late = running.deliver().await.unwrap();
    assert!(late.error.is_none() && outcomes(&late).iter().all(|o| *o == "already-safe"), "{:?}", late.log);
    assert_eq!(running.changes().len(), before);
    assert_eq!(running.messages().await.unwrap().len(), 1);
    running.stop().await.unwrap();
}

async fn g10_a_denied_change_is_named_and_not_retried(function: &'static str) {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let running = Running::on_stage(&tools, &account, &model(function)).await.unwrap();
    let changes = running.stage.deployment.manifest.contained_by.clone();
    let deny = |change: &String| Fault { at: At::Operation(change.clone()), kind: Kind::Deny, times: 99 };
    running.proxy.set_faults(changes.iter().map(deny).collect());
    let ended = running.deliver().await.unwrap();
    let message = ended.error.expect("a denied change is an error").error_message;
    let made: Vec<_> = running.proxy.calls().into_iter().filter(|c| changes.contains(&c.name)).collect();
    assert!(!made.is_empty());
    for call in made {
        assert!(message.contains(&call.name), "{message} does not name {}", call.name);
    }
    for change in &changes {
        let tried = running.proxy.calls().iter().filter(|c| c.name == *change).count();
        assert!(tried <= 1, "{change} was tried {tried} times");
    }
    let outcomes = running.records().await.unwrap();
    assert!(outcomes == json!(["partial"]) || outcomes == json!(["failed"]), "{outcomes}");
    running.stop().await.unwrap();
}

/// The subject that the function contains in its model scenario, found by playing it.
async fn subject(tools: &Tools, account: &Account, model: &Scenario) -> String {
    let running = Running::on_stage(tools, account, model).await.unwrap();
    let subject = running.deliver().await.unwrap().reports[0].subject.clone().unwrap();
    running.stop().await.unwrap();
    subject
}

async fn g18_our_own_resource_is_refused_and_reported(function: &'static str) {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut model = model(function);
    let named = subject(&tools, &account, &model).await;
    // Ids differ between two plays of a scenario; names do not.
    let own = model.given.iter().chain(&model.attack).find_map(|step| {
        step.save.keys().find(|name| ["instance", "group"].contains(&name.as_str())).cloned()
    });
    let own = own.map_or(named, |name| format!("${{{name}}}"));
    model.config.insert("own_resources".to_owned(), json!([format!("arn:aws:x:::y/{own}")]));
    let running = Running::on_stage(&tools, &account, &model).await.unwrap();
    let ended = running.deliver().await.unwrap();
    assert_eq!(outcomes(&ended), ["ignored"], "{:?}", ended.log);
    assert!(ended.reports[0].why.contains("Tourniquet's own"));
    assert_eq!(running.changes(), Vec::<String>::new());
    assert_eq!(running.messages().await.unwrap().len(), 1);
    running.stop().await.unwrap();
}

async fn g19_unreadable_exemptions_change_nothing_unless_it_is_urgent(function: &'static str) {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    // Refused, and answered with 200 and something that does not say whether there are any.
    for kind in [Kind::Deny, Kind::Html, Kind::Other] {
        let running = Running::on_stage(&tools, &account, &model(function)).await.unwrap();
        let fault = Fault { at: At::Operation("dynamodb:Query".to_owned()), kind, times: 99 };
        running.proxy.set_faults(vec![fault]);
        let ended = running.deliver().await.unwrap();
        assert!(ended.error.is_some(), "{kind:?}: {:?}", ended.log);
        if !is_urgent(&tools, function) {
            assert_eq!(running.changes(), Vec::<String>::new(), "{kind:?}");
        }
        running.stop().await.unwrap();
    }
}

async fn g20_an_exemption_in_the_journal_holds_until_it_ends(function: &'static str) {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let running = Running::on_stage(&tools, &account, &model(function)).await.unwrap();
    let exemption = |ends: &str| {
        json!({"TableName": "${journal_table}", "Item": {
            "pk": {"S": format!("exemption#{function}#${{account}}")}, "sk": {"S": "x"}, "subject": {"S": "*"},
            "reason": {"S": "a test of ours"}, "owner": {"S": "sre"}, "ends": {"S": ends}
        }})
    };
    running.see("dynamodb.put_item", exemption("${tomorrow}"), "@").await.unwrap();
    let ended = running.deliver().await.unwrap();
    assert_eq!(outcomes(&ended), ["exempt"], "{:?}", ended.log);
    assert!(ended.reports[0].why.contains("a test of ours"), "{}", ended.reports[0].why);
    assert_eq!(running.changes(), Vec::<String>::new());
    running.see("dynamodb.put_item", exemption("${yesterday}"), "@").await.unwrap();
    let ended = running.deliver().await.unwrap();
    assert_eq!(outcomes(&ended), ["contained"], "{:?}", ended.log);
    running.stop().await.unwrap();
}

async fn g21_without_a_journal_only_the_urgent_answer_to_an_event_acts(function: &'static str) {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let running = Running::on_stage(&tools, &account, &model(function)).await.unwrap();
    running.see("dynamodb.delete_table", json!({"TableName": "${journal_table}"}), "@").await.unwrap();
    let schedule = json!({"detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": {}});
    let sweep = running.function.invoke(&schedule).await.unwrap();
    assert_eq!(sweep.error.unwrap().error_type, "NotFound");
    assert_eq!(running.changes(), Vec::<String>::new());
    let ended = running.deliver().await.unwrap();
    assert!(ended.error.is_some());
    if is_urgent(&tools, function) {
        assert_eq!(outcomes(&ended), ["partial"]);
        assert!(!running.changes().is_empty());
        assert!(
            ended.reports[0].changes.iter().any(|c| c.before != json!("")),
            "the log has the full record"
        );
    } else {
        assert_eq!(running.changes(), Vec::<String>::new());
    }
    running.stop().await.unwrap();
}

async fn g22_g17_a_wrong_configuration_names_its_key_and_no_log_has_a_secret(function: &'static str) {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut model = model(function);
    let running = Running::on_stage(&tools, &account, &model).await.unwrap();
    let log = running.deliver().await.unwrap().log.join("\n");
    let start = running.stage.deployment.start(&tools, "http://127.0.0.1:1").unwrap();
    for secret in ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"] {
        let value =
            start.environment.iter().find(|(name, _)| name == secret).map(|(_, value)| value).unwrap();
        assert!(!value.is_empty() && !log.contains(value.as_str()), "{secret} is in the log");
    }
    for field in ["detectorId", "eventVersion", "userIdentity"] {
        assert!(!log.contains(field), "a whole event is in the log");
    }
    running.stop().await.unwrap();
    model.config.insert("settings".to_owned(), json!({"unknwon": 4}));
    let wrong = Running::on_stage(&tools, &account, &model).await.unwrap();
    let error = wrong.deliver().await.unwrap().error.unwrap();
    assert_eq!(error.error_type, "Settings");
    assert!(error.error_message.contains("unknwon"), "{}", error.error_message);
    wrong.stop().await.unwrap();
}

async fn g23_observe_mode_makes_no_changing_call(function: &'static str) {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut model = model(function);
    model.config.insert("mode".to_owned(), json!("observe"));
    let running = Running::on_stage(&tools, &account, &model).await.unwrap();
    for messages in [1, 0] {
        let ended = running.deliver().await.unwrap();
        assert_eq!(outcomes(&ended), ["observed"], "{:?}", ended.log);
        assert!(!ended.reports[0].changes.is_empty(), "the plan is in the report");
        assert_eq!(running.messages().await.unwrap().len(), messages, "told once, not at every delivery");
    }
    let tried: Vec<_> = running.proxy.calls().into_iter().filter(|c| c.changes_the_account()).collect();
    assert!(tried.is_empty(), "{tried:?}");
    assert_eq!(running.records().await.unwrap(), json!(["observed"]));
    running.stop().await.unwrap();
}

async fn g26_past_the_change_limit_it_is_held_and_told_once(function: &'static str) {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut model = model(function);
    model.config.insert("changes_per_hour".to_owned(), json!(1));
    let running = Running::on_stage(&tools, &account, &model).await.unwrap();
    let key = json!({"pk": {"S": format!("limit#{function}#${{account}}")}, "sk": {"S": "${hour}"}});
    let mut taken = key.clone();
    taken["taken"] = json!({"N": "1"});
    let item = json!({"TableName": "${journal_table}", "Item": taken});
    running.see("dynamodb.put_item", item, "@").await.unwrap();
    for messages in [1, 0] {
        let ended = running.deliver().await.unwrap();
        assert_eq!(outcomes(&ended), ["held"], "{:?}", ended.log);
        assert_eq!(running.changes(), Vec::<String>::new());
        assert_eq!(running.messages().await.unwrap().len(), messages, "told once an hour");
    }
    // The next hour has a count of its own.
    let item = json!({"TableName": "${journal_table}", "Key": key});
    running.see("dynamodb.delete_item", item, "@").await.unwrap();
    let later = running.deliver().await.unwrap();
    assert_eq!(outcomes(&later), ["contained"], "{:?}", later.log);
    running.stop().await.unwrap();
}

async fn law_10_the_calls_of_all_scenarios_and_the_permissions_agree_both_ways(function: &'static str) {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let all = scenario::catalogue(&scenarios()).unwrap();
    let mut used = BTreeSet::new();
    for scenario in all.iter().filter(|one| one.function == function) {
        let played = run::play(&tools, &account, scenario, Options::default()).await;
        used.extend(played.calls.iter().filter(|call| call.number.is_some()).flat_map(authorised));
    }
    let mut allowed = BTreeSet::new();
    for folder in [tools.room(function), tools.project.join("shared")] {
        let permissions: Value = scenario::read(&folder.join("permissions.json")).unwrap();
        let statements = permissions["statements"].as_array().unwrap();
        let actions = statements.iter().flat_map(|statement| statement["actions"].as_array().unwrap());
        allowed.extend(actions.map(|action| action.as_str().unwrap().to_owned()));
    }
    let more: Vec<_> = used.difference(&allowed).collect();
    assert!(more.is_empty(), "called and not allowed: {more:?}");
    let idle: Vec<_> = allowed.difference(&used).collect();
    assert!(idle.is_empty(), "allowed and never called: {idle:?}");
}

/// The actions by which AWS authorises a call: most calls are one of their own name.
fn authorised(call: &Call) -> Vec<String> {
    let with = |prefix: &str| {
        call.parameters.as_object().is_some_and(|all| all.keys().any(|key| key.starts_with(prefix)))
    };
    match call.name.as_str() {
        "dynamodb:TransactWriteItems" => {
            ["dynamodb:PutItem", "dynamodb:UpdateItem"].map(str::to_owned).to_vec()
        }
        // The role by which the trail writes to its log group.
        name if with("CloudWatchLogsRoleArn") => vec![name.to_owned(), "iam:PassRole".to_owned()],
        name if with("TagSpecification.") => vec![name.to_owned(), "ec2:CreateTags".to_owned()],
        name => vec![name.to_owned()],
    }
}
