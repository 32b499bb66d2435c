//! What is told of an event: one structure, which is printed for people or for machines.

use serde::Serialize;
use tourniquet::actor::Actor;
use tourniquet::{Cause, Lead, Mode, Place};

use super::live::Live;
use super::pattern::Difference;
use super::reads::Reads;

/// An event explained.
#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    pub(super) event: Summary,
    pub(super) functions: Vec<Answer>,
}

/// The event in a line.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    pub(super) source: String,
    pub(super) detail_type: String,
    pub(super) account: Option<String>,
    pub(super) region: Option<String>,
    pub(super) id: Option<String>,
    /// Whether it came without EventBridge's envelope, which was put around it.
    pub(super) wrapped: bool,
}

/// What one function says to it.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub(super) function: &'static str,
    /// Where its configuration is from.
    pub(super) configuration: String,
    pub(super) mode: Mode,
    /// The triggers that match.
    pub(super) triggers: Vec<&'static str>,
    /// The trigger that comes nearest, where none matches.
    pub(super) nearest: Option<Nearest>,
    /// Why nothing is done about it, if the event alone shows that.
    pub(super) ignored: Option<String>,
    pub(super) subjects: Vec<Subject>,
    /// What it may read of a subject.
    pub(super) may_read: Vec<Reads>,
}

/// A trigger that does not match.
#[derive(Debug, Serialize)]
pub(super) struct Nearest {
    pub(super) trigger: &'static str,
    pub(super) fields_matched: usize,
    pub(super) differences: Vec<Difference>,
}

/// A resource that the event names.
#[derive(Debug, Serialize)]
pub(super) struct Subject {
    #[serde(rename = "subject")]
    pub(super) id: String,
    pub(super) place: Place,
    pub(super) cause: Cause,
    pub(super) actor: Actor,
    /// Why the event alone shows that the function would act.
    pub(super) proven: Option<String>,
    /// With `--live`: what the function would do now.
    pub(super) live: Option<Live>,
}

impl Subject {
    pub(super) fn of<D>(lead: &Lead<D>, proven: Option<String>, live: Option<Live>) -> Self {
        Self {
            id: lead.subject.clone(),
            place: lead.place.clone(),
            cause: lead.cause.clone(),
            actor: lead.actor.clone(),
            proven,
            live,
        }
    }
}

impl Explanation {
    /// Whether AWS was asked and did not say all.
    pub(super) fn failures(&self) -> usize {
        let subjects = self.functions.iter().flat_map(|answer| &answer.subjects);
        subjects.filter(|subject| matches!(subject.live, Some(Live::Failed { .. }))).count()
    }
}
