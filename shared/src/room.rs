//! What a function supplies: everything else is the pipeline's.

use std::collections::BTreeMap;
use std::future::Future;

use aws_types::SdkConfig;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::event::Event;
use crate::journal::Record;
use crate::place::Place;
use crate::plan::{Change, Recorded};
use crate::settings::{Config, Settings};
use crate::subject::{Lead, Subjects};
use crate::verdict::{Standing, Verdict};

/// How much to observe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Depth {
    /// Only what containment needs, in one round trip where AWS allows it.
    Contain,
    /// Everything that the plan and its proof need.
    Full,
}

/// What AWS says about a subject now.
pub trait Observation: Send + Sync {
    /// The live tags of the resource.
    fn tags(&self) -> &BTreeMap<String, String>;
}

/// What became of one reverted change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reverted {
    /// What was there before is there again.
    Restored,
    /// It was there already.
    AlreadyThere,
    /// The resource was changed since by somebody else: left as it is, with the difference.
    Drifted {
        /// What we had left there.
        expected: String,
        /// What is there now.
        found: String,
    },
    /// Nothing to take back, and why: a snapshot stays as evidence.
    Kept(String),
}

/// How far a human agreed when asking to take something back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Consent {
    /// To everything that restores what was there before and harms nobody by itself.
    Plain,
    /// Also to what sets the danger free again, such as starting a stopped instance.
    Explicit,
}

/// One function.
pub trait Room: Send + Sync + Sized + 'static {
    /// The name of the crate, the binary, the Lambda, the role and the rules.
    const NAME: &'static str;
    /// Whether the answer to an event cannot wait for the journal to come back.
    const URGENT: bool;
    /// Whether the sweep comes back to what was contained.
    const WATCHES: bool;

    /// The room's own settings.
    type Settings: Settings;
    /// The room's SDK clients for one place.
    type Clients: Send + Sync;
    /// The room's own part of an event.
    type Detail: Clone + Serialize + DeserializeOwned + Send + Sync;
    /// What AWS says about a subject.
    type Observation: Observation;
    /// What the room can change.
    type Change: Change;

    /// Builds the clients for one place; called once for each.
    fn clients(sdk: &SdkConfig) -> Self::Clients;

    /// Which resources an event names. Pure.
    fn subjects(event: &Event, config: &Config<Self::Settings>) -> Result<Subjects<Self::Detail>, Error>;

    /// Reads the subject; `None` if it does not exist.
    fn observe(
        clients: &Self::Clients,
        lead: &Lead<Self::Detail>,
        depth: Depth,
        settings: &Self::Settings,
    ) -> impl Future<Output = Result<Option<Self::Observation>, Error>> + Send;

    /// Decides. Pure.
    fn decide(
        lead: &Lead<Self::Detail>,
        seen: &Self::Observation,
        settings: &Self::Settings,
        now: Timestamp,
        standing: &Standing,
    ) -> Verdict<Self::Change>;

    /// Makes one change. Making it twice is harmless.
    fn apply(
        clients: &Self::Clients,
        lead: &Lead<Self::Detail>,
        record: &str,
        change: &Self::Change,
        settings: &Self::Settings,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Takes one change back, under the operator's credentials.
    fn revert(
        clients: &Self::Clients,
        lead: &Lead<Self::Detail>,
        change: &Self::Change,
        consent: Consent,
    ) -> impl Future<Output = Result<Reverted, Error>> + Send;

    /// The changes that an earlier run made while the journal could not be reached, as far as the live resource tells.
    fn recover(_lead: &Lead<Self::Detail>, _seen: &Self::Observation) -> Vec<Recorded> {
        Vec::new()
    }

    /// The subjects of a sweep over one place, page by page; `watched` are the records to come back to.
    fn sweep<'a>(
        clients: &'a Self::Clients,
        place: &'a Place,
        config: &'a Config<Self::Settings>,
        watched: Vec<Record>,
    ) -> BoxStream<'a, Result<Lead<Self::Detail>, Error>>;
}
