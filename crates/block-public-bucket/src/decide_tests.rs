use std::collections::BTreeMap;

use proptest::prelude::*;
use tourniquet::actor::Actor;
use tourniquet::plan::Recorded;
use tourniquet::{Cause, Change as _, Place};

use super::*;
use crate::acl::{Acl, Grant};
use crate::observation::Point;

const PUBLIC: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Everybody","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}"#;
const SHARED: &str = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}"#;

fn lead() -> Lead<Detail> {
    Lead {
        place: Place::new("111122223333", "eu-central-1"),
        subject: "customer-exports".into(),
        cause: Cause { what: "PutBucketPolicy".into(), key: "e1".into() },
        actor: Actor::default(),
        detail: Detail::Bucket,
    }
}

fn everybody() -> Grant {
    let uri = Some("http://acs.amazonaws.com/groups/global/AllUsers".into());
    Grant { kind: "Group".into(), uri, permission: "READ".into(), ..Grant::default() }
}

fn acl(public: bool) -> Acl {
    let owner = Grant {
        kind: "CanonicalUser".into(),
        id: Some("owner".into()),
        permission: "FULL_CONTROL".into(),
        ..Grant::default()
    };
    let grants = if public { vec![owner, everybody()] } else { vec![owner] };
    Acl { owner: Some("owner".into()), owner_name: None, grants }
}

/// A bucket without any block, with ACLs on, and nothing public.
fn open() -> Bucket {
    Bucket {
        region: "eu-central-1".into(),
        block: None,
        rest: Some(Rest {
            account: Ok(None),
            status: Ok(None),
            policy: Ok(None),
            acl: Ok(acl(false)),
            owner_enforced: Ok(false),
            points: Ok(Vec::new()),
            website: false,
        }),
    }
}

fn with(change: impl Fn(&mut Rest)) -> Bucket {
    let mut bucket = open();
    change(bucket.rest.as_mut().unwrap());
    bucket
}

fn published() -> Bucket {
    with(|rest| {
        rest.policy = Ok(Some(PUBLIC.into()));
        rest.status = Ok(Some(true));
    })
}

fn point(public: bool) -> Point {
    Point { name: "front".into(), public }
}

fn judge(bucket: &Bucket, settings: &Settings) -> Verdict<Change> {
    judge_in(bucket, settings, &Standing::default())
}

fn judge_in(bucket: &Bucket, settings: &Settings, standing: &Standing) -> Verdict<Change> {
    let seen = Observation { tags: BTreeMap::new(), seen: Seen::Bucket(Box::new(bucket.clone())) };
    decide(&lead(), &seen, settings, standing)
}

fn plain(bucket: &Bucket) -> Verdict<Change> {
    judge(bucket, &Settings::default())
}

fn surgical_settings() -> Settings {
    Settings { surgical: true, ..Settings::default() }
}

fn keys(verdict: &Verdict<Change>) -> Vec<String> {
    match &verdict.ruling {
        Ruling::Act(steps) => steps.iter().map(|step| step.change.key()).collect(),
        _ => Vec::new(),
    }
}

fn noted(verdict: &Verdict<Change>, part: &str) -> bool {
    verdict.notes.iter().any(|note| note.contains(part))
}

const IGNORE: Block = Block { block_acls: false, ignore_acls: true, block_policy: false, restrict: false };
const RESTRICT: Block = Block { block_acls: false, ignore_acls: false, block_policy: false, restrict: true };
const NEW_ONLY: Block = Block { block_acls: true, ignore_acls: false, block_policy: true, restrict: false };

#[test]
fn s1_each_way_in_makes_a_bucket_public_and_each_block_ends_its_own() {
    let by_acl = with(|rest| rest.acl = Ok(acl(true)));
    let by_point = with(|rest| rest.points = Ok(vec![point(true)]));
    for (name, bucket, ended_by, not_by) in [
        ("policy", published(), RESTRICT, IGNORE),
        ("acl", by_acl, IGNORE, RESTRICT),
        ("point", by_point, RESTRICT, IGNORE),
    ] {
        assert_eq!(keys(&plain(&bucket)), ["block"], "{name}");
        for (block, ends) in [(ended_by, true), (Block::FULL, true), (not_by, false), (NEW_ONLY, false)] {
            let own = Bucket { block: Some(block), ..bucket.clone() };
            assert_eq!(plain(&own).ruling == Ruling::Safe, ends, "{name}: own {block}");
            let mut by_account = bucket.clone();
            by_account.rest.as_mut().unwrap().account = Ok(Some(block));
            assert_eq!(plain(&by_account).ruling == Ruling::Safe, ends, "{name}: the account's {block}");
        }
    }
    assert_eq!(plain(&open()).ruling, Ruling::Safe);
}

