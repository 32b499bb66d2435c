//! Accounts full of what looks like harm and is none: swept, and hit by events that look like attacks. Nothing is changed.
//!
//! `TOURNIQUET_INNOCENTS` says how many resources each account has.

use super::*;

/// As many as fit into seconds.
const FEW: usize = 28;

fn how_many() -> usize {
    std::env::var("TOURNIQUET_INNOCENTS").map_or(FEW, |text| text.parse().unwrap())
}

/// One of a function's accounts, with the resources in it.
struct Crowd<'a> {
    running: Running<'a>,
    size: usize,
}

impl<'a> Crowd<'a> {
    async fn of(tools: &'a Tools, account: &'a Account, function: &str, name: &str) -> Self {
        let mut scenario = named(function, name);
        scenario.attack.clear();
        // A website that is meant to be public says so by its tag.
        scenario.config.insert("exempt_by_tag".to_owned(), json!(true));
        let running = on_stage(tools, account, &scenario).await;
        Self { running, size: how_many() }
    }

    async fn call(&self, call: &str, with: Value) {
        self.running.see(call, with, "@").await.unwrap();
    }

    /// What is said of an event or a sweep: no change, no error.
    async fn passes(&self, what: &str, event: &Value) {
        let invocation = self.running.function.invoke(event).await.unwrap();
        assert!(invocation.error.is_none(), "{what}: {:?}", invocation.error);
        let bad = invocation
            .reports
            .iter()
            .filter(|report| !["already-safe", "ignored", "exempt"].contains(&report.outcome.as_str()));
        let bad: Vec<_> = bad.map(|report| (&report.subject, &report.outcome, &report.why)).collect();
        assert!(bad.is_empty(), "{what}: {bad:?}");
    }

