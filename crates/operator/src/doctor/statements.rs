//! What a role has to allow, by the rooms' own files, held against what it allows.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

/// What every function's role has besides its room's statements.
pub(super) const SHARED: &str = include_str!("../../../../shared/permissions.json");

#[derive(Deserialize)]
struct Permissions {
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    sid: String,
    actions: Vec<String>,
    resources: Vec<String>,
    #[serde(default)]
    conditions: Option<Value>,
    #[serde(default)]
    setting: Option<String>,
    #[serde(default)]
    default: bool,
}

/// The statements of one `permissions.json`, as IAM writes them, with the names filled in; those of a setting where it is on.
pub(super) fn expected(
    permissions: &str,
    settings: &Value,
    names: &BTreeMap<&str, &str>,
) -> Result<Vec<Value>, String> {
    let mut text = permissions.to_owned();
    for (name, value) in names {
        text = text.replace(&format!("${{{name}}}"), value);
    }
    let permissions: Permissions =
        serde_json::from_str(&text).map_err(|e| format!("permissions.json: {e}"))?;
    let on = |statement: &Statement| {
        let set = |name: &String| settings.get(name).and_then(Value::as_bool).unwrap_or(statement.default);
        statement.setting.as_ref().is_none_or(set)
    };
    let written = |statement: Statement| {
        let mut written = json!({
            "Sid": statement.sid, "Effect": "Allow", "Action": statement.actions, "Resource": statement.resources
        });
        if let (Some(conditions), Some(fields)) = (statement.conditions, written.as_object_mut()) {
            fields.insert("Condition".to_owned(), conditions);
        }
        written
    };
    Ok(permissions.statements.into_iter().filter(on).map(written).collect())
}

/// In which statements a role differs, one sentence each.
pub(super) fn differences(expected: &[Value], deployed: &[Value]) -> Vec<String> {
    let sid =
        |statement: &Value| statement.get("Sid").and_then(Value::as_str).unwrap_or("without Sid").to_owned();
    let mut told = Vec::new();
    for wanted in expected {
        let name = sid(wanted);
        let same: Vec<&Value> = deployed.iter().filter(|one| sid(one) == name).collect();
        if same.is_empty() {
            told.push(format!(
                "the statement {name} is missing ({})",
                listed(wanted.get("Action")).join(", ")
            ));
        } else if !same.iter().any(|one| plain(one) == plain(wanted)) {
            told.push(format!("the statement {name} is another"));
        }
    }
    let known: Vec<String> = expected.iter().map(sid).collect();
    for other in deployed.iter().filter(|one| !known.contains(&sid(one))) {
        let what = format!("the statement {} is none of the room's", sid(other));
        told.push(format!("{what} ({})", listed(other.get("Action")).join(", ")));
    }
    told
}

/// A statement in the one form that IAM's many spellings come to.
fn plain(statement: &Value) -> Value {
    let conditions = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    let conditions = conditions.flat_map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.map(move |(key, values)| (format!("{operator} {key}"), listed(Some(values))))
    });
    let others = ["NotAction", "NotResource", "Principal"].map(|key| statement.get(key).is_some());
    json!({
        "Effect": statement.get("Effect"),
        "Action": listed(statement.get("Action")),
        "Resource": listed(statement.get("Resource")),
        "Condition": conditions.collect::<BTreeMap<_, _>>(),
        "Others": others,
    })
}

fn listed(value: Option<&Value>) -> Vec<String> {
    let text = |one: &Value| one.as_str().map_or_else(|| one.to_string(), str::to_owned);
    let mut all: Vec<String> = match value {
        Some(Value::Array(all)) => all.iter().map(text).collect(),
        Some(one) => vec![text(one)],
        None => Vec::new(),
    };
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"statements": [
        {"sid": "A", "why": "", "actions": ["s3:Get"], "resources": ["arn:${partition}:s3:::x"]},
        {"sid": "B", "why": "", "setting": "on", "default": true, "actions": ["s3:Put"], "resources": ["*"],
         "conditions": {"StringEquals": {"k": ["v"]}}},
        {"sid": "C", "why": "", "setting": "off", "actions": ["s3:List"], "resources": ["*"]}
    ]}"#;

    fn wanted() -> Vec<Value> {
        expected(FILE, &json!({}), &BTreeMap::from([("partition", "aws-cn")])).unwrap()
    }

    #[test]
    fn statements_of_a_setting_are_expected_where_it_is_on() {
        let sids = |settings: Value| {
            let all = expected(FILE, &settings, &BTreeMap::new()).unwrap();
            all.iter().map(|s| s["Sid"].as_str().unwrap().to_owned()).collect::<String>()
        };
        assert_eq!(
            (sids(json!({})), sids(json!({"off": true, "on": false}))),
            ("AB".to_owned(), "AC".to_owned())
        );
        assert_eq!(wanted()[0]["Resource"], json!(["arn:aws-cn:s3:::x"]));
    }

    #[test]
    fn what_iam_spells_otherwise_is_the_same() {
        let deployed = [
            json!({"Sid": "B", "Effect": "Allow", "Action": "s3:Put", "Resource": "*", "Condition": {"StringEquals": {"k": "v"}}}),
            json!({"Sid": "A", "Effect": "Allow", "Action": ["s3:Get"], "Resource": "arn:aws-cn:s3:::x"}),
        ];
        assert!(differences(&wanted(), &deployed).is_empty());
    }

    #[test]
    fn what_is_missing_more_or_other_is_told_by_its_name() {
        let deployed = [
            json!({"Sid": "B", "Effect": "Allow", "Action": "s3:Put", "Resource": "*"}),
            json!({"Sid": "Z", "Effect": "Allow", "Action": "*", "Resource": "*"}),
        ];
        assert_eq!(
            differences(&wanted(), &deployed),
            [
                "the statement A is missing (s3:Get)",
                "the statement B is another",
                "the statement Z is none of the room's (*)",
            ]
        );
    }
}
