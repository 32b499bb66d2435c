use std::collections::BTreeMap;

use proptest::prelude::*;
use tourniquet::actor::Actor;
use tourniquet::exemption::{Exemption, Source};
use tourniquet::{Cause, Change as _, Place};

use super::*;
use crate::observation::{Bucket, BucketState, DeliveryError, Destination, KeyState};
use crate::policy::Delivery;
use crate::selectors::{Basic, Selectors};
use crate::trail::{Insight, TrailSettings};

const ARN: &str = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/audit";

fn lead(what: &str) -> Lead<Detail> {
    Lead {
        place: Place::new("111122223333", "eu-central-1"),
        subject: "audit".into(),
        cause: Cause { what: what.into(), key: "e1".into() },
        actor: Actor::default(),
        detail: Detail::Trail { arn: ARN.into() },
    }
}

fn all() -> Selectors {
    let one = Basic { read_write: "All".into(), management: true, excluded: vec![], data: vec![] };
    Selectors { basic: vec![one], advanced: vec![] }
}

fn trail_settings() -> TrailSettings {
    let values =
        [(Setting::Bucket, "audit-logs"), (Setting::MultiRegion, "true"), (Setting::Validation, "true")];
    TrailSettings(values.map(|(s, v)| (s, v.to_owned())).into())
}

fn insight() -> Insight {
    Insight { kind: "ApiCallRateInsight".into(), categories: vec![] }
}

fn bucket() -> Bucket {
    Bucket {
        name: "audit-logs".into(),
        state: BucketState::There,
        policy: Some(Delivery::Possible),
        shortest: None,
    }
}

fn healthy() -> Trail {
    Trail {
        logging: true,
        settings: Some(trail_settings()),
        selectors: Some(all()),
        insights: Some(vec![insight()]),
        bucket: Some(bucket()),
        ..Trail::default()
    }
}

fn whole(seen: Seen) -> Observation {
    Observation { tags: BTreeMap::new(), full: true, unread: vec![], seen }
}

fn of(trail: Trail) -> Observation {
    whole(Seen::Trail(Box::new(trail)))
}

fn kept() -> Baseline {
    Baseline {
        trail: trail_settings(),
        selectors: all(),
        insights: vec![insight()],
        tags: [("team".to_owned(), "security".to_owned())].into(),
    }
}

fn known() -> Standing<Baseline> {
    Standing { baseline: Some(kept()), ..Standing::default() }
}

fn decided(seen: &Observation, standing: &Standing<Baseline>) -> Verdict<Change> {
    decide(&lead("StopLogging"), seen, &Settings::default(), standing)
}

fn keys(verdict: &Verdict<Change>) -> Vec<String> {
    match &verdict.ruling {
        Ruling::Act(steps) => {
            let mut steps = steps.clone();
            steps.sort_by_key(|s| s.wave);
            steps.iter().map(|s| s.change.key()).collect()
        }
        _ => Vec::new(),
    }
}

fn scoped(scope: &str) -> Standing<Baseline> {
    let exemption = Exemption {
        subject: "audit".into(),
        region: "*".into(),
        scope: Some(scope.into()),
        reason: "agreed".into(),
        owner: "sec".into(),
        expires: "2099-01-01T00:00:00Z".parse().unwrap(),
        source: Source::Journal,
    };
    Standing { scoped: vec![exemption], ..known() }
}

/// What the account looks like after AWS has carried a plan out.
fn carried_out(seen: &Observation, verdict: &Verdict<Change>) -> Observation {
    let Ruling::Act(steps) = &verdict.ruling else { return seen.clone() };
    let mut steps = steps.clone();
    steps.sort_by_key(|s| s.wave);
    let mut tags = seen.tags.clone();
    let mut trail = match &seen.seen {
        Seen::Trail(trail) => (**trail).clone(),
        _ => Trail { bucket: Some(bucket()), insights: Some(vec![]), ..Trail::default() },
    };
    for step in steps {
        match step.change {
            Change::Create { baseline } => {
                trail.settings = Some(baseline.trail);
                trail.selectors = Some(all());
                tags = baseline.tags;
            }
            Change::Restart { .. } => trail.logging = true,
            Change::RestoreSettings { differences, .. } => {
                for d in differences {
                    trail.settings.as_mut().unwrap().0.insert(d.setting, d.then);
                }
            }
            Change::RestoreSelectors { then, .. } => trail.selectors = Some(then),
            Change::RestoreInsights { then, .. } => trail.insights = Some(then),
            Change::StartIngestion => {}
            Change::Mark { cause } => {
                tags.insert(TAG_RESTARTED.into(), cause);
            }
        }
    }
    Observation { tags, ..of(trail) }
}

