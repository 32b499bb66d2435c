use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// One policy of the table, its verdict, and where the verdict comes from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    public: bool,
    source: String,
    because: String,
    #[serde(default)]
    policyuniverse_differs: Option<String>,
    policy: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    sources: BTreeMap<String, String>,
    policies: Vec<Row>,
}

fn table() -> Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/policies.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn row(name: &str) -> Row {
    table().policies.into_iter().find(|row| row.name == name).unwrap()
}

fn is_public(policy: &Value) -> bool {
    !Policy::parse(&policy.to_string()).unwrap().public().is_empty()
}

fn policy(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn everybody() -> Value {
    json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"})
}

#[test]
fn s1_s4_s5_s6_every_policy_of_the_table_has_its_verdict() {
    let table = table();
    assert!(table.policies.len() >= 60, "{}", table.policies.len());
    let mut names: Vec<&str> = table.policies.iter().map(|row| row.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), table.policies.len(), "a name is there twice");
    let mut wrong = Vec::new();
    for row in &table.policies {
        assert!(
            table.sources.contains_key(&row.source) && !row.because.is_empty(),
            "{}: no source",
            row.name
        );
        if is_public(&row.policy) != row.public {
            wrong.push(format!("{}: not {}, {} ({})", row.name, row.public, row.because, row.source));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The Python of the tools, which `scripts/test` makes.
fn python() -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let tools = std::env::var_os("TOURNIQUET_TOOLS").map_or_else(|| project.join(".tools"), PathBuf::from);
    let python = tools.join("venv/bin/python");
    assert!(
        python.exists(),
        "NOT COMPARED: there is no Python at {}, where policyuniverse would be; ./scripts/test makes it",
        python.display()
    );
    python
}

/// Its verdicts on a list of policies, `null` where it fails.
const POLICYUNIVERSE: &str = r#"
import json, sys
from policyuniverse.policy import Policy

def judged(policy):
    if isinstance(policy["Statement"], dict):
        policy["Statement"] = [policy["Statement"]]
    try:
        return Policy(policy).is_internet_accessible()
    except TypeError:
        return None

json.dump([judged(policy) for policy in json.load(sys.stdin)], sys.stdout)
"#;

/// What the simulated account answers as S3's own verdict.
const SIMULATED: &str = r"
import json, sys
sys.path.insert(0, sys.argv[1])
from simulated.buckets import is_public
json.dump([is_public(json.dumps(policy)) for policy in json.load(sys.stdin)], sys.stdout)
";

/// The verdicts of a Python program on every policy of the table.
fn verdicts_of(program: &str) -> Vec<(Row, Option<bool>)> {
    let table = table();
    let policies: Vec<&Value> = table.policies.iter().map(|row| &row.policy).collect();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let mut child = Command::new(python())
        .args(["-c", program])
        .arg(tests)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    serde_json::to_writer(child.stdin.take().unwrap(), &policies).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "NOT COMPARED: the Python program failed, see tests/requirements.txt");
    let verdicts: Vec<Option<bool>> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdicts.len(), table.policies.len());
    table.policies.into_iter().zip(verdicts).collect()
}

