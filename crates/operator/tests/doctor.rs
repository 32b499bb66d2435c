//! `tourniquet doctor`, as a process, on what Terraform deployed into the simulated account: well at first, then broken in one
//! way after the other. Without Terraform the test says so and passes.
//!
//! `TOURNIQUET_TF_PLUGINS` names a folder with the AWS provider, where there is no registry.

#![cfg(test)]

#[path = "../../../tests/terraform/copy.rs"]
mod copy;
#[path = "common/process.rs"]
mod process;

use copy::Copy;
use drill::account::Account;
use drill::fault::{At, Fault, Kind};
use drill::proxy::Proxy;
use drill::tools::Tools;
use process::run;
use serde_json::{Value, json};

const MEMBER: &str = "444455556666";
const ELSEWHERE: &str = "ap-southeast-2";
/// The role by which the operator reads other accounts.
const AUDIT: &str = "security-audit";

/// A deployment, and the doctor who looks at it.
struct Ward {
    account: Account,
    proxy: Proxy,
    functions: Vec<String>,
}

impl Ward {
    async fn call(&self, call: &str, with: Value) -> Value {
        self.account.call(call, with, "@").await.unwrap()
    }

    /// The exit code and all checks.
    async fn round(&self) -> (Option<i32>, Vec<Value>) {
        let arguments = ["doctor", "--json", "--member-role", AUDIT];
        let ended = run(Some((&self.account, &self.proxy.url())), &arguments, "").await;
        let told: Value = serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{e}: {ended:?}"));
        (ended.code, told["checks"].as_array().unwrap().clone())
    }

    /// What is not ok, as function, about, state and found.
    async fn found(&self) -> Vec<[String; 5]> {
        let (code, checks) = self.round().await;
        let bad = checks.iter().filter(|check| check["state"] != "ok");
        let text = |check: &Value, key: &str| check[key].as_str().unwrap_or("all").to_owned();
        let bad: Vec<_> =
            bad.map(|c| ["function", "about", "state", "found", "advice"].map(|key| text(c, key))).collect();
        assert_eq!(code, Some(if bad.is_empty() { 0 } else { 5 }), "{bad:?}");
        bad
    }

    /// There is this and nothing else.
    async fn only(&self, function: &str, about: &str, state: &str, found: &str, advice: &str) {
        let bad = self.found().await;
        assert_eq!(bad.len(), 1, "{about}: {bad:?}");
        let [f, a, s, what, to_do] = &bad[0];
        assert_eq!((f.as_str(), a.as_str(), s.as_str()), (function, about, state), "{bad:?}");
        assert!(what.contains(found), "{found}: {what}");
        assert!(to_do.contains(advice), "{advice}: {to_do}");
    }

    /// Everything is well.
    async fn well(&self, after: &str) {
        let bad = self.found().await;
        assert!(bad.is_empty(), "after {after}: {bad:?}");
    }

    /// Logs that a sweep ended, as each function would have.
    async fn sweep(&self) {
        let now = json!(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis());
        for function in &self.functions {
            let group = format!("/aws/lambda/tourniquet-{function}");
            let stream = json!({"logGroupName": group, "logStreamName": "sweep"});
            self.call("logs.create_log_stream", stream).await;
            let line = json!({"level": "INFO", "message": "heartbeat: sweep ended", "function": function, "subjects": 0});
            let events = json!([{"timestamp": now, "message": line.to_string()}]);
            let with = json!({"logGroupName": group, "logStreamName": "sweep", "logEvents": events});
            self.call("logs.put_log_events", with).await;
        }
    }

    /// Changes the configuration of a deployed function, and gives back what it was.
    async fn configure(&self, function: &str, change: impl FnOnce(&mut Value)) -> Value {
        let name = json!({"FunctionName": format!("tourniquet-{function}")});
        let at = "Environment.Variables.TOURNIQUET_CONFIG";
        let before = self.account.call("lambda.get_function_configuration", name, at).await.unwrap();
        let mut config: Value = serde_json::from_str(before.as_str().unwrap()).unwrap();
        let old = config.clone();
        change(&mut config);
        let variables = json!({"Variables": {"TOURNIQUET_CONFIG": config.to_string()}});
        let with = json!({"FunctionName": format!("tourniquet-{function}"), "Environment": variables});
        self.call("lambda.update_function_configuration", with).await;
        old
    }
}

