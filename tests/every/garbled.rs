//! Every field of every event that a function's triggers match, replaced by what nobody should send there.

use drill::account::Account;
use drill::running::Running;
use drill::scenario;
use drill::tools::Tools;
use serde_json::{Value, json};

use super::model;

/// What stands in a field's place: each is wrong for most fields.
fn wrong() -> [Value; 6] {
    [
        json!(null),
        json!(7),
        json!({}),
        json!([[]]),
        json!("../../${x}\u{0}\n<b>'\"; rm"),
        json!("\u{1f980}".repeat(9000)),
    ]
}

/// Whatever is wrong with an event, the process answers: with an outcome, or with an error that has a kind of ours.
pub(super) async fn g16_any_field_of_any_event_can_be_wrong(function: &'static str) {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let running = Running::on_stage(&tools, &account, &model(function)).await.unwrap();
    let folder = tools.room(function).join("fixtures/match");
    let mut events = vec![running.stage.event.clone()];
    for file in std::fs::read_dir(folder).into_iter().flatten() {
        events.push(scenario::read(&file.unwrap().path()).unwrap());
    }
    let mut tried = 0;
    for event in events {
        let mut paths = Vec::new();
        leaves(&event, "", &mut paths);
        for path in paths {
            let mut garbled = event.clone();
            let at = garbled.pointer_mut(&path).unwrap();
            let with = &wrong()[tried % wrong().len()];
            tried += 1;
            *at = with.clone();
            let seen = running.function.invoke(&garbled).await.unwrap();
            let panicked = seen.killed || seen.log.iter().any(|line| line.contains("panicked at"));
            assert!(!panicked, "{path} = {with:.60}: {:?}", seen.log);
            if let Some(error) = seen.error {
                let ours = error.error_type.bytes().all(|b| b.is_ascii_alphabetic());
                assert!(ours && !error.error_message.is_empty(), "{path} = {with:.60}: {error:?}");
            }
        }
    }
    assert!(tried > 5, "{tried} fields were tried");
    let good = running.deliver().await.unwrap();
    assert!(good.error.is_none(), "after {tried} wrong events a good one is answered: {:?}", good.log);
    running.stop().await.unwrap();
}

/// The paths of all values below an event, objects and lists too.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, inner)| (format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), inner))
            .collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(n, inner)| (format!("{path}/{n}"), inner)).collect()
        }
        _ => Vec::new(),
    };
    for (path, inner) in below {
        found.push(path.clone());
        leaves(inner, &path, found);
    }
}
