//! Events and the configuration of `disable-old-keys`: read, or refused by an error that names the field.

#![no_main]

#[path = "../../../crates/disable-old-keys/src"]
#[allow(dead_code)]
mod room {
    pub(crate) mod event;
    pub(crate) mod settings;
}

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use room::{event, settings};
use settings::Settings;
use tourniquet::Place;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::json(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    fuzz::event::<Settings, event::Detail>(data, |event, _| Ok(event::subjects(event)), |_, _, _| ());
    // The names of users come from AWS, and go into the journal's keys.
    if let Ok(name) = std::str::from_utf8(data)
        && let Ok(lead) = event::lead(&Place::new("111122223333", "us-east-1"), name, Vec::new())
    {
        assert!(lead.subject == event::ROOT || fuzz::is_plain(&lead.subject, "_+=,.@-"));
    }
});
