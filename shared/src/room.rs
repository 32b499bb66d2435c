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
    /// Left as it is, and why: it would set the danger free again, which needs [`Consent::Explicit`].
    Unasked(String),
    /// Left as it is, and why: this is never taken back, whoever asks.
    Refused(String),
}

/// How far a human agreed when asking to take something back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Consent {
    /// To nothing: the answer is what would become of the change, and nothing is touched.
    Look,
    /// To everything that restores what was there before and harms nobody by itself.
    Plain,
    /// Also to what sets the danger free again, such as starting a stopped instance.
    Explicit,
}

impl Consent {
    /// Restores what harms nobody by itself. Who only looks hears that it would be.
    pub async fn restore(self, call: impl Future<Output = Result<(), Error>>) -> Result<Reverted, Error> {
        if self != Self::Look {
            call.await?;
        }
        Ok(Reverted::Restored)
    }

    /// Restores what sets the danger free again, if just that was asked for; else `why` says what stays as it is.
    pub async fn release(
        self,
        why: impl Into<String>,
        call: impl Future<Output = Result<(), Error>>,
    ) -> Result<Reverted, Error> {
        if self != Self::Explicit {
            return Ok(Reverted::Unasked(why.into()));
        }
        call.await?;
        Ok(Reverted::Restored)
    }
}

/// One function.
pub trait Room: Send + Sync + Sized + 'static {
    /// The name of the crate, the binary, the Lambda, the role and the rules.
    const NAME: &'static str;
    /// Whether the answer to an event cannot wait for the journal to come back.
    const URGENT: bool;
    /// Whether the sweep comes back to what was contained. It always comes back to what was begun and not ended.
    const WATCHES: bool = false;
    /// Whether containment needs less than the whole observation, so that the first look is at [`Depth::Contain`].
    const CONTAINS_FIRST: bool = false;
    /// Whether a sweep tells people in one message instead of one for each subject.
    const DIGEST: bool = false;
    /// Whether the journal keeps, for each subject, what to come back to; see [`Room::baseline`].
    const KEEPS_BASELINE: bool = false;
    /// Whether a subject's name stands for one resource whatever the region, so that events from one region and sweeps in another are
    /// about the same: an exemption that an undo leaves then holds in every region.
    const NAMES_ARE_GLOBAL: bool = false;
    /// Whether failed attempts are counted and reported by the next sweep; see [`Subjects::Attempted`].
    const COUNTS_ATTEMPTS: bool = false;

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
    /// What the journal keeps of a healthy subject; `()` for rooms that keep nothing.
    type Baseline: Clone + Serialize + DeserializeOwned + PartialEq + Send + Sync;

    /// Builds the clients for one place; called once for each.
    fn clients(sdk: &SdkConfig) -> Self::Clients;

    /// Opens as many connections as the first look at home uses side by side: calls that AWS refuses, since `sdk` signs nothing.
    #[must_use]
    fn warm(_sdk: &SdkConfig) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Which resources an event names. Pure.
    fn subjects(event: &Event, config: &Config<Self::Settings>) -> Result<Subjects<Self::Detail>, Error>;

    /// The leads that a lead of an event stands for, where only AWS knows them: a shared rule list stands for the groups that
    /// use it. Most leads name their subject themselves.
    fn resolve(
        _clients: &Self::Clients,
        lead: &Lead<Self::Detail>,
        _settings: &Self::Settings,
    ) -> impl Future<Output = Result<Vec<Lead<Self::Detail>>, Error>> + Send {
        std::future::ready(Ok(vec![lead.clone()]))
    }

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
        standing: &Standing<Self::Baseline>,
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

    /// The exemptions without which the change would be made again, each by its scope in the words of the room; the scope `None` is
    /// the whole subject. A change that is only made beside others needs none.
    #[must_use]
    fn scopes(_lead: &Lead<Self::Detail>, _change: &Self::Change) -> Vec<Option<String>> {
        vec![None]
    }

    /// Why the event alone shows that the function would act, if it does; else only the live resource can tell. For people who
    /// ask what would have happened: no function decides by it. Pure.
    #[must_use]
    fn proven(_event: &Event, _lead: &Lead<Self::Detail>, _settings: &Self::Settings) -> Option<String> {
        None
    }

    /// The changes that an earlier run made while the journal could not be reached, as far as the live resource tells.
    fn recover(_lead: &Lead<Self::Detail>, _seen: &Self::Observation) -> Vec<Recorded> {
        Vec::new()
    }

    /// What to come back to, if the live subject is fit to be it. Asked by sweeps that changed nothing and found the
    /// subject safe or exempt.
    fn baseline(_lead: &Lead<Self::Detail>, _seen: &Self::Observation) -> Option<Self::Baseline> {
        None
    }

    /// The lead of a subject that has a baseline, which the sweep may not find by itself any more.
    #[must_use]
    fn known(_place: &Place, _subject: &str) -> Option<Lead<Self::Detail>> {
        None
    }

    /// The places of one account that a sweep looks at; `home` is the account with the function's own region.
    fn places(
        _clients: &Self::Clients,
        home: &Place,
        _config: &Config<Self::Settings>,
    ) -> impl Future<Output = Result<Vec<Place>, Error>> + Send {
        std::future::ready(Ok(vec![home.clone()]))
    }

    /// The subjects of a sweep over one place, page by page. An error is one page or subject that cannot be read; the
    /// others go on.
    fn sweep<'a>(
        clients: &'a Self::Clients,
        place: &'a Place,
        config: &'a Config<Self::Settings>,
    ) -> BoxStream<'a, Result<Lead<Self::Detail>, Error>>;
}
