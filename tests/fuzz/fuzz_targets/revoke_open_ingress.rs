//! Events and the configuration of `revoke-open-ingress`: read, or refused by an error that names the field.

#![no_main]

#[path = "../../../crates/revoke-open-ingress/src"]
#[allow(dead_code)]
mod room {
    pub(crate) mod address;
    pub(crate) mod change;
    pub(crate) mod event;
    pub(crate) mod exposure;
    pub(crate) mod manager;
    pub(crate) mod observation;
    pub(crate) mod proven;
    pub(crate) mod rule;
    mod scope;
    pub(crate) mod settings;
}

use event::Detail;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use room::{address, change, event, exposure, manager, observation, proven, rule, settings};
use settings::Settings;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::json(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let named = |event: &_, config: &_| event::subjects(event, config, "revoke-open-ingress");
    fuzz::event::<Settings, Detail>(data, named, |event, config, lead| {
        match lead.detail {
            Detail::Group => assert!(lead.subject.starts_with("sg-") && fuzz::is_plain(&lead.subject, "-")),
            Detail::PrefixList => {
                assert!(lead.subject.starts_with("pl-") && fuzz::is_plain(&lead.subject, "-"))
            }
            Detail::GroupName => assert!(fuzz::is_plain(&lead.subject, " ._-:/()#,@[]+=&;{}!$*")),
        }
        let _ = proven::proven(event, &config.settings);
    });
});
