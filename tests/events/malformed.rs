//! Events that nobody should send: a good finding with one thing wrong, and what is no event at all.
//!
//! Each has its error, which names the field. The largest that EventBridge delivers is among them, and is answered.

use drill::scenario;
use serde_json::{Value, json};

use super::End::{Error, Gone, Unread};
use super::{Case, HOME, NOBODY, case};

pub(super) fn cases() -> Vec<Case> {
    let mut all = strangers();
    all.extend(wrong_fields());
    all.extend(nested());
    all
}

fn bad(words: &'static str) -> super::End {
    Error("MalformedEvent", words)
}

fn strangers() -> Vec<Case> {
    let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let truncated = finding().to_string().split_at(700).0.to_owned();
    let texts = [
        ("null", bad("event: expected an object, found null")),
        ("[]", bad("event: expected an object, found a list")),
        ("\"x\"", bad("event: expected an object, found a string")),
        ("{}", bad("detail: missing")),
        (r#"{"detail-type": "GuardDuty Finding", "source": "aws.guardduty"}"#, bad("detail: missing")),
        (r#"{"detail": {}}"#, bad("detail-type: missing")),
        ("", Unread),
        ("{", Unread),
        (&truncated, Unread),
    ];
    let mut all: Vec<Case> =
        texts.iter().map(|(text, end)| ((*text).to_owned(), text.as_bytes().to_vec(), *end)).collect();
    all.push(("UTF-16".to_owned(), utf16, Unread));
    all.push(("Latin-1".to_owned(), b"{\"detail-type\": \"\xe9\"}".to_vec(), Unread));
    all
}

fn wrong_fields() -> Vec<Case> {
    let fields = [
        ("/detail", json!([]), bad("detail: expected an object, found a list")),
        ("/detail", json!("{}"), bad("detail: expected an object, found a string")),
        ("/detail-type", json!(1), bad("detail-type: ")),
        ("/source", json!(null), bad("source: ")),
        ("/detail/type", json!(7), bad("detail.type: ")),
        ("/detail/severity", json!("high"), bad("detail.severity: ")),
        ("/detail/resource", json!("x"), bad("detail.resource: ")),
        ("/detail/resource", json!([]), bad("detail.resource: ")),
        ("/detail/resource/instanceDetails", json!([]), bad("detail.resource.instanceDetails: ")),
        (
            "/detail/resource/instanceDetails/instanceId",
            json!(7),
            bad("detail.resource.instanceDetails.instanceId: "),
        ),
        (
            "/detail/resource/instanceDetails/instanceId",
            json!("i-../../x"),
            bad("instanceDetails.instanceId: "),
        ),
        ("/detail/service", json!([true]), bad("detail.service: ")),
        ("/detail/service/resourceRole", json!({}), bad("detail.service.resourceRole: ")),
        ("/detail/accountId", json!(111_122_223_333_u64), bad("detail.accountId: ")),
        ("/detail/accountId", json!("999999999999"), Error("UnknownAccount", "account 999999999999")),
        ("/account", json!("999999999999"), Error("UnknownAccount", "account 999999999999")),
        ("/detail/region", json!("nowhere"), bad("\"nowhere\" is not the code of a region")),
        ("/detail/region", json!("eu-central-1.example.com/"), bad("is not the code of a region")),
        ("/detail/region", json!(["eu-central-1"]), bad("detail.region: ")),
        // EventBridge's largest event.
        ("/detail/description", json!("\u{1f980}".repeat(63_000)), Gone(NOBODY, HOME)),
    ];
    let with = |(at, value, end): (&str, Value, super::End)| {
        let name = format!("{at} {:.40}", value.to_string());
        let mut event = finding();
        *event.pointer_mut(at).unwrap() = value;
        case(&name, &event, end)
    };
    fields.into_iter().map(with).collect()
}

/// As deep as 256 KB allow.
fn nested() -> Vec<Case> {
    let deep = format!("{}{}", "[".repeat(131_000), "]".repeat(131_000));
    let (before, behind) =
        (r#"{"detail-type":"GuardDuty Finding","source":"aws.guardduty","detail":{"type":"#, "}}");
    let inside = format!("{before}{deep}{behind}");
    [("nesting", deep), ("nesting in a finding", inside)]
        .map(|(name, text)| (name.to_owned(), text.into_bytes(), bad("event: recursion limit exceeded")))
        .to_vec()
}

fn finding() -> Value {
    let fixture =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/stop-instance/fixtures/match/crypto-miner.json");
    let mut event: Value = scenario::read(std::path::Path::new(fixture)).unwrap();
    event["detail"]["resource"]["instanceDetails"]["instanceId"] = json!(NOBODY);
    event
}
