//! A stage with one process of the function on it, for tests that deliver events themselves.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::account::Account;
use crate::function::{Function, Invocation};
use crate::proxy::Proxy;
use crate::scenario::Scenario;
use crate::stage::Stage;
use crate::tools::Tools;

/// A stage, and a process of its function behind a proxy.
#[derive(Debug)]
pub struct Running<'a> {
    /// The stage.
    pub stage: Stage<'a>,
    /// The proxy that every call of the function passes.
    pub proxy: Proxy,
    /// The process.
    pub function: Function,
}

impl<'a> Running<'a> {
    /// Sets the stage of a scenario and starts its function.
    pub async fn on_stage(tools: &'a Tools, account: &'a Account, scenario: &Scenario) -> Result<Self> {
        let stage = Stage::set(tools, account, scenario).await?;
        let proxy = stage.proxy(Duration::ZERO).await?;
        let function = stage.function(&proxy).await?;
        Ok(Self { stage, proxy, function })
    }

    /// Delivers the scenario's event.
    pub async fn deliver(&self) -> Result<Invocation> {
        self.function.invoke(&self.stage.event).await
    }

    /// Looks at the account, or changes it, as an administrator; names are filled in.
    pub async fn see(&self, call: &str, with: Value, at: &str) -> Result<Value> {
        self.stage.account.settle().await?;
        let names = &self.stage.deployment.names;
        self.stage.account.call(call, names.fill(&with)?, &names.text(at)?).await
    }

    /// The outcomes of all records in the journal, sorted.
    pub async fn records(&self) -> Result<Value> {
        let outcomes = "sort(Items[?starts_with(pk.S, 'record#') && id].outcome.S)";
        self.see("dynamodb.scan", json!({"TableName": "${journal_table}"}), outcomes).await
    }

    /// How often an operation succeeded.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        self.proxy.calls().iter().filter(|call| call.name == name && call.succeeded()).count()
    }

    /// The calls that changed something outside the journal and the messages.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        let calls = self.proxy.calls().into_iter();
        calls.filter(|call| call.changes_the_account() && call.succeeded()).map(|call| call.name).collect()
    }

    /// What was published since the last look.
    pub async fn messages(&self) -> Result<Vec<String>> {
        self.stage.deployment.messages(self.stage.account).await
    }

    /// Ends the process.
    pub async fn stop(self) -> Result<()> {
        self.function.stop(self.stage.account).await
    }
}

/// The outcomes of an invocation's reports.
#[must_use]
pub fn outcomes(invocation: &Invocation) -> Vec<&str> {
    invocation.reports.iter().map(|report| report.outcome.as_str()).collect()
}
