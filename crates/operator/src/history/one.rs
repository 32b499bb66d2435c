//! One record in full.

use jiff::Timestamp;
use tourniquet::Outcome;
use tourniquet::journal::undo_command;

use crate::records::{Entry, Undo};
use crate::words::{outcome_style, plain};

/// The lines that show a record.
pub(super) fn lines(entry: &Entry) -> Vec<String> {
    let record = &entry.record;
    let style = outcome_style(entry.outcome(), record.outcome);
    let subject = plain(&record.subject);
    let mut lines = vec![
        format!("{}: {style}{}{style:#} {subject} in {}", record.function, entry.outcome(), record.place),
        plain(&record.why),
        String::new(),
    ];
    let mut say = |name: &str, text: &str| lines.push(format!("{name:<11}{}", plain(text)));
    say("record", &entry.id);
    say("cause", &record.cause.what);
    say("actor", &record.actor.to_string());
    say(
        "mode",
        &serde_json::to_value(record.mode)
            .ok()
            .and_then(|m| m.as_str().map(str::to_owned))
            .unwrap_or_default(),
    );
    say("started", &record.started.to_string());
    if let Some(ms) = record.contained_ms {
        say("contained", &format!("after {ms} ms"));
    }
    say("finished", &finished(entry));
    say("told", record.told.map_or("nobody", Outcome::word));
    for (key, since) in &record.announced {
        say("announced", &format!("{since}: {key}"));
    }
    lines.push(String::new());
    lines.extend(plan(entry));
    if !record.notes.is_empty() {
        lines.push("notes".to_owned());
        lines.extend(record.notes.iter().map(|note| format!("  - {}", plain(note))));
        lines.push(String::new());
    }
    lines.extend(taken_back(entry));
    lines
}

fn finished(entry: &Entry) -> String {
    match (entry.record.finished, entry.record.outcome) {
        (Some(at), _) => at.to_string(),
        (None, Some(_)) => "unknown".to_owned(),
        (None, None) => format!("not yet; a run may be at it until {}", entry.record.lease),
    }
}

fn plan(entry: &Entry) -> Vec<String> {
    let record = &entry.record;
    if record.steps.is_empty() {
        return Vec::new();
    }
    let done = match record.outcome {
        Some(Outcome::Contained) => "changes",
        Some(Outcome::Observed | Outcome::Held | Outcome::Exempt) => "changes that would be made",
        _ => "changes planned",
    };
    let mut lines = vec![done.to_owned()];
    for (number, step) in record.steps.iter().enumerate() {
        lines.push(format!("  {}. {}", number + 1, plain(&step.summary)));
        lines.push(format!("     before: {}", plain(&step.before)));
        lines.push(format!("     after:  {}", plain(&step.after)));
    }
    lines.push(String::new());
    lines
}

/// What was taken back, or the command that does.
fn taken_back(entry: &Entry) -> Vec<String> {
    let can_be = matches!(entry.record.outcome, Some(Outcome::Contained | Outcome::Partial));
    let command = || format!("  {}", undo_command(&plain(&entry.id)));
    match &entry.undo {
        Some(undo) => {
            let mut lines = vec![undone(undo)];
            lines.extend(
                undo.changes.iter().map(|(key, what)| format!("  - {}: {}", plain(key), plain(what))),
            );
            if undo.finished.is_none() {
                lines.extend(["go on with it".to_owned(), command()]);
            }
            lines
        }
        None if can_be && !entry.record.steps.is_empty() => vec!["take it back".to_owned(), command()],
        None => Vec::new(),
    }
}

fn undone(undo: &Undo) -> String {
    let Undo { by, reason, until, started, .. } = undo;
    let when =
        |at: Option<Timestamp>| at.map_or_else(|| format!("begun at {started}"), |at| format!("at {at}"));
    format!("taken back {} by {}, exempt until {until}: {}", when(undo.finished), plain(by), plain(reason))
}
