//! An S3 bucket became public: make it private.
//!
//! Public is decided from the bucket's policy, ACL and access points and the blocks of bucket and account together; S3's
//! own verdict on the policy wins. The answer is the bucket's own Block Public Access, all four settings, or, where the
//! settings ask for it, just the public grants and statements taken out. Nothing that is on is turned off. Every change
//! carries what was there before, and is taken back only by somebody who says that public is meant.

mod acl;
mod act;
mod block;
mod change;
mod decide;
mod event;
mod exposure;
mod observation;
mod policy;
mod settings;

use aws_types::SdkConfig;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use tourniquet::error::Error;
use tourniquet::{Config, Consent, Depth, Event, Lead, Place, Reverted, Room, Standing, Subjects, Verdict};

pub use acl::{Acl, Grant};
pub use act::Clients;
pub use block::Block;
pub use change::Change;
pub use event::Detail;
pub use observation::Observation;
pub use settings::Settings;

/// The function.
#[derive(Debug)]
pub struct BlockPublicBucket;

impl Room for BlockPublicBucket {
    const NAME: &'static str = "block-public-bucket";
    const URGENT: bool = false;
    const DIGEST: bool = true;
    const NAMES_ARE_GLOBAL: bool = true;

    type Settings = Settings;
    type Clients = Clients;
    type Detail = Detail;
    type Observation = Observation;
    type Change = Change;
    type Baseline = ();

    fn clients(sdk: &SdkConfig) -> Clients {
        Clients::new(sdk)
    }

    fn subjects(event: &Event, config: &Config<Settings>) -> Result<Subjects<Detail>, Error> {
        event::subjects(event, config)
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
        act::apply(clients, lead, change).await
    }

    async fn revert(
        clients: &Clients,
        lead: &Lead<Detail>,
        change: &Change,
        consent: Consent,
    ) -> Result<Reverted, Error> {
        act::revert(clients, lead, change, consent).await
    }

    fn sweep<'a>(
        clients: &'a Clients,
        place: &'a Place,
        config: &'a Config<Settings>,
    ) -> BoxStream<'a, Result<Lead<Detail>, Error>> {
        act::sweep(clients, place, &config.settings)
    }
}
