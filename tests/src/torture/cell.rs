//! One cell: the event is delivered as often as Lambda does, while one call of the function meets a fault.
//!
//! Lambda delivers an event again twice after an error, of which a process that ended and a timeout are two, and then puts
//! it into the dead-letter queue. A fault that lasts is mended by then, and the event is taken out of the queue once more.

use std::fmt;

use anyhow::{Context, Result};
use serde_json::json;

use super::fault::Column;
use super::judge::Judge;
use crate::account::Account;
use crate::blueprint::Blueprint;
use crate::function::{Function, Invocation};
use crate::proxy::Proxy;
use crate::scenario::{self, Event, Scenario};
use crate::stage::Stage;
use crate::tools::Tools;

/// The first delivery and Lambda's two retries.
const DELIVERIES: usize = 3;

/// One call in the undisturbed run of a function over its model scenario.
#[derive(Clone, Debug)]
pub struct Place {
    /// The function.
    pub function: String,
    /// Which call of the run it is, from 1.
    pub number: usize,
    /// Its operation, such as `ec2:StopInstances`.
    pub operation: String,
    /// Which call of its operation it is, from 1.
    pub nth: u32,
}

/// Who comes after a delivery that failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Then {
    /// Lambda, with the same event.
    Again,
    /// The schedule: the sweep finishes what the event began.
    Sweep,
}

/// How a cell ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sign {
    /// Contained by this delivery, from 1.
    Contained(usize),
    /// Contained, and the last write to the journal got lost without a sign: the sweep ended the record.
    Swept,
    /// Every delivery failed and said so; contained when the event was delivered again after the fault was mended.
    DeadLetter,
    /// The fault came before anything was on record, so that no sweep can know of it.
    Unknown,
    /// A promise was broken.
    Broken,
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contained(1) => f.write_str("="),
            Self::Contained(delivery) => write!(f, "{delivery}"),
            Self::Swept => f.write_str("s"),
            Self::DeadLetter => f.write_str("dlq"),
            Self::Unknown => f.write_str("-"),
            Self::Broken => f.write_str("FAIL"),
        }
    }
}

/// What became of one cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// How it ended.
    pub sign: Sign,
    /// The promises that were broken.
    pub broken: Vec<String>,
    /// How each delivery ended, in a few words.
    pub deliveries: Vec<String>,
}

/// The model scenario of a function. After a kill the next delivery takes its record over when the lease ends.
pub fn model(tools: &Tools, function: &str) -> Result<Scenario> {
    let mut model = scenario::model(&tools.scenarios(), function)?;
    model.config.insert("lease_seconds".to_owned(), json!(1));
    Ok(model)
}

/// The calls of a function that is not disturbed.
pub async fn places(tools: &Tools, account: &Account, model: &Scenario) -> Result<Vec<Place>> {
    let stage = Stage::set(tools, account, model).await?;
    let proxy = stage.proxy(std::time::Duration::ZERO).await?;
    let function = stage.function(&proxy).await?;
    let ended = function.invoke(&stage.event).await?;
    function.stop(account).await?;
    if let Some(error) = ended.error {
        anyhow::bail!("{} fails undisturbed: {}", model.function, error.error_message);
    }
    let mut places: Vec<Place> = Vec::new();
    for call in proxy.calls().into_iter().filter(|call| call.number.is_some()) {
        let before = places.iter().filter(|place| place.operation == call.name).count();
        places.push(Place {
            function: model.function.clone(),
            number: places.len() + 1,
            operation: call.name,
            nth: u32::try_from(before)? + 1,
        });
    }
    Ok(places)
}

/// Plays one cell; `rows` are all the calls of the undisturbed run.
pub async fn play(
    tools: &Tools,
    account: &Account,
    model: &Scenario,
    rows: &[Place],
    place: &Place,
    column: Column,
    then: Then,
) -> Result<Cell> {
    let blueprint = Blueprint::draw(tools, account, &model.function, &model.config)?;
    let sweep = blueprint.sweep.clone();
    let stage = Stage::upon(tools, account, model, blueprint).await?;
    let sweep = Event { sweep: true, ..Event::default() }.build(
        &tools.room(&model.function),
        &stage.deployment.names,
        sweep.as_ref(),
    )?;
    let next = if then == Then::Sweep { &sweep } else { &stage.event };
    let proxy = stage.proxy(std::time::Duration::ZERO).await?;
    proxy.set_faults(vec![column.at(&place.operation, place.nth)]);

    let hurry = column.timeout_s(model.event.sweep);
    let mut process = Process { tools, stage: &stage, proxy: &proxy, running: None, hurry };
    let mut judge = Judge::new(&stage, &proxy, model, rows, place, column, then);
    let mut contained = None;
    for delivery in 1..=DELIVERIES {
        let event = if delivery == 1 { &stage.event } else { next };
        let ended = process.deliver(event).await?;
        if judge.delivery(&ended).await? {
            contained = Some(delivery);
            break;
        }
    }
    let sign = match contained {
        // The function cannot know; the sweep comes back to what is not ended.
        Some(_) if column.lies() && judge.is_left_open().await? => {
            let ended = process.deliver(&sweep).await?;
            judge.delivery(&ended).await?;
            judge.contained().await?;
            Sign::Swept
        }
        // An urgent function contained without the journal; the record is made by the event's own retry.
        Some(_) if then == Then::Sweep && judge.has_no_record().await? => Sign::Unknown,
        Some(delivery) => {
            judge.contained().await?;
            Sign::Contained(delivery)
        }
        None if judge.nothing_to_know().await? => Sign::Unknown,
        None => {
            judge.dead_letter().await?;
            proxy.set_faults(Vec::new());
            let ended = process.deliver(next).await?;
            if !judge.delivery(&ended).await? {
                judge.broken("the event was not answered after the fault was mended");
            }
            judge.contained().await?;
            Sign::DeadLetter
        }
    };
    process.end().await?;
    Ok(judge.cell(sign))
}

/// The function's process: a new one after one that ended.
struct Process<'a> {
    tools: &'a Tools,
    stage: &'a Stage<'a>,
    proxy: &'a Proxy,
    running: Option<Function>,
    /// The timeout of the first delivery, where it is not that of the manifest.
    hurry: Option<u32>,
}

impl Process<'_> {
    async fn deliver(&mut self, event: &serde_json::Value) -> Result<Invocation> {
        let function = match self.running.take() {
            Some(function) => function,
            None => self.start().await?,
        };
        let ended = function.invoke(event).await.context("the delivery did not end")?;
        let hurried = self.hurry.take().is_some();
        if ended.lost_its_process() || hurried {
            function.stop(self.stage.account).await?;
        } else {
            self.running = Some(function);
        }
        Ok(ended)
    }

    async fn start(&self) -> Result<Function> {
        let mut start = self.stage.deployment.start(self.tools, &self.proxy.url())?;
        start.timeout_s = self.hurry.unwrap_or(start.timeout_s);
        let function = Function::start(start, self.stage.account).await?;
        self.proxy.set_killer(function.killer());
        Ok(function)
    }

    async fn end(&mut self) -> Result<()> {
        match self.running.take() {
            Some(function) => function.stop(self.stage.account).await,
            None => Ok(()),
        }
    }
}
