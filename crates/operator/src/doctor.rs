//! `tourniquet doctor`: is everything that Terraform deploys there, switched on and as this command's version has it.
//!
//! It reads and changes nothing. What it may not read is told as such, and is never taken for well.

mod check;
mod clients;
pub(crate) mod deployed;
mod function;
mod print;
mod queues;
mod role;
mod roles;
mod rules;
mod schedule;
mod shared;
mod statements;

use std::collections::BTreeSet;

use futures_util::StreamExt;
use futures_util::future::{join, join_all, join4};
use futures_util::stream;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tourniquet::Place;

use self::check::{APPLY, Check, State};
use self::clients::Clients;
use crate::aws::{Aws, Options};
use crate::failure::{Done, Failure};
use crate::functions::{Facts, Function};
use crate::rooms::{self, Room};

/// Looks whether each function is deployed, switched on and well, and says what to do if not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
It changes nothing. Member roles are read in each account of the configuration with the role that --member-role names. Ends \
with 5 if anything is not ok, be it that it could not be looked at.

With --json it prints one document: account, region, and `checks`, each with function (null: shared by all), about, state (ok, \
warning, problem, unseen), found and advice.

Examples:
  tourniquet doctor
  tourniquet doctor --function stop-instance --member-role security-audit
  tourniquet doctor --json | jq '.checks[] | select(.state != \"ok\")'")]
pub struct Args {
    /// Only this function. May be given again.
    #[arg(long, value_name = "NAME")]
    function: Vec<String>,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

/// `function.json`, as far as something is checked by it.
#[derive(Debug, Deserialize)]
struct Manifest {
    memory_mb: i32,
    timeout_s: i32,
    schedule: Option<String>,
}

/// A deployed function that is looked at.
struct Patient {
    room: &'static Room,
    manifest: Manifest,
    home: Place,
    /// What Terraform calls it and all that belongs to it.
    name: String,
    arn: String,
    /// The ARN of its role.
    role: String,
    /// Its configuration as it was deployed.
    config: Option<String>,
    /// The function with that configuration, if it can be read.
    function: Option<Box<dyn Function>>,
    /// When its code or its configuration was last changed.
    changed: Option<Timestamp>,
}

impl Patient {
    /// The other accounts whose events it answers.
    fn members(&self) -> Vec<String> {
        self.function.as_ref().map(|function| function.facts().accounts).unwrap_or_default()
    }

    /// The room's own settings, as they were deployed.
    fn settings(&self) -> Value {
        let config = self.config.as_ref().and_then(|text| serde_json::from_str::<Value>(text).ok());
        config.and_then(|mut config| config.get_mut("settings").map(Value::take)).unwrap_or_else(|| json!({}))
    }
}

/// Runs the command.
pub async fn run(args: &Args, options: &Options) -> Result<Done, Failure> {
    let rooms = rooms::chosen(&args.function)?;
    let aws = Aws::connect(options).await?;
    let clients = Clients::new(&aws);
    let each = join_all(rooms.into_iter().map(|room| Box::pin(one(room, &aws, &clients)))).await;
    let mut checks = Vec::new();
    let mut facts = Vec::new();
    for looked in each {
        let (of_one, one) = looked?;
        checks.extend(of_one);
        facts.extend(one);
    }
    checks.extend(common(&clients, &aws.journal().table, &facts).await);
    if args.json {
        print::json(&aws.home, &checks)?;
    } else {
        print::words(&aws.home, &checks);
    }
    let well = checks.iter().all(|check| check.state == State::Ok);
    Ok(if well { Done::Well } else { Done::Findings })
}

/// Everything about one function, and what its configuration says.
async fn one(
    room: &'static Room,
    aws: &Aws,
    clients: &Clients,
) -> Result<(Vec<Check>, Option<Facts>), Failure> {
    let manifest: Manifest = serde_json::from_str(room.function)
        .map_err(|e| Failure::Failed(format!("function.json of {}: {e}", room.name)))?;
    let name = format!("tourniquet-{}", room.name);
    let lambda = match deployed::read(aws, room.name).await {
        Ok(Some(lambda)) => lambda,
        Ok(None) => {
            let check = Check::warning(
                "function",
                format!("{name} is not deployed in {}", aws.home),
                "look whether --profile and --region are the right ones; else deploy it, or leave it out here with --function",
            );
            return Ok((vec![check.of(room.name)], None));
        }
        Err(error) => {
            let check = Check::refused("function", &error).of(room.name);
            return Ok((vec![check], None));
        }
    };
    let mut patient = Patient {
        room,
        manifest,
        home: aws.home.clone(),
        arn: lambda.function_arn().unwrap_or_default().to_owned(),
        role: lambda.role().unwrap_or_default().to_owned(),
        config: deployed::configuration(&lambda),
        function: None,
        // Lambda writes 2026-11-01T12:00:00.000+0000.
        changed: lambda.last_modified().and_then(|text| text.replace("+0000", "Z").parse().ok()),
        name,
    };
    let mut checks = vec![function::there(&lambda, &patient.manifest)];
    let (read, function) = function::configuration(&patient, &lambda);
    checks.extend(read);
    patient.function = function;
    let facts = patient.function.as_ref().map(|function| function.facts());
    let (own, members) = join(
        join4(
            function::concurrency(&patient, clients),
            rules::checks(&patient, clients),
            schedule::checks(&patient, clients),
            join(queues::checks(&patient, clients), roles::own(&patient, clients)),
        ),
        stream::iter(patient.members())
            .map(|account| {
                let (patient, account) = (&patient, account);
                async move { roles::member(patient, aws, &account).await }
            })
            .buffered(8)
            .concat(),
    )
    .await;
    let (concurrency, rules, schedule, (queues, role)) = own;
    checks.extend([concurrency, rules, schedule, queues, role, members].into_iter().flatten());
    Ok((checks.into_iter().map(|check| check.of(room.name)).collect(), facts))
}

/// What the functions share, by their configurations: each journal and each topic once.
async fn common(clients: &Clients, table: &str, facts: &[Facts]) -> Vec<Check> {
    let mut tables: BTreeSet<&str> = facts.iter().map(|facts| facts.journal_table.as_str()).collect();
    if tables.is_empty() {
        tables.insert(table);
    }
    let topics: BTreeSet<&str> = facts.iter().filter_map(|facts| facts.report_topic.as_deref()).collect();
    let (journals, told) = join(
        join_all(tables.iter().map(|table| shared::journal(clients, table))),
        join_all(topics.iter().map(|topic| shared::topic(clients, topic))),
    )
    .await;
    let mut checks: Vec<Check> = journals.into_iter().flatten().chain(told).collect();
    if facts.iter().any(|facts| facts.report_topic.is_none()) {
        checks.push(Check::problem(
            "topic",
            "a function has no `report_topic`: nobody is told what it does",
            APPLY,
        ));
    }
    checks
}
