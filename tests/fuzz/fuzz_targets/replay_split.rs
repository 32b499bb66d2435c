//! Log files, as `tourniquet replay` takes them apart without parsing them. Held against a parser of JSON, and against itself with
//! the same bytes in other pieces.

#![no_main]

#[path = "../../../crates/operator/src/replay"]
#[allow(dead_code)]
mod replay {
    pub(crate) mod split;
}

use std::cell::RefCell;
use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use replay::split::{Found, Splitter};
use serde_json::Value;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::json(data, size, max_size, seed)
});

thread_local! {
    /// As in `replay`, one for all files: nothing of one may be left for the next.
    static SPLITTER: RefCell<Splitter> = RefCell::default();
}

#[derive(Debug, PartialEq)]
enum Kept {
    Record(u64, Vec<u8>),
    Broken(u64, &'static str),
}

struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(into.len());
        let (now, later) = self.0.split_at(count);
        into[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

fn split(from: impl Read) -> (Vec<Kept>, bool) {
    let mut found = Vec::new();
    let take = |one: Found<'_>| {
        found.push(match one {
            Found::Record { at, bytes } => Kept::Record(at, bytes.to_vec()),
            Found::Broken { at, why } => Kept::Broken(at, why),
        });
    };
    let ended = SPLITTER.with_borrow_mut(|splitter| splitter.run(from, |_| (), take));
    (found, ended.is_ok())
}

fuzz_target!(|data: &[u8]| {
    if data.starts_with(&[0x1f, 0x8b]) {
        let _ = split(MultiGzDecoder::new(data));
        return;
    }
    let (whole, ended) = split(Pieces(data, usize::MAX));
    assert!(ended);
    for size in [1, 7, 1 + data.len() / 2] {
        assert_eq!(split(Pieces(data, size)).0, whole, "in pieces of {size}");
    }
    let mut last = 0;
    for one in &whole {
        if let Kept::Record(at, bytes) = one {
            let at = usize::try_from(*at).expect("within the input");
            assert!(at >= last && data[at..].starts_with(bytes) && bytes.starts_with(b"{"));
            last = at + bytes.len();
        }
    }
    if let Some(expected) = std::str::from_utf8(data).ok().and_then(records) {
        let found = whole.iter().map(|one| match one {
            Kept::Record(_, bytes) => serde_json::from_slice(bytes).expect("a record of JSON is JSON"),
            Kept::Broken(at, why) => panic!("in sound JSON, at {at}: {why}"),
        });
        assert_eq!(found.collect::<Vec<Value>>(), expected);
    }
});

/// What a parser finds, where it is plain what the records are.
fn records(text: &str) -> Option<Vec<Value>> {
    // A key that is there twice is a question of taste, and so is one that is spelled with escapes.
    let lists = ["\"Records\"", "\"Findings\""].map(|key| text.matches(key).count());
    let [records, findings] = lists;
    if records + findings > 1 || text.contains("\\u") {
        return None;
    }
    let list = match serde_json::from_str(text).ok()? {
        Value::Array(list) => list,
        Value::Object(mut fields) => {
            let key = ["Records", "Findings"].into_iter().find(|key| fields.contains_key(*key));
            match key.and_then(|key| fields.remove(key)) {
                Some(Value::Array(list)) => list,
                Some(_) => return None,
                None => vec![Value::Object(fields)],
            }
        }
        _ => return None,
    };
    list.iter().all(Value::is_object).then_some(list)
}
