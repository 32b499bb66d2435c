//! What Terraform does for a function, done in the simulated account: its role, the journal, the topic, its configuration.
//!
//! The role has the statements of the room's and the shared `permissions.json` and nothing else; those that belong to
//! a setting only if the scenario switches it on. Messages land in a queue from which the drill reads them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::function::Start;
use crate::scenario::{Scenario, read};
use crate::template::Names;
use crate::tools::Tools;

const TABLE: &str = "tourniquet-journal";

/// `function.json` of a room, as far as the drill needs it.
#[derive(Clone, Debug, Deserialize)]
pub struct Manifest {
    /// Megabytes of memory.
    pub memory_mb: u32,
    /// Seconds until Lambda ends an invocation.
    pub timeout_s: u32,
    /// Operations whose last success before the answer is the moment of containment.
    #[serde(default)]
    pub contained_by: Vec<String>,
}

#[derive(Deserialize)]
struct Permissions {
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    sid: String,
    actions: Vec<String>,
    resources: Vec<String>,
    #[serde(default)]
    conditions: Option<Value>,
    #[serde(default)]
    setting: Option<String>,
    #[serde(default)]
    default: bool,
}

/// A function's deployment.
#[derive(Debug)]
pub struct Deployment {
    /// The room's manifest.
    pub manifest: Manifest,
    /// What the deployment is called, and the moments that scenarios name; steps add to it.
    pub names: Names,
    function: String,
    queue: String,
    credentials: Value,
    config: Map<String, Value>,
}

impl Deployment {
    /// Deploys the function of a scenario into an account that is empty.
    pub async fn make(tools: &Tools, account: &Account, scenario: &Scenario) -> Result<Self> {
        let function = scenario.function.clone();
        let room = tools.room(&function);
        let manifest = read(&room.join("function.json"))?;
        let mut names = names(&account.id, &account.region, &function);
        let members = members(scenario);
        let settings = scenario.config.get("settings").cloned().unwrap_or_else(|| json!({}));

        let topic = account.call("sns.create_topic", json!({"Name": "tourniquet"}), "TopicArn").await?;
        names.set("report_topic", topic.clone());
        let queue = account.call("sqs.create_queue", json!({"QueueName": "messages"}), "QueueUrl").await?;
        let attributes = json!({"QueueUrl": queue, "AttributeNames": ["QueueArn"]});
        let endpoint = account.call("sqs.get_queue_attributes", attributes, "Attributes.QueueArn").await?;
        let subscription = json!({
            "TopicArn": topic, "Protocol": "sqs", "Endpoint": endpoint, "Attributes": {"RawMessageDelivery": "true"}
        });
        account.call("sns.subscribe", subscription, "SubscriptionArn").await?;
        account.call("dynamodb.create_table", table(), "TableDescription.TableName").await?;

        let role = role(&function);
        let policy = policy(&tools.project, &room, &settings, &names)?;
        let trust = json!({"Service": "lambda.amazonaws.com"});
        let role_arn = make_role(account, &account.id, &role, &trust, &policy).await?;
        for member in &members {
            let mut there = names.clone();
            there.set("account", member.clone());
            let policy = policy_of(&room, &settings, &there)?;
            make_role(account, member, &role, &json!({"AWS": role_arn}), &policy).await?;
        }
        let session = json!({"RoleArn": role_arn, "RoleSessionName": function});
        let credentials = account.call("sts.assume_role", session, "Credentials").await?;
        let config = config(&names, scenario);
        let queue = queue.as_str().unwrap_or_default().to_owned();
        Ok(Self { manifest, names, function, queue, credentials, config })
    }

