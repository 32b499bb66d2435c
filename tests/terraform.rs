//! Terraform for real, against the simulated account: what it deploys is what the rooms' files say and what the drill
//! deploys, a second plan changes nothing, and destroy leaves nothing. Without Terraform the test says so and passes.
//!
//! `TOURNIQUET_TF_PLUGINS` names a folder with the AWS provider, where there is no registry.

#![cfg(test)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use drill::account::Account;
use drill::deploy::{self, Manifest};
use drill::scenario;
use drill::tools::Tools;
use serde_json::{Value, json};

/// What the drill's policies have no use for: calls that Lambda makes with the role, and the function never.
const BY_LAMBDA: [&str; 2] = ["Log", "KeepFailed"];

/// The account that moto takes a caller for who does not name one; Terraform cannot.
const ACCOUNT: &str = "123456789012";

/// A copy of what Terraform reads, so that it leaves nothing beside the sources.
struct Copy {
    folder: tempfile::TempDir,
    endpoint: String,
    deployment: Value,
}

impl Copy {
    fn of(tools: &Tools, account: &Account, functions: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rooms = "infra shared/permissions.json crates/*/function.json crates/*/permissions.json crates/*/triggers";
        let copy = format!("tar cf - {rooms} | tar xf - -C '{}'", folder.path().display());
        let done = Command::new("sh").args(["-c", &copy]).current_dir(&tools.project).status().unwrap();
        assert!(done.success());
        let dist = folder.path().join("dist");
        std::fs::create_dir(&dist).unwrap();
        for function in functions {
            let zip = dist.join(format!("{function}-x86_64.zip"));
            let binary = tools.binary(function).unwrap();
            let pack = tools.project.join("scripts/zip.py");
            assert!(Command::new(&tools.python).arg(pack).arg(binary).arg(zip).status().unwrap().success());
        }
        let deployment = json!({
            "dist": dist, "architecture": "x86_64",
            "functions": {"stop-instance": {"mode": "enforce", "changes_per_hour": "7"}},
            "settings": {"stop-instance": {"cut_connections": true}}
        });
        Self { folder, endpoint: format!("http://{}", account.address), deployment }
    }

    fn terraform(&self, region: &str, arguments: &[&str]) -> Output {
        let root: PathBuf = self.folder.path().join("infra/tests/simulated");
        let mut command = Command::new("terraform");
        command.args(arguments).arg("-no-color").current_dir(root);
        if std::env::var_os("TF_CLI_CONFIG_FILE").is_some_and(|file| !Path::new(&file).exists()) {
            command.env_remove("TF_CLI_CONFIG_FILE");
        }
        command
            .env("CHECKPOINT_DISABLE", "1")
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_REGION", region)
            .env("AWS_ACCESS_KEY_ID", "AKIADRILLADMIN000000")
            .env("AWS_SECRET_ACCESS_KEY", "simulated")
            .env("TF_VAR_deployment", self.deployment.to_string())
            .output()
            .unwrap()
    }

    fn succeeds(&self, region: &str, arguments: &[&str]) {
        let output = self.terraform(region, arguments);
        let says = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}{}", says(&output.stdout), says(&output.stderr));
    }
}

