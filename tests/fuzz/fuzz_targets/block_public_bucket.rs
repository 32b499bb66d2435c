//! Events and the configuration of `block-public-bucket`: read, or refused by an error that names the field.

#![no_main]

#[path = "../../../crates/block-public-bucket/src"]
#[allow(dead_code, unused_imports)]
mod room {
    pub(crate) mod event;
    pub(crate) mod settings;
}

use event::Detail;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use room::{event, settings};
use settings::Settings;

/// Who the events are read for.
pub(crate) struct BlockPublicBucket;

impl BlockPublicBucket {
    pub(crate) const NAME: &'static str = "block-public-bucket";
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::json(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    fuzz::event::<Settings, Detail>(data, event::subjects, |_, _, lead| match &lead.detail {
        Detail::Bucket => assert!(fuzz::is_plain(&lead.subject, ".-_") && !lead.subject.contains("..")),
        Detail::Account => {
            assert_eq!(lead.subject, lead.place.account)
        }
        Detail::Point { name } => assert!(fuzz::is_plain(name, "-")),
    });
});