#[tokio::test]
async fn what_terraform_deployed_is_well_and_each_thing_that_breaks_is_named_with_what_to_do() {
    if std::process::Command::new("terraform").arg("version").output().is_err() {
        eprintln!("LEFT OUT: Terraform is missing, so doctor was not tried on a deployment");
        return;
    }
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let functions = tools.functions().unwrap();
    let proxy = Proxy::start(account.address).await.unwrap();
    let copy = Copy::of(&tools, &account).await;
    let dist = tempfile::tempdir().unwrap();
    copy::pack(&tools, dist.path()).await;
    copy.init().await;
    let key = account.administrator.replace(&account.id, MEMBER);
    let variables = json!({
        "dist": dist.path(), "architecture": "x86_64", "accounts": [MEMBER],
        "functions": {"stop-instance": {"mode": "enforce"}}, "emails": ["security@example.com"],
        "settings": {"stop-instance": {"cut_connections": true}},
        "member": {"region": ELSEWHERE, "key": key, "secret": "simulated"}
    });
    copy.succeeds(&["apply", "-auto-approve", "-input=false"], &variables).await;
    audit_role(&account).await;
    let ward = Ward { account, proxy, functions };

    heartbeats(&ward).await;
    ward.well("the deployment").await;
    let (_, checks) = ward.round().await;
    let mode = |function: &str| {
        let mode =
            checks.iter().find(|check| check["function"] == function && check["about"] == "mode").unwrap();
        mode["found"].as_str().unwrap().to_owned()
    };
    assert!(mode("stop-instance").starts_with("enforce: ") && mode("restore-trail").starts_with("observe: "));

    rules_and_schedules(&ward).await;
    lambda(&ward).await;
    configurations(&ward).await;
    roles(&ward).await;
    shared(&ward).await;
    refusals(&ward).await;
    ward.well("all of it").await;
    deletions(&ward).await;
    let changed: Vec<String> = ward
        .proxy
        .calls()
        .into_iter()
        .filter(|call| call.changes() && call.name != "logs:FilterLogEvents")
        .map(|call| call.name)
        .collect();
    assert!(changed.is_empty(), "doctor changed something: {changed:?}");
}

async fn audit_role(account: &Account) {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", account.id)}, "Action": "sts:AssumeRole"}]});
    let role = json!({"RoleName": AUDIT, "AssumeRolePolicyDocument": trust.to_string()});
    account.call_in(MEMBER, "iam.create_role", role, "@").await.unwrap();
    let reads = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"}]});
    let policy = json!({"RoleName": AUDIT, "PolicyName": "reads", "PolicyDocument": reads.to_string()});
    account.call_in(MEMBER, "iam.put_role_policy", policy, "@").await.unwrap();
}

async fn heartbeats(ward: &Ward) {
    let bad = ward.found().await;
    assert_eq!(bad.len(), ward.functions.len(), "{bad:?}");
    for [_, about, state, found, advice] in &bad {
        assert_eq!((about.as_str(), state.as_str()), ("heartbeat", "warning"));
        assert!(
            found.contains("no sweep ended yet") && advice.starts_with("look again after 2"),
            "{found} {advice}"
        );
    }
    ward.sweep().await;
}

