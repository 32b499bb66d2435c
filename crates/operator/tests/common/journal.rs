//! A journal with records as the functions write them.

use drill::account::Account;
use serde_json::{Value, json};
use tourniquet::journal::{Item, Record};

pub(crate) const TABLE: &str = "tourniquet-journal";

/// A contained record, with the fields that `over` names.
pub(crate) fn record(over: &Value) -> Record {
    let mut whole = json!({
        "function": "stop-instance", "place": {"account": "111122223333", "region": "eu-central-1"}, "subject": "i-0abc",
        "cause": {"what": "Backdoor:EC2/C&CActivity.B", "key": "finding-1"}, "attempt": 1, "mode": "enforce",
        "outcome": "contained", "why": "it talks to a host of theirs",
        "actor": {"principal": "arn:aws:iam::111122223333:user/deploy", "source_ip": "198.51.100.7"},
        "detail": {}, "notes": ["a note"], "started": "2026-11-23T04:00:00Z", "finished": "2026-11-23T04:00:01Z",
        "contained_ms": 34, "version": 2, "owner": "run", "lease": "2026-11-23T04:01:00Z", "counted": true,
        "told": "contained", "watched": false,
        "steps": [{"key": "stop", "summary": "stop the instance", "before": "running", "after": "stopped", "change": "stop"}]
    });
    for (key, value) in over.as_object().unwrap() {
        whole[key] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

/// An item in DynamoDB's own JSON.
pub(crate) fn item(record: &Record) -> Value {
    let item: Item = record.to_item(jiff::SignedDuration::from_hours(24 * 400));
    let plain = |value: &aws_sdk_dynamodb::types::AttributeValue| match (value.as_s(), value.as_n()) {
        (Ok(text), _) => json!({"S": text}),
        (_, Ok(number)) => json!({"N": number}),
        _ => panic!("{value:?}"),
    };
    item.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
}

/// A table with these items.
pub(crate) async fn journal(account: &Account, items: &[Value]) {
    let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    let text = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    let table = json!({
        "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")], "AttributeDefinitions": [text("pk"), text("sk")],
    });
    account.call("dynamodb.create_table", table, "@").await.unwrap();
    for some in items.chunks(25) {
        let puts: Vec<Value> = some.iter().map(|item| json!({"PutRequest": {"Item": item}})).collect();
        account.call("dynamodb.batch_write_item", json!({"RequestItems": {TABLE: puts}}), "@").await.unwrap();
    }
}
