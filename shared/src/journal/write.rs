//! The journal's writes. Each is conditional: on the record not being there, or on its version.

use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use jiff::Timestamp;

use super::limit::{KEPT_SECONDS, Terms};
use super::{Ceiling, Journal, Limit, Record, key_of};
use crate::clock;
use crate::error::{Error, aws};

/// How often a transaction is tried again that collided with another one on the same items.
const COLLISIONS: u32 = 8;

/// What became of the attempt to begin a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Begin {
    /// The record is ours.
    Ours,
    /// Another run wrote it first.
    Duplicate,
    /// A change limit of this hour is reached.
    LimitReached(Ceiling),
}

/// Whether a held change is the first of its hour, which people are told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Held {
    /// Nobody was told yet.
    First,
    /// Somebody was told this hour.
    Again,
}

impl Journal {
    /// Records a plan, takes one from the change limit and refuses a duplicate, in one transaction.
    ///
    /// `prior` is the version of the record to go on with; `None` for a new one. `limit` is `None` for a record that
    /// has been counted before.
    pub async fn begin(
        &self,
        record: &Record,
        prior: Option<u64>,
        limit: Option<Limit>,
    ) -> Result<Begin, Error> {
        let Some(limit) = limit else {
            return Ok(if self.put(record, prior).await? { Begin::Ours } else { Begin::Duplicate });
        };
        let mut terms = Terms::Share;
        let mut collisions = 0;
        while collisions < COLLISIONS {
            let now = clock::now();
            let mut transaction = self
                .client
                .transact_write_items()
                .transact_items(TransactWriteItem::builder().put(self.put_of(record, prior)?).build());
            let mut counted = Vec::new();
            for count in terms.counts(limit) {
                // Of an actor whom the event does not name there is nothing to count.
                let Some(key) = key_in(count.ceiling, record, now) else { continue };
                let update = count.update(&self.table, key, now).ok_or(incomplete("a key"))?;
                transaction = transaction.transact_items(TransactWriteItem::builder().update(update).build());
                counted.push(count.ceiling);
            }
            let Err(error) = transaction.send().await else { return Ok(Begin::Ours) };
            let reasons = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(e)) => e.cancellation_reasons(),
                _ => return Err(aws("dynamodb:TransactWriteItems", error)),
            };
            let mut failed = reasons.iter().map(|r| r.code() == Some("ConditionalCheckFailed"));
            if failed.next() == Some(true) {
                // As in `put`: what stands there may be this very write, sent twice.
                return Ok(if self.stands(record).await? { Begin::Ours } else { Begin::Duplicate });
            }
            let refused: Vec<Ceiling> = counted
                .into_iter()
                .zip(failed)
                .filter_map(|(ceiling, failed)| failed.then_some(ceiling))
                .collect();
            if !refused.is_empty() {
                match terms.after(&refused, &record.cause, limit) {
                    Ok(other) => terms = other,
                    Err(ceiling) => return Ok(Begin::LimitReached(ceiling)),
                }
                continue;
            }
            if !reasons.iter().any(|r| r.code() == Some("TransactionConflict")) {
                return Err(aws("dynamodb:TransactWriteItems", error));
            }
            collisions += 1;
            clock::pause(Duration::from_millis(40)).await;
        }
        Err(Error::Aws {
            call: "dynamodb:TransactWriteItems",
            code: "TransactionConflict".to_owned(),
            message: format!("other runs kept the change limit of {} busy", record.function),
            class: crate::error::Class::Throttled,
        })
    }

    /// Writes the next version of a record that is ours. One that was not written, or of which nobody waited to hear, keeps its
    /// version: the next one may be that of whoever took it over.
    pub async fn save(&self, record: &mut Record) -> Result<(), Error> {
        let next = Record { version: record.version + 1, ..record.clone() };
        if !self.put(&next, Some(record.version)).await? && !self.put_missing(&next).await? {
            return Err(Error::LostRecord { record: record.id() });
        }
        record.version = next.version;
        Ok(())
    }

    /// Notes that people were told this hour that a limit is reached.
    pub async fn tell_held(&self, record: &Record, ceiling: Ceiling) -> Result<Held, Error> {
        let now = clock::now();
        let (pk, sk) = key_in(ceiling, record, now).ok_or(incomplete("a key"))?;
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(sk))
            .update_expression("SET told = :yes, expires = :expires")
            .condition_expression("attribute_not_exists(told)")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(
                ":expires",
                AttributeValue::N((now.as_second() + KEPT_SECONDS).to_string()),
            )
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Held::First),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Ok(Held::Again)
            }
            Err(e) => Err(aws("dynamodb:UpdateItem", e)),
        }
    }

    /// Writes a record on condition; false if the condition does not hold.
    async fn put(&self, record: &Record, prior: Option<u64>) -> Result<bool, Error> {
        let (condition, version) = condition(prior);
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(record.to_item(self.keep)))
            .condition_expression(condition)
            .set_expression_attribute_values(version.map(|v| [(":version".to_owned(), v)].into()))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                // A lost answer makes the SDK send the write twice, and the second finds the first.
                Ok(self.stands(record).await?)
            }
            Err(e) => Err(aws("dynamodb:PutItem", e)),
        }
    }

    /// Writes a record as a whole whose beginning was answered with success and is not there; false if it is there, so that
    /// another run has it.
    async fn put_missing(&self, record: &Record) -> Result<bool, Error> {
        let stored = self.history(&record.function, &record.place, &record.subject).await?;
        if stored.records.iter().any(|r| r.id() == record.id()) {
            return Ok(false);
        }
        self.put(record, None).await
    }

    async fn stands(&self, record: &Record) -> Result<bool, Error> {
        let stored = self.history(&record.function, &record.place, &record.subject).await?;
        Ok(stored.records.iter().any(|r| r == record))
    }

    fn put_of(&self, record: &Record, prior: Option<u64>) -> Result<Put, Error> {
        let (condition, version) = condition(prior);
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(record.to_item(self.keep)))
            .condition_expression(condition)
            .set_expression_attribute_values(version.map(|v| [(":version".to_owned(), v)].into()))
            .build()
            .map_err(|_| incomplete("an item"))
    }
}

