//! What Terraform deployed, against what the room's files say.

use drill::blueprint::Blueprint;
use drill::rules::Patterns;
use serde_json::{Value, json};

/// What the drill's policies have no use for: calls that Lambda makes with the role, and the function never.
const BY_LAMBDA: [&str; 2] = ["Log", "KeepFailed"];

/// Compares what was read back with what was drawn.
pub(super) fn same(read: &Blueprint, drawn: &Blueprint) {
    let name = &read.name;
    assert_eq!(read.manifest.memory_mb, drawn.manifest.memory_mb, "{name}");
    assert_eq!(read.manifest.timeout_s, drawn.manifest.timeout_s, "{name}");
    assert_eq!(read.manifest.schedule, drawn.manifest.schedule, "{name}");
    for (key, value) in &drawn.config {
        assert_eq!(read.config.get(key), Some(value), "{name}: {key}");
    }
    assert_eq!(read.variables["AWS_LAMBDA_LOG_LEVEL"], "INFO", "{name}");
    let of_room =
        read.role.statements().into_iter().filter(|s| !BY_LAMBDA.iter().any(|sid| s["Sid"] == *sid));
    alike(name, &of_room.collect::<Vec<_>>(), &drawn.role.statements());
    alike(name, &values(&read.rules), &values(&drawn.rules));
    let hub = if drawn.members.is_empty() { Vec::new() } else { values(&drawn.hub) };
    alike(name, &values(&read.hub), &hub);
    assert!(read.members.keys().eq(drawn.members.keys()), "{name}");
    for (account, member) in &drawn.members {
        let there = &read.members[account];
        alike(name, &there.role.statements(), &member.role.statements());
        let forwarded = values(&there.rules);
        assert!(values(&member.rules).iter().all(|pattern| forwarded.contains(pattern)), "{name}: {account}");
    }
    assert_eq!(sorted(&read.table), sorted(&drawn.table));
}

fn values(patterns: &Patterns) -> Vec<Value> {
    patterns.values().cloned().collect()
}

/// A table whose attributes are in order: they have none.
fn sorted(table: &Value) -> Value {
    let mut table = table.clone();
    table["AttributeDefinitions"].as_array_mut().unwrap().sort_by_key(ToString::to_string);
    json!(table)
}

/// Whether two lists hold the same, in whatever order.
fn alike(name: &str, one: &[Value], other: &[Value]) {
    let within = |all: &[Value], some: &[Value]| some.iter().all(|value| all.contains(value));
    assert!(
        one.len() == other.len() && within(one, other) && within(other, one),
        "{name}: {one:?} is deployed, not {other:?}"
    );
}
