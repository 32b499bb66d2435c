//! Whether a trail still records what it did: the answer is held against events, which one set of selectors records and the other
//! may not.

#![no_main]

#[path = "../../../crates/restore-trail/src"]
#[allow(dead_code)]
mod room {
    pub(crate) mod selectors;
}

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use room::selectors::{Advanced, Basic, Condition, Data, Selectors};

const FIELDS: [&str; 6] =
    ["eventCategory", "readOnly", "eventSource", "eventName", "resources.type", "resources.ARN"];
const VALUES: [&[&str]; 6] = [
    &["Management", "Data", "NetworkActivity"],
    &["true", "false"],
    &["s3.amazonaws.com", "kms.amazonaws.com", "rdsdata.amazonaws.com"],
    &["GetObject", "PutObject", "Get", "Decrypt", "Object", "t"],
    &["AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table"],
    &[
        "arn:aws:s3",
        "arn:aws:s3:",
        "arn:aws:s3:::a",
        "arn:aws:s3:::a/",
        "arn:aws:s3:::a/b",
        "arn:aws:lambda:eu-west-1:111122223333:function:a",
        "arn:aws:dynamodb:eu-west-1:111122223333:table/a",
        "/b",
        "a",
    ],
];

/// What basic selectors of data events can name, by the kind of resource.
const NAMED: [(&str, &[&str]); 3] = [
    (
        "AWS::S3::Object",
        &["arn:aws:s3", "arn:aws:s3:", "arn:aws:s3:::a", "arn:aws:s3:::a/", "arn:aws:s3:::a/b"],
    ),
    ("AWS::Lambda::Function", &["arn:aws:lambda", "arn:aws:lambda:eu-west-1:111122223333:function:a"]),
    ("AWS::DynamoDB::Table", &["arn:aws:dynamodb", "arn:aws:dynamodb:eu-west-1:111122223333:table/a"]),
];

/// An event, by what it has in each of the fields.
#[derive(Debug)]
struct Event([String; 6]);

#[derive(Debug)]
struct Case {
    before: Selectors,
    now: Selectors,
    events: Vec<Event>,
}

fn value(u: &mut Unstructured<'_>, field: usize) -> Result<String> {
    let value = (*u.choose(VALUES[field])?).to_owned();
    Ok(if field > 1 && u.ratio(1, 4)? { format!("{value}{}", u.choose(VALUES[field])?) } else { value })
}

fn values(u: &mut Unstructured<'_>, field: usize, most: usize) -> Result<Vec<String>> {
    (0..u.int_in_range(0..=most)?).map(|_| value(u, field)).collect()
}

fn condition(u: &mut Unstructured<'_>) -> Result<Condition> {
    let field = u.int_in_range(1..=FIELDS.len() - 1)?;
    let mut lists: [Vec<String>; 6] = std::array::from_fn(|_| Vec::new());
    for _ in 0..u.int_in_range(1..=2)? {
        lists[u.choose_index(6)?] = values(u, field, 2)?;
    }
    let [equals, starts_with, ends_with, not_equals, not_starts_with, not_ends_with] = lists;
    let field = FIELDS[field].to_owned();
    Ok(Condition { field, equals, starts_with, ends_with, not_equals, not_starts_with, not_ends_with })
}

