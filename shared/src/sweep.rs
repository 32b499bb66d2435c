//! The scheduled run over everything: what events missed, what was not ended, and what must stay contained.
//!
//! First come the records to come back to, then what each account and region has. Subjects come page by page and are
//! worked on side by side, at most `concurrency` at once, so that memory does not grow with their number: only what is
//! to be told is kept. What cannot be read is reported and does not stop the rest. It stops in time before the deadline
//! and says so.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::time::Instant;

use crate::clock;
use crate::engine::{Engine, Invocation, Origin};
use crate::error::Error;
use crate::exemption::Draft;
use crate::journal::Record;
use crate::message::Message;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::report::Report;
use crate::room::Room;
use crate::run::{self, Ended, MARGIN, Untold};
use crate::subject::Lead;

/// How much time must be left for another subject to be begun.
const ENOUGH: Duration = Duration::from_secs(5);

/// One sweep at work.
struct Sweep<'a, R: Room> {
    engine: &'a Engine<R>,
    invocation: &'a Invocation,
    stop_at: Instant,
    looked_at: usize,
    skipped: usize,
    reports: Vec<Report>,
    untold: Vec<Untold>,
    /// Each subject is looked at once for each cause, also if the sweep came back to it before it found it.
    seen: BTreeSet<(Place, String, String)>,
}

pub(crate) async fn sweep<R: Room>(
    engine: &Engine<R>,
    invocation: &Invocation,
) -> Result<Vec<Report>, Error> {
    let home = engine.accounts.home();
    let watched = engine.journal.watched(R::NAME).await?;
    let mut sweep = Sweep {
        engine,
        invocation,
        stop_at: invocation.deadline - ENOUGH.max(MARGIN),
        looked_at: 0,
        skipped: 0,
        reports: Vec::new(),
        untold: Vec::new(),
        seen: BTreeSet::new(),
    };
    let accounts = std::iter::once(&home.account).chain(&engine.config.accounts);
    for account in accounts.collect::<BTreeSet<_>>() {
        let ours = watched.iter().filter(|record| record.place.account == *account);
        if let Err(error) = sweep.account(&Place::new(account, &home.region), ours.collect()).await {
            sweep.unread(&format!("account {account}"), &error);
        }
    }
    sweep.digest().await;
    Ok(sweep.end())
}

