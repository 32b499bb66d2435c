//! The journal's writes. Each is conditional: on the record not being there, or on its version.

use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use jiff::Timestamp;

use super::{Journal, Record};
use crate::clock;
use crate::error::{Error, aws};

/// How often a transaction is tried again that collided with another one on the same items.
const COLLISIONS: u32 = 8;
/// How long the count of an hour is kept.
const LIMIT_KEPT_SECONDS: i64 = 86_400;

/// What became of the attempt to begin a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Begin {
    /// The record is ours.
    Ours,
    /// Another run wrote it first.
    Duplicate,
    /// The change limit of this hour is reached.
    LimitReached,
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
        limit: Option<u32>,
    ) -> Result<Begin, Error> {
        let Some(limit) = limit else {
            return Ok(if self.put(record, prior).await? { Begin::Ours } else { Begin::Duplicate });
        };
        for _ in 0..COLLISIONS {
            let answer = self
                .client
                .transact_write_items()
                .transact_items(TransactWriteItem::builder().put(self.put_of(record, prior)?).build())
                .transact_items(TransactWriteItem::builder().update(self.take_one(record, limit)?).build())
                .send()
                .await;
            let Err(error) = answer else { return Ok(Begin::Ours) };
            let reasons = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(e)) => e.cancellation_reasons(),
                _ => return Err(aws("dynamodb:TransactWriteItems", error)),
            };
            let failed = |n: usize| {
                reasons.get(n).and_then(|r| r.code()).is_some_and(|code| code == "ConditionalCheckFailed")
            };
            if failed(0) {
                // As in `put`: what stands there may be this very write, sent twice.
                return Ok(if self.stands(record).await? { Begin::Ours } else { Begin::Duplicate });
            }
            if failed(1) {
                return Ok(Begin::LimitReached);
            }
            if !reasons.iter().any(|r| r.code() == Some("TransactionConflict")) {
                return Err(aws("dynamodb:TransactWriteItems", error));
            }
            clock::pause(Duration::from_millis(40)).await;
        }
        Err(Error::Aws {
            call: "dynamodb:TransactWriteItems",
            code: "TransactionConflict".to_owned(),
            message: format!("other runs kept the change limit of {} busy", record.function),
            class: crate::error::Class::Throttled,
        })
    }

    /// Writes the next version of a record that is ours.
    pub async fn save(&self, record: &mut Record) -> Result<(), Error> {
        let prior = record.version;
        record.version += 1;
        let saved = match self.put(record, Some(prior)).await {
            Ok(false) => self.put_missing(record).await,
            other => other,
        };
        match saved {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::LostRecord { record: record.id() }),
            Err(error) => {
                record.version = prior;
                Err(error)
            }
        }
    }

    /// Notes that people were told of the limit this hour.
    pub async fn tell_held(&self, record: &Record) -> Result<Held, Error> {
        let (pk, sk) = limit_key(&record.function, &record.place.account, clock::now());
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(sk))
            .update_expression("SET told = :yes")
            .condition_expression("attribute_not_exists(told)")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
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
            .map_err(|_| Error::Unexpected { call: "dynamodb:TransactWriteItems", missing: "an item" })
    }

    fn take_one(&self, record: &Record, limit: u32) -> Result<Update, Error> {
        let (pk, sk) = limit_key(&record.function, &record.place.account, clock::now());
        let expires = clock::now().as_second() + LIMIT_KEPT_SECONDS;
        Update::builder()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(pk))
            .key("sk", AttributeValue::S(sk))
            .update_expression("SET expires = :expires ADD taken :one")
            .condition_expression("attribute_not_exists(taken) OR taken < :limit")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .expression_attribute_values(":limit", AttributeValue::N(limit.to_string()))
            .expression_attribute_values(":expires", AttributeValue::N(expires.to_string()))
            .build()
            .map_err(|_| Error::Unexpected { call: "dynamodb:TransactWriteItems", missing: "a key" })
    }
}

fn condition(prior: Option<u64>) -> (&'static str, Option<AttributeValue>) {
    match prior {
        None => ("attribute_not_exists(pk)", None),
        Some(version) => ("version = :version", Some(AttributeValue::N(version.to_string()))),
    }
}

/// Partition and sort key of the counter of a function's changes in an account, in the hour of `at`.
#[must_use]
pub fn limit_key(function: &str, account: &str, at: Timestamp) -> (String, String) {
    (format!("limit#{function}#{account}"), hour(at))
}

fn hour(at: Timestamp) -> String {
    at.to_string().chars().take("2026-01-01T00".len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g26_the_next_hour_has_its_own_count() {
        assert_eq!(hour("2026-11-23T04:59:59.5Z".parse().unwrap()), "2026-11-23T04");
        assert_eq!(hour("2026-11-23T05:00:00Z".parse().unwrap()), "2026-11-23T05");
    }
}
