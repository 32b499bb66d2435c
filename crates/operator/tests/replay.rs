//! `tourniquet replay` as a process: every form of recording, and everything that a recording can be damaged or poisoned by.

#![cfg(test)]

#[path = "common/browser.rs"]
mod browser;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use aws_sdk_s3::config::Credentials;
use browser::Browser;
use drill::account::Account;
use drill::tools::Tools;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;
use tourniquet::sdk::{Sdk, offline};
use tourniquet::settings::Trust;

/// How it ended, and the most memory that it had, in kilobytes.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
    memory: u64,
}

impl Ended {
    fn json(&self, code: i32) -> Value {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        serde_json::from_str(&self.out).unwrap()
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tourniquet"));
    command.arg("replay").args(arguments).env_clear();
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn ended(mut command: Command, input: &[u8]) -> Ended {
    let out = tempfile::NamedTempFile::new().unwrap();
    let piped = command.stdin(Stdio::piped()).stdout(out.reopen().unwrap()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut memory = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        memory = memory.max(peak.unwrap_or_default());
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    Ended { code: output.status.code(), out: std::fs::read_to_string(out.path()).unwrap(), err, memory }
}

fn replay(arguments: &[&str]) -> Ended {
    ended(command(arguments), b"")
}

fn of(path: &Path) -> Ended {
    replay(&[path.to_str().unwrap(), "--json"])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A folder with these files.
fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

/// A CloudTrail record of a trail that is stopped: the event alone proves what is to be done.
fn stopped(trail: &str, number: usize) -> Value {
    json!({
        "eventVersion": "1.11", "eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging", "awsRegion": "eu-central-1",
        "eventTime": format!("2026-11-{:02}T10:00:00Z", number % 28 + 1), "eventID": format!("{trail}-{number}"),
        "eventType": "AwsApiCall", "eventCategory": "Management", "recipientAccountId": "111122223333",
        "sourceIPAddress": "198.51.100.7", "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/eve"},
        "requestParameters": {"name": trail}, "responseElements": null,
    })
}

/// One that no trigger names.
fn common(number: usize) -> Value {
    json!({"eventSource": "sts.amazonaws.com", "eventName": "AssumeRole", "eventID": format!("common-{number}"), "awsRegion": "eu-central-1"})
}

fn envelope(detail: &Value) -> Value {
    json!({"version": "0", "id": detail["eventID"], "source": "aws.cloudtrail", "detail-type": "AWS API Call via CloudTrail",
        "account": "111122223333", "region": "eu-central-1", "time": detail["eventTime"], "detail": detail})
}

fn acts(seen: &Value) -> u64 {
    seen["functions"]["restore-trail"]["counts"]["act"].as_u64().unwrap()
}

#[test]
fn every_form_of_a_recording_is_read() {
    let records = |trail: &str| json!({"Records": [common(1), stopped(trail, 1), common(2)]}).to_string();
    let lines: Vec<String> = (1..=3).map(|number| envelope(&stopped("lines", number)).to_string()).collect();
    let lines = lines.join("\n");
    let joined: String = (1..=2).map(|number| envelope(&stopped("joined", number)).to_string()).collect();
    let members = [gzip(records("one").as_bytes()), gzip(b"\n"), gzip(records("two").as_bytes())].concat();
    let pretty = serde_json::to_vec_pretty(&envelope(&stopped("single", 1))).unwrap();
    let folder = folder(&[
        ("AWSLogs/1/CloudTrail/eu-central-1/2026/11/02/a.json.gz", gzip(records("log").as_bytes())),
        ("AWSLogs/1/CloudTrail-Digest/eu-central-1/2026/11/02/d.json.gz", b"not even gzip".to_vec()),
        (
            "AWSLogs/1/CloudTrail-Insight/i.json.gz",
            gzip(
                br#"{"Records":[{"eventCategory":"Insight","insightDetails":{"eventName":"StopLogging"}}]}"#,
            ),
        ),
        ("archive/lines.jsonl", lines.into_bytes()),
        ("archive/joined", joined.into_bytes()),
        ("archive/members.gz", members),
        ("archive/without-its-ending", gzip(records("bare").as_bytes())),
        ("single.json", pretty),
        ("bare.json", stopped("record", 1).to_string().into_bytes()),
        ("empty.json", Vec::new()),
    ]);
    let seen = of(folder.path()).json(0);
    assert_eq!(acts(&seen), 11, "{seen}");
    let read = &seen["read"];
    assert_eq!((read["files"].clone(), read["digests"].clone()), (json!(9), json!(1)), "{read}");
    assert_eq!(
        (read["records"].clone(), read["others"].clone(), read["events"].clone()),
        (json!(20), json!(9), json!(11)),
        "{read}"
    );
    assert_eq!(seen["damaged"]["files"], 0);
    let mut subjects: Vec<&String> =
        seen["functions"]["restore-trail"]["subjects"].as_object().unwrap().keys().collect();
    subjects.sort();
    assert_eq!(subjects, ["bare", "joined", "lines", "log", "one", "record", "single", "two"]);
    let day = &seen["functions"]["restore-trail"]["days"]["2026-11-02"];
    assert_eq!(day["act"], 8, "{seen}");
    // Standard input is a file too.
    let input = ended(command(&["-", "--json"]), &gzip(records("log").as_bytes()));
    assert_eq!(acts(&input.json(0)), 1);
}

#[test]
fn every_event_of_the_project_and_of_others_ends_as_its_triggers_say() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (room, kind) in ["block-public-bucket", "restore-trail", "revoke-open-ingress", "stop-instance"]
        .iter()
        .flat_map(|room| ["match", "ignore"].map(|kind| (*room, kind)))
    {
        for file in std::fs::read_dir(crates.join(room).join("fixtures").join(kind)).unwrap() {
            let path = file.unwrap().path();
            let seen = replay(&[path.to_str().unwrap(), "--function", room, "--json"]).json(0);
            assert_eq!(seen["read"]["events"], u64::from(kind == "match"), "{}: {seen}", path.display());
        }
    }
    let others = crates.join("../../shared/events");
    if others.exists() {
        let seen = replay(&[others.to_str().unwrap(), "--json"]);
        assert!(matches!(seen.code, Some(0 | 5)), "{}", seen.err);
        let seen: Value = serde_json::from_str(&seen.out).unwrap();
        for function in ["block-public-bucket", "restore-trail", "revoke-open-ingress", "stop-instance"] {
            let counts = seen["functions"][function]["counts"].as_object().unwrap();
            assert!(counts.values().any(|count| count.as_u64() > Some(0)), "{function}: {counts:?}");
        }
    }
}

#[test]
fn damaged_files_are_named_and_cost_nothing_else() {
    let many =
        json!({"Records": (0..200).map(|number| stopped("whole", number)).collect::<Vec<_>>()}).to_string();
    let packed = gzip(many.as_bytes());
    let mut flipped = packed.clone();
    let middle = flipped.len() / 2;
    flipped[middle..middle + 64].iter_mut().for_each(|byte| *byte ^= 0x5a);
    let cut = packed[..packed.len() * 9 / 10].to_vec();
    let invalid = many.replace("whole-7\"", "whole-\u{1}\"").into_bytes();
    let invalid = invalid.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
    let folder = folder(&[
        ("cut.json.gz", cut),
        ("flipped.json.gz", flipped),
        ("garbage.bin", b"\x89PNG\r\n\x1a\n".repeat(100)),
        ("half.json", many.as_bytes()[..many.len() / 2].to_vec()),
        ("invalid.json", invalid),
        ("good.json", json!({"Records": [stopped("good", 1)]}).to_string().into_bytes()),
    ]);
    let seen = of(folder.path()).json(5);
    let named: Vec<(&str, &str)> = seen["damaged"]["named"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["file"].as_str().unwrap().rsplit('/').next().unwrap(), one["why"].as_str().unwrap()))
        .collect();
    let files: Vec<&str> = named.iter().map(|(name, _)| *name).collect();
    assert_eq!(files, ["cut.json.gz", "flipped.json.gz", "garbage.bin", "half.json", "invalid.json"]);
    for (name, part) in [
        ("cut.json.gz", "ends too early"),
        ("garbage.bin", "no JSON"),
        ("half.json", "middle"),
        ("invalid.json", "no UTF-8"),
    ] {
        assert!(named.iter().any(|(n, why)| *n == name && why.contains(part)), "{name}: {named:?}");
    }
    // Of each what is whole: all that could be read, and each event once.
    let subjects = &seen["functions"]["restore-trail"]["subjects"];
    assert_eq!(
        (subjects["whole"]["act"].clone(), subjects["good"]["act"].clone()),
        (json!(200), json!(1)),
        "{subjects}"
    );
    let cut = of(&folder.path().join("cut.json.gz")).json(5);
    assert!((100..200).contains(&acts(&cut)), "{cut}");
    let text = replay(&[folder.path().to_str().unwrap()]);
    assert_eq!(text.code, Some(5));
    assert!(
        text.out.contains("5 files damaged")
            && text.out.contains("cut.json.gz: the compressed data ends too early"),
        "{}",
        text.out
    );
}

#[test]
fn a_bomb_needs_time_and_no_memory() {
    const SIZE: usize = 32 << 20;
    let plain = of(folder(&[("a.json", stopped("main", 1).to_string().into_bytes())]).path());
    // A gzip file may have many members.
    let bomb = |begin: &str, filler: u8, end: &str| {
        let filler = gzip(&[filler].repeat(1 << 20)).repeat(SIZE >> 20);
        [gzip(begin.as_bytes()), filler, gzip(end.as_bytes())].concat()
    };
    let (before, after) = (stopped("before", 1), stopped("after", 2));
    let (begin, end) = (format!("{{\"Records\":[{before},"), format!("{after}]}}"));
    let one_line =
        bomb(&format!("{begin}{{\"eventName\":\"StopLogging\",\"x\":\""), b'x', &format!("\"}},{end}"));
    for (name, bytes, code) in [("spaces", bomb(&begin, b' ', &end), 0), ("one-line", one_line, 5)] {
        assert!(bytes.len() < SIZE / 50);
        let seen = of(folder(&[(name, bytes)]).path());
        assert!(seen.memory < plain.memory + 12_000, "{name}: {} and {} KB", seen.memory, plain.memory);
        assert!(seen.memory < 200_000);
        let json = seen.json(code);
        assert_eq!(acts(&json), 2, "{name}: {json}");
        assert!(json["read"]["json_bytes"].as_u64().unwrap() > SIZE as u64);
    }
}

#[test]
fn many_files_and_many_names_need_no_memory() {
    let few = of(folder(&[("a.json", stopped("main", 1).to_string().into_bytes())]).path());
    let many = tempfile::tempdir().unwrap();
    for number in 0..4000 {
        // Names of which each is another one, and long.
        let record = stopped(&format!("trail-{number}-{}", "x".repeat(90)), number);
        let path = many.path().join(format!("{}/{number}.json", number % 7));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, record.to_string()).unwrap();
    }
    let seen = of(many.path());
    assert!(seen.memory < few.memory + 48_000, "{} and {} KB", seen.memory, few.memory);
    let json = seen.json(0);
    assert_eq!((json["read"]["files"].clone(), acts(&json)), (json!(4000), 4000));
    let function = &json["functions"]["restore-trail"];
    assert_eq!(function["rows"].as_array().unwrap().len(), 1000);
    assert_eq!(function["unlisted"]["act"], 3000);
}

