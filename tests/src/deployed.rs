//! Reads back what is deployed of a function in the account: what AWS would use of it, and nothing from Terraform's files.
//!
//! A rule counts only if it is enabled, hands the event on as it is, and may do so; a schedule likewise.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::blueprint::{Blueprint, Manifest, Member, Role};
use crate::rules::Patterns;
use crate::scenario;
use crate::tools::Tools;

/// A table, as the arguments of `CreateTable`.
const TABLE: &str = "Table.{TableName: TableName, KeySchema: KeySchema, AttributeDefinitions: AttributeDefinitions, \
    BillingMode: BillingModeSummary.BillingMode, GlobalSecondaryIndexes: \
    GlobalSecondaryIndexes[].{IndexName: IndexName, KeySchema: KeySchema, Projection: Projection}}";

/// Targets that get the event itself.
const WHOLE: &str = "Targets[?!Input && !InputPath && !InputTransformer]";

impl Blueprint {
    /// Reads a function back; its binary is unpacked into a folder. The rules of other accounts are those of one region.
    pub async fn read(
        tools: &Tools,
        account: &Account,
        function: &str,
        folder: &Path,
        elsewhere: &str,
    ) -> Result<Self> {
        let name = format!("tourniquet-{function}");
        let shown =
            account.call("lambda.get_function_configuration", json!({"FunctionName": name}), "@").await?;
        let arn = text(&shown, "/FunctionArn")?;
        let mut manifest: Manifest = scenario::read(&tools.room(function).join("function.json"))?;
        manifest.memory_mb = number(&shown, "/MemorySize")?;
        manifest.timeout_s = number(&shown, "/Timeout")?;
        let variables = shown.pointer("/Environment/Variables").cloned().unwrap_or_default();
        let mut variables: BTreeMap<String, String> = serde_json::from_value(variables)?;
        let config = variables.remove("TOURNIQUET_CONFIG").context("there is no TOURNIQUET_CONFIG")?;
        let config: Map<String, Value> = serde_json::from_str(&config)?;
        // Lambda tells the function what it does with its lines.
        let level = text(&shown, "/LoggingConfig/ApplicationLogLevel")?;
        variables.insert("AWS_LAMBDA_LOG_LEVEL".to_owned(), level.to_owned());

        let mine = Where { account, id: &account.id, region: &account.region };
        let role = mine.role(text(&shown, "/Role")?).await?;
        let unpacked = json!({"function": name, "folder": folder});
        account.call("simulate.functions.unpack", unpacked, "@").await?;
        let journal = json!({"TableName": config.get("journal_table")});
        let table = account.call("dynamodb.describe_table", journal, TABLE).await?;
        let topic = json!({"TopicArn": config.get("report_topic")});
        account.call("sns.get_topic_attributes", topic, "@").await?;

        let sweep = mine.schedule(arn, &mut manifest).await?;
        let rules = mine.rules("default", arn, &name).await?;
        let (mut hub, mut members) = (Patterns::new(), BTreeMap::new());
        let buses = "EventBuses[?Name!='default'].[Name, Arn]";
        let buses = account.call("events.list_event_buses", json!({}), buses).await?;
        let buses: Vec<(String, String)> = serde_json::from_value(buses)?;
        let accounts = config.get("accounts").cloned().unwrap_or_default();
        let accounts: Vec<String> = serde_json::from_value(accounts)?;
        for (bus, bus_arn) in buses {
            hub.extend(mine.rules(&bus, arn, &name).await?);
            for member in &accounts {
                let there = Where { account, id: member, region: elsewhere };
                let role = there.role(&format!("arn:aws:iam::{member}:role/{}", role.name)).await?;
                let rules = there.forwarding(&bus_arn).await?;
                members.insert(member.clone(), Member { role, rules });
            }
        }
        let binary = folder.join("bootstrap");
        Ok(Self { name, manifest, binary, config, variables, role, members, table, rules, hub, sweep })
    }
}

/// An account and region to look at.
struct Where<'a> {
    account: &'a Account,
    id: &'a str,
    region: &'a str,
}

