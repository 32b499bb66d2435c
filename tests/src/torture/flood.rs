//! A flood: thousands of events within a minute, through the triggers and Lambda's asynchronous queue to processes of
//! revoke-open-ingress.
//!
//! The queue holds what finds no free process, delivers again after an error, twice, and then puts the event into the
//! dead-letter queue, as Lambda does; its pauses are shorter here. AWS itself is the stand-in of [`super::cloud`], in which
//! calls are throttled, fail and collide, and whose answer a process sometimes does not live to see.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::cell;
use super::cloud::{Behind, Cloud};
use super::events::Events;
use crate::account::Account;
use crate::blueprint::Blueprint;
use crate::deploy::Deployment;
use crate::function::{Function, Invocation, Start};
use crate::rules::Rules;
use crate::tools::Tools;

/// The pauses before the retries. Lambda's are a minute and two.
const RETRIES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// How big the flood is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Events.
    pub events: usize,
    /// Within which time they arrive.
    pub within: Duration,
    /// Concurrent executions, as reserved concurrency allows.
    pub processes: usize,
    /// How many records may begin to change something in an hour.
    pub limit: usize,
}

/// What became of a flood.
#[derive(Debug, Default)]
pub struct Flooded {
    /// What was counted, by name.
    pub counts: BTreeMap<&'static str, usize>,
    /// Seconds until the last event was answered.
    pub seconds: f64,
    /// The most memory of any process, in KB, early and at the end.
    pub memory: (u64, u64),
    /// The subjects of the messages.
    pub messages: BTreeMap<String, usize>,
    /// The promises that were broken.
    pub broken: Vec<String>,
}

impl Flooded {
    /// A count by its name.
    #[must_use]
    pub fn count(&self, name: &str) -> usize {
        self.counts.get(name).copied().unwrap_or_default()
    }
}

impl fmt::Display for Flooded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.counts {
            writeln!(f, "{what:<28} {count:>8}")?;
        }
        for (outcome, count) in &self.messages {
            writeln!(f, "{:<28} {count:>8}", format!("messages that say {outcome}"))?;
        }
        let (early, late) = self.memory;
        writeln!(f, "{:<28} {early:>8} KB after a fifth of the events", "most memory of a process")?;
        writeln!(f, "{:<28} {late:>8} KB at the end", "")?;
        let delivered = u32::try_from(self.count("delivered")).map_or(0.0, f64::from);
        writeln!(
            f,
            "{:<28} {:>8.1} seconds, {:.0} events a second",
            "time",
            self.seconds,
            delivered / self.seconds
        )?;
        self.broken.iter().try_for_each(|promise| writeln!(f, "BROKEN: {promise}"))
    }
}

/// Floods revoke-open-ingress.
pub async fn play(tools: &Tools, size: Size) -> Result<Flooded> {
    let account = Arc::new(Account::start(tools).await?);
    let mut model = cell::model(tools, "revoke-open-ingress")?;
    model.config.insert("changes_per_hour".to_owned(), json!(size.limit));
    let blueprint = Blueprint::draw(tools, &account, &model.function, &model.config)?;
    let rules = Rules::new(&blueprint.rules)?;
    let own_role = blueprint.config.get("own_role").cloned().unwrap_or_default();
    let deployment = Deployment::make(&account, blueprint).await?;
    let events = Events::new(tools, size.events, &own_role)?;
    let mut cloud = Cloud::with(events.groups.clone());

    let lambda = Arc::new(Lambda::default());
    let mut executions = JoinSet::new();
    for _ in 0..size.processes {
        let (url, behind) = cloud.door().await?;
        let start = deployment.start(tools, &url)?;
        let lambda = Arc::clone(&lambda);
        let early = size.events / 5;
        executions.spawn(execute(lambda, start, behind, Arc::clone(&account), early));
    }
    let begun = Instant::now();
    arrive(&lambda, &rules, &events, size.within).await?;
    let mut memory = (0, 0);
    while let Some(ended) = executions.join_next().await {
        let (early, late) = ended??;
        memory = (memory.0.max(early), memory.1.max(late));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let state = std::mem::take(&mut *lambda.state());
    let messages = cloud.see(|cloud| cloud.messages.clone());
    let flooded = Flooded { counts: state.counts, seconds, memory, messages, broken: state.odd };
    Ok(judge(flooded, &cloud, &events, size))
}

/// The function's asynchronous queue, and what became of the events.
#[derive(Debug, Default)]
struct Lambda(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<(Arc<Value>, usize)>,
    /// Events that are neither answered nor in the dead-letter queue.
    open: usize,
    /// Whether no more events arrive.
    closed: bool,
    counts: BTreeMap<&'static str, usize>,
    odd: Vec<String>,
}

impl Lambda {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, what: &'static str) {
        *self.state().counts.entry(what).or_default() += 1;
    }

    fn put(&self, event: Arc<Value>, attempt: usize) {
        let mut state = self.state();
        state.queue.push_back((event, attempt));
        let waiting = state.queue.len();
        let most = state.counts.entry("most waiting").or_default();
        *most = waiting.max(*most);
    }

    /// The next event, or whether there will be one.
    fn take(&self) -> Result<(Arc<Value>, usize), bool> {
        let mut state = self.state();
        let more = state.open > 0 || !state.closed;
        state.queue.pop_front().ok_or(more)
    }
}