#[test]
fn c4_a_trail_that_is_logging_as_it_did_is_safe() {
    assert_eq!(decided(&of(healthy()), &known()).ruling, Ruling::Safe);
}

#[test]
fn c6_law_2_the_restart_comes_first_and_needs_nothing_but_the_status() {
    let stopped = Observation {
        full: false,
        unread: vec!["cloudtrail:GetTrail: AccessDenied".into()],
        ..of(Trail::default())
    };
    assert_eq!(keys(&decided(&stopped, &Standing::default())), ["start-logging"]);
    let mut worse = healthy();
    worse.logging = false;
    worse.settings = Some(TrailSettings([(Setting::Bucket, "elsewhere".to_owned())].into()));
    worse.selectors = Some(Selectors::default());
    worse.insights = Some(vec![]);
    assert_eq!(
        keys(&decided(&of(worse), &known())),
        [
            "start-logging",
            "restore-settings destination",
            "restore-settings coverage",
            "restore-event-selectors",
            "restore-insight-selectors",
        ]
    );
}

#[test]
fn c6_the_reason_names_what_was_changed_and_nothing_else() {
    let mut elsewhere = healthy();
    elsewhere.settings.as_mut().unwrap().0.insert(Setting::Bucket, "elsewhere".to_owned());
    let verdict = decided(&of(elsewhere), &known());
    assert_eq!(keys(&verdict), ["restore-settings destination"]);
    assert!(verdict.why.contains("is elsewhere, was audit-logs"), "{}", verdict.why);
    assert_eq!(verdict.why.matches(", was ").count(), 1, "{}", verdict.why);
}

#[test]
fn c6_what_cannot_be_read_is_an_error_only_after_the_restart() {
    let unread =
        Observation { unread: vec!["cloudtrail:GetTrail: AccessDenied: no".into()], ..of(healthy()) };
    let verdict = decided(&unread, &known());
    assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Failed));
    assert!(verdict.why.contains("cloudtrail:GetTrail: AccessDenied"));
    let begun = Standing { begun: true, ..known() };
    assert_eq!(decided(&unread, &begun).ruling, Ruling::Leave(Outcome::Partial));
}

#[test]
fn c9_a_deleted_trail_is_created_before_anything_that_needs_it() {
    let verdict = decided(&whole(Seen::NoTrail), &known());
    assert_eq!(
        keys(&verdict),
        ["create-trail", "start-logging", "restore-event-selectors", "restore-insight-selectors"]
    );
    let Ruling::Act(steps) = &verdict.ruling else { panic!("{verdict:?}") };
    assert!(steps.iter().skip(1).all(|s| s.needs == ["create-trail"]));
}

#[test]
fn c9_without_a_baseline_a_deleted_trail_is_reported_with_the_command() {
    let verdict = decided(&whole(Seen::NoTrail), &Standing::default());
    assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Observed));
    assert!(verdict.why.contains("aws cloudtrail create-trail --region eu-central-1 --name audit"));
    let unrecorded = Standing { unrecorded: true, ..known() };
    assert_eq!(decided(&whole(Seen::NoTrail), &unrecorded).ruling, Ruling::Leave(Outcome::Failed));
}

#[test]
fn c3_a_trail_of_another_account_is_reported_and_never_changed() {
    let foreign = Lead {
        detail: Detail::Trail { arn: ARN.replace("111122223333", "999900009999") },
        ..lead("StopLogging")
    };
    let verdict = decide(&foreign, &whole(Seen::Foreign), &Settings::default(), &known());
    assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Observed));
    assert!(verdict.why.contains("belongs to account 999900009999, seen from 111122223333"));
}

#[test]
fn c10_c11_each_failed_delivery_is_partial_and_says_what_to_mend() {
    for (to, said) in [
        (Destination::Bucket, "log files cannot be delivered to the bucket audit-logs (X): mend the bucket"),
        (Destination::Digest, "digest files cannot be delivered to the bucket audit-logs (X)"),
        (Destination::Topic, "cannot be told of log files (X): mend the topic"),
        (Destination::LogGroup, "cannot be delivered to the log group"),
    ] {
        let errors = vec![DeliveryError { to, code: "X".into() }];
        let verdict = decided(&of(Trail { errors, ..healthy() }), &known());
        assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Partial), "{to:?}");
        assert!(verdict.why.contains(said), "{}", verdict.why);
    }
}

