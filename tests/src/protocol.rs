//! The protocol of the journal, read off the calls of a run: the steps that the model of it ([tests/model]) takes for granted.
//!
//! Each sentence names a promise of the model. Who changes the protocol has to change the model too.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::call::Call;

/// One write of a record.
struct Write<'a> {
    call: &'a Call,
    key: String,
    /// On which version it insists; `None` if on there being none.
    prior: Result<Option<u64>, String>,
    version: Option<u64>,
    body: Value,
}

impl Write<'_> {
    fn outcome(&self) -> Option<&str> {
        text(&self.body, "/outcome")
    }

    /// What was there before, by step.
    fn before(&self) -> BTreeMap<&str, &Value> {
        let steps = self.body.get("steps").and_then(Value::as_array).into_iter().flatten();
        steps.filter_map(|step| Some((text(step, "/key")?, step.get("before")?))).collect()
    }
}

/// The steps that are not as they should be, one sentence each.
#[must_use]
pub fn broken(calls: &[Call]) -> Vec<String> {
    let writes: Vec<Write<'_>> = calls.iter().flat_map(writes).collect();
    let mut broken = Vec::new();
    for write in &writes {
        let before = write.version.and_then(|version| version.checked_sub(1));
        match &write.prior {
            Ok(None) => {}
            Ok(prior) if *prior == before => {}
            Ok(prior) => {
                broken.push(format!("version {:?} of {} follows {prior:?}", write.version, write.key));
            }
            Err(condition) => broken.push(format!("{} is written on the condition {condition:?}", write.key)),
        }
    }
    let mut made: Vec<&Write<'_>> = writes.iter().filter(|write| write.call.carried_out()).collect();
    made.sort_by(|a, b| a.call.ended_ms.total_cmp(&b.call.ended_ms));
    // An urgent function contains without a journal that does not answer.
    let is_reached = |call: &&Call| call.status.is_some_and(|status| status < 500) && call.fault.is_none();
    if calls.iter().filter(|call| call.name.starts_with("dynamodb:")).all(|call| is_reached(&call)) {
        broken.extend(unrecorded(calls, &made));
    }
    broken.extend(untold(calls, &made));
    broken.extend(forgotten(&made));
    broken.sort();
    broken.dedup();
    broken
}

/// `recorded_before_changed`: whenever something is changed, a record says that a run is at it.
fn unrecorded(calls: &[Call], made: &[&Write<'_>]) -> Vec<String> {
    let changes = calls.iter().filter(|call| call.changes_the_account());
    let open = |call: &Call| {
        let mut last: BTreeMap<&str, bool> = BTreeMap::new();
        for write in made.iter().filter(|write| write.call.ended_ms <= call.started_ms) {
            last.insert(&write.key, write.outcome().is_none());
        }
        last.values().any(|open| *open)
    };
    changes
        .filter(|call| !open(call))
        .map(|call| format!("{} came before an open record", call.name))
        .collect()
}

/// `what_is_contained_was_told`: a record says that people know after they were told.
fn untold(calls: &[Call], made: &[&Write<'_>]) -> Vec<String> {
    let told = |write: &Write<'_>| {
        let published = |call: &Call| call.name == "sns:Publish" && call.ended_ms <= write.call.started_ms;
        calls.iter().any(|call| published(call) && call.carried_out())
    };
    // What people were told before is that of an earlier run.
    let says = made
        .iter()
        .filter(|write| write.outcome().is_some() && text(&write.body, "/told") == write.outcome());
    says.filter(|write| !told(write))
        .map(|write| format!("{} says told before a message", write.key))
        .collect()
}

/// `before_images_are_of_before_the_first_change`: a step keeps the image that it had when it was first recorded.
fn forgotten(made: &[&Write<'_>]) -> Vec<String> {
    let mut first: BTreeMap<(&str, &str), &Value> = BTreeMap::new();
    let mut broken = Vec::new();
    for write in made {
        for (step, before) in write.before() {
            if *first.entry((&write.key, step)).or_insert(before) != before {
                broken.push(format!("{} has another image of before {step}", write.key));
            }
        }
    }
    broken
}

fn text<'a>(value: &'a Value, at: &str) -> Option<&'a str> {
    value.pointer(at)?.as_str()
}

