//! Events that others recorded, and events that nobody should send, one after the other into one process of the function.
//!
//! The recorded ones are not part of the project: they are read from `TOURNIQUET_EVENTS`, or from `shared/events` beside
//! the project's root, and without them the test says so and passes. None may end in a panic or change anything in the
//! account, and none may leave anything behind that the next one sees.

#![cfg(test)]

#[path = "events/attacks.rs"]
mod attacks;
#[path = "events/malformed.rs"]
mod malformed;
#[path = "events/others.rs"]
mod others;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use drill::account::Account;
use drill::function::{Function, Invocation};
use drill::scenario::{self, Scenario};
use drill::stage::Stage;
use drill::tools::Tools;
use serde_json::{Value, json};

use End::{Error, Gone, Ignored, Unread};

/// The account of the drill.
const HOME: &str = "111122223333";
/// What the good event between the bad ones is about.
const NOBODY: &str = "i-0000000000000dead";

/// A name, what is sent, and how it must end.
type Case = (String, Vec<u8>, End);

/// How an event must end.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Ignored, with these words in the reason.
    Ignored(&'static str),
    /// The instance does not exist in the account.
    Gone(&'static str, &'static str),
    /// Lambda's `errorType`, with these words in the message.
    Error(&'static str, &'static str),
    /// Not JSON: the Lambda runtime refuses it before the function sees it.
    Unread,
}

/// What a finding says first decides: archived and samples (E2), then its type (E4). All that remain are victims (E6) or
/// about something else than an instance (E7), so every one of them is ignored but for the one without any content.
const FINDINGS: [(&str, End); 16] = [
    ("guardduty-ec2__c7n__1", Ignored("sample")),
    ("guardduty-ec2__gdars__1", Ignored("Canary:EC2/Stateless.IntegTest is not in `finding_types`")),
    ("guardduty-ec2__gdsoar__1", Ignored("sample")),
    ("guardduty-ec2__gdsoar__2", Ignored("sample")),
    ("guardduty-ec2__gdsoar__3", Ignored("archived")),
    ("guardduty-ec2__gdsoar__4", Ignored("sample")),
    ("guardduty-ec2__web__1", Ignored("sample")),
    ("guardduty-iam__c7n__1", Ignored("sample")),
    ("guardduty-iam__gdars__1", Ignored("archived")),
    (
        "guardduty-iam__panther__1",
        Ignored("AttackSequence:IAM/CompromisedCredentials is not in `finding_types`"),
    ),
    ("guardduty-iam__panther__3", Ignored("sample")),
    ("guardduty-iam__panther__5", Ignored("sample")),
    ("guardduty-iam__panther__7", Ignored("sample")),
    ("guardduty-other__streamalert__1", Error("MalformedEvent", "detail.type: missing")),
    ("guardduty-s3__gdars__1", Ignored("archived")),
    ("guardduty-s3__panther__1", Ignored("sample")),
];

/// Neither EventBridge's events nor bare GuardDuty findings or CloudTrail records.
const STRANGERS: [&str; 3] = ["config-compliance__web__1", "macie__web__1", "macie__web__2"];

#[tokio::test]
async fn e1_e2_e4_e6_e7_recorded_events_end_as_they_should() {
    let Some(events) = recorded() else { return };
    let missing: Vec<_> =
        events.keys().filter(|name| name.starts_with("guardduty") && expected(name).is_none()).collect();
    assert!(missing.is_empty() && events.len() >= FINDINGS.len(), "not in the table: {missing:?}");
    let other = |name: &str, event: &Value| match event.get("account") {
        // Made up by hand: AWS sends the account as text (G16).
        Some(Value::Number(_)) => Error("MalformedEvent", "malformed event: account: invalid type"),
        _ if STRANGERS.contains(&name) => Error("MalformedEvent", "malformed event: detail: missing"),
        _ => Ignored("is not a GuardDuty finding"),
    };
    let recorded = events
        .iter()
        .map(|(name, event)| case(name, event, expected(name).unwrap_or_else(|| other(name, event))));
    let all = recorded.chain(revived(&events)).collect();
    play(all, accounts(&events)).await;
}

#[tokio::test]
async fn g14_g16_g28_malformed_events_are_clear_errors_and_leave_nothing_behind() {
    play(malformed::cases(), BTreeSet::new()).await;
}

