//! GuardDuty says that an EC2 instance is an attacker: isolate it, keep the evidence, stop it.
//!
//! Every network interface goes into a group without rules; then the instance leaves its Auto Scaling group and load
//! balancers, so that nobody replaces it and its evidence; it is protected from termination, its volumes are
//! snapshotted, it is stopped and tagged. Victims, samples, archived findings and protected instances are left alone.
//! Each step carries what was there before and can be taken back, but for the snapshots, which stay.

mod act;
mod change;
mod decide;
mod event;
mod observation;
mod proven;
mod settings;

use aws_types::SdkConfig;
use futures_util::stream::{self, BoxStream, StreamExt};
use jiff::Timestamp;
use tourniquet::error::Error;
use tourniquet::plan::Recorded;
use tourniquet::{Config, Consent, Depth, Event, Lead, Place, Reverted, Room, Standing, Subjects, Verdict};

pub use act::Clients;
pub use change::Change;
pub use event::Detail;
pub use observation::Observation;
pub use settings::Settings;

/// The function.
#[derive(Debug)]
pub struct StopInstance;

impl Room for StopInstance {
    const NAME: &'static str = "stop-instance";
    const URGENT: bool = true;
    const WATCHES: bool = true;
    const CONTAINS_FIRST: bool = true;

    type Settings = Settings;
    type Clients = Clients;
    type Detail = Detail;
    type Observation = Observation;
    type Change = Change;
    type Baseline = ();

    fn clients(sdk: &SdkConfig) -> Clients {
        Clients::new(sdk)
    }

    async fn warm(sdk: &SdkConfig) {
        act::warm(sdk).await;
    }

    fn subjects(event: &Event, config: &Config<Settings>) -> Result<Subjects<Detail>, Error> {
        event::subjects(event, &config.settings)
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
        now: Timestamp,
        standing: &Standing,
    ) -> Verdict<Change> {
        decide::decide(lead, seen, settings, now, standing)
    }

    async fn apply(
        clients: &Clients,
        lead: &Lead<Detail>,
        record: &str,
        change: &Change,
        _settings: &Settings,
    ) -> Result<(), Error> {
        act::apply(clients, lead, record, change).await
    }

    async fn revert(
        clients: &Clients,
        lead: &Lead<Detail>,
        change: &Change,
        consent: Consent,
    ) -> Result<Reverted, Error> {
        act::revert(clients, lead, change, consent).await
    }

    fn proven(event: &Event, lead: &Lead<Detail>, settings: &Settings) -> Option<String> {
        proven::proven(event, lead, settings)
    }

    /// A human who releases an instance answers one finding; another one is answered like any.
    fn scopes(lead: &Lead<Detail>, _change: &Change) -> Vec<Option<String>> {
        vec![Some(lead.cause.key.clone())]
    }

    fn recover(lead: &Lead<Detail>, seen: &Observation) -> Vec<Recorded> {
        decide::recover(lead, seen)
    }

    /// An instance that was contained stays contained: the sweep comes back to its records and looks for no others.
    fn sweep<'a>(
        _clients: &'a Clients,
        _place: &'a Place,
        _config: &'a Config<Settings>,
    ) -> BoxStream<'a, Result<Lead<Detail>, Error>> {
        stream::empty().boxed()
    }
}
