//! Plays one scenario: an empty account, the deployment, what is there, the attack, the event, and a look at the result.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use serde_json::json;

use crate::account::Account;
use crate::blueprint::Blueprint;
use crate::call::{self, Call};
use crate::function::{Change, Failure, Function, Invocation, Report};
use crate::protocol;
use crate::proxy::Proxy;
use crate::scenario::Scenario;
use crate::secrets;
use crate::stage::Stage;
use crate::template::Names;
use crate::tools::Tools;
use crate::verify;

/// How scenarios are played.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Added to the time of every call that a function makes.
    pub latency: Duration,
}

impl Options {
    /// As within a region. Of calls that are made at once and answered at once, one may end before the other begins,
    /// and would count as a round trip more.
    pub const LATENCY_MS: u64 = 5;
}

impl Default for Options {
    fn default() -> Self {
        Self { latency: Duration::from_millis(Self::LATENCY_MS) }
    }
}

/// What was seen of one scenario.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Played {
    /// The scenario's name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What happened, sentence by sentence: the scenario's own lines, then what the attacker's steps say.
    pub story: Vec<String>,
    /// The function.
    pub function: String,
    /// How it ended.
    pub outcome: String,
    /// How it had to end.
    pub expected: String,
    /// Whether every promise was kept.
    pub passed: bool,
    /// The promises that were not.
    pub failures: Vec<String>,
    /// Milliseconds from the delivery to the end of the call that contained, the process's start included.
    pub contained_ms: Option<f64>,
    /// Which delivery that was, from 0.
    pub contained_delivery: Option<usize>,
    /// How many calls had begun by then.
    pub contained_calls: Option<usize>,
    /// The longest chain of calls, one after the other, until then.
    pub round_trips: Option<usize>,
    /// Calls in all.
    pub total_calls: usize,
    /// What was changed, or would be.
    pub changes: Vec<Change>,
    /// Why.
    pub why: String,
    /// What people must know besides.
    pub notes: Vec<String>,
    /// The record in the journal.
    pub record: Option<String>,
    /// The command that takes it back.
    pub undo: Option<String>,
    /// What people were told.
    pub messages: Vec<String>,
    /// The error that Lambda saw last.
    pub error: Option<Failure>,
    /// Every delivery of the event.
    pub deliveries: Vec<Delivery>,
    /// Every call, in the order of arrival.
    pub calls: Vec<Call>,
    /// The reports of the last delivery.
    pub reports: Vec<Report>,
    /// What the function wrote during the last delivery.
    pub log: Vec<String>,
    /// What it wrote during all of them.
    #[serde(skip)]
    pub written: Vec<String>,
}

/// One delivery, on the scale of the calls.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    /// Milliseconds after the proxy's start.
    pub started_ms: f64,
    /// Milliseconds after the proxy's start.
    pub ended_ms: f64,
    /// Whether the process was killed before it answered.
    pub killed: bool,
}

/// Plays a scenario with the function as its room's files say it is deployed; trouble of the drill itself is a failure of
/// the scenario too.
pub async fn play(tools: &Tools, account: &Account, scenario: &Scenario, options: Options) -> Played {
    let blueprint = Blueprint::draw(tools, account, &scenario.function, &scenario.config);
    play_upon(tools, account, scenario, blueprint, options).await
}

/// [`play`] with a function that is deployed as somebody else drew it.
pub async fn play_upon(
    tools: &Tools,
    account: &Account,
    scenario: &Scenario,
    blueprint: Result<Blueprint>,
    options: Options,
) -> Played {
    let mut played = Played {
        name: scenario.name.clone(),
        title: scenario.title.clone(),
        story: scenario.story.clone(),
        function: scenario.function.clone(),
        expected: scenario.expect.outcome.clone(),
        ..Played::default()
    };
    played.story.extend(scenario.attack.iter().filter_map(|step| step.say.clone()));
    let acted = match blueprint {
        Ok(blueprint) => act(tools, account, scenario, blueprint, options, &mut played).await,
        Err(error) => Err(error),
    };
    if let Err(error) = acted {
        "error".clone_into(&mut played.outcome);
        played.failures.push(format!("{error:#}"));
    }
    played.passed = played.failures.is_empty();
    played
}

async fn act(
    tools: &Tools,
    account: &Account,
    scenario: &Scenario,
    blueprint: Blueprint,
    options: Options,
    played: &mut Played,
) -> Result<()> {
    let stage = Stage::upon(tools, account, scenario, blueprint).await?;
    if stage.delivered {
        let proxy = stage.proxy(options.latency).await?;
        proxy.set_faults(scenario.faults.clone());
        let last = deliver(&stage, &proxy, scenario.deliveries, played).await?;
        played.calls = proxy.calls();
        ended(played, last);
        measure(played, &stage.deployment.manifest.contained_by);
    } else {
        "undelivered".clone_into(&mut played.outcome);
        "no trigger of the function matches the event".clone_into(&mut played.why);
    }
    played.messages = stage.deployment.messages(account).await?;
    played.failures = verify::broken(&scenario.expect, played);
    played.failures.extend(protocol::broken(&played.calls));
    played.failures.extend(leaks(&stage, played).await?);
    account.settle().await?;
    played.failures.extend(look(account, scenario, &stage.deployment.names).await?);
    Ok(())
}

