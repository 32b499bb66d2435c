//! `tourniquet history` as a process against the simulated account.

#![cfg(test)]

#[path = "common/journal.rs"]
mod journal;
#[path = "common/process.rs"]
mod process;
#[path = "common/terminal.rs"]
mod terminal;

use drill::account::Account;
use drill::fault::{At, Fault, Kind};
use drill::function::Invocation;
use drill::running::{Running, outcomes};
use drill::scenario;
use drill::tools::Tools;
use jiff::{SignedDuration, Timestamp};
use journal::{TABLE, item, journal, record};
use process::Ended;
use serde_json::{Value, json};
use terminal::at_terminal;

const MANY: usize = 800;

async fn history(account: &Account, arguments: &[&str]) -> Ended {
    let endpoint = format!("http://{}", account.address);
    process::run(Some((account, &endpoint)), &[&["history"], arguments].concat(), "").await
}

/// The lines of a command that must end well.
async fn lines(account: &Account, arguments: &[&str]) -> Vec<String> {
    let ended = history(account, arguments).await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    ended.out.lines().map(str::to_owned).collect()
}

async fn ids(account: &Account, arguments: &[&str]) -> Vec<String> {
    let lines = lines(account, &[arguments, &["--json"]].concat()).await;
    let id = |line: &String| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    lines.iter().map(id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn more_records_than_fit_a_page_are_all_read() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let first: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    let records: Vec<_> = (0..MANY)
        .map(|n| {
            let started = first + SignedDuration::from_mins(i64::try_from(n).unwrap());
            let functions = ["stop-instance", "restore-trail"];
            record(&json!({
                "function": functions[usize::from(n % 10 == 0)], "subject": format!("i-{:05}", n / 3),
                "cause": {"what": "x", "key": n.to_string()}, "started": started, "why": "w".repeat(2_500),
                "outcome": if n % 100 == 0 { "partial" } else { "contained" }
            }))
        })
        .collect();
    let mut items: Vec<Value> = records.iter().map(item).collect();
    let partition = items[1]["pk"].clone();
    items.push(json!({"pk": partition, "sk": {"S": "baseline"}, "body": {"S": "{}"}}));
    let undone = records[1].id();
    let undo = json!({
        "record": undone, "reason": "ours", "by": "arn:aws:iam::111122223333:user/a", "until": "2027-01-01T00:00:00Z",
        "started": "2026-12-01T00:00:00Z", "finished": "2026-12-01T00:00:01Z", "changes": [["stop", "started again"]]
    });
    let sort = format!("undo#{}", items[1]["sk"]["S"].as_str().unwrap());
    items.push(json!({"pk": partition, "sk": {"S": sort}, "body": {"S": undo.to_string()}}));
    items.push(
        json!({"pk": {"S": "limit#stop-instance#111122223333"}, "sk": {"S": "h"}, "taken": {"N": "3"}}),
    );
    journal(&account, &items).await;
    let page = account.call("dynamodb.scan", json!({"TableName": TABLE}), "length(Items)").await.unwrap();
    assert!(page.as_u64().unwrap() < 500, "the first page of 1 MB holds {page} of {} items", items.len());

    let mut all = ids(&account, &[]).await;
    all.sort();
    let mut written: Vec<String> = records.iter().map(tourniquet::journal::Record::id).collect();
    written.sort();
    assert_eq!(all, written);

    let shown = lines(&account, &[]).await;
    assert_eq!(shown.len(), 1 + 50 + 1);
    assert!(shown[0].contains("STARTED (UTC)") && shown[50].contains("2026-11-01 13:19:00"), "{}", shown[50]);
    let summary = &shown[51];
    assert!(
        summary.starts_with("the newest 50 of 800 records, 2026-11-01T12:30:00Z to 2026-11-01T13:19:00Z"),
        "{summary}"
    );
    assert!(summary.contains("750 older ones are left out: --limit 0 shows all"), "{summary}");
    assert_eq!(lines(&account, &["--limit", "0"]).await.len(), MANY + 2);

    let newest: Vec<String> = records[MANY - 3..].iter().map(tourniquet::journal::Record::id).collect();
    assert_eq!(ids(&account, &["--limit", "3"]).await, newest);
    assert_eq!(ids(&account, &["--outcome", "undone"]).await, std::slice::from_ref(&undone));
    assert_eq!(ids(&account, &["--function", "restore-trail"]).await.len(), MANY / 10);
    assert_eq!(ids(&account, &["--outcome", "partial", "--outcome", "held"]).await.len(), MANY / 100);
    assert_eq!(ids(&account, &["--since", "2026-11-01", "--before", "2026-11-01T01:00:00Z"]).await.len(), 60);
    let one = [
        "--function",
        "stop-instance",
        "--account",
        "111122223333",
        "--subject-region",
        "eu-central-1",
        "--subject",
    ];
    assert_eq!(ids(&account, &[&one[..], &["i-00000"]].concat()).await.len(), 2);
    assert_eq!(ids(&account, &[&one[..], &["i-0000?"]].concat()).await.len(), 27);
    assert_eq!(lines(&account, &["--actor", "nobody"]).await, ["no records"]);

    let whole = lines(&account, &[&undone]).await.join("\n");
    for part in [
        &format!("record     {undone}"),
        "stop-instance: undone i-00000 in 111122223333/eu-central-1",
        "contained  after 34 ms",
        "  1. stop the instance\n     before: running\n     after:  stopped",
        "  - a note",
        "taken back at 2026-12-01T00:00:01Z by arn:aws:iam::111122223333:user/a, exempt until 2027-01-01T00:00:00Z: ours",
        "  - stop: started again",
    ] {
        assert!(whole.contains(part), "{part}\nis not in\n{whole}");
    }
    let other = lines(&account, &[&records[2].id()]).await.join("\n");
    assert!(
        other.ends_with(&format!("tourniquet undo {} --reason '…' --until 7d", records[2].id())),
        "{other}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_an_attacker_wrote_moves_the_cursor() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let hostile = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\n<script>alert(1)</script>\u{202e}";
    let step =
        json!({"key": hostile, "summary": hostile, "before": hostile, "after": hostile, "change": null});
    let bad = record(&json!({
        "subject": format!("i-{hostile}"), "why": hostile, "notes": [hostile], "steps": [step],
        "actor": {"principal": hostile}, "cause": {"what": hostile, "key": hostile}
    }));
    let long = record(&json!({"why": "it talks to a host of theirs ".repeat(20)}));
    journal(&account, &[item(&bad), item(&long)]).await;
    let id = bad.id();
    for arguments in [vec!["history"], vec!["history", "--ids"], vec!["history", &id]] {
        let (code, seen) = at_terminal(&tools, &account, 100, &arguments, "").await;
        assert_eq!(code, Some(0), "{seen}");
        assert!(seen.contains("\u{fffd}[2J"), "{seen:?}");
        for sign in ["\u{1b}[2J", "\u{1b}]", "\u{7}", "\u{202e}"] {
            assert!(!seen.contains(sign), "{sign:?} in {seen:?}");
        }
        assert!(seen.contains("\u{1b}[32mcontained"), "the outcome has its colour: {seen:?}");
    }
    let (_, seen) = at_terminal(&tools, &account, 100, &["history"], "").await;
    let seen = anstream::adapter::strip_str(&seen).to_string();
    let table: Vec<&str> = seen.lines().take(3).collect();
    assert!(table.iter().all(|line| line.chars().count() <= 100), "{table:#?}");
    assert!(table[2].contains('…'), "{table:#?}");
    let piped = lines(&account, &["--subject", "i-0abc"]).await;
    assert!(
        piped[1].contains(&"it talks to a host of theirs ".repeat(19)),
        "another program reads all of it"
    );
    assert!(!piped.concat().contains('\u{1b}'));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_and_what_cannot_be_read_is_named() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut broken = item(&record(&json!({"subject": "i-broken"})));
    broken["body"] = json!({"S": "{\"function\": \"stop-instance\"}"});
    journal(&account, &[item(&record(&json!({}))), broken]).await;
    let gone = "stop-instance/111122223333/eu-central-1/i-0gone/ca978112ca-0001";
    for (arguments, words) in [
        (
            vec!["--function", "stop"],
            "there is no function \"stop\"; there are block-public-bucket, disable-old-keys",
        ),
        (vec!["--account", "1"], "twelve digits"),
        (vec!["--outcome", "done"], "there is no outcome \"done\""),
        (vec!["--since", "yesterday"], "expected 2026-11-01"),
        (vec!["i-0abc"], "expected the id of a record"),
        (vec![gone, "--limit", "3"], "cannot be used with"),
        (vec![gone], "there is no record stop-instance/111122223333/eu-central-1/i-0gone/ca978112ca-0001"),
    ] {
        let ended = history(&account, &arguments).await;
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.err.contains(words), "{words:?} is not in {}", ended.err);
    }
    let ended = history(&account, &[]).await;
    assert_eq!(ended.code, Some(5));
    assert!(ended.out.contains("i-0abc") && ended.out.contains("1 record, "), "{}", ended.out);
    assert!(ended.err.contains("#i-broken") && ended.err.contains("cannot be read"), "{}", ended.err);
}

/// What the function's log says of its time.
fn contained_ms(invocation: &Invocation) -> Option<u64> {
    let mut reports = invocation.log.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    reports.find_map(|report| report["contained_ms"].as_u64())
}

async fn recorded(account: &Account) -> Value {
    let lines = lines(account, &["--json"]).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    serde_json::from_str(&lines[0]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_says_how_fast_it_was_contained() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut model = scenario::model(&tools.scenarios(), "stop-instance").unwrap();
    model.config.insert("lease_seconds".to_owned(), json!(1));
    let running = Running::on_stage(&tools, &account, &model).await.unwrap();
    let ended = running.deliver().await.unwrap();
    assert_eq!(outcomes(&ended), ["contained"]);
    let record = recorded(&account).await;
    assert_eq!(record["contained_ms"].as_u64(), contained_ms(&ended));
    assert!(record["contained_ms"].as_u64().unwrap() > 0);
    // A late delivery finds it safe, and the record stays as it is.
    assert_eq!(outcomes(&running.deliver().await.unwrap()), ["already-safe"]);
    assert_eq!(recorded(&account).await, record);
    running.stop().await.unwrap();

    let running = Running::on_stage(&tools, &account, &model).await.unwrap();
    let operation = At::Operation("ec2:ModifyNetworkInterfaceAttribute".to_owned());
    running.proxy.set_faults(vec![Fault { at: operation, kind: Kind::KillBefore, times: 1 }]);
    assert!(running.deliver().await.unwrap().killed);
    assert_eq!(recorded(&account).await["contained_ms"], Value::Null);
    let second = running.stage.function(&running.proxy).await.unwrap();
    let ended = second.invoke(&running.stage.event).await.unwrap();
    assert_eq!(outcomes(&ended), ["contained"], "{:?}", ended.log);
    let after = recorded(&account).await["contained_ms"].as_u64().unwrap();
    assert!(
        after >= 1_000,
        "it was open until the lease of the killed run ended, and the record says {after} ms"
    );
    second.stop(&account).await.unwrap();
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_table_the_failure_names_the_call() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let ended = history(&account, &["--journal-table", "elsewhere"]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("dynamodb:Scan") && ended.err.contains("NotFound"), "{}", ended.err);
}