/// Sends everything into one process, each followed by a good event, and looks at each end and at all calls.
async fn play(events: Vec<Case>, accounts: BTreeSet<String>) {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    assert_eq!(account.id, HOME);
    let stage = Stage::set(&tools, &account, &good(&accounts)).await.unwrap();
    let proxy = stage.proxy(Duration::ZERO).await.unwrap();
    let function = stage.function(&proxy).await.unwrap();
    let mut wrong = Vec::new();
    let after = stage.event.to_string().into_bytes();
    for (name, event, end) in events {
        send(&function, &name, event, end, &mut wrong).await;
        send(&function, &format!("after {name}"), after.clone(), Gone(NOBODY, HOME), &mut wrong).await;
    }
    let changes = proxy.calls().into_iter().filter(drill::call::Call::changes_the_account);
    wrong.extend(changes.map(|call| format!("{} was called", call.name)));
    function.stop(&account).await.unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A finding about an instance that does not exist, and a function that would contain it.
fn good(accounts: &BTreeSet<String>) -> Scenario {
    let scenario = json!({
        "title": "", "story": [], "function": "stop-instance",
        "config": {"mode": "enforce", "accounts": accounts},
        "event": {"fixture": "crypto-miner.json", "set": {"detail.resource.instanceDetails.instanceId": NOBODY}},
        "expect": {"outcome": "gone"}
    });
    serde_json::from_value(scenario).unwrap()
}

async fn send(function: &Function, name: &str, event: Vec<u8>, end: End, wrong: &mut Vec<String>) {
    let seen = function.send(event).await.unwrap();
    let panicked = seen.killed || seen.log.iter().any(|line| line.contains("panicked at"));
    if panicked || !is(&seen, end) {
        let ends: Vec<_> =
            seen.reports.iter().map(|r| (&r.outcome, &r.subject, &r.account, &r.why)).collect();
        wrong.push(format!("{name}: expected {end:?}, found {:?} {ends:?}", seen.error));
    }
}

fn is(seen: &Invocation, end: End) -> bool {
    let error = seen.error.as_ref().map(|e| (e.error_type.as_str(), e.error_message.as_str()));
    let [report] = seen.reports.as_slice() else {
        let unread = error.is_some_and(|(kind, _)| kind.ends_with("::DeserializeError"));
        return matches!(end, Unread) && seen.reports.is_empty() && unread;
    };
    let about = (report.outcome.as_str(), report.subject.as_deref(), report.account.as_deref());
    match (end, error) {
        (Ignored(words), None) => about == ("ignored", None, None) && report.why.contains(words),
        (Gone(instance, account), None) => about == ("gone", Some(instance), Some(account)),
        (Error(wanted, words), Some((kind, message))) => {
            about == ("failed", None, None) && kind == wanted && message.contains(words)
        }
        _ => false,
    }
}

fn recorded() -> Option<BTreeMap<String, Value>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/events");
    let folder = std::env::var_os("TOURNIQUET_EVENTS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!(
            "LEFT OUT: {} has no recorded events; TOURNIQUET_EVENTS names another folder",
            folder.display()
        );
        return None;
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let named =
        paths.filter_map(|path| Some((path.file_name()?.to_str()?.strip_suffix(".json")?.to_owned(), path)));
    Some(named.map(|(name, path)| (name, scenario::read(&path).unwrap())).collect())
}

fn expected(name: &str) -> Option<End> {
    FINDINGS.iter().find(|(file, _)| *file == name).map(|(_, end)| *end)
}

/// The accounts that the recorded findings name. One has thirteen digits.
fn accounts(events: &BTreeMap<String, Value>) -> BTreeSet<String> {
    let findings = events.iter().filter(|(name, _)| name.starts_with("guardduty"));
    let named = findings.flat_map(|(_, event)| {
        ["/account", "/accountId", "/detail/accountId"].iter().filter_map(|at| event.pointer(at)?.as_str())
    });
    named.filter(|account| account.len() == 12 && *account != HOME).map(str::to_owned).collect()
}

/// Recorded findings as if they were neither samples nor archived: in the API's spelling, bare and in an envelope; of a
/// victim; and of an actor in a member account whose finding came over its administrator's bus.
fn revived(events: &BTreeMap<String, Value>) -> Vec<Case> {
    let mut exported = events["guardduty-ec2__gdsoar__3"].clone();
    exported["account"] = json!(HOME);
    exported["detail"]["AccountId"] = json!(HOME);
    exported["detail"]["Service"]["Archived"] = json!(false);
    exported["detail"]["Service"]["AdditionalInfo"]["Value"] = json!("{}");
    let mut victim = events["guardduty-ec2__c7n__1"].clone();
    victim["detail"]["service"]["additionalInfo"]["sample"] = json!(false);
    let mut actor = victim.clone();
    actor["detail"]["service"]["resourceRole"] = json!("ACTOR");
    let owner = "883606788610";
    assert_eq!(actor["detail"]["accountId"], owner);
    assert_ne!(actor["account"], owner);
    vec![
        case("a bare export", &exported["detail"], Gone("i-99999999", HOME)),
        case("an export in an envelope", &exported, Gone("i-99999999", HOME)),
        case("a victim", &victim, Ignored("TARGET")),
        case("an actor in a member account", &actor, Gone("i-99999999", owner)),
    ]
}

fn case(name: &str, event: &Value, end: End) -> Case {
    (name.to_owned(), event.to_string().into_bytes(), end)
}
