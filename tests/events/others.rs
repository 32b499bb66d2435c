//! The recorded events through the functions that answer API calls, Config, Macie and the like, in an account that has none
//! of the resources: which are answered, where and about what, and why the others are not.

use std::collections::BTreeMap;

use drill::account::Account;
use drill::running::Running;
use drill::scenario::{self, Scenario};
use drill::tools::Tools;
use serde_json::{Value, json};

use super::recorded;

/// The events that a function looks into, and what becomes of them: the outcome, the subject, words of the reason.
type Looked = (&'static str, &'static str, &'static str, &'static str);

#[tokio::test]
async fn r_recorded_events_of_security_groups_end_as_they_should() {
    let gone = "does not exist";
    let looked = [
        ("sg-authorizeingress__panther__2", "gone", "sg-0d921df5d84f7270a", gone),
        ("sg-authorizeingress__stratus__1", "gone", "sg-003dc7f1f1c686164", gone),
        ("sg-createsecuritygroup__panther__1", "gone", "sg-04d018d184a18f647", gone),
    ];
    play("revoke-open-ingress", &looked).await;
}

#[tokio::test]
async fn s_recorded_events_of_buckets_end_as_they_should() {
    let gone = "does not exist";
    let looked = [
        (
            "s3-accountpublicaccessblock__streamalert__1",
            "observed",
            "123456789123",
            "was removed or weakened",
        ),
        ("s3-createbucket__awsdocs-cwe__1", "gone", "bucket-test-iad", gone),
        ("s3-createbucket__c7n__1", "gone", "custodian-create-bucket-v4", gone),
        ("s3-createbucket__c7n__2", "gone", "cwe-test", gone),
        ("s3-publicaccessblock__panther__1", "gone", "corporate-documents", gone),
        ("s3-publicaccessblock__panther__3", "gone", "corporate-documents", gone),
        ("s3-putbucketacl__panther__1", "gone", "bucket", gone),
        ("s3-putbucketpolicy__panther__1", "gone", "example-bucket", gone),
        ("s3-putbucketpolicy__streamalert__1", "gone", "test", gone),
    ];
    play("block-public-bucket", &looked).await;
}

#[tokio::test]
async fn c_recorded_events_of_trails_end_as_they_should() {
    // Each names a trail that the account does not have, and of which no sweep has taken a baseline.
    let lost = "no baseline tells what it was";
    let looked = [
        ("cloudtrail-deletetrail__panther__1", "observed", "example-trail", lost),
        (
            "cloudtrail-deletetrail__stratus__1",
            "observed",
            "stratus-red-team-cloudtraild-trail-kvrwohmiai",
            lost,
        ),
        ("cloudtrail-puteventselectors__panther__1", "observed", "sample-cloudtrail-name", lost),
        (
            "cloudtrail-puteventselectors__stratus__1",
            "observed",
            "stratus-red-team-ctes-trail-khlvciwdor",
            lost,
        ),
        ("cloudtrail-stoplogging__panther__1", "observed", "example-trail", lost),
        ("cloudtrail-stoplogging__stratus__1", "observed", "stratus-red-team-ct-stop-trail-buykxbqejv", lost),
        ("cloudtrail-updatetrail__panther__1", "observed", "management-events", lost),
        // A trail could have kept its logs there.
        ("s3-putbucketpolicy__panther__1", "already-safe", "example-bucket", "no trail uses it"),
        ("s3-putbucketpolicy__streamalert__1", "already-safe", "test", "no trail uses it"),
    ];
    play("restore-trail", &looked).await;
}

#[tokio::test]
async fn k_recorded_events_are_no_trigger_of_keys() {
    play("disable-old-keys", &[]).await;
}

/// Sends every recorded event; those that are not listed must end ignored, or malformed where they are.
async fn play(function: &str, looked: &[Looked]) {
    let Some(events) = recorded() else { return };
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let running = Running::on_stage(&tools, &account, &stage(function, &events)).await.unwrap();
    let mut wrong = Vec::new();
    for (name, event) in &events {
        let seen = running.function.invoke(&in_a_region(event)).await.unwrap();
        let panicked = seen.killed || seen.log.iter().any(|line| line.contains("panicked at"));
        let ends: Vec<_> =
            seen.reports.iter().map(|r| format!("{} {:?} {}", r.outcome, r.subject, r.why)).collect();
        let expected = looked.iter().find(|(file, ..)| file == name);
        let right = match (expected, seen.reports.as_slice()) {
            _ if panicked => false,
            (Some((_, outcome, subject, words)), [report]) => {
                report.outcome == *outcome
                    && report.subject.as_deref().unwrap_or_default() == *subject
                    && report.why.contains(words)
            }
            (None, [report]) if report.outcome == "ignored" => report.subject.is_none(),
            // Made up by hand: AWS sends the account as text; some are no events at all.
            (None, [_]) => {
                seen.error.as_ref().is_some_and(|e| e.error_type == "MalformedEvent")
                    && is_malformed(name, event)
            }
            _ => false,
        };
        if !right {
            wrong.push(format!("{name}: expected {expected:?}, found {ends:?} {:?}", seen.error));
        }
    }
    assert_eq!(running.changes(), Vec::<String>::new());
    running.stop().await.unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with an event that nobody can answer: an account that is a number, a placeholder for a name, a field that
/// AWS always sends.
fn is_malformed(name: &str, event: &Value) -> bool {
    event.get("account").is_some_and(Value::is_number)
        || super::STRANGERS.contains(&name)
        || UNANSWERABLE.contains(&name)
}

/// A finding without a type; placeholders for a bucket and for a trail; a call without the account that owns the bucket.
const UNANSWERABLE: [&str; 6] = [
    "guardduty-other__streamalert__1",
    "s3-publicaccessblock__streamalert__1",
    "s3-putbucketpolicy__panther__5",
    "cloudtrail-stoplogging__streamalert__1",
    "cloudtrail-updatetrail__streamalert__1",
    "consolelogin__awsdocs-ct__1",
];

/// Whoever made a recorded event anonymous made regions up, some in partitions that AWS keeps apart.
fn in_a_region(event: &Value) -> Value {
    let mut event = event.clone();
    if let Some(region) = event.get_mut("awsRegion").filter(|r| r.as_str().is_some_and(|r| r.ends_with('r')))
    {
        *region = json!("eu-west-1");
    }
    event
}

/// The function at work in an empty account, with every account that the events name.
fn stage(function: &str, events: &BTreeMap<String, Value>) -> Scenario {
    let named = events.values().flat_map(|event| {
        ["/account", "/recipientAccountId", "/detail/recipientAccountId", "/accountId", "/detail/accountId"]
            .iter()
            .filter_map(|at| event.pointer(at)?.as_str().map(str::to_owned))
    });
    let accounts: std::collections::BTreeSet<String> =
        named.filter(|account| account.len() == 12 && account != super::HOME).collect();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut scenario = scenario::model(&folder, function).unwrap();
    scenario.config.insert("mode".to_owned(), json!("enforce"));
    scenario.config.insert("accounts".to_owned(), json!(accounts));
    scenario.given.clear();
    scenario.attack.clear();
    scenario.event = scenario::Event { sweep: true, ..scenario::Event::default() };
    scenario
}
