//! One run: the loop that observes, decides, records, applies and looks again, for one subject.
//!
//! Verification is the same observation and the same decision once more: a subject is contained when, after our
//! changes, the decision finds nothing left to do. A run that was interrupted is gone on with from its record, whose
//! before-images are older than anything that can be read now.

mod apply;
mod close;
mod open;

pub(crate) use close::unreachable;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use crate::clock;
use crate::engine::{Engine, Invocation, Origin};
use crate::error::Error;
use crate::exemption::{self, Draft, Found};
use crate::gate::{self, Pass};
use crate::journal::{Ceiling, History, Kept, Record};
use crate::outcome::Outcome;
use crate::plan::{Change, Recorded, Step};
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
    /// Whether it announces changes that are to come.
    announces: bool,
    /// The limit that holds it back.
    ceiling: Option<Ceiling>,
}

impl Ending {
    fn new(outcome: Outcome, why: impl Into<String>) -> Self {
        Self { outcome, why: why.into(), error: None, tell: false, announces: false, ceiling: None }
    }

    /// Whether the subject is exempt, or Tourniquet's own.
    fn is_excused(&self) -> bool {
        matches!(self.outcome, Outcome::Exempt | Outcome::Ignored)
    }

    fn failed(error: &Error, context: &str) -> Self {
        let why = if context.is_empty() { error.to_string() } else { format!("{context}: {error}") };
        Self { error: Some(error.kind()), ..Self::new(Outcome::Failed, why) }
    }
}

/// What became of the attempt to put steps on record.
enum Stop {
    /// They are; apply them.
    No,
    /// Another run, or a human, wrote the record: what was seen and decided is old.
    LookAgain,
    End(Ending),
}

/// What one look brought.
type Seen<R> = Result<Option<<R as Room>::Observation>, Error>;

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
    baseline: Option<Kept>,
    /// What the live subject would be as a baseline.
    fit: Option<R::Baseline>,
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
    /// Whether it waited for another run or was refused its record: the exemptions that it knows are old.
    waited: bool,
    /// How often it was refused its record.
    refusals: u32,
}

/// The end of a run: its report, and its record if people are still to be told of it, in the digest of a sweep.
pub(crate) struct Ended {
    pub(crate) report: Report,
    pub(crate) untold: Option<Untold>,
}

/// A record that people are still to be told of.
pub(crate) struct Untold {
    pub(crate) report: Report,
    pub(crate) record: Record,
    pub(crate) announces: bool,
}

/// Runs one subject to its end; never fails, since every end is a report. A sweep has read the exemptions of the account
/// once for all its subjects.
pub(crate) async fn run<R: Room>(
    engine: &Engine<R>,
    lead: &Lead<R::Detail>,
    invocation: &Invocation,
    origin: Origin,
    exemptions: Option<&[Draft]>,
) -> Ended {
    let started = Instant::now();
    let clients = match engine.accounts.clients(&lead.place).await {
        Ok(clients) => clients,
        Err(error) => {
            let report = unreachable(engine, lead, "the account cannot be entered", &error).await;
            return Ended { report, untold: None };
        }
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
        baseline: None,
        fit: None,
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
        waited: false,
        refusals: 0,
    };
    let end = match timeout_at(invocation.deadline - MARGIN, Box::pin(run.go(exemptions))).await {
        Ok(end) => end,
        Err(_) => run.unfinished("the time of the invocation ran out"),
    };
    run.close(end).await
}