    /// How the function is started with this deployment, behind a proxy.
    pub fn start(&self, tools: &Tools, endpoint: &str) -> Result<Start> {
        let config = self.names.fill(&Value::Object(self.config.clone()))?;
        let key =
            |name: &str| self.credentials.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let region = self.names.text("${region}")?;
        let environment = [
            ("AWS_REGION", region.clone()),
            ("AWS_DEFAULT_REGION", region),
            ("AWS_ACCESS_KEY_ID", key("AccessKeyId")),
            ("AWS_SECRET_ACCESS_KEY", key("SecretAccessKey")),
            ("AWS_SESSION_TOKEN", key("SessionToken")),
            ("AWS_ENDPOINT_URL", endpoint.to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", self.manifest.memory_mb.to_string()),
            ("TOURNIQUET_CONFIG", config.to_string()),
        ];
        Ok(Start {
            name: self.function.clone(),
            binary: tools.binary(&self.function)?,
            emulator: tools.emulator.clone(),
            timeout_s: self.manifest.timeout_s,
            environment: environment.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        })
    }

    /// The messages that were published since the last look.
    pub async fn messages(&self, account: &Account) -> Result<Vec<String>> {
        let mut all = Vec::new();
        loop {
            let receive =
                json!({"QueueUrl": self.queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 600});
            let batch = account.call("sqs.receive_message", receive, "Messages[].Body").await?;
            let batch: Vec<String> = serde_json::from_value(batch).unwrap_or_default();
            if batch.is_empty() {
                return Ok(all);
            }
            all.extend(batch);
        }
    }
}

/// The role has the same name in the function's account and in the members'.
fn role(function: &str) -> String {
    format!("tourniquet-{function}")
}

fn names(account: &str, region: &str, function: &str) -> Names {
    let mut names = Names::default();
    for (name, value) in crate::clock::names() {
        names.set(name, value);
    }
    names.set("partition", "aws");
    names.set("region", region);
    names.set("account", account);
    names.set("journal_table", TABLE);
    names.set("function", function);
    names.set("function_role", format!("arn:aws:iam::{account}:role/{}", role(function)));
    names.set("member_role", role(function));
    names
}

fn members(scenario: &Scenario) -> Vec<String> {
    scenario
        .config
        .get("accounts")
        .and_then(|list| serde_json::from_value(list.clone()).ok())
        .unwrap_or_default()
}

fn table() -> Value {
    let key = |hash: &str| json!([{"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]);
    json!({
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": key("pk"),
        "AttributeDefinitions": (["pk", "sk", "watched"].map(|name| json!({"AttributeName": name, "AttributeType": "S"}))),
        "GlobalSecondaryIndexes": [
            {"IndexName": "watched", "KeySchema": key("watched"), "Projection": {"ProjectionType": "ALL"}}
        ]
    })
}

fn config(names: &Names, scenario: &Scenario) -> Map<String, Value> {
    let base = json!({
        "account": names.get("account"), "mode": "observe", "journal_table": TABLE,
        "report_topic": names.get("report_topic"), "own_role": names.get("function_role"),
        "accounts": [], "settings": {}
    });
    let mut config: Map<String, Value> = serde_json::from_value(base).unwrap_or_default();
    config.extend(scenario.config.clone());
    config
}

/// The policy of a function's role in an account, given as its id and region, as the drill deploys it.
pub fn role_policy(
    tools: &Tools,
    (account, region): (&str, &str),
    function: &str,
    settings: &Value,
    report_topic: &str,
) -> Result<Value> {
    let mut names = names(account, region, function);
    names.set("report_topic", report_topic);
    policy(&tools.project, &tools.room(function), settings, &names)
}

/// The policy of the function's role: what every function needs, and the room's own.
fn policy(project: &Path, room: &Path, settings: &Value, names: &Names) -> Result<Value> {
    let mut document = policy_of(&project.join("shared"), settings, names)?;
    let own = policy_of(room, settings, names)?;
    if let (Some(all), Some(more)) = (list(&mut document), own.get("Statement").and_then(Value::as_array)) {
        all.extend(more.iter().cloned());
    }
    Ok(document)
}

fn list(document: &mut Value) -> Option<&mut Vec<Value>> {
    document.get_mut("Statement")?.as_array_mut()
}

/// The statements of one `permissions.json`, without those whose setting is off.
fn policy_of(folder: &Path, settings: &Value, names: &Names) -> Result<Value> {
    let permissions: Permissions = read(&folder.join("permissions.json"))?;
    let on = |statement: &&Statement| {
        let set = |name: &String| settings.get(name).and_then(Value::as_bool).unwrap_or(statement.default);
        statement.setting.as_ref().is_none_or(set)
    };
    let statements = permissions.statements.iter().filter(on);
    let statements = statements.map(|statement| written(statement, names)).collect::<Result<Vec<_>>>()?;
    Ok(json!({"Version": "2012-10-17", "Statement": statements}))
}

fn written(statement: &Statement, names: &Names) -> Result<Value> {
    let mut fields = BTreeMap::from([
        ("Sid", json!(statement.sid)),
        ("Effect", json!("Allow")),
        ("Action", json!(statement.actions)),
        ("Resource", json!(statement.resources)),
    ]);
    if let Some(conditions) = &statement.conditions {
        fields.insert("Condition", conditions.clone());
    }
    names.fill(&json!(fields)).with_context(|| format!("statement {}", statement.sid))
}

async fn make_role(
    account: &Account,
    owner: &str,
    name: &str,
    principal: &Value,
    policy: &Value,
) -> Result<Value> {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]
    });
    let role = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
    let arn = account.call_in(owner, "iam.create_role", role, "Role.Arn").await?;
    let inline = json!({"RoleName": name, "PolicyName": "function", "PolicyDocument": policy.to_string()});
    account.call_in(owner, "iam.put_role_policy", inline, "@").await?;
    Ok(arn)
}
