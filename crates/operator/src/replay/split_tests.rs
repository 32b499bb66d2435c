use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A reader that gives at most so many bytes at once.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(into.len());
        into[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn split(text: &[u8], piece: usize) -> (Vec<String>, Vec<(u64, &'static str)>) {
    let (mut records, mut broken) = (Vec::new(), Vec::new());
    let take = |found: Found<'_>| match found {
        Found::Record { at, bytes } => {
            assert_eq!(&text[usize::try_from(at).unwrap()..][..bytes.len()], bytes);
            records.push(String::from_utf8_lossy(bytes).into_owned());
        }
        Found::Broken { at, why } => broken.push((at, why)),
    };
    let mut read = 0;
    Splitter::default().run(Slow(text, piece), |count| read += count, take).unwrap();
    assert_eq!(read, text.len());
    (records, broken)
}

/// The records of a text, whatever the pieces are in which it comes.
fn records(text: &str) -> Vec<String> {
    let (records, broken) = split(text.as_bytes(), usize::MAX);
    assert_eq!(broken, [], "{text}");
    for piece in [1, 2, 7] {
        assert_eq!(split(text.as_bytes(), piece), (records.clone(), vec![]), "{text}");
    }
    records
}

fn broken(text: &str) -> (Vec<String>, Vec<&'static str>) {
    let (records, broken) = split(text.as_bytes(), usize::MAX);
    assert_eq!(split(text.as_bytes(), 1), (records.clone(), broken.clone()), "{text}");
    (records, broken.into_iter().map(|(_, why)| why).collect())
}

#[test]
fn every_form_of_a_file_gives_its_records() {
    let two = [r#"{"a":"}{\"[\\"}"#, r#"{"b":[{"c":{}}]}"#].map(str::to_owned);
    let [one, other] = &two;
    for text in [
        format!(r#"{{"Records":[{one},{other}]}}"#),
        format!("{{ \"Records\" : [\r\n  {one} ,\n  {other}\n ] }}\n"),
        format!(r#"{{"version":"1","more":[{{"x":[]}}],"Records":[{one},{other}],"tail":{{"y":[1,{{}}]}}}}"#),
        format!(r#"{{"Findings":[{one},{other}]}}"#),
        format!("[{one},\n{other}]"),
        format!("{one}\n{other}\n"),
        format!("{one}\r\n\r\n{other}"),
        format!("{one}{other}"),
        format!("\u{feff}{one} {other}"),
        format!(r#"{{"Records":[{one}]}}{{"Records":[{other}]}}"#),
        format!("{{\"Records\":[{one}]}}\n{other}\n"),
    ] {
        assert_eq!(records(&text), two, "{text}");
    }
}

#[test]
fn one_event_is_one_record() {
    let pretty =
        serde_json::to_string_pretty(&json!({"detail": {"Records": [{"a": 1}]}, "resources": [{}]})).unwrap();
    assert_eq!(records(&pretty), std::slice::from_ref(&pretty));
    // Only a list under that key is one of records.
    for text in [r#"{"Records":{"a":[]}}"#, r#"{"a":"Records","b":[{}]}"#, r#"{"a":{"Records":[{}]}}"#] {
        assert_eq!(records(text), [text]);
    }
    assert_eq!(records(""), [""; 0]);
    assert_eq!(records(r#" {"Records":[]} "#), [""; 0]);
}

#[test]
fn what_is_cut_off_costs_no_other_record() {
    let cut = "a record that is cut off";
    for text in ["{\"a\":\"xy\n{\"b\":1}\n{\"c\":2}\n", "{\"a\":{\"x\":1}\n{\"b\":1}\n{\"c\":2}\n"] {
        assert_eq!(
            broken(text),
            (vec![r#"{"b":1}"#.to_owned(), r#"{"c":2}"#.to_owned()], vec![cut]),
            "{text}"
        );
    }
    let (found, why) = broken(r#"{"Records":[{"a":1},{"b":"#);
    assert_eq!((found, why), (vec![r#"{"a":1}"#.to_owned()], vec!["ends in the middle of a record"]));
    assert_eq!(broken(r#"{"Records":["#).1, ["ends in the middle of a record"]);
    // Behind the records nothing is kept, and the next line is known all the same.
    let tail = "{\"Records\":[{\"a\":1}],\"x\":{\"y\":1 \n{\"b\":2}\n";
    assert_eq!(broken(tail), (vec![r#"{"a":1}"#.to_owned(), r#"{"b":2}"#.to_owned()], vec![cut]));
    let sound = "{\"Records\":[{\"a\":1}],\"x\":{\"y\": \n{\"z\":[\n{}]}}}\n";
    assert_eq!(broken(sound), (vec![r#"{"a":1}"#.to_owned()], vec![]));
}

#[test]
fn a_name_behind_the_records_of_a_file_is_none_of_the_next_one() {
    let (records, _) = broken("{\"Records\":[],\"Findings\":{}}{[{\"b\":1}]}");
    assert_eq!(records, ["{[{\"b\":1}]}"]);
}

#[test]
fn what_is_no_json_is_told_once() {
    let none = "no JSON object";
    assert_eq!(broken("\u{89}PNG\r\n\u{1a}\n..."), (vec![], vec![none]));
    assert_eq!(
        broken("time=1 \"x\" y\n{\"a\":1}\nlevel=2 z\n"),
        (vec![r#"{"a":1}"#.to_owned()], vec![none, none])
    );
    assert_eq!(broken("[1,2,null]").1, [none]);
    assert_eq!(broken("]]]}}}").1, [none]);
}

#[test]
fn a_record_that_is_too_large_is_told_and_passed_over() {
    let large = |filler: &str| format!("{{\"x\":{filler}}}");
    for filler in [
        format!("\"{}\"", "y".repeat(3 * LIMIT)),
        " ".repeat(3 * LIMIT) + "1",
        "[".repeat(LIMIT) + &"]".repeat(LIMIT),
        format!("[{}{{}}]", "{},".repeat(LIMIT)),
    ] {
        let text = format!("{{\"Records\":[{{\"a\":1}},{},{{\"b\":2}}]}}", large(&filler));
        let (found, why) = split(text.as_bytes(), 50_000);
        assert_eq!(found, [r#"{"a":1}"#, r#"{"b":2}"#]);
        assert_eq!(why, [(20, "a record larger than 2 MiB")]);
    }
    let fits = large(&format!("\"{}\"", "y".repeat(LIMIT - 10)));
    assert_eq!(split(fits.as_bytes(), 50_000), (vec![fits.clone()], vec![]));
}

#[test]
fn what_does_not_end_needs_no_memory() {
    struct Endless(&'static [u8], u64);
    impl Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            if self.1 == 0 {
                return Ok(0);
            }
            self.1 -= 1;
            into.iter_mut().zip(self.0.iter().cycle()).for_each(|(to, from)| *to = *from);
            Ok(into.len())
        }
    }
    for endless in [&b" "[..], b"[", b"{", b"\0", b"\"", b"{\"a\":[", b"a"] {
        let mut splitter = Splitter::default();
        splitter.run(Endless(endless, 12), |_| {}, |_| {}).unwrap();
        assert!(splitter.buffer.len() <= LIMIT + 2 * CHUNK, "{endless:?}: {}", splitter.buffer.len());
    }
}

#[test]
fn an_error_of_the_reader_comes_after_what_was_read() {
    struct Broken(bool);
    impl Read for Broken {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            into[..8].copy_from_slice(b"{\"a\":1},");
            Ok(8)
        }
    }
    let mut found = 0;
    let ended = Splitter::default().run(Broken(false), |_| {}, |_| found += 1);
    assert_eq!((ended.unwrap_err().kind(), found), (std::io::ErrorKind::UnexpectedEof, 1));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_the_records_hold_they_are_found(
        objects in prop::collection::vec(prop::collection::btree_map("[a-z\"\\\\{}\\[\\]]{0,6}", any_json(), 0..4), 0..5),
        form in 0..5,
        piece in 1..40_usize,
    ) {
        let objects: Vec<Value> = objects.into_iter().map(|map| Value::Object(map.into_iter().collect())).collect();
        let text = match form {
            0 => json!({"Records": objects}).to_string(),
            1 => serde_json::to_string_pretty(&json!({"a": objects.clone(), "Records": objects})).unwrap(),
            2 => Value::from(objects.clone()).to_string(),
            3 => objects.iter().flat_map(|object| [object.to_string(), "\n".to_owned()]).collect(),
            _ => objects.iter().map(|object| serde_json::to_string_pretty(object).unwrap()).collect(),
        };
        let (found, broken) = split(text.as_bytes(), piece);
        prop_assert_eq!(broken, []);
        let found: Vec<Value> = found.iter().map(|record| serde_json::from_str(record).unwrap()).collect();
        prop_assert_eq!(found, objects);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(prop::sample::select(b"{}[]\",:\\\n a1R\xff".to_vec()), 0..300), piece in 1..50_usize) {
        prop_assert_eq!(split(&bytes, piece), split(&bytes, usize::MAX));
    }
}