impl<R: Room> Run<'_, R> {
    async fn go(&mut self, exemptions: Option<&[Draft]>) -> Ending {
        // A sweep that may keep a baseline, of an exempt subject too, needs to have seen all of it.
        let swept = R::KEEPS_BASELINE && self.origin != Origin::Event;
        let whole = !R::CONTAINS_FIRST || swept || self.engine.config.mode == Mode::Observe;
        let mut depth = if whole { Depth::Full } else { Depth::Contain };
        let mut seen = match self.first_look(depth, exemptions).await {
            Ok(seen) => seen,
            Err(end) => return end,
        };
        let (mut gated, mut asked) = (false, false);
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
                Ruling::Leave(outcome) => return self.leave(outcome, &seen_now, &verdict).await,
                Ruling::Announce(ref steps) => {
                    if let Some(end) = self.gate(&seen_now, &verdict, steps) {
                        return end;
                    }
                    self.changes = steps.iter().map(|s| Recorded::of(&s.change)).collect();
                    let end = Ending::new(Outcome::Observed, verdict.why.clone());
                    return Ending { announces: true, ..end };
                }
                // Contained, or nothing to contain: now the rest.
                Ruling::Safe if depth == Depth::Contain => depth = Depth::Full,
                Ruling::Safe => {
                    self.fit = R::baseline(self.lead, &seen_now);
                    return self.safe(&seen_now, verdict.why).await;
                }
                Ruling::Wait => {
                    if !self.look_again().await {
                        return self.unfinished(&verdict.why);
                    }
                }
                Ruling::Act(ref steps) => {
                    if !gated {
                        if !asked && self.may_be_released() {
                            match self.ask_again().await {
                                Ok(false) => (seen, asked) = (Ok(Some(seen_now)), true),
                                Ok(true) => seen = self.observe(depth).await,
                                Err(end) => return end,
                            }
                            continue;
                        }
                        if let Some(end) = self.gate(&seen_now, &verdict, steps) {
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
                        if !all_done && depth == Depth::Contain {
                            // What cannot be contained as planned is no reason to leave the rest undone.
                            depth = Depth::Full;
                        } else if !(all_done && self.look_again().await) {
                            return self.unfinished("changes were made and do not show");
                        }
                    } else {
                        let recorded = self.without_journal.is_none();
                        match self.record_steps(&fresh, &verdict.why).await {
                            Stop::No => {}
                            Stop::End(end) => return end,
                            Stop::LookAgain => {
                                (gated, asked) = (false, false);
                                seen = self.observe(depth).await;
                                continue;
                            }
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

    /// Observes the subject and reads what the journal knows of it; an error is the run's end.
    async fn first_look(&mut self, depth: Depth, exemptions: Option<&[Draft]>) -> Result<Seen<R>, Ending> {
        let (mut seen, journal) = if self.origin == Origin::Sweep && !R::KEEPS_BASELINE {
            // Most subjects of a sweep are safe, and about those the journal has nothing to add: what was begun and not
            // ended is watched, and comes by itself.
            let seen = self.observe(depth).await;
            if let Some(end) = self.safe_at_sight(&seen, depth) {
                return Err(end);
            }
            (seen, self.read_journal(exemptions).await)
        } else {
            futures_util::future::join(self.observe(depth), self.read_journal(exemptions)).await
        };
        self.keep_journal(journal)?;
        // The journal is read beside the subject: what another delivery has just contained was looked at too early.
        if self.wait_for_other().await || self.just_contained() {
            seen = self.observe(depth).await;
        }
        Ok(seen)
    }

    /// Keeps what was read of the journal. An urgent answer goes on without it.
    fn keep_journal(&mut self, read: Result<(History, Found), Error>) -> Result<(), Ending> {
        match read {
            Ok((known, exemptions)) => {
                (self.history, self.baseline, self.exemptions) = (known.records, known.baseline, exemptions);
            }
            Err(error) if R::URGENT && self.origin == Origin::Event => self.without_journal = Some(error),
            Err(error) => {
                return Err(Ending::failed(&error, "the journal cannot be read, so nothing was changed"));
            }
        }
        Ok(())
    }

    /// Whether a human may be taking back, or have taken back, what was changed before: then what is seen may be theirs. A
    /// record that is gone on with needs no question, since an undo writes it.
    fn may_be_released(&self) -> bool {
        let continued = self.latest().filter(|r| r.is_continued()).map(Record::id);
        let earlier = |r: &Record| r.counted && Some(r.id()) != continued;
        self.without_journal.is_none() && (self.waited || self.history.iter().any(earlier))
    }

    /// Reads the journal after the subject was seen: an undo marks its record and writes its exemptions before it changes
    /// anything. True if another run was at it meanwhile, so that what was observed is old.
    async fn ask_again(&mut self) -> Result<bool, Ending> {
        let newest = |run: &Self| run.latest().map(|r| (r.attempt, r.version));
        let known = newest(self);
        let read = self.read_journal(None).await;
        self.keep_journal(read)?;
        Ok(self.wait_for_other().await || newest(self) != known)
    }

    /// Whether another run for the same cause contained the subject within the last minute.
    fn just_contained(&self) -> bool {
        let contained = self.of_cause().filter(|r| r.outcome == Some(Outcome::Contained));
        contained.filter_map(|r| r.finished).any(|at| clock::now().duration_since(at).as_mins() < 1)
    }

    /// The end of a run whose room leaves the subject. What is only reported can be exempt too.
    async fn leave(
        &mut self,
        outcome: Outcome,
        seen: &R::Observation,
        verdict: &Verdict<R::Change>,
    ) -> Ending {
        if outcome == Outcome::Exempt {
            self.fit = R::baseline(self.lead, seen);
        } else if outcome.is_told()
            && !self.changed()
            && let Some(end) = self.gate(seen, verdict, &[]).filter(Ending::is_excused)
        {
            return end;
        }
        self.left(outcome, &verdict.why).await
    }

    /// The room's futures are boxed: nested ones of the SDK's size overflow the compiler's depth limit.
    async fn observe(&self, depth: Depth) -> Seen<R> {
        Box::pin(R::observe(&self.clients, self.lead, depth, &self.engine.config.settings)).await
    }

    /// The end of a sweep's look at a subject that is safe, if it is.
    fn safe_at_sight(&self, seen: &Seen<R>, depth: Depth) -> Option<Ending> {
        let Ok(Some(seen)) = seen else { return None };
        let config = &self.engine.config;
        let verdict = R::decide(self.lead, seen, &config.settings, clock::now(), &Standing::default());
        (depth == Depth::Full && matches!(verdict.ruling, Ruling::Safe))
            .then(|| Ending::new(Outcome::AlreadySafe, verdict.why))
    }

    /// Reads what the journal knows of the subject, and its exemptions unless the sweep has; an urgent run does not wait
    /// long for it.
    async fn read_journal(&self, known: Option<&[Draft]>) -> Result<(History, Found), Error> {
        let journal = &self.engine.journal;
        let (place, subject) = (&self.lead.place, &self.lead.subject);
        let exemptions = async {
            let drafts = match known {
                Some(drafts) => Cow::Borrowed(drafts),
                None => Cow::Owned(journal.exemptions(R::NAME, &place.account).await?),
            };
            Ok(exemption::covering(&drafts, place, subject, clock::now()))
        };
        let both = futures_util::future::try_join(journal.history(R::NAME, place, subject), exemptions);
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

    fn standing(&self) -> Standing<R::Baseline> {
        let known = Standing::of(&self.lead.cause, &self.history, self.baseline.as_ref(), &self.exemptions);
        let known = Standing {
            unrecorded: self.without_journal.is_some(),
            failed: self.failed.keys().cloned().collect(),
            ..known
        };
        let Some(record) = &self.record else { return known };
        Standing { begun: true, planned: record.steps.clone(), ..known }
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
    fn gate(
        &mut self,
        seen: &R::Observation,
        verdict: &Verdict<R::Change>,
        steps: &[Step<R::Change>],
    ) -> Option<Ending> {
        let (pass, notes) =
            gate::judge(&self.engine.config, self.lead, seen.tags(), &self.exemptions, clock::now());
        self.notes.extend(notes);
        match pass {
            Pass::Own => {
                let why = "this is Tourniquet's own resource, which no function touches";
                Some(Ending { tell: true, ..Ending::new(Outcome::Ignored, why) })
            }
            Pass::Exempt(exemption) => {
                self.fit = R::baseline(self.lead, seen);
                Some(Ending::new(Outcome::Exempt, format!("{}; {exemption}", verdict.why)))
            }
            Pass::Observe => {
                self.changes = steps.iter().map(|s| Recorded::of(&s.change)).collect();
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