#[test]
fn c10_what_loses_logs_is_partial_and_what_does_not_is_reported() {
    let with = |bucket: Bucket| decided(&of(Trail { bucket: Some(bucket), ..healthy() }), &known());
    for (seen, outcome, said) in [
        (Bucket { state: BucketState::Gone, policy: None, ..bucket() }, Outcome::Partial, "does not exist"),
        (Bucket { policy: Some(Delivery::NotAllowed), ..bucket() }, Outcome::Partial, "does not allow"),
        (Bucket { policy: Some(Delivery::Denied), ..bucket() }, Outcome::Partial, "denies CloudTrail"),
        (
            Bucket { state: BucketState::Refused, policy: None, ..bucket() },
            Outcome::Observed,
            "bucket_owners",
        ),
        (Bucket { shortest: Some(("r".into(), 3)), ..bucket() }, Outcome::Observed, "after 3 days"),
    ] {
        let verdict = with(seen);
        assert_eq!(verdict.ruling, Ruling::Leave(outcome), "{said}");
        assert!(verdict.why.contains(said), "{}", verdict.why);
    }
    assert_eq!(with(Bucket { shortest: Some(("r".into(), 90)), ..bucket() }).ruling, Ruling::Safe);
    for (state, said) in
        [("Disabled", "enable-key"), ("PendingDeletion", "cancel-key-deletion"), ("NotFound", "another key")]
    {
        let key = Some(KeyState { key: "k".into(), state: state.into() });
        let verdict = decided(&of(Trail { key, ..healthy() }), &known());
        assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Partial));
        assert!(verdict.why.contains(said), "{}", verdict.why);
    }
}

#[test]
fn c10_after_our_own_change_a_short_retention_is_a_note_and_the_trail_is_contained() {
    let short =
        of(Trail { bucket: Some(Bucket { shortest: Some(("r".into(), 1)), ..bucket() }), ..healthy() });
    let verdict = decided(&short, &Standing { begun: true, ..known() });
    assert_eq!(verdict.ruling, Ruling::Safe);
    assert!(verdict.notes[0].contains("after 1 days"));
}

#[test]
fn c14_only_a_trail_that_logs_delivers_and_records_is_a_baseline() {
    assert_eq!(baseline(&of(healthy())).unwrap(), Baseline { tags: BTreeMap::new(), ..kept() });
    for unfit in [
        Trail { logging: false, ..healthy() },
        Trail { errors: vec![DeliveryError { to: Destination::Topic, code: "X".into() }], ..healthy() },
        Trail { selectors: Some(Selectors::default()), ..healthy() },
        Trail { settings: None, ..healthy() },
        Trail { insights: None, ..healthy() },
        Trail { bucket: Some(Bucket { state: BucketState::Gone, ..bucket() }), ..healthy() },
        Trail { key: Some(KeyState { key: "k".into(), state: "Disabled".into() }), ..healthy() },
    ] {
        assert_eq!(baseline(&of(unfit.clone())), None, "{unfit:?}");
    }
    assert_eq!(baseline(&Observation { full: false, ..of(healthy()) }), None);
    assert_eq!(baseline(&Observation { unread: vec!["x".into()], ..of(healthy()) }), None);
    assert_eq!(baseline(&whole(Seen::NoTrail)), None);
}

#[test]
fn c14_a_trail_that_records_no_changes_is_reported_until_somebody_agrees() {
    let mut reads = healthy();
    reads.selectors.as_mut().unwrap().basic[0].read_write = "ReadOnly".into();
    let verdict = decided(&of(reads.clone()), &Standing::default());
    assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Observed));
    let agreed = Standing { baseline: None, ..scoped("selectors") };
    let verdict = decided(&of(reads), &agreed);
    assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Exempt));
    assert!(verdict.why.contains("agreed (owner: sec)"));
}

#[test]
fn c14_a_change_before_the_first_sweep_is_reported_as_unjudged() {
    for what in ["UpdateTrail", "PutEventSelectors", "PutInsightSelectors"] {
        let verdict = decide(&lead(what), &of(healthy()), &Settings::default(), &Standing::default());
        assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Observed), "{what}");
        assert!(verdict.why.contains("no baseline tells what it was"));
    }
    assert_eq!(decided(&of(healthy()), &Standing::default()).ruling, Ruling::Safe);
}

