//! What each function would have done about one record: EventBridge's part, then the room's own reading of the event.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tourniquet::actor::Actor;
use tourniquet::cloudtrail::{ApiCall, DETAIL_TYPE};
use tourniquet::guardduty::Finding;
use tourniquet::{Event, Place, Subjects};

use super::sieve::Sieve;
use crate::failure::Failure;
use crate::functions::Function;
use crate::rooms::Room;
use crate::triggers::Triggers;

/// A record above this is parsed while no other of its kind is, so that many of them at once need no memory.
const LARGE: usize = 64 << 10;

/// So many events are known again when they come a second time; beyond it they are not.
const REMEMBERED: usize = 1 << 20;

/// What a function would have done about a subject.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Act: the event alone proves it.
    Act,
    /// Look: what is there now decides.
    Look,
    /// Fail: an error, to be retried and then kept in the dead-letter queue.
    Fail,
    /// Nothing.
    Ignore,
}

/// Every verdict, in the order of importance.
pub const VERDICTS: [Verdict; 4] = [Verdict::Act, Verdict::Look, Verdict::Fail, Verdict::Ignore];

impl Verdict {
    /// As people read it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Act => "would act",
            Self::Look => "would look",
            Self::Fail => "would fail",
            Self::Ignore => "would ignore",
        }
    }
}

/// One verdict, and what it is about.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The function.
    pub function: &'static str,
    /// What it would have done.
    pub verdict: Verdict,
    /// Where; the account and region of the envelope where no subject is named.
    pub place: Option<Place>,
    /// The subject, where one is named.
    pub subject: Option<String>,
    /// Who did it.
    pub actor: String,
    /// What happened, in the source's words.
    pub what: String,
    /// Why, in one sentence.
    pub why: String,
}

/// What became of a record.
#[derive(Debug)]
pub enum Record {
    /// It is no event that a trigger could name.
    Other,
    /// The same event was there before.
    Again,
    /// It is outside of the period that was asked for.
    Outside,
    /// It cannot be read, and why.
    Broken(String),
    /// It reached functions.
    Reached {
        /// When it happened.
        at: Option<Timestamp>,
        /// Its id.
        id: String,
        /// What each function would have done, for each subject.
        judged: Vec<Judged>,
    },
}

/// Which records count: those that happened in this period.
#[derive(Clone, Copy, Debug, Default)]
pub struct Period {
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Until before this moment.
    pub before: Option<Timestamp>,
}

impl Period {
    /// A record without a time is in every period.
    fn holds(self, at: Option<Timestamp>) -> bool {
        at.is_none_or(|at| {
            self.since.is_none_or(|since| at >= since) && self.before.is_none_or(|before| at < before)
        })
    }
}

/// All functions with their triggers.
pub struct Judge {
    triggers: Triggers,
    sieve: Sieve,
    functions: Vec<Box<dyn Function>>,
    period: Period,
    hasher: RandomState,
    known: Mutex<HashSet<u64>>,
    large: Mutex<()>,
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Judge").finish_non_exhaustive()
    }
}

/// What the envelope, or the bare record in its place, says of itself.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "detail-type")]
    detail_type: Option<IgnoredAny>,
    #[serde(rename = "eventType")]
    event_type: Option<Value>,
    time: Option<Value>,
}

impl Judge {
    /// The functions of `rooms` with these triggers; the others are not asked.
    pub fn new(
        rooms: &[&Room],
        mut functions: Vec<Box<dyn Function>>,
        period: Period,
    ) -> Result<Self, Failure> {
        functions.retain(|function| rooms.iter().any(|room| room.name == function.name()));
        let patterns = rooms.iter().flat_map(|room| room.triggers).map(|(_, pattern)| *pattern);
        let sieve = Sieve::new(patterns)
            .ok_or_else(|| Failure::Failed("the triggers of the functions cannot be read".to_owned()))?;
        Ok(Self {
            triggers: Triggers::all()?,
            sieve,
            functions,
            period,
            hasher: RandomState::new(),
            known: Mutex::default(),
            large: Mutex::default(),
        })
    }

    /// Whether a trigger could match a record: the others need not be judged.
    #[must_use]
    pub fn keeps(&self, record: &[u8]) -> bool {
        self.sieve.keeps(record)
    }

    /// What becomes of a record.
    #[must_use]
    pub fn judge(&self, record: &[u8]) -> Record {
        let _one_at_a_time =
            (record.len() > LARGE).then(|| self.large.lock().unwrap_or_else(PoisonError::into_inner));
        self.read(record).unwrap_or_else(Record::Broken)
    }

