//! What the targets share: how an event is tried on a function, and how JSON is changed so that it stays JSON.

mod mutate;

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tourniquet::journal::Record;
use tourniquet::{Config, Error, Event, Lead, Settings, Subjects};

pub use mutate::json;

const DEFAULT: &str = r#"{"account":"111122223333","accounts":["444455556666"]}"#;

/// Tries one input on a function's own reading of events: an event, or a configuration, a NUL and an event.
///
/// Whatever stands in them, they are read or refused by an error that names the field; and what an event names comes back from the
/// journal as it went in.
pub fn event<S: Settings, D: Clone + Debug + PartialEq + Serialize + DeserializeOwned>(
    data: &[u8],
    subjects: impl Fn(&Event, &Config<S>) -> Result<Subjects<D>, Error>,
    each: impl Fn(&Event, &Config<S>, &Lead<D>),
) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (config, event) = text.split_once('\0').unwrap_or((DEFAULT, text));
    let config = Config::<S>::parse(config).unwrap_or_else(|error| {
        assert!(matches!(&error, Error::Settings { key, .. } if !key.is_empty()), "{error}");
        Config::parse(DEFAULT).expect("the default is valid")
    });
    let named = Event::parse(event).and_then(|event| Ok((subjects(&event, &config)?, event)));
    match named {
        Err(error) => {
            assert!(matches!(&error, Error::MalformedEvent { field, .. } if !field.is_empty()), "{error:?}");
        }
        Ok((Subjects::Ignored { why } | Subjects::Attempted { why, .. }, _)) => assert!(!why.is_empty()),
        Ok((Subjects::Named(leads), event)) => {
            assert!(!leads.is_empty(), "neither a subject nor a reason");
            for lead in &leads {
                let kept = serde_json::to_string(lead).expect("a lead can be written");
                let again: Lead<D> = serde_json::from_str(&kept).expect("a lead can be read");
                assert!(is_same(&json_of(lead), &json_of(&again)), "{lead:?} {again:?}");
                let partition = Record::partition("f", &lead.place, &lead.subject);
                assert!(!lead.subject.is_empty() && partition.ends_with(&lead.subject));
                each(&event, &config, lead);
            }
        }
    }
}

/// A value as the journal would hold it.
pub fn json_of(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("it can be written")
}

/// Whether two values are the same. Reading a number of twenty digits may change its last one.
pub fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= a.abs() * 1e-15,
            _ => a == b,
        },
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        _ => one == other,
    }
}

/// Whether a name is made of letters, digits and some signs, as those are that become part of requests and records.
pub fn is_plain(name: &str, signs: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && name.chars().all(|c| c.is_ascii_alphanumeric() || signs.contains(c))
}
