//! Every call of a containment fails once, in each way, and the function is killed after every call.
//!
//! Whatever happens, the instance ends contained after the event is delivered again, as Lambda would, under exactly
//! one true record and with one set of snapshots. Positions are tried until a run has fewer calls than the position,
//! so that a new call is covered without a change here.

#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use drill::account::Account;
use drill::fault::{At, Fault, Kind};
use drill::function::Invocation;
use drill::proxy::Proxy;
use drill::scenario::{self, Scenario};
use drill::stage::Stage;
use drill::tools::Tools;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Most of a run is waiting for leases, backoffs and timeouts, so more of them than processors.
const WORKERS: u32 = 4;

fn miner() -> Scenario {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let all = scenario::catalogue(&folder).unwrap();
    let mut miner = all.into_iter().find(|s| s.name == "command-and-control").unwrap();
    miner.config.insert("lease_seconds".to_owned(), json!(1));
    miner
}

/// What must hold at the end, whatever went wrong.
async fn look(stage: &Stage<'_>, invocation: &Invocation) -> Vec<String> {
    let mut broken = Vec::new();
    if let Some(error) = &invocation.error {
        broken.push(format!("the last delivery failed: {} {}", error.error_type, error.error_message));
    }
    let account = stage.account;
    account.settle().await.unwrap();
    let instance = "Reservations[?Instances[0].InstanceId=='INSTANCE'].Instances[0]";
    let id = stage.deployment.names.text("${instance}").unwrap();
    let at = |path: &str| format!("{}{path}", instance.replace("INSTANCE", &id));
    let seen = |call: &'static str, with: Value, at: String| async move {
        account.call(call, with, &at).await.unwrap()
    };
    let running = seen("ec2.describe_instances", json!({}), at(".State.Name | [0]")).await;
    let groups =
        seen("ec2.describe_instances", json!({}), at(".NetworkInterfaces[].Groups[].GroupName | [0]")).await;
    let snapshots =
        seen("ec2.describe_snapshots", json!({"OwnerIds": ["self"]}), "length(Snapshots)".to_owned()).await;
    let records = "Items[?starts_with(pk.S, 'record#')].outcome.S".to_owned();
    let records = seen("dynamodb.scan", json!({"TableName": "tourniquet-journal"}), records).await;
    for (what, is, wanted) in [
        ("state", &running, json!("stopped")),
        ("groups", &groups, json!("tourniquet-isolation")),
        ("snapshots", &snapshots, json!(1)),
        ("records", &records, json!(["contained"])),
    ] {
        if *is != wanted {
            broken.push(format!("{what}: {is}, not {wanted}"));
        }
    }
    broken
}

/// One run with one fault: the first delivery and, if it did not succeed, as many as Lambda makes.
async fn run(tools: &Tools, account: &Account, miner: &Scenario, fault: &Fault) -> (usize, Vec<String>) {
    let stage = Stage::set(tools, account, miner).await.unwrap();
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
        told_the_truth &= last.killed || last.reports.iter().all(|r| r.outcome != "contained");
        if last.killed {
            function.stop(account).await.unwrap();
            function = stage.function(&proxy).await.unwrap();
        }
        last = function.invoke(&stage.event).await.unwrap();
    }
    let mut broken = look(&stage, &last).await;
    if !told_the_truth {
        broken.push("an error was reported as contained".to_owned());
    }
    function.stop(account).await.unwrap();
    (calls, broken)
}

/// Tries a kind of fault at every position, and prints what each position led to.
async fn everywhere(kind: Kind) {
    let tools = Arc::new(Tools::find().unwrap());
    let next = Arc::new(AtomicU32::new(1));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (tools, next) = (Arc::clone(&tools), Arc::clone(&next));
        workers.spawn(async move {
            let account = Account::start(&tools).await.unwrap();
            let (miner, mut failures, mut tried) = (miner(), Vec::new(), 0);
            loop {
                let position = next.fetch_add(1, Ordering::SeqCst);
                let fault = Fault { at: At::Number(position), kind, times: 1 };
                let (calls, broken) = run(&tools, &account, &miner, &fault).await;
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
    println!("{kind:?}: {tried} runs");
    assert!(tried > 20, "a containment has more than 20 calls");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn g24_killed_after_any_call() {
    everywhere(Kind::KillAfter).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g25_any_call_throttled() {
    everywhere(Kind::Throttle).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g25_any_call_fails_with_500() {
    everywhere(Kind::Error500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g25_any_call_times_out() {
    everywhere(Kind::Hang).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g25_any_call_denied() {
    everywhere(Kind::Deny).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g9_any_connection_reset() {
    everywhere(Kind::Reset).await;
}
