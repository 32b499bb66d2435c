//! Every function behind one interface, so that a command is written once for all of them.

use std::path::Path;

use async_trait::async_trait;
use aws_types::SdkConfig;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tourniquet::error::Error;
use tourniquet::event::from_value;
use tourniquet::exemption::{self, Draft};
use tourniquet::gate::{self, Pass};
use tourniquet::journal::History;
use tourniquet::plan::Recorded;
use tourniquet::settings::Mode;
use tourniquet::{
    Config, Consent, Depth, Event, Lead, Observation, Reverted, Room, Ruling, Standing, Subjects, clock,
};

use crate::failure::Failure;
use crate::rooms;

/// What a function would do about a subject now.
#[derive(Clone, Debug, Serialize)]
pub struct Look {
    /// In one word: `act`, `announce`, `wait`, an outcome such as `already-safe`, or `exempt` and `ignored` from the gate.
    pub verdict: &'static str,
    /// Why, in one sentence.
    pub why: String,
    /// What people would be told besides.
    pub notes: Vec<String>,
    /// The changes that it would make, in their order.
    pub plan: Vec<Recorded>,
}

/// What every configuration says.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The account that the function runs in.
    pub account: String,
    /// The other accounts whose events it answers.
    pub accounts: Vec<String>,
    /// The name of its role in those.
    pub member_role: String,
    /// The ARN by which it knows its own changes.
    pub own_role: Option<String>,
    /// The journal's table.
    pub journal_table: String,
    /// The ARN of the topic for its messages.
    pub report_topic: Option<String>,
    /// How many records may begin to change something in an hour and account.
    pub changes_per_hour: u32,
    /// Whether it answers events without the journal, and keeps a part of the limit for who has taken none of it.
    pub urgent: bool,
}

impl Facts {
    /// Whether events about, or from, an account are answered.
    #[must_use]
    pub fn allows(&self, account: &str) -> bool {
        self.account == account || self.accounts.iter().any(|one| one == account)
    }
}

/// A function, without its types.
#[async_trait]
pub trait Function: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Whether it is told to change anything.
    fn mode(&self) -> Mode;
    /// What its configuration says besides the room's own settings.
    fn facts(&self) -> Facts;
    /// Which resources an event names.
    fn subjects(&self, event: &Event) -> Result<Subjects<Value>, Error>;
    /// Why the event alone shows that the function would act, if it does.
    fn proven(&self, event: &Event, lead: &Lead<Value>) -> Option<String>;
    /// The leads that a lead stands for, where only AWS knows them.
    async fn resolve(&self, sdk: &SdkConfig, lead: &Lead<Value>) -> Result<Vec<Lead<Value>>, Error>;
    /// Observes and decides, and changes nothing. `exemptions` are those of the function in the lead's account, `history` is what
    /// the journal knows of the subject.
    async fn look(
        &self,
        sdk: &SdkConfig,
        lead: &Lead<Value>,
        exemptions: &[Draft],
        history: &History,
    ) -> Result<Look, Error>;
    /// Takes one recorded change back, as far as a human agreed.
    async fn revert(
        &self,
        sdk: &SdkConfig,
        lead: &Lead<Value>,
        change: &Value,
        consent: Consent,
    ) -> Result<Reverted, Error>;
    /// Whether an exemption of its subject has to hold in every region: [`Room::NAMES_ARE_GLOBAL`].
    fn names_are_global(&self) -> bool;
    /// The exemptions without which the function would make this change again, by their scopes; `None` is the whole subject.
    fn scopes(&self, lead: &Lead<Value>, change: &Value) -> Result<Vec<Option<String>>, Error>;
}

/// Every function, in the order of the names. `config` gives the configuration of each as JSON, or nothing for the default one.
pub fn all(config: impl Fn(&str) -> Option<String>) -> Result<Vec<Box<dyn Function>>, Error> {
    Ok(vec![
        of::<block_public_bucket::BlockPublicBucket>(&config)?,
        of::<disable_old_keys::DisableOldKeys>(&config)?,
        of::<restore_trail::RestoreTrail>(&config)?,
        of::<revoke_open_ingress::RevokeOpenIngress>(&config)?,
        of::<stop_instance::StopInstance>(&config)?,
    ])
}