/// The records that a call writes.
fn writes(call: &Call) -> Vec<Write<'_>> {
    let puts: Vec<&Value> = match call.name.as_str() {
        "dynamodb:PutItem" => vec![&call.parameters],
        "dynamodb:TransactWriteItems" => {
            let items = call.parameters.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
            items.filter_map(|item| item.get("Put")).collect()
        }
        _ => Vec::new(),
    };
    let number = |value: &Value, at: &str| text(value, at).and_then(|text| text.parse().ok());
    let write = |put: &Value| {
        let item = put.get("Item")?;
        let key = format!("{}/{}", text(item, "/pk/S")?, text(item, "/sk/S")?);
        // An undo's own, and baselines, are beside the records.
        if !key.starts_with("record#") || item.get("id").is_none() {
            return None;
        }
        let prior = match text(put, "/ConditionExpression") {
            Some("attribute_not_exists(pk)") => Ok(None),
            Some("version = :version") => Ok(number(put, "/ExpressionAttributeValues/:version/N")),
            other => Err(other.unwrap_or_default().to_owned()),
        };
        let body = serde_json::from_str(text(item, "/body/S")?).ok()?;
        Some(Write { call, key, prior, version: number(item, "/version/N"), body })
    };
    puts.into_iter().filter_map(write).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(name: &str, at: f64, parameters: Value) -> Call {
        Call {
            number: Some(1),
            name: name.to_owned(),
            region: "eu-central-1".to_owned(),
            started_ms: at,
            ended_ms: at + 1.0,
            status: Some(200),
            answered: Some(200),
            error: None,
            fault: None,
            parameters,
        }
    }

    fn write(at: f64, version: u64, outcome: Option<&str>, told: Option<&str>) -> Call {
        let steps = json!([{"key": "stop", "before": "running"}]);
        let body = json!({"outcome": outcome, "told": told, "steps": steps}).to_string();
        let item = json!({"pk": {"S": "record#f"}, "sk": {"S": "c#0001"}, "id": {"S": "i"}, "version": {"N": version.to_string()},
            "body": {"S": body}});
        let prior = (version > 1).then(|| json!({":version": {"N": (version - 1).to_string()}}));
        let condition = if version > 1 { "version = :version" } else { "attribute_not_exists(pk)" };
        let put = json!({"Item": item, "ConditionExpression": condition, "ExpressionAttributeValues": prior});
        call("dynamodb:PutItem", at, put)
    }

    fn stop(at: f64) -> Call {
        call("ec2:StopInstances", at, json!({}))
    }

    fn publish(at: f64) -> Call {
        call("sns:Publish", at, json!({}))
    }

    #[test]
    fn a_run_as_the_model_has_it_is_right() {
        let end = write(9.0, 2, Some("contained"), Some("contained"));
        assert_eq!(broken(&[write(1.0, 1, None, None), stop(3.0), publish(6.0), end]), [""; 0]);
        assert_eq!(broken(&[]), [""; 0]);
    }

    #[test]
    fn every_step_out_of_order_is_seen() {
        let end = |told| write(9.0, 2, Some("contained"), told);
        let begin = || write(1.0, 1, None, None);
        let says = |calls: &[Call], what: &str| {
            let broken = broken(calls);
            assert!(broken.len() == 1 && broken[0].contains(what), "{what}: {broken:?}");
        };
        says(&[stop(0.0), begin(), end(None)], "before an open record");
        says(&[begin(), end(None), stop(11.0)], "before an open record");
        says(&[begin(), stop(3.0), end(Some("contained"))], "told before a message");
        says(&[begin(), stop(3.0), publish(9.5), end(Some("contained"))], "told before a message");
        let mut other = end(None);
        other.parameters["ConditionExpression"] = json!(null);
        says(&[begin(), other], "on the condition");
        says(
            &[begin(), write(9.0, 3, Some("contained"), None), write(9.5, 3, None, None)].map(|mut one| {
                if one.started_ms > 9.1 {
                    one.parameters["ExpressionAttributeValues"][":version"] = json!({"N": "1"});
                }
                one
            }),
            "follows",
        );
        let mut image = end(None);
        let body = json!({"outcome": "contained", "steps": [{"key": "stop", "before": "stopped"}]});
        image.parameters["Item"]["body"] = json!({"S": body.to_string()});
        says(&[begin(), image], "another image");
    }
}
