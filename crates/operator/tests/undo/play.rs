//! A scenario played, undone and watched until the exemption ends.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use drill::account::Account;
use drill::blueprint::Blueprint;
use drill::call::Call;
use drill::function::{Function, Invocation};
use drill::proxy::Proxy;
use drill::scenario::{Event, Scenario};
use drill::secrets;
use drill::stage::Stage;
use drill::tools::Tools;
use serde_json::{Value, json};

use crate::dump::{Facts, Scene, differences, dump};
use crate::process::{self, Ended};

/// A role that an operator may assume in other accounts.
const ROLE: &str = "operator";

/// A scenario on its stage, with the function and the operator behind proxies of their own.
pub(crate) struct Played<'a> {
    pub(crate) stage: Stage<'a>,
    pub(crate) account: &'a Account,
    function: Function,
    pub(crate) of_function: Proxy,
    pub(crate) of_operator: Proxy,
    members: Vec<String>,
    scene: Scene,
    pub(crate) sweep: Option<Value>,
    /// The account before the function ran.
    pub(crate) before: Facts,
    /// The records under which something was begun, newest first.
    pub(crate) records: Vec<String>,
    /// Whether a record was made from marks on the resource, since the journal could not be reached: it lacks what no mark tells.
    from_marks: bool,
}

impl<'a> Played<'a> {
    /// Plays a scenario up to the end of its deliveries.
    pub(crate) async fn until_contained(
        tools: &'a Tools,
        account: &'a Account,
        one: &Scenario,
    ) -> Result<Self> {
        let blueprint = Blueprint::draw(tools, account, &one.function, &one.config)?;
        let schedule = blueprint.sweep.clone();
        let stage = Stage::upon(tools, account, one, blueprint).await?;
        let sweep = Event { sweep: true, ..Event::default() };
        let build =
            |schedule| sweep.build(&tools.room(&one.function), &stage.deployment.names, Some(&schedule));
        let sweep = schedule.map(build).transpose()?;
        let members: Vec<String> = one
            .config
            .get("accounts")
            .map_or_else(Vec::new, |v| serde_json::from_value(v.clone()).unwrap_or_default());
        for member in &members {
            let trust = json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", account.id)}, "Action": "sts:AssumeRole"}]});
            let create = json!({"RoleName": ROLE, "AssumeRolePolicyDocument": trust.to_string()});
            account.call_in(member, "iam.create_role", create, "@").await?;
            let all = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
            let policy = json!({"RoleName": ROLE, "PolicyName": "all", "PolicyDocument": all.to_string()});
            account.call_in(member, "iam.put_role_policy", policy, "@").await?;
        }
        let steps = serde_json::to_string(&(&one.given, &one.attack))?;
        let scene = Scene {
            accounts: members.iter().cloned().chain([account.id.clone()]).collect(),
            regions: regions(account, one, &stage.event),
            steps,
        };
        let before = dump(account, &scene).await?;

        let of_function = stage.proxy(Duration::ZERO).await?;
        of_function.set_faults(one.faults.clone());
        let mut function = stage.function(&of_function).await?;
        let planted = secrets::planted(&stage.event);
        for _ in 0..one.deliveries {
            if function.invoke(&planted).await?.killed {
                function.stop(account).await?;
                function = stage.function(&of_function).await?;
            }
        }
        of_function.set_faults(Vec::new());
        account.settle().await?;
        let of_operator = stage.proxy(Duration::ZERO).await?;
        let mut played = Self {
            stage,
            account,
            function,
            of_function,
            of_operator,
            members,
            scene,
            sweep,
            before,
            records: Vec::new(),
            from_marks: false,
        };
        let bodies = "Items[?starts_with(pk.S, 'record#') && id].body.S";
        let mut records: Vec<tourniquet::journal::Record> = Vec::new();
        for body in list(played.journal(bodies).await?) {
            records.push(serde_json::from_str(body.as_str().unwrap_or_default())?);
        }
        records.sort_by_key(|record| std::cmp::Reverse(record.started));
        let from_marks = |note: &String| note.contains("made from the marks on the resource");
        played.from_marks = records.iter().any(|record| record.notes.iter().any(from_marks));
        // A scenario may have put older records there, about changes that it did not make.
        let begun = records.iter().filter(|record| record.counted && !record.steps.is_empty());
        played.records = begun.map(tourniquet::journal::Record::id).collect();
        Ok(played)
    }

