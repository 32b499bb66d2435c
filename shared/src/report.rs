//! What a run says: one structure, from which the log line, the metric, the message and the answer to Lambda are made.

use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::actor::Actor;
use crate::outcome::Outcome;
use crate::plan::Recorded;
use crate::settings::Mode;

/// How one run ended for one subject.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Always `report`: by it log queries find these lines.
    pub tourniquet: &'static str,
    /// The function.
    pub function: &'static str,
    /// Its mode.
    pub mode: Mode,
    /// The account of the subject.
    pub account: Option<String>,
    /// The region of the subject.
    pub region: Option<String>,
    /// The subject; absent where the event named none.
    pub subject: Option<String>,
    /// What made us look.
    pub cause: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// What was wrong, or why nothing was done.
    pub why: String,
    /// Who did it.
    pub actor: Option<Actor>,
    /// What was changed, or would be; before and after.
    pub changes: Vec<Recorded>,
    /// What people must know besides.
    pub notes: Vec<String>,
    /// Whether the same actor brought the harm back, again and again.
    pub fight: bool,
    /// The record in the journal.
    pub record: Option<String>,
    /// The command that takes it back.
    pub undo: Option<String>,
    /// The kind of the error, for an outcome that is one.
    pub error: Option<String>,
    /// Milliseconds from the start of the run until its changes were read back as containing.
    pub contained_ms: Option<u64>,
    /// Milliseconds of the whole run.
    pub duration_ms: u64,
}

impl Report {
    /// A report of an event that named no subject of ours.
    #[must_use]
    pub fn without_subject(function: &'static str, mode: Mode, outcome: Outcome, why: String) -> Self {
        Self {
            tourniquet: "report",
            function,
            mode,
            account: None,
            region: None,
            subject: None,
            cause: None,
            outcome,
            why,
            actor: None,
            changes: Vec::new(),
            notes: Vec::new(),
            fight: false,
            record: None,
            undo: None,
            error: None,
            contained_ms: None,
            duration_ms: 0,
        }
    }

    /// One sentence for an error or a list.
    #[must_use]
    pub fn sentence(&self) -> String {
        let subject = self.subject.as_deref().unwrap_or("no subject");
        let place = match (&self.account, &self.region) {
            (Some(account), Some(region)) => format!(" in {account}/{region}"),
            _ => String::new(),
        };
        format!("{}: {subject}{place}: {}", self.outcome, self.why)
    }

    /// The report as a log line that is also a metric, in CloudWatch's embedded metric format.
    ///
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
    #[must_use]
    pub fn line(&self, now: Timestamp) -> Value {
        let mut line = serde_json::to_value(self).unwrap_or_default();
        let mut metrics = vec![
            json!({"Name": "Runs", "Unit": "Count"}),
            json!({"Name": "DurationMs", "Unit": "Milliseconds"}),
        ];
        if self.contained_ms.is_some() {
            metrics.push(json!({"Name": "ContainedMs", "Unit": "Milliseconds"}));
        }
        if self.fight {
            metrics.push(json!({"Name": "Fights", "Unit": "Count"}));
        }
        let extra = json!({
            "_aws": {
                "Timestamp": now.as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": "Tourniquet",
                    "Dimensions": [["Function"], ["Function", "Outcome"]],
                    "Metrics": metrics,
                }],
            },
            "Function": self.function,
            "Outcome": self.outcome.word(),
            "Runs": 1,
            "DurationMs": self.duration_ms,
            "ContainedMs": self.contained_ms,
            "Fights": u8::from(self.fight),
        });
        if let (Value::Object(line), Value::Object(extra)) = (&mut line, extra) {
            line.extend(extra);
        }
        line
    }

    /// Writes the line to the log. Lambda takes every line on standard output as it is.
    pub fn log(&self, now: Timestamp) {
        let mut out = std::io::stdout().lock();
        // Nobody is left to be told that standard output is closed.
        let _ = writeln!(out, "{}", self.line(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g27_a_report_is_a_metric_by_function_and_outcome() {
        let report =
            Report::without_subject("stop-instance", Mode::Enforce, Outcome::Ignored, "sample".into());
        let line = report.line("2026-11-23T04:00:00Z".parse().unwrap());
        let metric = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metric["Namespace"], "Tourniquet");
        assert_eq!(metric["Dimensions"][1], json!(["Function", "Outcome"]));
        for name in metric["Metrics"].as_array().unwrap() {
            assert!(line[name["Name"].as_str().unwrap()].is_number(), "{name}");
        }
        assert_eq!((&line["Function"], &line["Outcome"]), (&json!("stop-instance"), &json!("ignored")));
    }
}
