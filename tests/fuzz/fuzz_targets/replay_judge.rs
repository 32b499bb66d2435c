//! Records, as `tourniquet replay` and `tourniquet explain` judge them. What a trigger matches, the sieve has kept; and the fields
//! in which an event differs from a trigger are none where it matches.

#![no_main]

#[path = "../../../crates/operator/src"]
#[allow(dead_code)]
mod operator {
    pub(crate) mod failure;
    pub(crate) mod rooms;
    pub(crate) mod triggers;
    pub(crate) mod explain {
        mod input;
        mod pattern;

        /// The event of a file, as triggers see it.
        pub(crate) fn read(path: &std::path::Path) -> Option<serde_json::Value> {
            input::read(path).ok().map(|input| input.json)
        }

        /// Whether an event meets each field of a pattern.
        pub(crate) fn meets(pattern: &serde_json::Value, event: &serde_json::Value) -> bool {
            pattern::compare(pattern, event).differences.is_empty()
        }
    }
    pub(crate) mod replay {
        pub(crate) mod judge;
        mod sieve;
    }
}

/// The functions, of which only the names matter here: how each reads an event has targets of its own.
mod functions {
    use serde_json::Value;
    use tourniquet::{Error, Event, Lead, Subjects};

    pub(crate) trait Function: Send + Sync {
        fn name(&self) -> &'static str;
        fn subjects(&self, event: &Event) -> Result<Subjects<Value>, Error>;
        fn proven(&self, event: &Event, lead: &Lead<Value>) -> Option<String>;
    }

    pub(crate) struct Named(pub(crate) &'static str);

    impl Function for Named {
        fn name(&self) -> &'static str {
            self.0
        }
        fn subjects(&self, _event: &Event) -> Result<Subjects<Value>, Error> {
            Ok(Subjects::Ignored { why: "not asked".to_owned() })
        }
        fn proven(&self, _event: &Event, _lead: &Lead<Value>) -> Option<String> {
            None
        }
    }
}

use std::path::PathBuf;
use std::sync::LazyLock;

use functions::{Function, Named};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use operator::replay::judge::{Judge, Period, Record};
use operator::{explain, failure, rooms, triggers};
use serde_json::Value;
use triggers::Triggers;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::json(data, size, max_size, seed)
});

static JUDGE: LazyLock<Judge> = LazyLock::new(|| {
    let rooms: Vec<&rooms::Room> = rooms::ALL.iter().collect();
    assert!(!PATTERNS.is_empty(), "without triggers nothing is reached");
    let functions = rooms.iter().map(|room| Box::new(Named(room.name)) as Box<dyn Function>).collect();
    Judge::new(&rooms, functions, Period::default()).expect("the triggers can be read")
});

static TRIGGERS: LazyLock<Triggers> = LazyLock::new(|| Triggers::all().expect("the triggers can be read"));

/// Each trigger with the names of its room and of itself.
static PATTERNS: LazyLock<Vec<((&str, &str), Value)>> = LazyLock::new(|| {
    let all = rooms::ALL
        .iter()
        .flat_map(|room| room.triggers.iter().map(|(name, text)| ((room.name, *name), *text)));
    all.map(|(of, text)| (of, serde_json::from_str(text).expect("a trigger is JSON"))).collect()
});

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("fuzz-{}.json", std::process::id())));

fuzz_target!(|data: &[u8]| {
    let record = JUDGE.judge(data);
    if matches!(record, Record::Reached { .. } | Record::Again) {
        assert!(JUDGE.keeps(data), "the sieve lost what a trigger matches: {record:?}");
    }
    if serde_json::from_slice::<serde::de::IgnoredAny>(data).is_err() {
        return;
    }
    std::fs::write(&*FILE, data).expect("the temporary folder can be written to");
    let read = explain::read(&FILE);
    std::fs::remove_file(&*FILE).expect("it was written");
    let Some(event) = read else { return };
    let Ok(matching) = TRIGGERS.matching(event.to_string().as_bytes()) else { return };
    for (of, pattern) in PATTERNS.iter().filter(|(_, pattern)| !is_misread(pattern, &event)) {
        assert_eq!(explain::meets(pattern, &event), matching.contains(of), "{of:?}: {event}");
    }
});

/// Whether the event has a list with an object in it where the pattern wants a value: quamina 0.7 then takes the object's fields for
/// those around it. No call that CloudTrail records is like that.
fn is_misread(pattern: &Value, event: &Value) -> bool {
    let Value::Object(fields) = pattern else { return false };
    fields.iter().any(|(key, wanted)| match (key.as_str(), wanted, event) {
        ("$or", Value::Array(either), _) => either.iter().any(|one| is_misread(one, event)),
        (_, _, Value::Array(items)) => items.iter().any(|item| is_misread(pattern, item)),
        (_, Value::Array(_), _) => event.get(key).is_some_and(lists_objects),
        _ => event.get(key).is_some_and(|inner| is_misread(wanted, inner)),
    })
}

fn lists_objects(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().any(|item| item.is_object() || lists_objects(item)))
}