#[test]
fn s1_s3s_own_verdict_wins_over_ours() {
    let says_no = with(|rest| {
        rest.policy = Ok(Some(PUBLIC.into()));
        rest.status = Ok(Some(false));
    });
    assert_eq!(plain(&says_no).ruling, Ruling::Safe);
    let says_yes = with(|rest| {
        rest.policy = Ok(Some(SHARED.into()));
        rest.status = Ok(Some(true));
    });
    assert_eq!(keys(&plain(&says_yes)), ["block"]);
    let unread = with(|rest| {
        rest.policy = Ok(Some(PUBLIC.into()));
        rest.status = Err("s3:GetBucketPolicyStatus: AccessDenied".into());
    });
    assert_eq!(keys(&plain(&unread)), ["block"]);
    let shared = with(|rest| {
        rest.policy = Ok(Some(SHARED.into()));
        rest.status = Err("s3:GetBucketPolicyStatus: AccessDenied".into());
    });
    assert_eq!(plain(&shared).ruling, Ruling::Safe);
}

#[test]
fn s2_all_four_are_put_on_and_nothing_that_is_on_is_turned_off() {
    for before in [None, Some(Block::default()), Some(NEW_ONLY), Some(IGNORE)] {
        let bucket = Bucket { block: before, ..published() };
        let Ruling::Act(steps) = plain(&bucket).ruling else { panic!("{before:?}") };
        assert_eq!(steps[0].change, Change::Block { region: "eu-central-1".into(), before });
        assert_eq!(steps[0].change.after(), "all four on");
    }
    let full = Bucket { block: Some(Block::FULL), ..published() };
    assert_eq!(plain(&full).ruling, Ruling::Safe);
}

#[test]
fn s2_a_bucket_without_its_block_is_safe_while_nothing_is_public_unless_the_block_is_required() {
    assert_eq!(plain(&open()).ruling, Ruling::Safe);
    let required = Settings { require_block: true, ..Settings::default() };
    for block in [None, Some(NEW_ONLY), Some(IGNORE.and(RESTRICT))] {
        let bucket = Bucket { block, ..open() };
        let verdict = judge(&bucket, &required);
        assert_eq!(keys(&verdict), ["block"]);
        assert!(verdict.why.contains("require_block"));
    }
    assert_eq!(judge(&Bucket { block: Some(Block::FULL), ..open() }, &required).ruling, Ruling::Safe);
}

#[test]
fn s7_acls_do_not_count_where_the_owner_is_enforced() {
    let enforced = with(|rest| {
        rest.acl = Ok(acl(true));
        rest.owner_enforced = Ok(true);
    });
    assert_eq!(plain(&enforced).ruling, Ruling::Safe);
    let unknown = with(|rest| {
        rest.acl = Ok(acl(true));
        rest.owner_enforced = Err("s3:GetBucketOwnershipControls: AccessDenied".into());
    });
    assert_eq!(keys(&plain(&unknown)), ["block"], "in doubt they count");
}

#[test]
fn s8_the_report_says_that_a_website_was_served() {
    let mut site = published();
    site.rest.as_mut().unwrap().website = true;
    assert!(noted(&plain(&site), "website was served"));
    assert!(!noted(&plain(&published()), "website"));
}

#[test]
fn s8_the_report_says_what_a_block_for_new_things_does_not_do_and_whom_else_the_answer_keeps_out() {
    let block = |block_acls, block_policy| Block { block_acls, block_policy, ..Block::default() };
    for (before, says) in [
        (None, false),
        (Some(Block::default()), false),
        (Some(IGNORE), false),
        (Some(block(true, false)), true),
        (Some(block(false, true)), true),
    ] {
        let bucket = Bucket { block: before, ..published() };
        assert_eq!(noted(&plain(&bucket), "refuses what is new and public"), says, "{before:?}");
    }
    let others = "keeps out other accounts that the same policy names";
    assert!(noted(&plain(&published()), others));
    assert!(!noted(&judge(&published(), &surgical_settings()), others));
    assert!(!noted(&plain(&with(|rest| rest.acl = Ok(acl(true)))), others), "no policy, nobody named");
}

#[test]
fn s11_the_report_says_where_the_bucket_is_if_the_event_did_not() {
    let moved = Bucket { region: "ap-northeast-1".into(), ..published() };
    assert!(
        noted(&plain(&moved), "the bucket is in ap-northeast-1")
            && !noted(&plain(&published()), "the bucket is in")
    );
}

