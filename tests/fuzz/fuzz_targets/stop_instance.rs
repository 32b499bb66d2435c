//! Events and the configuration of `stop-instance`: read, or refused by an error that names the field.

#![no_main]

#[path = "../../../crates/stop-instance/src"]
#[allow(dead_code)]
mod room {
    pub(crate) mod event;
    pub(crate) mod proven;
    pub(crate) mod settings;
}

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use room::{event, proven, settings};
use settings::Settings;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::json(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    fuzz::event::<Settings, event::Detail>(
        data,
        |event, config| event::subjects(event, &config.settings),
        |event, config, lead| {
            assert!(lead.subject.starts_with("i-") && fuzz::is_plain(&lead.subject, "-"));
            assert!(!config.settings.steps_for(&lead.detail.kind).is_empty());
            let _ = proven::proven(event, lead, &config.settings);
        },
    );
});
