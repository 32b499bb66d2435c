//! Every call of a containment fails once, in each way, and the function is killed after every call: for every function,
//! in its model scenario. And a flood.
//!
//! Whatever happens, the account ends as the scenario promises after the event is delivered again, as Lambda would, under
//! exactly one true record, and nothing says that it is safe before it is. This is a part of what `scripts/torture` plays:
//! six faults at every call, and at each call one of the others.

#![cfg(test)]

#[path = "functions.rs"]
mod functions;

use std::time::Duration;

use drill::fault::Kind;
use drill::tools::Tools;
use drill::torture::cell::{Place, Then};
use drill::torture::fault::Column;
use drill::torture::flood::{self, Size};
use drill::torture::matrix::{self, Order};
use functions::for_every_function;

/// Most of a cell is waiting for leases, backoffs and timeouts, so more of them than processors.
const WORKERS: usize = 4;

/// The faults that are tried at every call.
const EVERYWHERE: [Kind; 6] =
    [Kind::KillAfter, Kind::Throttle, Kind::Error500, Kind::Hang, Kind::Deny, Kind::Reset];

/// Plays cells of one function, and says what each broke.
async fn torture(
    function: &'static str,
    columns: Vec<Column>,
    wanted: fn(&Place, usize) -> bool,
    then: Then,
) -> usize {
    let tools = Tools::find().unwrap();
    let order = Order {
        functions: vec![function.to_owned()],
        columns,
        then,
        workers: WORKERS,
        wanted,
        played: |_, _| {},
    };
    let matrix = matrix::play(&tools, &order).await.unwrap();
    println!("{}{}", matrix.text(), matrix.summary());
    assert!(matrix.failures().is_empty(), "{}", matrix.failures().join("\n"));
    matrix.cells.len()
}

/// Tries a fault that comes once at every call.
async fn everywhere(function: &'static str, kind: Kind) {
    let played = torture(function, vec![Column { kind, lasts: false }], |_, _| true, Then::Again).await;
    assert!(played > 6, "a containment has more than 6 calls");
}

for_every_function!(
    g24_killed_after_any_call,
    g25_any_call_throttled,
    g25_any_call_fails_with_500,
    g25_any_call_times_out,
    g25_any_call_denied,
    g9_any_connection_reset,
    g25_each_call_meets_one_more_fault,
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

/// The other faults take turns from call to call, each function with another one at its first; what begins the record also
/// meets the answer that is believed.
async fn g25_each_call_meets_one_more_fault(function: &'static str) {
    let is_other = |column: &Column| column.lasts || !EVERYWHERE.contains(&column.kind);
    let others: Vec<Column> = Column::ALL.into_iter().filter(is_other).collect();
    assert_eq!(others.len(), 9, "the turns below are of nine");
    assert_eq!(others[5].kind, Kind::Other);
    let wanted = |place: &Place, column: usize| {
        let begins = place.operation == "dynamodb:TransactWriteItems";
        (place.number + place.function.len()) % 9 == column || (begins && column == 5)
    };
    torture(function, others, wanted, Then::Again).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g4_g26_a_flood_is_answered_or_held_and_nothing_is_lost() {
    let size = Size { events: 300, within: Duration::from_secs(3), processes: 4, limit: 90 };
    let flooded = flood::play(&Tools::find().unwrap(), size).await.unwrap();
    println!("{flooded}");
    assert_eq!(flooded.broken, Vec::<String>::new());
    assert_eq!(flooded.count("delivered"), 300);
    for what in ["no trigger matches", "ignored", "contained", "held", "already-safe", "dead-letter queue"] {
        assert!(flooded.count(what) > 0, "nothing ended as {what}");
    }
    let (early, late) = flooded.memory;
    assert!(late < early + early / 2, "memory grew from {early} KB to {late} KB");
}