#[test]
fn s13_the_accounts_block_is_restored_only_where_the_settings_say_so() {
    let restore = Settings { restore_account_block: true, ..Settings::default() };
    let judge = |block, settings: &Settings| {
        let seen = Observation { tags: BTreeMap::new(), seen: Seen::Account(block) };
        decide(&lead(), &seen, settings, &Standing::default())
    };
    for block in [None, Some(NEW_ONLY)] {
        let left = judge(block, &Settings::default());
        assert_eq!(left.ruling, Ruling::Leave(Outcome::Observed));
        assert!(left.why.contains("restore_account_block"));
        assert_eq!(keys(&judge(block, &restore)), ["restore-account-block"]);
    }
    assert_eq!(judge(Some(Block::FULL), &Settings::default()).ruling, Ruling::Safe);
}

#[test]
fn s14_a_block_that_aws_does_not_show_is_judged_and_no_error() {
    let seen = Observation { tags: BTreeMap::new(), seen: Seen::Managed("AccessDenied".into()) };
    assert_eq!(
        decide(&lead(), &seen, &Settings::default(), &Standing::default()).ruling,
        Ruling::Leave(Outcome::Observed)
    );
    let hidden = Err("s3:GetAccountPublicAccessBlock: AccessDenied".to_owned());
    let mut public = published();
    public.rest.as_mut().unwrap().account = hidden.clone();
    let verdict = plain(&public);
    assert!(keys(&verdict) == ["block"] && noted(&verdict, "the account's block could not be read"));
    assert_eq!(plain(&with(|rest| rest.account = hidden.clone())).ruling, Ruling::Safe);
}

#[test]
fn s15_what_is_locked_is_a_failure_that_names_the_action_unless_the_rest_is_enough() {
    let locked = |rest: &mut Rest| {
        rest.policy = Err("s3:GetBucketPolicy: AccessDenied".into());
        rest.status = Err("s3:GetBucketPolicyStatus: AccessDenied".into());
    };
    let verdict = plain(&with(locked));
    assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Failed));
    assert!(verdict.why.contains("s3:GetBucketPolicy: AccessDenied"));
    let by_acl = with(|rest| {
        locked(rest);
        rest.acl = Ok(acl(true));
    });
    let verdict = plain(&by_acl);
    assert!(keys(&verdict) == ["block"] && noted(&verdict, "not judged: s3:GetBucketPolicy"));
    let blocked = Bucket { block: Some(Block::FULL), ..with(locked) };
    assert_eq!(plain(&blocked).ruling, Ruling::Safe);
}

#[test]
fn s20_access_points_and_object_acls_are_named() {
    let verdict = plain(&with(|rest| rest.points = Ok(vec![point(false), point(true)])));
    assert!(verdict.why.contains("through the access point front"));
    let mut acls_count = published();
    acls_count.rest.as_mut().unwrap().owner_enforced = Ok(false);
    assert!(noted(&judge(&acls_count, &surgical_settings()), "an object may still be public"));
    acls_count.rest.as_mut().unwrap().owner_enforced = Ok(true);
    assert!(!noted(&judge(&acls_count, &surgical_settings()), "an object may still be public"));
}

#[test]
fn law_6_the_surgical_answer_takes_out_just_what_is_public() {
    let mut both = published();
    both.rest.as_mut().unwrap().acl = Ok(acl(true));
    let Ruling::Act(steps) = judge(&both, &surgical_settings()).ruling else { panic!() };
    let [policy, list] = steps.as_slice() else { panic!("{steps:?}") };
    assert!(matches!(&policy.change, Change::TrimPolicy { before, after: None, .. } if before == PUBLIC));
    assert!(
        matches!(&list.change, Change::TrimAcl { before, after, .. } if *before == acl(true) && *after == acl(false))
    );
}

#[test]
fn s20_what_cannot_be_taken_out_alone_is_answered_with_the_block() {
    let unread = with(|rest| {
        rest.status = Ok(Some(true));
        rest.policy = Err("s3:GetBucketPolicy: AccessDenied".into());
    });
    let judged_otherwise = with(|rest| {
        rest.status = Ok(Some(true));
        rest.policy = Ok(Some(SHARED.into()));
    });
    let through_point = with(|rest| rest.points = Ok(vec![point(true)]));
    for bucket in [unread, judged_otherwise, through_point] {
        let verdict = judge(&bucket, &surgical_settings());
        assert!(
            keys(&verdict) == ["block"] && noted(&verdict, "the block was put on instead"),
            "{verdict:?}"
        );
    }
}

