//! A function at work: its configuration, its clients, and what it does with one event.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::{future, stream};
use serde::Serialize;
use tokio::time::{Instant, timeout};

use crate::accounts::Accounts;
use crate::clock;
use crate::error::{Error, aws};
use crate::event::Event;
use crate::journal::{self, Journal};
use crate::message::Message;
use crate::outcome::Outcome;
use crate::place::is_region;
use crate::report::Report;
use crate::room::Room;
use crate::run;
use crate::sdk::{self, Sdk};
use crate::settings::Config;
use crate::subject::{Lead, Subjects};
use crate::sweep;

/// The longest that opening connections may add to a start.
const WARM: Duration = Duration::from_millis(500);

/// What Lambda says about one invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// Lambda's request id: the same for Lambda's own retries.
    pub id: String,
    /// When Lambda ends the process.
    pub deadline: Instant,
}

/// What asked for a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// An event.
    Event,
    /// A sweep that found the subject by itself.
    Sweep,
    /// A sweep that comes back to a record.
    Watch,
}

/// The answer to Lambda.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// One report for each subject.
    pub outcomes: Vec<Report>,
}

/// A function with its configuration and clients, kept for the life of the process.
#[derive(Debug)]
pub struct Engine<R: Room> {
    pub(crate) config: Config<R::Settings>,
    pub(crate) accounts: Accounts<R>,
    pub(crate) journal: Journal,
    sns: aws_sdk_sns::Client,
}

impl<R: Room> Engine<R> {
    /// Builds everything that the process keeps: nothing is built again in a warm start.
    pub fn new(config: Config<R::Settings>, region: &str) -> Result<Self, Error> {
        let sdk = Sdk::new(region, config.trust)?;
        let own = sdk::environment()?;
        let shared = sdk.config(region, own.clone());
        let journal = Journal::new(
            aws_sdk_dynamodb::Client::new(&shared),
            config.journal_table.clone(),
            config.record_days,
        );
        let sns = aws_sdk_sns::Client::new(&shared);
        let accounts = Accounts::new(sdk, own, region, &config);
        Ok(Self { config, accounts, journal, sns })
    }

    /// Opens the connections of the first look while Lambda does not throttle the process yet. Events are answered whatever
    /// becomes of it.
    pub async fn warm(&self) {
        let sdk = self.accounts.unsigned();
        let all = future::join(journal::warm(&sdk, &self.config.journal_table), R::warm(&sdk));
        // Who is not there by now may be out of reach: the first call says so with its name.
        if timeout(WARM, all).await.is_err() {
            tracing::info!("the connections were not all open in time");
        }
    }

    /// Answers one event. Every subject is worked on, whatever becomes of the others; then one that ended partial or
    /// failed makes the whole an error.
    pub async fn handle(&self, raw: &str, invocation: &Invocation) -> Result<Answer, Error> {
        let reports = self.reports(raw, invocation).await.inspect_err(|error| {
            let mut report =
                Report::without_subject(R::NAME, self.config.mode, Outcome::Failed, error.to_string());
            report.error = Some(error.kind().to_owned());
            report.log(clock::now());
        })?;
        let bad: Vec<&Report> = reports.iter().filter(|r| r.outcome.is_error()).collect();
        if bad.is_empty() {
            return Ok(Answer { outcomes: reports });
        }
        // Some of it is done: of a subject's changes, or of the subjects.
        let partial = bad.len() < reports.len() || bad.iter().any(|r| r.outcome == Outcome::Partial);
        let kind = if partial { "Partial" } else { "Failed" };
        let message = bad.iter().take(20).map(|r| r.sentence()).collect::<Vec<_>>().join("; ");
        Err(Error::Unfinished { kind, message })
    }