#[test]
fn c15_exemptions_of_a_part_leave_that_part_alone() {
    let mut less = healthy();
    less.selectors.as_mut().unwrap().basic[0].read_write = "WriteOnly".into();
    assert_eq!(keys(&decided(&of(less.clone()), &known())), ["restore-event-selectors"]);
    assert_eq!(decided(&of(less), &scoped("selectors")).ruling, Ruling::Leave(Outcome::Exempt));
    assert_eq!(decided(&of(healthy()), &scoped("selectors")).ruling, Ruling::Safe, "nothing is wrong");
    let broken =
        Trail { errors: vec![DeliveryError { to: Destination::Bucket, code: "X".into() }], ..healthy() };
    assert_eq!(decided(&of(broken.clone()), &scoped("delivery")).ruling, Ruling::Leave(Outcome::Exempt));
    assert_eq!(decided(&of(broken), &scoped("retention")).ruling, Ruling::Leave(Outcome::Partial));
}

#[test]
fn c16_ingestion_that_was_stopped_is_started() {
    let store = |status: &str| decided(&whole(Seen::Store(status.into())), &Standing::default());
    assert_eq!(keys(&store("STOPPED_INGESTION")), ["start-ingestion"]);
    assert!(matches!(store("STOPPING_INGESTION").ruling, Ruling::Wait));
    assert_eq!(store("ENABLED").ruling, Ruling::Safe);
    assert_eq!(store("STARTING_INGESTION").ruling, Ruling::Safe);
    assert_eq!(store("PENDING_DELETION").ruling, Ruling::Leave(Outcome::Observed));
}

#[test]
fn g21_without_a_journal_the_restart_leaves_a_mark_from_which_the_record_is_made() {
    let stopped = of(Trail { logging: false, selectors: Some(Selectors::default()), ..healthy() });
    let unrecorded = Standing { unrecorded: true, ..known() };
    let verdict = decided(&stopped, &unrecorded);
    assert_eq!(keys(&verdict), ["start-logging", "mark"]);
    let Ruling::Act(steps) = &verdict.ruling else { panic!("{verdict:?}") };
    assert_eq!(steps[1].needs, ["start-logging"]);
    let after = carried_out(&stopped, &verdict);
    let recovered: Vec<String> = recover(&lead("StopLogging"), &after).into_iter().map(|r| r.key).collect();
    assert_eq!(recovered, ["start-logging", "mark"]);
    // Somebody else's restart is not ours, nor is ours for another cause.
    assert!(recover(&lead("StopLogging"), &of(healthy())).is_empty());
    let other = Lead { cause: Cause { what: "StopLogging".into(), key: "e2".into() }, ..lead("StopLogging") };
    assert!(recover(&other, &after).is_empty());
    let later = carried_out(&after, &decided(&after, &known()));
    assert!(!baseline(&later).unwrap().tags.contains_key(TAG_RESTARTED));
}

#[test]
fn g21_a_store_that_ingests_again_is_known_by_the_mark_that_we_left() {
    let lead = lead("StopEventDataStoreIngestion");
    let recovered = |status: &str, cause: &str| -> Vec<String> {
        let tags = BTreeMap::from([(TAG_RESTARTED.to_owned(), cause.to_owned())]);
        let seen = Observation { tags, ..whole(Seen::Store(status.into())) };
        recover(&lead, &seen).into_iter().map(|recorded| recorded.key).collect()
    };
    let ours = lead.cause.digest();
    for status in ["ENABLED", "STARTING_INGESTION"] {
        assert_eq!(recovered(status, &ours), ["start-ingestion", "mark"]);
        assert_eq!(recovered(status, "0123456789"), [""; 0]);
    }
    assert_eq!(recovered("STOPPED_INGESTION", &ours), [""; 0]);
}