/// Delivers the event as often as the scenario says, with a new process after one that was killed.
async fn deliver(stage: &Stage<'_>, proxy: &Proxy, times: usize, played: &mut Played) -> Result<Invocation> {
    let mut last = Invocation::default();
    let mut running: Option<Function> = None;
    let event = secrets::planted(&stage.event);
    for _ in 0..times {
        let function = match running.take() {
            Some(function) => function,
            None => stage.function(proxy).await?,
        };
        let started_ms = proxy.now_ms();
        last = function.invoke(&event).await?;
        played.written.append(&mut last.log.clone());
        played.deliveries.push(Delivery { started_ms, ended_ms: proxy.now_ms(), killed: last.killed });
        if last.killed {
            function.stop(stage.account).await?;
        } else {
            running = Some(function);
        }
    }
    if let Some(function) = running {
        function.stop(stage.account).await?;
    }
    Ok(last)
}

/// The secrets in what the function left behind: log, journal, messages, the page about it.
async fn leaks(stage: &Stage<'_>, played: &Played) -> Result<Vec<String>> {
    let journal = json!({"TableName": stage.deployment.names.text("${journal_table}")?});
    // Where a scenario deletes the journal, nothing is in it.
    let records = stage.account.call("dynamodb.scan", journal, "Items").await.unwrap_or_default().to_string();
    let page = crate::page::page(std::slice::from_ref(played), "").into_string();
    let error = played.error.as_ref().map(|error| error.error_message.as_str()).unwrap_or_default();
    let texts = [("record", records.as_str()), ("page", page.as_str()), ("error", error)].into_iter();
    let texts = texts.chain(played.written.iter().map(|line| ("log line", line.as_str())));
    let texts = texts.chain(played.messages.iter().map(|message| ("message", message.as_str())));
    Ok(secrets::leaks(texts, &stage.deployment.secrets()))
}

/// What the last delivery said.
fn ended(played: &mut Played, last: Invocation) {
    let mut outcomes: Vec<String> = last.reports.iter().map(|report| report.outcome.clone()).collect();
    outcomes.sort();
    outcomes.dedup();
    played.outcome = match outcomes.as_slice() {
        [] if last.killed => "killed".to_owned(),
        [] if last.error.is_some() => "error".to_owned(),
        [] => "nothing".to_owned(),
        all => all.join("+"),
    };
    let reasons = last.reports.iter().map(|report| report.why.as_str()).filter(|why| !why.is_empty());
    played.why = reasons.collect::<Vec<_>>().join("; ");
    played.notes = last.reports.iter().flat_map(|report| report.notes.clone()).collect();
    played.changes = last.reports.iter().flat_map(|report| report.changes.clone()).collect();
    played.record = last.reports.iter().find_map(|report| report.record.clone());
    played.undo = last.reports.iter().find_map(|report| report.undo.clone());
    played.error = last.error;
    played.reports = last.reports;
    played.log = last.log;
}

/// The moment of containment: the last success of an operation that contains, in the latest delivery that has one.
pub(crate) fn measure(played: &mut Played, contained_by: &[String]) {
    played.total_calls = played.calls.iter().filter(|call| call.number.is_some()).count();
    for (index, delivery) in played.deliveries.iter().enumerate().rev() {
        let inside =
            |call: &&Call| call.started_ms >= delivery.started_ms && call.ended_ms <= delivery.ended_ms;
        let contains = |call: &&Call| call.succeeded() && contained_by.contains(&call.name);
        let ends = played.calls.iter().filter(inside).filter(contains).map(|call| call.ended_ms);
        let Some(moment) = ends.max_by(f64::total_cmp) else { continue };
        let until = |call: &&Call| call.started_ms >= delivery.started_ms && call.number.is_some();
        let begun = played.calls.iter().filter(until).filter(|call| call.started_ms < moment);
        let done: Vec<Call> = begun.clone().filter(|call| call.ended_ms <= moment).cloned().collect();
        played.contained_calls = Some(begun.count());
        played.round_trips = Some(call::round_trips(&done));
        played.contained_delivery = Some(index);
        played.contained_ms = Some(moment - delivery.started_ms);
        return;
    }
}

/// Compares the account with what was promised: every difference is one sentence.
pub async fn look(account: &Account, scenario: &Scenario, names: &Names) -> Result<Vec<String>> {
    let mut broken = Vec::new();
    for state in &scenario.expect.state {
        let step = state.step().filled(names)?;
        let wanted = names.fill(&state.is)?;
        match account.step(&step).await {
            Ok(seen) if seen.answer == wanted => {}
            Ok(seen) => {
                broken.push(format!("{} at {} is {}, not {wanted}", state.call, state.at, seen.answer));
            }
            Err(error) => broken.push(format!("{error:#}")),
        }
    }
    Ok(broken)
}
