//! A human takes a record back while the function is at the same subject: in the end it is taken back and exempt, never half.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use drill::account::Account;
use drill::fault::{At, Fault, Kind};
use drill::function::Invocation;
use drill::proxy::Proxy;
use drill::scenario::{self, Scenario};
use drill::tools::Tools;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::cases::{environment, named};
use crate::dump::differences;
use crate::play::{Played, REASON, keys, list};
use crate::{run, scenarios};

const FUNCTIONS: [&str; 5] =
    ["stop-instance", "block-public-bucket", "restore-trail", "disable-old-keys", "revoke-open-ingress"];

/// The tests, by name; each for every function.
pub(crate) fn all() -> Vec<Trial> {
    let mut all = Vec::new();
    for function in FUNCTIONS {
        macro_rules! tests {
            ($($name:ident),* $(,)?) => {
                $(
                    let name = format!("{}_{}", stringify!($name), function.replace('-', "_"));
                    all.push(Trial::test(name, move || run($name(function))));
                )*
            };
        }
        tests!(
            law_7_a_sweep_that_began_before_an_undo_leaves_it_alone,
            law_7_a_run_whose_record_is_taken_back_leaves_it_alone,
            law_7_an_undo_killed_after_any_change_is_gone_on_with,
        );
    }
    all
}

/// The model scenario; of keys, one that is taken back: a key marked as compromised never is.
fn model(function: &str) -> Result<Scenario> {
    if function == "disable-old-keys" {
        named(function, "warned-a-week-ago")
    } else {
        scenario::model(&scenarios(), function)
    }
}

fn hang(at: At) -> Vec<Fault> {
    vec![Fault { at, kind: Kind::Hang, times: 999 }]
}

