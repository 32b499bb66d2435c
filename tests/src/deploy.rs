//! Deploys a function into the simulated account: its role, the journal, the topic, its configuration.
//!
//! The role has the policies of the [`Blueprint`] and nothing else. Messages land in a queue from which the drill reads
//! them.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::blueprint::{Blueprint, Manifest, Role};
use crate::function::Start;
use crate::template::Names;
use crate::tools::Tools;

/// A function's deployment.
#[derive(Debug)]
pub struct Deployment {
    /// The room's manifest.
    pub manifest: Manifest,
    /// What the deployment is called, and the moments that scenarios name; steps add to it.
    pub names: Names,
    blueprint: Blueprint,
    queue: String,
    credentials: Value,
}

impl Deployment {
    /// Deploys a function into an account that is empty.
    pub async fn make(account: &Account, blueprint: Blueprint) -> Result<Self> {
        let queue = topic(account, configured(&blueprint.config, "report_topic")?).await?;
        account.call("dynamodb.create_table", blueprint.table.clone(), "TableDescription.TableName").await?;
        Self::of(account, blueprint, queue).await
    }

    /// Deploys another function beside this one: the same journal, the same topic.
    pub async fn beside(&self, account: &Account, blueprint: Blueprint) -> Result<Self> {
        let mut other = Self::of(account, blueprint, self.queue.clone()).await?;
        let own = std::mem::replace(&mut other.names, self.names.clone());
        for name in ["function_role", "member_role"] {
            other.names.set(name, own.get(name).cloned().unwrap_or_default());
        }
        Ok(other)
    }

    async fn of(account: &Account, blueprint: Blueprint, queue: String) -> Result<Self> {
        let role = make_role(account, &account.id, &blueprint.role).await?;
        for (owner, member) in &blueprint.members {
            make_role(account, owner, &member.role).await?;
        }
        account.enter(&role, "lambda", &format!("function:{}", blueprint.name)).await?;
        let session = json!({"RoleArn": role, "RoleSessionName": blueprint.name});
        let credentials = account.call("sts.assume_role", session, "Credentials").await?;

        let mut names = Names::default();
        for (name, value) in crate::clock::names() {
            names.set(name, value);
        }
        names.set("partition", "aws");
        names.set("region", account.region.as_str());
        names.set("account", account.id.as_str());
        names.set("journal_table", configured(&blueprint.config, "journal_table")?);
        names.set("report_topic", configured(&blueprint.config, "report_topic")?);
        names.set("function_role", role);
        names.set("member_role", blueprint.role.name.as_str());
        Ok(Self { manifest: blueprint.manifest.clone(), names, blueprint, queue, credentials })
    }

    /// How the function is started with this deployment, behind a proxy.
    pub fn start(&self, tools: &Tools, endpoint: &str) -> Result<Start> {
        let config = self.names.fill(&Value::Object(self.blueprint.config.clone()))?;
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
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).into_iter();
        Ok(Start {
            name: self.blueprint.name.clone(),
            binary: self.blueprint.binary.clone(),
            emulator: tools.emulator.clone(),
            timeout_s: self.manifest.timeout_s,
            environment: environment.chain(self.blueprint.variables.clone()).collect(),
        })
    }

    /// The credentials that the function runs with.
    #[must_use]
    pub fn secrets(&self) -> Vec<&str> {
        let key = |name: &str| self.credentials.get(name).and_then(Value::as_str);
        ["AccessKeyId", "SecretAccessKey", "SessionToken"].into_iter().filter_map(key).collect()
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

/// A text without which nothing can be deployed.
fn configured<'a>(config: &'a Map<String, Value>, key: &str) -> Result<&'a str> {
    config.get(key).and_then(Value::as_str).with_context(|| format!("the configuration has no {key}"))
}

/// Makes the topic for messages, and the queue in which they land.
async fn topic(account: &Account, arn: &str) -> Result<String> {
    let name = arn.rsplit(':').next().unwrap_or_default();
    let topic = account.call("sns.create_topic", json!({"Name": name}), "TopicArn").await?;
    if topic != json!(arn) {
        bail!("the topic is {topic}, and the configuration says {arn}");
    }
    let queue = account.call("sqs.create_queue", json!({"QueueName": "messages"}), "QueueUrl").await?;
    let attributes = json!({"QueueUrl": queue, "AttributeNames": ["QueueArn"]});
    let endpoint = account.call("sqs.get_queue_attributes", attributes, "Attributes.QueueArn").await?;
    let subscription = json!({
        "TopicArn": topic, "Protocol": "sqs", "Endpoint": endpoint, "Attributes": {"RawMessageDelivery": "true"}
    });
    account.call("sns.subscribe", subscription, "SubscriptionArn").await?;
    Ok(queue.as_str().unwrap_or_default().to_owned())
}

async fn make_role(account: &Account, owner: &str, role: &Role) -> Result<Value> {
    let create = json!({"RoleName": role.name, "AssumeRolePolicyDocument": role.trust.to_string()});
    let arn = account.call_in(owner, "iam.create_role", create, "Role.Arn").await?;
    for (name, policy) in &role.policies {
        let inline = json!({"RoleName": role.name, "PolicyName": name, "PolicyDocument": policy.to_string()});
        account.call_in(owner, "iam.put_role_policy", inline, "@").await?;
    }
    Ok(arn)
}
