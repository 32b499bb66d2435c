//! A stage for somebody else: the account as the attack left it, behind the proxy that counts and delays the functions'
//! calls too. Whoever is to be measured beside a function gets its event and its account, and is judged by the same eyes.
//!
//! What is said is one line of JSON each time. First the stage; after a line on standard input the event counts as handed
//! over; after the next one comes what was seen, as of a drill, and then the same stage anew, until the input ends.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

use crate::account::Account;
use crate::run::{self, Delivery, Played};
use crate::scenario::Scenario;
use crate::stage::Stage;
use crate::tools::Tools;

/// Sets the stage of a scenario and hands it over, again and again.
pub async fn hand_over(
    tools: &Tools,
    account: &Account,
    scenario: &Scenario,
    latency: Duration,
) -> Result<()> {
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        let stage = Stage::set(tools, account, scenario).await?;
        let proxy = stage.proxy(latency).await?;
        say(&json!({
            "endpoint": proxy.url(), "account": account.id, "region": account.region,
            "access_key": account.administrator, "event": stage.event
        }))?;
        if lines.next_line().await?.is_none() {
            return Ok(());
        }
        let started_ms = proxy.now_ms();
        say(&json!({"handed_over_ms": started_ms}))?;
        lines.next_line().await?.context("nobody said that it is done")?;
        let mut played = Played {
            name: scenario.name.clone(),
            function: scenario.function.clone(),
            deliveries: vec![Delivery { started_ms, ended_ms: proxy.now_ms(), killed: false }],
            calls: proxy.calls(),
            ..Played::default()
        };
        run::measure(&mut played, &stage.deployment.manifest.contained_by);
        account.settle().await?;
        played.failures = run::look(account, scenario, &stage.deployment.names).await?;
        say(&serde_json::to_value(played)?)?;
    }
}

fn say(line: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush().map_err(Into::into)
}
