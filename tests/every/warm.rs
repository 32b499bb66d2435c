//! A start opens connections before the first event, in the name of nobody, and waits for nobody.

use std::time::Duration;

use drill::account::Account;
use drill::call::Call;
use drill::running::{Running, outcomes};
use drill::tools::Tools;
use tokio::time::sleep;

use super::model;

pub(crate) async fn a_start_opens_connections_in_nobodys_name_and_waits_for_nobody(function: &'static str) {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let running = Running::on_stage(&tools, &account, &model(function)).await.unwrap();
    // Longer than a start may wait; only what opens connections meets it.
    running.proxy.set_latency(Duration::from_secs(2));
    let (ended, ()) = tokio::join!(running.deliver(), async {
        while running.proxy.calls().is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
        running.proxy.set_latency(Duration::ZERO);
    });
    assert_eq!(outcomes(&ended.unwrap()), ["contained"]);
    let calls = running.proxy.calls();
    let (signed, unsigned): (Vec<Call>, Vec<Call>) =
        calls.into_iter().partition(|call| call.number.is_some());
    let first = signed.iter().map(|call| call.started_ms).fold(f64::INFINITY, f64::min);
    assert!(!unsigned.is_empty() && unsigned.iter().all(|call| call.started_ms < first), "{unsigned:?}");
    assert!(unsigned.iter().any(|call| call.ended_ms > first), "{unsigned:?}");
    assert!(!unsigned.iter().any(Call::succeeded), "{unsigned:?}");
    running.stop().await.unwrap();
}
