//! What is deployed of a function: drawn from the room's files, or read back from an account in which Terraform deployed
//! it ([`crate::deployed`]). [`crate::deploy`] builds either in the simulated account.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::rules::{Patterns, Rules};
use crate::scenario::read;
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
    /// When it sweeps.
    pub schedule: Option<String>,
}

/// A function with all that it needs.
#[derive(Clone, Debug)]
pub struct Blueprint {
    /// What Lambda calls it.
    pub name: String,
    /// The room's manifest, with the memory and the timeout that are deployed.
    pub manifest: Manifest,
    /// What its zip holds.
    pub binary: PathBuf,
    /// Its configuration.
    pub config: Map<String, Value>,
    /// Its environment besides the configuration.
    pub variables: BTreeMap<String, String>,
    /// Its role.
    pub role: Role,
    /// What is deployed in other accounts for it.
    pub members: BTreeMap<String, Member>,
    /// The journal, as the arguments of `CreateTable`.
    pub table: Value,
    /// The rules that bring it events of its own account and region.
    pub rules: Patterns,
    /// The rules that bring it events from elsewhere.
    pub hub: Patterns,
    /// What its schedule sends; the schedule's own keywords are names.
    pub sweep: Option<Value>,
}

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Who may assume it.
    pub trust: Value,
    /// Its policies by name, those that are attached too.
    pub policies: BTreeMap<String, Value>,
}

/// What is deployed in another account for a function.
#[derive(Clone, Debug)]
pub struct Member {
    /// The role that the function assumes there.
    pub role: Role,
    /// The rules that send events on to the hub.
    pub rules: Patterns,
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

impl Blueprint {
    /// Draws a function from the files of its room, with a configuration that is merged into the one of a fresh
    /// deployment.
    pub fn draw(
        tools: &Tools,
        account: &Account,
        function: &str,
        config: &Map<String, Value>,
    ) -> Result<Self> {
        let room = tools.room(function);
        let manifest: Manifest = read(&room.join("function.json"))?;
        let name = format!("tourniquet-{function}");
        let names = names(account, &name);
        let settings = switches(config);
        let mut all = statements(&tools.project.join("shared"), &settings, &names)?;
        all.extend(statements(&room, &settings, &names)?);
        let lambda = trust(&json!({"Service": "lambda.amazonaws.com"}));
        let rules = Rules::patterns(&room)?;
        let sweep = manifest.schedule.as_ref().map(|_| sweep());
        let mut blueprint = Self {
            role: Role::with(&name, lambda, &all),
            name,
            binary: tools.binary(function)?,
            config: fresh(&names),
            variables: BTreeMap::new(),
            members: BTreeMap::new(),
            table: table(),
            hub: rules.clone(),
            rules,
            sweep,
            manifest,
        }
        .with(config);
        for member in blueprint.accounts() {
            let mut there = names.clone();
            there.set("account", member.clone());
            let hub = trust(&json!({"AWS": names.get("function_role")}));
            let role = Role::with(&blueprint.name, hub, &statements(&room, &settings, &there)?);
            blueprint.members.insert(member, Member { role, rules: blueprint.rules.clone() });
        }
        Ok(blueprint)
    }

    /// The same with other values in its configuration, as an operator would write them.
    #[must_use]
    pub fn with(mut self, config: &Map<String, Value>) -> Self {
        self.config.extend(config.clone());
        self
    }

    /// The other accounts in the configuration.
    #[must_use]
    pub fn accounts(&self) -> Vec<String> {
        let accounts = self.config.get("accounts").cloned().unwrap_or_default();
        serde_json::from_value(accounts).unwrap_or_default()
    }

    /// Whether the rules bring an event to the function: those of its own account and region, or else those that send it
    /// on to the hub and those of the hub.
    pub fn brings(&self, event: &Value, home: &Account) -> Result<bool> {
        let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default();
        let brought = |rules: &Patterns| Ok(!Rules::new(rules)?.matching(event)?.is_empty());
        if (text("account"), text("region")) == (&home.id, &home.region) {
            return brought(&self.rules);
        }
        match self.members.get(text("account")) {
            Some(member) => Ok(brought(&member.rules)? && brought(&self.hub)?),
            None => brought(&self.hub),
        }
    }
}

impl Role {
    fn with(name: &str, trust: Value, statements: &[Value]) -> Self {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        Self { name: name.to_owned(), trust, policies: BTreeMap::from([("function".to_owned(), policy)]) }
    }

    /// The statements of all its policies.
    #[must_use]
    pub fn statements(&self) -> Vec<Value> {
        let lists = self.policies.values().filter_map(|policy| policy.get("Statement")?.as_array());
        lists.flatten().cloned().collect()
    }
}

fn trust(principal: &Value) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]
    })
}

/// What the permissions name.
fn names(account: &Account, role: &str) -> Names {
    let (id, region) = (&account.id, &account.region);
    let mut names = Names::default();
    names.set("partition", "aws");
    names.set("region", region.as_str());
    names.set("account", id.as_str());
    names.set("journal_table", TABLE);
    names.set("report_topic", format!("arn:aws:sns:{region}:{id}:tourniquet"));
    names.set("function_role", format!("arn:aws:iam::{id}:role/{role}"));
    // The role has the same name in the function's account and in the members'.
    names.set("member_role", role);
    names
}

fn fresh(names: &Names) -> Map<String, Value> {
    let config = json!({
        "account": names.get("account"), "mode": "observe", "journal_table": TABLE,
        "report_topic": names.get("report_topic"), "own_role": names.get("function_role"),
        "accounts": [], "settings": {}
    });
    serde_json::from_value(config).unwrap_or_default()
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

fn sweep() -> Value {
    json!({
        "version": "0", "id": "11111111-2222-4333-8444-555555555555", "detail-type": "Scheduled Event",
        "source": "aws.scheduler", "account": "${account}", "time": "${now}", "region": "${region}",
        "resources": [], "detail": {}
    })
}

/// What statements can belong to: the settings, and whether there are other accounts.
fn switches(config: &Map<String, Value>) -> Value {
    let mut settings = config.get("settings").cloned().unwrap_or_else(|| json!({}));
    let accounts = config.get("accounts").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    if let Some(settings) = settings.as_object_mut() {
        settings.insert("accounts".to_owned(), json!(accounts));
    }
    settings
}

/// The statements of one `permissions.json`, without those whose setting is off.
fn statements(folder: &Path, settings: &Value, names: &Names) -> Result<Vec<Value>> {
    let permissions: Permissions = read(&folder.join("permissions.json"))?;
    let on = |statement: &&Statement| {
        let set = |name: &String| settings.get(name).and_then(Value::as_bool).unwrap_or(statement.default);
        statement.setting.as_ref().is_none_or(set)
    };
    permissions.statements.iter().filter(on).map(|statement| written(statement, names)).collect()
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
