//! The requests that leave the function, byte for byte, and what it makes of AWS's answers.

use std::sync::{Arc, Mutex};

use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use jiff::Timestamp;
use tourniquet::sdk::offline;
use tourniquet::{Change as _, Consent, Lead, Place, Reverted, clock};

use super::*;
use crate::change::{Change, Ground};
use crate::event::{Detail, lead};
use crate::key::KeyName;
use crate::settings::{Exempt, Settings};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const OTHER: &str = "AKIAI44QH8DHBEXAMPLE";
pub(super) const OLD: &str = "2024-01-31T10:00:00Z";

pub(super) type Requests = Arc<Mutex<Vec<String>>>;

/// Clients whose requests are kept, answered by `answer` from the operation's name and the whole request.
pub(super) fn recording(
    answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static,
) -> (Clients, Requests) {
    let requests: Requests = Arc::default();
    let kept = Arc::clone(&requests);
    let http = infallible_client_fn(move |request| {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let fields: Vec<&str> = body.split('&').filter(|f| !f.starts_with("Version=")).collect();
        let action = fields.first().copied().unwrap_or_default().trim_start_matches("Action=").to_owned();
        kept.lock().unwrap().push(format!("{host} {}", fields.join(" ")));
        let (status, body) = answer(&action, &body);
        http::Response::builder().status(status).body(SdkBody::from(body)).unwrap()
    });
    (Clients::new(&offline(http, "eu-central-1", None)), requests)
}

pub(super) fn taken(requests: &Requests) -> Vec<String> {
    std::mem::take(&mut *requests.lock().unwrap())
}

/// How often each operation was called.
pub(super) fn count(requests: &Requests, action: &str) -> usize {
    let wanted = format!("Action={action}");
    requests.lock().unwrap().iter().filter(|r| r.split(' ').any(|part| part == wanted)).count()
}

pub(super) fn place() -> Place {
    Place::new("111122223333", "eu-central-1")
}

pub(super) fn ci() -> Lead<Detail> {
    lead(&place(), "ci", vec![]).unwrap()
}

fn old_name() -> KeyName {
    KeyName::of(ID, OLD.parse().unwrap())
}

fn deactivate(compromised: bool) -> Change {
    Change::Deactivate { key: old_name(), ground: Ground::Age, successor: None, compromised }
}

pub(super) fn ok(action: &str, result: &str) -> (u16, String) {
    (200, format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"))
}

pub(super) fn error(status: u16, code: &str, message: &str) -> (u16, String) {
    (
        status,
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        ),
    )
}

fn listed(id: &str, status: &str, created: &str) -> String {
    format!(
        "<member><UserName>ci</UserName><AccessKeyId>{id}</AccessKeyId><Status>{status}</Status><CreateDate>{created}</CreateDate></member>"
    )
}

fn keys_of(members: &str) -> (u16, String) {
    ok(
        "ListAccessKeys",
        &format!("<AccessKeyMetadata>{members}</AccessKeyMetadata><IsTruncated>false</IsTruncated>"),
    )
}

pub(super) fn user(name: &str) -> String {
    format!(
        "<Path>/ci/</Path><UserName>{name}</UserName><UserId>AIDACKCEVSQ6C2EXAMPLE</UserId><Arn>arn:aws:iam::111122223333:user/ci/{name}</Arn><CreateDate>{OLD}</CreateDate>"
    )
}

fn policies(members: &str) -> (u16, String) {
    ok("ListAttachedUserPolicies", &format!("<AttachedPolicies>{members}</AttachedPolicies>"))
}

fn policy(owner: &str, name: &str) -> String {
    format!(
        "<member><PolicyName>{name}</PolicyName><PolicyArn>arn:aws:iam::{owner}:policy/{name}</PolicyArn></member>"
    )
}

