//! Every call of a containment fails once, in each way, and the function is killed after every call: for every function,
//! in its model scenario.
//!
//! Whatever happens, the account ends as the scenario promises after the event is delivered again, as Lambda would, under
//! exactly one true record. Positions are tried until a run has fewer calls than the position,
//! so that a new call is covered without a change here.

#![cfg(test)]

#[path = "functions.rs"]
mod functions;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use drill::account::Account;
use drill::fault::{At, Fault, Kind};
use drill::function::{Invocation, Report};
use drill::proxy::Proxy;
use drill::run;
use drill::scenario::{self, Scenario};
use drill::stage::Stage;
use drill::tools::Tools;
use functions::for_every_function;
use serde_json::json;
use tokio::task::JoinSet;

/// Most of a run is waiting for leases, backoffs and timeouts, so more of them than processors.
const WORKERS: u32 = 4;

/// The model scenario of a function. After a kill the next delivery takes its record over when the lease ends.
fn model(function: &str) -> Scenario {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut model = scenario::model(&folder, function).unwrap();
    model.config.insert("lease_seconds".to_owned(), json!(1));
    model
}

/// What must hold at the end, whatever went wrong.
async fn look(stage: &Stage<'_>, model: &Scenario, invocation: &Invocation) -> Vec<String> {
    let account = stage.account;
    account.settle().await.unwrap();
    let mut broken = run::look(account, model, &stage.deployment.names).await.unwrap();
    if let Some(error) = &invocation.error {
        broken.push(format!("the last delivery failed: {} {}", error.error_type, error.error_message));
    }
    let records = "Items[?starts_with(pk.S, 'record#') && id].outcome.S";
    let records =
        account.call("dynamodb.scan", json!({"TableName": "tourniquet-journal"}), records).await.unwrap();
    if records != json!(["contained"]) {
        broken.push(format!("the records are {records}"));
    }
    broken
}

/// One run with one fault: the first delivery and, if it did not succeed, as many as Lambda makes.
async fn run(tools: &Tools, account: &Account, model: &Scenario, fault: &Fault) -> (usize, Vec<String>) {
    let stage = Stage::set(tools, account, model).await.unwrap();
    let proxy: Proxy = stage.proxy(Duration::ZERO).await.unwrap();
    proxy.set_faults(vec![fault.clone()]);
    let mut function = stage.function(&proxy).await.unwrap();
    let mut last = function.invoke(&stage.event).await.unwrap();
    let calls = proxy.calls().iter().filter(|c| c.number.is_some()).count();
    let mut told_the_truth = true;
    for _ in 0..2 {
        if !last.killed && last.error.is_none() {
            break;
        }
        let says = |r: &Report| ["partial", "failed"].contains(&r.outcome.as_str());
        told_the_truth &= last.killed || last.reports.is_empty() || last.reports.iter().any(says);
        if last.killed {
            function.stop(account).await.unwrap();
            function = stage.function(&proxy).await.unwrap();
        }
        last = function.invoke(&stage.event).await.unwrap();
    }
    let mut broken = look(&stage, model, &last).await;
    if !told_the_truth {
        broken.push("an error was reported as contained".to_owned());
    }
    function.stop(account).await.unwrap();
    (calls, broken)
}

/// Tries a kind of fault at every position, and prints what each position led to.
async fn everywhere(function: &'static str, kind: Kind) {
    let tools = Arc::new(Tools::find().unwrap());
    let next = Arc::new(AtomicU32::new(1));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (tools, next) = (Arc::clone(&tools), Arc::clone(&next));
        workers.spawn(async move {
            let account = Account::start(&tools).await.unwrap();
            let (model, mut failures, mut tried) = (model(function), Vec::new(), 0);
            loop {
                let position = next.fetch_add(1, Ordering::SeqCst);
                let fault = Fault { at: At::Number(position), kind, times: 1 };
                let (calls, broken) = run(&tools, &account, &model, &fault).await;
                tried += 1;
                if !broken.is_empty() {
                    failures.push(format!("{kind:?} at call {position}: {}", broken.join("; ")));
                }
                if calls < position as usize {
                    return (tried, failures);
                }
            }
        });
    }
    let done = workers.join_all().await;
    let tried: u32 = done.iter().map(|(tried, _)| tried).sum();
    let failures: Vec<String> = done.into_iter().flat_map(|(_, failures)| failures).collect();
    println!("{function}, {kind:?}: {tried} runs");
    assert!(tried > 6, "a containment has more than 6 calls");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

for_every_function!(
    g24_killed_after_any_call,
    g25_any_call_throttled,
    g25_any_call_fails_with_500,
    g25_any_call_times_out,
    g25_any_call_denied,
    g9_any_connection_reset,
);

async fn g24_killed_after_any_call(function: &'static str) {
    everywhere(function, Kind::KillAfter).await;
}

async fn g25_any_call_throttled(function: &'static str) {
    everywhere(function, Kind::Throttle).await;
}

async fn g25_any_call_fails_with_500(function: &'static str) {
    everywhere(function, Kind::Error500).await;
}

async fn g25_any_call_times_out(function: &'static str) {
    everywhere(function, Kind::Hang).await;
}

async fn g25_any_call_denied(function: &'static str) {
    everywhere(function, Kind::Deny).await;
}

async fn g9_any_connection_reset(function: &'static str) {
    everywhere(function, Kind::Reset).await;
}
