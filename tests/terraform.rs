//! Terraform for real, against the simulated account: what it deploys is what the rooms' files say, and the whole catalogue
//! ends as declared on what is read back from the account; a second plan changes nothing, and destroy leaves nothing.
//! Without Terraform the test says so and passes.
//!
//! `TOURNIQUET_TF_PLUGINS` names a folder with the AWS provider, where there is no registry.

#![cfg(test)]

#[path = "terraform/compare.rs"]
mod compare;
#[path = "terraform/copy.rs"]
mod copy;
#[path = "terraform/rounds.rs"]
mod rounds;

use std::collections::BTreeMap;
use std::path::Path;

use copy::Copy;
use drill::account::Account;
use drill::blueprint::Blueprint;
use drill::run::{self, Options};
use drill::scenario;
use drill::tools::Tools;
use rounds::Round;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The region of other accounts in which rules send events on; in it are the scenarios' events of other accounts.
const ELSEWHERE: &str = "ap-southeast-2";

/// The account that answers to the hub in the scenarios.
const MEMBER: &str = "444455556666";

/// A round, and what was deployed for it.
type Deployed = (Round, Deployment);

/// What was read back.
struct Deployment {
    functions: BTreeMap<String, Blueprint>,
    // Kept as long as functions are started from it.
    _binaries: tempfile::TempDir,
}

#[tokio::test]
async fn terraform_deploys_what_the_catalogue_needs_plans_nothing_more_and_leaves_nothing() {
    if std::process::Command::new("terraform").arg("version").output().is_err() {
        eprintln!("LEFT OUT: Terraform is missing, so nothing was deployed with it");
        return;
    }
    let tools = Tools::find().unwrap();
    let folder = tempfile::tempdir().unwrap();
    copy::pack(&tools, folder.path()).await;
    let (alone, hub): (Vec<Round>, Vec<Round>) =
        rounds::of(&tools).into_iter().partition(|round| round.accounts.is_empty());
    assert!(alone[0].is_fresh() && !hub.is_empty());
    let (deployed, to_play) = unbounded_channel();
    // Side by side, since Terraform's provider mostly waits. Scenarios have an account of their own, which they empty.
    let alone = terraform(&tools, folder.path(), alone, deployed.clone());
    let hub = terraform(&tools, folder.path(), hub, deployed);
    let ((), (), played) = tokio::join!(alone, hub, play(&tools, to_play));
    let all = scenario::catalogue(&tools.scenarios()).unwrap().len();
    assert_eq!(played, all, "scenarios were left out");
}

/// Deploys round after round, each upon the one before, and takes all of it away.
async fn terraform(tools: &Tools, dist: &Path, rounds: Vec<Round>, deployed: UnboundedSender<Deployed>) {
    let account = Account::start(tools).await.unwrap();
    let copy = Copy::of(tools, &account).await;
    copy.init().await;
    let mut variables = Value::Null;
    for (number, round) in rounds.into_iter().enumerate() {
        variables = deployment(tools, &account, dist, &round);
        let refresh = format!("-refresh={}", number == 0);
        copy.succeeds(&["apply", "-auto-approve", "-input=false", &refresh], &variables).await;
        let read = read(tools, &account, &round).await;
        deployed.send((round, read)).unwrap();
    }
    let plan = copy.terraform(&["plan", "-detailed-exitcode", "-input=false"], &variables).await;
    let says = String::from_utf8_lossy(&plan.stdout);
    assert_eq!(plan.status.code(), Some(0), "a second plan changes: {says}");
    copy.succeeds(&["destroy", "-auto-approve", "-input=false"], &variables).await;
    let region = account.region.as_str();
    for (owner, region) in [(account.id.as_str(), region), (MEMBER, ELSEWHERE), (MEMBER, region)] {
        empty(&account, owner, region).await;
    }
}

/// Reads every function back, and compares it with what its room's files say.
async fn read(tools: &Tools, account: &Account, round: &Round) -> Deployment {
    let binaries = tempfile::tempdir().unwrap();
    let mut functions = BTreeMap::new();
    for function in tools.functions().unwrap() {
        let folder = binaries.path().join(&function);
        let read = Blueprint::read(tools, account, &function, &folder, ELSEWHERE).await.unwrap();
        let drawn = Blueprint::draw(tools, account, &function, &round.config(&function)).unwrap();
        compare::same(&read, &drawn);
        functions.insert(function, read);
    }
    Deployment { functions, _binaries: binaries }
}

/// The variables of `infra/tests/simulated`; a fresh deployment says nothing of any function.
fn deployment(tools: &Tools, account: &Account, dist: &Path, round: &Round) -> Value {
    let (mut functions, mut settings) = (json!({}), json!({}));
    for function in tools.functions().unwrap().iter().filter(|_| !round.is_fresh()) {
        let config = round.config(function);
        let changes = config["changes_per_hour"].to_string();
        functions[function] = json!({"mode": config["mode"], "changes_per_hour": changes});
        settings[function] = config["settings"].clone();
    }
    let key = account.administrator.replace(&account.id, MEMBER);
    json!({
        "dist": dist, "architecture": "x86_64", "accounts": round.accounts,
        "functions": functions, "settings": settings,
        "member": {"region": ELSEWHERE, "key": key, "secret": "simulated"}
    })
}

/// Plays each scenario on its function as it was deployed, with what the scenario configures laid over; how many were played.
async fn play(tools: &Tools, mut rounds: UnboundedReceiver<Deployed>) -> usize {
    let account = Account::start(tools).await.unwrap();
    let (mut count, mut failures) = (0, Vec::new());
    while let Some((round, deployed)) = rounds.recv().await {
        for one in round.functions.values().flat_map(|own| &own.scenarios) {
            let blueprint = || Ok(deployed.functions[&one.function].clone().with(&one.config));
            let play = || run::play_upon(tools, &account, one, blueprint(), Options::default());
            let mut played = play().await;
            if !played.passed {
                // Beside Terraform on two cores: once more, as nextest does with the catalogue, and shown.
                eprintln!("{}/{} is played again: {:?}", one.function, one.name, played.failures);
                played = play().await;
            }
            count += 1;
            if !played.passed {
                failures.push(format!("{}/{}: {}", one.function, one.name, played.failures.join("; ")));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {count} failed:\n{}", failures.len(), failures.join("\n"));
    count
}

/// Nothing of the deployment is left in an account and region.
async fn empty(account: &Account, owner: &str, region: &str) {
    for (call, at) in [
        ("lambda.list_functions", "Functions[].FunctionName"),
        ("iam.list_roles", "Roles[].RoleName"),
        ("dynamodb.list_tables", "TableNames"),
        ("sqs.list_queues", "QueueUrls || `[]`"),
        ("sns.list_topics", "Topics"),
        ("events.list_rules", "Rules[].Name"),
        ("events.list_event_buses", "EventBuses[?Name!='default'].Name"),
        ("scheduler.list_schedules", "Schedules[].Name"),
        ("logs.describe_log_groups", "logGroups[].logGroupName"),
        ("cloudwatch.describe_alarms", "MetricAlarms[].AlarmName"),
    ] {
        let left = account.call_at(owner, region, call, json!({}), at).await.unwrap();
        assert_eq!(left, json!([]), "{call} in {owner}, {region}");
    }
}