async fn rules_and_schedules(ward: &Ward) {
    let rule = json!({"Name": "tourniquet-stop-instance-guardduty-finding"});
    ward.call("events.disable_rule", rule.clone()).await;
    let about = "rule guardduty-finding";
    let advice =
        "aws events enable-rule --name tourniquet-stop-instance-guardduty-finding --event-bus-name default";
    ward.only("stop-instance", about, "problem", "it is DISABLED", advice).await;
    ward.call("events.enable_rule", rule).await;

    let described = json!({"Name": "tourniquet-restore-trail-key", "EventBusName": "tourniquet"});
    let pattern = ward.account.call("events.describe_rule", described.clone(), "EventPattern").await.unwrap();
    let put = |pattern: &Value| {
        let mut with = described.clone();
        with["EventPattern"] = pattern.clone();
        ward.call("events.put_rule", with)
    };
    put(&json!(r#"{"source": ["aws.kms"]}"#)).await;
    let about = "rule key on the bus tourniquet";
    ward.only("restore-trail", about, "problem", "crates/restore-trail/triggers/key.json", "terraform apply")
        .await;
    put(&pattern).await;
    ward.well("a pattern").await;

    let targets = json!({"Rule": "tourniquet-restore-trail-bucket"});
    let before = ward.account.call("events.list_targets_by_rule", targets.clone(), "Targets").await.unwrap();
    ward.call(
        "events.remove_targets",
        json!({"Rule": "tourniquet-restore-trail-bucket", "Ids": ["function"]}),
    )
    .await;
    ward.only("restore-trail", "rule bucket", "problem", "does not hand the whole event", "terraform apply")
        .await;
    ward.call("events.put_targets", json!({"Rule": "tourniquet-restore-trail-bucket", "Targets": before}))
        .await;

    let permission = json!({"FunctionName": "tourniquet-restore-trail", "StatementId": "rule-default-key"});
    ward.call("lambda.remove_permission", permission).await;
    ward.only("restore-trail", "rule key", "problem", "does not let it invoke", "terraform apply").await;
    let arn = ward
        .account
        .call("events.describe_rule", json!({"Name": "tourniquet-restore-trail-key"}), "Arn")
        .await
        .unwrap();
    let permission = json!({
        "FunctionName": "tourniquet-restore-trail", "StatementId": "rule-default-key", "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com", "SourceArn": arn
    });
    ward.call("lambda.add_permission", permission).await;

    let named = json!({"Name": "tourniquet-disable-old-keys", "GroupName": "tourniquet"});
    let fields = "{Name: Name, GroupName: GroupName, ScheduleExpression: ScheduleExpression, State: State, FlexibleTimeWindow: FlexibleTimeWindow, Target: Target}";
    let schedule = ward.account.call("scheduler.get_schedule", named.clone(), fields).await.unwrap();
    let mut off = schedule.clone();
    off["State"] = json!("DISABLED");
    ward.call("scheduler.update_schedule", off).await;
    ward.only(
        "disable-old-keys",
        "schedule",
        "problem",
        "it is DISABLED: it never sweeps",
        "EventBridge Scheduler",
    )
    .await;
    ward.call("scheduler.delete_schedule", named).await;
    ward.only("disable-old-keys", "schedule", "problem", "there is no schedule", "terraform apply").await;
    let mut weekly = schedule.clone();
    weekly["ScheduleExpression"] = json!("rate(7 days)");
    ward.call("scheduler.create_schedule", weekly).await;
    ward.only(
        "disable-old-keys",
        "schedule",
        "problem",
        "it is rate(7 days), function.json says cron(",
        "terraform",
    )
    .await;
    ward.call("scheduler.update_schedule", schedule).await;
    ward.well("rules and schedules").await;
}

async fn lambda(ward: &Ward) {
    let name = json!({"FunctionName": "tourniquet-block-public-bucket"});
    let mut zero = name.clone();
    zero["ReservedConcurrentExecutions"] = json!(0);
    ward.call("lambda.put_function_concurrency", zero).await;
    let advice = "aws lambda delete-function-concurrency --function-name tourniquet-block-public-bucket";
    ward.only("block-public-bucket", "concurrency", "problem", "switched off", advice).await;
    ward.call("lambda.delete_function_concurrency", name.clone()).await;

    let mut slow = name.clone();
    slow["Timeout"] = json!(3);
    ward.call("lambda.update_function_configuration", slow.clone()).await;
    let found = "it has 256 MB and 3 s, function.json says 256 MB and 300 s";
    ward.only("block-public-bucket", "function", "warning", found, "terraform apply").await;
    slow["Timeout"] = json!(300);
    ward.call("lambda.update_function_configuration", slow).await;

    for (queue, found) in
        [("failed", "1 events that it failed at"), ("undelivered", "1 events that could not be handed")]
    {
        let named = json!({"QueueName": format!("tourniquet-block-public-bucket-{queue}")});
        let url = ward.account.call("sqs.get_queue_url", named, "QueueUrl").await.unwrap();
        ward.call("sqs.send_message", json!({"QueueUrl": url, "MessageBody": "{}"})).await;
        let advice = format!("/tourniquet-block-public-bucket-{queue}), mend the cause");
        ward.only("block-public-bucket", &format!("queue {queue}"), "problem", found, &advice).await;
        ward.call("sqs.purge_queue", json!({"QueueUrl": url})).await;
    }

    let at = "DestinationConfig";
    let kept = ward.account.call("lambda.get_function_event_invoke_config", name.clone(), at).await.unwrap();
    ward.call("lambda.delete_function_event_invoke_config", name.clone()).await;
    ward.only("block-public-bucket", "events that fail", "problem", "are lost", "terraform apply").await;
    let mut back = name;
    back["DestinationConfig"] = kept;
    ward.call("lambda.put_function_event_invoke_config", back).await;
    ward.well("lambda").await;
}

async fn configurations(ward: &Ward) {
    let mend = "mend that key";
    let old = ward.configure("revoke-open-ingress", |config| config["mode"] = json!("enforced")).await;
    let found = "configuration: revoke-open-ingress: mode: unknown variant `enforced`";
    let bad = ward.found().await;
    // What settings decide about cannot be looked at then, and is not taken for well.
    let seen: Vec<_> = bad.iter().map(|[_, about, state, ..]| (about.as_str(), state.as_str())).collect();
    assert_eq!(seen, [("configuration", "problem"), ("role", "unseen")], "{bad:?}");
    assert!(bad[0][3].contains(found) && bad[0][4].contains(mend), "{bad:?}");
    ward.configure("revoke-open-ingress", |config| *config = old).await;

    let old = ward.configure("revoke-open-ingress", |config| config["settings"]["prots"] = json!([22])).await;
    let bad = ward.found().await;
    assert!(bad[0][3].contains("revoke-open-ingress: settings") && bad[0][3].contains("prots"), "{bad:?}");
    ward.configure("revoke-open-ingress", |config| *config = old).await;

    let old = ward
        .configure("revoke-open-ingress", |config| config["own_role"] = json!("arn:aws:iam::1:role/x"))
        .await;
    let found = "takes its own changes for an attacker's";
    ward.only("revoke-open-ingress", "configuration", "problem", found, "terraform apply").await;
    ward.configure("revoke-open-ingress", |config| *config = old).await;
    ward.well("configurations").await;
}

async fn roles(ward: &Ward) {
    let account = &ward.account;
    for (owner, about, advice) in [
        (account.id.as_str(), "role".to_owned(), "terraform apply"),
        (MEMBER, format!("member role in {MEMBER}"), "terraform apply"),
    ] {
        let named = json!({"RoleName": "tourniquet-stop-instance", "PolicyName": "function"});
        let before =
            account.call_in(owner, "iam.get_role_policy", named.clone(), "PolicyDocument").await.unwrap();
        let put = async |document: &Value| {
            let mut with = named.clone();
            with["PolicyDocument"] = json!(document.to_string());
            account.call_in(owner, "iam.put_role_policy", with, "@").await.unwrap();
        };
        let mut less = before.clone();
        less["Statement"].as_array_mut().unwrap().retain(|statement| statement["Sid"] != "Stop");
        put(&less).await;
        let found = "the statement Stop is missing (ec2:StopInstances)";
        ward.only("stop-instance", &about, "problem", found, advice).await;
        let mut more = before.clone();
        more["Statement"]
            .as_array_mut()
            .unwrap()
            .push(json!({"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}));
        put(&more).await;
        ward.only("stop-instance", &about, "problem", "the statement All is none of the room's (*)", advice)
            .await;
        put(&before).await;
    }
    let about = format!("member role in {MEMBER}");
    let named = json!({"RoleName": "tourniquet-stop-instance"});
    let trust =
        account.call_in(MEMBER, "iam.get_role", named, "Role.AssumeRolePolicyDocument").await.unwrap();
    let put = async |document: String| {
        let with = json!({"RoleName": "tourniquet-stop-instance", "PolicyDocument": document});
        account.call_in(MEMBER, "iam.update_assume_role_policy", with, "@").await.unwrap();
    };
    put(trust.to_string().replace("tourniquet-stop-instance", "tourniquet-other")).await;
    ward.only(
        "stop-instance",
        &about,
        "problem",
        "it does not trust arn:aws:iam::111122223333:role/",
        "modules/member",
    )
    .await;
    put(trust.to_string()).await;

    let without =
        run(Some((account, &ward.proxy.url())), &["doctor", "--function", "stop-instance"], "").await;
    assert_eq!(without.code, Some(5), "{}", without.err);
    assert!(without.out.contains("unseen   member role in 444455556666"), "{}", without.out);
    assert!(
        without.out.contains("what to do: name a role that reads IAM in that account with --member-role")
    );
}

async fn shared(ward: &Ward) {
    let table = "tourniquet-journal";
    let recovery = |on: bool| {
        let specification = json!({"PointInTimeRecoveryEnabled": on});
        let with = json!({"TableName": table, "PointInTimeRecoverySpecification": specification});
        ward.call("dynamodb.update_continuous_backups", with)
    };
    recovery(false).await;
    ward.only("all", "recovery of the journal to a point in time", "problem", "off", "terraform apply").await;
    recovery(true).await;
    let ends = |on: bool| {
        let specification = json!({"Enabled": on, "AttributeName": "expires"});
        ward.call(
            "dynamodb.update_time_to_live",
            json!({"TableName": table, "TimeToLiveSpecification": specification}),
        )
    };
    ends(false).await;
    ward.only("all", "ends of records", "problem", "records stay for ever", "terraform apply").await;
    ends(true).await;

    let all = ward
        .account
        .call("sns.list_subscriptions", json!({}), "Subscriptions[].SubscriptionArn")
        .await
        .unwrap();
    for subscription in all.as_array().unwrap() {
        ward.call("sns.unsubscribe", json!({"SubscriptionArn": subscription})).await;
    }
    ward.only("all", "topic tourniquet", "problem", "nobody has subscribed", "`emails`").await;
    let topic = format!("arn:aws:sns:{}:{}:tourniquet", ward.account.region, ward.account.id);
    ward.call(
        "sns.subscribe",
        json!({"TopicArn": topic, "Protocol": "email", "Endpoint": "security@example.com"}),
    )
    .await;
}

/// Who deletes what all this stands on: nothing else would tell.
async fn deletions(ward: &Ward) {
    let named = async |function: &str, found: &str| {
        let bad = ward.found().await;
        let told = bad
            .iter()
            .any(|[whose, _, _, what, to_do]| whose == function && what.contains(found) && !to_do.is_empty());
        assert!(told, "{found}: {bad:?}");
    };
    let topic = format!("arn:aws:sns:{}:{}:tourniquet", ward.account.region, ward.account.id);
    ward.call("sns.delete_topic", json!({"TopicArn": topic})).await;
    named("all", "does not exist: nobody is told of anything").await;
    ward.call("lambda.delete_function", json!({"FunctionName": "tourniquet-stop-instance"})).await;
    named("stop-instance", "is not deployed in").await;
    ward.call(
        "dynamodb.update_table",
        json!({"TableName": "tourniquet-journal", "DeletionProtectionEnabled": false}),
    )
    .await;
    ward.call("dynamodb.delete_table", json!({"TableName": "tourniquet-journal"})).await;
    named("all", "there is no such table").await;
}

/// Nothing that could not be looked at is taken for well, whichever call is refused.
async fn refusals(ward: &Ward) {
    let calls: std::collections::BTreeSet<String> =
        ward.proxy.calls().into_iter().map(|call| call.name).collect();
    let asked: Vec<String> = calls.into_iter().filter(|name| !name.starts_with("sts:")).collect();
    assert!(asked.len() > 15, "{asked:?}");
    for name in asked {
        ward.proxy.set_faults(vec![Fault { at: At::Operation(name.clone()), kind: Kind::Deny, times: 999 }]);
        let bad = ward.found().await;
        assert!(!bad.is_empty(), "{name} is refused, and all is well");
        // The proxy does not know Lambda's and Scheduler's names of calls, nor how these services refuse.
        let known = !name.starts_with("lambda:") && !name.starts_with("scheduler:");
        let told =
            if known { format!("could not look: needs {name}") } else { "could not look: ".to_owned() };
        for [_, about, state, found, advice] in &bad {
            assert_eq!(state, "unseen", "{name}: {about}: {found}");
            assert!(found.starts_with(&told), "{name}: {about}: {found}");
            assert!(!known || advice.starts_with(&format!("allow {name}")), "{name}: {about}: {advice}");
        }
    }
    ward.proxy.set_faults(Vec::new());
}