#[test]
fn s1_policyuniverse_agrees_where_the_table_does_not_say_why_not() {
    let mut wrong = Vec::new();
    for (row, verdict) in verdicts_of(POLICYUNIVERSE) {
        match (verdict == Some(row.public), &row.policyuniverse_differs) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(_)) => wrong.push(format!("{}: it agrees, and the table explains why not", row.name)),
            (false, None) => wrong.push(format!("{}: it says {verdict:?}, unexplained", row.name)),
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// AWS's page does not mention Deny, so the simulated verdict does not look at it.
#[test]
fn s1_the_simulated_verdict_is_that_of_the_table_but_for_deny() {
    let rows = verdicts_of(SIMULATED);
    let wrong: Vec<&str> = rows
        .iter()
        .filter(|(row, verdict)| *verdict != Some(row.public || row.source == "deny"))
        .map(|(row, _)| row.name.as_str())
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn s6_without_its_public_statements_a_policy_keeps_the_others_byte_for_byte() {
    let text = r#"{ "Version":"2030-01-01",  "Id" : "x", "Statement": [
        {"Sid":"Open","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"},
        {"Sid" : "Tls", "Effect":"Deny", "Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}},
        {"Effect":"Allow","Principal":{"AWS":"444455556666"},"NotAction":["s3:DeleteObject"],"Resource":"arn:aws:s3:::b/*"}]}"#;
    let policy = Policy::parse(text).unwrap();
    assert_eq!(policy.public(), ["\"Open\""]);
    let left = policy.without_public().unwrap();
    for kept in text.lines().skip(2).map(|line| line.trim().trim_end_matches(['}', ']', ','])) {
        assert!(left.contains(kept), "{kept}\n{left}");
    }
    assert!(
        left.contains(r#""Version":"2030-01-01""#) && left.contains(r#""Id":"x""#) && !left.contains("Open")
    );
    assert!(Policy::parse(&left).unwrap().public().is_empty());
}

#[test]
fn s6_a_policy_of_public_statements_alone_has_nothing_left() {
    assert_eq!(Policy::parse(&policy(&everybody()).to_string()).unwrap().without_public(), None);
    let denied = policy(
        &json!([everybody(), {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}]),
    );
    let left = Policy::parse(&denied.to_string()).unwrap().without_public().unwrap();
    assert!(left.contains("Deny") && !left.contains("Allow"));
}

#[test]
fn s4_statements_without_a_sid_are_named_by_their_place() {
    let two = policy(&json!([row("role").policy["Statement"][0], everybody()]));
    assert_eq!(Policy::parse(&two.to_string()).unwrap().public(), ["number 2"]);
}

#[test]
fn g16_what_is_no_policy_is_an_error_and_no_verdict() {
    for text in [
        "",
        "[]",
        "{",
        r#"{"Statement":[1]}"#,
        r#"{"Statement":[{"Principal":"*"}]}"#,
        r#"{"Statement":"x"}"#,
    ] {
        assert!(Policy::parse(text).is_err(), "{text}");
    }
    let problem = Policy::parse(r#"{"Statement":[{"Effect":"Deny"},{"Effect":7}]}"#).unwrap_err();
    assert!(problem.contains("statement 2"), "{problem}");
}

#[test]
fn s6_one_pattern_covers_another_only_if_it_covers_all_of_it() {
    for (pattern, other, expected) in [
        ("*", "s3:GetObject", true),
        ("s3:*", "s3:Get*", true),
        ("s3:Get*", "s3:GetObject", true),
        ("s3:*Object", "s3:GetObject", true),
        ("arn:aws:s3:::b/*/x*", "arn:aws:s3:::b/a/x/y", true),
        ("s3:Get*", "s3:*", false),
        ("s3:GetObject", "s3:Get*", false),
        ("s3:Get?", "s3:Get*", false),
        ("arn:aws:s3:::b/*/x", "arn:aws:s3:::b/x", false),
        ("ab*ba", "aba", false),
    ] {
        assert_eq!(covers(pattern, other), expected, "{pattern} {other}");
        assert_eq!(covers_action(&pattern.to_ascii_uppercase(), other), expected, "{pattern} {other}");
    }
}

#[test]
fn s6_a_deny_of_other_objects_does_not_cover_those_that_differ_by_a_capital() {
    let denied = |action: &str, resource: &str| {
        let deny = json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource});
        !is_public(&policy(&json!([everybody(), deny])))
    };
    assert!(denied("S3:getobject", "arn:aws:s3:::b/*"));
    assert!(!denied("s3:GetObject", "arn:aws:s3:::B/*") && !denied("s3:GetObject", "arn:AWS:s3:::b/*"));
}

/// Any statement of the table, so that every form meets every other.
fn any_statements() -> impl Strategy<Value = Vec<Value>> {
    let all: Vec<Value> = table()
        .policies
        .iter()
        .flat_map(|row| match &row.policy["Statement"] {
            Value::Array(statements) => statements.clone(),
            one => vec![one.clone()],
        })
        .collect();
    prop::collection::vec(prop::sample::select(all), 0..6)
}

proptest! {
    #[test]
    fn law_6_what_is_left_is_never_public_and_every_deny_stays(statements in any_statements()) {
        let denies = |text: &str| serde_json::from_str::<Value>(text).unwrap()["Statement"]
            .as_array().unwrap().iter().filter(|s| s["Effect"] == "Deny").cloned().collect::<Vec<_>>();
        let text = policy(&json!(statements)).to_string();
        let before = Policy::parse(&text).unwrap();
        match before.without_public() {
            Some(left) => {
                prop_assert!(Policy::parse(&left).unwrap().public().is_empty());
                prop_assert_eq!(denies(&left), denies(&text));
            }
            None => prop_assert!(denies(&text).is_empty()),
        }
    }

    #[test]
    fn s1_a_policy_is_public_as_soon_as_one_plain_statement_is(statements in any_statements(), at in 0_usize..6) {
        let covers_all = |s: &Value| s["Effect"] == "Deny" && s["Condition"].is_null();
        let mut statements: Vec<Value> = statements.into_iter().filter(|s| !covers_all(s)).collect();
        statements.insert(at.min(statements.len()), everybody());
        prop_assert!(is_public(&policy(&json!(statements))));
    }

    #[test]
    fn s5_a_range_is_public_exactly_if_it_is_broader_than_a_slash_eight(a in any::<u8>(), b in any::<u8>(), prefix in 0_u8..=32) {
        let mut statement = everybody();
        statement["Condition"] = json!({"IpAddress": {"aws:SourceIp": format!("{a}.{b}.0.0/{prefix}")}});
        prop_assert_eq!(is_public(&policy(&json!([statement]))), prefix < 8);
    }

    #[test]
    fn g16_no_text_panics(text in ".{0,200}") {
        let _ = Policy::parse(&text).map(|policy| (policy.public(), policy.without_public()));
    }
}
