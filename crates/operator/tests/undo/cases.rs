//! What an undo refuses, and how it ends when something goes wrong.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use drill::account::Account;
use drill::fault::{At, Fault, Kind};
use drill::scenario::{self, Scenario};
use drill::tools::Tools;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::dump::differences;
use crate::play::{Played, REASON, changes, list};
use crate::{run, scenarios};

/// The tests, by name.
pub(crate) fn all() -> Vec<Trial> {
    let mut all = Vec::new();
    macro_rules! tests {
        ($($name:ident),* $(,)?) => { $(all.push(Trial::test(stringify!($name), || run($name())));)* };
    }
    tests!(
        law_7_drift_is_refused_with_the_difference,
        law_7_what_sets_free_needs_its_own_flag,
        law_7_nobody_at_a_terminal_agrees_to_nothing,
        law_7_who_declines_changes_nothing,
        law_7_a_look_changes_nothing,
        law_7_a_partial_undo_says_what_is_left_and_is_gone_on_with,
        law_7_two_undos_at_once_are_one,
        law_7_the_command_in_the_message_works,
        law_8_reason_and_end_are_mandatory,
        r16_another_port_of_the_group_is_closed_all_the_same,
        an_unknown_record_is_said,
        a_record_under_which_nothing_was_changed_is_said,
    );
    all
}

pub(crate) fn named(function: &str, name: &str) -> Result<Scenario> {
    let all = scenario::catalogue(&scenarios())?;
    all.into_iter().find(|one| one.function == function && one.name == name).context("no such scenario")
}

