//! Runs that meet: in the change limit, and at one resource.

#![cfg(test)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use drill::account::Account;
use drill::blueprint::Blueprint;
use drill::function::Function;
use drill::running::{Running, outcomes};
use drill::scenario;
use drill::tools::Tools;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

/// How many groups are opened at once.
const OPENED: usize = 20;
/// How many may be closed in the hour.
const LIMIT: usize = 10;
/// How many of them for the one actor who opened all: half.
const ALLOWED: usize = LIMIT / 2;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

#[tokio::test(flavor = "multi_thread")]
async fn g26_twenty_of_one_actor_at_once_take_half_of_the_limit() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let mut model = scenario::model(&folder(), "revoke-open-ingress").unwrap();
    model.config.insert("changes_per_hour".to_owned(), json!(LIMIT));
    let running = Running::on_stage(&tools, &account, &model).await.unwrap();
    let event = running.stage.event.to_string();
    let start = event.find("sg-").expect("the event names its group");
    let group: String =
        event[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let mut events: Vec<Value> = Vec::new();
    for n in 0..OPENED {
        let new = json!({"GroupName": format!("office-{n}"), "Description": "opened by hand"});
        let id = running.see("ec2.create_security_group", new, "GroupId").await.unwrap();
        let open = json!({"IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]});
        let opened = json!({"GroupId": id, "IpPermissions": [open]});
        running.see("ec2.authorize_security_group_ingress", opened, "@").await.unwrap();
        events.push(serde_json::from_str(&event.replace(&group, id.as_str().unwrap())).unwrap());
    }
    let processes = join_all((0..OPENED).map(|_| running.stage.function(&running.proxy))).await;
    let processes: Vec<Function> = processes.into_iter().map(Result::unwrap).collect();
    let ended = join_all(processes.iter().zip(&events).map(|(process, event)| process.invoke(event))).await;
    let mut counted = (0, 0);
    for invocation in ended {
        let invocation = invocation.unwrap();
        match outcomes(&invocation)[..] {
            ["contained"] => counted.0 += 1,
            ["held"] => counted.1 += 1,
            _ => panic!("{:#?}", invocation.log),
        }
    }
    assert_eq!(counted, (ALLOWED, OPENED - ALLOWED));
    assert_eq!(running.count("ec2:RevokeSecurityGroupIngress"), ALLOWED);
    let messages = running.messages().await.unwrap();
    assert_eq!(messages.len(), ALLOWED + 1, "what is held is told once: {messages:?}");
    for process in processes {
        process.stop(&account).await.unwrap();
    }
}

/// The isolation group is opened to the world, and the instance is an attacker's: `stop-instance` empties the group while
/// `revoke-open-ingress` takes out the same rule. Whoever comes second finds it gone.
#[tokio::test(flavor = "multi_thread")]
async fn two_functions_at_one_group_at_once_both_end_contained() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let edited = scenario::named(&folder(), "stop-instance", "edited-isolation-group").unwrap();
    let opened = scenario::model(&folder(), "revoke-open-ingress").unwrap();
    // Who is first at the group: by so many milliseconds that each call of the one takes longer.
    for (stop_ms, revoke_ms) in [(5, 5), (5, 12), (12, 5)] {
        let running = Running::on_stage(&tools, &account, &edited).await.unwrap();
        running.proxy.set_latency(Duration::from_millis(stop_ms));
        let world =
            json!({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]});
        let open = json!({"GroupId": "${isolation}", "IpPermissions": [world]});
        running.see("ec2.authorize_security_group_ingress", open, "@").await.unwrap();

        let stage = &running.stage;
        let blueprint = Blueprint::draw(&tools, &account, &opened.function, &opened.config).unwrap();
        let mut other = stage.deployment.beside(&account, blueprint).await.unwrap();
        other.names.set("group", stage.deployment.names.get("isolation").unwrap().clone());
        let event = opened.event.build(&tools.room(&opened.function), &other.names, None).unwrap();
        let proxy = stage.proxy(Duration::from_millis(revoke_ms)).await.unwrap();
        let revoke = Function::start(other.start(&tools, &proxy.url()).unwrap(), &account).await.unwrap();

        let (stopped, revoked) = join(running.deliver(), revoke.invoke(&event)).await;
        let (stopped, revoked) = (stopped.unwrap(), revoked.unwrap());
        assert_eq!(outcomes(&stopped), ["contained"], "{:#?}", stopped.log);
        // By its look nothing may be left to do.
        let ends = outcomes(&revoked);
        assert!(matches!(ends[..], ["contained" | "already-safe"]), "{:#?}", revoked.log);
        let group = json!({"GroupIds": ["${isolation}"]});
        let rules = "SecurityGroups[0].[IpPermissions, IpPermissionsEgress]";
        assert_eq!(running.see("ec2.describe_security_groups", group, rules).await.unwrap(), json!([[], []]));
        let instance = json!({"InstanceIds": ["${instance}"]});
        let shown = "Reservations[0].Instances[0].[State.Name, SecurityGroups[].GroupId]";
        let isolated = json!(["stopped", [other.names.get("group")]]);
        assert_eq!(running.see("ec2.describe_instances", instance, shown).await.unwrap(), isolated);
        revoke.stop(&account).await.unwrap();
        running.stop().await.unwrap();
    }
}
