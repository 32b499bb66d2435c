//! The pipeline that every Tourniquet function runs.
//!
//! A function is a [`Room`]: it says which subjects an event names, how to observe one, how to decide, how to
//! apply a change and how to take it back. Everything else is here, once: the event envelope, settings,
//! exemptions, the journal, the change limit, accounts, reports, and the loop that observes, decides, records,
//! applies and verifies.
//!
//! ```text
//! event -> subjects -> observe -> decide -> gate -> record -> apply -> verify -> report
//!          pure        AWS reads  pure     pure     journal   AWS      AWS       log, metric, SNS
//! ```

pub mod accounts;
pub mod actor;
pub mod clock;
pub mod cloudtrail;
pub mod config_rule;
pub mod engine;
pub mod error;
pub mod event;
pub mod exemption;
pub mod gate;
pub mod guardduty;
pub mod journal;
pub mod message;
pub mod outcome;
pub mod place;
pub mod plan;
pub mod report;
pub mod room;
mod run;
pub mod sdk;
pub mod serve;
pub mod settings;
pub mod subject;
mod sweep;
pub mod text;
pub mod verdict;

pub use error::Error;
pub use event::Event;
pub use outcome::Outcome;
pub use place::Place;
pub use plan::{Change, Step};
pub use room::{Consent, Depth, Observation, Reverted, Room};
pub use serve::serve;
pub use settings::{Config, Mode, Settings};
pub use subject::{Cause, Lead, Subjects};
pub use verdict::{Ruling, Standing, Verdict};
