//! What a function would do now: its own observation and decision on the live resource, under the operator's credentials.
//! Nothing is changed and nothing is recorded.

use std::path::Path;

use aws_types::SdkConfig;
use serde::Serialize;
use serde_json::{Map, Value};
use tourniquet::error::{Class, Error};
use tourniquet::exemption::Draft;
use tourniquet::journal::{History, Journal, Limit, key_of, limit_key};
use tourniquet::plan::Recorded;
use tourniquet::{Lead, Mode, clock};

use super::recorder::Calls;
use crate::aws::Aws;
use crate::failure::Failure;
use crate::functions::{self, Function, Look};

/// What a function would do about one subject.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", untagged)]
pub(super) enum Live {
    /// It was looked at.
    Seen {
        /// See [`Look::verdict`].
        verdict: &'static str,
        /// One sentence.
        why: String,
        /// What would come of it.
        then: String,
        /// What people would be told besides.
        notes: Vec<String>,
        /// The changes, each with before and after.
        plan: Vec<Recorded>,
        /// The calls that were made to see it.
        calls: Vec<String>,
    },
    /// It could not be.
    Failed {
        /// Why.
        error: String,
        /// The calls that were made.
        calls: Vec<String>,
    },
}

/// Configurations from a file, or those of the deployed functions.
pub(super) enum Source {
    File(Map<String, Value>),
    Deployed,
    Defaults,
}

impl Source {
    pub(super) fn file(path: &Path) -> Result<Self, Failure> {
        functions::configurations(path).map(Self::File)
    }

    /// The configuration of a function, and where it is from.
    pub(super) async fn of(
        &self,
        name: &str,
        aws: Option<&Aws>,
    ) -> Result<(Option<String>, String), Failure> {
        Ok(match (self, aws) {
            (Self::File(all), _) => match all.get(name) {
                Some(config) => (Some(config.to_string()), "from --config".to_owned()),
                None => (None, "the defaults: the file of --config does not name it".to_owned()),
            },
            (Self::Deployed, Some(aws)) => match crate::doctor::deployed::read(aws, name).await? {
                Some(function) => {
                    let config = crate::doctor::deployed::configuration(&function);
                    let missing = "the defaults: the deployed function has no TOURNIQUET_CONFIG".to_owned();
                    let from = config.as_ref().map_or(missing, |_| "of the deployed function".to_owned());
                    (config, from)
                }
                None => (None, format!("the defaults: {name} is not deployed in {}", aws.home)),
            },
            _ => (None, "the defaults".to_owned()),
        })
    }
}

/// AWS, the journal in it, and what was asked of it.
pub(super) struct Eyes {
    pub(super) aws: Aws,
    journal: Journal,
    calls: Calls,
}

impl Eyes {
    pub(super) fn new(aws: Aws) -> Self {
        let client = aws_sdk_dynamodb::Client::new(&aws.config());
        // How long records are kept matters only to who writes one.
        let journal = Journal::new(client, aws.journal().table, 1);
        Self { aws, journal, calls: Calls::record() }
    }

    /// The leads that a lead stands for, each with what the function would do about it. Of a function whose configuration is not
    /// known, nobody knows the accounts either.
    pub(super) async fn look(
        &self,
        function: &dyn Function,
        known: bool,
        lead: &Lead<Value>,
    ) -> Vec<(Lead<Value>, Live)> {
        let failed = |error: String| Live::Failed { error, calls: self.calls.take() };
        let facts = function.facts();
        if known && !facts.allows(&lead.place.account) {
            let error =
                Error::UnknownAccount { account: lead.place.account.clone(), field: "owner of the resource" };
            return vec![(lead.clone(), failed(error.to_string()))];
        }
        let sdk = match self.aws.at(&lead.place).await {
            Ok(sdk) => sdk,
            Err(failure) => return vec![(lead.clone(), failed(failure.to_string()))],
        };
        self.calls.take();
        let leads = match function.resolve(&sdk, lead).await {
            Ok(leads) => leads,
            Err(error) => return vec![(lead.clone(), failed(error.to_string()))],
        };
        if leads.is_empty() {
            let why = format!("nothing in {} uses {}", lead.place, lead.subject);
            let look = Look { verdict: "ignored", why, notes: Vec::new(), plan: Vec::new() };
            return vec![(lead.clone(), seen(function, look, self.calls.take()))];
        }
        let mut all = Vec::new();
        for lead in leads {
            let looked = self.one(function, &sdk, &lead).await;
            all.push((lead, looked.unwrap_or_else(|error| failed(error.to_string()))));
        }
        all
    }

