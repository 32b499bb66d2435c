use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{functions, rooms};

fn judge() -> Judge {
    let all: Vec<&Room> = rooms::ALL.iter().collect();
    Judge::new(&all, functions::all(|_| None).unwrap(), Period::default()).unwrap()
}

fn reached(judge: &Judge, record: &str) -> Vec<(&'static str, Verdict, Option<String>, String)> {
    assert!(judge.keeps(record.as_bytes()), "{record}");
    match judge.judge(record.as_bytes()) {
        Record::Reached { judged, .. } => {
            judged.into_iter().map(|one| (one.function, one.verdict, one.subject, one.why)).collect()
        }
        other => panic!("{other:?}: {record}"),
    }
}

/// Every event that is kept as a file of the project, and of others where they are there.
fn recorded() -> Vec<String> {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let mut found = Vec::new();
    for folder in [crates.clone(), crates.join("../../shared/events")] {
        super::super::source::walk(&folder, &mut |step| {
            if let super::super::source::Step::File(path, _) = step {
                let text = path.to_string_lossy().into_owned();
                let is_event = text.contains("/fixtures/match/")
                    || text.contains("/fixtures/ignore/")
                    || text.contains("shared/events/");
                if is_event && path.extension().is_some_and(|ending| ending == "json") {
                    found.push(std::fs::read_to_string(path).unwrap());
                }
            }
            true
        });
    }
    assert!(found.len() > 50);
    found
}

#[test]
fn the_sieve_lets_every_recorded_event_through_that_a_trigger_matches() {
    let judge = judge();
    let mut matching = 0;
    for record in recorded() {
        if let Record::Reached { .. } = judge.judge(record.as_bytes()) {
            matching += 1;
            assert!(judge.keeps(record.as_bytes()), "{record}");
        }
    }
    assert!(matching > 30, "{matching}");
}

#[test]
fn each_verdict_has_its_reason() {
    let judge = judge();
    let call = |name: &str, more: Value| {
        let mut record = json!({"eventSource": "cloudtrail.amazonaws.com", "eventName": name, "awsRegion": "eu-west-1",
            "recipientAccountId": "111122223333", "requestParameters": {"name": "main"}});
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        record.to_string()
    };
    let main = Some("main".to_owned());
    let act = ("restore-trail", Verdict::Act, main.clone(), "the trail was stopped".to_owned());
    assert_eq!(reached(&judge, &call("StopLogging", json!({}))), [act]);
    let look = ("restore-trail", Verdict::Look, main, "what is there now decides".to_owned());
    assert_eq!(reached(&judge, &call("DeleteTrail", json!({}))), [look]);
    let (_, verdict, subject, why) =
        reached(&judge, &call("StopLogging", json!({"errorCode": "AccessDenied"}))).remove(0);
    assert_eq!((verdict, subject), (Verdict::Ignore, None));
    assert!(why.contains("AWS refused it") && why.contains("AccessDenied"), "{why}");
    let (_, verdict, _, why) =
        reached(&judge, &call("StopLogging", json!({"requestParameters": null}))).remove(0);
    assert_eq!(verdict, Verdict::Fail);
    assert!(why.contains("detail.requestParameters.name"), "{why}");
}

#[test]
fn what_event_bridge_delivers_under_another_name_reaches_nobody() {
    let judge = judge();
    for kind in ["AwsServiceEvent", "AwsConsoleSignIn", "AwsCloudTrailInsight", "AwsVpceEvent"] {
        let record = json!({"eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging", "eventType": kind, "awsRegion": "eu-west-1",
            "recipientAccountId": "111122223333", "requestParameters": {"name": "main"}});
        assert!(matches!(judge.judge(record.to_string().as_bytes()), Record::Other), "{kind}");
    }
    let insight = json!({"eventCategory": "Insight", "insightDetails": {"eventName": "StopLogging", "eventSource": "cloudtrail.amazonaws.com"}});
    assert!(matches!(judge.judge(insight.to_string().as_bytes()), Record::Other));
}