/// A user with one old key, last used for SES.
pub(super) fn plain(action: &str, _request: &str) -> (u16, String) {
    match action {
        "ListAccessKeys" => keys_of(&listed(ID, "Active", OLD)),
        "GetUser" => ok(
            action,
            &format!(
                "<User>{}<Tags><member><Key>team</Key><Value>mail</Value></member></Tags></User>",
                user("ci")
            ),
        ),
        "GetAccessKeyLastUsed" => ok(
            action,
            "<UserName>ci</UserName><AccessKeyLastUsed><LastUsedDate>2026-10-01T08:00:00Z</LastUsedDate><ServiceName>ses</ServiceName><Region>eu-west-1</Region></AccessKeyLastUsed>",
        ),
        "ListGroupsForUser" => ok(
            action,
            &format!(
                "<Groups><member><Path>/</Path><GroupName>mailers</GroupName><GroupId>AGPA1</GroupId><Arn>arn:aws:iam::111122223333:group/mailers</Arn><CreateDate>{OLD}</CreateDate></member></Groups>"
            ),
        ),
        "ListAttachedUserPolicies" => policies(""),
        other => ok(other, ""),
    }
}

async fn observed(
    answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static,
    settings: &Settings,
) -> (Result<Option<crate::observation::Observation>, Error>, Requests) {
    let (clients, requests) = recording(answer);
    (observe(&clients, &ci(), settings).await, requests)
}

#[tokio::test]
async fn every_change_sends_exactly_these_requests() {
    let (clients, requests) = recording(plain);
    apply(&clients, &ci(), &deactivate(false)).await.unwrap();
    let applied = taken(&requests).join("\n  ");
    let (clients, requests) = recording(|action, request| match action {
        "ListAccessKeys" => keys_of(&listed(ID, "Inactive", OLD)),
        other => plain(other, request),
    });
    let done = revert(&clients, &ci(), &deactivate(false), Consent::Plain).await.unwrap();
    let reverted = taken(&requests).join("\n  ");
    insta::assert_snapshot!(format!(
        "{}\n  {applied}\ntaken back: {done:?}\n  {reverted}",
        deactivate(false).key()
    ));
}

#[tokio::test]
async fn k7_a_key_that_is_gone_rotated_or_inactive_by_now_is_not_touched() {
    for members in [
        String::new(),
        listed(OTHER, "Active", "2024-01-31T10:00:01Z"),
        listed(ID, "Inactive", OLD),
        listed("AKIAI44QH8DHBOTHER01", "Active", OLD),
    ] {
        let (clients, requests) = recording(move |_, _| keys_of(&members));
        apply(&clients, &ci(), &deactivate(false)).await.unwrap();
        assert_eq!((count(&requests, "ListAccessKeys"), count(&requests, "UpdateAccessKey")), (1, 0));
    }
    let gone = |_: &str, _: &str| error(404, "NoSuchEntity", "The user with name ci cannot be found.");
    let (clients, _) = recording(gone);
    apply(&clients, &ci(), &deactivate(false)).await.unwrap();
    assert_eq!(observe(&clients, &ci(), &Settings::default()).await.unwrap(), None);
    let (clients, requests) = recording(move |action, request| match action {
        "UpdateAccessKey" => error(404, "NoSuchEntity", "gone between list and change"),
        other => plain(other, request),
    });
    apply(&clients, &ci(), &deactivate(false)).await.unwrap();
    assert_eq!(count(&requests, "UpdateAccessKey"), 1);
    for read in ["GetUser", "ListAttachedUserPolicies", "GetAccessKeyLastUsed"] {
        let (seen, _) = observed(
            move |action, request| {
                if action == read { gone(action, request) } else { plain(action, request) }
            },
            &Settings::default(),
        )
        .await;
        assert_eq!(seen.unwrap(), None, "{read}");
    }
}

#[tokio::test]
async fn two_keys_that_cannot_be_told_apart_are_left() {
    let twins = listed(ID, "Active", OLD) + &listed(OTHER, "Active", OLD);
    let (clients, requests) = recording(move |_, _| keys_of(&twins));
    let error = apply(&clients, &ci(), &deactivate(false)).await.unwrap_err();
    assert!(error.to_string().contains("last four characters"), "{error}");
    assert_eq!(count(&requests, "UpdateAccessKey"), 0);
}

#[tokio::test]
async fn k10_what_decides_and_what_an_owner_needs_is_read_side_by_side() {
    let (seen, requests) = observed(plain, &Settings::default()).await;
    let seen = seen.unwrap().unwrap();
    let used = seen.keys[0].used.clone().unwrap();
    assert_eq!((used.service.as_str(), used.region.as_str()), ("ses", "eu-west-1"));
    assert_eq!((seen.path.as_str(), seen.tags["team"].as_str(), seen.quarantine), ("/ci/", "mail", None));
    assert_eq!(seen.groups, Vec::<String>::new());
    let mut calls = taken(&requests);
    calls.sort();
    insta::assert_snapshot!(calls.join("\n"));
}

