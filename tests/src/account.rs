//! The client of the simulated account: a Python process that answers one line of JSON for each line that it is sent.
//!
//! The process ends when this side closes its standard input, which also happens when the drill is killed, and takes
//! the process groups that it was asked to guard with it. It runs in a process group of its own, so that Ctrl-C
//! does not end it before that.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;

use crate::scenario::Step;
use crate::tools::Tools;

/// A running simulated account, and all the other accounts in the same process.
#[derive(Debug)]
pub struct Account {
    pipe: Mutex<Pipe>,
    /// Where the account answers, like AWS's endpoints.
    pub address: SocketAddr,
    /// The number of the account that the functions run in.
    pub id: String,
    /// The region that the functions run in.
    pub region: String,
    /// The id of the access key with which everything is allowed in it, whatever the secret.
    pub administrator: String,
}

#[derive(Debug)]
struct Pipe {
    // Kept so that the process is reaped.
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

#[derive(Deserialize)]
struct Ready {
    ready: Home,
}

#[derive(Deserialize)]
struct Home {
    port: u16,
    account: String,
    region: String,
    administrator: String,
}

/// What a step brought: the picked answer, and the values to remember by name.
#[derive(Debug, Default, Deserialize)]
pub struct Answer {
    /// The whole answer, or what the step's `at` picked from it.
    #[serde(default)]
    pub answer: Value,
    /// What `save` picked.
    #[serde(default)]
    pub saved: Map<String, Value>,
}

/// The simulated AWS refused a step.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Refusal {
    /// AWS's error code, or the name of a Python exception.
    pub code: String,
    /// AWS's message.
    pub message: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Refusal {}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Ok(Answer),
    Error(Refusal),
}

impl Account {
    /// Starts the process and waits until its server listens.
    pub async fn start(tools: &Tools) -> Result<Self> {
        let script = tools.project.join("tests/account.py");
        let mut child = Command::new(&tools.python)
            .arg(&script)
            // The project's folders stay free of compiled files.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", script.display()))?;
        let input = child.stdin.take().context("the account has no standard input")?;
        let output = child.stdout.take().context("the account has no standard output")?;
        let mut output = BufReader::new(output).lines();
        let line = output.next_line().await?.context("the simulated account ended before it was ready")?;
        let Ready { ready } =
            serde_json::from_str(&line).with_context(|| format!("the account said {line}"))?;
        Ok(Self {
            pipe: Mutex::new(Pipe { _child: child, input, output }),
            address: SocketAddr::from(([127, 0, 0, 1], ready.port)),
            id: ready.account,
            region: ready.region,
            administrator: ready.administrator,
        })
    }

    /// Runs a step as an administrator of its account. A refusal by the simulated AWS is a [`Refusal`] inside the error.
    pub async fn step(&self, step: &Step) -> Result<Answer> {
        let answer = self.ask(&serde_json::to_value(step)?).await;
        answer.with_context(|| format!("{} was refused", step.call))
    }

    /// Runs a call with arguments and picks from its answer with `JMESPath`.
    pub async fn call(&self, call: &str, with: Value, at: &str) -> Result<Value> {
        self.call_in(&self.id, call, with, at).await
    }

    /// [`Account::call`] in another account.
    pub async fn call_in(&self, account: &str, call: &str, with: Value, at: &str) -> Result<Value> {
        self.call_at(account, &self.region, call, with, at).await
    }

    /// [`Account::call`] in another account and region.
    pub async fn call_at(
        &self,
        account: &str,
        region: &str,
        call: &str,
        with: Value,
        at: &str,
    ) -> Result<Value> {
        let request = json!({"call": call, "with": with, "at": at, "account": account, "region": region});
        Ok(self.ask(&request).await.with_context(|| format!("{call} was refused"))?.answer)
    }

    /// Whether a service of AWS may take on a role for one of its resources, such as `function:tourniquet-x`.
    pub async fn enter(&self, role: &Value, service: &str, resource: &str) -> Result<()> {
        let source = format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.id);
        let with = json!({"role": role, "service": format!("{service}.amazonaws.com"), "source": source});
        self.call("simulate.permissions.enter", with, "@").await.map(drop)
    }

    /// Forgets every resource in every account.
    pub async fn reset(&self) -> Result<()> {
        self.ask(&json!({"do": "reset"})).await.map(drop)
    }

    /// Lets minutes pass: stops come to their end, and Auto Scaling replaces members that are stopped.
    pub async fn settle(&self) -> Result<()> {
        self.ask(&json!({"do": "settle"})).await.map(drop)
    }

    /// Has a process group killed when this process ends, however it ends.
    pub async fn guard(&self, group: u32) -> Result<()> {
        self.ask(&json!({"do": "guard", "group": group})).await.map(drop)
    }

    /// Takes a guard back, after the group has been reaped.
    pub async fn release(&self, group: u32) -> Result<()> {
        self.ask(&json!({"do": "release", "group": group})).await.map(drop)
    }

    async fn ask(&self, request: &Value) -> Result<Answer> {
        let mut pipe = self.pipe.lock().await;
        let mut line = request.to_string();
        line.push('\n');
        pipe.input.write_all(line.as_bytes()).await.context("the simulated account has ended")?;
        pipe.input.flush().await?;
        let line = pipe.output.next_line().await?.context("the simulated account has ended")?;
        match serde_json::from_str(&line).with_context(|| format!("the account said {line}"))? {
            Line::Ok(answer) => Ok(answer),
            Line::Error(refusal) => bail!(refusal),
        }
    }
}
