//! `tourniquet history`: the records of the journal.

mod one;

use std::collections::BTreeMap;

use crate::aws::{Aws, Options};
use crate::failure::{Done, Failure};
use crate::journal::Journal;
use crate::out::Out;
use crate::records::{self, Entry, Filter, Id};
use crate::table::Table;
use crate::words::{outcome_style, plain};

/// How many records a table shows unless it is asked for more.
const SHOWN: usize = 50;

/// Shows what the functions did, or would have done: the records of the journal, by time, function, account, subject,
/// actor and outcome; or one record in full.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tourniquet history --since 7d --outcome partial --outcome failed
  tourniquet history --function stop-instance --subject 'i-0abc*'
  tourniquet history --since 2026-11-01 --json | jq -r 'select(.contained_ms > 1000) | .id'
  tourniquet history stop-instance/111122223333/eu-central-1/i-0abc/ca978112ca-0001

With --json each line is one record: what the journal holds of it, its `id`, and its `undo` if somebody took it back. Without
--limit the lines come in the order of the table, subject after subject; `started` tells the time.

A filter that names --function, --account, --subject-region and --subject without wildcards asks for one subject; any other
reads the whole table, which DynamoDB charges for by its size.")]
pub struct Args {
    /// Shows this record in full: its plan with what was there before, its notes and times.
    #[arg(value_name = "RECORD-ID", conflicts_with_all = ["Filter", "limit", "ids"])]
    record: Option<Id>,
    #[command(flatten)]
    filter: Filter,
    /// Only the newest N. Default: 50 for a table, all of them with --json; 0 is all.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Shows the ids of the records instead of function, place and subject.
    #[arg(long)]
    ids: bool,
    /// Prints JSON, one record a line.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(args: &Args, options: &Options) -> Result<Done, Failure> {
    args.filter.check()?;
    let journal = Aws::connect(options).await?.journal();
    if let Some(id) = &args.record {
        return one(&journal, id, args.json).await;
    }
    let mut out = Out::default();
    let unreadable = if args.json && args.limit.unwrap_or_default() == 0 {
        records::each(&journal, &args.filter, |entry| out.line(&json(&entry))).await?
    } else {
        let limit = args.limit.unwrap_or(SHOWN);
        let (newest, all, unreadable) = newest(&journal, &args.filter, limit).await?;
        if args.json {
            out.lines(newest.iter().map(json));
        } else {
            if all > 0 {
                out.lines(table(&newest, args.ids).lines());
            }
            out.line(&summary(&newest, all));
        }
        unreadable
    };
    out.end()?;
    for problem in &unreadable {
        anstream::eprintln!("not shown: {}", plain(problem));
    }
    Ok(if unreadable.is_empty() { Done::Well } else { Done::Findings })
}

async fn one(journal: &Journal, id: &Id, as_json: bool) -> Result<Done, Failure> {
    let entry = records::find(journal, id).await?.ok_or_else(|| {
        Failure::Usage(format!(
            "there is no record {} in the table {}: see `tourniquet history --ids`; records are kept for as many days as the \
             functions' `record_days` says",
            plain(&id.to_string()),
            journal.table
        ))
    })?;
    let mut out = Out::default();
    if as_json {
        out.line(&json(&entry));
    } else {
        out.lines(one::lines(&entry));
    }
    out.end()?;
    Ok(Done::Well)
}

/// The newest records, the oldest of them first; how many there are in all; and what cannot be read.
async fn newest(
    journal: &Journal,
    filter: &Filter,
    limit: usize,
) -> Result<(Vec<Entry>, usize, Vec<String>), Failure> {
    let mut newest = BTreeMap::new();
    let mut all = 0;
    let unreadable = records::each(journal, filter, |entry| {
        all += 1;
        newest.insert((entry.record.started, entry.id.clone()), entry);
        if limit > 0 && newest.len() > limit {
            newest.pop_first();
        }
    })
    .await?;
    Ok((newest.into_values().collect(), all, unreadable))
}

fn json(entry: &Entry) -> String {
    serde_json::to_string(entry).unwrap_or_default()
}

fn table(entries: &[Entry], ids: bool) -> Table {
    let what: &[&str] = if ids { &["record"] } else { &["function", "account/region", "subject"] };
    let header = [&["started (utc)", "outcome"], what, &["after", "actor", "why"]].concat();
    let mut table = Table::new(&header);
    for entry in entries {
        let record = &entry.record;
        let started = record.started.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let after = record.contained_ms.map(|ms| format!("{ms} ms")).unwrap_or_default();
        let (place, actor) = (record.place.to_string(), record.actor.to_string());
        let what: Vec<&str> =
            if ids { vec![&entry.id] } else { vec![&record.function, &place, &record.subject] };
        let cells =
            [vec![started.as_str(), entry.outcome()], what, vec![&after, &actor, &record.why]].concat();
        table.row(&cells, entry.outcome(), outcome_style(entry.outcome(), record.outcome));
    }
    table
}

fn summary(shown: &[Entry], all: usize) -> String {
    let (Some(first), Some(last)) = (shown.first(), shown.last()) else {
        return "no records".to_owned();
    };
    let records = if all == 1 { "record" } else { "records" };
    let period = format!("{} to {}", first.record.started, last.record.started);
    match all - shown.len() {
        0 => format!("{all} {records}, {period}"),
        older => format!(
            "the newest {} of {all} {records}, {period}; {older} older ones are left out: --limit 0 shows all",
            shown.len()
        ),
    }
}
