//! Changes to a document that leave it one: bytes changed at random are mostly no JSON, and get no further than its parser.

use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Map, Value};

/// The longest text that one change makes of a text of a document.
const TEXT: usize = 256;

/// Changes an input in place, and says how long it is then: half of the time any bytes, else one node of the JSON document that it
/// is or ends with.
pub fn json(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut dice = fastrand::Rng::with_seed(seed.into());
    if dice.bool() {
        return fuzzer_mutate(data, size, max_size);
    }
    let Some(changed) = document(&data[..size], &mut dice).filter(|changed| changed.len() <= max_size) else {
        return fuzzer_mutate(data, size, max_size);
    };
    data[..changed.len()].copy_from_slice(&changed);
    changed.len()
}

fn document(data: &[u8], dice: &mut fastrand::Rng) -> Option<Vec<u8>> {
    let parts: Vec<&[u8]> = data.split(|byte| *byte == 0).collect();
    let which = dice.usize(..parts.len());
    let mut document: Value = serde_json::from_slice(parts[which]).ok()?;
    let donor = nth(&document, dice.usize(..count(&document))).clone();
    let at = dice.usize(..count(&document));
    change(nth_mut(&mut document, at), donor, dice);
    let mut changed = serde_json::to_vec(&document).ok()?;
    if dice.u8(..8) == 0 {
        spell(&mut changed, dice);
    }
    let all: Vec<&[u8]> =
        parts.iter().enumerate().map(|(n, part)| if n == which { &changed[..] } else { part }).collect();
    Some(all.join(&0))
}

/// JSON can spell a letter of a text in another way.
fn spell(document: &mut Vec<u8>, dice: &mut fastrand::Rng) {
    let at = dice.usize(..document.len());
    match document[at] {
        b'/' => drop(document.splice(at..at, *b"\\")),
        letter if letter.is_ascii_alphabetic() => {
            drop(document.splice(at..=at, format!("\\u{letter:04x}").into_bytes()));
        }
        _ => {}
    }
}

fn change(node: &mut Value, donor: Value, dice: &mut fastrand::Rng) {
    match (dice.u8(..8), &mut *node) {
        (0, _) => *node = donor,
        (1, _) => *node = plain(dice),
        (2, _) => *node = Value::Array(vec![node.take()]),
        (3 | 4, Value::Array(items)) if !items.is_empty() => {
            let at = dice.usize(..items.len());
            if dice.bool() { drop(items.remove(at)) } else { items.push(items[at].clone()) }
        }
        (3, Value::Object(fields)) => {
            if let Some(key) = any_key(fields, dice) {
                fields.remove(&key);
            }
        }
        (4 | 5, Value::Object(fields)) => {
            if let Some(key) = any_key(fields, dice) {
                let value = fields.remove(&key).unwrap_or_default();
                fields.insert(renamed(&key, dice), value);
            }
        }
        (6, Value::Object(fields)) => drop(fields.insert(any_key(fields, dice).unwrap_or_default(), donor)),
        (_, Value::String(text)) => *text = renamed(text, dice),
        (_, Value::Number(number)) => {
            let by = dice.i32(-2..=2);
            let sum = number.as_f64().unwrap_or_default() + f64::from(by);
            *node = if sum.fract() == 0.0 && sum.abs() < 1e15 {
                Value::from(sum as i64)
            } else {
                Value::from(sum)
            };
        }
        _ => *node = plain(dice),
    }
}

fn plain(dice: &mut fastrand::Rng) -> Value {
    match dice.u8(..9) {
        0 => Value::Null,
        1 => Value::Bool(dice.bool()),
        2 => Value::from(dice.i64(-2..100)),
        3 => Value::from(dice.u64(..)),
        4 => Value::from(dice.f64() * 1e9),
        5 => Value::Array(Vec::new()),
        6 => Value::Object(Map::new()),
        7 => Value::from(if dice.bool() { "*" } else { " " }),
        _ => Value::from(""),
    }
}

fn any_key(fields: &Map<String, Value>, dice: &mut fastrand::Rng) -> Option<String> {
    fields.keys().nth(dice.usize(..fields.len().max(1))).cloned()
}

/// A text changed by the fuzzer, which knows the words of its dictionary.
fn renamed(text: &str, dice: &mut fastrand::Rng) -> String {
    if dice.u8(..4) == 0 {
        let mut letters = text.chars();
        let first = letters
            .next()
            .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() });
        return first.into_iter().chain(letters).collect();
    }
    let mut bytes = text.as_bytes().to_vec();
    let size = bytes.len().min(TEXT);
    bytes.resize(TEXT, 0);
    let size = fuzzer_mutate(&mut bytes, size, TEXT);
    String::from_utf8_lossy(&bytes[..size]).replace('\0', "")
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// The node of this number, counted from the root down.
fn nth(value: &Value, number: usize) -> &Value {
    let mut left = number;
    find(value, &mut left).unwrap_or(value)
}

fn find<'a>(value: &'a Value, left: &mut usize) -> Option<&'a Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter().find_map(|item| find(item, left)),
        Value::Object(fields) => fields.values().find_map(|item| find(item, left)),
        _ => None,
    }
}

fn nth_mut(value: &mut Value, number: usize) -> &mut Value {
    if number == 0 {
        return value;
    }
    let mut left = number - 1;
    let below: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => unreachable!("the number is below the count"),
    };
    for node in below {
        let size = count(node);
        if left < size {
            return nth_mut(node, left);
        }
        left -= size;
    }
    unreachable!("the number is below the count")
}