impl Where<'_> {
    async fn see(&self, call: &str, with: Value, at: &str) -> Result<Value> {
        self.account.call_at(self.id, self.region, call, with, at).await
    }

    async fn role(&self, arn: &str) -> Result<Role> {
        let name = arn.rsplit('/').next().unwrap_or_default();
        let named = json!({"RoleName": name});
        let seen = self.see("iam.get_role", named.clone(), "Role").await?;
        if text(&seen, "/Arn")? != arn {
            bail!("the role {name} is {seen}, not {arn}");
        }
        let mut policies = BTreeMap::new();
        for policy in list(&self.see("iam.list_role_policies", named.clone(), "PolicyNames").await?)? {
            let one = json!({"RoleName": name, "PolicyName": policy});
            let document = self.see("iam.get_role_policy", one, "PolicyDocument").await?;
            policies.insert(policy, document);
        }
        let attached =
            self.see("iam.list_attached_role_policies", named, "AttachedPolicies[].PolicyArn").await?;
        for policy in list(&attached)? {
            let one = json!({"PolicyArn": policy});
            let version = self.see("iam.get_policy", one, "Policy.DefaultVersionId").await?;
            let one = json!({"PolicyArn": policy, "VersionId": version});
            let document = self.see("iam.get_policy_version", one, "PolicyVersion.Document").await?;
            policies.insert(policy, document);
        }
        let trust = seen.get("AssumeRolePolicyDocument").cloned().unwrap_or_default();
        Ok(Role { name: name.to_owned(), trust, policies })
    }

    /// The enabled rules of a bus that hand every event on to a target as it is.
    async fn targeting(&self, bus: &str, arn: &str) -> Result<Vec<Value>> {
        let named = json!({"TargetArn": arn, "EventBusName": bus});
        let mut rules = Vec::new();
        for rule in list(&self.see("events.list_rule_names_by_target", named, "RuleNames").await?)? {
            let with = json!({"Name": rule, "EventBusName": bus});
            let seen = self.see("events.describe_rule", with, "@").await?;
            let with = json!({"Rule": rule, "EventBusName": bus});
            let targets = self.see("events.list_targets_by_rule", with, WHOLE).await?;
            let targets = targets.as_array().into_iter().flatten();
            for target in targets.filter(|target| target.get("Arn") == Some(&json!(arn))) {
                if seen.get("State") == Some(&json!("ENABLED")) {
                    rules.push(json!({"rule": seen, "target": target}));
                }
            }
        }
        Ok(rules)
    }

    /// The rules of a bus that may invoke a function.
    async fn rules(&self, bus: &str, arn: &str, function: &str) -> Result<Patterns> {
        let mut patterns = Patterns::new();
        let all = self.targeting(bus, arn).await?;
        if all.is_empty() {
            return Ok(patterns);
        }
        let policy = self.see("lambda.get_policy", json!({"FunctionName": function}), "Policy").await?;
        let policy: Value = serde_json::from_str(policy.as_str().unwrap_or_default())?;
        let statements = policy.get("Statement").and_then(Value::as_array).cloned().unwrap_or_default();
        for one in all {
            let source = one.pointer("/rule/Arn");
            let permits = |statement: &Value| {
                let is = |at: &str, wanted: &str| statement.pointer(at) == Some(&json!(wanted));
                is("/Effect", "Allow")
                    && is("/Action", "lambda:InvokeFunction")
                    && is("/Principal/Service", "events.amazonaws.com")
                    && statement.pointer("/Condition/ArnLike/AWS:SourceArn") == source
            };
            if statements.iter().any(permits) {
                insert(&mut patterns, &one)?;
            }
        }
        Ok(patterns)
    }

    /// The rules that may put events into a bus of another account or region.
    async fn forwarding(&self, bus: &str) -> Result<Patterns> {
        let mut patterns = Patterns::new();
        for one in self.targeting("default", bus).await? {
            let role = self.role(text(&one, "/target/RoleArn")?).await?;
            if allows(&role, "events:PutEvents", bus) {
                insert(&mut patterns, &one)?;
            }
        }
        Ok(patterns)
    }

    /// What a schedule sends to a function, and when.
    async fn schedule(&self, arn: &str, manifest: &mut Manifest) -> Result<Option<Value>> {
        manifest.schedule = None;
        let all = "Schedules[?State=='ENABLED'].{Name: Name, GroupName: GroupName}";
        let all = self.see("scheduler.list_schedules", json!({}), all).await?;
        for schedule in all.as_array().into_iter().flatten() {
            let seen = self.see("scheduler.get_schedule", schedule.clone(), "@").await?;
            if text(&seen, "/Target/Arn")? != arn {
                continue;
            }
            let role = text(&seen, "/Target/RoleArn")?;
            let group = format!("schedule-group/{}", text(&seen, "/GroupName")?);
            self.account.enter(&json!(role), "scheduler", &group).await?;
            if !allows(&self.role(role).await?, "lambda:InvokeFunction", arn) {
                bail!("the schedule's role {role} may not invoke {arn}");
            }
            manifest.schedule = Some(text(&seen, "/ScheduleExpression")?.to_owned());
            let input = text(&seen, "/Target/Input")?;
            // https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
            let input = input
                .replace("<aws.scheduler.scheduled-time>", "${now}")
                .replace("<aws.scheduler.execution-id>", "d32c5kddcf5bb8c3")
                .replace("<aws.scheduler.schedule-arn>", text(&seen, "/Arn")?);
            return Ok(Some(serde_json::from_str(&input)?));
        }
        Ok(None)
    }
}

/// Whether a statement names just this action and resource.
fn allows(role: &Role, action: &str, resource: &str) -> bool {
    role.statements().iter().any(|statement| {
        let names = |key: &str, value: &str| {
            statement.get(key).and_then(Value::as_array).is_some_and(|all| all.contains(&json!(value)))
        };
        names("Action", action) && names("Resource", resource)
    })
}

fn insert(patterns: &mut Patterns, one: &Value) -> Result<()> {
    let pattern = serde_json::from_str(text(one, "/rule/EventPattern")?)?;
    patterns.insert(text(one, "/rule/Name")?.to_owned(), pattern);
    Ok(())
}

fn text<'a>(seen: &'a Value, at: &str) -> Result<&'a str> {
    seen.pointer(at).and_then(Value::as_str).with_context(|| format!("{seen} has no {at}"))
}

fn number(seen: &Value, at: &str) -> Result<u32> {
    let number = seen.pointer(at).and_then(Value::as_u64).with_context(|| format!("{seen} has no {at}"))?;
    Ok(u32::try_from(number)?)
}

fn list(names: &Value) -> Result<Vec<String>> {
    serde_json::from_value(names.clone()).map_err(Into::into)
}
