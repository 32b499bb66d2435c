//! Trails that record little, or otherwise than others do, and are as they always were. A few thousand are made up in each
//! run; `PROPTEST_CASES` asks for more.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tourniquet::actor::Actor;
use tourniquet::{Cause, Place};

use super::*;
use crate::observation::{Bucket, BucketState};
use crate::policy::Delivery;
use crate::selectors::{Basic, Data, Selectors};
use crate::trail::{Insight, TrailSettings};

fn selectors() -> impl Strategy<Value = Selectors> {
    let buckets =
        prop::sample::subsequence(vec!["arn:aws:s3:::a/", "arn:aws:s3:::b/logs", "arn:aws:s3"], 0..=3);
    let data = buckets.prop_map(|values| match values.as_slice() {
        [] => vec![],
        values => vec![Data {
            kind: "AWS::S3::Object".into(),
            values: values.iter().map(|v| (*v).to_owned()).collect(),
        }],
    });
    let excluded = prop::sample::subsequence(
        vec!["kms.amazonaws.com".to_owned(), "rdsdata.amazonaws.com".to_owned()],
        0..=2,
    );
    // Management events of some kind, so that it is one that records.
    let basic = (prop::sample::select(vec!["All", "WriteOnly"]), excluded, data).prop_map(
        |(read_write, excluded, data)| Basic {
            read_write: read_write.into(),
            management: true,
            excluded,
            data,
        },
    );
    prop::collection::vec(basic, 1..4).prop_map(|basic| Selectors { basic, advanced: vec![] })
}

fn trail_settings() -> impl Strategy<Value = TrailSettings> {
    let optional = prop::collection::btree_map(
        prop::sample::select(vec![Setting::Prefix, Setting::Key, Setting::Topic, Setting::LogGroup]),
        "[a-z]{1,8}",
        0..4,
    );
    (optional, any::<bool>(), any::<bool>()).prop_map(|(mut settings, regions, validation)| {
        settings.insert(Setting::Bucket, "audit-logs".to_owned());
        settings.insert(Setting::MultiRegion, regions.to_string());
        settings.insert(Setting::Validation, validation.to_string());
        TrailSettings(settings)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(2_000), ..ProptestConfig::default() })]

    #[test]
    fn innocent_trails_are_left_alone(
        selectors in selectors(),
        more in prop::option::of(selectors()),
        settings in trail_settings(),
        watched in any::<bool>(),
        known in any::<bool>(),
        event in any::<bool>(),
    ) {
        let insights = if watched { vec![Insight { kind: "ApiCallRateInsight".into(), categories: vec![] }] } else { vec![] };
        let baseline = Baseline { trail: settings.clone(), selectors: selectors.clone(), insights: insights.clone(), tags: BTreeMap::new() };
        // Whoever records more than before has not weakened it.
        let mut now = selectors;
        now.basic.extend(more.into_iter().flat_map(|more| more.basic));
        let bucket = Bucket { name: "audit-logs".into(), state: BucketState::There, policy: Some(Delivery::Possible), shortest: None };
        let trail = Trail {
            logging: true,
            settings: Some(settings),
            selectors: Some(now),
            insights: Some(insights),
            bucket: Some(bucket),
            ..Trail::default()
        };
        let seen = Observation { tags: BTreeMap::new(), full: true, unread: vec![], seen: Seen::Trail(Box::new(trail)) };
        let cause = if event { Cause { what: "PutEventSelectors".into(), key: "e1".into() } } else { Cause::sweep() };
        let lead = Lead {
            place: Place::new("111122223333", "eu-central-1"),
            subject: "audit".into(),
            cause,
            actor: Actor::default(),
            detail: Detail::Trail { arn: "arn:aws:cloudtrail:eu-central-1:111122223333:trail/audit".into() },
        };
        let standing = Standing { baseline: known.then_some(baseline), ..Standing::default() };
        let verdict = decide(&lead, &seen, &Settings::default(), &standing);
        prop_assert!(!matches!(verdict.ruling, Ruling::Act(_) | Ruling::Announce(_)), "{}", verdict.why);
        if known {
            prop_assert_eq!(verdict.ruling, Ruling::Safe, "{}", verdict.why);
        }
    }
}
