//! The outcome for other programs.

use serde_json::{Value, json};

use super::run::Outcome;
use super::tally::{Function, by_verdict};

/// One document.
#[must_use]
pub fn document(outcome: &Outcome, functions: &[&'static str]) -> Value {
    let functions: serde_json::Map<String, Value> = functions
        .iter()
        .map(|name| {
            let known = outcome.functions.get(name);
            ((*name).to_owned(), known.map_or_else(|| of(&Function::default()), of))
        })
        .collect();
    json!({
        "read": {
            "files": outcome.files, "bytes": outcome.bytes, "json_bytes": outcome.inflated, "records": outcome.records,
            "events": outcome.events, "others": outcome.others, "repeated": outcome.again, "outside_period": outcome.outside,
            "digests": outcome.digests,
        },
        "period": outcome.period.map(|(first, last)| json!({"first": first, "last": last})),
        "damaged": {
            "files": outcome.damaged,
            "named": outcome.named.iter().map(|(file, why)| json!({"file": file, "why": why})).collect::<Vec<_>>(),
        },
        "functions": functions,
    })
}

fn of(function: &Function) -> Value {
    let days: serde_json::Map<String, Value> =
        function.days.iter().map(|(day, counts)| (day.to_string(), json!(by_verdict(*counts)))).collect();
    let rows = function.rows.iter().map(|(row, group)| {
        json!({
            "verdict": row.verdict, "day": row.day, "place": row.place, "subject": row.subject, "actor": row.actor,
            "what": row.what, "why": row.why, "times": group.times, "first": group.first, "event": group.event,
            "file": group.file,
        })
    });
    json!({
        "counts": by_verdict(function.counts), "days": days, "undated": by_verdict(function.undated),
        "actors": function.actors, "subjects": function.subjects, "reasons": function.reasons,
        "rows": rows.collect::<Vec<_>>(), "unlisted": by_verdict(function.unlisted),
    })
}
