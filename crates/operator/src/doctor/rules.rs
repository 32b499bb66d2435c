//! What brings events to a function: on each bus a rule for each trigger of its room, enabled, with the room's pattern,
//! with the function as its target and with the permission to invoke it.

use aws_sdk_eventbridge::types::RuleState;
use futures_util::future::{join, join_all};
use serde_json::Value;
use tourniquet::error::{Class, Error, aws};
use wildmatch::WildMatch;

use super::check::{APPLY, Check};
use super::{Clients, Patient};

/// The bus that other accounts and regions send to, where a deployment is a hub.
const HUB: &str = "tourniquet";

pub(super) async fn checks(patient: &Patient, clients: &Clients) -> Vec<Check> {
    if patient.room.triggers.is_empty() {
        return Vec::new();
    }
    let (hub, policy) = join(hub(clients), policy(patient, clients)).await;
    let mut checks = Vec::new();
    let mut buses = vec!["default"];
    match hub {
        Ok(true) => buses.push(HUB),
        Ok(false) if patient.members().is_empty() => {}
        Ok(false) => checks.push(Check::problem(
            "bus",
            format!("`accounts` names other accounts, and there is no bus {HUB} that they could send to"),
            APPLY,
        )),
        Err(error) => checks.push(Check::refused("bus", &error)),
    }
    let policy = policy.map_err(|error| checks.push(Check::refused("permission of the rules", &error))).ok();
    let pairs = buses.iter().flat_map(|bus| patient.room.triggers.iter().map(move |trigger| (*bus, trigger)));
    let each =
        pairs.map(|(bus, (trigger, pattern))| rule(patient, clients, bus, trigger, pattern, policy.as_ref()));
    let each = join_all(each).await;
    let well = each.iter().filter(|one| one.is_empty()).count();
    checks.extend(each.into_iter().flatten());
    if well > 0 {
        checks.push(Check::ok(
            "rules",
            format!("{well} are enabled, with the room's patterns, on: {}", buses.join(", ")),
        ));
    }
    checks
}

async fn hub(clients: &Clients) -> Result<bool, Error> {
    let asked = clients.events.describe_event_bus().name(HUB).send().await;
    match asked.map_err(|e| aws("events:DescribeEventBus", e)) {
        Ok(_) => Ok(true),
        Err(error) if error.class() == Some(Class::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The statements of the function's own policy: who may invoke it.
async fn policy(patient: &Patient, clients: &Clients) -> Result<Vec<Value>, Error> {
    let asked = clients.lambda.get_policy().function_name(&patient.name).send().await;
    let found = match asked.map_err(|e| aws("lambda:GetPolicy", e)) {
        Ok(found) => found,
        Err(error) if error.class() == Some(Class::NotFound) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let policy: Value = found.policy().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    Ok(policy.get("Statement").and_then(Value::as_array).cloned().unwrap_or_default())
}

/// What is wrong with one rule.
async fn rule(
    patient: &Patient,
    clients: &Clients,
    bus: &str,
    trigger: &str,
    pattern: &str,
    policy: Option<&Vec<Value>>,
) -> Vec<Check> {
    let name = format!("{}-{trigger}", patient.name);
    let about =
        if bus == "default" { format!("rule {trigger}") } else { format!("rule {trigger} on the bus {bus}") };
    let asked = join(
        clients.events.describe_rule().name(&name).event_bus_name(bus).send(),
        clients.events.list_targets_by_rule().rule(&name).event_bus_name(bus).send(),
    );
    let (seen, targets) = asked.await;
    let seen = match seen.map_err(|e| aws("events:DescribeRule", e)) {
        Ok(seen) => seen,
        Err(error) if error.class() == Some(Class::NotFound) => {
            return vec![Check::problem(
                about,
                format!("there is no rule {name}: these events do not arrive"),
                APPLY,
            )];
        }
        Err(error) => return vec![Check::refused(about, &error)],
    };
    let mut checks = Vec::new();
    if seen.state() != Some(&RuleState::Enabled) {
        checks.push(Check::problem(
            &about,
            format!(
                "it is {}: these events do not arrive",
                seen.state().map_or("UNKNOWN", RuleState::as_str)
            ),
            format!("aws events enable-rule --name {name} --event-bus-name {bus}"),
        ));
    }
    let deployed: Option<Value> = seen.event_pattern().and_then(|text| serde_json::from_str(text).ok());
    if deployed != serde_json::from_str(pattern).ok() {
        checks.push(Check::problem(
            &about,
            format!("its pattern is not that of crates/{}/triggers/{trigger}.json", patient.room.name),
            APPLY,
        ));
    }
    match targets.map_err(|e| aws("events:ListTargetsByRule", e)) {
        Err(error) => checks.push(Check::refused(format!("{about}, target"), &error)),
        Ok(targets) => {
            // Whatever changes the event on its way leaves the function without what it reads.
            let whole = targets.targets().iter().any(|target| {
                target.arn() == patient.arn
                    && target.input().is_none()
                    && target.input_path().is_none()
                    && target.input_transformer().is_none()
            });
            if !whole {
                let found = format!("it does not hand the whole event to {}", patient.name);
                checks.push(Check::problem(&about, found, APPLY));
            }
        }
    }
    let arn = seen.arn().unwrap_or_default();
    if policy.is_some_and(|statements| !statements.iter().any(|statement| permits(statement, arn))) {
        checks.push(Check::problem(
            &about,
            format!("the policy of {} does not let it invoke it", patient.name),
            APPLY,
        ));
    }
    checks
}

/// Whether a statement lets a rule invoke the function.
fn permits(statement: &Value, rule: &str) -> bool {
    let is = |at: &str, wanted: &str| statement.pointer(at).and_then(Value::as_str) == Some(wanted);
    let conditions =
        statement.get("Condition").and_then(Value::as_object).into_iter().flat_map(|all| all.values());
    let mut sources = conditions.filter_map(Value::as_object).flatten();
    let from = |(key, value): (&String, &Value)| {
        !key.eq_ignore_ascii_case("aws:SourceArn")
            || value.as_str().is_some_and(|glob| WildMatch::new(glob).matches(rule))
    };
    is("/Effect", "Allow") && is("/Principal/Service", "events.amazonaws.com") && sources.all(from)
}
