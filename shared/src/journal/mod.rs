//! The journal: plans before they are applied, outcomes after, exemptions and the change limit, in one DynamoDB table.
//!
//! Keys are `pk` and `sk`. A record's partition is its subject, so that one consistent query finds duplicates, what an
//! interrupted run left, and what was done to the subject before. The sparse index `watched` holds what sweeps come
//! back to.

mod attempts;
mod baseline;
mod record;
mod write;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;

pub use attempts::Attempts;
pub use baseline::Kept;
pub use record::{Item, Record};
pub use write::{Begin, Held};

use crate::error::{Error, aws};
use crate::exemption::Draft;
use crate::place::Place;

/// The sparse index over records that sweeps come back to.
pub const WATCHED: &str = "watched";

/// What the journal knows of a subject.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Its records.
    pub records: Vec<Record>,
    /// What it was like when it was last seen healthy, for the rooms that keep that.
    pub baseline: Option<Kept>,
}

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

    /// Every record about a subject, in the order of cause and attempt, and its baseline: one query.
    pub async fn history(&self, function: &str, place: &Place, subject: &str) -> Result<History, Error> {
        let items = self.query(&Record::partition(function, place, subject)).await?;
        let mut history = History::default();
        for item in items {
            match item.get("sk").and_then(|v| v.as_s().ok()).map(String::as_str) {
                Some(baseline::NOW) => history.baseline = Some(Kept::from_item(&item)?),
                Some(sort) if sort.starts_with(baseline::BEFORE) => {}
                _ => history.records.push(Record::from_item(&item)?),
            }
        }
        Ok(history)
    }

    /// The exemptions of a function in an account, as they were written.
    pub async fn exemptions(&self, function: &str, account: &str) -> Result<Vec<Draft>, Error> {
        let items = self.query(&format!("exemption#{function}#{account}")).await?;
        let draft = |item: &Item| {
            let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).cloned();
            Draft {
                subject: text("subject"),
                region: text("region"),
                scope: text("scope"),
                reason: text("reason"),
                owner: text("owner"),
                expires: text("ends"),
            }
        };
        Ok(items.iter().map(draft).collect())
    }

    /// The records of a function that its sweep comes back to.
    pub async fn watched(&self, function: &str) -> Result<Vec<Record>, Error> {
        self.come_back(function).await?.iter().map(Record::from_item).collect()
    }

    async fn come_back(&self, to: &str) -> Result<Vec<Item>, Error> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(WATCHED)
            .key_condition_expression("watched = :function")
            .expression_attribute_values(":function", AttributeValue::S(to.to_owned()))
            .into_paginator()
            .items()
            .send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item.map_err(|e| aws("dynamodb:Query", e))?);
        }
        Ok(items)
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