    /// The journal, as an administrator sees it.
    pub(crate) async fn journal(&self, at: &str) -> Result<Value> {
        let table = self.stage.deployment.names.text("${journal_table}")?;
        self.account.call("dynamodb.scan", json!({"TableName": table}), at).await
    }

    /// Runs the command.
    pub(crate) async fn undo(&self, record: &str, arguments: &[&str]) -> Ended {
        self.undo_by(&self.of_operator, record, arguments).await
    }

    /// Runs the command and expects that it changes nothing, not even in the journal.
    pub(crate) async fn refused(&self, record: &str, arguments: &[&str]) -> Result<Ended> {
        let from = self.of_operator.calls().len();
        let ended = self.undo(record, arguments).await;
        let calls = self.of_operator.calls().split_off(from);
        ensure!(calls.iter().all(|call| !call.changes()), "{ended:?} with {calls:?}");
        Ok(ended)
    }

    /// Runs the command behind another proxy.
    pub(crate) async fn undo_by(&self, proxy: &Proxy, record: &str, arguments: &[&str]) -> Ended {
        let role: &[&str] = if self.members.is_empty() { &[] } else { &["--member-role", ROLE] };
        self.command(proxy, &[&["undo", record], arguments, role].concat()).await
    }

    /// Runs the command, which must not tell a secret.
    async fn command(&self, proxy: &Proxy, arguments: &[&str]) -> Ended {
        let ended = process::run(Some((self.account, &proxy.url())), arguments, "").await;
        let texts =
            [("text of the command", ended.out.as_str()), ("message of the command", ended.err.as_str())];
        let leaks = secrets::leaks(texts, &self.stage.deployment.secrets());
        assert!(leaks.is_empty(), "{arguments:?}: {leaks:#?}");
        ended
    }

    /// What the command tells of all records: the page, and the lists.
    async fn told(&self) -> Result<()> {
        for arguments in
            [&["report", "--output", "-"][..], &["report", "--json"], &["history", "--json"], &["history"]]
        {
            let ended = self.command(&self.of_operator, arguments).await;
            ensure!(ended.code == Some(0), "{ended:?}");
        }
        Ok(())
    }

    /// Delivers an event to the function; what it changed in the account comes with how it ended.
    pub(crate) async fn deliver(&self, event: &Value) -> Result<(Invocation, Vec<String>)> {
        let from = self.of_function.calls().len();
        let ended = self.function.invoke(event).await?;
        let understood = ended.error.as_ref().is_none_or(|error| error.error_type != "MalformedEvent");
        ensure!(understood, "{:?}", ended.error);
        Ok((ended, changes(self.of_function.calls().split_off(from))))
    }

    /// The account as it is now.
    pub(crate) async fn now(&self) -> Result<Facts> {
        dump(self.account, &self.scene).await
    }

    /// Ends every exemption that an undo wrote.
    pub(crate) async fn end_exemptions(&self) -> Result<usize> {
        let table = self.stage.deployment.names.text("${journal_table}")?;
        let items = list(
            self.journal("Items[?starts_with(pk.S, 'exemption#') && starts_with(sk.S, 'undo#')]").await?,
        );
        for item in &items {
            let mut item = item.clone();
            item["ends"] = json!({"S": self.stage.deployment.names.text("${yesterday}")?});
            self.account.call("dynamodb.put_item", json!({"TableName": table, "Item": item}), "@").await?;
        }
        Ok(items.len())
    }

    pub(crate) async fn stop(self) -> Result<()> {
        self.function.stop(self.account).await
    }
}

/// What changed the account, outside journal and messages.
pub(crate) fn changes(calls: Vec<Call>) -> Vec<String> {
    calls
        .into_iter()
        .filter(|call| call.changes_the_account() && call.succeeded())
        .map(|call| call.name)
        .collect()
}

pub(crate) fn list(value: Value) -> Vec<Value> {
    serde_json::from_value(value).unwrap_or_default()
}

/// Home's region, that of global events, and every region that the scenario names.
fn regions(account: &Account, one: &Scenario, event: &Value) -> BTreeSet<String> {
    let steps = one.given.iter().chain(&one.attack).filter_map(|step| step.region.clone());
    let named = event["region"].as_str().map(str::to_owned);
    steps
        .chain(named)
        .chain([account.region.clone(), "us-east-1".to_owned()])
        .filter(|r| !r.contains("${"))
        .collect()
}

