//! What must hold whatever goes wrong, looked at after each delivery and at the end.

use anyhow::Result;
use serde_json::{Value, json};

use super::cell::{Cell, Place, Sign, Then};
use super::fault::Column;
use crate::function::Invocation;
use crate::proxy::Proxy;
use crate::run;
use crate::scenario::Scenario;
use crate::stage::Stage;

/// Outcomes after which nobody looks at the subject again.
const GOOD: [&str; 2] = ["contained", "already-safe"];
const BAD: [&str; 2] = ["partial", "failed"];

/// Collects the promises that are broken in one cell.
pub(super) struct Judge<'a> {
    stage: &'a Stage<'a>,
    proxy: &'a Proxy,
    model: Scenario,
    rows: &'a [Place],
    place: &'a Place,
    column: Column,
    then: Then,
    broken: Vec<String>,
    deliveries: Vec<String>,
    messages: Vec<String>,
    /// Whether a run got as far as a subject; of one that did not the alarms tell.
    has_subject: bool,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        stage: &'a Stage<'a>,
        proxy: &'a Proxy,
        model: &Scenario,
        rows: &'a [Place],
        place: &'a Place,
        column: Column,
        then: Then,
    ) -> Self {
        let mut model = model.clone();
        // The records are looked at by themselves: they are not what makes the subject safe.
        model.expect.state.retain(|state| !state.call.starts_with("dynamodb."));
        let (broken, deliveries, messages, has_subject) = Default::default();
        Self { stage, proxy, model, rows, place, column, then, broken, deliveries, messages, has_subject }
    }

    pub(super) fn broken(&mut self, promise: impl Into<String>) {
        self.broken.push(promise.into());
    }

    /// Looks at the live account after a delivery; whether it was a success.
    pub(super) async fn delivery(&mut self, ended: &Invocation) -> Result<bool> {
        let outcomes: Vec<&str> = ended.reports.iter().map(|report| report.outcome.as_str()).collect();
        self.has_subject |= ended.reports.iter().any(|report| report.subject.is_some());
        let (failed, lost) = (ended.error.is_some(), ended.lost_its_process());
        self.deliveries.push(match &ended.error {
            Some(error) => format!("{} ({}: {})", outcomes.join("+"), error.error_type, error.error_message),
            None if ended.killed => "killed".to_owned(),
            None => outcomes.join("+"),
        });
        let unsafe_yet = self.unsafe_yet().await?;
        let claims = outcomes.iter().any(|outcome| GOOD.contains(outcome)) || !(failed || lost);
        let swept = self.then == Then::Sweep && self.deliveries.len() > 1;
        if let Some(first) = unsafe_yet.first().filter(|_| claims && !swept) {
            self.broken(format!("a lie: {} was said, and {first}", outcomes.join("+")));
        }
        if failed && !lost && !outcomes.is_empty() && !outcomes.iter().any(|o| BAD.contains(o)) {
            self.broken(format!("the error was reported as {}", outcomes.join("+")));
        }
        self.messages.extend(self.stage.deployment.messages(self.stage.account).await?);
        Ok(!failed && !lost && unsafe_yet.is_empty())
    }

    /// What the account still lacks of what the scenario promises.
    async fn unsafe_yet(&self) -> Result<Vec<String>> {
        self.stage.account.settle().await?;
        run::look(self.stage.account, &self.model, &self.stage.deployment.names).await
    }

    async fn records(&self) -> Result<Vec<Option<String>>> {
        Ok(serde_json::from_value(self.scan("[].[outcome.S][]").await?)?)
    }

    async fn scan(&self, at: &str) -> Result<Value> {
        let records = format!("Items[?starts_with(pk.S, 'record#') && id]{at}");
        let scan = json!({"TableName": "tourniquet-journal"});
        self.stage.account.call("dynamodb.scan", scan, &records).await
    }

    /// Whether the subject is safe and its record does not say so yet.
    pub(super) async fn is_left_open(&self) -> Result<bool> {
        Ok(self.records().await? == [Some("open".to_owned())])
    }

    pub(super) async fn has_no_record(&self) -> Result<bool> {
        Ok(self.records().await?.is_empty())
    }

    /// Whether a sweep has nothing to go on with: nothing was begun, and the function does not look for subjects by itself.
    pub(super) async fn nothing_to_know(&self) -> Result<bool> {
        Ok(self.then == Then::Sweep && self.scan(" | [?watched] | length(@)").await? == json!(0))
    }

    /// What must hold when the subject is safe: one true record, no change made twice, people were told.
    pub(super) async fn contained(&mut self) -> Result<()> {
        let records = self.records().await?;
        let records: Vec<&str> = records.iter().map(|outcome| outcome.as_deref().unwrap_or("none")).collect();
        // A sweep answers in its own name; what the event's run had failed at before it began anything stays on record.
        let is_true = match self.then {
            Then::Again => records == ["contained"],
            Then::Sweep => {
                records.contains(&"contained") && records.iter().all(|o| ["contained", "failed"].contains(o))
            }
        };
        if !is_true {
            self.broken(format!("the records are {}", records.join(", ")));
        }
        for change in self.stage.deployment.manifest.contained_by.clone() {
            let calls = self.proxy.calls();
            let made = calls.iter().filter(|call| call.name == change && call.carried_out()).count();
            let lost = self.column.loses_the_answer() && self.place.operation == change;
            let is_usual =
                self.rows.iter().any(|row| row.function == self.place.function && row.operation == change);
            if !is_usual && made > 0 {
                self.broken(format!("{change} was made, which an undisturbed run does not"));
            } else if made > 1 + usize::from(lost) {
                self.broken(format!("{change} was made {made} times"));
            }
        }
        if !self.messages.iter().any(|message| says(message, "contained")) {
            self.broken("nobody was told that it is contained");
        }
        self.count_messages();
        Ok(())
    }

    /// What must hold when every delivery failed: nothing says that the subject is safe, unless it is, and people know.
    pub(super) async fn dead_letter(&mut self) -> Result<()> {
        if !self.column.lasts {
            self.broken("a fault that came once was not survived");
        }
        let records = self.records().await?;
        let is_safe = self.unsafe_yet().await?.is_empty();
        if !is_safe && records.iter().flatten().any(|outcome| outcome == "contained") {
            self.broken("the record says contained, and it is not safe");
        }
        if !is_safe && self.messages.iter().any(|message| says(message, "contained")) {
            self.broken("people were told contained, and it is not safe");
        }
        if self.messages.is_empty() && self.has_subject && self.place.operation != "sns:Publish" {
            self.broken("nobody was told that it failed");
        }
        Ok(())
    }

    fn count_messages(&mut self) {
        // SNS has no idempotency token: a message whose answer is lost is sent again.
        let again = self.column.loses_the_answer() && self.place.operation == "sns:Publish";
        let (messages, deliveries) = (self.messages.len(), self.deliveries.len());
        if messages > deliveries + usize::from(again) {
            self.broken(format!("{messages} messages for {deliveries} deliveries"));
        }
    }

    pub(super) fn cell(mut self, sign: Sign) -> Cell {
        if !self.proxy.calls().iter().any(|call| call.fault == Some(self.column.kind)) {
            self.broken("the fault met no call");
        }
        let sign = if self.broken.is_empty() { sign } else { Sign::Broken };
        Cell { sign, broken: self.broken, deliveries: self.deliveries }
    }
}

/// Whether a message tells of an outcome: by itself, or as a line of a digest.
fn says(message: &str, outcome: &str) -> bool {
    message.starts_with(&format!("{}:", outcome.to_uppercase()))
        || message.contains(&format!("\n- {outcome}:"))
}