    fn read(&self, record: &[u8]) -> Result<Record, String> {
        let text = std::str::from_utf8(record).map_err(|_| "a record that is no UTF-8".to_owned())?;
        let head: Head = serde_json::from_str(text).map_err(|e| format!("a record that is no JSON: {e}"))?;
        let event = match Event::parse(text) {
            Ok(event) => event,
            Err(error) => {
                // JSON that is no event is nothing wrong; what no function could parse is.
                let json = serde_json::from_str::<Value>(text);
                return json
                    .map(|_| Record::Other)
                    .map_err(|_| format!("a record that cannot be read: {error}"));
            }
        };
        let wrapped = head.detail_type.is_none();
        // Log files hold more than API calls, which EventBridge delivers under other names, if at all.
        // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
        let is_call = head.event_type.as_ref().is_none_or(|kind| kind == "AwsApiCall");
        if wrapped && event.detail_type() == DETAIL_TYPE && !is_call {
            return Ok(Record::Other);
        }
        let matching = if wrapped {
            self.triggers.matching(envelope(&event).to_string().as_bytes())
        } else {
            self.triggers.matching(record)
        };
        let matching = matching.map_err(|e| e.to_string())?;
        let reached: Vec<&dyn Function> = self
            .functions
            .iter()
            .filter(|function| matching.iter().any(|(name, _)| *name == function.name()))
            .map(Box::as_ref)
            .collect();
        if reached.is_empty() {
            return Ok(Record::Other);
        }
        let at = time(&event, head.time.as_ref());
        if !self.period.holds(at) {
            return Ok(Record::Outside);
        }
        let id = id(&event);
        if id.as_ref().is_some_and(|id| self.is_known(id)) {
            return Ok(Record::Again);
        }
        let judged = reached.into_iter().flat_map(|function| of(function, &event)).collect();
        Ok(Record::Reached { at, id: id.unwrap_or_default(), judged })
    }

    /// Several trails, and the regions of one, deliver the same event.
    fn is_known(&self, id: &str) -> bool {
        let hash = self.hasher.hash_one(id);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < REMEMBERED { !known.insert(hash) } else { known.contains(&hash) }
    }
}

/// The envelope that EventBridge would have put around a bare record, as triggers see it.
fn envelope(event: &Event) -> Value {
    json!({
        "source": event.source(), "detail-type": event.detail_type(), "account": event.account(),
        "region": event.region(), "detail": event.detail(),
    })
}

fn time(event: &Event, envelope: Option<&Value>) -> Option<Timestamp> {
    let detail = event.detail();
    let own = detail.get("eventTime").or(envelope).or(detail.get("updatedAt")).or(detail.get("UpdatedAt"));
    own.and_then(Value::as_str)?.parse().ok()
}

/// What tells that two records are one event. A finding is sent again with each update, and answered again.
fn id(event: &Event) -> Option<String> {
    let text = |name| event.detail().get(name).and_then(Value::as_str);
    let update =
        || Some(format!("{} {}", text("id").or(text("Id"))?, text("updatedAt").or(text("UpdatedAt"))?));
    text("eventID").or(event.id()).map(str::to_owned).or_else(update)
}

/// What one function would do about an event.
fn of(function: &dyn Function, event: &Event) -> Vec<Judged> {
    let whole = |verdict, why: String| {
        let (actor, what) = told(event);
        let account = event.account().unwrap_or_default();
        let place = event.region().map(|region| Place::new(account, region));
        vec![Judged { function: function.name(), verdict, place, subject: None, actor, what, why }]
    };
    match function.subjects(event) {
        Err(error) => whole(Verdict::Fail, error.to_string()),
        Ok(Subjects::Ignored { why }) => whole(Verdict::Ignore, why),
        Ok(Subjects::Attempted { why, .. }) => whole(Verdict::Ignore, format!("AWS refused it: {why}")),
        Ok(Subjects::Named(leads)) => {
            let judged = leads.into_iter().map(|lead| {
                let proven = function.proven(event, &lead);
                let verdict = if proven.is_some() { Verdict::Act } else { Verdict::Look };
                let why = proven.unwrap_or_else(|| "what is there now decides".to_owned());
                Judged {
                    function: function.name(),
                    verdict,
                    place: Some(lead.place),
                    subject: Some(lead.subject),
                    actor: name(&lead.actor),
                    what: lead.cause.what,
                    why,
                }
            });
            judged.collect()
        }
    }
}

/// Who and what, of an event that names no subject.
fn told(event: &Event) -> (String, String) {
    if let (DETAIL_TYPE, Ok(call)) = (event.detail_type(), ApiCall::of(event)) {
        return (name(&call.actor()), call.event_name);
    }
    match (event.source(), Finding::of(event)) {
        ("aws.guardduty", Ok(finding)) => {
            let kind = finding.kind.clone().unwrap_or_else(|| event.detail_type().to_owned());
            (name(&finding.actor()), kind)
        }
        _ => (name(&Actor::default()), event.detail_type().to_owned()),
    }
}

/// The one name under which an actor is counted.
fn name(actor: &Actor) -> String {
    let names = [&actor.principal, &actor.session_issuer, &actor.invoked_by, &actor.source_ip];
    names.into_iter().flatten().next().cloned().unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
