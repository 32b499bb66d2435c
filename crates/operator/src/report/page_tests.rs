//! What the page says when there is nothing, and when everything was only observed.

use serde_json::json;
use tourniquet::Place;

use super::*;
use crate::report::exemptions::Exemptions;
use crate::report::summary::Period;

fn text(outcomes: &[(&str, &str)]) -> String {
    let entries: Vec<Entry> = (0..)
        .zip(outcomes)
        .map(|(n, (outcome, mode))| {
            let record: tourniquet::journal::Record = serde_json::from_value(json!({
                "function": "stop-instance", "place": {"account": "111122223333", "region": "eu-central-1"},
                "subject": format!("i-{n}"), "cause": {"what": "x", "key": "k"}, "attempt": 1, "mode": mode,
                "outcome": outcome, "why": "a <b>miner</b>", "actor": {}, "detail": {}, "steps": [], "notes": [],
                "started": "2026-11-14T00:00:00Z", "finished": null, "version": 1, "owner": "o",
                "lease": "2026-11-14T00:00:00Z", "counted": true, "told": null, "watched": false,
            }))
            .unwrap();
            Entry { id: record.id(), record, undo: None }
        })
        .collect();
    let made: Timestamp = "2026-11-15T00:00:00Z".parse().unwrap();
    let period = Period { since: "2026-11-01T00:00:00Z".parse().unwrap(), before: made, made };
    let place = Place::new("111122223333", "eu-central-1");
    let summary = Summary::of(&entries, Exemptions::default(), &place, period);
    page(&summary, &entries, &Filter::default()).into_string()
}

#[test]
fn an_empty_period_says_so() {
    let page = text(&[]);
    assert!(page.contains("Nothing was recorded in this period") && page.contains("1 November 2026"));
    assert!(!page.contains("Nothing waits") && !page.contains("<svg class=\"timeline\""));
}

#[test]
fn what_waits_for_a_human_is_said_first() {
    let page = text(&[("contained", "enforce"), ("failed", "enforce")]);
    let place = |what: &str| page.find(what).unwrap_or_else(|| panic!("no {what}"));
    assert!(place("1 record needs") < place("median time"));
    assert!(place("To do") < place("<h2>When</h2>"));
    assert!(page.contains("a &lt;b&gt;miner"));
    assert!(text(&[("contained", "enforce")]).contains("Nothing waits for a human"));
}

#[test]
fn it_is_said_that_nothing_was_changed_where_everything_was_observed() {
    assert!(text(&[("observed", "observe")]).contains("nothing was changed"));
    let mixed = text(&[("observed", "observe"), ("contained", "enforce")]);
    assert!(mixed.contains("1 of 2 records were made in the mode"));
}

#[test]
fn long_texts_are_cut() {
    assert_eq!(brief("abc", 3), "abc");
    assert_eq!(brief("ab\u{202e}cd", 3), "ab\u{fffd}…");
}
