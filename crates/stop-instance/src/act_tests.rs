//! The requests that leave the function, byte for byte: they are what AWS acts on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use tourniquet::actor::Actor;
use tourniquet::sdk::offline;
use tourniquet::{Cause, Consent, Place, Reverted, Room as _};

use super::*;
use crate::StopInstance;
use crate::change::Change;
use crate::event::Detail;
use crate::observation::{Peer, Rule, Target};

type Requests = Arc<Mutex<Vec<String>>>;

/// Clients whose requests are kept, answered by `answer` from the operation's name and the whole request.
fn recording(answer: impl Fn(&str, &str) -> String + Send + Sync + 'static) -> (Clients, Requests) {
    let requests: Requests = Arc::default();
    let kept = Arc::clone(&requests);
    let http = infallible_client_fn(move |request| {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let mut fields: Vec<&str> = body.split('&').filter(|f| !f.starts_with("Version=")).collect();
        fields.sort_unstable_by_key(|f| !f.starts_with("Action="));
        let action = fields.first().copied().unwrap_or_default().trim_start_matches("Action=").to_owned();
        kept.lock().unwrap().push(format!("{host} {}", fields.join(" ")));
        let body = answer(&action, &body);
        let status = if body.starts_with("<ErrorResponse>") { 404 } else { 200 };
        http::Response::builder().status(status).body(SdkBody::from(body)).unwrap()
    });
    (Clients::new(&offline(http, "eu-central-1", None)), requests)
}

fn lead() -> Lead {
    tourniquet::Lead {
        place: Place::new("111122223333", "eu-central-1"),
        subject: "i-0a1b2c3d4e5f60718".into(),
        cause: Cause { what: "Backdoor:EC2/Spambot".into(), key: "f1".into() },
        actor: Actor::default(),
        detail: Detail { finding: "f1".into(), kind: "Backdoor:EC2/Spambot".into(), severity: 8.0 },
    }
}

type Lead = tourniquet::Lead<Detail>;

fn every_change() -> Vec<Change> {
    let at = "2026-11-02T09:30:00Z".parse().unwrap();
    let rule = |egress, peer| Rule { egress, protocol: "tcp".into(), from: Some(22), to: Some(23), peer };
    let target = Target {
        group: "arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/t/1".into(),
        id: "i-0a1b2c3d4e5f60718".into(),
        port: Some(80),
    };
    vec![
        Change::CreateIsolationGroup { vpc: "vpc-1".into(), name: "tourniquet-isolation".into() },
        Change::EmptyIsolationGroup {
            group: "sg-9".into(),
            rules: vec![
                rule(true, Peer::Ipv4("0.0.0.0/0".into())),
                rule(true, Peer::Ipv6("::/0".into())),
                rule(false, Peer::PrefixList("pl-1".into())),
                rule(false, Peer::Group("sg-1".into())),
            ],
        },
        Change::CreateUntrackedGroup { vpc: "vpc-1".into(), name: "tourniquet-isolation-untracked".into() },
        Change::Untrack { interface: "eni-1".into(), group: "sg-8".into(), before: vec!["sg-1".into()] },
        Change::Isolate {
            interface: "eni-1".into(),
            group: "sg-9".into(),
            before: vec!["sg-1".into(), "sg-2".into()],
        },
        Change::Detach { group: "web".into() },
        Change::Standby { group: "web".into() },
        Change::DeregisterTarget { target },
        Change::DeregisterClassic { balancer: "clb".into() },
        Change::ProtectTermination,
        Change::KeepVolume { device: "/dev/xvda".into(), volume: "vol-1".into() },
        Change::Snapshot { volumes: vec!["vol-1".into()] },
        Change::Stop { hibernate: false },
        Change::Stop { hibernate: true },
        Change::RevokeSessions { role: "web".into(), before: at },
        Change::Tag { at },
        Change::MarkGroups { groups: "eni-1=sg-1+sg-2".into() },
    ]
}

/// An answer that says only what the next call of the same change needs.
fn plain(action: &str) -> String {
    match action {
        "CreateSecurityGroup" => {
            "<CreateSecurityGroupResponse><groupId>sg-8</groupId></CreateSecurityGroupResponse>".to_owned()
        }
        other => format!("<{other}Response><{other}Result/></{other}Response>"),
    }
}

#[tokio::test]
async fn every_change_sends_exactly_these_requests() {
    let mut wire = Vec::new();
    for change in every_change() {
        let (clients, requests) = recording(|action, _| plain(action));
        apply(&clients, &lead(), "stop-instance/r1", &change).await.unwrap();
        wire.push(format!(
            "{}\n  {}",
            tourniquet::Change::key(&change),
            requests.lock().unwrap().join("\n  ")
        ));
    }
    insta::assert_snapshot!(wire.join("\n"));
}