#[tokio::test]
async fn k14_a_user_without_old_keys_costs_one_call_and_groups_are_read_by_setting_only() {
    let recent = clock::now().to_string();
    let (seen, requests) =
        observed(move |_, _| keys_of(&listed(ID, "Active", &recent)), &Settings::default()).await;
    assert!(seen.unwrap().unwrap().keys[0].active);
    assert_eq!(taken(&requests).len(), 1);
    let (_, requests) = observed(|_, _| keys_of(&listed(ID, "Inactive", OLD)), &Settings::default()).await;
    assert_eq!(taken(&requests).len(), 1);
    let exempt =
        Exempt { glob: "x".into(), reason: "r".into(), owner: "o".into(), until: "2099-01-01".into() };
    let settings = Settings { exempt_groups: vec![exempt], ..Settings::default() };
    let (seen, requests) = observed(plain, &settings).await;
    assert_eq!(seen.unwrap().unwrap().groups, ["mailers"]);
    assert_eq!(taken(&requests).len(), 5);
}

#[tokio::test]
async fn k3_a_key_that_was_never_used_has_no_last_use() {
    let (seen, _) = observed(
        |action, request| match action {
            "GetAccessKeyLastUsed" => ok(action, "<UserName>ci</UserName><AccessKeyLastUsed><ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed>"),
            other => plain(other, request),
        },
        &Settings::default(),
    )
    .await;
    assert_eq!(seen.unwrap().unwrap().keys[0].used, None);
}

#[tokio::test]
async fn k2_all_pages_of_keys_and_policies_are_read() {
    let (seen, _) = observed(
        |action, request| {
            let second = request.contains("Marker=m");
            let next = if second { "" } else { "<IsTruncated>true</IsTruncated><Marker>m</Marker>" };
            match action {
                "ListAccessKeys" => {
                    let key = if second {
                        listed(ID, "Active", OLD)
                    } else {
                        listed(OTHER, "Inactive", "2026-01-01T00:00:00Z")
                    };
                    ok(action, &format!("<AccessKeyMetadata>{key}</AccessKeyMetadata>{next}"))
                }
                "ListAttachedUserPolicies" => {
                    let name = if second {
                        policy("aws", "AWSCompromisedKeyQuarantineV2")
                    } else {
                        policy("aws", "ReadOnlyAccess")
                    };
                    ok(action, &format!("<AttachedPolicies>{name}</AttachedPolicies>{next}"))
                }
                other => plain(other, request),
            }
        },
        &Settings::default(),
    )
    .await;
    let seen = seen.unwrap().unwrap();
    assert_eq!(seen.keys.iter().map(|k| k.active).collect::<Vec<_>>(), [true, false], "oldest first");
    assert_eq!(seen.quarantine.as_deref(), Some("AWSCompromisedKeyQuarantineV2"));
}

#[tokio::test]
async fn k13_only_policies_of_aws_itself_are_a_quarantine() {
    for (owner, name, quarantined) in [
        ("aws", "AWSCompromisedKeyQuarantine", true),
        ("aws", "AWSCompromisedKeyQuarantineV3", true),
        ("aws", "AWSCompromisedKeyQuarantineV4", true),
        ("aws", "AWSCompromisedKeyQuarantineReport", false),
        ("111122223333", "AWSCompromisedKeyQuarantineV3", false),
        ("aws", "AdministratorAccess", false),
    ] {
        let (seen, _) = observed(
            move |action, request| match action {
                "ListAttachedUserPolicies" => policies(&policy(owner, name)),
                other => plain(other, request),
            },
            &Settings::default(),
        )
        .await;
        assert_eq!(seen.unwrap().unwrap().quarantine.is_some(), quarantined, "{owner} {name}");
    }
}

#[tokio::test]
async fn k15_g10_a_denied_read_is_an_error_that_names_the_action() {
    for read in ["ListAccessKeys", "GetUser", "ListAttachedUserPolicies", "GetAccessKeyLastUsed"] {
        let (seen, _) = observed(
            move |action, request| {
                if action == read { error(403, "AccessDenied", "no") } else { plain(action, request) }
            },
            &Settings::default(),
        )
        .await;
        let problem = seen.unwrap_err();
        assert_eq!(problem.kind(), "Denied");
        assert!(problem.to_string().starts_with(&format!("iam:{read}: AccessDenied")), "{problem}");
    }
}

