//! A security group opens a guarded port to the world: close just that.
//!
//! Whatever an event says, the group's live rules decide: which sources reach a guarded port, and which share of the public
//! internet they are together. The rules that make it the world go, each by its id; the harmless rest of a port range and
//! what `replace_with` allows are added before. Everything else stays as it is: other sources, other ports, referenced
//! groups, outbound rules. Each rule can be put back as it was, and opens the port again only when that is asked for.

mod act;
mod address;
mod change;
mod decide;
mod event;
mod exposure;
mod manager;
mod observation;
mod pieces;
mod plan;
mod proven;
mod rule;
mod scope;
mod settings;

use aws_types::SdkConfig;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use tourniquet::error::Error;
use tourniquet::{Config, Consent, Depth, Event, Lead, Place, Reverted, Room, Standing, Subjects, Verdict};

pub use act::Clients;
pub use change::Change;
pub use event::Detail;
pub use observation::Observation;
pub use settings::Settings;

/// The function.
#[derive(Debug)]
pub struct RevokeOpenIngress;

impl Room for RevokeOpenIngress {
    const NAME: &'static str = "revoke-open-ingress";
    /// A port that stays open for as long as the journal is away is not worth a change that nobody could take back.
    const URGENT: bool = false;

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
        event::subjects(event, config, Self::NAME)
    }

    async fn resolve(
        clients: &Clients,
        lead: &Lead<Detail>,
        _settings: &Settings,
    ) -> Result<Vec<Lead<Detail>>, Error> {
        act::resolve(clients, lead).await
    }

    async fn observe(
        clients: &Clients,
        lead: &Lead<Detail>,
        _depth: Depth,
        settings: &Settings,
    ) -> Result<Option<Observation>, Error> {
        act::observe(clients, lead, settings).await
    }

    fn decide(
        lead: &Lead<Detail>,
        seen: &Observation,
        settings: &Settings,
        _now: Timestamp,
        standing: &Standing,
    ) -> Verdict<Change> {
        decide::decide(lead, seen, settings, standing)
    }

    async fn apply(
        clients: &Clients,
        lead: &Lead<Detail>,
        _record: &str,
        change: &Change,
        _settings: &Settings,
    ) -> Result<(), Error> {
        act::apply(clients, &lead.subject, change).await
    }

    async fn revert(
        clients: &Clients,
        lead: &Lead<Detail>,
        change: &Change,
        consent: Consent,
    ) -> Result<Reverted, Error> {
        act::revert(clients, &lead.subject, change, consent).await
    }

    fn proven(event: &Event, _lead: &Lead<Detail>, settings: &Settings) -> Option<String> {
        proven::proven(event, settings)
    }

    fn scopes(_lead: &Lead<Detail>, change: &Change) -> Vec<Option<String>> {
        scope::needed(change).into_iter().map(Some).collect()
    }

    async fn places(clients: &Clients, home: &Place, config: &Config<Settings>) -> Result<Vec<Place>, Error> {
        act::places(clients, home, &config.settings).await
    }

    fn sweep<'a>(
        clients: &'a Clients,
        place: &'a Place,
        config: &'a Config<Settings>,
    ) -> BoxStream<'a, Result<Lead<Detail>, Error>> {
        act::sweep(clients, place, &config.settings)
    }
}
