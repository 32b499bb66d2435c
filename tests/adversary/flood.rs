//! Who floods a function to use up its change limit, so that the real act is held.

use drill::fault::{At, Fault, Kind};
use drill::function::Invocation;
use drill::running::{Running, outcomes};
use serde_json::{Value, json};

use super::*;

/// Buckets that anybody can read, and the events of who opened them.
struct Flood<'a> {
    running: Running<'a>,
    opened: u32,
}

impl<'a> Flood<'a> {
    async fn of(tools: &'a Tools, account: &'a Account, limit: u32) -> Self {
        let mut scenario = named("block-public-bucket", "public-by-policy");
        scenario.config.insert("changes_per_hour".to_owned(), json!(limit));
        Self { running: on_stage(tools, account, &scenario).await, opened: 0 }
    }

    async fn create(&self, bucket: &str) {
        let with =
            json!({"Bucket": bucket, "CreateBucketConfiguration": {"LocationConstraint": "${region}"}});
        self.running.see("s3.create_bucket", with, "@").await.unwrap();
    }

    /// Lets everybody read a bucket; the event that follows.
    async fn open(&mut self, role: &str, session: &str, bucket: &str) -> Value {
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Everybody", "Effect": "Allow", "Principal": "*",
            "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{bucket}/*")}]});
        let _ = self.running.see("s3.delete_public_access_block", json!({"Bucket": bucket}), "@").await;
        let with = json!({"Bucket": bucket, "Policy": policy.to_string()});
        self.running.see("s3.put_bucket_policy", with, "@").await.unwrap();
        self.opened += 1;
        let mut event = self.running.stage.event.clone();
        event["detail"]["eventID"] = json!(format!("opened-{}", self.opened));
        event["detail"]["requestParameters"]["bucketName"] = json!(bucket);
        let identity = &mut event["detail"]["userIdentity"];
        let account = &self.running.stage.account.id;
        identity["arn"] = json!(format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"));
        identity["sessionContext"]["sessionIssuer"]["arn"] =
            json!(format!("arn:aws:iam::{account}:role/{role}"));
        event
    }

    async fn opens(&mut self, role: &str, bucket: &str) -> Invocation {
        // The name of a session is the caller's own choice.
        let session = format!("session-{}", self.opened);
        let event = self.open(role, &session, bucket).await;
        self.running.function.invoke(&event).await.unwrap()
    }

    /// How many changes were counted for the hour in all.
    async fn taken(&self) -> Value {
        let with = json!({"TableName": "${journal_table}"});
        let at = "Items[?starts_with(pk.S, 'limit#') && sk.S == '${hour}'] | [0].taken.N";
        self.running.see("dynamodb.scan", with, at).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g26_a_flood_by_one_actor_holds_that_actor_alone() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut flood = Flood::of(&tools, &account, 4).await;
    for (n, expected) in ["contained", "contained", "held", "held"].iter().enumerate() {
        let bucket = format!("decoy-{n}");
        flood.create(&bucket).await;
        let invocation = flood.opens("intruder", &bucket).await;
        assert_eq!(outcomes(&invocation), [*expected], "{bucket}: {:?}", invocation.log);
        if n == 2 {
            let why = &invocation.reports[0].why;
            assert!(
                why.contains("role/intruder has used up its share, 2 of the limit of 4 changes"),
                "{why}"
            );
        }
    }
    let messages = flood.running.messages().await.unwrap();
    assert_eq!(messages.len(), 3, "each containment, and once that the rest is held: {messages:?}");
    // Another actor's act is answered at once, and the sweep contains what was held, as far as the limit goes.
    assert_eq!(outcomes(&flood.opens("ci", "customer-exports").await), ["contained"]);
    let swept = flood.running.function.invoke(&sweep()).await.unwrap();
    let changed = |outcome: &str| outcomes(&swept).iter().filter(|one| **one == outcome).count();
    assert_eq!((changed("contained"), changed("held")), (1, 1), "{:?}", swept.log);
    assert_eq!(flood.taken().await, json!("4"));
    let messages = flood.running.messages().await.unwrap();
    let told = messages.iter().any(|message| message.contains("the limit of 4 changes an hour is reached"));
    assert!(told, "the hour's limit is told besides the actor's share: {messages:?}");
    flood.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn g26_g29_a_bucket_that_flaps_is_contained_each_time_and_takes_three_of_the_limit() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut flood = Flood::of(&tools, &account, 8).await;
    for round in 1..=6 {
        let invocation = flood.opens("intruder", "customer-exports").await;
        assert_eq!(outcomes(&invocation), ["contained"], "{round}: {:?}", invocation.log);
        let fight = invocation.log.iter().any(|line| line.contains(r#""fight":true"#));
        assert_eq!(fight, round >= 3, "{round}: {:?}", invocation.log);
    }
    assert_eq!(flood.taken().await, json!("3"));
    // Each resource has a ceiling too: automation that fights itself comes to an end.
    assert_eq!(outcomes(&flood.opens("intruder", "customer-exports").await), ["contained"]);
    assert_eq!(outcomes(&flood.opens("intruder", "customer-exports").await), ["contained"]);
    let invocation = flood.opens("intruder", "customer-exports").await;
    assert_eq!(outcomes(&invocation), ["held"], "{:?}", invocation.log);
    assert!(
        invocation.reports[0].why.contains("changed 8 times in this hour"),
        "{}",
        invocation.reports[0].why
    );
    flood.create("other").await;
    assert_eq!(outcomes(&flood.opens("intruder", "other").await), ["contained"]);
    flood.running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn g26_a_retry_is_not_counted_again_and_every_count_expires() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let flood = Flood::of(&tools, &account, 4).await;
    let deny =
        |kind| Fault { at: At::Operation("s3:PutBucketPublicAccessBlock".to_owned()), kind, times: 99 };
    flood.running.proxy.set_faults(vec![deny(Kind::Deny)]);
    for outcome in ["failed", "partial"] {
        assert_eq!(ended(&flood.running.deliver().await.unwrap()), outcome);
    }
    flood.running.proxy.set_faults(Vec::new());
    assert_eq!(ended(&flood.running.deliver().await.unwrap()), "contained");
    let counts = flood
        .running
        .see("dynamodb.scan", json!({"TableName": "${journal_table}"}), "Items[?starts_with(pk.S, 'limit#')]")
        .await
        .unwrap();
    let counts = counts.as_array().unwrap();
    assert_eq!(counts.len(), 3, "of the hour, of the actor, of the bucket: {counts:?}");
    assert!(
        counts.iter().all(|count| count["taken"]["N"] == "1" && count["expires"]["N"].is_string()),
        "{counts:?}"
    );
    assert!(!json!(counts).to_string().contains("developer"), "the actor's own text is in a key: {counts:?}");
    flood.running.stop().await.unwrap();
}

/// Puts a count of this hour into the journal.
async fn count(running: &Running<'_>, function: &str, taken: u32) {
    let item = json!({"pk": {"S": format!("limit#{function}#${{account}}")}, "sk": {"S": "${hour}"}, "taken": {"N": taken.to_string()}});
    running
        .see("dynamodb.put_item", json!({"TableName": "${journal_table}", "Item": item}), "@")
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn g26_a_flood_of_one_function_leaves_the_others_untouched() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let running = on_stage(&tools, &account, &named("restore-trail", "stopped-trail")).await;
    for function in tools.functions().unwrap().iter().filter(|name| *name != "restore-trail") {
        count(&running, function, 20).await;
    }
    assert_eq!(ended(&running.deliver().await.unwrap()), "contained");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn g26_an_urgent_function_keeps_its_last_changes_for_events_of_who_has_taken_none() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let running = on_stage(&tools, &account, &named("restore-trail", "stopped-trail")).await;
    count(&running, "restore-trail", 16).await;
    let swept = running.function.invoke(&sweep()).await.unwrap();
    assert_eq!(ended(&swept), "held", "{:?}", swept.log);
    assert_eq!(ended(&running.deliver().await.unwrap()), "contained");
    // The same actor again: its part of what is kept is taken.
    running.see("cloudtrail.stop_logging", json!({"Name": "audit"}), "@").await.unwrap();
    let mut again = running.stage.event.clone();
    again["detail"]["eventID"] = json!("again");
    let held = running.function.invoke(&again).await.unwrap();
    assert_eq!(ended(&held), "held", "{:?}", held.log);
    assert!(held.reports[0].why.contains("limit of 20 changes an hour"), "{}", held.reports[0].why);
    running.stop().await.unwrap();
}
