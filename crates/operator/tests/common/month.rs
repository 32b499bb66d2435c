//! Records as the journal keeps them: a month as it could be, and one in which every text is an attack.

use jiff::{SignedDuration, Timestamp};
use operator::records::Undo;
use serde_json::{Value, json};
use tourniquet::journal::{Record, UNDO};

use crate::journal::{self, item};

const ACCOUNTS: [&str; 3] = ["111122223333", "444455556666", "777788889999"];

/// Numbers that look like chance and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len())]
    }
}

/// A record of its own cause, with the fields that `over` names.
fn record(mut over: Value) -> Record {
    if over.get("cause").is_none() {
        over["cause"] = json!({"what": "an event", "key": over["subject"]});
    }
    over["finished"] = over["started"].clone();
    over["lease"] = over["started"].clone();
    journal::record(&over)
}

/// The undo of a record as the journal keeps it.
fn undo(record: &Record, reason: &str, by: &str, at: Timestamp) -> Value {
    let body = Undo {
        record: record.id(),
        reason: reason.to_owned(),
        by: by.to_owned(),
        until: at + SignedDuration::from_hours(24 * 7),
        started: at,
        finished: Some(at),
        changes: Vec::new(),
    };
    let mut item = item(record);
    item["sk"] = json!({"S": format!("{UNDO}{}", item["sk"]["S"].as_str().unwrap())});
    item["body"] = json!({"S": serde_json::to_string(&body).unwrap()});
    item
}

fn exemption(function: &str, [subject, reason, owner, ends]: [&str; 4]) -> Value {
    json!({
        "pk": {"S": format!("exemption#{function}#{}", ACCOUNTS[0])}, "sk": {"S": format!("{subject}{ends}")}, "region": {"S": "*"},
        "subject": {"S": subject}, "reason": {"S": reason}, "owner": {"S": owner}, "ends": {"S": ends},
    })
}

fn step(summary: &str, before: &str, after: &str) -> Value {
    json!({"key": summary, "summary": summary, "before": before, "after": after, "change": {}})
}

fn now() -> Timestamp {
    tourniquet::clock::now()
}

fn ago(hours: i64) -> Timestamp {
    now() - SignedDuration::from_hours(hours)
}

/// Function, beginning of the subject, what is wrong, and the change with before and after.
const KINDS: [(&str, &str, &str, [&str; 3]); 5] = [
    (
        "stop-instance",
        "i-0",
        "GuardDuty: CryptoCurrency:EC2/BitcoinTool.B!DNS, the instance is an attacker",
        ["stop the instance", "running", "stopped"],
    ),
    (
        "block-public-bucket",
        "assets-",
        "its policy lets everybody read objects",
        ["turn on Block Public Access", "all four settings off", "all four settings on"],
    ),
    (
        "revoke-open-ingress",
        "sg-0",
        "0.0.0.0/0 reaches port 22",
        ["revoke 0.0.0.0/0 on port 22", "tcp 22 from 0.0.0.0/0", "not there"],
    ),
    ("restore-trail", "audit-", "the trail does not log", ["start logging", "stopped", "logging"]),
    (
        "disable-old-keys",
        "AKIAEXAMPLE",
        "the key is 412 days old and 90 are allowed",
        ["deactivate the key", "Active", "Inactive"],
    ),
];

const ACTORS: [&str; 5] = [
    "arn:aws:iam::111122223333:user/deploy",
    "arn:aws:sts::444455556666:assumed-role/Admin/ann@example.com",
    "arn:aws:sts::777788889999:assumed-role/ci-runner/build-4711",
    "198.51.100.23",
    "arn:aws:iam::111122223333:root",
];

/// Outcome, function, subject, what is wrong, what went wrong, and how many hours ago.
const TROUBLES: [(&str, &str, &str, &str, &str, i64); 3] = [
    (
        "failed",
        "restore-trail",
        "audit-main",
        "the trail does not log",
        "cloudtrail:StartLogging was refused: AccessDenied, an explicit deny in a service control policy",
        9,
    ),
    (
        "partial",
        "stop-instance",
        "i-0f00dfeed1234",
        "GuardDuty: Trojan:EC2/BlackholeTraffic, the instance is an attacker",
        "the step snapshot failed: ec2:CreateSnapshot: SnapshotCreationPerVolumeRateExceeded",
        30,
    ),
    (
        "held",
        "revoke-open-ingress",
        "sg-0aa11bb22cc33",
        "0.0.0.0/0 reaches port 3389",
        "the change limit of 20 an hour is reached",
        75,
    ),
];

