//! The undo in the journal. It begins with one transaction: the exemptions, the undo itself, and the record, which from then on
//! no run goes on with; all of it on the condition that nobody wrote the record or the undo since they were read.

use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use tourniquet::clock;
use tourniquet::error::{Error, aws};
use tourniquet::exemption::Exemption;
use tourniquet::journal::{Item, Record, UNDO};

use crate::exempt::kept::Kept;
use crate::failure::Failure;
use crate::journal::Journal;
use crate::records::{Id, Undo, undo};
use crate::words::plain;

/// How long an undo is held without a sign of life.
const LEASE: SignedDuration = SignedDuration::from_secs(90);
/// How often it gives one.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// A record and what was done about it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) record: Record,
    /// As the table has it.
    item: Item,
    pub(super) undo: Option<Begun>,
    /// A newer record of the subject under which it was changed again.
    pub(super) newer: Option<String>,
    /// The end of the lease of a run that is at the subject now, for whatever cause.
    pub(super) at_work: Option<Timestamp>,
}

/// An undo as the table has it.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) undo: Undo,
    version: u64,
    /// Until when nobody else may go on with it.
    pub(super) lease: Timestamp,
}

/// An undo that is ours.
#[derive(Debug)]
pub(super) struct Open<'a> {
    journal: &'a Journal,
    /// The keys, and what else does not change.
    item: Item,
    version: u64,
    pub(super) undo: Undo,
}

fn text(item: &Item, name: &str) -> Option<String> {
    item.get(name).and_then(|v| v.as_s().ok()).cloned()
}

fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name).and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok())
}

/// Reads a record, what was undone of it, and whether there is a newer one.
pub(super) async fn find(journal: &Journal, id: &Id) -> Result<Option<Found>, Error> {
    let items = journal.partition(&id.partition()).await?;
    let sort = id.answer.replacen('-', "#", 1);
    let at = |sort: &str| items.iter().find(|item| text(item, "sk").as_deref() == Some(sort));
    let Some(item) = at(&sort) else { return Ok(None) };
    let record = Record::from_item(item)?;
    let begun = at(&format!("{UNDO}{sort}")).and_then(|item| {
        let lease = text(item, "lease").and_then(|at| at.parse().ok()).unwrap_or(Timestamp::MIN);
        Some(Begun { undo: undo(item)?, version: number(item, "version")?, lease })
    });
    let is_record = |item: &&Item| text(item, "id").is_some();
    let all: Vec<Record> =
        items.iter().filter(is_record).filter_map(|item| Record::from_item(item).ok()).collect();
    let now = clock::now();
    let at_work = all.iter().filter(|other| other.is_at_work(now)).map(|other| other.lease).max();
    let newer =
        all.iter().filter(|other| other.counted && other.undone.is_none() && other.started > record.started);
    let newer = newer.max_by_key(|other| other.started).map(|other| other.id());
    Ok(Some(Found { record, item: item.clone(), undo: begun, newer, at_work }))
}

/// Begins the undo of a record, or goes on with one that was left.
pub(super) async fn begin<'a>(
    journal: &'a Journal,
    found: &Found,
    undo: Undo,
    exemptions: &[Exemption],
) -> Result<Open<'a>, Failure> {
    let (pk, sk) = (text(&found.item, "pk").unwrap_or_default(), text(&found.item, "sk").unwrap_or_default());
    let mut keys = Item::from([
        ("pk".to_owned(), AttributeValue::S(pk)),
        ("sk".to_owned(), AttributeValue::S(format!("{UNDO}{sk}"))),
    ]);
    // It goes when its record goes.
    keys.extend(found.item.get("expires").map(|at| ("expires".to_owned(), at.clone())));
    let open =
        Open { journal, item: keys, version: found.undo.as_ref().map_or(1, |begun| begun.version + 1), undo };

    let mut all = vec![put(journal, marked(found), Some(found.record.version))?];
    all.push(put(journal, open.to_item(), found.undo.as_ref().map(|begun| begun.version))?);
    for exemption in exemptions {
        let put = Put::builder()
            .table_name(&journal.table)
            .set_item(Some(exempt(found, &sk, exemption, &open.undo)));
        all.push(built(put)?);
    }
    let answer = journal.client.transact_write_items().set_transact_items(Some(all)).send().await;
    match answer {
        Ok(_) => Ok(open),
        Err(e) if e.as_service_error().is_some_and(|e| e.is_transaction_canceled_exception()) => {
            Err(Failure::Refused(
                "nothing was changed: somebody else has just written the record or is taking it back; look again".to_owned(),
            ))
        }
        Err(e) => Err(aws("dynamodb:TransactWriteItems", e).into()),
    }
}