impl<R: Room> Sweep<'_, R> {
    async fn account(&mut self, home: &Place, watched: Vec<&Record>) -> Result<(), Error> {
        let engine = self.engine;
        let exemptions = engine.journal.exemptions(R::NAME, &home.account).await?;
        if R::COUNTS_ATTEMPTS {
            self.attempts(home).await?;
        }
        let again = stream::iter(watched.into_iter().map(Lead::of_record)).boxed();
        self.all(again, Origin::Watch, &exemptions).await;
        let clients = engine.accounts.clients(home).await?;
        let mut reached = Vec::new();
        for place in R::places(&clients, home, &engine.config).await? {
            match engine.accounts.clients(&place).await {
                Ok(clients) => reached.push((place, clients)),
                Err(error) => self.unread(&place.to_string(), &error),
            }
        }
        let kept =
            if R::KEEPS_BASELINE { engine.journal.kept(R::NAME, &home.account).await? } else { Vec::new() };
        let known = kept.iter().filter_map(|(place, subject)| R::known(place, subject).map(Ok));
        let known = stream::iter(known.collect::<Vec<_>>()).boxed();
        let pages = reached.iter().map(|(place, clients)| R::sweep(clients, place, &engine.config));
        self.all(stream::select_all(pages).chain(known).boxed(), Origin::Sweep, &exemptions).await;
        Ok(())
    }

    /// Runs every lead once, side by side.
    async fn all(
        &mut self,
        leads: BoxStream<'_, Result<Lead<R::Detail>, Error>>,
        origin: Origin,
        exemptions: &[Draft],
    ) {
        let (engine, invocation, stop_at) = (self.engine, self.invocation, self.stop_at);
        let mut seen = std::mem::take(&mut self.seen);
        let mut runs = leads
            .map(|lead| {
                let late = Instant::now() >= stop_at;
                let fresh = lead
                    .as_ref()
                    .map_or(true, |l| seen.insert((l.place.clone(), l.subject.clone(), l.cause.key.clone())));
                async move {
                    match lead {
                        _ if late => Looked::Late,
                        _ if !fresh => Looked::Twice,
                        Err(error) => Looked::Unread(error),
                        Ok(lead) => {
                            if let Err(error) = engine.check(&lead) {
                                return Looked::Unread(error);
                            }
                            let run = run::run(engine, &lead, invocation, origin, Some(exemptions));
                            Looked::Ended(Box::new(Box::pin(run).await))
                        }
                    }
                }
            })
            .buffer_unordered(engine.config.concurrency);
        while let Some(looked) = runs.next().await {
            match looked {
                Looked::Ended(ended) => self.keep(*ended),
                Looked::Unread(error) => self.unread("a page or a subject", &error),
                Looked::Late => self.skipped += 1,
                Looked::Twice => {}
            }
        }
        drop(runs);
        self.seen = seen;
    }

    fn keep(&mut self, ended: Ended) {
        self.looked_at += 1;
        self.untold.extend(ended.untold);
        // Of what a sweep found in order there may be thousands; the log has each of them.
        if self.reports.len() < KEPT || ended.report.outcome != Outcome::AlreadySafe {
            self.reports.push(ended.report);
        }
    }

    /// What could not be read: reported, and the rest goes on.
    fn unread(&mut self, what: &str, error: &Error) {
        self.failed(format!("{what} cannot be read: {error}"), error.kind());
    }

    fn failed(&mut self, why: String, kind: &str) {
        let mut report = Report::without_subject(R::NAME, self.engine.config.mode, Outcome::Failed, why);
        report.error = Some(kind.to_owned());
        report.log(clock::now());
        self.reports.push(report);
    }

    /// Tells people of the attacks that AWS refused since the last sweep.
    async fn attempts(&mut self, home: &Place) -> Result<(), Error> {
        let Some(attempts) = self.engine.journal.take_attempts(R::NAME, &home.account).await? else {
            return Ok(());
        };
        let why = format!("{} refused since the last sweep; the last: {}", attempts.count, attempts.last);
        let mut report = Report {
            account: Some(home.account.clone()),
            ..Report::without_subject(R::NAME, self.engine.config.mode, Outcome::Ignored, why)
        };
        if let Err(error) = self.engine.publish(&report).await {
            report.notes.push(format!("people were not told: {error}"));
        }
        report.log(clock::now());
        self.reports.push(report);
        Ok(())
    }

    /// Tells people in one message, or as few as fit, and notes it in the records.
    async fn digest(&mut self) {
        let untold = std::mem::take(&mut self.untold);
        let reports: Vec<&Report> = untold.iter().map(|untold| &untold.report).collect();
        let mut told = 0;
        for (message, count) in Message::digest(&reports, self.engine.config.report_format) {
            if let Err(error) = self.engine.send(message).await {
                let left = untold.len() - told;
                let why = format!("people were not told of {left} subjects, which come again: {error}");
                return self.failed(why, error.kind());
            }
            for Untold { report, record, announces } in untold.iter().skip(told).take(count) {
                let mut record = record.clone();
                record.tell(report.outcome, *announces && self.engine.tells(), clock::now());
                record.watched = R::WATCHES && report.outcome == Outcome::Contained;
                if let Err(error) = self.engine.journal.save(&mut record).await {
                    let why = format!("{}: it is not on record that people were told: {error}", record.id());
                    self.failed(why, error.kind());
                }
            }
            told += count;
        }
    }

    fn end(mut self) -> Vec<Report> {
        if self.skipped > 0 {
            let why = format!("the sweep ran out of time; {} subjects were not looked at", self.skipped);
            let report = Report::without_subject(R::NAME, self.engine.config.mode, Outcome::Partial, why);
            report.log(clock::now());
            self.reports.push(report);
        }
        tracing::info!(function = R::NAME, subjects = self.looked_at, "heartbeat: sweep ended");
        self.reports
    }
}

/// How many reports of subjects in order a sweep keeps for its answer.
const KEPT: usize = 100;

enum Looked {
    Ended(Box<Ended>),
    Unread(Error),
    Late,
    Twice,
}
