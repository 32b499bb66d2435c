//! Attacks that AWS refused: counted as they come, told by the next sweep.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::Journal;
use crate::clock;
use crate::error::{Error, aws};

/// How long a count that no sweep asks for is kept.
const KEPT_SECONDS: i64 = 30 * 86_400;

/// What was refused since the last sweep.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attempts {
    /// How many.
    pub count: u64,
    /// The last one, in a sentence.
    pub last: String,
}

impl Journal {
    /// Counts an attempt.
    pub async fn count_attempt(&self, function: &str, account: &str, why: &str) -> Result<(), Error> {
        let expires = clock::now().as_second() + KEPT_SECONDS;
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(format!("attempts#{function}#{account}")))
            .key("sk", AttributeValue::S("since the last sweep".to_owned()))
            .update_expression("SET #last = :last, expires = :expires ADD attempts :one")
            // LAST is a reserved word.
            .expression_attribute_names("#last", "last")
            .expression_attribute_values(":last", AttributeValue::S(why.to_owned()))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .expression_attribute_values(":expires", AttributeValue::N(expires.to_string()))
            .send()
            .await
            .map(|_| ())
            .map_err(|e| aws("dynamodb:UpdateItem", e))
    }

    /// The attempts since this was last asked, which begins the count anew.
    pub async fn take_attempts(&self, function: &str, account: &str) -> Result<Option<Attempts>, Error> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(format!("attempts#{function}#{account}")))
            .key("sk", AttributeValue::S("since the last sweep".to_owned()))
            .update_expression("SET attempts = :none")
            .condition_expression("attempts > :none")
            .expression_attribute_values(":none", AttributeValue::N("0".to_owned()))
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                let old = |name: &str| answer.attributes().and_then(|a| a.get(name));
                let count = old("attempts").and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok());
                let last = old("last").and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
                Ok(count.map(|count| Attempts { count, last }))
            }
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Ok(None)
            }
            Err(e) => Err(aws("dynamodb:UpdateItem", e)),
        }
    }
}
