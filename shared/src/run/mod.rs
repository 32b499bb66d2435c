//! One run: the loop that observes, decides, records, applies and looks again, for one subject.
//!
//! Verification is the same observation and the same decision once more: a subject is contained when, after our
//! changes, the decision finds nothing left to do. A run that was interrupted is gone on with from its record, whose
//! before-images are older than anything that can be read now.

mod apply;
mod close;
mod open;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use crate::clock;
use crate::engine::{Engine, Invocation, Origin};
use crate::error::Error;
use crate::exemption::Found;
use crate::gate::{self, Pass};
use crate::journal::Record;
use crate::outcome::Outcome;
use crate::plan::{Change, Recorded};
use crate::report::Report;
use crate::room::{Depth, Observation, Room};
use crate::settings::Mode;
use crate::subject::Lead;
use crate::verdict::{Ruling, Standing, Verdict};

/// The time before Lambda's deadline that is kept for closing the record and telling people.
pub(crate) const MARGIN: Duration = Duration::from_millis(1500);
/// How long an urgent answer waits for the journal before it contains without it.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often a run looks again for a change that does not show yet, or for a state that has to come first.
const LOOKS: u32 = 6;
/// The wait before the first such look; it doubles.
const FIRST_LOOK: Duration = Duration::from_millis(150);

/// How a run ends.
pub(crate) struct Ending {
    outcome: Outcome,
    why: String,
    error: Option<&'static str>,
    /// Whether people are told whatever the outcome.
    tell: bool,
}

impl Ending {
    fn new(outcome: Outcome, why: impl Into<String>) -> Self {
        Self { outcome, why: why.into(), error: None, tell: false }
    }

    fn failed(error: &Error, context: &str) -> Self {
        let why = if context.is_empty() { error.to_string() } else { format!("{context}: {error}") };
        Self { error: Some(error.kind()), ..Self::new(Outcome::Failed, why) }
    }
}

/// Everything that one run knows.
pub(crate) struct Run<'a, R: Room> {
    engine: &'a Engine<R>,
    lead: &'a Lead<R::Detail>,
    invocation: &'a Invocation,
    origin: Origin,
    clients: Arc<R::Clients>,
    started: Instant,
    contained_at: Option<Instant>,
    history: Vec<Record>,
    exemptions: Found,
    /// The record that this run has opened.
    record: Option<Record>,
    /// Whether an earlier run had begun to make changes under this record.
    resumed: bool,
    /// Whether people know this outcome already.
    told_before: bool,
    /// Why the journal cannot be reached, in an urgent run that goes on without it.
    without_journal: Option<Error>,
    changes: Vec<Recorded>,
    done: BTreeSet<String>,
    failed: BTreeMap<String, Error>,
    notes: Vec<String>,
    why: String,
    looks: u32,
}

/// Runs one subject to its end; never fails, since every end is a report.
pub(crate) async fn run<R: Room>(
    engine: &Engine<R>,
    lead: &Lead<R::Detail>,
    invocation: &Invocation,
    origin: Origin,
) -> Report {
    let started = Instant::now();
    let clients = match engine.accounts.clients(&lead.place).await {
        Ok(clients) => clients,
        Err(error) => return close::unreachable(engine, lead, &error).await,
    };
    let mut run = Run {
        engine,
        lead,
        invocation,
        origin,
        clients,
        started,
        contained_at: None,
        history: Vec::new(),
        exemptions: Found::default(),
        record: None,
        resumed: false,
        told_before: false,
        without_journal: None,
        changes: Vec::new(),
        done: BTreeSet::new(),
        failed: BTreeMap::new(),
        notes: Vec::new(),
        why: String::new(),
        looks: 0,
    };
    let end = match timeout_at(invocation.deadline - MARGIN, Box::pin(run.go())).await {
        Ok(end) => end,
        Err(_) => run.unfinished("the time of the invocation ran out"),
    };
    run.close(end).await
}

