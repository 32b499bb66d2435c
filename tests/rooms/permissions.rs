//! Permissions: each statement says why, names its actions in full, and covers what it must and no more.
//!
//! Each action is one that a call of the function names, and each call that the function makes on its own has its
//! permission; what only a revert calls runs under the operator's credentials and must not be among them. That the calls
//! are named rightly is seen when they are made: the scenarios run under these permissions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use drill::scenario;
use serde::Deserialize;
use serde_json::Value;

use super::source::{code, sources};
use super::{name, none, project, read, rooms};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Permissions {
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    sid: String,
    why: String,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Option<BTreeMap<String, BTreeMap<String, Value>>>,
    setting: Option<String>,
    /// Whether the setting is on where nobody set it.
    default: Option<bool>,
}

/// The folders with a `permissions.json`, each with the statements.
fn all() -> Vec<(PathBuf, Vec<Statement>)> {
    let folders = rooms().into_iter().chain([project().join("shared")]);
    let read = |folder: &Path| scenario::read::<Permissions>(&folder.join("permissions.json")).unwrap();
    folders.map(|folder| (folder.clone(), read(&folder).statements)).collect()
}

fn actions(statements: &[Statement]) -> BTreeSet<String> {
    statements.iter().flat_map(|statement| statement.actions.clone()).collect()
}

#[test]
fn g13_statements_are_complete_and_narrow() {
    let mut wrong = Vec::new();
    for (folder, statements) in all() {
        let mut sids = BTreeSet::new();
        for one in &statements {
            let problems =
                problems(one).into_iter().chain((!sids.insert(&one.sid)).then_some("is there twice"));
            wrong.extend(problems.map(|problem| format!("{}: {} {problem}", name(&folder), one.sid)));
        }
    }
    none(&wrong);
}

fn problems(statement: &Statement) -> Vec<&'static str> {
    // AWS counts the making of a credential report among the reads, and offers no resource for it.
    let reads = ["Describe", "GenerateCredentialReport", "Get", "List"];
    let read =
        |action: &String| operation(action).is_some_and(|op| reads.iter().any(|verb| op.starts_with(verb)));
    let named = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let bare = |resource: &String| resource == "*";
    // IAM knows no other partition's ARNs, so none is written out.
    let placed = |resource: &String| {
        bare(resource) || resource.starts_with("${") || resource.starts_with("arn:${partition}:")
    };
    // Some actions have no resource to name; a condition on whose it is narrows them as well.
    let owned = statement
        .conditions
        .iter()
        .flat_map(BTreeMap::values)
        .any(|keys| keys.keys().any(|key| key.ends_with(":ResourceAccount")));
    let empty = statement
        .conditions
        .as_ref()
        .is_some_and(|all| all.is_empty() || all.values().any(BTreeMap::is_empty));
    let rules = [
        (!named(&statement.sid), "is no name that IAM takes"),
        (!statement.why.ends_with('.') || statement.why.len() < 10, "does not say why"),
        (statement.actions.is_empty() || statement.resources.is_empty(), "permits nothing"),
        (
            !statement.actions.iter().all(|action| operation(action).is_some_and(named)),
            "has an action that is not one",
        ),
        (
            statement.resources.iter().any(bare) && !owned && !statement.actions.iter().all(read),
            "changes any resource",
        ),
        (!statement.resources.iter().all(placed), "has a resource outside the function's partition"),
        (empty, "has a condition without content"),
        (statement.default.is_some() && statement.setting.is_none(), "has a default without a setting"),
        (statement.setting.as_deref().is_some_and(str::is_empty), "has a setting without a name"),
    ];
    rules.into_iter().filter(|(broken, _)| *broken).map(|(_, problem)| problem).collect()
}

/// The operation of an action, `StopInstances` of `ec2:StopInstances`; none for what is not an action, or many.
fn operation(action: &str) -> Option<&str> {
    let (service, operation) = action.split_once(':')?;
    let plain = service.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    (plain && !service.is_empty() && operation.starts_with(|c: char| c.is_ascii_uppercase()))
        .then_some(operation)
}

#[test]
fn every_permission_is_named_in_a_call() {
    let mut wrong = Vec::new();
    for (folder, statements) in all() {
        let calls = named(&folder, |file| file != "act/revert.rs");
        let idle = actions(&statements).into_iter().filter(|action| !calls.contains(action));
        wrong.extend(
            idle.map(|action| format!("{}: nothing but a revert calls {action}, if anything", name(&folder))),
        );
    }
    none(&wrong);
}

#[test]
fn every_call_has_a_permission() {
    let all = all();
    let shared = &all.last().unwrap().1;
    let mut wrong = Vec::new();
    for (folder, statements) in &all {
        let own = ["act/observe.rs", "act/apply.rs"];
        let calls = named(folder, |file| folder.ends_with("shared") || own.contains(&file));
        if calls.is_empty() {
            wrong.push(format!("{}: neither act/observe.rs nor act/apply.rs names a call", name(folder)));
        }
        let permitted = &actions(statements) | &actions(shared);
        let more = calls.into_iter().filter(|call| !permitted.contains(call));
        wrong.extend(more.map(|call| format!("{}: {call} has no permission", name(folder))));
    }
    none(&wrong);
}

/// The calls that the sources of a room name: `aws("service:Action", ..)` and `const CALL: &str = "service:Action"`.
fn named(folder: &Path, wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let below = folder.join("src");
    let ours = sources(&below).into_iter().filter(|file| {
        let inside = file.strip_prefix(&below).unwrap().to_str().unwrap();
        wanted(inside) && !inside.ends_with("_tests.rs")
    });
    ours.flat_map(|file| calls(&read(&file))).collect()
}

fn calls(text: &str) -> BTreeSet<String> {
    let code = code(text, true);
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut calls = BTreeSet::new();
    for before in ["aws(\"", "const CALL: &str = \""] {
        let found = code.split(before).skip(1).filter_map(|rest| rest.split('"').next());
        calls.extend(found.map(str::to_owned));
    }
    // AWS authorises a transaction by what is in it.
    if calls.remove("dynamodb:TransactWriteItems") {
        calls.extend(["dynamodb:PutItem", "dynamodb:UpdateItem"].map(str::to_owned));
    }
    // EC2 authorises the tags on what a call makes as a CreateTags of their own.
    if code.contains("tag_specifications(") {
        calls.insert("ec2:CreateTags".to_owned());
    }
    // The trail's own role for its log group is passed along.
    if calls.contains("cloudtrail:UpdateTrail") {
        calls.insert("iam:PassRole".to_owned());
    }
    calls
}

#[test]
fn calls_are_found_in_code_only() {
    let text = "/// `aws(\"a:No\", e)`\nconst CALL: &str = \"a:One\";\nx.map_err(|e| aws(\"b:Two\", e));\n\"aws:Tag\"\n#[cfg(test)]\nmod tests {\naws(\"c:No\", e)";
    assert_eq!(calls(text), ["a:One", "b:Two"].map(str::to_owned).into());
    assert_eq!(operation("ec2:StopInstances"), Some("StopInstances"));
    assert_eq!([operation("ec2:*"), operation("*"), operation("ec2:")], [None; 3]);
}
