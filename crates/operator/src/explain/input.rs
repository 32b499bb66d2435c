//! The event that is to be explained: read, and put into EventBridge's envelope where it has none.

use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};
use tourniquet::Event;

use crate::failure::Failure;

/// One event.
#[derive(Debug)]
pub(super) struct Input {
    /// As the rooms read it.
    pub(super) event: Event,
    /// As triggers see it.
    pub(super) json: Value,
    /// Whether the envelope was put around it here.
    pub(super) wrapped: bool,
}

/// Reads an event from a file; `-` is standard input.
pub(super) fn read(path: &Path) -> Result<Input, Failure> {
    let name = path.display();
    let mut raw = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut raw)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut raw))
    };
    read.map_err(|e| Failure::Usage(format!("{name} cannot be read: {e}")))?;
    parse(&raw).map_err(|problem| Failure::Usage(format!("{name}: {problem}")))
}

fn parse(raw: &str) -> Result<Input, String> {
    let mut documents = serde_json::Deserializer::from_str(raw).into_iter::<Value>();
    let first = match documents.next() {
        Some(Ok(first)) => first,
        Some(Err(error)) => return Err(format!("this is not JSON: {error}")),
        None => return Err("there is nothing in it".to_owned()),
    };
    let others = documents.take_while(Result::is_ok).count();
    let given = one(first, others)?;
    // Read from the given value and not from the text, which may hold it in a list.
    let event = Event::parse(&given.to_string()).map_err(|error| error.to_string())?;
    let wrapped = given.get("detail-type").is_none();
    let json = if wrapped { envelope(&event) } else { given };
    Ok(Input { event, json, wrapped })
}

/// The one record of a file; several are for another command.
fn one(document: Value, others: usize) -> Result<Value, String> {
    // CloudTrail's log files, `aws guardduty get-findings`, and lists that people make.
    let list = match &document {
        Value::Array(list) => Some(list),
        document if document.get("detail-type").is_some() => None,
        document => {
            ["Records", "Findings"].iter().find_map(|key| document.get(key)).and_then(Value::as_array)
        }
    };
    let several = |count: usize| {
        Err(format!(
            "there are {count} records in it, and this command explains one: `tourniquet replay` tells of many which triggers match \
             and what would have been done"
        ))
    };
    match list.map(Vec::as_slice) {
        None if others == 0 => Ok(document),
        None => several(others + 1),
        Some([one]) if others == 0 => Ok(one.clone()),
        Some(list) => several(list.len() + others),
    }
}

/// The envelope that [`Event`] gave to a bare record.
fn envelope(event: &Event) -> Value {
    // GuardDuty's API writes the keys of a finding with a capital, its events without.
    let detail =
        if event.detail().get("Type").is_some() { small(event.detail()) } else { event.detail().clone() };
    json!({
        "source": event.source(), "detail-type": event.detail_type(), "account": event.account(), "region": event.region(),
        "detail": detail
    })
}

/// The same with a small letter at the beginning of each key.
fn small(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let key = |key: &str| {
                let mut letters = key.chars();
                let first = letters.next().map(|letter| letter.to_ascii_lowercase());
                first.into_iter().chain(letters).collect::<String>()
            };
            Value::Object(fields.iter().map(|(name, one)| (key(name), small(one))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(small).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_record_is_matched_in_its_envelope() {
        let input = parse(
            r#"{"Records": [{"eventSource": "s3.amazonaws.com", "eventName": "X", "awsRegion": "eu-west-1"}]}"#,
        );
        let input = input.unwrap();
        assert!(input.wrapped);
        assert_eq!(input.json["detail-type"], "AWS API Call via CloudTrail");
        assert_eq!(
            (&input.json["source"], &input.json["detail"]["eventName"]),
            (&json!("aws.s3"), &json!("X"))
        );
    }

    #[test]
    fn an_event_is_matched_as_it_is() {
        let given = json!({"detail-type": "T", "source": "s", "resources": ["r"], "detail": {}});
        let input = parse(&given.to_string()).unwrap();
        assert_eq!((input.wrapped, input.json), (false, given));
    }

    #[test]
    fn several_records_are_for_another_command() {
        for many in [r#"{"Records": [{}, {}]}"#, r"[{}, {}]", "{}\n{}\n"] {
            let problem = parse(many).unwrap_err();
            assert!(
                problem.contains("there are 2 records") && problem.contains("tourniquet replay"),
                "{problem}"
            );
        }
        assert!(parse("").unwrap_err().contains("nothing in it"));
        assert!(parse("{").unwrap_err().contains("not JSON"));
        assert!(parse("{}").unwrap_err().contains("neither an EventBridge event"));
    }
}
