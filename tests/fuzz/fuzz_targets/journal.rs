//! What the journal holds: records and baselines, exemptions as people write them there or into a tag.
//!
//! An input is up to four texts with a NUL between them: a record, an exemption, a subject, a tag.

#![no_main]

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde_json::Value;
use tourniquet::exemption::{Draft, Found, TAG, covering, of_tags};
use tourniquet::journal::{Item, Kept, Record, undo_command};
use tourniquet::{Cause, Lead, Place, Standing};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::json(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.split('\0');
    let [body, exemption, subject, tag] = [(); 4].map(|()| parts.next().unwrap_or_default());
    let now: Timestamp = "2026-11-02T09:00:00Z".parse().expect("a moment");

    let place = Place::new("111122223333", "eu-central-1");
    let found = covering(&[draft(exemption)], &place, subject, now);
    honoured(&found, now);
    for one in &found.valid {
        assert!(covers(&one.subject, subject) && covers(&one.region, &place.region), "{one:?} {subject:?}");
    }
    honoured(&of_tags(&BTreeMap::from([(TAG.to_owned(), tag.to_owned())]), subject, now), now);

    let item = Item::from([("body".to_owned(), AttributeValue::S(body.to_owned()))]);
    let kept = serde_json::from_str::<Kept>(body).ok();
    let Ok(record) = Record::from_item(&item) else { return };
    let again = Record::from_item(&record.to_item(SignedDuration::from_hours(24 * 400)));
    let again = again.expect("what was written can be read");
    assert!(fuzz::is_same(&fuzz::json_of(&again), &fuzz::json_of(&record)), "{record:?} {again:?}");
    assert!(Lead::<Value>::of_record(&record).is_ok());
    assert_eq!(words(&undo_command(&record.id()))[..3], ["tourniquet", "undo", &record.id()]);
    let _ = Standing::<Value>::of(&Cause::sweep(), &[record], kept.as_ref(), &found);
});

fn draft(text: &str) -> Draft {
    let fields: Value = serde_json::from_str(text).unwrap_or_default();
    let text = |name: &str| fields[name].as_str().map(str::to_owned);
    Draft {
        subject: text("subject"),
        region: text("region"),
        scope: text("scope"),
        reason: text("reason"),
        owner: text("owner"),
        expires: text("ends"),
    }
}

/// What counts has a reason, an owner and an end that is to come; what does not is told.
fn honoured(found: &Found, now: Timestamp) {
    for one in &found.valid {
        assert!(
            one.expires > now && !one.reason.trim().is_empty() && !one.owner.trim().is_empty(),
            "{one:?}"
        );
    }
    assert!(found.refused.iter().all(|why| !why.is_empty()));
}

/// A glob, letter by letter.
fn covers(glob: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for sign in glob.chars() {
        let before = reached.clone();
        for at in 0..=text.len() {
            let one = at > 0 && before[at - 1] && (sign == '?' || sign == text[at - 1]);
            reached[at] = if sign == '*' { before[at] || (at > 0 && reached[at - 1]) } else { one };
        }
    }
    reached[text.len()]
}

/// The words of a command, as a shell reads them.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for sign in command.chars() {
        let word = words.last_mut().expect("there is one");
        match sign {
            _ if escaped => (escaped, _) = (false, word.push(sign)),
            '\\' if !quoted => escaped = true,
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => word.push(sign),
        }
    }
    words
}
