//! `tourniquet exempt` as a process against the simulated account, and what the functions make of it.

#![cfg(test)]

#[path = "common/journal.rs"]
mod journal;
#[path = "common/process.rs"]
mod process;
#[path = "common/terminal.rs"]
mod terminal;

use drill::account::Account;
use drill::running::{Running, outcomes};
use drill::scenario;
use drill::tools::Tools;
use journal::{TABLE, item, journal, record};
use process::Ended;
use serde_json::{Value, json};
use terminal::at_terminal;

/// Options in place of, or beside, those of a command that is right.
type Options<'a> = &'a [(&'a str, &'a str)];

const ACCOUNT: &str = "111122223333";

async fn exempt(account: &Account, arguments: &[&str]) -> Ended {
    let endpoint = format!("http://{}", account.address);
    process::run(Some((account, &endpoint)), &[&["exempt"], arguments].concat(), "").await
}

/// The arguments that add a good exemption, with others in place of some.
fn add<'a>(other: &[(&'a str, &'a str)], flags: &[&'a str]) -> Vec<&'a str> {
    let mut fields = vec![
        ("--function", "stop-instance"),
        ("--account", ACCOUNT),
        ("--subject", "i-0abc"),
        ("--reason", "bastion"),
        ("--owner", "sre"),
        ("--until", "30d"),
    ];
    for (name, value) in other {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    let fields = fields.into_iter().flat_map(|(name, value)| [name, value]);
    std::iter::once("add").chain(fields).chain(flags.iter().copied()).collect()
}

/// The exemptions in the table.
async fn kept(account: &Account) -> Vec<Value> {
    let found = "Items[?starts_with(pk.S, 'exemption#')]";
    let found = account.call("dynamodb.scan", json!({"TableName": TABLE}), found).await.unwrap();
    found.as_array().unwrap().clone()
}

/// The id in the last line of a command that must end well.
fn id(ended: &Ended) -> String {
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    ended.out.lines().last().unwrap().split(": ").nth(1).unwrap().to_owned()
}

