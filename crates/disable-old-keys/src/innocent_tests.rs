//! Users whose keys look old and are not to be touched. A few thousand are made up in each run; `PROPTEST_CASES` asks for
//! more.

use proptest::prelude::*;
use tourniquet::actor::Actor;
use tourniquet::{Cause, Place};

use super::*;
use crate::observation::Used;

const DAY: i64 = 24 * 60 * 60;

fn now() -> Timestamp {
    "2026-11-02T09:00:00Z".parse().unwrap()
}

fn before(seconds: i64) -> Timestamp {
    now().checked_sub(SignedDuration::from_secs(seconds)).unwrap()
}

/// A key that is not old, up to the very second, or does not work any more.
fn key() -> impl Strategy<Value = Key> {
    let age = prop_oneof![
        // Not older than 80 days and working, or of any age and inactive.
        prop_oneof![Just(80 * DAY), Just(0), 0..=80 * DAY].prop_map(|age| (age, true)),
        (0..5_000 * DAY).prop_map(|age| (age, false)),
    ];
    let used = prop::option::of(0.0..1.0_f64);
    ("[A-Z2-7]{4}", age, used).prop_map(|(last_four, (age, active), used)| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "some moment of its life"
        )]
        let used = used.map(|share| Used {
            at: before((share * age as f64) as i64),
            service: "s3".to_owned(),
            region: "eu-central-1".to_owned(),
        });
        Key { name: KeyName { created: before(age), last_four }, active, used }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(2_000), ..ProptestConfig::default() })]

    #[test]
    fn innocent_users_are_left_alone(
        keys in prop::collection::vec(key(), 0..=2),
        rotation in prop::sample::select(vec![Rotation::Disable, Rotation::Wait]),
        compromised in any::<bool>(),
    ) {
        let quarantine = compromised.then(|| "AWSCompromisedKeyQuarantineV3".to_owned());
        let seen = Observation { keys, path: "/".into(), quarantine, ..Observation::default() };
        let lead = Lead {
            place: Place::new("111122223333", "us-east-1"),
            subject: "ci".into(),
            cause: Cause::sweep(),
            actor: Actor::default(),
            detail: Detail::default(),
        };
        // Whatever people were told before of keys that have been changed since.
        let announced = seen.keys.iter().map(|key| {
            let change = Change::Deactivate { key: key.name.clone(), ground: Ground::Age, successor: None, compromised };
            (change.key(), before(30 * DAY))
        });
        let standing = Standing { announced: announced.collect(), ..Standing::default() };
        let settings = Settings { rotation, ..Settings::default() };
        let verdict = decide(&lead, &seen, &settings, now(), &standing);
        prop_assert_eq!(verdict.ruling, Ruling::Safe, "{}", verdict.why);
    }
}
