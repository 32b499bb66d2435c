//! The journal's table in a flood: items by key, the conditions that the journal writes with, and transactions that collide.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::cloud::Said;

type Key = (String, String);

/// Items by partition and sort key, as DynamoDB writes them.
#[derive(Debug, Default)]
pub(super) struct Table {
    items: BTreeMap<Key, Value>,
    /// The items of transactions that are not at their end.
    busy: BTreeSet<Key>,
}

impl Table {
    pub(super) fn query(&self, asked: &Value) -> Said {
        let partition = asked.pointer("/ExpressionAttributeValues/:pk/S").and_then(Value::as_str);
        let found: Vec<&Value> =
            self.items.iter().filter(|((pk, _), _)| Some(pk.as_str()) == partition).map(|(_, i)| i).collect();
        Said::ok(json!({"Count": found.len(), "ScannedCount": found.len(), "Items": found}).to_string())
    }

    pub(super) fn put(&mut self, asked: &Value) -> Said {
        let Some(key) = key(asked.get("Item")) else { return malformed() };
        if !self.holds(&key, asked) {
            return Said::refused("ConditionalCheckFailedException", json!({}));
        }
        self.items.insert(key, asked.get("Item").cloned().unwrap_or_default());
        Said::ok("{}")
    }

    /// Notes that people were told of the limit.
    pub(super) fn tell(&mut self, asked: &Value) -> Said {
        let Some(key) = key(asked.get("Key")) else { return malformed() };
        if !self.holds(&key, asked) {
            return Said::refused("ConditionalCheckFailedException", json!({}));
        }
        if let Some(item) = self.items.entry(key).or_insert_with(|| json!({})).as_object_mut() {
            item.insert("told".to_owned(), json!({"BOOL": true}));
        }
        Said::ok("{}")
    }

    /// Begins a transaction; an answer is its end.
    pub(super) fn begin(&mut self, asked: &Value) -> Option<Said> {
        let parts = parts(asked);
        let reasons: Vec<&str> = parts
            .iter()
            .map(|(key, part)| match self.holds(key, part) {
                _ if self.busy.contains(key) => "TransactionConflict",
                false => "ConditionalCheckFailed",
                true => "None",
            })
            .collect();
        if reasons.iter().all(|reason| *reason == "None") {
            self.busy.extend(parts.into_iter().map(|(key, _)| key));
            return None;
        }
        let reasons: Vec<Value> = reasons.into_iter().map(|code| json!({"Code": code})).collect();
        Some(Said::refused("TransactionCanceledException", json!({"CancellationReasons": reasons})))
    }

    /// Ends a transaction that was begun.
    pub(super) fn commit(&mut self, asked: &Value) -> Said {
        for (key, part) in parts(asked) {
            self.busy.remove(&key);
            if let Some(item) = part.get("Item") {
                self.items.insert(key, item.clone());
                continue;
            }
            let taken = self.taken(&key) + 1;
            if let Some(item) = self.items.entry(key).or_insert_with(|| json!({})).as_object_mut() {
                item.insert("taken".to_owned(), json!({"N": taken.to_string()}));
            }
        }
        Said::ok("{}")
    }

    /// How many records ended in which way.
    pub(super) fn outcomes(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (_, item) in self.items.iter().filter(|((pk, _), _)| pk.starts_with("record#")) {
            let outcome = item.pointer("/outcome/S").and_then(Value::as_str).unwrap_or("none");
            *counts.entry(outcome.to_owned()).or_default() += 1;
        }
        counts
    }

    /// How many changes were taken from each hour's limit, and from each actor's share of it.
    pub(super) fn taken_from_limits(&self) -> (Vec<u64>, Vec<u64>) {
        let from = |wanted: fn(&str) -> bool| {
            let keys = self.items.keys().filter(|(pk, sk)| pk.starts_with("limit#") && wanted(sk));
            keys.map(|key| self.taken(key)).collect()
        };
        (from(|sk| !sk.contains('#')), from(|sk| sk.contains("#actor#")))
    }

    fn taken(&self, key: &Key) -> u64 {
        let taken = self.items.get(key).and_then(|item| item.pointer("/taken/N")?.as_str()?.parse().ok());
        taken.unwrap_or_default()
    }

    /// Whether a condition of the journal's holds for what is there.
    fn holds(&self, key: &Key, asked: &Value) -> bool {
        let there = self.items.get(key);
        let value = |name: &str| asked.pointer(&format!("/ExpressionAttributeValues/{name}"));
        match asked.get("ConditionExpression").and_then(Value::as_str).unwrap_or_default() {
            "" => true,
            "attribute_not_exists(pk)" => there.is_none(),
            "attribute_not_exists(told)" => there.is_none_or(|item| item.get("told").is_none()),
            "version = :version" => there.is_some_and(|item| item.get("version") == value(":version")),
            "attribute_not_exists(taken) OR taken < :limit" => {
                let limit = value(":limit").and_then(|v| v.get("N")?.as_str()?.parse().ok());
                self.taken(key) < limit.unwrap_or_default()
            }
            // Unknown to the flood, which ends in errors that are seen.
            _ => false,
        }
    }
}

fn key(of: Option<&Value>) -> Option<Key> {
    let text = |name: &str| Some(of?.get(name)?.get("S")?.as_str()?.to_owned());
    Some((text("pk")?, text("sk")?))
}

/// The puts and updates of a transaction with their keys.
fn parts(asked: &Value) -> Vec<(Key, Value)> {
    let all = asked.get("TransactItems").and_then(Value::as_array).cloned().unwrap_or_default();
    let part = |item: Value| {
        let part = item.get("Put").or_else(|| item.get("Update"))?.clone();
        Some((key(part.get("Item").or_else(|| part.get("Key")))?, part))
    };
    all.into_iter().filter_map(part).collect()
}

fn malformed() -> Said {
    Said::refused("ValidationException", json!({}))
}
