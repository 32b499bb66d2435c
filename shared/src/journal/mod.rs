//! The journal: plans before they are applied, outcomes after, exemptions and the change limit, in one DynamoDB table.
//!
//! Keys are `pk` and `sk`. A record's partition is its subject, so that one consistent query finds duplicates, what an
//! interrupted run left, and what was done to the subject before. The sparse index `watched` holds what sweeps come
//! back to.

mod attempts;
mod baseline;
mod limit;
mod record;
mod write;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_types::SdkConfig;
use futures_util::future;
use jiff::SignedDuration;

pub use attempts::Attempts;
pub use baseline::Kept;
pub use limit::{Ceiling, Limit, key_of, limit_key};
pub use record::{Item, Record, undo_command};
pub use write::{Begin, Held};

use crate::error::{Error, aws};
use crate::exemption::Draft;
use crate::place::Place;

/// The sparse index over records that sweeps come back to.
pub const WATCHED: &str = "watched";
/// Begins the sort key of an undo, which stands in the partition of its record; the record's own sort key follows.
pub const UNDO: &str = "undo#";

/// What the journal knows of a subject.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Its records.
    pub records: Vec<Record>,
    /// What it was like when it was last seen healthy, for the rooms that keep that.
    pub baseline: Option<Kept>,
}

impl History {
    /// From the items of a subject's partition. An undo is an operator's; its record says that it was undone.
    fn of(items: &[Item]) -> Result<Self, Error> {
        let mut history = Self::default();
        for item in items {
            match item.get("sk").and_then(|v| v.as_s().ok()).map(String::as_str) {
                Some(baseline::NOW) => history.baseline = Some(Kept::from_item(item)?),
                Some(sort) if sort.starts_with(baseline::BEFORE) || sort.starts_with(UNDO) => {}
                _ => history.records.push(Record::from_item(item)?),
            }
        }
        Ok(history)
    }
}

/// Every item of one partition of a journal's table, read consistently.
pub async fn partition_of(client: &Client, table: &str, partition: &str) -> Result<Vec<Item>, Error> {
    let query = client
        .query()
        .table_name(table)
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
        .consistent_read(true);
    all(query).await
}

/// Every item of a query. DynamoDB always says which items it found: an answer that does not is no proof that there is no
/// exemption and no record.
async fn all(query: QueryFluentBuilder) -> Result<Vec<Item>, Error> {
    const CALL: &str = "dynamodb:Query";
    let mut pages = query.into_paginator().send();
    let mut items = Vec::new();
    while let Some(page) = pages.next().await {
        let found = page.map_err(|e| aws(CALL, e))?.items;
        items.extend(found.ok_or(Error::Unexpected { call: CALL, missing: "the items" })?);
    }
    Ok(items)
}

/// Opens the two connections that a first look uses side by side, for the records and the exemptions; DynamoDB refuses what is asked.
pub(crate) async fn warm(sdk: &SdkConfig, table: &str) {
    let client = Client::from_conf(aws_sdk_dynamodb::config::Builder::from(sdk).allow_no_auth().build());
    let ask = || client.query().table_name(table).send();
    drop(future::join(ask(), ask()).await);
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
        History::of(&self.query(&Record::partition(function, place, subject)).await?)
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
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(WATCHED)
            .key_condition_expression("watched = :function")
            .expression_attribute_values(":function", AttributeValue::S(to.to_owned()));
        all(query).await
    }

    async fn query(&self, partition: &str) -> Result<Vec<Item>, Error> {
        partition_of(&self.client, &self.table, partition).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;

    fn record(outcome: Outcome) -> Record {
        serde_json::from_value(serde_json::json!({
            "function": "x", "place": {"account": "111122223333", "region": "eu-central-1"}, "subject": "i-1",
            "cause": {"what": "x", "key": "a"}, "attempt": 1, "mode": "enforce", "outcome": outcome, "why": "", "actor": {},
            "detail": {}, "steps": [], "notes": [], "started": "2026-11-23T04:00:00Z", "finished": null, "version": 1,
            "owner": "x", "lease": "2026-11-23T04:00:00Z", "counted": true, "told": null, "watched": false
        }))
        .unwrap()
    }

    #[test]
    fn law_7_an_undo_beside_its_record_is_no_record() {
        let item = record(Outcome::Contained).to_item(SignedDuration::ZERO);
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut undo = item.clone();
        undo.insert("sk".to_owned(), text(&format!("{UNDO}ca978112ca#0001")));
        undo.insert("body".to_owned(), text(r#"{"record": "x", "reason": "ours"}"#));
        let history = History::of(&[undo, item]).unwrap();
        assert_eq!(history.records, [record(Outcome::Contained)]);
    }

    #[test]
    fn law_7_no_run_goes_on_with_what_was_undone() {
        let now = "2026-11-23T05:00:00Z".parse().unwrap();
        for outcome in [Outcome::Partial, Outcome::Failed, Outcome::Contained] {
            let mut record = record(outcome);
            record.undone = Some(now);
            assert!(!record.is_continued() && !record.is_unfinished() && !record.is_contained(), "{outcome}");
            assert!(!record.to_item(SignedDuration::ZERO).contains_key("watched"));
        }
        let mut open = record(Outcome::Partial);
        (open.outcome, open.lease) = (None, "2026-11-23T06:00:00Z".parse().unwrap());
        assert!(open.is_at_work(now));
        open.undone = Some(now);
        assert!(!open.is_at_work(now));
    }
}
