//! Stages for another program, such as a bench: for each function that it names on a line of its own, the stage of the model
//! scenario is set, and one line of JSON says what stands there. The account ends with standard input.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

use crate::account::Account;
use crate::scenario;
use crate::stage::Stage;
use crate::template::Names;
use crate::tools::Tools;

/// What stands on a stage.
#[derive(Debug, Serialize)]
struct Set {
    /// Where the account answers.
    endpoint: String,
    /// The id of the access key with which everything is allowed.
    administrator: String,
    /// What the function is started with.
    environment: BTreeMap<String, String>,
    /// What is delivered to it.
    event: Value,
    /// What the deployment and the steps named.
    names: Names,
}

/// Sets stages until standard input ends.
pub async fn set(tools: &Tools, account: &Account) -> Result<()> {
    let mut lines = BufReader::new(stdin()).lines();
    while let Some(function) = lines.next_line().await? {
        let stage = Stage::set(tools, account, &scenario::model(&tools.scenarios(), &function)?).await?;
        let endpoint = format!("http://{}", account.address);
        let start = stage.deployment.start(tools, &endpoint)?;
        let set = Set {
            endpoint,
            administrator: account.administrator.clone(),
            environment: start.environment.into_iter().collect(),
            event: stage.event,
            names: stage.deployment.names,
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", serde_json::to_string(&set)?)?;
        out.flush()?;
    }
    Ok(())
}