#[tokio::test]
async fn terraform_deploys_what_the_drill_does_plans_nothing_more_and_leaves_nothing() {
    if Command::new("terraform").arg("version").output().is_err() {
        eprintln!("LEFT OUT: Terraform is missing, so nothing was deployed with it");
        return;
    }
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let functions = tools.functions().unwrap();
    let copy = Copy::of(&tools, &account, &functions);
    let region = account.region.clone();
    let plugins = std::env::var("TOURNIQUET_TF_PLUGINS").ok().filter(|folder| !folder.is_empty());
    let plugins = plugins.map(|folder| format!("-plugin-dir={folder}"));
    let init: Vec<&str> = ["init", "-input=false"].into_iter().chain(plugins.as_deref()).collect();
    copy.succeeds(&region, &init);
    copy.succeeds(&region, &["apply", "-auto-approve", "-input=false"]);
    for function in &functions {
        deployed(&tools, &account, function, &copy.deployment).await;
    }
    let plan = copy.terraform(&region, &["plan", "-detailed-exitcode", "-input=false"]);
    assert_eq!(
        plan.status.code(),
        Some(0),
        "a second plan changes: {}",
        String::from_utf8_lossy(&plan.stdout)
    );
    copy.succeeds(&region, &["destroy", "-auto-approve", "-input=false"]);
    for (call, at) in [
        ("lambda.list_functions", "Functions[].FunctionName"),
        ("iam.list_roles", "Roles[].RoleName"),
        ("dynamodb.list_tables", "TableNames"),
        ("sqs.list_queues", "QueueUrls || `[]`"),
        ("sns.list_topics", "Topics"),
        ("events.list_rules", "Rules[].Name"),
        ("scheduler.list_schedules", "Schedules[].Name"),
        ("logs.describe_log_groups", "logGroups[].logGroupName"),
        ("cloudwatch.describe_alarms", "MetricAlarms[].AlarmName"),
    ] {
        assert_eq!(account.call_in(ACCOUNT, call, json!({}), at).await.unwrap(), json!([]), "{call}");
    }
}

/// Compares what stands in the account with the room's files.
async fn deployed(tools: &Tools, account: &Account, function: &str, deployment: &Value) {
    let name = format!("tourniquet-{function}");
    let room = tools.room(function);
    let manifest: Manifest = scenario::read(&room.join("function.json")).unwrap();
    let shown = account
        .call_in(ACCOUNT, "lambda.get_function_configuration", json!({"FunctionName": name}), "@")
        .await
        .unwrap();
    assert_eq!(
        (&shown["MemorySize"], &shown["Timeout"]),
        (&json!(manifest.memory_mb), &json!(manifest.timeout_s))
    );
    let config = shown["Environment"]["Variables"]["TOURNIQUET_CONFIG"].as_str().unwrap();
    let config: Value = serde_json::from_str(config).unwrap();
    let enforced = function == "stop-instance";
    assert_eq!(config["mode"], json!(if enforced { "enforce" } else { "observe" }), "{function}");
    assert_eq!(config["own_role"], json!(format!("arn:aws:iam::{ACCOUNT}:role/{name}")));

    let settings = deployment["settings"].get(function).cloned().unwrap_or_else(|| json!({}));
    let topic = config["report_topic"].as_str().unwrap();
    let wanted = deploy::role_policy(tools, (ACCOUNT, &account.region), function, &settings, topic).unwrap();
    let wanted = wanted["Statement"].as_array().unwrap().clone();
    let policy = json!({"RoleName": name, "PolicyName": "function"});
    let policy =
        account.call_in(ACCOUNT, "iam.get_role_policy", policy, "PolicyDocument.Statement").await.unwrap();
    let of_room = policy.as_array().unwrap().iter().filter(|s| !BY_LAMBDA.iter().any(|sid| s["Sid"] == *sid));
    same(function, &of_room.cloned().collect::<Vec<_>>(), &wanted);

    let rules = account.call_in(
        ACCOUNT,
        "events.list_rules",
        json!({"NamePrefix": format!("{name}-")}),
        "Rules[].EventPattern",
    );
    let rules: Vec<String> = serde_json::from_value(rules.await.unwrap()).unwrap();
    let patterns: Vec<Value> = rules.iter().map(|pattern| serde_json::from_str(pattern).unwrap()).collect();
    let triggers = std::fs::read_dir(room.join("triggers")).into_iter().flatten();
    let triggers: Vec<Value> = triggers.map(|file| scenario::read(&file.unwrap().path()).unwrap()).collect();
    same(function, &patterns, &triggers);
}

/// Whether two lists hold the same, in whatever order.
fn same(function: &str, one: &[Value], other: &[Value]) {
    let within = |all: &[Value], some: &[Value]| some.iter().all(|value| all.contains(value));
    assert!(
        one.len() == other.len() && within(one, other) && within(other, one),
        "{function}: {one:?} is deployed, not {other:?}"
    );
}
