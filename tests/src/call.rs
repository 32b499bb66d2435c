//! One call of a function as the proxy saw it, and what a list of them says: changes, and round trips.

use serde::Serialize;
use serde_json::Value;

use crate::fault::Kind;

/// One call, from the moment its request was complete to the moment its answer was handed on.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// Which call of the process this is, from 1; unsigned calls, which only warm up a connection, are not counted.
    pub number: Option<u32>,
    /// Service and operation, such as `ec2:StopInstances`.
    pub name: String,
    /// The region that the request was signed for.
    pub region: String,
    /// Milliseconds after the proxy's start.
    pub started_ms: f64,
    /// Milliseconds after the proxy's start; infinite for a call that was never answered.
    pub ended_ms: f64,
    /// The HTTP status that the function saw; none if it saw no answer.
    pub status: Option<u16>,
    /// The HTTP status with which the account answered it, whether or not the function saw that; none if it was not carried
    /// out.
    pub answered: Option<u16>,
    /// The error code in the answer.
    pub error: Option<String>,
    /// What was done to the call.
    pub fault: Option<Kind>,
    /// The request's parameters.
    pub parameters: Value,
}

impl Call {
    /// Whether the function saw it succeed.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status < 400)
    }

    /// Whether the account carried it out, whatever the function saw of that.
    #[must_use]
    pub fn carried_out(&self) -> bool {
        self.answered.is_some_and(|status| status < 400)
    }

    /// Whether the operation changes something, to judge by its name.
    #[must_use]
    pub fn changes(&self) -> bool {
        let (service, operation) = self.name.split_once(':').unwrap_or(("", &self.name));
        let reads = [
            "Describe",
            // IAM's credential report: AWS counts it among the reads.
            "GenerateCredentialReport",
            "Get",
            "List",
            "Head",
            "Lookup",
            "BatchGet",
            "Query",
            "Scan",
            "Select",
            "Simulate",
            "TransactGet",
        ];
        let dry = self.parameters.get("DryRun").is_some_and(|dry| dry == "true");
        !(self.number.is_none()
            || dry
            || service == "sts"
            || reads.iter().any(|verb| operation.starts_with(verb)))
    }

    /// Whether it changes something outside the project's own journal and messages.
    #[must_use]
    pub fn changes_the_account(&self) -> bool {
        self.changes() && !self.name.starts_with("dynamodb:") && !self.name.starts_with("sns:")
    }
}

/// The longest chain of calls in which each began after the one before had ended.
#[must_use]
pub fn round_trips(calls: &[Call]) -> usize {
    let mut order: Vec<&Call> = calls.iter().filter(|call| call.number.is_some()).collect();
    order.sort_by(|a, b| a.started_ms.total_cmp(&b.started_ms));
    let mut depths: Vec<(f64, usize)> = Vec::with_capacity(order.len());
    for call in order {
        let before =
            depths.iter().filter(|(ended, _)| *ended <= call.started_ms).map(|(_, depth)| *depth).max();
        depths.push((call.ended_ms, 1 + before.unwrap_or(0)));
    }
    depths.into_iter().map(|(_, depth)| depth).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Call, round_trips};

    fn call(name: &str, started_ms: f64, ended_ms: f64) -> Call {
        Call {
            number: Some(1),
            name: name.to_owned(),
            region: "eu-west-1".to_owned(),
            started_ms,
            ended_ms,
            status: Some(200),
            answered: Some(200),
            error: None,
            fault: None,
            parameters: json!({}),
        }
    }

    #[test]
    fn calls_side_by_side_are_one_round_trip() {
        let calls =
            [call("a:A", 0.0, 2.0), call("a:B", 0.5, 3.0), call("a:C", 2.5, 4.0), call("a:D", 3.0, 5.0)];
        assert_eq!(round_trips(&calls), 2);
        assert_eq!(round_trips(&[]), 0);
    }

    #[test]
    fn reads_and_dry_runs_change_nothing() {
        assert!(!call("ec2:DescribeInstances", 0.0, 1.0).changes());
        assert!(
            !Call { parameters: json!({"DryRun": "true"}), ..call("ec2:StopInstances", 0.0, 1.0) }.changes()
        );
        assert!(call("ec2:StopInstances", 0.0, 1.0).changes_the_account());
        assert!(!call("sns:Publish", 0.0, 1.0).changes_the_account());
    }
}