/// EventBridge: the events arrive evenly, and those that a trigger matches reach the queue.
async fn arrive(lambda: &Lambda, rules: &Rules, events: &Events, within: Duration) -> Result<()> {
    let begun = Instant::now();
    let all = u32::try_from(events.all.len())?;
    for (number, event) in (0_u32..).zip(&events.all) {
        sleep_until(begun + within * number / all).await;
        lambda.count("delivered");
        if rules.matching(event)?.is_empty() {
            lambda.count("no trigger matches");
            continue;
        }
        lambda.count("matched");
        lambda.state().open += 1;
        lambda.put(Arc::new(event.clone()), 0);
    }
    lambda.state().closed = true;
    Ok(())
}

/// One concurrent execution: takes events from the queue until none is left. The most memory of its processes, early and
/// at the end.
async fn execute(
    lambda: Arc<Lambda>,
    start: Start,
    behind: Behind,
    account: Arc<Account>,
    early: usize,
) -> Result<(u64, u64)> {
    let mut running: Option<Function> = None;
    let (mut first, mut last) = (0, 0);
    loop {
        let (event, attempt) = match lambda.take() {
            Ok(taken) => taken,
            Err(true) => {
                sleep(Duration::from_millis(2)).await;
                continue;
            }
            Err(false) => break,
        };
        let function = match running.take() {
            Some(function) => function,
            None => Function::start(start.clone(), &account).await?,
        };
        *behind.lock().unwrap_or_else(PoisonError::into_inner) = Some(function.killer());
        let ended = function.invoke(&event).await?;
        if ended.lost_its_process() {
            function.stop(&account).await?;
        } else {
            last = last.max(function.peak_kb());
            if lambda.state().counts.get("matched").is_some_and(|matched| *matched <= early) {
                first = last;
            }
            running = Some(function);
        }
        settle(&lambda, event, attempt, &ended);
    }
    if let Some(function) = running {
        function.stop(&account).await?;
    }
    Ok((first, last))
}

/// What Lambda does with the end of an invocation.
fn settle(lambda: &Arc<Lambda>, event: Arc<Value>, attempt: usize, ended: &Invocation) {
    if ended.error.is_none() && !ended.killed {
        let outcomes: Vec<&str> = ended.reports.iter().map(|report| report.outcome.as_str()).collect();
        match outcomes.as_slice() {
            ["contained"] => lambda.count("contained"),
            ["already-safe"] => lambda.count("already-safe"),
            ["held"] => lambda.count("held"),
            ["ignored"] => lambda.count("ignored"),
            other => lambda.state().odd.push(format!("an event was answered with {other:?}")),
        }
        lambda.state().open -= 1;
        return;
    }
    lambda.count(if ended.lost_its_process() { "processes lost" } else { "errors" });
    let Some(pause) = RETRIES.get(attempt).copied() else {
        lambda.count("dead-letter queue");
        lambda.state().open -= 1;
        return;
    };
    lambda.count("retries");
    let lambda = Arc::clone(lambda);
    tokio::spawn(async move {
        sleep(pause).await;
        lambda.put(event, attempt + 1);
    });
}

/// What must hold after a flood.
fn judge(mut flooded: Flooded, cloud: &Cloud, events: &Events, size: Size) -> Flooded {
    let count = |name| flooded.count(name);
    let ended = ["contained", "already-safe", "held", "ignored", "dead-letter queue"].map(count);
    let lost = count("matched").saturating_sub(ended.iter().sum());
    let (dead, contained) = (count("dead-letter queue"), count("contained"));
    let mut broken = std::mem::take(&mut flooded.broken);
    let mut must = |holds: bool, promise: String| {
        if !holds {
            broken.push(promise);
        }
    };
    must(lost == 0, format!("{lost} events were lost"));
    must(
        dead == events.malformed,
        format!("{dead} events in the dead-letter queue, {} malformed", events.malformed),
    );
    cloud.see(|cloud| {
        let twice = cloud.closed.values().filter(|times| **times > 1).count();
        must(twice == 0, format!("{twice} groups were closed twice"));
        let closed = cloud.closed.len();
        let records = cloud.table.outcomes();
        let of = |outcome: &str| records.get(outcome).copied().unwrap_or_default();
        must(
            of("contained") == closed,
            format!("{closed} groups were closed, and the records are {records:?}"),
        );
        must(
            of("contained") + of("held") == events.groups.len(),
            format!("{} groups were opened, and the records are {records:?}", events.groups.len()),
        );
        must(
            contained <= closed,
            format!("{contained} events ended contained, and {closed} groups were closed"),
        );
        let (hours, actors) = cloud.table.taken_from_limits();
        // The flood is one actor's, who has half of the limit.
        let (limit, share) = (size.limit as u64, size.limit.div_ceil(2) as u64);
        let within = hours.iter().all(|taken| *taken <= limit) && actors.iter().all(|taken| *taken <= share);
        must(within, format!("the change limit was passed: {hours:?}, by actors {actors:?}"));
        let told = cloud.messages.get("held").copied().unwrap_or_default();
        let full = hours.iter().filter(|taken| **taken == limit).count()
            + actors.iter().filter(|taken| **taken == share).count();
        must(told == full, format!("people were told {told} times of {full} limits that were reached"));
        flooded.counts.extend([
            ("lost", lost),
            ("groups closed", closed),
            ("groups held", cloud.open.len()),
            ("calls", usize::try_from(cloud.calls).unwrap_or_default()),
            ("calls throttled or failed", usize::try_from(cloud.refused).unwrap_or_default()),
            ("transactions that collided", usize::try_from(cloud.collisions).unwrap_or_default()),
            ("processes killed", usize::try_from(cloud.kills).unwrap_or_default()),
        ]);
    });
    flooded.counts.insert("duplicates", events.duplicates);
    flooded.counts.insert("malformed", events.malformed);
    flooded.broken = broken;
    flooded
}