/// A scenario that contained something, and its newest record.
async fn with<T>(one: Scenario, test: impl AsyncFnOnce(&Played<'_>, &str) -> Result<T>) -> Result<()> {
    let tools = Tools::find()?;
    let account = Account::start(&tools).await?;
    let played = Played::until_contained(&tools, &account, &one).await?;
    let record = played.records.first().context("nothing was begun")?.clone();
    test(&played, &record).await?;
    played.stop().await
}

fn bucket() -> Result<Scenario> {
    scenario::model(&scenarios(), "block-public-bucket")
}

const PLAIN: [&str; 5] = ["--reason", "a drill of ours", "--until", "7d", "--yes"];

async fn law_7_drift_is_refused_with_the_difference() -> Result<()> {
    with(bucket()?, async |played, record| {
        let name = record.split('/').nth(3).unwrap_or_default();
        let third = json!({"Bucket": name, "PublicAccessBlockConfiguration": {"BlockPublicAcls": true}});
        played.account.call("s3.put_public_access_block", third, "@").await?;
        let ended = played.refused(record, &[&REASON[..], &["--yes"]].concat()).await?;
        ensure!(ended.code == Some(3) && ended.out.contains("STOP"), "{ended:?}");
        for part in
            ["nothing was changed", "somebody else changed it", "expected", "found", "IgnorePublicAcls"]
        {
            ensure!(ended.err.contains(part), "{part}: {ended:?}");
        }
        Ok(())
    })
    .await
}

async fn law_7_what_sets_free_needs_its_own_flag() -> Result<()> {
    with(bucket()?, async |played, record| {
        let ended = played.refused(record, &PLAIN).await?;
        ensure!(ended.code == Some(3) && ended.err.contains("--release"), "{ended:?}");
        ensure!(ended.err.contains("it is made public again only when that is asked for"), "{ended:?}");
        Ok(())
    })
    .await
}

async fn law_7_nobody_at_a_terminal_agrees_to_nothing() -> Result<()> {
    with(bucket()?, async |played, record| {
        let ended = played.refused(record, &REASON).await?;
        ensure!(ended.code == Some(3) && ended.err.contains("--yes"), "{ended:?}");
        Ok(())
    })
    .await
}

/// Runs the command in a terminal in which somebody types an answer.
const TERMINAL: &str = "\
import os, pty, sys
pid, tty = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
seen, answered = b'', False
while True:
    try:
        read = os.read(tty, 4096)
    except OSError:
        break
    if not read:
        break
    seen += read
    if not answered and b'[y/N]' in seen:
        os.write(tty, sys.argv[1].encode() + b'\\n')
        answered = True
print(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

async fn law_7_who_declines_changes_nothing() -> Result<()> {
    with(bucket()?, async |played, record| {
        let tools = Tools::find()?;
        let from = played.of_operator.calls().len();
        for (answer, code) in [("n", 3), ("", 3), ("yes", 0)] {
            let mut command = Command::new(&tools.python);
            command
                .args(["-c", TERMINAL, answer, env!("CARGO_BIN_EXE_tourniquet"), "undo", record])
                .args(REASON);
            environment(&mut command, played);
            let ended = command.output().await?;
            let said = String::from_utf8_lossy(&ended.stdout).into_owned();
            ensure!(ended.status.code() == Some(code) && said.contains("[y/N]"), "{answer}: {ended:?}");
            let calls = played.of_operator.calls().split_off(from);
            let changed = calls.iter().any(drill::call::Call::changes);
            ensure!(changed == (code == 0), "{answer}: {said}");
        }
        Ok(())
    })
    .await
}

pub(crate) fn environment(command: &mut Command, played: &Played<'_>) {
    let account = played.account;
    for (name, value) in [
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ENDPOINT_URL", &played.of_operator.url()),
        ("AWS_REGION", &account.region),
        ("AWS_ACCESS_KEY_ID", &account.administrator),
        ("AWS_SECRET_ACCESS_KEY", "simulated"),
    ] {
        command.env(name, value);
    }
}

async fn law_7_a_look_changes_nothing() -> Result<()> {
    with(scenario::model(&scenarios(), "stop-instance")?, async |played, record| {
        let ended = played.refused(record, &[&REASON[..], &["--yes", "--dry-run"]].concat()).await?;
        ensure!(ended.code == Some(0), "{ended:?}");
        for part in ["before", "now", "undo", "the snapshots stay as evidence"] {
            ensure!(ended.out.contains(part), "{part}: {ended:?}");
        }
        Ok(())
    })
    .await
}

async fn law_7_a_partial_undo_says_what_is_left_and_is_gone_on_with() -> Result<()> {
    with(scenario::model(&scenarios(), "stop-instance")?, async |played, record| {
        let denied = At::Operation("ec2:ModifyNetworkInterfaceAttribute".to_owned());
        played.of_operator.set_faults(vec![Fault { at: denied, kind: Kind::Deny, times: 99 }]);
        let yes = [&REASON[..], &["--yes"]].concat();
        let ended = played.undo(record, &yes).await;
        ensure!(ended.code == Some(4), "{ended:?}");
        ensure!(
            ended.err.contains("isolate eni-") && ended.err.contains("ec2:ModifyNetworkInterfaceAttribute"),
            "{ended:?}"
        );
        // What is left is left to the operator: the function does not come in between.
        let (_, changed) = played.deliver(&played.stage.event.clone()).await?;
        ensure!(changed.is_empty(), "{changed:?}");
        played.of_operator.set_faults(Vec::new());
        let from = played.of_operator.calls().len();
        let ended = played.undo(record, &[&yes[..], &["--json"]].concat()).await;
        let document: Value = serde_json::from_str(&ended.out)?;
        ensure!(ended.code == Some(0) && document["status"] == json!("undone"), "{ended:?}");
        let changed = changes(played.of_operator.calls().split_off(from));
        ensure!(changed.iter().all(|name| name == "ec2:ModifyNetworkInterfaceAttribute"), "{changed:?}");
        let kept = ["create-isolation-group".to_owned(), "snapshot".to_owned()];
        let differ = differences(&played.before, &played.now().await?, &kept);
        ensure!(differ.is_empty(), "{differ:#?}");
        Ok(())
    })
    .await
}

async fn law_7_two_undos_at_once_are_one() -> Result<()> {
    with(scenario::model(&scenarios(), "stop-instance")?, async |played, record| {
        let yes = [&REASON[..], &["--yes"]].concat();
        let both = tokio::join!(played.undo(record, &yes), played.undo(record, &yes));
        let mut codes = [both.0.code, both.1.code];
        codes.sort();
        ensure!(codes == [Some(0), Some(3)] || codes == [Some(0), Some(0)], "{both:?}");
        let changed = changes(played.of_operator.calls());
        let starts = changed.iter().filter(|name| *name == "ec2:StartInstances").count();
        ensure!(starts == 1, "{changed:?}");
        ensure!(
            played
                .journal("length(Items[?starts_with(pk.S, 'record#') && starts_with(sk.S, 'undo#')])")
                .await?
                == json!(1)
        );
        Ok(())
    })
    .await
}

/// The message is pasted into a shell; what it leaves open is the reason, and the flag that sets free.
async fn law_7_the_command_in_the_message_works() -> Result<()> {
    with(bucket()?, async |played, _| {
        let messages = played.stage.deployment.messages(played.account).await?.join("\n");
        let (_, from) = messages.split_once("tourniquet undo").context("no command in the message")?;
        let (command, _) = from.split_once("--until 7d").context("the command has no end")?;
        let shell = format!("tourniquet undo{command}--until 7d --release --yes");
        let binary = Path::new(env!("CARGO_BIN_EXE_tourniquet")).parent().context("no folder")?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &shell]).env("PATH", binary);
        environment(&mut command, played);
        let ended = command.output().await?;
        ensure!(ended.status.code() == Some(0), "{ended:?}");
        Ok(())
    })
    .await
}