fn condition(prior: Option<u64>) -> (&'static str, Option<AttributeValue>) {
    match prior {
        None => ("attribute_not_exists(pk)", None),
        Some(version) => ("version = :version", Some(AttributeValue::N(version.to_string()))),
    }
}

fn key_in(ceiling: Ceiling, record: &Record, now: Timestamp) -> Option<(String, String)> {
    key_of(ceiling, &record.function, &record.place, &record.subject, &record.actor, now)
}

fn incomplete(missing: &'static str) -> Error {
    Error::Unexpected { call: "dynamodb:TransactWriteItems", missing }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_smithy_http_client::test_util::infallible_client_fn;
    use aws_smithy_types::body::SdkBody;

    use super::*;
    use crate::sdk::offline;

    /// Of two runs the one that lost its record writes again when it closes: by then the other may have written once.
    #[tokio::test]
    async fn g4_a_lost_record_is_not_written_over_by_the_next_save() {
        let sent: Arc<Mutex<Vec<serde_json::Value>>> = Arc::default();
        let kept = Arc::clone(&sent);
        let http = infallible_client_fn(move |request| {
            let body: serde_json::Value =
                serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap();
            let writes = body.get("ConditionExpression").is_some();
            let (status, answer) = if writes {
                // A write that wants nothing to be there names no version.
                let version = body.pointer("/ExpressionAttributeValues/:version/N");
                kept.lock().unwrap().extend(version.cloned());
                let refused = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
                (400, serde_json::json!({"__type": refused, "message": "The conditional request failed"}))
            } else {
                (200, serde_json::json!({"Items": [], "Count": 0, "ScannedCount": 0}))
            };
            http::Response::builder().status(status).body(SdkBody::from(answer.to_string())).unwrap()
        });
        let client = aws_sdk_dynamodb::Client::new(&offline(http, "eu-central-1", None));
        let journal = Journal::new(client, "t".to_owned(), 1);
        let mut record: Record = serde_json::from_value(serde_json::json!({
            "function": "x", "place": {"account": "111122223333", "region": "eu-central-1"}, "subject": "i-1",
            "cause": {"what": "x", "key": "a"}, "attempt": 1, "mode": "enforce", "outcome": null, "why": "", "actor": {},
            "detail": {}, "steps": [], "notes": [], "started": "2026-11-23T04:00:00Z", "finished": null, "version": 7,
            "owner": "x", "lease": "2026-11-23T04:00:00Z", "counted": true, "told": null, "watched": false
        }))
        .unwrap();
        for _ in 0..2 {
            let lost = journal.save(&mut record).await;
            assert!(matches!(lost, Err(Error::LostRecord { .. })), "{lost:?}");
        }
        assert_eq!(
            *sent.lock().unwrap(),
            ["7", "7"],
            "the second save waits for a version that is another run's"
        );
    }
}
