//! The end of a run: people are told, the record is closed, the log line is written.

use super::{Ended, Ending, Run, Untold};
use crate::clock;
use crate::engine::{Engine, Origin};
use crate::error::Error;
use crate::journal::{Held, Kept, Record, undo_command};
use crate::outcome::Outcome;
use crate::plan::Recorded;
use crate::report::Report;
use crate::room::Room;
use crate::subject::Lead;

/// How often an actor brings the harm back within a day before the report calls it a fight.
const FIGHT: usize = 3;

impl<R: Room> Run<'_, R> {
    /// Nothing is left to do: by our changes, by those of an interrupted run, or all along.
    pub(super) async fn safe(&mut self, seen: &R::Observation, why: String) -> Ending {
        if self.without_journal.is_some() && !self.done.is_empty() {
            return Ending::new(Outcome::Contained, self.why.clone());
        }
        if self.record.is_some() {
            return Ending::new(Outcome::Contained, self.why.clone());
        }
        if let Some(end) = self.end_unfinished(Outcome::Contained).await {
            return end;
        }
        let recovered = if self.latest().is_none() { R::recover(self.lead, seen) } else { Vec::new() };
        if recovered.is_empty() {
            return Ending::new(Outcome::AlreadySafe, why);
        }
        let what = self.lead.cause.what.clone();
        let (mut record, prior) = self.draft(&what);
        record.add_steps(recovered);
        record.counted = true;
        self.notes.push("contained while the journal could not be reached; this record was made from the marks on the resource, and the log of that run has the full one".to_owned());
        self.adopt(record, prior, Outcome::Contained, what).await
    }

    /// The room leaves the subject, or it is gone; what an interrupted run left open ends with it.
    pub(super) async fn left(&mut self, outcome: Outcome, why: &str) -> Ending {
        if outcome == Outcome::Gone
            && self.record.is_none()
            && let Some(end) = self.end_unfinished(outcome).await
        {
            return end;
        }
        Ending::new(outcome, why)
    }

    /// Ends the record that an interrupted run of this cause left, if there is one.
    async fn end_unfinished(&mut self, outcome: Outcome) -> Option<Ending> {
        let why = self.latest().filter(|r| r.is_unfinished())?.why.clone();
        let (record, prior) = self.draft(&why);
        Some(self.adopt(record, prior, outcome, why).await)
    }

    /// Takes a record that another run left, and closes it as what is seen.
    async fn adopt(&mut self, record: Record, prior: Option<u64>, outcome: Outcome, why: String) -> Ending {
        self.keep_changes(&record.steps);
        match self.engine.journal.begin(&record, prior, None).await {
            Ok(crate::journal::Begin::Ours) => {
                self.record = Some(record);
                self.resumed = true;
                Ending::new(outcome, why)
            }
            Ok(_) => Ending::new(Outcome::AlreadySafe, "another delivery ends the record"),
            Err(error) => Ending::failed(&error, "contained, but the record cannot be closed"),
        }
    }

    /// Whether an event reported harm that nobody has answered: then what is there now may be that harm.
    fn is_suspect(&self) -> bool {
        let open = [Outcome::Observed, Outcome::Partial, Outcome::Failed, Outcome::Held].map(Some);
        self.history.iter().any(|r| r.cause.key != self.lead.cause.key && open.contains(&r.outcome))
    }

    /// Ends the run: message, record, log line.
    pub(super) async fn close(mut self, end: Ending) -> Ended {
        let mut report = self.report(&end);
        let mut untold = None;
        if let Some(error) = self.without_journal.clone() {
            self.close_without_journal(&mut report, &error).await;
        } else {
            untold = self.close_with_journal(&mut report, &end).await;
            self.keep_baseline(&mut report).await;
        }
        report.log(clock::now());
        Ended { report, untold }
    }

    /// Keeps what the subject is like, for the rooms that come back to it. A run that had to change something has just
    /// seen that the subject was not healthy.
    async fn keep_baseline(&self, report: &mut Report) {
        let swept = self.origin != Origin::Event && !self.changed();
        let Some(fit) = self.fit.as_ref().filter(|_| swept) else { return };
        let Ok(baseline) = serde_json::to_value(fit) else { return };
        let old = self.baseline.as_ref();
        if old.is_none() && report.outcome != Outcome::Exempt && self.is_suspect() {
            report
                .notes
                .push("no baseline was taken: what an event reported has not been put right".to_owned());
            return;
        }
        if old.is_some_and(|kept| kept.baseline == baseline) {
            return;
        }
        let new = Kept { baseline, taken: clock::now(), why: report.why.clone() };
        let Lead { place, subject, .. } = self.lead;
        match self.engine.journal.keep(R::NAME, place, subject, &new, old).await {
            Ok(()) => report.notes.push("its settings of now are the baseline to come back to".to_owned()),
            Err(error) => self.broken(report, &error, "the baseline was not kept"),
        }
    }

    async fn close_without_journal(&mut self, report: &mut Report, error: &Error) {
        report.notes.push(format!(
            "the journal could not be reached ({error}): exemptions in it were not asked, the change limit was not \
             taken, and this line is the only full record until the retry brings the journal up to date"
        ));
        if !self.done.is_empty() || report.outcome.is_error() {
            report.outcome = if self.done.is_empty() { Outcome::Failed } else { Outcome::Partial };
            report.error = Some(error.kind().to_owned());
            report.why = format!("{}; the journal could not be reached", report.why);
        } else {
            report.outcome = Outcome::Failed;
            report.error = Some(error.kind().to_owned());
        }
        if let Err(error) = self.engine.publish(report).await {
            report.notes.push(format!("people were not told: {error}"));
        }
    }

    /// Gives back the record if people are to be told of it later, in a digest.
    async fn close_with_journal(&mut self, report: &mut Report, end: &Ending) -> Option<Untold> {
        let tell = end.tell;
        let filed = if self.record.is_some() { Ok(()) } else { self.file(report, tell).await };
        if let Err(error) = filed {
            self.broken(report, &error, "the outcome is not on record");
        }
        let later = R::DIGEST && self.origin != Origin::Event;
        let must_tell = self.must_tell(report, end).await;
        if must_tell && !later {
            match self.engine.publish(report).await {
                Ok(()) => {
                    if let Some(record) = self.record.as_mut() {
                        record.tell(report.outcome, end.announces && self.engine.tells(), clock::now());
                    }
                }
                Err(error) => self.broken(report, &error, "people were not told"),
            }
        }
        if report.outcome == Outcome::Gone && self.record.is_none() {
            self.unwatch().await;
        }
        let Some(mut record) = self.record.take() else { return self.owed() };
        record.outcome = Some(report.outcome);
        record.finished = Some(clock::now());
        record.contained_ms = record.contained_ms.or_else(|| self.contained_after(&record, report));
        // An exemption ends; then the sweep looks again at what was contained before it.
        let was_watched = self.of_cause().any(|r| r.watched);
        record.watched = match report.outcome {
            Outcome::Contained => R::WATCHES,
            Outcome::Gone => false,
            _ => record.watched || was_watched,
        };
        // Nothing else comes back to it, if the digest does not reach people.
        record.watched |= must_tell && later && report.outcome == Outcome::Contained;
        record.notes.clone_from(&report.notes);
        record.why.clone_from(&report.why);
        report.record = Some(record.id());
        let saved = self.engine.journal.save(&mut record).await;
        self.record = Some(record.clone());
        match saved {
            Ok(()) => self.unwatch().await,
            Err(error) => {
                self.broken(report, &error, "the outcome is not on record");
                // A digest saves the record once more, with what it told: the next sweep then ends it and tells that too.
                record.outcome = Some(report.outcome);
            }
        }
        let report = report.clone();
        (must_tell && later).then_some(Untold { report, record, announces: end.announces })
    }

    /// How long containment took for the record: of one that an interrupted run left, with the time since that began.
    fn contained_after(&self, record: &Record, report: &Report) -> Option<u64> {
        let at = self.contained_at.filter(|_| self.resumed);
        at.map_or(report.contained_ms, |at| {
            let since_start = clock::now().duration_since(record.started).as_millis();
            u64::try_from(since_start).ok()?.checked_sub(u64::try_from(at.elapsed().as_millis()).ok()?)
        })
    }

    /// The record whose digest did not reach people, when a sweep comes back to it.
    fn owed(&self) -> Option<Untold> {
        let owes = |r: &&Record| r.outcome == Some(Outcome::Contained) && r.told != r.outcome;
        let record =
            self.latest().filter(|_| R::DIGEST && self.origin == Origin::Watch).filter(owes)?.clone();
        Some(Untold { report: self.report_of(&record), record, announces: false })
    }

    fn report_of(&self, record: &Record) -> Report {
        let end = Ending::new(record.outcome.unwrap_or(Outcome::Partial), record.why.clone());
        let id = record.id();
        Report {
            changes: record.steps.clone(),
            notes: record.notes.clone(),
            undo: Some(undo_command(&id)),
            record: Some(id),
            ..self.report(&end)
        }
    }

    /// Something after the containment failed: the containment stands, and the run is an error all the same.
    fn broken(&self, report: &mut Report, error: &Error, what: &str) {
        report.notes.push(format!("{what}: {error}"));
        if !report.outcome.is_error() {
            report.why = format!("{}; {what}: {error}", report.why);
            report.outcome = if self.changed() { Outcome::Partial } else { Outcome::Failed };
            report.error = Some(error.kind().to_owned());
        }
    }

    /// Puts an outcome on record that came without changes, so that people are told once and not at every delivery.
    async fn file(&mut self, report: &Report, tell: bool) -> Result<(), Error> {
        if !(report.outcome.is_told() || tell) {
            return Ok(());
        }
        if let Some(latest) = self.latest()
            && latest.says_the_same(report)
        {
            self.told_before = latest.told == latest.outcome;
            if self.told_before {
                return Ok(());
            }
        }
        if self.is_held() {
            // Whoever is at it says how it ends.
            return Ok(());
        }
        let (mut record, prior) = self.draft(&report.why);
        record.told = None;
        record.add_steps(report.changes.clone());
        if self.engine.journal.begin(&record, prior, None).await? == crate::journal::Begin::Ours {
            self.record = Some(record);
        }
        Ok(())
    }

    /// Whether this run tells people: once for each record and outcome, and once an hour for what one limit holds.
    async fn must_tell(&self, report: &Report, end: &Ending) -> bool {
        if self.told_before || !(report.outcome.is_told() || end.tell) {
            return false;
        }
        let Some(record) = &self.record else {
            // Another run tells it; but if the journal is broken nobody may, and twice is better than never.
            return report.outcome.is_error();
        };
        if record.told == Some(report.outcome) {
            return false;
        }
        let Some(ceiling) = end.ceiling.filter(|_| report.outcome == Outcome::Held) else { return true };
        matches!(self.engine.journal.tell_held(record, ceiling).await, Ok(Held::First) | Err(_))
    }

    /// The sweep need not come back to earlier records of this cause.
    async fn unwatch(&self) {
        let own = self.record.as_ref().map(Record::id);
        for stale in self.of_cause().filter(|r| r.watched) {
            if own.as_ref() != Some(&stale.id()) {
                let mut stale = stale.clone();
                stale.watched = false;
                if let Err(error) = self.engine.journal.save(&mut stale).await {
                    tracing::warn!(%error, record = stale.id(), "stays watched");
                }
            }
        }
    }

    fn report(&self, end: &Ending) -> Report {
        let millis = |d: std::time::Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        let mut notes = self.notes.clone();
        if end.outcome == Outcome::Contained {
            // A step can fail and its effect be there all the same; one that only leaves marks is not looked for.
            notes.extend(self.failed.iter().map(|(key, error)| format!("the step {key} failed: {error}")));
        }
        let shows_changes = !matches!(end.outcome, Outcome::AlreadySafe | Outcome::Ignored | Outcome::Gone);
        let changes: Vec<Recorded> = if shows_changes { self.changes.clone() } else { Vec::new() };
        let has_record = self.record.is_some() || end.outcome.is_told();
        let record = has_record.then(|| self.record_id());
        let can_undo = matches!(end.outcome, Outcome::Contained | Outcome::Partial) && !changes.is_empty();
        Report {
            account: Some(self.lead.place.account.clone()),
            region: Some(self.lead.place.region.clone()),
            subject: Some(self.lead.subject.clone()),
            cause: Some(self.lead.cause.what.clone()),
            actor: Some(self.lead.actor.clone()),
            changes,
            notes,
            fight: end.outcome == Outcome::Contained && self.is_fight(),
            undo: record.as_deref().filter(|_| can_undo).map(undo_command),
            record,
            error: end.error.map(str::to_owned),
            contained_ms: self.contained_at.map(|at| millis(at - self.started)),
            duration_ms: millis(self.started.elapsed()),
            ..Report::without_subject(R::NAME, self.engine.config.mode, end.outcome, end.why.clone())
        }
    }

    fn is_fight(&self) -> bool {
        let own = self.record.as_ref().map(Record::id);
        let earlier = self.history.iter().filter(|r| {
            r.is_contained()
                && r.actor.is(&self.lead.actor)
                && Some(r.id()) != own
                && clock::now().duration_since(r.started).as_hours() < 24
        });
        earlier.count() + 1 >= FIGHT
    }
}

/// The report of a lead that cannot be looked at: its account cannot be entered, or what it stands for cannot be read.
pub(crate) async fn unreachable<R: Room>(
    engine: &Engine<R>,
    lead: &Lead<R::Detail>,
    what: &str,
    error: &Error,
) -> Report {
    let mut report = Report {
        account: Some(lead.place.account.clone()),
        region: Some(lead.place.region.clone()),
        subject: Some(lead.subject.clone()),
        cause: Some(lead.cause.what.clone()),
        actor: Some(lead.actor.clone()),
        error: Some(error.kind().to_owned()),
        ..Report::without_subject(R::NAME, engine.config.mode, Outcome::Failed, format!("{what}: {error}"))
    };
    if let Err(error) = engine.publish(&report).await {
        report.notes.push(format!("people were not told: {error}"));
    }
    report.log(clock::now());
    report
}