#[test]
fn s16_s3s_verdict_may_follow_the_trimmed_policy_with_a_delay() {
    let lagging = with(|rest| {
        rest.status = Ok(Some(true));
        rest.policy = Ok(Some(SHARED.into()));
    });
    let change = Change::TrimPolicy {
        region: "eu-central-1".into(),
        statements: vec!["\"Everybody\"".into()],
        before: PUBLIC.into(),
        after: None,
    };
    let standing = Standing { begun: true, planned: vec![Recorded::of(&change)], ..Standing::default() };
    assert_eq!(judge_in(&lagging, &surgical_settings(), &standing).ruling, Ruling::Wait);
}

fn any_block() -> impl Strategy<Value = Option<Block>> {
    prop::option::of(any::<[bool; 4]>().prop_map(|[block_acls, ignore_acls, block_policy, restrict]| Block {
        block_acls,
        ignore_acls,
        block_policy,
        restrict,
    }))
}

fn any_bucket() -> impl Strategy<Value = Bucket> {
    let policies = prop::option::of(prop::sample::select(vec![PUBLIC, SHARED]));
    let denied = || prop::bool::weighted(0.1);
    let unread = (denied(), denied(), denied(), denied());
    (any_block(), any_block(), policies, any::<[bool; 4]>(), unread).prop_map(
        |(block, account, policy, [acl_public, enforced, point_public, website], unread)| {
            let denied = |yes: bool| if yes { Err("AccessDenied".to_owned()) } else { Ok(()) };
            Bucket {
                region: "eu-central-1".into(),
                block,
                rest: Some(Rest {
                    account: denied(unread.0).map(|()| account),
                    status: denied(unread.1).map(|()| policy.map(|text| text == PUBLIC)),
                    policy: denied(unread.2).map(|()| policy.map(str::to_owned)),
                    acl: denied(unread.3).map(|()| acl(acl_public)),
                    owner_enforced: Ok(enforced),
                    points: Ok(vec![point(point_public)]),
                    website,
                }),
            }
        },
    )
}

/// What the bucket looks like after AWS has carried a plan out.
fn carried_out(bucket: &Bucket, steps: &[Step<Change>]) -> Bucket {
    let mut after = bucket.clone();
    let rest = after.rest.as_mut().unwrap();
    for step in steps {
        match &step.change {
            Change::Block { .. } => after.block = Some(Block::FULL),
            Change::TrimAcl { after: list, .. } => rest.acl = Ok(list.clone()),
            Change::TrimPolicy { after: text, .. } => {
                rest.policy = Ok(text.clone());
                rest.status = Ok(text.as_ref().map(|text| !Policy::parse(text).unwrap().public().is_empty()));
            }
            Change::RestoreAccountBlock { .. } => rest.account = Ok(Some(Block::FULL)),
        }
    }
    after
}

proptest! {
    #[test]
    fn law_4_carrying_plans_out_ends_in_safe(mut bucket in any_bucket(), surgical in any::<bool>(), require_block in any::<bool>()) {
        let settings = Settings { surgical, require_block, ..Settings::default() };
        for round in 0.. {
            let verdict = judge(&bucket, &settings);
            match &verdict.ruling {
                Ruling::Safe => break,
                // What cannot be read and is not known to be public stays a failure until it can be read.
                Ruling::Leave(Outcome::Failed) => return Ok(()),
                Ruling::Act(steps) => {
                    prop_assert!(!steps.is_empty());
                    bucket = carried_out(&bucket, steps);
                }
                other => prop_assert!(false, "{other:?}"),
            }
            prop_assert!(round < 3, "no end: {:?}", keys(&verdict));
        }
        prop_assert!(!Exposure::of(&bucket).is_public());
        prop_assert!(!require_block || bucket.block == Some(Block::FULL));
    }

    #[test]
    fn s3_what_is_public_stays_so_with_the_settings_that_only_refuse_what_is_new(bucket in any_bucket()) {
        let plain = Exposure::of(&bucket).is_public();
        let refused = Bucket { block: Some(bucket.block.unwrap_or_default().and(NEW_ONLY)), ..bucket };
        prop_assert_eq!(Exposure::of(&refused).is_public(), plain);
    }

    #[test]
    fn s2_more_block_never_makes_a_bucket_public(bucket in any_bucket(), more in any_block()) {
        let blocked = Bucket { block: Some(bucket.block.unwrap_or_default().and(more.unwrap_or_default())), ..bucket.clone() };
        prop_assert!(Exposure::of(&bucket).is_public() || !Exposure::of(&blocked).is_public());
    }
}
