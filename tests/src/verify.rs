//! What a scenario promised, against what was seen: every broken promise is one sentence.

use crate::run::Played;
use crate::scenario::Expect;

/// Outcomes that Lambda sees as errors, so that it retries.
const ERRORS: [&str; 2] = ["partial", "failed"];

/// The promises of a scenario that do not need another look at the account.
#[must_use]
pub fn broken(expect: &Expect, played: &Played) -> Vec<String> {
    let mut broken = Vec::new();
    if played.outcome != expect.outcome {
        broken.push(format!("the outcome is {}, not {}", played.outcome, expect.outcome));
    }
    if let Some(part) = &expect.why
        && !played.why.contains(part)
    {
        broken.push(format!("the reason is \"{}\" and does not say \"{part}\"", played.why));
    }
    error(expect, played, &mut broken);
    if let Some(count) = expect.messages
        && played.messages.len() != count
    {
        broken.push(format!("{} messages were published, not {count}", played.messages.len()));
    }
    let unsaid =
        expect.says.iter().filter(|words| !played.messages.iter().any(|m| m.contains(words.as_str())));
    broken.extend(unsaid.map(|words| format!("no message says \"{words}\"")));
    if let Some(most) = expect.max_round_trips {
        match played.round_trips {
            Some(trips) if trips <= most => {}
            Some(trips) => broken.push(format!("containment took {trips} round trips, more than {most}")),
            None => broken.push("no call contained anything".to_owned()),
        }
    }
    for (name, count) in &expect.calls {
        let made = played.calls.iter().filter(|call| call.name == *name).count();
        if made != *count {
            broken.push(format!("{name} was called {made} times, not {count}"));
        }
    }
    if expect.no_changes {
        let changes = played.calls.iter().filter(|call| call.changes_the_account());
        broken.extend(changes.map(|call| format!("{} was called, and nothing was to be changed", call.name)));
    }
    broken
}

fn error(expect: &Expect, played: &Played, broken: &mut Vec<String>) {
    match (&expect.error_type, &played.error) {
        (Some(kind), Some(error)) if error.error_type != *kind => {
            broken.push(format!("the error is {}: {}, not {kind}", error.error_type, error.error_message));
        }
        (Some(kind), None) => broken.push(format!("there is no error, and {kind} was expected")),
        (None, Some(error)) if !ERRORS.contains(&expect.outcome.as_str()) => {
            broken.push(format!("the function failed: {}: {}", error.error_type, error.error_message));
        }
        (None, None) if ERRORS.contains(&expect.outcome.as_str()) => {
            broken.push(format!("{} must be an error, and the function returned none", expect.outcome));
        }
        _ => {}
    }
}
