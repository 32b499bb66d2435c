//! The stage of a scenario: the account as the attack left it, the function deployed, the event ready to be delivered.
//!
//! [`crate::run::play`] plays a scenario on a stage from beginning to end. Tests that want something else, such as the
//! same event in fifty processes at once, set the stage and start functions themselves.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::account::Account;
use crate::blueprint::Blueprint;
use crate::deploy::Deployment;
use crate::function::Function;
use crate::proxy::Proxy;
use crate::scenario::{Scenario, Step};
use crate::template::Names;
use crate::tools::Tools;

/// A stage that is set.
#[derive(Debug)]
pub struct Stage<'a> {
    tools: &'a Tools,
    /// The account.
    pub account: &'a Account,
    /// The function's deployment, with the names that the steps saved.
    pub deployment: Deployment,
    /// The event.
    pub event: Value,
    /// Whether EventBridge delivers it: a rule of the function matches, or it is a sweep.
    pub delivered: bool,
}

impl<'a> Stage<'a> {
    /// Empties the account, deploys the function from the files of its room, and runs the steps of a scenario up to its
    /// event.
    pub async fn set(tools: &'a Tools, account: &'a Account, scenario: &Scenario) -> Result<Self> {
        let blueprint = Blueprint::draw(tools, account, &scenario.function, &scenario.config)?;
        Self::upon(tools, account, scenario, blueprint).await
    }

    /// [`Stage::set`] with a function that is deployed as somebody else drew it.
    pub async fn upon(
        tools: &'a Tools,
        account: &'a Account,
        scenario: &Scenario,
        blueprint: Blueprint,
    ) -> Result<Self> {
        account.reset().await?;
        let mut deployment = Deployment::make(account, blueprint.clone()).await?;
        take(account, &scenario.given, &mut deployment.names).await.context("given")?;
        take(account, &scenario.attack, &mut deployment.names).await.context("attack")?;
        let room = tools.room(&scenario.function);
        let event = scenario.event.build(&room, &deployment.names, blueprint.sweep.as_ref())?;
        let delivered = scenario.event.sweep || blueprint.brings(&event, account)?;
        Ok(Self { tools, account, deployment, event, delivered })
    }

    /// A proxy of its own for one function process.
    pub async fn proxy(&self, latency: Duration) -> Result<Proxy> {
        let proxy = Proxy::start(self.account.address).await?;
        proxy.set_latency(latency);
        Ok(proxy)
    }

    /// A new process of the function behind a proxy.
    pub async fn function(&self, proxy: &Proxy) -> Result<Function> {
        let function =
            Function::start(self.deployment.start(self.tools, &proxy.url())?, self.account).await?;
        proxy.set_killer(function.killer());
        Ok(function)
    }
}

/// Runs steps one after the other and remembers what they save.
async fn take(account: &Account, steps: &[Step], names: &mut Names) -> Result<()> {
    for step in steps.iter().filter(|step| !step.call.is_empty()) {
        let answer = account.step(&step.filled(names)?).await?;
        for (name, value) in answer.saved {
            names.set(name, value);
        }
    }
    Ok(())
}
