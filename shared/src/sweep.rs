//! The scheduled run over everything: what events missed, and what must stay contained.
//!
//! Subjects come page by page and are worked on side by side, at most `concurrency` at once, so that memory does not
//! grow with their number. It stops in time before the deadline and says so.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;

use crate::clock;
use crate::engine::{Engine, Invocation, Origin};
use crate::error::Error;
use crate::outcome::Outcome;
use crate::report::Report;
use crate::room::Room;
use crate::run::{self, MARGIN};

/// How much time must be left for another subject to be begun.
const ENOUGH: Duration = Duration::from_secs(5);

pub(crate) async fn sweep<R: Room>(
    engine: &Engine<R>,
    invocation: &Invocation,
) -> Result<Vec<Report>, Error> {
    let home = engine.accounts.home().clone();
    let watched = if R::WATCHES { engine.journal.watched(R::NAME).await? } else { Vec::new() };
    let clients = engine.accounts.clients(&home).await?;
    let stop_at = invocation.deadline - ENOUGH.max(MARGIN);
    let mut seen = BTreeSet::new();
    let mut skipped = 0_usize;
    let mut reports = Vec::new();
    {
        let leads = R::sweep(&clients, &home, &engine.config, watched);
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
                        Err(error) => Looked::Report(Box::new(unread(engine, &error))),
                        Ok(lead) => match engine.check(&lead) {
                            Err(error) => Looked::Report(Box::new(unread(engine, &error))),
                            Ok(()) => Looked::Report(Box::new(
                                Box::pin(run::run(engine, &lead, invocation, Origin::Sweep)).await,
                            )),
                        },
                    }
                }
            })
            .buffer_unordered(engine.config.concurrency);
        while let Some(looked) = runs.next().await {
            match looked {
                Looked::Report(report) => reports.push(*report),
                Looked::Late => skipped += 1,
                Looked::Twice => {}
            }
        }
    }
    if skipped > 0 {
        let why = format!("the sweep ran out of time; {skipped} subjects were not looked at");
        let report = Report::without_subject(R::NAME, engine.config.mode, Outcome::Partial, why);
        report.log(clock::now());
        reports.push(report);
    }
    let done = reports.len();
    tracing::info!(function = R::NAME, subjects = done, "heartbeat: sweep ended");
    Ok(reports)
}

enum Looked {
    Report(Box<Report>),
    Late,
    Twice,
}

/// The report of a subject, or a page of them, that could not be read.
fn unread<R: Room>(engine: &Engine<R>, error: &Error) -> Report {
    let mut report = Report::without_subject(R::NAME, engine.config.mode, Outcome::Failed, error.to_string());
    report.error = Some(error.kind().to_owned());
    report.log(clock::now());
    report
}