    async fn reports(&self, raw: &str, invocation: &Invocation) -> Result<Vec<Report>, Error> {
        let event = Event::parse(raw)?;
        if event.is_schedule() {
            return sweep::sweep(self, invocation).await;
        }
        match R::subjects(&event, &self.config)? {
            Subjects::Ignored { why } => {
                let report = Report::without_subject(R::NAME, self.config.mode, Outcome::Ignored, why);
                report.log(clock::now());
                Ok(vec![report])
            }
            Subjects::Attempted { account, why } => {
                if !self.config.allows(&account) {
                    return Err(Error::UnknownAccount { account, field: "owner of the resource" });
                }
                self.journal.count_attempt(R::NAME, &account, &why).await?;
                let report = Report::without_subject(R::NAME, self.config.mode, Outcome::Ignored, why);
                report.log(clock::now());
                Ok(vec![report])
            }
            Subjects::Named(leads) => {
                if let Some(account) = event.account()
                    && !self.config.allows(account)
                {
                    return Err(Error::UnknownAccount {
                        account: account.to_owned(),
                        field: "account of the envelope",
                    });
                }
                for lead in &leads {
                    self.check(lead)?;
                }
                let (leads, mut reports) = self.resolve(leads).await?;
                let runs = leads.iter().map(|lead| {
                    Box::pin(async { run::run(self, lead, invocation, Origin::Event, None).await.report })
                });
                let mut runs = stream::iter(runs).buffer_unordered(self.config.concurrency);
                while let Some(report) = runs.next().await {
                    reports.push(report);
                }
                Ok(reports)
            }
        }
    }

    /// The leads that the leads of an event stand for, and the reports of those that stand for none or cannot be resolved.
    async fn resolve(
        &self,
        leads: Vec<Lead<R::Detail>>,
    ) -> Result<(Vec<Lead<R::Detail>>, Vec<Report>), Error> {
        let (mut resolved, mut reports) = (Vec::new(), Vec::new());
        for lead in leads {
            let Ok(clients) = self.accounts.clients(&lead.place).await else {
                // Its run meets the same refusal, and tells people.
                resolved.push(lead);
                continue;
            };
            match Box::pin(R::resolve(&clients, &lead, &self.config.settings)).await {
                Ok(meant) if meant.is_empty() => {
                    let why = format!("nothing in {} uses {}", lead.place, lead.subject);
                    let report = Report::without_subject(R::NAME, self.config.mode, Outcome::Ignored, why);
                    report.log(clock::now());
                    reports.push(report);
                }
                Ok(meant) => resolved.extend(meant),
                Err(error) => {
                    let what = format!("what uses {} cannot be read", lead.subject);
                    reports.push(run::unreachable(self, &lead, &what, &error).await);
                }
            }
        }
        for lead in &resolved {
            self.check(lead)?;
        }
        Ok((resolved, reports))
    }

    /// Refuses a lead into an account that is not ours, or to something that is no region.
    pub(crate) fn check(&self, lead: &Lead<R::Detail>) -> Result<(), Error> {
        let place = &lead.place;
        if !is_region(&place.region) {
            return Err(Error::event("region", format!("{:?} is not the code of a region", place.region)));
        }
        if !self.config.allows(&place.account) {
            return Err(Error::UnknownAccount {
                account: place.account.clone(),
                field: "owner of the resource",
            });
        }
        Ok(())
    }

    /// Sends a report to people; without a topic the log line is all there is.
    pub(crate) async fn publish(&self, report: &Report) -> Result<(), Error> {
        self.send(Message::of(report, self.config.report_format)).await
    }

    /// Whether there is anybody to tell.
    pub(crate) fn tells(&self) -> bool {
        self.config.report_topic.is_some()
    }

    pub(crate) async fn send(&self, message: Message) -> Result<(), Error> {
        let Some(topic) = &self.config.report_topic else { return Ok(()) };
        self.sns
            .publish()
            .topic_arn(topic)
            .subject(message.subject)
            .message(message.body)
            .send()
            .await
            .map(|_| ())
            .map_err(|e| aws("sns:Publish", e))
    }
}
