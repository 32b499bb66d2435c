//! `tourniquet report` as a process against the simulated account, and its page in a real browser. Without Chromium the tests say so
//! and look at the text alone; `TOURNIQUET_CHROMIUM` names one that must be there.

#![cfg(test)]

#[path = "common/browser.rs"]
mod browser;
#[path = "common/journal.rs"]
mod journal;
#[path = "common/month.rs"]
mod month;
#[path = "common/process.rs"]
mod process;

use std::path::{Path, PathBuf};

use browser::Browser;
use drill::account::Account;
use drill::running::Running;
use drill::scenario;
use drill::tools::Tools;
use journal::{TABLE, journal};
use process::Ended;
use serde_json::{Value, json};

/// Signs of an attack that an attacker could put into every name that is theirs to choose.
const HOSTILE: [&str; 10] = [
    "<script>window.owned = 1; document.title = 'owned'</script>",
    "<img src=https://evil.example/pixel onerror=\"window.owned = 2\">",
    "</style></title></textarea><script>window.owned = 3</script>",
    "\" autofocus onfocus=\"window.owned = 4\" x=\"",
    "' onmouseover='window.owned = 5",
    "javascript:window.owned=6",
    "<a href=\"javascript:window.owned=7\">click</a><iframe src=\"https://evil.example\"></iframe>",
    "\u{202e}gnp.elif\u{202c} \u{0}\u{1b}[2K & &amp; &#60;script&#62;",
    "<svg/onload=window.owned=8><base href=https://evil.example/><meta http-equiv=refresh content=0;url=//evil.example>",
    "]]>--><!--<style>@import url(https://evil.example/x.css)</style>",
];

async fn report(account: &Account, arguments: &[&str]) -> Ended {
    let endpoint = format!("http://{}", account.address);
    process::run(Some((account, &endpoint)), &[&["report"], arguments].concat(), "").await
}

async fn well(account: &Account, arguments: &[&str]) -> String {
    let ended = report(account, arguments).await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    ended.out
}

async fn numbers(account: &Account, arguments: &[&str]) -> Value {
    serde_json::from_str(&well(account, &[&["--json"], arguments].concat()).await).unwrap()
}

/// The records that the functions' own binaries make of some scenarios.
async fn played(tools: &Tools, account: &Account, names: &[(&str, &str)]) -> Vec<Value> {
    let catalogue = scenario::catalogue(&tools.scenarios()).unwrap();
    let mut items = Vec::new();
    for (function, name) in names {
        let one = catalogue.iter().find(|one| one.function == *function && one.name == *name).unwrap();
        let running = Running::on_stage(tools, account, one).await.unwrap();
        running.proxy.set_faults(one.faults.clone());
        running.deliver().await.unwrap();
        let records = "Items[?starts_with(pk.S, 'record#') && id]";
        let found = running.see("dynamodb.scan", json!({"TableName": TABLE}), records).await.unwrap();
        items.extend(found.as_array().unwrap().iter().cloned());
        running.stop().await.unwrap();
    }
    items
}

/// Where pictures of pages stay to be looked at.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A page has no room for these: only what the command itself writes.
const ELEMENTS: [&str; 51] = [
    "html", "head", "meta", "title", "style", "script", "body", "header", "main", "footer", "section", "h1",
    "h2", "h3", "p", "a", "b", "bdi", "code", "dd", "details", "div", "dl", "dt", "form", "g", "i", "input",
    "label", "li", "line", "option", "path", "pre", "rect", "select", "small", "span", "strong", "summary",
    "svg", "table", "tbody", "td", "text", "th", "thead", "tr", "tspan", "ul", "ol",
];

/// What must hold of any page of a report in a browser as wide as a phone.
fn is_sound(seen: &Value, title: &str) {
    assert!(seen["title"].as_str().unwrap().starts_with(title), "{}", seen["title"]);
    assert_eq!(seen["owned"], Value::Null, "a script of theirs ran");
    assert_eq!(seen["requests"], json!([]), "something was requested");
    assert_eq!((&seen["handlers"], &seen["styles"]), (&json!([]), &json!(0)));
    let elements = seen["elements"].as_object().unwrap();
    let foreign: Vec<&String> = elements.keys().filter(|name| !ELEMENTS.contains(&name.as_str())).collect();
    assert!(foreign.is_empty(), "elements that nobody wrote: {foreign:?}");
    assert_eq!(
        (&elements["script"], &elements["style"], &elements["title"]),
        (&json!(1), &json!(1), &elements["title"])
    );
    for lead in seen["leads"].as_array().unwrap() {
        assert!(lead.as_str().unwrap().starts_with('#'), "leads outside: {lead}");
    }
    assert!(seen["scrolls"].as_u64() <= seen["width"].as_u64(), "wider than the screen: {}", seen["wide"]);
    assert_eq!(seen["filters"], json!(true), "the page's own script did not run");
}

/// Pictures for people to look at, and that they show something.
fn pictures(browser: &Browser, page: &Path, folder: &Path) {
    let shots =
        [("phone", 390, false), ("phone-dark", 390, true), ("desk", 1280, false), ("desk-dark", 1280, true)];
    let mut seen = Vec::new();
    for (name, width, dark) in shots {
        let file = folder.join(name).with_extension("png");
        browser.picture(page, (width, 1_800), dark, &file).unwrap();
        let picture = std::fs::read(&file).unwrap();
        let size = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
        assert_eq!((size(16), size(20)), (width, 1_800), "{name}");
        // One colour everywhere would be a few thousand bytes.
        assert!(picture.len() > 25_000, "{name} is almost blank: {} bytes", picture.len());
        assert!(!seen.contains(&picture), "{name} looks like another one");
        seen.push(picture);
    }
    let paper = folder.join("paper.pdf");
    browser.print(page, &paper).unwrap();
    assert!(std::fs::read(&paper).unwrap().starts_with(b"%PDF"));
}

