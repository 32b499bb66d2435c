//! What an attacker can do with Tourniquet itself, who has read its code: the tests of the lines of SECURITY.md that no
//! single delivery of one event shows.

#![cfg(test)]

#[path = "adversary/flood.rs"]
mod flood;
#[path = "adversary/forged.rs"]
mod forged;
#[path = "adversary/innocents.rs"]
mod innocents;

use drill::account::Account;
use drill::function::Invocation;
use drill::running::{Running, outcomes};
use drill::scenario::{self, Scenario};
use drill::tools::Tools;
use serde_json::{Value, json};

fn named(function: &str, name: &str) -> Scenario {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    scenario::named(&folder, function, name).unwrap()
}

async fn on_stage<'a>(tools: &'a Tools, account: &'a Account, scenario: &Scenario) -> Running<'a> {
    Running::on_stage(tools, account, scenario).await.unwrap()
}

fn ended(invocation: &Invocation) -> String {
    let mut all = outcomes(invocation);
    all.sort_unstable();
    all.join("+")
}

fn sweep() -> Value {
    json!({"detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": {}})
}