    async fn one(&self, function: &dyn Function, sdk: &SdkConfig, lead: &Lead<Value>) -> Result<Live, Error> {
        // Those of `resolve`, which belong to the first subject.
        let mut calls = self.calls.take();
        let (history, exemptions, note) = self.journal(function, lead).await?;
        let held = self.held(function, lead).await?;
        self.calls.take();
        let mut look = function.look(sdk, lead, &exemptions, &history).await?;
        calls.extend(self.calls.take());
        look.notes.extend(note);
        if look.verdict == "act" {
            look.notes.extend(held);
        }
        Ok(seen(function, look, calls))
    }

    /// What the journal knows of a subject. Without a table, as before the first deployment, that is nothing.
    async fn journal(
        &self,
        function: &dyn Function,
        lead: &Lead<Value>,
    ) -> Result<(History, Vec<Draft>, Option<String>), Error> {
        let name = function.name();
        let both = futures_util::future::try_join(
            self.journal.history(name, &lead.place, &lead.subject),
            self.journal.exemptions(name, &lead.place.account),
        );
        match both.await {
            Ok((history, exemptions)) => Ok((history, exemptions, None)),
            Err(error) if error.class() == Some(Class::NotFound) => {
                let table = self.aws.journal().table;
                let note = format!(
                    "there is no journal {table} in {}: without it a function changes nothing",
                    self.aws.home
                );
                Ok((History::default(), Vec::new(), Some(note)))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the change limit of this hour would hold a plan back.
    async fn held(&self, function: &dyn Function, lead: &Lead<Value>) -> Result<Option<String>, Error> {
        let now = clock::now();
        let (partition, _) = limit_key(function.name(), &lead.place.account, now);
        let text = |item: &tourniquet::journal::Item, key: &str| {
            item.get(key).and_then(|v| v.as_s().or_else(|_| v.as_n()).ok()).cloned()
        };
        let items = match self.aws.journal().partition(&partition).await {
            Ok(items) => items,
            Err(error) if error.class() == Some(Class::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        let taken = |ceiling| {
            let key = key_of(ceiling, function.name(), &lead.place, &lead.subject, &lead.actor, now);
            let item = key.and_then(|(_, sort)| items.iter().find(|i| text(i, "sk").as_ref() == Some(&sort)));
            item.and_then(|item| text(item, "taken")?.parse::<u32>().ok()).unwrap_or(0)
        };
        let limit = Limit { changes: function.facts().changes_per_hour, urgent: function.facts().urgent };
        Ok(limit.reached(&lead.cause, taken).map(|ceiling| {
            let why = limit.says(ceiling, &lead.actor);
            format!("unless a record of it is open already, it would be held: {why}")
        }))
    }
}

fn seen(function: &dyn Function, look: Look, calls: Vec<String>) -> Live {
    let then = match (look.verdict, function.mode()) {
        ("act", Mode::Observe) => "in the mode observe it would record this plan and change nothing",
        ("act", Mode::Enforce) => "in the mode enforce it makes these changes, and looks again",
        ("announce", Mode::Observe) => "in the mode observe it would record this plan and announce nothing",
        ("announce", Mode::Enforce) => {
            "it tells people that these changes are to come, and changes nothing yet"
        }
        ("wait", _) => "it would look again shortly",
        _ => "it changes nothing",
    };
    let Look { verdict, why, notes, plan } = look;
    Live::Seen { verdict, why, then: then.to_owned(), notes, plan, calls }
}
