//! Many at once, each with a subject of its own: what they share is the change limit.

#![cfg(test)]

use std::path::Path;

use drill::account::Account;
use drill::function::Function;
use drill::running::{Running, outcomes};
use drill::scenario;
use drill::tools::Tools;
use futures_util::future::join_all;
use serde_json::{Value, json};

/// How many groups are opened at once.
const OPENED: usize = 20;
/// How many may be closed in the hour.
const LIMIT: usize = 10;
/// How many of them for the one actor who opened all: half.
const ALLOWED: usize = LIMIT / 2;

#[tokio::test(flavor = "multi_thread")]
async fn g26_twenty_of_one_actor_at_once_take_half_of_the_limit() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut model = scenario::model(&folder, "revoke-open-ingress").unwrap();
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