/// A month in three accounts.
pub(crate) fn plausible() -> Vec<Value> {
    let mut items = incidents();
    for (outcome, function, subject, why, note, hours) in TROUBLES {
        items.push(item(&record(json!({
            "function": function, "subject": subject, "outcome": outcome, "why": why, "notes": [note], "started": ago(hours),
            "actor": {"principal": ACTORS[1]}, "steps": [step("stop the instance", "running", "stopped")],
        }))));
    }
    let taken = record(
        json!({"function": "revoke-open-ingress", "subject": "sg-0bastion", "why": "0.0.0.0/0 reaches port 22",
        "started": ago(200), "contained_ms": 24, "actor": {"principal": ACTORS[0]}}),
    );
    items.push(item(&taken));
    items.push(undo(&taken, "the new bastion, change 4711", ACTORS[1], ago(190)));
    let day = |hours: i64| ago(hours).strftime("%Y-%m-%d").to_string();
    items.extend([
        exemption("block-public-bucket", ["website-*", "the public website", "web team", &day(-3 * 24)]),
        exemption(
            "revoke-open-ingress",
            ["sg-0bastion", "bastion until the VPN is there", "network team", &day(-9 * 24)],
        ),
        exemption(
            "stop-instance",
            ["i-0scanner", "the security team's own scanner", "security", &day(-200 * 24)],
        ),
        exemption("disable-old-keys", ["AKIAOLD", "migration to roles", "data team", &day(5 * 24)]),
        exemption("stop-instance", ["i-0forever", "we need it", "somebody", "never"]),
    ]);
    items
}

/// What the functions could answer in a month.
fn incidents() -> Vec<Value> {
    let mut dice = Dice(7);
    let mut items = Vec::new();
    for n in 0..160_i64 {
        let (function, prefix, why, [change, before, after]) = KINDS[[0, 1, 1, 2, 2, 2, 3, 4][dice.roll(8)]];
        // More happens in some weeks than in others.
        let hours = if dice.roll(3) == 0 {
            180 + i64::try_from(dice.roll(60)).unwrap()
        } else {
            i64::try_from(dice.roll(29 * 24)).unwrap()
        };
        let observe = function == "disable-old-keys" && dice.roll(3) > 0;
        let outcome = if observe {
            "observed"
        } else {
            ["contained", "contained", "contained", "contained", "contained", "exempt", "already-safe"]
                [dice.roll(7)]
        };
        let ms = 20 + dice.roll(90) + if dice.roll(9) == 0 { dice.roll(9_000) } else { 0 };
        let swept = dice.roll(5) == 0;
        items.push(item(&record(json!({
            "function": function, "subject": format!("{prefix}{:05x}{n:03}", dice.roll(1 << 20)), "why": why,
            "place": {"account": dice.pick(&ACCOUNTS), "region": dice.pick(&["eu-central-1", "us-east-1"])},
            "cause": {"what": if swept { "sweep" } else { "event" }, "key": n.to_string()},
            "actor": if swept { json!({}) } else { json!({"principal": dice.pick(&ACTORS), "source_ip": "198.51.100.23"}) },
            "mode": if observe { "observe" } else { "enforce" }, "outcome": outcome, "started": ago(hours),
            "contained_ms": (outcome == "contained").then_some(ms), "steps": [step(change, before, after)],
        }))));
    }
    items
}

/// Records of which every text is one of `texts`, about all of them in every place.
pub(crate) fn hostile(texts: &[&str], count: usize) -> Vec<Value> {
    let mut dice = Dice(1);
    let outcomes = ["contained", "partial", "failed", "held", "observed", "exempt", "gone"];
    let mut items: Vec<Value> = Vec::new();
    for n in 0..count {
        let mut text = || dice.pick(texts).to_owned();
        let short = |text: String| text.chars().take(300).collect::<String>();
        let one = record(json!({
            // Keys of items have their limits; the record itself has none.
            "function": short(text()), "place": {"account": short(text()), "region": short(text())}, "subject": format!("{}{n}", short(text())),
            "cause": {"what": text(), "key": n.to_string()}, "why": text(), "notes": [text(), text()],
            "actor": {"principal": text(), "session_issuer": text(), "source_ip": text(), "user_agent": text(), "invoked_by": text()},
            "outcome": outcomes[n % outcomes.len()], "mode": if n % 2 == 0 { "observe" } else { "enforce" },
            "steps": [{"key": text(), "summary": text(), "before": text(), "after": text(), "change": {}}],
            "started": ago(i64::try_from(n).unwrap() % 700), "contained_ms": n,
        }));
        items.push(item(&one));
        if n % 40 == 0 {
            items.push(undo(&one, &text(), &text(), ago(1)));
        }
    }
    let soon = ago(-48).to_string();
    for text in texts {
        items.push(exemption(
            "stop-instance",
            [text, text, text, soon.as_str()].map(|t| &t[..t.floor_char_boundary(900)]),
        ));
        items.push(exemption(
            "stop-instance",
            [text, text, text, "<b>never</b>"].map(|t| &t[..t.floor_char_boundary(900)]),
        ));
    }
    items
}