fn written(function: &str, sort: &str, subject: &str, ends: &str) -> Value {
    json!({
        "pk": {"S": format!("exemption#{function}#{ACCOUNT}")}, "sk": {"S": sort}, "subject": {"S": subject},
        "region": {"S": "*"}, "reason": {"S": "scanned by contract"}, "owner": {"S": "platform"}, "ends": {"S": ends}
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_function_leaves_alone_what_was_exempted_until_it_is_removed() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let model = scenario::model(&tools.scenarios(), "stop-instance").unwrap();
    let running = Running::on_stage(&tools, &account, &model).await.unwrap();
    let instance = running.stage.deployment.names.text("${instance}").unwrap();
    let here = [("--account", account.id.as_str()), ("--subject", &instance), ("--until", "12h")];

    let shown = exempt(&account, &add(&here, &["--dry-run"])).await;
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    assert!(
        shown.out.contains(&format!("stop-instance leaves {instance} alone in {}", account.id)),
        "{}",
        shown.out
    );
    assert_eq!(kept(&account).await, Vec::<Value>::new());

    let name = id(&exempt(&account, &add(&here, &["--yes"])).await);
    let item = &kept(&account).await[0];
    assert_eq!(item["sk"]["S"], format!("operator#*#{instance}#*"));
    assert!(item["added_by"]["S"].as_str().unwrap().starts_with("arn:aws:"), "{item}");
    let ended = running.deliver().await.unwrap();
    assert_eq!(outcomes(&ended), ["exempt"], "{:?}", ended.log);
    assert!(ended.reports[0].why.contains("bastion (owner: sre)"), "{}", ended.reports[0].why);
    assert_eq!(running.changes(), Vec::<String>::new());

    let again = exempt(&account, &["remove", &name, "--yes"]).await;
    assert_eq!(id(&again), name);
    assert!(again.out.contains("it covers 1 of 1 record of stop-instance"), "{}", again.out);
    assert!(again.out.contains(&format!("{instance} is answered again")), "{}", again.out);
    let ended = running.deliver().await.unwrap();
    assert_eq!(outcomes(&ended), ["contained"], "{:?}", ended.log);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_an_exemption_is_refused_and_nothing_is_written() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    journal(&account, &[]).await;
    let refused: [(Options, i32, &str); 15] = [
        (&[("--function", "stop")], 2, "there is no function \"stop\""),
        (&[("--account", "1111")], 2, "\"1111\" is not an account: expected twelve digits"),
        (&[("--subject", "")], 2, "--subject is missing"),
        (&[("--reason", " ")], 2, "an exemption without a reason is not honoured"),
        (&[("--owner", "")], 2, "an exemption without an owner is not honoured"),
        (&[("--until", "2020-01-31")], 2, "an exemption ended at 2020-02-01T00:00:00Z"),
        (&[("--until", "0h")], 2, "an exemption ended at"),
        (&[("--until", "soon")], 2, "not a date"),
        (&[("--subject-region", "Frankfurt")], 2, "\"Frankfurt\" is not a region"),
        (&[("--scope", "")], 2, "--scope is empty"),
        (&[("--since", "lately")], 2, "expected 2026-11-01"),
        (&[("--subject", "*")], 3, "--everything says that this is meant"),
        (&[("--subject", "?**")], 3, "--everything says that this is meant"),
        (&[("--until", "401d")], 3, "--long says that this is meant"),
        (&[("--until", "9999-01-01")], 3, "in more than 400 days"),
    ];
    for (fields, code, words) in refused {
        let ended = exempt(&account, &add(fields, &["--yes"])).await;
        assert_eq!(ended.code, Some(code), "{fields:?}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains(words), "{words:?} is not in {}", ended.err);
    }
    // Nobody is at a terminal.
    let ended = exempt(&account, &add(&[], &[])).await;
    assert_eq!(ended.code, Some(3));
    assert!(ended.err.contains("nothing was changed: nobody is at a terminal"), "{}", ended.err);
    assert_eq!(kept(&account).await, Vec::<Value>::new());

    let meant = add(&[("--subject", "*"), ("--until", "500d")], &["--yes", "--everything", "--long"]);
    id(&exempt(&account, &meant).await);
    assert_eq!(kept(&account).await[0]["sk"]["S"], "operator#*#*#*");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exemption_that_is_there_is_shown_and_replaced_only_when_asked() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    journal(&account, &[]).await;
    let until = [("--until", "2027-01-31T12:00:00Z"), ("--scope", "finding-7"), ("--subject-region", "eu-*")];
    let flags = ["--yes", "--long"];
    let name = id(&exempt(&account, &add(&until, &flags)).await);
    let first = kept(&account).await;
    let same = exempt(&account, &add(&until, &flags)).await;
    assert_eq!(same.code, Some(0), "{}", same.err);
    assert!(same.out.contains(&format!("this exemption is there already: {name}")), "{}", same.out);
    assert_eq!(kept(&account).await, first);

    let other = [&until[..], &[("--reason", "still a bastion")]].concat();
    let refused = exempt(&account, &add(&other, &flags)).await;
    assert_eq!(refused.code, Some(3));
    assert!(refused.out.contains("  reason: bastion -> still a bastion\n"), "{}", refused.out);
    assert!(!refused.out.contains("ends:"), "{}", refused.out);
    assert!(refused.err.contains("--replace replaces it"), "{}", refused.err);
    assert_eq!(kept(&account).await, first);

    assert_eq!(id(&exempt(&account, &add(&other, &["--yes", "--long", "--replace"])).await), name);
    let now = kept(&account).await;
    assert_eq!((now.len(), &now[0]["reason"]["S"]), (1, &json!("still a bastion")));
    assert_eq!(now[0]["sk"]["S"], "operator#eu-*#i-0abc#finding-7");
    let end: jiff::Timestamp = "2027-01-31T12:00:00Z".parse().unwrap();
    let expires: i64 = now[0]["expires"]["N"].as_str().unwrap().parse().unwrap();
    assert_eq!(expires - end.as_second(), 90 * 86_400, "the table forgets it after its end");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_that_it_covers_is_shown_before() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let now = tourniquet::clock::now();
    let days_ago = |days: i64| now - jiff::SignedDuration::from_hours(days * 24);
    let of = |subject: &str, days: i64, more: Value| {
        let mut over = json!({"subject": subject, "started": days_ago(days), "cause": {"what": "x", "key": format!("f-{days}")}});
        over.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        item(&record(&over))
    };
    let mut items = vec![
        of("i-0abc", 1, json!({})),
        of("i-0abc", 2, json!({"outcome": "observed"})),
        of("i-0abd", 3, json!({})),
        of("i-1xyz", 4, json!({})),
        of("i-0abc", 5, json!({"place": {"account": ACCOUNT, "region": "us-east-1"}})),
        of("i-0abc", 6, json!({"function": "restore-trail"})),
        of("i-0abc", 120, json!({})),
    ];
    items.push(written("stop-instance", "terraform#*#i-0abc#*", "i-0abc", "2999-01-01"));
    journal(&account, &items).await;
    let shown = |fields: Vec<(&'static str, &'static str)>| {
        let account = &account;
        async move {
            let ended = exempt(account, &add(&fields, &["--dry-run"])).await;
            assert_eq!(ended.code, Some(0), "{}", ended.err);
            ended.out
        }
    };
    let out = shown(vec![]).await;
    assert!(out.contains("it covers 3 of 5 records of stop-instance in 111122223333 since"), "{out}");
    assert!(out.contains(": 2 contained, 1 observed\n"), "{out}");
    assert!(out.contains("the same is exempt already by ") && out.contains(" of terraform"), "{out}");
    let out = shown(vec![("--subject", "i-0ab?"), ("--subject-region", "eu-*")]).await;
    assert!(out.contains("it covers 3 of 5 records") && out.contains("i-0abd"), "{out}");
    assert!(shown(vec![("--since", "200d")]).await.contains("it covers 4 of 6 records"));
    let out = shown(vec![("--scope", "f-2")]).await;
    assert!(out.contains("by its scope 1 as a whole, 2 perhaps, which only the function can tell"), "{out}");
    assert!(shown(vec![("--subject", "i-none")]).await.contains("it covers 0 of 5 records"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_exemption_is_listed_with_its_state_and_who_wrote_it() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let hostile = "i-\u{1b}[2J\r\n<b>\u{202e}";
    let mut wrong = written("stop-instance", "by hand", "i-wrong", "2999-01-01");
    wrong.as_object_mut().unwrap().remove("owner");
    let mut items = vec![
        written("stop-instance", "terraform#*#i-tf#*", "i-tf", "2999-01-01"),
        written("restore-trail", "undo#eu-central-1#trail#ca978112ca-0001#*", "trail", "2998-01-01"),
        written("stop-instance", "operator#*#i-old#*", "i-old", "2020-01-31"),
        written("stop-instance", "operator#*#hostile#*", hostile, "2997-01-01"),
        item(&record(&json!({}))),
    ];
    journal(&account, &items).await;
    let table = exempt(&account, &["list"]).await;
    assert_eq!(table.code, Some(0), "{}", table.err);
    let rows: Vec<&str> = table.out.lines().skip(1).collect();
    let row = |n: usize, words: [&str; 4]| {
        for word in words {
            assert!(rows[n].contains(word), "{word} is not in {}", rows[n]);
        }
    };
    assert_eq!(rows.len(), 4);
    row(0, ["i-old", "ended", " ago", "operator"]);
    row(1, ["\u{fffd}[2J", "valid", "in ", "operator"]);
    row(2, ["trail", "valid", "restore-trail", "undo"]);
    row(3, ["i-tf", "valid", "scanned by contract", "terraform"]);
    let (_, seen) = at_terminal(&tools, &account, 200, &["exempt", "list"], "").await;
    assert!(seen.contains("\u{1b}[32mvalid"), "{seen:?}");
    assert!(!seen.contains("\u{1b}[2J") && !seen.contains('\u{202e}'), "{seen:?}");

    items = vec![wrong];
    let puts = json!({"TableName": TABLE, "Item": items[0]});
    account.call("dynamodb.put_item", puts, "@").await.unwrap();
    let listed = exempt(&account, &["list", "--json", "--function", "stop-instance"]).await;
    assert_eq!(listed.code, Some(5), "one that does not count is for a human to look at");
    assert!(listed.err.contains("an exemption without an owner is not honoured"), "{}", listed.err);
    let all: Vec<Value> = listed.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> =
        all.iter().map(|one| (one["subject"].as_str().unwrap(), one["state"].as_str().unwrap())).collect();
    assert_eq!(seen, [("i-wrong", "refused"), ("i-old", "ended"), (hostile, "valid"), ("i-tf", "valid")]);
    assert_eq!(all[3]["ends_at"], "2999-01-02T00:00:00Z");
    assert_eq!((&all[0]["source"], &all[3]["source"]), (&json!("other"), &json!("terraform")));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_meant_is_removed() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let now = tourniquet::clock::now();
    let exempted = record(&json!({"subject": "i-both", "outcome": "exempt", "started": now}));
    let items = [
        written("stop-instance", "terraform#*#i-tf#*", "i-tf", "2999-01-01"),
        written("stop-instance", "terraform#*#i-both#*", "i-both", "2020-01-31"),
        written("stop-instance", "operator#*#i-both#*", "i-both", "2999-01-01"),
        written("stop-instance", "undo#*#i-both#ca978112ca-0001#*", "i-both", "2998-01-01"),
        item(&exempted),
    ];
    journal(&account, &items).await;
    let by = |subject: &'static str| {
        ["remove", "--function", "stop-instance", "--account", ACCOUNT, "--subject", subject, "--yes"]
    };
    let all = exempt(&account, &["list", "--json"]).await.out;
    let all: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let name = |source: &str| {
        all.iter().find(|one| one["source"] == source).unwrap()["id"].as_str().unwrap().to_owned()
    };
    for (arguments, code, words) in [
        (vec!["remove", &name("terraform"), "--yes"], 3, "Terraform wrote"),
        (vec!["remove", &name("undo")], 3, "nobody is at a terminal"),
        (vec!["remove", "0123456789", "--yes"], 2, "there is no exemption 0123456789"),
        (vec!["remove", "--yes"], 2, "required"),
        (vec!["remove", "--subject", "i-both", "--yes"], 2, "--subject needs --function and --account"),
        (by("i-both").to_vec(), 3, "these are several"),
        (by("i-tf").to_vec(), 3, "take it out of `exemptions` there, and apply"),
    ] {
        let ended = exempt(&account, &arguments).await;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains(words), "{words:?} is not in {}", ended.err);
    }
    let shown = exempt(&account, &["remove", &name("undo"), "--dry-run"]).await;
    let stays = format!("i-both stays exempt by {}", name("operator"));
    assert!(shown.out.contains(&stays), "{}", shown.out);
    assert_eq!(kept(&account).await.len(), 4);

    id(&exempt(&account, &["remove", &name("undo"), "--yes"]).await);
    let (code, seen) =
        at_terminal(&tools, &account, 120, &["exempt", "remove", &name("operator")], "n\n").await;
    assert!(code == Some(3) && seen.contains("nobody agreed"), "{seen}");
    assert_eq!(kept(&account).await.len(), 3);
    let (code, seen) =
        at_terminal(&tools, &account, 120, &["exempt", "remove", &name("operator")], "y\n").await;
    assert!(code == Some(0) && seen.contains("i-both is answered again"), "{seen}");
    let left = kept(&account).await;
    assert!(left.iter().all(|item| item["sk"]["S"].as_str().unwrap().starts_with("terraform#")), "{left:?}");
    assert_eq!(left.len(), 2);
    // A script can run twice.
    let again = exempt(&account, &by("i-none")).await;
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert!(again.out.contains("there is no such exemption"), "{}", again.out);
}