#[test]
fn an_event_counts_once_and_in_its_period_only() {
    let since = Some("2026-11-02T00:00:00Z".parse().unwrap());
    let all: Vec<&Room> = rooms::ALL.iter().collect();
    let period = Period { since, before: Some("2026-11-03T00:00:00Z".parse().unwrap()) };
    let judge = Judge::new(&all, functions::all(|_| None).unwrap(), period).unwrap();
    let at = |time: &str, id: &str| {
        let record = json!({"eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging", "awsRegion": "eu-west-1", "eventTime": time,
            "eventID": id, "recipientAccountId": "111122223333", "requestParameters": {"name": "main"}});
        judge.judge(record.to_string().as_bytes())
    };
    assert!(matches!(at("2026-11-01T23:59:59Z", "a"), Record::Outside));
    assert!(matches!(at("2026-11-03T00:00:00Z", "b"), Record::Outside));
    assert!(matches!(at("2026-11-02T00:00:00Z", "c"), Record::Reached { .. }));
    assert!(matches!(at("2026-11-02T00:00:00Z", "c"), Record::Again));
    assert!(matches!(at("2026-11-02T00:00:00Z", "d"), Record::Reached { .. }));
}

#[test]
fn what_cannot_be_read_is_broken_and_what_is_no_event_is_not() {
    let judge = judge();
    for record in
        [&b"{\"eventName\":\"StopLogging\xff\"}"[..], b"{\"eventName\":\"StopLogging\",}", b"{\"a\":tru}"]
    {
        assert!(matches!(judge.judge(record), Record::Broken(_)), "{}", String::from_utf8_lossy(record));
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(judge.judge(deep.as_bytes()), Record::Broken(_)));
    assert!(matches!(judge.judge(br#"{"message":"StopLogging"}"#), Record::Other));
}

/// A text as JSON may spell it: each letter plain or escaped.
fn spelled(text: &str, escaped: &[bool]) -> String {
    let mut spelled = String::from("\"");
    for (letter, escape) in text.chars().zip(escaped.iter().cycle()) {
        if *escape {
            spelled.extend(format!("\\u{:04x}", u32::from(letter)).chars());
        } else {
            spelled.push(letter);
        }
    }
    spelled + "\""
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn the_sieve_never_loses_a_match(
        trigger in 0..64_usize,
        field in 0..16_usize,
        escaped in prop::collection::vec(prop::bool::weighted(0.2), 1..12),
        spaces in " {0,2}",
        first in any::<bool>(),
        bare in any::<bool>(),
        noise in "[a-zA-Z\\\\\"{}\\[\\]/]{0,20}",
    ) {
        static JUDGE: std::sync::LazyLock<Judge> = std::sync::LazyLock::new(judge);
        let judge = &JUDGE;
        let patterns: Vec<&str> = rooms::ALL.iter().flat_map(|room| room.triggers).map(|(_, pattern)| *pattern).collect();
        let pattern: Value = serde_json::from_str(patterns[trigger % patterns.len()]).unwrap();
        let detail = event(&pattern["detail"], field, &escaped, &spaces);
        let noise = format!("\"noise\":{}", Value::from(noise));
        let detail = if first { format!("{{{noise},{}", &detail[1..]) } else { format!("{},{noise}}}", &detail[..detail.len() - 1]) };
        let record = if bare && pattern["detail-type"][0] == DETAIL_TYPE {
            detail
        } else {
            let (source, kind) = (&pattern["source"][0], &pattern["detail-type"][0]);
            format!("{{\"detail\":{detail},{spaces}\"source\":{source},\"detail-type\":{spaces}{kind}}}")
        };
        let matches = matches!(judge.judge(record.as_bytes()), Record::Reached { .. });
        prop_assert!(matches, "{}", record);
        prop_assert!(judge.keeps(record.as_bytes()), "{}", record);
    }
}

/// An object that a pattern matches.
fn event(pattern: &Value, field: usize, escaped: &[bool], spaces: &str) -> String {
    let members: Vec<String> = pattern
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(name, below)| {
            let value = match below {
                Value::Object(_) => event(below, field, escaped, spaces),
                Value::Array(any) => match &any[field % any.len()] {
                    Value::String(text) => spelled(text, escaped),
                    Value::Object(operator) => match operator.iter().next().unwrap() {
                        (name, Value::String(prefix)) if name == "prefix" => {
                            spelled(&format!("{prefix}more"), escaped)
                        }
                        (name, _) if name == "numeric" => "5".to_owned(),
                        (name, _) if name == "exists" => return None,
                        other => panic!("{other:?}"),
                    },
                    other => other.to_string(),
                },
                other => panic!("{other}"),
            };
            Some(format!("{spaces}{}{spaces}:{spaces}{value}{spaces}", spelled(name, &[false])))
        })
        .collect();
    format!("{{{}}}", members.join(","))
}