#[test]
fn text_that_an_attacker_chose_stays_text() {
    let hostile = [
        "<script>window.owned=1</script>",
        "\"><img src=https://evil.example/x onerror=window.owned=2>",
        "</style></title><script>window.owned=3</script>",
        "' onmouseover='window.owned=4",
        "javascript:window.owned=5",
        "<svg onload=window.owned=6>",
        "\u{1b}[2J\u{202e}",
        "{{7*7}}${7*7}",
    ];
    let mut records = Vec::new();
    for (number, text) in hostile.iter().enumerate() {
        let mut record = stopped("main", number);
        record["userIdentity"]["arn"] = json!(text);
        record["sourceIPAddress"] = json!(text);
        record["eventID"] = json!(format!("{number}{text}"));
        records.push(record.clone());
        record["eventID"] = json!(format!("denied {number}{text}"));
        record["errorCode"] = json!(text);
        records.push(record.clone());
        record["eventID"] = json!(format!("odd {number}{text}"));
        record["requestParameters"] = json!({"name": text});
        records.push(record.clone());
        record["eventTime"] = json!(text);
        record.as_object_mut().unwrap().remove("errorCode");
        record["eventID"] = json!(format!("when {number}{text}"));
        records.push(record);
    }
    let folder = folder(&[(
        "<img src=x onerror=window.owned=8>.json",
        json!({"Records": records}).to_string().into_bytes(),
    )]);
    std::fs::write(folder.path().join("<b>broken.json"), "{").unwrap();
    let page = folder.path().join("page.html");
    let seen = replay(&[folder.path().to_str().unwrap(), "--html", page.to_str().unwrap()]);
    assert_eq!(seen.code, Some(5), "{}", seen.err);
    assert!(!seen.out.contains('\u{1b}') && !seen.out.contains('\u{202e}'), "{}", seen.out);
    let html = std::fs::read_to_string(&page).unwrap();
    assert_eq!(html.matches("<script").count(), 1);
    for raw in ["<img", "<b>", "<svg onload", "onerror=window.owned=8>\"", "</title><script>"] {
        assert!(!html.contains(raw), "{raw}");
    }
    assert!(html.contains("&lt;svg onload=window.owned=6&gt;"));
    if let Some(browser) = Browser::find() {
        let measured = browser.measure(&page, 390).unwrap();
        assert_eq!(
            (measured["owned"].clone(), measured["requests"].clone()),
            (Value::Null, json!([])),
            "{measured}"
        );
        assert_eq!(
            (measured["handlers"].clone(), measured["leads"].clone()),
            (json!([]), json!([])),
            "{measured}"
        );
        assert_eq!(
            (measured["filters"].clone(), measured["wide"].clone()),
            (json!(true), json!([])),
            "{measured}"
        );
        assert_eq!(measured["rows"], 32, "{measured}");
        assert_eq!(measured["tiles"]["would act"], "8", "{measured}");
        // For a human: what it looks like.
        if let Some(folder) = std::env::var_os("TOURNIQUET_PICTURES").map(PathBuf::from) {
            for (name, size, dark) in
                [("replay-wide", (1280, 1600), false), ("replay-phone", (390, 1600), true)]
            {
                browser.picture(&page, size, dark, &folder.join(format!("{name}.png"))).unwrap();
            }
            browser.print(&page, &folder.join("replay.pdf")).unwrap();
        }
    }
}