/// The account as our changes left it.
fn as_we_left_it(action: &str) -> String {
    match action {
        "DescribeNetworkInterfaces" => "<DescribeNetworkInterfacesResponse><networkInterfaceSet><item><groupSet><item><groupId>sg-9</groupId></item></groupSet></item></networkInterfaceSet></DescribeNetworkInterfacesResponse>".to_owned(),
        "DescribeInstanceAttribute" => "<DescribeInstanceAttributeResponse><disableApiTermination><value>true</value></disableApiTermination></DescribeInstanceAttributeResponse>".to_owned(),
        "DescribeInstances" => "<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceState><name>stopped</name></instanceState><tagSet><item><key>tourniquet:finding</key><value>f1</value></item></tagSet><blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-1</volumeId><deleteOnTermination>false</deleteOnTermination></ebs></item></blockDeviceMapping></item></instancesSet></item></reservationSet></DescribeInstancesResponse>".to_owned(),
        other => plain(other),
    }
}

/// The account as it was before, or as somebody else restored it.
fn restored_already(action: &str) -> String {
    match action {
        "DescribeNetworkInterfaces" => as_we_left_it(action).replace("<item><groupId>sg-9</groupId></item>", "<item><groupId>sg-2</groupId></item><item><groupId>sg-1</groupId></item>"),
        "DescribeInstanceAttribute" => as_we_left_it(action).replace("true", "false"),
        "DescribeInstances" => as_we_left_it(action).replace("stopped", "running").replace("tourniquet:finding", "Name").replace("<deleteOnTermination>false", "<deleteOnTermination>true"),
        "DescribeTargetHealth" => "<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions><member><Target><Id>i-0a1b2c3d4e5f60718</Id><Port>80</Port></Target><TargetHealth><State>initial</State></TargetHealth></member></TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>".to_owned(),
        "DescribeLoadBalancers" => "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancerDescriptions><member><LoadBalancerName>clb</LoadBalancerName><Instances><member><InstanceId>i-0a1b2c3d4e5f60718</InstanceId></member></Instances></member></LoadBalancerDescriptions></DescribeLoadBalancersResult></DescribeLoadBalancersResponse>".to_owned(),
        "GetRolePolicy" => "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>".to_owned(),
        "DescribeAutoScalingInstances" => "<DescribeAutoScalingInstancesResponse><DescribeAutoScalingInstancesResult><AutoScalingInstances><member><AutoScalingGroupName>web</AutoScalingGroupName><LifecycleState>InService</LifecycleState></member></AutoScalingInstances></DescribeAutoScalingInstancesResult></DescribeAutoScalingInstancesResponse>".to_owned(),
        other => plain(other),
    }
}

/// The account after somebody else changed it to something third.
fn drifted(action: &str) -> String {
    match action {
        "DescribeNetworkInterfaces" => as_we_left_it(action).replace("sg-9", "sg-7"),
        "DescribeInstances" => as_we_left_it(action).replace("vol-1", "vol-7").replace(">f1<", ">f7<"),
        "DescribeAutoScalingInstances" => restored_already(action).replace("web", "other"),
        other => as_we_left_it(other),
    }
}

/// What becomes of every change, and the calls that change something.
async fn all_reverted(answer: fn(&str) -> String, consent: Consent) -> Vec<(String, Reverted, Vec<String>)> {
    let mut all = Vec::new();
    for change in every_change() {
        let started = AtomicBool::new(false);
        let (clients, requests) = recording(move |action, _| {
            started.fetch_or(action == "StartInstances", Ordering::Relaxed);
            let answer = answer(action);
            if started.load(Ordering::Relaxed) {
                answer.replace("<name>stopped", "<name>running")
            } else {
                answer
            }
        });
        let done = revert(&clients, &lead(), &change, consent).await.unwrap();
        let calls = requests.lock().unwrap().clone();
        let reads = |call: &String| call.contains("Action=Describe") || call.contains("Action=Get");
        all.push((
            tourniquet::Change::key(&change),
            done,
            calls.into_iter().filter(|call| !reads(call)).collect(),
        ));
    }
    all
}

async fn reverted(answer: fn(&str) -> String, consent: Consent) -> Vec<String> {
    let all = all_reverted(answer, consent).await.into_iter();
    let line = |(key, done, changing): (String, Reverted, Vec<String>)| {
        format!("{key}: {done:?}\n  {}", changing.join("\n  ")).trim_end().to_owned()
    };
    all.map(line).collect()
}

#[tokio::test]
async fn e22_a_look_changes_nothing_and_says_what_would_become_of_each_change() {
    for answer in [as_we_left_it, restored_already, drifted] {
        let told = all_reverted(answer, Consent::Explicit).await;
        for (look, done) in all_reverted(answer, Consent::Look).await.into_iter().zip(told) {
            assert_eq!(look.2, Vec::<String>::new(), "{}", look.0);
            let would = if matches!(look.1, Reverted::Unasked(_)) { Reverted::Restored } else { look.1 };
            assert_eq!((&look.0, would), (&done.0, done.1));
        }
    }
}

