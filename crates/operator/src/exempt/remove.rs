//! `tourniquet exempt remove`.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use tourniquet::clock;
use tourniquet::error::aws;
use tourniquet::exemption::covers;

use super::Fields;
use super::kept::{self, Kept, State, Writer};
use super::past::Past;
use crate::agree::agreed;
use crate::aws::{Aws, Options};
use crate::failure::{Done, Failure};
use crate::journal::Journal;
use crate::out::Out;
use crate::records::time;
use crate::words::plain;

/// Removes an exemption: the function answers these subjects again. Shows first which ones, by the records of the past.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tourniquet exempt remove 3f9a1c02be
  tourniquet exempt remove --function stop-instance --account 111122223333 --subject i-0123456789abcdef0 --yes

An exemption that Terraform wrote is removed in Terraform, which would write it again. One that is not there is no failure where it
is named by its fields, so that a script can run twice.
The credentials need dynamodb:Query, dynamodb:Scan and dynamodb:DeleteItem on the journal's table.")]
pub(super) struct Args {
    /// The id that `exempt list` shows.
    #[arg(conflicts_with = "Fields", required_unless_present = "subject")]
    id: Option<String>,
    #[command(flatten)]
    fields: Fields,
    /// Looks for records of the past since then that it covers.
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = time)]
    since: Timestamp,
    /// Removes it without asking.
    #[arg(long)]
    yes: bool,
    /// Shows what would be answered again and removes nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(args: &Args, options: &Options) -> Result<Done, Failure> {
    let now = clock::now();
    let fields = &args.fields;
    if args.id.is_none() && (fields.function.is_none() || fields.account.is_none()) {
        return Err(Failure::Usage(
            "--subject needs --function and --account; nothing was changed".to_owned(),
        ));
    }
    let journal = Aws::connect(options).await?.journal();
    let all = kept::read(&journal, fields.function.as_ref(), fields.account.as_ref()).await?;
    let found: Vec<&Kept> = match &args.id {
        Some(id) => all.iter().filter(|kept| kept.id() == *id).collect(),
        None => named(&all, fields),
    };
    let kept = match (found.as_slice(), &args.id) {
        ([kept], _) => *kept,
        ([], Some(id)) => {
            let id = plain(id);
            return Err(Failure::Usage(format!("there is no exemption {id}: see `tourniquet exempt list`")));
        }
        ([], None) => {
            anstream::println!("there is no such exemption; nothing was changed");
            return Ok(Done::Well);
        }
        (several, _) => {
            let ids: Vec<String> = several.iter().map(|k| format!("{} ({})", k.id(), k.writer())).collect();
            let ids = ids.join(", ");
            return Err(Failure::Refused(format!(
                "nothing was changed: these are several: {ids}; remove one by its id"
            )));
        }
    };
    if kept.writer() == Writer::Terraform {
        return Err(Failure::Refused(format!(
            "nothing was changed: Terraform wrote {}, and would write it again: take it out of `exemptions` there, and apply",
            kept.id()
        )));
    }
    let mut out = Out::default();
    out.line(&format!("{} of {} in {}:", kept.id(), plain(&kept.function), plain(&kept.account)));
    out.lines(kept.values().map(|(name, text)| format!("  {name}: {}", plain(text))));
    consequences(&journal, kept, &all, args.since, now, &mut out).await?;
    out.end()?;
    if args.dry_run {
        anstream::eprintln!("--dry-run: nothing was changed");
        return Ok(Done::Well);
    }
    agreed("Remove this exemption?", args.yes)?;
    delete(&journal, kept).await?;
    anstream::println!("removed: {}", kept.id());
    Ok(Done::Well)
}

/// Those that the fields name; Terraform's only if there is no other, which can be removed here.
fn named<'a>(all: &'a [Kept], fields: &Fields) -> Vec<&'a Kept> {
    let is_named = |kept: &&Kept| {
        fields.subject.as_deref() == Some(kept.subject())
            && fields.subject_region.as_deref().unwrap_or("*") == kept.region()
            && fields.scope == kept.scope
    };
    let is_ours = |kept: &&Kept| kept.writer() != Writer::Terraform;
    let (ours, terraform): (Vec<_>, Vec<_>) = all.iter().filter(is_named).partition(is_ours);
    if ours.is_empty() { terraform } else { ours }
}

/// Says what is answered again.
async fn consequences(
    journal: &Journal,
    kept: &Kept,
    all: &[Kept],
    since: Timestamp,
    now: Timestamp,
    out: &mut Out,
) -> Result<(), Failure> {
    if !matches!(kept.state(now), State::Valid(_)) {
        out.line("it does not hold: nothing that it names is left alone because of it");
        return Ok(());
    }
    let past = Past::read(journal, kept, since).await?;
    past.show(kept, out);
    let holds = |other: &&Kept| {
        *other != kept
            && other.scope.is_none()
            && matches!(other.state(now), State::Valid(_))
            && (&other.function, &other.account) == (&kept.function, &kept.account)
    };
    let others: Vec<&Kept> = all.iter().filter(holds).collect();
    let mut subjects: Vec<(&str, String)> = Vec::new();
    for (entry, _) in &past.covered {
        let record = &entry.record;
        let other = others.iter().find(|o| covers(o.subject(), o.region(), &record.place, &record.subject));
        let then = other.map_or("is answered again".to_owned(), |o| format!("stays exempt by {}", o.id()));
        if subjects.iter().all(|(subject, _)| *subject != record.subject) {
            subjects.push((&record.subject, then));
        }
    }
    for (subject, then) in subjects {
        out.line(&format!("  {} {then}", plain(subject)));
    }
    Ok(())
}

async fn delete(journal: &Journal, kept: &Kept) -> Result<(), Failure> {
    let mut delete = journal
        .client
        .delete_item()
        .table_name(&journal.table)
        .set_key(Some(kept.key()))
        .condition_expression("attribute_exists(pk)");
    // What was shown is what goes.
    if let Some(ends) = &kept.ends {
        delete = delete
            .condition_expression("ends = :ends")
            .expression_attribute_values(":ends", AttributeValue::S(ends.clone()));
    }
    match delete.send().await {
        Ok(_) => Ok(()),
        Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
            Err(Failure::Refused(format!(
                "nothing was changed: somebody else has just removed or replaced the exemption {}; look again",
                kept.id()
            )))
        }
        Err(e) => Err(aws("dynamodb:DeleteItem", e).into()),
    }
}