#[test]
fn what_makes_no_sense_is_said() {
    let folder = folder(&[("config.json", br#"{"stop-instances":{}}"#.to_vec()), ("a.json", b"{}".to_vec())]);
    let (config, file) = (folder.path().join("config.json"), folder.path().join("a.json"));
    let (config, file) = (config.to_str().unwrap(), file.to_str().unwrap());
    for (arguments, said) in [
        (vec!["/nowhere/at-all"], "/nowhere/at-all cannot be read"),
        (vec![file, "--function", "stop"], "there is no function \"stop\""),
        (vec![file, "--config", config], "there is no function \"stop-instances\""),
        (vec![file, "--config", "/nowhere"], "--config /nowhere"),
        (vec![file, "--since", "yesterday"], "expected"),
        (vec![], "PATH"),
    ] {
        let ended = replay(&arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains(said), "{arguments:?}: {}", ended.err);
    }
    let unwritten = replay(&[file, "--html", "/nowhere/page.html"]);
    assert_eq!(unwritten.code, Some(1));
    assert!(unwritten.err.contains("/nowhere/page.html cannot be written"), "{}", unwritten.err);
}

#[test]
fn settings_and_period_decide_as_they_would_have() {
    let open = json!({"eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress", "awsRegion": "eu-central-1",
        "eventTime": "2026-11-02T10:00:00Z", "eventID": "open", "recipientAccountId": "111122223333", "requestParameters": {
            "groupId": "sg-0a1b2c3d", "ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432, "cidrIp": "0.0.0.0/0"}});
    let config =
        br#"{"revoke-open-ingress":{"account":"111122223333","settings":{"guarded_tcp":[5432]}}}"#.to_vec();
    let folder = folder(&[("open.json", open.to_string().into_bytes()), ("config.json", config)]);
    let file = folder.path().join("open.json");
    let config = folder.path().join("config.json");
    let (file, config) = (file.to_str().unwrap(), config.to_str().unwrap());
    let counts = |arguments: &[&str]| {
        let all: Vec<&str> = [file, "--json"].iter().chain(arguments).copied().collect();
        let seen = replay(&all).json(0);
        let counts = &seen["functions"]["revoke-open-ingress"]["counts"];
        (
            counts["act"].as_u64().unwrap(),
            counts["look"].as_u64().unwrap(),
            seen["read"]["outside_period"].as_u64().unwrap(),
        )
    };
    assert_eq!(counts(&[]), (0, 1, 0));
    assert_eq!(counts(&["--config", config]), (1, 0, 0));
    assert_eq!(counts(&["--since", "2026-11-03"]), (0, 0, 1));
    assert_eq!(counts(&["--before", "2026-11-03"]), (0, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_read_with_the_operators_credentials() {
    let account = Account::start(&Tools::find().unwrap()).await.unwrap();
    let endpoint = format!("http://{}", account.address);
    let sdk = Sdk::new(&account.region, Trust::System).unwrap();
    let config = offline(sdk.http_client(), &account.region, Some(&endpoint));
    let administrator = Credentials::new(&account.administrator, "simulated", None, None, "test");
    let config =
        aws_sdk_s3::config::Builder::from(&config).credentials_provider(administrator).force_path_style(true);
    let s3 = aws_sdk_s3::Client::from_conf(config.build());
    let with =
        json!({"Bucket": "trail-logs", "CreateBucketConfiguration": {"LocationConstraint": account.region}});
    account.call("s3.create_bucket", with, "").await.unwrap();
    let log = |number: usize| {
        gzip(json!({"Records": [common(number), stopped("main", number)]}).to_string().as_bytes())
    };
    let mut objects: Vec<(String, Vec<u8>)> = (0..1005)
        .map(|number| (format!("AWSLogs/1/CloudTrail/eu-central-1/2026/11/{number}.json.gz"), log(number)))
        .collect();
    objects
        .push(("AWSLogs/1/CloudTrail-Digest/eu-central-1/2026/11/1.json.gz".to_owned(), b"no log".to_vec()));
    objects.push(("AWSLogs/1/CloudTrail/eu-central-1/2026/12/1.json.gz".to_owned(), log(5000)));
    objects.push((
        "AWSLogs/1/CloudTrail/eu-central-1/2026/11/damaged.json.gz".to_owned(),
        log(6000)[..40].to_vec(),
    ));
    for (key, bytes) in objects {
        s3.put_object().bucket("trail-logs").key(key).body(bytes.into()).send().await.unwrap();
    }
    let run = |path: &str| {
        let mut command = command(&[path, "--json"]);
        command.env("AWS_ENDPOINT_URL", &endpoint).env("AWS_REGION", &account.region);
        command.env("AWS_ACCESS_KEY_ID", &account.administrator).env("AWS_SECRET_ACCESS_KEY", "simulated");
        ended(command, b"")
    };
    let seen = run("s3://trail-logs/AWSLogs/1/CloudTrail/eu-central-1/2026/11/");
    assert!(seen.memory < 200_000, "{} KB", seen.memory);
    let seen = seen.json(5);
    // More than one page, and what is damaged is named.
    assert_eq!((acts(&seen), seen["read"]["files"].clone()), (1005, json!(1006)), "{}", seen["read"]);
    assert_eq!(
        seen["damaged"]["named"][0]["file"],
        "s3://trail-logs/AWSLogs/1/CloudTrail/eu-central-1/2026/11/damaged.json.gz"
    );
    let all = run("s3://trail-logs").json(5);
    assert_eq!((acts(&all), all["read"]["digests"].clone()), (1006, json!(1)), "{}", all["read"]);
    let missing = run("s3://not-there/x");
    assert_eq!(missing.code, Some(1), "{}", missing.out);
    assert!(
        missing.err.contains("s3://not-there/x cannot be listed") && missing.err.contains("NoSuchBucket"),
        "{}",
        missing.err
    );
}