#[tokio::test]
async fn g17_k12_no_error_observation_or_record_holds_a_whole_id() {
    let words = format!("User may not touch access key {ID} of user ci");
    for call in
        ["ListAccessKeys", "GetAccessKeyLastUsed", "UpdateAccessKey", "GetUser", "ListAttachedUserPolicies"]
    {
        let words = words.clone();
        let (clients, _) = recording(move |action, request| {
            if action == call { error(403, "AccessDenied", &words) } else { plain(action, request) }
        });
        let read = observe(&clients, &ci(), &Settings::default()).await.map(|_| ());
        let made = apply(&clients, &ci(), &deactivate(false)).await;
        let problem = read.and(made).unwrap_err().to_string();
        assert!(problem.contains("…MPLE") && !problem.contains(ID), "{problem}");
    }
    let (seen, _) = observed(plain, &Settings::default()).await;
    assert!(!format!("{seen:?}").contains(ID));
    let record = serde_json::to_string(&tourniquet::plan::Recorded::of(&deactivate(true))).unwrap();
    assert!(record.contains("MPLE") && !record.contains("EXAMPLE"), "{record}");
}

#[tokio::test]
async fn k17_undo_never_activates_what_is_marked_as_compromised() {
    let inactive = |quarantine: &'static str| {
        move |action: &str, request: &str| match action {
            "ListAccessKeys" => keys_of(&listed(ID, "Inactive", OLD)),
            "ListAttachedUserPolicies" => policies(quarantine),
            other => plain(other, request),
        }
    };
    let marked = "<member><PolicyName>AWSCompromisedKeyQuarantineV3</PolicyName><PolicyArn>arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3</PolicyArn></member>";
    for (quarantine, compromised) in [(marked, false), (marked, true), ("", true)] {
        let (clients, requests) = recording(inactive(quarantine));
        let change = deactivate(compromised);
        let done = revert(&clients, &ci(), &change, Consent::Explicit).await.unwrap();
        assert!(matches!(&done, Reverted::Refused(why) if why.contains("compromised")), "{done:?}");
        assert_eq!(revert(&clients, &ci(), &change, Consent::Look).await.unwrap(), done);
        assert_eq!(count(&requests, "UpdateAccessKey"), 0);
    }
    let (clients, requests) = recording(inactive(""));
    let look = revert(&clients, &ci(), &deactivate(false), Consent::Look).await.unwrap();
    assert!(look == Reverted::Restored && count(&requests, "UpdateAccessKey") == 0, "a look changes nothing");
    assert_eq!(
        revert(&clients, &ci(), &deactivate(false), Consent::Plain).await.unwrap(),
        Reverted::Restored
    );
    assert_eq!(count(&requests, "UpdateAccessKey"), 1);
}

#[tokio::test]
async fn k17_undo_refuses_on_drift_and_does_nothing_the_second_time() {
    let (clients, requests) = recording(plain);
    assert_eq!(
        revert(&clients, &ci(), &deactivate(false), Consent::Plain).await.unwrap(),
        Reverted::AlreadyThere
    );
    assert_eq!(count(&requests, "UpdateAccessKey"), 0);
    let (clients, requests) = recording(|_, _| keys_of(&listed(ID, "Inactive", "2025-01-31T10:00:00Z")));
    assert!(matches!(
        revert(&clients, &ci(), &deactivate(false), Consent::Plain).await.unwrap(),
        Reverted::Drifted { .. }
    ));
    assert_eq!(count(&requests, "UpdateAccessKey"), 0);
}

#[test]
fn law_7_every_change_comes_back_from_its_record() {
    let since: Timestamp = OLD.parse().unwrap();
    for change in [
        deactivate(true),
        Change::Deactivate {
            key: old_name(),
            ground: Ground::Unused(since),
            successor: Some(old_name()),
            compromised: false,
        },
    ] {
        let text = serde_json::to_string(&tourniquet::plan::Recorded::of(&change).change).unwrap();
        assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), change);
    }
}
