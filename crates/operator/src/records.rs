//! The records of the journal with what was taken back of them, chosen by what people ask for.

mod filter;
mod id;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tourniquet::Outcome;
use tourniquet::error::Error;
pub use tourniquet::journal::UNDO;
use tourniquet::journal::{Item, Record};

pub use filter::{Filter, age, time};
pub use id::Id;

use crate::failure::Failure;
use crate::journal::Journal;

/// One record taken back, as the journal keeps it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Undo {
    /// The id of the record.
    pub record: String,
    /// Why.
    pub reason: String,
    /// The ARN of whoever did it.
    pub by: String,
    /// Until when the function leaves the subject alone.
    pub until: Timestamp,
    /// When it was begun.
    pub started: Timestamp,
    /// When everything that can be taken back was.
    pub finished: Option<Timestamp>,
    /// What became of each change, by its key.
    pub changes: Vec<(String, String)>,
}

/// A record, and its undo if there is one.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// The record's id.
    pub id: String,
    /// The record.
    #[serde(flatten)]
    pub record: Record,
    /// Its undo.
    pub undo: Option<Undo>,
}

impl Entry {
    /// The outcome in one word, with those that only an operator sees: `open` while a run is at it, `undone`.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        match &self.undo {
            Some(undo) if undo.finished.is_some() => "undone",
            _ => self.record.outcome.map_or("open", Outcome::word),
        }
    }
}

/// The records that a filter takes, oldest first. One that cannot be read is a failure.
pub async fn read(journal: &Journal, filter: &Filter) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    let unreadable = each(journal, filter, |entry| entries.push(entry)).await?;
    if let Some(problem) = unreadable.into_iter().next() {
        return Err(Failure::Failed(problem));
    }
    entries.sort_by(|a, b| (a.record.started, &a.id).cmp(&(b.record.started, &b.id)));
    Ok(entries)
}

/// Hands on the records that a filter takes as they come, subject after subject, and keeps no more than one subject's. Gives
/// back what cannot be read: a sentence for each.
///
/// A filter that names function, account, region and subject is one query; else the table is scanned.
pub async fn each(
    journal: &Journal,
    filter: &Filter,
    mut take: impl FnMut(Entry),
) -> Result<Vec<String>, Error> {
    let mut unreadable = Vec::new();
    let mut one = Subject::default();
    let mut end = |one: &mut Subject| {
        for entry in std::mem::take(one).entries(&mut unreadable) {
            if filter.takes(&entry) {
                take(entry);
            }
        }
    };
    if let Some(partition) = filter.partition() {
        one.items = journal.partition(&partition).await?;
    } else {
        let prefix = filter.function.as_ref().map_or("record#".to_owned(), |f| format!("record#{f}#"));
        // A scan goes from partition to partition, so that a record and its undo come together.
        journal
            .each(&prefix, |item| {
                if one.items.first().is_some_and(|first| first.get("pk") != item.get("pk")) {
                    end(&mut one);
                }
                one.items.push(item.clone());
            })
            .await?;
    }
    end(&mut one);
    Ok(unreadable)
}

/// One record, by its id.
pub async fn find(journal: &Journal, id: &Id) -> Result<Option<Entry>, Failure> {
    let mut unreadable = Vec::new();
    let subject = Subject { items: journal.partition(&id.partition()).await? };
    let found = subject.entries(&mut unreadable).into_iter().find(|entry| entry.id == id.to_string());
    match unreadable.into_iter().next() {
        Some(problem) if found.is_none() => Err(Failure::Failed(problem)),
        _ => Ok(found),
    }
}

/// The items about one subject.
#[derive(Default)]
struct Subject {
    items: Vec<Item>,
}

impl Subject {
    fn entries(self, unreadable: &mut Vec<String>) -> Vec<Entry> {
        let mut records = Vec::new();
        let mut undos = HashMap::new();
        for item in &self.items {
            let key = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).map_or("", String::as_str);
            let sort = key("sk");
            if sort.starts_with("baseline") {
                continue;
            }
            let read = if sort.starts_with(UNDO) {
                undo(item).map(|undo| drop(undos.insert(undo.record.clone(), undo)))
            } else {
                Record::from_item(item).ok().map(|record| records.push(record))
            };
            if read.is_none() {
                unreadable.push(format!(
                    "the item {sort:?} of {:?} cannot be read: another version of the functions wrote it, or somebody by hand",
                    key("pk")
                ));
            }
        }
        let entry = |record: Record| {
            let id = record.id();
            Entry { undo: undos.remove(&id), id, record }
        };
        records.into_iter().map(entry).collect()
    }
}

/// The undo of an item.
#[must_use]
pub fn undo(item: &Item) -> Option<Undo> {
    item.get("body").and_then(|v| v.as_s().ok()).and_then(|body| serde_json::from_str(body).ok())
}