#[tokio::test]
async fn a_report_tells_what_the_functions_did() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let played = played(
        &tools,
        &account,
        &[
            ("stop-instance", "command-and-control"),
            ("block-public-bucket", "observe-mode"),
            ("revoke-open-ingress", "one-of-two-revocations-refused"),
        ],
    )
    .await;
    account.reset().await.unwrap();
    journal(&account, &played).await;
    let seen = numbers(&account, &["--since", "24h"]).await;
    assert_eq!(seen["records"], json!(3), "{seen}");
    assert_eq!(seen["outcomes"], json!({"contained": 1, "observed": 1, "partial": 1}));
    assert_eq!(seen["observe_mode"], json!(1));
    assert_eq!(seen["functions"]["stop-instance"]["outcomes"], json!({"contained": 1}));
    assert_eq!(seen["speed"]["measured"], json!(1));
    let worst = seen["speed"]["worst_ms"].as_u64().unwrap();
    assert!(worst < 60_000 && seen["speed"]["median_ms"] == worst, "{}", seen["speed"]);
    let needs = &seen["needs_human"];
    assert!(needs.as_array().unwrap().len() == 1 && needs[0]["outcome"] == "partial", "{needs}");
    assert!(needs[0]["why"].to_string().contains("not done: revoke"), "it says what went wrong: {needs}");

    let file = folder("played").join("report.html");
    let path = file.to_str().unwrap();
    well(&account, &["--since", "24h", "--output", path]).await;
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(page.contains("1 record needs") && page.contains("i-"));
    assert!(well(&account, &["--since", "24h", "--output", "-"]).await.ends_with("</html>"));
    let Some(browser) = Browser::find() else { return };
    let measured = browser.measure(&file, 390).unwrap();
    is_sound(&measured, "Tourniquet report");
    assert_eq!(measured["rows"], json!(3));
    assert_eq!(measured["tiles"]["contained"], json!("1"));
    assert_eq!(measured["tiles"]["partial or failed"], json!("1"));
}

#[tokio::test]
async fn text_that_an_attacker_chose_stays_text() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let long = "W".repeat(10_000);
    let texts: Vec<&str> = HOSTILE.iter().copied().chain([long.as_str()]).collect();
    journal(&account, &month::hostile(&texts, 400)).await;
    let seen = numbers(&account, &[]).await;
    assert_eq!(seen["records"], json!(400));
    assert!(seen["actors"].to_string().contains("evil.example"), "the numbers hold the text as it is");

    let file = folder("hostile").join("report.html");
    well(&account, &["--output", file.to_str().unwrap()]).await;
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}') && !page.contains('\0'));
    assert!(page.contains("100 older ones are not shown"));
    let Some(browser) = Browser::find() else { return };
    for width in [390, 1_280] {
        let measured = browser.measure(&file, width).unwrap();
        is_sound(&measured, "Tourniquet report");
        assert_eq!(measured["rows"], json!(300));
    }
    pictures(&browser, &file, file.parent().unwrap());
}

#[tokio::test]
async fn a_month_is_a_page_that_can_be_looked_at() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    journal(&account, &month::plausible()).await;
    let seen = numbers(&account, &[]).await;
    assert_eq!(seen["exemptions"]["ending"].as_array().unwrap().len(), 2, "{}", seen["exemptions"]);
    assert_eq!(seen["exemptions"]["ended"].as_array().unwrap().len(), 1, "{}", seen["exemptions"]);
    assert_eq!(seen["exemptions"]["refused"].as_array().unwrap().len(), 1, "{}", seen["exemptions"]);
    assert_eq!(seen["undone"][0]["reason"], json!("the new bastion, change 4711"));
    assert_eq!(seen["outcomes"]["undone"], json!(1));
    let one = numbers(&account, &["--function", "restore-trail"]).await;
    assert_eq!(one["records"], seen["functions"]["restore-trail"]["records"]);
    assert_eq!(one["exemptions"]["valid"], json!(0));

    let file = folder("month").join("report.html");
    well(&account, &["--output", file.to_str().unwrap()]).await;
    let Some(browser) = Browser::find() else { return };
    let measured = browser.measure(&file, 390).unwrap();
    is_sound(&measured, "Tourniquet report");
    assert_eq!(measured["tiles"]["contained"], json!(seen["outcomes"]["contained"].to_string()));
    pictures(&browser, &file, file.parent().unwrap());
}

#[tokio::test]
async fn an_empty_journal_is_a_page_and_a_wrong_question_an_error() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    journal(&account, &[]).await;
    let page = well(&account, &["--output", "-"]).await;
    assert!(page.contains("Nothing was recorded in this period"));
    for (arguments, code, said) in [
        (vec!["--since", "2099-01-01", "--output", "-"], 2, "before it begins"),
        (vec!["--function", "no-such"], 2, "there is no function"),
        (vec!["--output", "/no/such/folder/x.html"], 1, "was not written"),
    ] {
        let ended = report(&account, &arguments).await;
        assert!(ended.code == Some(code) && ended.err.contains(said), "{arguments:?}: {}", ended.err);
    }
}
