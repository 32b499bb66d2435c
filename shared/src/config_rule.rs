//! The parts of an AWS Config compliance change that functions share.

use serde::Deserialize;

use crate::error::Error;
use crate::event::Event;
use crate::place::Place;

/// A resource's verdict under one Config rule, as `Config Rules Compliance Change` reports it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComplianceChange {
    /// The id of the resource, such as a group id or a bucket's name.
    pub resource_id: String,
    /// Its type, such as `AWS::EC2::SecurityGroup`.
    pub resource_type: String,
    /// The region of the resource.
    pub aws_region: String,
    /// The account of the resource.
    pub aws_account_id: String,
    /// The rule's name; managed rules get suffixes, so compare by prefix.
    pub config_rule_name: String,
    new_evaluation_result: Evaluation,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Evaluation {
    compliance_type: String,
}

impl ComplianceChange {
    /// The compliance change of an event.
    pub fn of(event: &Event) -> Result<Self, Error> {
        event.detail_as()
    }

    /// Whether the resource now breaks the rule. Compliant resources are reported too.
    #[must_use]
    pub fn is_breach(&self) -> bool {
        self.new_evaluation_result.compliance_type == "NON_COMPLIANT"
    }

    /// Where the resource is.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::new(&self.aws_account_id, &self.aws_region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breach_differs_from_compliance_by_its_type_alone() {
        for (word, breach) in [("NON_COMPLIANT", true), ("COMPLIANT", false), ("NOT_APPLICABLE", false)] {
            let raw = format!(
                r#"{{"detail-type":"Config Rules Compliance Change","source":"aws.config","detail":{{"resourceId":"sg-1",
                "resourceType":"AWS::EC2::SecurityGroup","awsRegion":"eu-west-1","awsAccountId":"111122223333",
                "configRuleName":"restricted-ssh-x","newEvaluationResult":{{"complianceType":"{word}"}}}}}}"#
            );
            let change = ComplianceChange::of(&Event::parse(&raw).unwrap()).unwrap();
            assert_eq!(change.is_breach(), breach);
            assert_eq!(change.place(), Place::new("111122223333", "eu-west-1"));
        }
    }
}