fn selectors(u: &mut Unstructured<'_>) -> Result<Selectors> {
    if u.arbitrary()? {
        let advanced = (0..u.int_in_range(0..=3)?).map(|_| {
            // AWS wants the category in each, and to be equal to one value.
            let (field, equals) = (FIELDS[0].to_owned(), vec![value(u, 0)?]);
            let mut fields = vec![Condition { field, equals, ..Condition::default() }];
            for _ in 0..u.int_in_range(0..=3)? {
                fields.push(condition(u)?);
            }
            Ok(Advanced { name: None, fields })
        });
        return Ok(Selectors { advanced: advanced.collect::<Result<_>>()?, basic: Vec::new() });
    }
    let basic = (0..u.int_in_range(0..=3)?).map(|_| {
        let data = (0..u.int_in_range(0..=2)?).map(|_| {
            let (kind, names) = u.choose(&NAMED)?;
            let values = (0..u.int_in_range(0..=2)?).map(|_| Ok((*u.choose(names)?).to_owned()));
            Ok(Data { kind: (*kind).to_owned(), values: values.collect::<Result<_>>()? })
        });
        let data = data.collect::<Result<_>>()?;
        let read_write = (*u.choose(&["All", "ReadOnly", "WriteOnly"])?).to_owned();
        Ok(Basic { read_write, management: u.arbitrary()?, excluded: values(u, 2, 1)?, data })
    });
    Ok(Selectors { basic: basic.collect::<Result<_>>()?, advanced: Vec::new() })
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let before = selectors(u)?;
        let now = if u.ratio(1, 8)? { before.clone() } else { selectors(u)? };
        let mut events = Vec::new();
        for _ in 0..8 {
            let mut event = Event(std::array::from_fn(|_| String::new()));
            for (field, text) in event.0.iter_mut().enumerate() {
                *text = value(u, field)?;
            }
            events.push(event);
        }
        Ok(Self { before, now, events })
    }
}

/// Whether a condition holds: each operator that is there must, by one of its values; the negated ones by all.
fn holds(condition: &Condition, event: &Event) -> bool {
    let field = FIELDS.iter().position(|field| *field == condition.field).expect("a known field");
    let text = &event.0[field];
    let some = |list: &Vec<String>, is: fn(&str, &str) -> bool| {
        list.is_empty() || list.iter().any(|one| is(text, one))
    };
    let none = |list: &Vec<String>, is: fn(&str, &str) -> bool| list.iter().all(|one| !is(text, one));
    let equal = |text: &str, one: &str| text == one;
    let starts = |text: &str, one: &str| text.starts_with(one);
    let ends = |text: &str, one: &str| text.ends_with(one);
    some(&condition.equals, equal)
        && some(&condition.starts_with, starts)
        && some(&condition.ends_with, ends)
        && none(&condition.not_equals, equal)
        && none(&condition.not_starts_with, starts)
        && none(&condition.not_ends_with, ends)
}

fn records(selectors: &Selectors, event: &Event) -> bool {
    let [category, read_only, source, _, kind, arn] = &event.0;
    let basic = |one: &Basic| {
        let asked = match one.read_write.as_str() {
            "ReadOnly" => read_only == "true",
            "WriteOnly" => read_only == "false",
            _ => true,
        };
        let management = category == "Management" && one.management && !one.excluded.contains(source);
        let is_named = |data: &Data, value: &String| match value.as_str() {
            // CloudTrail's words for all of a service.
            "arn:aws:s3" | "arn:aws:s3:" | "arn:aws:lambda" | "arn:aws:dynamodb" => true,
            prefix if data.kind == "AWS::S3::Object" => arn.starts_with(prefix),
            whole => arn == whole,
        };
        let named = |data: &Data| data.kind == *kind && data.values.iter().any(|value| is_named(data, value));
        asked && (management || (category == "Data" && one.data.iter().any(named)))
    };
    selectors.basic.iter().any(basic)
        || selectors.advanced.iter().any(|one| one.fields.iter().all(|condition| holds(condition, event)))
}

fuzz_target!(|case: Case| {
    let Case { before, now, events } = case;
    let lost = now.lost_since(&before);
    for event in &events {
        if records(&before, event) {
            assert!(!before.record_nothing());
            assert!(records(&now, event) || !lost.is_empty(), "not told that this is lost: {event:?}");
            assert!(!now.record_nothing() || !lost.is_empty());
        }
        if now.record_no_changes() && event.0[0] == "Management" && event.0[1] == "false" {
            assert!(!records(&now, event), "called reads only");
        }
    }
    assert!(before.lost_since(&before).is_empty(), "nothing is lost where nothing changed");
    let kept = serde_json::to_string(&before).expect("a baseline can be written");
    assert_eq!(serde_json::from_str::<Selectors>(&kept).expect("a baseline can be read"), before);
});