/// Until the proxy has seen a call that hangs.
async fn hangs(proxy: &Proxy) -> Result<()> {
    for _ in 0..1000 {
        if proxy.calls().iter().any(|call| call.fault == Some(Kind::Hang)) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bail!("no call was held")
}

/// Delivers an event whose calls hang from some call on until the record was taken back.
async fn interleaved(
    played: &Played<'_>,
    event: &Value,
    at: At,
    record: &str,
) -> Result<(Invocation, Vec<String>)> {
    played.of_function.set_faults(hang(at));
    let taken_back = async {
        hangs(&played.of_function).await?;
        let ended = played.undo(record, &[&REASON[..], &["--yes"]].concat()).await;
        played.of_function.set_faults(Vec::new());
        ensure!(ended.code == Some(0), "{ended:?}");
        played.now().await
    };
    let (delivered, undone) = tokio::join!(played.deliver(event), taken_back);
    let (undone, now) = (undone?, played.now().await?);
    let differ = differences(&undone, &now, &[]);
    let (ended, changed) = delivered?;
    ensure!(differ.is_empty(), "{differ:#?} {:#?}", ended.log);
    Ok((ended, changed))
}

/// The sweep has read the exemptions, and looks at the subject when that has been taken back.
async fn law_7_a_sweep_that_began_before_an_undo_leaves_it_alone(function: &str) -> Result<()> {
    let tools = Tools::find()?;
    let account = Account::start(&tools).await?;
    let played = Played::until_contained(&tools, &account, &model(function)?).await?;
    let record = played.records.first().context("nothing was begun")?.clone();
    let sweep = played.sweep.clone().context("it has no schedule")?;
    let (ended, changed) = interleaved(&played, &sweep, At::Number(3), &record).await?;
    ensure!(changed.is_empty(), "{changed:?} {:#?}", ended.log);
    played.stop().await
}

/// A run has seen the harm that is left under a partial record, and goes on with the record when that has been taken back.
async fn law_7_a_run_whose_record_is_taken_back_leaves_it_alone(function: &str) -> Result<()> {
    let tools = Tools::find()?;
    let account = Account::start(&tools).await?;
    let mut one = model(function)?;
    let manifest: Value = scenario::read(&tools.room(function).join("function.json"))?;
    for change in list(manifest["contained_by"].clone()) {
        let at = At::Operation(change.as_str().unwrap_or_default().to_owned());
        one.faults.push(Fault { at, kind: Kind::Deny, times: 999 });
    }
    let played = Played::until_contained(&tools, &account, &one).await?;
    let record = played.records.first().context("nothing was begun")?.clone();
    let at = At::Operation("dynamodb:PutItem".to_owned());
    let event = played.stage.event.clone();
    let (ended, changed) = interleaved(&played, &event, at, &record).await?;
    ensure!(changed.is_empty(), "{changed:?} {:#?}", ended.log);
    ensure!(ended.error.is_none(), "{:?} {:#?}", ended.error, ended.log);
    played.stop().await
}

/// Its process dies after each of its calls that changes something, and the same command goes on. What it reads in between
/// leaves nothing behind.
async fn law_7_an_undo_killed_after_any_change_is_gone_on_with(function: &str) -> Result<()> {
    let tools = Tools::find()?;
    let account = Account::start(&tools).await?;
    let one = model(function)?;
    let changing = killed(&tools, &account, &one, None).await?;
    ensure!(changing.len() >= 2, "begun and closed: {changing:?}");
    for call in changing {
        killed(&tools, &account, &one, Some(call))
            .await
            .with_context(|| format!("killed after call {call}"))?;
    }
    Ok(())
}

/// An undo that is killed after a call and repeated; the numbers of the calls that changed something.
async fn killed(tools: &Tools, account: &Account, one: &Scenario, after: Option<u32>) -> Result<Vec<u32>> {
    let played = Played::until_contained(tools, account, one).await?;
    let record = played.records.first().context("nothing was begun")?.clone();
    let arguments = [&REASON[..], &["--yes", "--json"]].concat();
    if let Some(after) = after {
        let cut = played.stage.proxy(Duration::ZERO).await?;
        cut.set_faults(vec![Fault { at: At::Number(after), kind: Kind::KillAfter, times: 1 }]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_tourniquet"));
        command.args(["undo", &record]).args(&arguments).stdin(Stdio::null()).stdout(Stdio::null());
        environment(&mut command, &played);
        let child =
            command.env("AWS_ENDPOINT_URL", cut.url()).stderr(Stdio::null()).kill_on_drop(true).spawn()?;
        let child = Arc::new(Mutex::new(child));
        let killer = Arc::clone(&child);
        cut.set_killer(Arc::new(move || drop(killer.lock().unwrap().start_kill())));
        while child.lock().unwrap().try_wait()?.is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        ensure!(cut.calls().iter().any(|call| call.fault == Some(Kind::KillAfter)), "it was not killed");
        end_lease(&played).await?;
    }
    let ended = played.undo(&record, &arguments).await;
    let document: Value = serde_json::from_str(&ended.out).with_context(|| format!("{ended:?}"))?;
    let is_undone = ["undone", "already-undone"].map(Value::from).contains(&document["status"]);
    ensure!(ended.code == Some(0) && is_undone, "{ended:?}");
    // What was kept by design is named by whoever did the rest.
    if document["status"] == json!("undone") {
        let differ = differences(&played.before, &played.now().await?, &keys(&document, "kept"));
        ensure!(differ.is_empty(), "{differ:#?}");
    }
    let undone = "length(Items[?starts_with(pk.S, 'record#') && starts_with(sk.S, 'undo#')])";
    ensure!(played.journal(undone).await? == json!(1), "there is more than one undo");
    let (ended, changed) = played.deliver(&played.stage.event.clone()).await?;
    ensure!(changed.is_empty(), "{changed:?} {:#?}", ended.log);
    let calls = played.of_operator.calls();
    played.stop().await?;
    Ok(calls.iter().filter(|call| call.changes()).filter_map(|call| call.number).collect())
}

/// Nobody waits for the lease of the dead in a test.
async fn end_lease(played: &Played<'_>) -> Result<()> {
    let names = &played.stage.deployment.names;
    for mut item in
        list(played.journal("Items[?starts_with(pk.S, 'record#') && starts_with(sk.S, 'undo#')]").await?)
    {
        item["lease"] = json!({"S": names.text("${yesterday}")?});
        let put = json!({"TableName": names.text("${journal_table}")?, "Item": item});
        played.account.call("dynamodb.put_item", put, "@").await?;
    }
    Ok(())
}
