//! Baselines: what a subject was like when it was last seen healthy, in the partition of its records.
//!
//! The one that holds stands under a fixed sort key; each that it replaced stays under its time, so that every change of
//! a baseline is on record.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Item, Journal, Record};
use crate::error::{Error, aws};
use crate::place::Place;

/// The sort key of the baseline that holds.
pub(super) const NOW: &str = "baseline";
/// Begins the sort keys of those that it replaced.
pub(super) const BEFORE: &str = "baseline#";

/// A baseline as the journal keeps it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Kept {
    /// The room's own baseline.
    pub baseline: Value,
    /// When it was taken.
    pub taken: Timestamp,
    /// Why: the reason that the subject was found safe or exempt.
    pub why: String,
}

impl Kept {
    pub(super) fn from_item(item: &Item) -> Result<Self, Error> {
        item.get("body")
            .and_then(|v| v.as_s().ok())
            .and_then(|body| serde_json::from_str(body).ok())
            .ok_or(Error::Unexpected { call: "dynamodb:Query", missing: "a readable baseline" })
    }

    fn to_item(&self, partition: &str, sort: &str) -> Item {
        let text = AttributeValue::S;
        Item::from([
            ("pk".to_owned(), text(partition.to_owned())),
            ("sk".to_owned(), text(sort.to_owned())),
            ("taken".to_owned(), text(self.taken.to_string())),
            ("body".to_owned(), text(serde_json::to_string(self).unwrap_or_default())),
        ])
    }
}

/// Where the index over what sweeps come back to has the baselines of a function in an account. Its sort key is the
/// table's, so that all of them stand under one.
fn index(function: &str, account: &str) -> String {
    format!("baseline#{function}#{account}")
}

impl Journal {
    /// The subjects in an account that have a baseline.
    pub async fn kept(&self, function: &str, account: &str) -> Result<Vec<(Place, String)>, Error> {
        let items = self.come_back(&index(function, account)).await?;
        let named = items.iter().filter_map(|item| {
            let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).cloned();
            Some((Place::new(account, text("region")?), text("subject")?))
        });
        Ok(named.collect())
    }

    /// Replaces a baseline, which is kept beside it. Another run that was faster is as good.
    pub async fn keep(
        &self,
        function: &str,
        place: &Place,
        subject: &str,
        new: &Kept,
        old: Option<&Kept>,
    ) -> Result<(), Error> {
        let partition = Record::partition(function, place, subject);
        let put = self.client.put_item().table_name(&self.table);
        let put = match old {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(old) => {
                let mut before = old.to_item(&partition, &format!("{BEFORE}{}", old.taken));
                let expires = new.taken.checked_add(self.keep).unwrap_or(new.taken).as_second();
                before.insert("expires".to_owned(), AttributeValue::N(expires.to_string()));
                let archive = self.client.put_item().table_name(&self.table).set_item(Some(before));
                archive.send().await.map_err(|e| aws("dynamodb:PutItem", e))?;
                put.condition_expression("taken = :taken")
                    .expression_attribute_values(":taken", AttributeValue::S(old.taken.to_string()))
            }
        };
        let mut item = new.to_item(&partition, NOW);
        let text = AttributeValue::S;
        item.insert("watched".to_owned(), text(index(function, &place.account)));
        item.insert("region".to_owned(), text(place.region.clone()));
        item.insert("subject".to_owned(), text(subject.to_owned()));
        match put.set_item(Some(item)).send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
                Ok(())
            }
            Err(e) => Err(aws("dynamodb:PutItem", e)),
        }
    }
}