/// What `--config` names: a JSON object with the configuration of each function by its name.
pub fn configurations(path: &Path) -> Result<Map<String, Value>, Failure> {
    let wrong = |problem: String| Failure::Usage(format!("--config {}: {problem}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    let all: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|e| wrong(format!("expected an object with a configuration for each function: {e}")))?;
    match all.keys().find(|name| rooms::ALL.iter().all(|room| room.name != name.as_str())) {
        Some(name) => Err(wrong(format!("there is no function {name:?}"))),
        None => Ok(all),
    }
}

/// One function with its configuration as JSON, or with the default one.
pub fn one(name: &str, config: Option<&str>) -> Result<Box<dyn Function>, Failure> {
    let all = all(|other| config.filter(|_| other == name).map(str::to_owned))?;
    let found = all.into_iter().find(|function| function.name() == name);
    found.ok_or_else(|| Failure::Usage(format!("there is no function {name:?}")))
}

/// The configuration of a function of which nothing is known: all settings at their defaults. The account is nobody's; a
/// function acts in the event's.
fn unknown() -> String {
    json!({"account": "000000000000"}).to_string()
}

fn of<R: Room>(config: &impl Fn(&str) -> Option<String>) -> Result<Box<dyn Function>, Error> {
    let raw = config(R::NAME).unwrap_or_else(unknown);
    let config = Config::parse(&raw).map_err(|error| match error {
        Error::Settings { key, problem } => Error::Settings { key: format!("{}: {key}", R::NAME), problem },
        other => other,
    })?;
    Ok(Box::new(Of::<R> { config }))
}

struct Of<R: Room> {
    config: Config<R::Settings>,
}

impl<R: Room> Of<R> {
    fn typed(lead: &Lead<Value>) -> Result<Lead<R::Detail>, Error> {
        Ok(Lead {
            place: lead.place.clone(),
            subject: lead.subject.clone(),
            cause: lead.cause.clone(),
            actor: lead.actor.clone(),
            detail: from_value(lead.detail.clone(), "record.detail")?,
        })
    }

    fn change(change: &Value) -> Result<R::Change, Error> {
        from_value(change.clone(), "record.steps.change")
    }
}

fn plain<D: Serialize>(lead: Lead<D>) -> Lead<Value> {
    Lead {
        place: lead.place,
        subject: lead.subject,
        cause: lead.cause,
        actor: lead.actor,
        detail: serde_json::to_value(lead.detail).unwrap_or_default(),
    }
}

#[async_trait]
impl<R: Room> Function for Of<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn mode(&self) -> Mode {
        self.config.mode
    }

    fn facts(&self) -> Facts {
        let config = &self.config;
        Facts {
            account: config.account.clone(),
            accounts: config.accounts.clone(),
            member_role: config.member_role(R::NAME),
            own_role: config.own_role.clone(),
            journal_table: config.journal_table.clone(),
            report_topic: config.report_topic.clone(),
            changes_per_hour: config.changes_per_hour,
            urgent: R::URGENT,
        }
    }

    fn subjects(&self, event: &Event) -> Result<Subjects<Value>, Error> {
        Ok(match R::subjects(event, &self.config)? {
            Subjects::Named(leads) => Subjects::Named(leads.into_iter().map(plain).collect()),
            Subjects::Attempted { account, why } => Subjects::Attempted { account, why },
            Subjects::Ignored { why } => Subjects::Ignored { why },
        })
    }

    fn proven(&self, event: &Event, lead: &Lead<Value>) -> Option<String> {
        R::proven(event, &Self::typed(lead).ok()?, &self.config.settings)
    }

    async fn resolve(&self, sdk: &SdkConfig, lead: &Lead<Value>) -> Result<Vec<Lead<Value>>, Error> {
        let leads = R::resolve(&R::clients(sdk), &Self::typed(lead)?, &self.config.settings).await?;
        Ok(leads.into_iter().map(plain).collect())
    }

    async fn look(
        &self,
        sdk: &SdkConfig,
        lead: &Lead<Value>,
        exemptions: &[Draft],
        history: &History,
    ) -> Result<Look, Error> {
        let lead = Self::typed(lead)?;
        let settings = &self.config.settings;
        let ended = |verdict, why: String| Look { verdict, why, notes: Vec::new(), plan: Vec::new() };
        let Some(seen) = R::observe(&R::clients(sdk), &lead, Depth::Full, settings).await? else {
            return Ok(ended("gone", format!("{} does not exist in {}", lead.subject, lead.place)));
        };
        let found = exemption::covering(exemptions, &lead.place, &lead.subject, clock::now());
        let standing = Standing::of(&lead.cause, &history.records, history.baseline.as_ref(), &found);
        let verdict = R::decide(&lead, &seen, settings, clock::now(), &standing);
        // What is only reported can be exempt too.
        let told = matches!(verdict.ruling, Ruling::Leave(outcome) if outcome.is_told() && !standing.begun);
        let (word, steps) = match verdict.ruling {
            Ruling::Safe => ("already-safe", Vec::new()),
            Ruling::Wait => ("wait", Vec::new()),
            Ruling::Leave(outcome) => (outcome.word(), Vec::new()),
            Ruling::Act(steps) => ("act", steps),
            Ruling::Announce(steps) => ("announce", steps),
        };
        let plan = steps.iter().map(|step| Recorded::of(&step.change)).collect();
        let mut look = Look { verdict: word, why: verdict.why, notes: verdict.notes, plan };
        if !steps.is_empty() || told {
            let (pass, notes) = gate::judge(&self.config, &lead, seen.tags(), &found, clock::now());
            look.notes.extend(notes);
            match pass {
                Pass::Own => {
                    look.verdict = "ignored";
                    "this is Tourniquet's own resource, which no function touches".clone_into(&mut look.why);
                }
                Pass::Exempt(exemption) => {
                    look.verdict = "exempt";
                    look.why = format!("{}; {exemption}", look.why);
                }
                Pass::Observe | Pass::Go => {}
            }
        }
        Ok(look)
    }

    async fn revert(
        &self,
        sdk: &SdkConfig,
        lead: &Lead<Value>,
        change: &Value,
        consent: Consent,
    ) -> Result<Reverted, Error> {
        R::revert(&R::clients(sdk), &Self::typed(lead)?, &Self::change(change)?, consent).await
    }

    fn names_are_global(&self) -> bool {
        R::NAMES_ARE_GLOBAL
    }

    fn scopes(&self, lead: &Lead<Value>, change: &Value) -> Result<Vec<Option<String>>, Error> {
        Ok(R::scopes(&Self::typed(lead)?, &Self::change(change)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rooms;

    #[test]
    fn every_room_is_a_function_here() {
        let names: Vec<&str> = all(|_| None).unwrap().iter().map(|f| f.name()).collect();
        assert_eq!(names, rooms::ALL.iter().map(|room| room.name).collect::<Vec<_>>());
    }

    #[test]
    fn a_wrong_configuration_names_the_function_and_the_key() {
        let wrong = |name: &str| (name == "stop-instance").then(|| r#"{"account":"1"}"#.to_owned());
        let error = all(wrong).map(drop).unwrap_err().to_string();
        assert!(error.contains("stop-instance: account: expected the twelve digits"), "{error}");
    }
}
