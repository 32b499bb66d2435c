//! In which fields an event differs from a pattern. For people only: whether a pattern matches is said by
//! [`crate::triggers`].

use std::net::IpAddr;

use serde::Serialize;
use serde_json::{Map, Value};
use wildmatch::WildMatchPattern;

/// A field in which an event differs from a pattern.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Difference {
    /// Its path, such as `detail.service.archived`.
    pub(super) field: String,
    /// What the pattern wants there, in words.
    pub(super) wants: String,
    /// What the event has there; `None` is no such field.
    pub(super) has: Option<String>,
}

/// An event held against a pattern, field by field.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub(super) struct Compared {
    /// How many of the pattern's fields the event meets.
    pub(super) matched: usize,
    /// Those that it does not meet.
    pub(super) differences: Vec<Difference>,
}

/// Holds an event against a pattern.
#[must_use]
pub(super) fn compare(pattern: &Value, event: &Value) -> Compared {
    let mut compared = Compared::default();
    if let Value::Object(fields) = pattern {
        Walk { event, keys: Vec::new(), path: String::new() }.fields(fields, Some(event), &mut compared);
    }
    // The envelope before what is in it.
    compared.differences.sort_by_cached_key(|one| (one.field.matches('.').count(), one.field.clone()));
    compared
}

/// Where in the event the comparison stands.
struct Walk<'a> {
    event: &'a Value,
    keys: Vec<&'a str>,
    path: String,
}

impl<'a> Walk<'a> {
    fn fields(&self, fields: &'a Map<String, Value>, here: Option<&Value>, into: &mut Compared) {
        for (key, wanted) in fields {
            let path = if self.path.is_empty() { key.clone() } else { format!("{}.{key}", self.path) };
            let keys = self.keys.iter().copied().chain([key.as_str()]).collect();
            let there = here.and_then(|here| here.get(key));
            let step = Walk { event: self.event, keys, path };
            match wanted {
                Value::Object(inner) => step.inner(inner, there, into),
                Value::Array(alternatives) => step.leaf(alternatives, there, into),
                _ => {}
            }
        }
    }

    /// Of a list of objects one has to meet all that the pattern wants of it: the one that comes nearest is told of.
    fn inner(&self, fields: &'a Map<String, Value>, there: Option<&Value>, into: &mut Compared) {
        let mut objects = Vec::new();
        if let Some(list @ Value::Array(_)) = there {
            flatten(list, &mut objects);
            objects.retain(|one| one.is_object());
        }
        let tried = objects.into_iter().enumerate().map(|(index, one)| {
            let mut compared = Compared::default();
            let path = format!("{}[{index}]", self.path);
            Walk { event: self.event, keys: self.keys.clone(), path }.fields(
                fields,
                Some(one),
                &mut compared,
            );
            compared
        });
        match tried.min_by_key(|compared| compared.differences.len()) {
            Some(nearest) => {
                into.matched += nearest.matched;
                into.differences.extend(nearest.differences);
            }
            None => self.fields(fields, there.filter(|there| there.is_object()), into),
        }
    }

    fn leaf(&self, alternatives: &[Value], there: Option<&Value>, into: &mut Compared) {
        let mut values = Vec::new();
        if let Some(there) = there {
            flatten(there, &mut values);
            values.retain(|value| !value.is_object());
        }
        // Absent is what is nowhere in the event, be it in another element of a list.
        let absent = || occurrences(self.event, &self.keys) == 0;
        let met = alternatives.iter().any(|one| match one.get("exists") {
            Some(Value::Bool(false)) => absent(),
            _ => values.iter().any(|value| meets(one, value)),
        });
        if met {
            into.matched += 1;
        } else {
            let has = there.map(|there| shorten(&there.to_string()));
            into.differences.push(Difference { field: self.path.clone(), wants: wants(alternatives), has });
        }
    }
}

/// EventBridge looks through lists, and lists in lists, at what they hold.
fn flatten<'v>(value: &'v Value, into: &mut Vec<&'v Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| flatten(item, into)),
        other => into.push(other),
    }
}

/// How many values, which are no objects, an event has at a path.
fn occurrences(value: &Value, keys: &[&str]) -> usize {
    let mut values = Vec::new();
    flatten(value, &mut values);
    match keys.split_first() {
        None => values.iter().filter(|value| !value.is_object()).count(),
        Some((first, rest)) => {
            values.iter().filter_map(|value| value.get(first)).map(|inner| occurrences(inner, rest)).sum()
        }
    }
}

