//! Events and the configuration of `restore-trail`: read, or refused by an error that names the field.

#![no_main]

#[path = "../../../crates/restore-trail/src"]
#[allow(dead_code, unused_imports)]
mod room {
    pub(crate) mod event;
    pub(crate) mod name;
    pub(crate) mod proven;
    pub(crate) mod settings;
}

use event::Detail;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use room::{event, name, proven, settings};
use settings::Settings;

/// Who the events are read for.
pub(crate) struct RestoreTrail;

impl RestoreTrail {
    pub(crate) const NAME: &'static str = "restore-trail";
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::json(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    fuzz::event::<Settings, Detail>(data, event::subjects, |event, _, lead| {
        assert!(fuzz::is_plain(&lead.subject, "._-"));
        if let Some(arn) = lead.detail.arn() {
            assert!(arn.starts_with("arn:aws") && arn.ends_with(&format!("/{}", lead.subject)), "{lead:?}");
        }
        let _ = proven::proven(event, lead);
    });
});
