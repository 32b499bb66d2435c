//! An IAM access key is older than allowed: warn, then deactivate.
//!
//! A daily sweep looks at every user whose keys may be old. A key is deactivated when it is older than
//! `disable_after_days` and people were told of it `grace_days` before; only the keys of a user whom AWS has put under
//! quarantine get no grace. At most one key of a user is deactivated in a run. Nothing is ever deleted, a deactivated
//! key can be activated again, and keys of the root user, which nobody else can touch, are reported. A key is known by
//! its last four characters and its creation date: no record, message, log line or error holds a whole id.

mod act;
mod change;
mod decide;
mod event;
mod key;
mod observation;
mod report;
mod settings;

use aws_types::SdkConfig;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use tourniquet::error::Error;
use tourniquet::{Config, Consent, Depth, Event, Lead, Place, Reverted, Room, Standing, Subjects, Verdict};

pub use act::Clients;
pub use change::{Change, Ground};
pub use event::Detail;
pub use key::KeyName;
pub use observation::{Key, Observation, Used};
pub use settings::Settings;

/// The function.
#[derive(Debug)]
pub struct DisableOldKeys;

impl Room for DisableOldKeys {
    const NAME: &'static str = "disable-old-keys";
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

    async fn warm(sdk: &SdkConfig) {
        act::warm(sdk).await;
    }

    fn subjects(event: &Event, _config: &Config<Settings>) -> Result<Subjects<Detail>, Error> {
        Ok(event::subjects(event))
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
        now: Timestamp,
        standing: &Standing,
    ) -> Verdict<Change> {
        decide::decide(lead, seen, settings, now, standing)
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