/// The statuses of a document's changes that have one of these words, by key.
pub(crate) fn keys(document: &Value, status: &str) -> Vec<String> {
    let changes = list(document["changes"].clone());
    let those = changes.iter().filter(|change| change["status"] == json!(status));
    those.filter_map(|change| change["key"].as_str().map(str::to_owned)).collect()
}

pub(crate) const REASON: [&str; 5] = ["--reason", "a drill of ours", "--until", "7d", "--release"];

/// Contained, undone, left alone, and contained again when the exemption has ended.
pub(crate) async fn round(one: &Scenario) -> Result<()> {
    let tools = Tools::find()?;
    let account = Account::start(&tools).await?;
    let played = Played::until_contained(&tools, &account, one).await?;
    let contained = played.now().await?;
    let (mut kept, mut restored) = (Vec::new(), Vec::new());
    for record in played.records.clone() {
        let ended = played.undo(&record, &[&REASON[..], &["--yes", "--json"]].concat()).await;
        let document: Value = serde_json::from_str(&ended.out).with_context(|| format!("{ended:?}"))?;
        let refused = keys(&document, "refused");
        if !refused.is_empty() {
            // What is never taken back stays as the function left it, and no exemption opens anything.
            ensure!(ended.code == Some(3), "{ended:?}");
            ensure!(played.now().await? == contained, "a refused undo changed something");
            ensure!(played.journal("length(Items[?starts_with(sk.S, 'undo#')])").await? == json!(0));
            played.told().await?;
            return played.stop().await;
        }
        ensure!(ended.code == Some(0) && document["status"] == json!("undone"), "{record}: {ended:?}");
        kept.extend(keys(&document, "kept"));
        restored.extend(keys(&document, "restored"));
        let before = played.of_operator.calls().len();
        let again = played.undo(&record, &[&REASON[..], &["--yes"]].concat()).await;
        ensure!(again.code == Some(0) && again.out.contains("already undone at"), "{again:?}");
        let calls = played.of_operator.calls().split_off(before);
        ensure!(calls.iter().all(|call| !call.changes()), "a second undo changed something: {calls:?}");
    }
    let undone = played.now().await?;
    let mut differ = differences(&played.before, &undone, &kept);
    if played.from_marks {
        differ.retain(|fact| {
            ![": protected:", ": volumes:", " snapshot "].iter().any(|unmarked| fact.contains(unmarked))
        });
    }
    ensure!(differ.is_empty(), "undo did not restore:\n{}", differ.join("\n"));
    left_alone(&played, &undone).await?;
    // Our own tags are no danger.
    if restored.iter().any(|key| !["mark", "mark-groups", "tag"].contains(&key.as_str())) {
        answered_again(&played, &undone).await?;
    }
    played.told().await?;
    played.stop().await
}

/// Neither the same event nor a sweep does it again.
async fn left_alone(played: &Played<'_>, undone: &Facts) -> Result<()> {
    for event in [Some(&played.stage.event), played.sweep.as_ref()].into_iter().flatten() {
        let (ended, changed) = played.deliver(event).await?;
        if !changed.is_empty() && !played.records.is_empty() {
            bail!("under the exemption the function did {changed:?}: {:#?}", ended.log);
        }
    }
    let now = played.now().await?;
    ensure!(
        played.records.is_empty() || differences(undone, &now, &[]).is_empty(),
        "{:#?}",
        differences(undone, &now, &[])
    );
    Ok(())
}

/// When the exemption has ended, the function answers what it finds.
async fn answered_again(played: &Played<'_>, undone: &Facts) -> Result<()> {
    ensure!(played.end_exemptions().await? > 0, "no exemption was written");
    // The settings of a trail that is exempt are its baseline from the next sweep on.
    let adopted =
        played.journal("length(Items[?sk.S=='baseline' && contains(body.S, 'a drill of ours')])").await?;
    let mut changed = Vec::new();
    let mut log = Vec::new();
    for event in [played.sweep.as_ref(), Some(&played.stage.event)].into_iter().flatten() {
        let (ended, now) = played.deliver(event).await?;
        changed.extend(now);
        log.extend(ended.log);
    }
    if adopted != json!(0) {
        ensure!(changed.is_empty(), "what was agreed to is the baseline, and the function did {changed:?}");
        return Ok(());
    }
    ensure!(!changed.is_empty(), "after the exemption nothing was done: {log:#?}");
    ensure!(played.now().await? != *undone, "{changed:?}");
    Ok(())
}