impl<R: Room> Run<'_, R> {
    async fn go(&mut self) -> Ending {
        let mut depth = if self.engine.config.mode == Mode::Observe { Depth::Full } else { Depth::Contain };
        let (mut seen, journal) = futures_util::future::join(self.observe(depth), self.read_journal()).await;
        match journal {
            Ok((history, exemptions)) => (self.history, self.exemptions) = (history, exemptions),
            Err(error) if R::URGENT && self.origin == Origin::Event => self.without_journal = Some(error),
            Err(error) => {
                return Ending::failed(&error, "the journal cannot be read, so nothing was changed");
            }
        }
        if self.wait_for_other().await {
            seen = self.observe(depth).await;
        }
        let mut gated = false;
        loop {
            let seen_now = match seen {
                Ok(Some(seen)) => seen,
                Ok(None) => return self.left(Outcome::Gone, "the resource does not exist (any more)").await,
                Err(error) => return self.blind(&error),
            };
            let standing = self.standing();
            let verdict =
                R::decide(self.lead, &seen_now, &self.engine.config.settings, clock::now(), &standing);
            self.keep_notes(&verdict);
            if matches!(verdict.ruling, Ruling::Safe) && !self.done.is_empty() {
                self.contained_at.get_or_insert_with(Instant::now);
            }
            match verdict.ruling {
                Ruling::Leave(outcome) => return self.left(outcome, &verdict.why).await,
                // Contained, or nothing to contain: now the rest.
                Ruling::Safe if depth == Depth::Contain => depth = Depth::Full,
                Ruling::Safe => return self.safe(&seen_now, verdict.why).await,
                Ruling::Wait => {
                    if !self.look_again().await {
                        return self.unfinished(&verdict.why);
                    }
                }
                Ruling::Act(ref steps) => {
                    if !gated {
                        if let Some(end) = self.gate(&seen_now, &verdict) {
                            return end;
                        }
                        gated = true;
                    }
                    let fresh: Vec<_> = steps
                        .iter()
                        .filter(|s| {
                            !self.done.contains(&s.change.key()) && !self.failed.contains_key(&s.change.key())
                        })
                        .cloned()
                        .collect();
                    if fresh.is_empty() {
                        let all_done = steps.iter().all(|s| self.done.contains(&s.change.key()));
                        if !(all_done && self.look_again().await) {
                            return self.unfinished("changes were made and do not show");
                        }
                    } else {
                        let recorded = self.without_journal.is_none();
                        if let Some(end) = self.record_steps(&fresh, &verdict.why).await {
                            return end;
                        }
                        if recorded && self.without_journal.is_some() {
                            // Decided again, with marks on the resource in place of the record.
                            seen = Ok(Some(seen_now));
                            continue;
                        }
                        self.apply(fresh).await;
                    }
                }
            }
            seen = self.observe(depth).await;
        }
    }

    /// The room's futures are boxed: nested ones of the SDK's size overflow the compiler's depth limit.
    async fn observe(&self, depth: Depth) -> Result<Option<R::Observation>, Error> {
        Box::pin(R::observe(&self.clients, self.lead, depth, &self.engine.config.settings)).await
    }

    /// Reads what the journal knows of the subject; an urgent run does not wait long for it.
    async fn read_journal(&self) -> Result<(Vec<Record>, Found), Error> {
        let journal = &self.engine.journal;
        let (place, subject) = (&self.lead.place, &self.lead.subject);
        let both = futures_util::future::try_join(
            journal.history(R::NAME, place, subject),
            journal.exemptions(R::NAME, place, subject, clock::now()),
        );
        if R::URGENT && self.origin == Origin::Event {
            timeout(PATIENCE, both).await.unwrap_or_else(|_| Err(slow_journal()))
        } else {
            both.await
        }
    }

    /// The records of this cause.
    fn of_cause(&self) -> impl Iterator<Item = &Record> {
        self.history.iter().filter(|r| r.cause.key == self.lead.cause.key)
    }

    /// The newest record of this cause.
    fn latest(&self) -> Option<&Record> {
        self.of_cause().max_by_key(|r| r.attempt)
    }

    fn standing(&self) -> Standing {
        let latest = self.latest();
        Standing {
            begun: self.record.is_some() || latest.is_some_and(Record::is_unfinished),
            contained_before: self.of_cause().any(|r| r.outcome == Some(Outcome::Contained)),
            unrecorded: self.without_journal.is_some(),
            scoped: self.exemptions.valid.iter().filter(|e| e.scope.is_some()).cloned().collect(),
        }
    }

    fn keep_notes(&mut self, verdict: &Verdict<R::Change>) {
        for note in &verdict.notes {
            if !self.notes.contains(note) {
                self.notes.push(note.clone());
            }
        }
        if matches!(verdict.ruling, Ruling::Act(_)) && self.why.is_empty() {
            self.why.clone_from(&verdict.why);
        }
    }

    /// Asks the gate once, at the first plan of the run.
    fn gate(&mut self, seen: &R::Observation, verdict: &Verdict<R::Change>) -> Option<Ending> {
        let (pass, notes) =
            gate::judge(&self.engine.config, self.lead, seen.tags(), &self.exemptions, clock::now());
        self.notes.extend(notes);
        match pass {
            Pass::Own => {
                let why = "this is Tourniquet's own resource, which no function touches";
                Some(Ending { tell: true, ..Ending::new(Outcome::Ignored, why) })
            }
            Pass::Exempt(exemption) => {
                Some(Ending::new(Outcome::Exempt, format!("{}; {exemption}", verdict.why)))
            }
            Pass::Observe => {
                if let Ruling::Act(steps) = &verdict.ruling {
                    self.changes = steps.iter().map(|s| Recorded::of(&s.change)).collect();
                }
                Some(Ending::new(Outcome::Observed, verdict.why.clone()))
            }
            Pass::Go => None,
        }
    }

    /// Waits before another look; false when there were enough of them.
    async fn look_again(&mut self) -> bool {
        if self.looks >= LOOKS {
            return false;
        }
        clock::pause(FIRST_LOOK * 2_u32.pow(self.looks)).await;
        self.looks += 1;
        true
    }

    /// Whether any change was made for this cause, by this run or an earlier one of the same record.
    fn changed(&self) -> bool {
        !self.done.is_empty() || self.resumed
    }

    /// The end of a run that cannot prove containment.
    fn unfinished(&self, why: &str) -> Ending {
        let outcome = if self.changed() { Outcome::Partial } else { Outcome::Failed };
        let missing: Vec<String> = self.failed.iter().map(|(key, error)| format!("{key}: {error}")).collect();
        let kind = self.failed.values().next().map(Error::kind);
        let mut text = if self.why.is_empty() { why.to_owned() } else { self.why.clone() };
        if missing.is_empty() {
            text = if self.why.is_empty() { text } else { format!("{text}; {why}") };
        } else {
            text = format!("{text}; not done: {}", missing.join("; "));
        }
        Ending { error: kind, ..Ending::new(outcome, text) }
    }

    /// The end of a run that cannot read its subject.
    fn blind(&self, error: &Error) -> Ending {
        let mut end = Ending::failed(error, "the resource cannot be read");
        if self.changed() {
            end.outcome = Outcome::Partial;
        }
        end
    }
}

fn slow_journal() -> Error {
    Error::Aws {
        call: "dynamodb:Query",
        code: "Timeout".to_owned(),
        message: format!("no answer within {} s", PATIENCE.as_secs()),
        class: crate::error::Class::Unavailable,
    }
}