#[tokio::test]
async fn e22_undo_sends_exactly_these_requests() {
    insta::assert_snapshot!(reverted(as_we_left_it, Consent::Explicit).await.join("\n"));
}

#[tokio::test]
async fn e22_undo_starts_the_instance_only_when_asked() {
    let plain = reverted(as_we_left_it, Consent::Plain).await.join("\n");
    assert!(
        !plain.contains("Action=StartInstances") && plain.contains("started only when that is asked for")
    );
}

#[tokio::test]
async fn e22_undo_of_a_terminated_instance_is_drift() {
    let gone = |action: &str| as_we_left_it(action).replace("<name>stopped", "<name>terminated");
    for (key, done, changing) in all_reverted(gone, Consent::Explicit).await {
        assert!(changing.is_empty() || key.starts_with("revoke-sessions"), "{key}: {changing:?}");
        let of_instance = !matches!(done, Reverted::Kept(_)) && !key.starts_with("revoke-sessions");
        assert_eq!(
            of_instance,
            matches!(&done, Reverted::Drifted { found, .. } if found.contains("any more")),
            "{key}"
        );
    }
}

#[test]
fn e5_a_release_exempts_from_its_finding_alone() {
    for change in every_change() {
        assert_eq!(StopInstance::scopes(&lead(), &change), [Some("f1".to_owned())]);
    }
}

#[tokio::test]
async fn e22_undo_refuses_on_drift_and_does_nothing_the_second_time() {
    let drift = reverted(drifted, Consent::Explicit).await.join("\n");
    assert!(
        !drift.contains("ModifyNetworkInterfaceAttribute") && drift.contains("found: \"sg-7\""),
        "{drift}"
    );
    assert!(!drift.contains("AttachInstances") && drift.contains("found: \"other\""), "{drift}");
    assert!(!drift.contains("DeleteTags") && drift.contains("found: \"f7\""), "{drift}");
    let second = reverted(restored_already, Consent::Explicit).await.join("\n");
    for call in [
        "ModifyNetworkInterfaceAttribute",
        "ModifyInstanceAttribute",
        "StartInstances",
        "DeleteTags",
        "AttachInstances",
        "RegisterTargets",
        "RegisterInstancesWithLoadBalancer",
        "DeleteRolePolicy",
    ] {
        assert!(!second.contains(&format!("Action={call}")), "{call}: {second}");
    }
}

#[test]
fn law_7_every_change_comes_back_from_its_record() {
    for change in every_change() {
        let recorded = tourniquet::plan::Recorded::of(&change);
        let text = serde_json::to_string(&recorded.change).unwrap();
        assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), change);
    }
}

/// A web server in two target groups and two classic load balancers, which AWS tells on two pages each.
fn in_two_pages(action: &str, request: &str) -> String {
    let page = if request.contains("Marker=m") { "2" } else { "1" };
    let next = if page == "1" { "<NextMarker>m</NextMarker>" } else { "" };
    let body = match action {
        "DescribeInstances" => return "<DescribeInstancesResponse><reservationSet><item><instancesSet><item><vpcId>vpc-1</vpcId><instanceState><name>running</name></instanceState></item></instancesSet></item></reservationSet></DescribeInstancesResponse>".to_owned(),
        "DescribeTargetGroups" => format!("<TargetGroups><member><VpcId>vpc-1</VpcId><TargetGroupArn>tg-{page}</TargetGroupArn></member></TargetGroups>{next}"),
        "DescribeTargetHealth" => "<TargetHealthDescriptions><member><Target><Id>i-0a1b2c3d4e5f60718</Id><Port>80</Port></Target><TargetHealth><State>healthy</State></TargetHealth></member><member><Target><Id>i-0a1b2c3d4e5f60718</Id><Port>81</Port></Target><TargetHealth><State>draining</State></TargetHealth></member></TargetHealthDescriptions>".to_owned(),
        "DescribeLoadBalancers" => format!("<LoadBalancerDescriptions><member><LoadBalancerName>clb-{page}</LoadBalancerName><Instances><member><InstanceId>i-0a1b2c3d4e5f60718</InstanceId></member></Instances></member></LoadBalancerDescriptions>{next}"),
        _ => return plain(action),
    };
    format!("<{action}Response><{action}Result>{body}</{action}Result></{action}Response>")
}

#[tokio::test]
async fn e11_all_pages_of_load_balancers_are_read_and_draining_targets_left_out() {
    let (clients, _) = recording(in_two_pages);
    let seen =
        observe(&clients, &lead(), tourniquet::Depth::Full, &crate::settings::Settings::default()).await;
    let rest = seen.unwrap().unwrap().rest.unwrap();
    let targets: Vec<_> = rest.targets.iter().map(|t| (t.group.as_str(), t.port)).collect();
    assert_eq!(targets, [("tg-1", Some(80)), ("tg-2", Some(80))]);
    assert_eq!(rest.classic, ["clb-1", "clb-2"]);
}