/// The record as it stands from now on. What sweeps come back to, they come back to when the exemption has ended.
fn marked(found: &Found) -> Item {
    let mut record = found.record.clone();
    record.version += 1;
    record.watched |= record.is_unfinished();
    record.undone.get_or_insert_with(clock::now);
    let mut item = record.to_item(SignedDuration::ZERO);
    item.extend(found.item.get("expires").map(|at| ("expires".to_owned(), at.clone())));
    item
}

/// An exemption as the functions read it, and the record that it is of.
fn exempt(found: &Found, record: &str, exemption: &Exemption, undo: &Undo) -> Item {
    let Record { function, place, subject, .. } = &found.record;
    let scope = exemption.scope.as_deref().unwrap_or("*");
    let kept = Kept {
        function: function.clone(),
        account: place.account.clone(),
        sort: format!("{UNDO}{}#{subject}#{record}#{scope}", place.region),
        subject: Some(exemption.subject.clone()),
        region: Some(exemption.region.clone()),
        scope: exemption.scope.clone(),
        reason: Some(exemption.reason.clone()),
        owner: Some(exemption.owner.clone()),
        ends: Some(exemption.expires.to_string()),
        added_by: Some(undo.by.clone()),
        added: Some(clock::now().to_string()),
    };
    let mut item = kept.to_item(exemption.expires);
    item.insert("record".to_owned(), AttributeValue::S(undo.record.clone()));
    item
}

/// Writes an item over its version that was read, or where there is none.
fn put(journal: &Journal, item: Item, prior: Option<u64>) -> Result<TransactWriteItem, Error> {
    let put = Put::builder().table_name(&journal.table).set_item(Some(item));
    built(match prior {
        None => put.condition_expression("attribute_not_exists(pk)"),
        Some(version) => put
            .condition_expression("version = :version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string())),
    })
}

fn built(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> Result<TransactWriteItem, Error> {
    let put = put
        .build()
        .map_err(|_| Error::Unexpected { call: "dynamodb:TransactWriteItems", missing: "an item" })?;
    Ok(TransactWriteItem::builder().put(put).build())
}

impl Open<'_> {
    /// Waits for a call and shows meanwhile that somebody is at it.
    pub(super) async fn hold<T>(&mut self, call: impl Future<Output = T>) -> Result<T, Failure> {
        let mut call = std::pin::pin!(call);
        loop {
            tokio::select! {
                done = &mut call => return Ok(done),
                () = tokio::time::sleep(SIGN_OF_LIFE) => self.save().await?,
            }
        }
    }

    /// Writes how it ended.
    pub(super) async fn close(&mut self) -> Result<(), Failure> {
        self.save().await
    }

    async fn save(&mut self) -> Result<(), Failure> {
        let prior = self.version;
        self.version += 1;
        let put =
            self.journal.client.put_item().table_name(&self.journal.table).set_item(Some(self.to_item()));
        let put = put
            .condition_expression("version = :version")
            .expression_attribute_values(":version", AttributeValue::N(prior.to_string()));
        put.send().await.map(drop).map_err(|error| {
            let error = aws("dynamodb:PutItem", error);
            Failure::Partial(format!(
                "the undo of {} was begun and its end is not on record: {error}. The same command goes on",
                plain(&self.undo.record)
            ))
        })
    }

    /// One that is closed is nobody's.
    fn to_item(&self) -> Item {
        let now = clock::now();
        let held = if self.undo.finished.is_some() || !self.undo.changes.is_empty() {
            now
        } else {
            now.checked_add(LEASE).unwrap_or(now)
        };
        let mut item = self.item.clone();
        item.insert("version".to_owned(), AttributeValue::N(self.version.to_string()));
        item.insert("lease".to_owned(), AttributeValue::S(held.to_string()));
        let body = serde_json::to_string(&self.undo).unwrap_or_default();
        item.insert("body".to_owned(), AttributeValue::S(body));
        item
    }
}
