//! Triggers and fixtures: every trigger matches one of the room's events, every event that is to match is matched, and no
//! look-alike is.
//!
//! What the drill matches is what EventBridge matches: measured against the answers of the real one, where they are at
//! hand. They are other people's and not part of the project: `TOURNIQUET_EVENTS`, or `shared/events` beside its root.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use drill::rules::Rules;
use drill::scenario;
use serde::Deserialize;
use serde_json::Value;

use super::{entries, name, none, rooms};

/// EventBridge joins keys by dots before it matches, so that a key with a dot in an event is read as two. A pattern cannot
/// rule that out; AWS's own events have no such key where the triggers look.
const DOTTED_EVENT: &str = "ls/dot_joining_event";

/// One answer of the real EventBridge.
#[derive(Deserialize)]
struct Answer {
    id: String,
    pattern: String,
    event: String,
    expected: String,
    error_code: String,
}

fn fixtures(room: &Path, kind: &str) -> Vec<(String, Value)> {
    let files = entries(&room.join("fixtures").join(kind));
    files
        .into_iter()
        .map(|file| (format!("{}/{kind}/{}", name(room), name(&file)), scenario::read(&file).unwrap()))
        .collect()
}

#[test]
fn triggers_match_what_they_must_and_nothing_else() {
    let mut wrong = Vec::new();
    for room in rooms() {
        let rules = Rules::of(&room).unwrap();
        let mut idle: BTreeSet<String> = entries(&room.join("triggers"))
            .iter()
            .map(|file| name(file).trim_end_matches(".json").to_owned())
            .collect();
        for (fixture, event) in fixtures(&room, "match") {
            let matching = rules.matching(&event).unwrap();
            if matching.is_empty() {
                wrong.push(format!("no trigger matches {fixture}"));
            }
            idle.retain(|trigger| !matching.contains(trigger));
        }
        wrong.extend(
            idle.iter().map(|trigger| format!("{}/triggers/{trigger}.json matches no fixture", name(&room))),
        );
        for (fixture, event) in fixtures(&room, "ignore") {
            let matching = rules.matching(&event).unwrap();
            wrong.extend(matching.iter().map(|trigger| format!("{trigger} matches {fixture}")));
        }
    }
    none(&wrong);
}

#[test]
fn the_drill_matches_as_eventbridge_does() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/events");
    let folder = std::env::var_os("TOURNIQUET_EVENTS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let file = folder.join("patterns.jsonl");
    let Ok(lines) = std::fs::read_to_string(&file) else {
        eprintln!("LEFT OUT: no {}; TOURNIQUET_EVENTS names another folder", file.display());
        return;
    };
    let answers: Vec<Answer> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // That error is about the event: PutEvents takes no such event, so no rule sees it.
    let asked = answers.iter().filter(|answer| answer.error_code != "ValidationException");
    let mut agreed = 0;
    let mut wrong = Vec::new();
    for answer in asked.filter(|answer| answer.id != DOTTED_EVENT) {
        let Some(matched) = matched(answer) else { continue };
        let expected = match answer.expected.as_str() {
            "match" => Some(true),
            "no_match" => Some(false),
            _ => None,
        };
        agreed += 1;
        if expected != Some(matched) {
            wrong.push(format!("{}: EventBridge says {}, the drill {matched}", answer.id, answer.expected));
        }
    }
    none(&wrong);
    assert!(agreed > 60, "only {agreed} patterns were compared");
}

/// Whether the pattern matches the event; none if the drill refuses the pattern.
fn matched(answer: &Answer) -> Option<bool> {
    let pattern: Value = serde_json::from_str(&answer.pattern).ok()?;
    let mut rules = Rules::default();
    rules.add("recorded", &pattern).ok()?;
    let event = serde_json::from_str(&answer.event).unwrap();
    Some(!rules.matching(&event).unwrap().is_empty())
}
