//! The journal: plans before they are applied, outcomes after, exemptions and the change limit, in one DynamoDB table.
//!
//! Keys are `pk` and `sk`. A record's partition is its subject, so that one consistent query finds duplicates, what an
//! interrupted run left, and what was done to the subject before. The sparse index `watched` holds what sweeps come
//! back to.

mod record;
mod write;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

pub use record::{Item, Record};
pub use write::{Begin, Held};

use crate::error::{Error, aws};
use crate::exemption::{Draft, Found, Source, covers};
use crate::place::Place;

/// The sparse index over records that sweeps come back to.
pub const WATCHED: &str = "watched";

/// The journal of all functions.
#[derive(Clone, Debug)]
pub struct Journal {
    client: Client,
    table: String,
    keep: SignedDuration,
}

impl Journal {
    /// The journal in a table; records are kept for so many days.
    #[must_use]
    pub fn new(client: Client, table: String, record_days: u32) -> Self {
        Self { client, table, keep: SignedDuration::from_hours(i64::from(record_days) * 24) }
    }

    /// Every record about a subject, in the order of cause and attempt.
    pub async fn history(&self, function: &str, place: &Place, subject: &str) -> Result<Vec<Record>, Error> {
        let items = self.query(&Record::partition(function, place, subject)).await?;
        items.iter().map(Record::from_item).collect()
    }

    /// The exemptions of a function in an account that cover a subject.
    pub async fn exemptions(
        &self,
        function: &str,
        place: &Place,
        subject: &str,
        now: Timestamp,
    ) -> Result<Found, Error> {
        let mut found = Found::default();
        for item in self.query(&format!("exemption#{function}#{}", place.account)).await? {
            let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).cloned();
            let draft = Draft {
                subject: text("subject"),
                region: text("region"),
                scope: text("scope"),
                reason: text("reason"),
                owner: text("owner"),
                expires: text("ends"),
            };
            let regions = draft.region.clone().unwrap_or_else(|| "*".to_owned());
            if !draft.subject.as_ref().is_some_and(|glob| covers(glob, &regions, place, subject)) {
                continue;
            }
            match draft.check(Source::Journal, now) {
                Ok(exemption) => found.valid.push(exemption),
                Err(problem) => found.refused.push(problem),
            }
        }
        Ok(found)
    }

    /// The records of a function that its sweep comes back to.
    pub async fn watched(&self, function: &str) -> Result<Vec<Record>, Error> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(WATCHED)
            .key_condition_expression("watched = :function")
            .expression_attribute_values(":function", AttributeValue::S(function.to_owned()))
            .into_paginator()
            .items()
            .send();
        let mut records = Vec::new();
        while let Some(item) = pages.next().await {
            records.push(Record::from_item(&item.map_err(|e| aws("dynamodb:Query", e))?)?);
        }
        Ok(records)
    }

    async fn query(&self, partition: &str) -> Result<Vec<Item>, Error> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item.map_err(|e| aws("dynamodb:Query", e))?);
        }
        Ok(items)
    }
}
