//! The function's own role, and its roles in other accounts.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tourniquet::Place;
use tourniquet::place::partition;
use wildmatch::WildMatch;

use super::check::{APPLY, Check};
use super::role::{self, Role};
use super::statements::{SHARED, differences, expected};
use super::{Clients, Patient};
use crate::aws::Aws;
use crate::failure::Failure;

const NAME_IT: &str = "name a role that reads IAM in that account with --member-role";

/// The function's own role.
pub(super) async fn own(patient: &Patient, clients: &Clients) -> Vec<Check> {
    let about = "role";
    let name = patient.role.rsplit('/').next().unwrap_or_default();
    match role::read(&clients.iam, name).await {
        Err(error) => vec![Check::refused(about, &error)],
        Ok(None) => {
            vec![Check::problem(about, format!("there is no role {name}: every call is refused"), APPLY)]
        }
        Ok(Some(role)) => vec![held(about, &role, wanted(patient))],
    }
}

/// What a member's account lets the function do; another account is entered with the role that the operator named.
pub(super) async fn member(patient: &Patient, aws: &Aws, account: &str) -> Vec<Check> {
    let about = format!("member role in {account}");
    let place = Place::new(account, &patient.home.region);
    let sdk = match aws.at(&place).await {
        Ok(sdk) => sdk,
        Err(Failure::Usage(_)) => {
            let found = "could not look: it is another account than that of your credentials";
            return vec![Check::unseen(about, found, NAME_IT)];
        }
        Err(failure) => return vec![Check::unseen(about, format!("could not look: {failure}"), NAME_IT)],
    };
    let Some(name) = patient.function.as_ref().map(|function| function.facts().member_role) else {
        return Vec::new();
    };
    let apply = format!(
        "apply infra/modules/member (or modules/organization) in {account}, of this command's version"
    );
    match role::read(&aws_sdk_iam::Client::new(&sdk), &name).await {
        Err(error) => vec![Check::refused(about, &error)],
        Ok(None) => {
            let found = format!("there is no role {name}: the function answers no event of that account");
            vec![Check::problem(about, found, apply)]
        }
        Ok(Some(role)) => {
            let mut checks = Vec::new();
            if !role.trust.iter().any(|statement| trusts(statement, patient)) {
                checks.push(Check::problem(&about, format!("it does not trust {}", patient.role), apply));
            }
            checks.push(held(&about, &role, room(patient, account)));
            checks
        }
    }
}

/// A role held against what it has to allow.
fn held(about: &str, role: &Role, wanted: Result<Vec<Value>, String>) -> Check {
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(problem) => {
            return Check::unseen(
                about,
                format!("could not look: {problem}"),
                "take another version of this command",
            );
        }
    };
    let deployed: Vec<Value> =
        role.statements.iter().filter(|statement| !is_key(statement)).cloned().collect();
    let mut told = differences(&wanted, &deployed);
    told.extend(
        role.attached.iter().map(|policy| format!("the policy {policy} is attached and none of the room's")),
    );
    if told.is_empty() {
        Check::ok(about, format!("has the {} statements that it needs and no others", wanted.len()))
    } else {
        Check::problem(about, told.join("; "), APPLY)
    }
}

/// What Terraform adds where a customer's key encrypts the queues and the configuration. This command does not know the key.
fn is_key(statement: &Value) -> bool {
    statement.get("Sid") == Some(&json!("Key"))
        && statement.get("Action") == Some(&json!(["kms:Decrypt", "kms:GenerateDataKey"]))
}

/// What the function's own role has to allow.
fn wanted(patient: &Patient) -> Result<Vec<Value>, String> {
    let home = &patient.home;
    let mut settings = patient.settings();
    if let Some(settings) = settings.as_object_mut() {
        settings.insert("accounts".to_owned(), json!(!patient.members().is_empty()));
    }
    let facts = patient.function.as_ref().map(|function| function.facts());
    let facts = facts.ok_or("its configuration is not known, and settings decide about statements")?;
    let mut names = names(patient, &home.account);
    names.insert("region", &home.region);
    names.insert("journal_table", &facts.journal_table);
    names.insert("report_topic", facts.report_topic.as_deref().unwrap_or_default());
    names.insert("member_role", &facts.member_role);
    let mut all = expected(patient.room.permissions, &settings, &names)?;
    all.extend(expected(SHARED, &settings, &names)?);
    // What Lambda does with the role; see infra/modules/function/role.tf.
    let log = home.arn("logs", &format!("log-group:/aws/lambda/{}:*", patient.name));
    let queue = home.arn("sqs", &format!("{}-failed", patient.name));
    let logs = ["logs:CreateLogStream", "logs:PutLogEvents"];
    all.push(json!({"Sid": "Log", "Effect": "Allow", "Action": logs, "Resource": [log]}));
    all.push(
        json!({"Sid": "KeepFailed", "Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": [queue]}),
    );
    Ok(all)
}

/// What its role in another account has to allow.
fn room(patient: &Patient, account: &str) -> Result<Vec<Value>, String> {
    expected(patient.room.permissions, &patient.settings(), &names(patient, account))
}

fn names<'a>(patient: &'a Patient, account: &'a str) -> BTreeMap<&'a str, &'a str> {
    BTreeMap::from([
        ("partition", partition(&patient.home.region)),
        ("account", account),
        ("function", patient.room.name),
        ("function_role", patient.role.as_str()),
    ])
}

/// Whether a statement lets the function's role in: by its name, or by its account with a condition on its name.
fn trusts(statement: &Value, patient: &Patient) -> bool {
    let text = |value: &Value| match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        one => one.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>(),
    };
    let allows = statement.get("Effect") == Some(&json!("Allow"))
        && statement
            .get("Action")
            .is_some_and(|action| text(action).iter().any(|one| one == "sts:AssumeRole"));
    let principals = statement.pointer("/Principal/AWS").map(text).unwrap_or_default();
    let home = &patient.home;
    let whole = format!("arn:{}:iam::{}:root", partition(&home.region), home.account);
    let named = principals.iter().any(|one| [&patient.role, &whole, &home.account].contains(&one));
    let conditions =
        statement.get("Condition").and_then(Value::as_object).into_iter().flat_map(|all| all.values());
    let mut keys = conditions.filter_map(Value::as_object).flatten();
    let fits = |(key, value): (&String, &Value)| {
        !key.eq_ignore_ascii_case("aws:PrincipalArn")
            || text(value).iter().any(|glob| WildMatch::new(glob).matches(&patient.role))
    };
    allows && named && keys.all(fits)
}