/// Whether a value meets one alternative of a pattern.
fn meets(alternative: &Value, value: &Value) -> bool {
    let Value::Object(operator) = alternative else { return same(alternative, value) };
    operator.iter().all(|(name, operand)| {
        let text = |test: fn(&str, &str) -> bool| match (operand.as_str(), value.as_str()) {
            (Some(operand), Some(value)) => test(value, operand),
            _ => false,
        };
        match name.as_str() {
            "exists" => operand.as_bool() == Some(true),
            "prefix" => text(|value, start| value.starts_with(start)),
            "suffix" => text(|value, end| value.ends_with(end)),
            "equals-ignore-case" => text(|value, other| value.to_lowercase() == other.to_lowercase()),
            "wildcard" => text(|value, glob| WildMatchPattern::<'*', '\u{0}'>::new(glob).matches(value)),
            "cidr" => text(within),
            "numeric" => operand.as_array().is_some_and(|bounds| in_bounds(value, bounds)),
            "anything-but" => match operand {
                Value::Array(others) => !others.iter().any(|other| meets(other, value)),
                other => !meets(other, value),
            },
            _ => false,
        }
    })
}

fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other).is_eq(),
        _ => one == other,
    }
}

fn in_bounds(value: &Value, bounds: &[Value]) -> bool {
    let Some(value) = value.as_f64() else { return false };
    bounds.chunks(2).all(|bound| match bound {
        [Value::String(sign), number] => number.as_f64().is_some_and(|number| match sign.as_str() {
            "<" => value < number,
            "<=" => value <= number,
            "=" => value.total_cmp(&number).is_eq(),
            ">=" => value >= number,
            ">" => value > number,
            _ => false,
        }),
        _ => false,
    })
}

fn within(address: &str, block: &str) -> bool {
    let Some((network, length)) = block.split_once('/') else { return false };
    let (Ok(address), Ok(network)) = (address.parse::<IpAddr>(), network.parse::<IpAddr>()) else {
        return false;
    };
    let Ok(length) = length.parse::<u32>() else { return false };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let rest = 32_u32.saturating_sub(length);
            address.to_bits().checked_shr(rest) == network.to_bits().checked_shr(rest)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let rest = 128_u32.saturating_sub(length);
            address.to_bits().checked_shr(rest) == network.to_bits().checked_shr(rest)
        }
        _ => false,
    }
}

/// The alternatives of a field in words.
fn wants(alternatives: &[Value]) -> String {
    let (tests, values): (Vec<&Value>, Vec<&Value>) = alternatives.iter().partition(|one| one.is_object());
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    let values = match values.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(format!("one of {}", several.join(", "))),
    };
    let all: Vec<String> = values.into_iter().chain(tests.into_iter().map(test)).collect();
    all.join(" or ")
}

fn test(operator: &Value) -> String {
    let fields = operator.as_object().into_iter().flatten();
    let words = fields.map(|(name, operand)| match name.as_str() {
        "exists" if operand == &Value::Bool(false) => "no such field".to_owned(),
        "exists" => "any value".to_owned(),
        "prefix" => format!("a text that begins with {operand}"),
        "suffix" => format!("a text that ends with {operand}"),
        "equals-ignore-case" => format!("{operand} in small or capital letters"),
        "wildcard" => format!("a text like {operand}"),
        "cidr" => format!("an address in {operand}"),
        "numeric" => format!("a number {}", bounds(operand)),
        "anything-but" => match operand {
            Value::Array(others) => format!("anything but {}", wants(others)),
            Value::Object(_) => format!("anything but {}", test(operand)),
            other => format!("anything but {other}"),
        },
        other => format!("{other} {operand}"),
    });
    words.collect::<Vec<_>>().join(" and ")
}

fn bounds(operand: &Value) -> String {
    let parts = operand.as_array().into_iter().flatten();
    let parts: Vec<String> =
        parts.map(|part| part.as_str().map_or(part.to_string(), str::to_owned)).collect();
    parts.chunks(2).map(|bound| bound.join(" ")).collect::<Vec<_>>().join(" and ")
}

/// Values of an event can be whole documents.
fn shorten(text: &str) -> String {
    const SHOWN: usize = 120;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