async fn law_8_reason_and_end_are_mandatory() -> Result<()> {
    with(bucket()?, async |played, record| {
        for wrong in [
            vec!["--until", "7d"],
            vec!["--reason", "x"],
            vec!["--reason", " ", "--until", "7d"],
            vec!["--reason", "x", "--until", "2020-01-01"],
            vec!["--reason", "x", "--until", "soon"],
        ] {
            let ended = played.refused(record, &[&wrong[..], &["--release", "--yes"]].concat()).await?;
            ensure!(ended.code == Some(2), "{wrong:?}: {ended:?}");
        }
        Ok(())
    })
    .await
}

async fn r16_another_port_of_the_group_is_closed_all_the_same() -> Result<()> {
    with(scenario::model(&scenarios(), "revoke-open-ingress")?, async |played, record| {
        let ended = played.undo(record, &[&REASON[..], &["--yes"]].concat()).await;
        ensure!(ended.code == Some(0), "{ended:?}");
        let group = record.split('/').nth(3).unwrap_or_default();
        let rule =
            json!({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]});
        let opened = json!({"GroupId": group, "IpPermissions": [rule]});
        played.account.call("ec2.authorize_security_group_ingress", opened, "@").await?;
        let (ended, changed) = played.deliver(&played.stage.event.clone()).await?;
        ensure!(changed == ["ec2:RevokeSecurityGroupIngress"], "{changed:?} {:#?}", ended.log);
        let differ = differences(&played.before, &played.now().await?, &[]);
        ensure!(differ.is_empty(), "{differ:#?}");
        Ok(())
    })
    .await
}

async fn an_unknown_record_is_said() -> Result<()> {
    with(bucket()?, async |played, record| {
        let other = record.replacen("-0001", "-0009", 1);
        let ended = played.refused(&other, &[&REASON[..], &["--yes"]].concat()).await?;
        ensure!(ended.code == Some(2) && ended.err.contains("there is no record"), "{ended:?}");
        let ended = played.refused("i-0abc", &REASON).await?;
        ensure!(ended.code == Some(2) && ended.err.contains("expected the id of a record"), "{ended:?}");
        Ok(())
    })
    .await
}

async fn a_record_under_which_nothing_was_changed_is_said() -> Result<()> {
    let tools = Tools::find()?;
    let account = Account::start(&tools).await?;
    let one = named("stop-instance", "miner-in-observe-mode")?;
    let played = Played::until_contained(&tools, &account, &one).await?;
    let ids = list(played.journal("Items[?starts_with(pk.S, 'record#') && id].id.S").await?);
    let record = ids.first().and_then(Value::as_str).context("no record")?.to_owned();
    let ended = played.refused(&record, &[&REASON[..], &["--yes"]].concat()).await?;
    ensure!(
        ended.code == Some(0) && ended.out.contains("the outcome is observed: nothing was changed"),
        "{ended:?}"
    );
    played.stop().await
}
