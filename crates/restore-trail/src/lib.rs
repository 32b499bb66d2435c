//! CloudTrail was stopped, blinded or deleted: record again.
//!
//! A trail that is not logging is started before anything else. What was changed away from its baseline to the worse goes
//! back, field by field, and a deleted trail is created again from it; the baseline is what a sweep last saw healthy. What
//! keeps a trail from delivering (its bucket, policy, key, topic, log group) is read back and reported, never changed. The
//! function never stops a trail, and no undo does.

mod act;
mod change;
mod decide;
mod event;
mod health;
mod name;
mod observation;
mod policy;
mod proven;
mod selectors;
mod settings;
mod trail;

use aws_types::SdkConfig;
use futures_util::stream::{BoxStream, StreamExt};
use jiff::Timestamp;
use tourniquet::actor::Actor;
use tourniquet::error::Error;
use tourniquet::plan::Recorded;
use tourniquet::{
    Cause, Config, Consent, Depth, Event, Lead, Place, Reverted, Room, Standing, Subjects, Verdict,
};

pub use act::Clients;
pub use change::Change;
pub use event::Detail;
pub use observation::Observation;
pub use settings::Settings;
pub use trail::Baseline;

/// The function.
#[derive(Debug)]
pub struct RestoreTrail;

impl Room for RestoreTrail {
    const NAME: &'static str = "restore-trail";
    const URGENT: bool = true;
    const CONTAINS_FIRST: bool = true;
    const KEEPS_BASELINE: bool = true;
    const COUNTS_ATTEMPTS: bool = true;

    type Settings = Settings;
    type Clients = Clients;
    type Detail = Detail;
    type Observation = Observation;
    type Change = Change;
    type Baseline = Baseline;

    fn clients(sdk: &SdkConfig) -> Clients {
        Clients::new(sdk)
    }

    async fn warm(sdk: &SdkConfig) {
        act::warm(sdk).await;
    }

    fn subjects(event: &Event, config: &Config<Settings>) -> Result<Subjects<Detail>, Error> {
        event::subjects(event, config)
    }

    async fn observe(
        clients: &Clients,
        lead: &Lead<Detail>,
        depth: Depth,
        settings: &Settings,
    ) -> Result<Option<Observation>, Error> {
        act::observe(clients, lead, depth, settings).await
    }

    fn decide(
        lead: &Lead<Detail>,
        seen: &Observation,
        settings: &Settings,
        _now: Timestamp,
        standing: &Standing<Baseline>,
    ) -> Verdict<Change> {
        decide::decide(lead, seen, settings, standing)
    }

    async fn apply(
        clients: &Clients,
        lead: &Lead<Detail>,
        _record: &str,
        change: &Change,
        settings: &Settings,
    ) -> Result<(), Error> {
        act::apply(clients, lead, change, settings).await
    }

    async fn revert(
        clients: &Clients,
        lead: &Lead<Detail>,
        change: &Change,
        consent: Consent,
    ) -> Result<Reverted, Error> {
        act::revert(clients, lead, change, consent).await
    }

    fn proven(event: &Event, lead: &Lead<Detail>, _settings: &Settings) -> Option<String> {
        proven::proven(event, lead)
    }

    fn scopes(_lead: &Lead<Detail>, change: &Change) -> Vec<Option<String>> {
        match change {
            Change::RestoreSelectors { .. } | Change::RestoreInsights { .. } => {
                vec![Some(health::scope::SELECTORS.to_owned())]
            }
            Change::Mark { .. } => Vec::new(),
            // Also where nothing is taken back: whoever stops or deletes the trail by hand needs it.
            _ => vec![None],
        }
    }

    fn recover(lead: &Lead<Detail>, seen: &Observation) -> Vec<Recorded> {
        decide::recover(lead, seen)
    }

    fn baseline(_lead: &Lead<Detail>, seen: &Observation) -> Option<Baseline> {
        decide::baseline(seen)
    }

    /// AWS lists no deleted trails: one that has a baseline and is not listed was deleted, and no event told of it.
    fn known(place: &Place, subject: &str) -> Option<Lead<Detail>> {
        let named = name::trail(subject, place, "the subject of a baseline").ok()?;
        Some(Lead {
            place: named.owner,
            subject: named.name,
            cause: Cause::sweep(),
            actor: Actor::default(),
            detail: Detail::Trail { arn: named.arn },
        })
    }

    /// `ListTrails` tells of trails of every region; the other regions of the settings are for event data stores.
    async fn places(
        _clients: &Clients,
        home: &Place,
        config: &Config<Settings>,
    ) -> Result<Vec<Place>, Error> {
        let mut regions = config.settings.regions.clone();
        regions.retain(|region| *region != home.region);
        regions.sort();
        regions.dedup();
        let others = regions.into_iter().map(|region| Place::new(&home.account, region));
        Ok(std::iter::once(home.clone()).chain(others).collect())
    }

    fn sweep<'a>(
        clients: &'a Clients,
        place: &'a Place,
        _config: &'a Config<Settings>,
    ) -> BoxStream<'a, Result<Lead<Detail>, Error>> {
        act::sweep(clients, place).boxed()
    }
}