    async fn ends(self) {
        let tried = self.running.proxy.calls().into_iter().filter(drill::call::Call::changes_the_account);
        let tried: Vec<String> = tried.map(|call| call.name).collect();
        assert!(tried.is_empty(), "innocents were changed: {tried:?}");
        let messages = self.running.messages().await.unwrap();
        // What is public on purpose is told as such, once.
        let only_exempt = |message: &&String| {
            let mut lines = message.lines().filter(|line| line.starts_with("- ")).peekable();
            message.starts_with("EXEMPT: ")
                || (lines.peek().is_some() && lines.all(|line| line.starts_with("- exempt: ")))
        };
        let other: Vec<_> = messages.iter().filter(|message| !only_exempt(message)).collect();
        assert!(other.is_empty(), "people were told of innocents: {other:?}");
        println!("{} resources, {} calls, no change", self.size, self.running.proxy.calls().len());
        self.running.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn innocent_groups_are_swept_and_nothing_is_changed() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let crowd = Crowd::of(&tools, &account, "revoke-open-ingress", "ransom-preparation-opens-rdp").await;
    let ingress = |protocol: &str, from: i32, to: i32, key: &str, source: Value| json!({"IpProtocol": protocol, "FromPort": from, "ToPort": to, key: [source]});
    let v4 = |cidr: String| json!({"CidrIp": cidr});
    for n in 0..crowd.size {
        let name = json!({"GroupName": format!("innocent-{n}"), "Description": "looks like harm"});
        let id = crowd.running.see("ec2.create_security_group", name, "GroupId").await.unwrap();
        let office = v4(format!("198.51.{}.0/24", n % 256));
        let rules = match n % 8 {
            0 => vec![ingress("tcp", 22, 22, "IpRanges", v4(format!("10.{}.0.0/16", n % 256)))],
            1 => vec![
                ingress("tcp", 443, 443, "IpRanges", v4("0.0.0.0/0".into())),
                ingress("tcp", 22, 22, "IpRanges", office),
            ],
            2 => vec![ingress("tcp", 8022, 8022, "IpRanges", v4("0.0.0.0/0".into()))],
            3 => vec![ingress("tcp", 23, 3388, "IpRanges", v4("0.0.0.0/0".into()))],
            4 => vec![ingress("tcp", 0, 21, "Ipv6Ranges", json!({"CidrIpv6": "::/0"}))],
            5 => vec![ingress("-1", -1, -1, "UserIdGroupPairs", json!({"GroupId": id}))],
            6 => vec![ingress("tcp", 0, 65535, "IpRanges", v4("172.16.0.0/12".into()))],
            _ => vec![
                ingress("icmp", -1, -1, "IpRanges", v4("0.0.0.0/0".into())),
                ingress("udp", 22, 22, "IpRanges", v4("0.0.0.0/0".into())),
            ],
        };
        crowd
            .call("ec2.authorize_security_group_ingress", json!({"GroupId": id, "IpPermissions": rules}))
            .await;
        if n < 16 {
            let mut event = crowd.running.stage.event.clone();
            event["detail"]["eventID"] = json!(format!("innocent-{n}"));
            event["detail"]["requestParameters"]["groupId"] = id;
            crowd.passes("an event", &event).await;
        }
    }
    crowd.passes("the sweep", &sweep()).await;
    crowd.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn innocent_buckets_are_swept_and_nothing_is_changed() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let crowd = Crowd::of(&tools, &account, "block-public-bucket", "public-by-policy").await;
    for n in 0..crowd.size {
        let bucket = format!("innocent-{n}");
        let region = json!({"LocationConstraint": "${region}"});
        crowd.call("s3.create_bucket", json!({"Bucket": bucket, "CreateBucketConfiguration": region})).await;
        crowd.call("s3.delete_public_access_block", json!({"Bucket": bucket})).await;
        let allow = |principal: Value, condition: Value| {
            let objects = format!("arn:aws:s3:::{bucket}/*");
            let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": objects});
            if !condition.is_null() {
                statement["Condition"] = condition;
            }
            json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
        };
        let everybody = || json!("*");
        let (policy, exempt) = match n % 7 {
            0 => (
                allow(everybody(), json!({"StringEquals": {"aws:SourceVpce": "vpce-0a1b2c3d4e5f60718"}})),
                false,
            ),
            1 => (allow(everybody(), json!({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})), false),
            2 => (
                allow(
                    json!({"Service": "cloudfront.amazonaws.com"}),
                    json!({"StringEquals": {"aws:SourceArn": "arn:aws:cloudfront::111122223333:distribution/E1"}}),
                ),
                false,
            ),
            3 => (allow(json!({"AWS": "arn:aws:iam::444455556666:root"}), Value::Null), false),
            4 => (allow(json!({"Service": "logging.s3.amazonaws.com"}), Value::Null), false),
            5 => (allow(everybody(), json!({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}})), false),
            _ => (allow(everybody(), Value::Null), true),
        };
        crowd.call("s3.put_bucket_policy", json!({"Bucket": bucket, "Policy": policy})).await;
        if exempt {
            let value = "until=${tomorrow} owner=web reason=the public site of the company";
            let tags = json!({"TagSet": [{"Key": "tourniquet:exempt", "Value": value}]});
            crowd.call("s3.put_bucket_tagging", json!({"Bucket": bucket, "Tagging": tags})).await;
        }
        if n < 14 {
            let mut event = crowd.running.stage.event.clone();
            event["detail"]["eventID"] = json!(format!("innocent-{n}"));
            event["detail"]["requestParameters"]["bucketName"] = json!(bucket);
            crowd.passes("an event", &event).await;
        }
    }
    crowd.passes("the sweep", &sweep()).await;
    crowd.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn innocent_keys_are_swept_and_nothing_is_changed() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let crowd = Crowd::of(&tools, &account, "disable-old-keys", "no-old-key").await;
    for n in 0..crowd.size {
        let user = json!({"UserName": format!("innocent-{n}")});
        crowd.call("iam.create_user", user.clone()).await;
        let key =
            crowd.running.see("iam.create_access_key", user.clone(), "AccessKey.AccessKeyId").await.unwrap();
        if n % 2 == 0 {
            // The old one is inactive already; beside it is a fresh one.
            let old = json!({"UserName": user["UserName"], "AccessKeyId": key, "Status": "Inactive"});
            crowd.call("iam.update_access_key", old).await;
            crowd.call("iam.create_access_key", user).await;
        }
    }
    crowd.passes("the sweep", &sweep()).await;
    crowd.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn innocent_instances_are_named_by_findings_and_nothing_is_changed() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let crowd = Crowd::of(&tools, &account, "stop-instance", "command-and-control").await;
    for n in 0..crowd.size {
        let mut event = crowd.running.stage.event.clone();
        event["detail"]["id"] = json!(format!("innocent-{n}"));
        let service = &mut event["detail"]["service"];
        match n % 4 {
            0 => service["resourceRole"] = json!("TARGET"),
            1 => service["archived"] = json!(true),
            2 => event["detail"]["severity"] = json!(3.9),
            _ => event["detail"]["type"] = json!("Recon:EC2/PortProbeUnprotectedPort"),
        }
        crowd.passes("a finding", &event).await;
    }
    crowd.passes("the sweep", &sweep()).await;
    crowd.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn innocent_trails_are_swept_and_nothing_is_changed() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut crowd = Crowd::of(&tools, &account, "restore-trail", "stopped-trail").await;
    // AWS allows five trails in a region.
    crowd.size = crowd.size.min(4);
    for n in 0..crowd.size {
        let name = format!("innocent-{n}");
        crowd.call("cloudtrail.create_trail", json!({"Name": name, "S3BucketName": "audit-logs"})).await;
        let narrow = json!([{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true,
            "DataResources": [{"Type": "AWS::S3::Object", "Values": [format!("arn:aws:s3:::data-{n}/")]}]}]);
        crowd
            .call("cloudtrail.put_event_selectors", json!({"TrailName": name, "EventSelectors": narrow}))
            .await;
        // The last was stopped on purpose, with an exemption.
        if n + 1 < crowd.size {
            crowd.call("cloudtrail.start_logging", json!({"Name": name})).await;
        } else {
            let item = json!({"pk": {"S": "exemption#restore-trail#${account}"}, "sk": {"S": "x"}, "subject": {"S": name},
                "reason": {"S": "moved to the organisation's trail"}, "owner": {"S": "sre"}, "ends": {"S": "${tomorrow}"}});
            crowd.call("dynamodb.put_item", json!({"TableName": "${journal_table}", "Item": item})).await;
        }
    }
    for _ in 0..2 {
        crowd.passes("the sweep", &sweep()).await;
    }
    for n in 0..crowd.size {
        let mut event = crowd.running.stage.event.clone();
        event["detail"]["eventID"] = json!(format!("innocent-{n}"));
        event["detail"]["requestParameters"]["name"] = json!(format!("innocent-{n}"));
        crowd.passes("an event", &event).await;
    }
    crowd.ends().await;
}