#[test]
fn c10_a_bucket_or_key_is_reported_with_the_trails_that_use_it() {
    let users = vec![User { arn: ARN.into(), errors: vec![] }];
    let of = |seen: Seen| {
        let lead = Lead { subject: "audit-logs".into(), detail: Detail::Bucket, ..lead("DeleteBucket") };
        decide(&lead, &whole(seen), &Settings::default(), &Standing::default())
    };
    let gone = Bucket { state: BucketState::Gone, policy: None, ..bucket() };
    let verdict = of(Seen::Bucket(gone, users.clone()));
    assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Partial));
    assert!(verdict.why.contains("does not exist") && verdict.why.contains(ARN), "{}", verdict.why);
    assert_eq!(of(Seen::Bucket(bucket(), users.clone())).ruling, Ruling::Safe);
    assert_eq!(of(Seen::Unused).ruling, Ruling::Safe);
    let disabled = KeyState { key: "k".into(), state: "Disabled".into() };
    assert_eq!(of(Seen::Key(disabled, users)).ruling, Ruling::Leave(Outcome::Partial));

    // What its trails cannot deliver is told once, with the bucket's name, unless the reason is known.
    let error = DeliveryError { to: Destination::Bucket, code: "AccessDenied".into() };
    let failing = vec![
        User { arn: ARN.into(), errors: vec![error.clone()] },
        User { arn: ARN.into(), errors: vec![error] },
    ];
    let told = |bucket: Bucket| of(Seen::Bucket(bucket, failing.clone())).why;
    let undelivered = "cannot be delivered to the bucket audit-logs (AccessDenied)";
    assert_eq!(told(bucket()).matches(undelivered).count(), 1, "{}", told(bucket()));
    let gone = Bucket { state: BucketState::Gone, policy: None, ..bucket() };
    assert!(!told(gone.clone()).contains(undelivered), "{}", told(gone));
    let key = KeyState { key: "k".into(), state: "Enabled".into() };
    let verdict = of(Seen::Key(key, failing.clone()));
    assert!(verdict.why.contains("cannot be delivered to the bucket of the trail"), "{}", verdict.why);
    let topic = vec![User {
        arn: ARN.into(),
        errors: vec![DeliveryError { to: Destination::Topic, code: "X".into() }],
    }];
    let verdict = of(Seen::Bucket(bucket(), topic));
    assert!(verdict.why.contains("the topic of the trail cannot be told"), "{}", verdict.why);
}

#[test]
fn c8_a_kind_of_insights_that_was_added_since_stays() {
    let added = Insight { kind: "ApiErrorRateInsight".into(), ..insight() };
    let off = Trail { insights: Some(vec![added.clone()]), ..healthy() };
    let verdict = decided(&of(off), &known());
    let Ruling::Act(steps) = &verdict.ruling else { panic!("{verdict:?}") };
    let Change::RestoreInsights { then, .. } = &steps[0].change else { panic!("{verdict:?}") };
    assert_eq!(*then, [insight(), added]);
}

fn any_trail() -> impl Strategy<Value = Option<Trail>> {
    let setting = prop::sample::select(vec![
        Setting::Bucket,
        Setting::Prefix,
        Setting::Key,
        Setting::MultiRegion,
        Setting::Validation,
        Setting::Topic,
        Setting::LogGroup,
    ]);
    let settings = prop::collection::btree_map(setting, "(true|false|x)", 0..7).prop_map(TrailSettings);
    let read_write = prop::sample::select(vec!["All", "ReadOnly", "WriteOnly"]);
    let trail = (any::<bool>(), settings, read_write, any::<bool>(), any::<bool>()).prop_map(
        |(logging, settings, read_write, management, insights)| Trail {
            logging,
            settings: Some(settings),
            selectors: Some(Selectors {
                basic: vec![Basic {
                    read_write: read_write.into(),
                    management,
                    excluded: vec![],
                    data: vec![],
                }],
                advanced: vec![],
            }),
            insights: Some(if insights { vec![insight()] } else { vec![] }),
            bucket: Some(bucket()),
            ..Trail::default()
        },
    );
    prop::option::of(trail)
}

proptest! {
    #[test]
    fn law_4_every_plan_ends_in_a_trail_that_is_safe(trail in any_trail()) {
        let seen = trail.map_or(whole(Seen::NoTrail), of);
        let verdict = decided(&seen, &known());
        let after = carried_out(&seen, &verdict);
        let again = decided(&after, &Standing { begun: true, ..known() });
        prop_assert_eq!(again.ruling, Ruling::Safe);
    }

    #[test]
    fn c15_no_plan_ever_weakens_a_trail(trail in any_trail()) {
        let seen = trail.map_or(whole(Seen::NoTrail), of);
        let verdict = decided(&seen, &known());
        if let (Seen::Trail(before), Seen::Trail(after)) = (&seen.seen, &carried_out(&seen, &verdict).seen) {
            prop_assert!(after.logging || !before.logging);
        }
    }
}
