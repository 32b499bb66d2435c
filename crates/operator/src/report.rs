//! `tourniquet report`: a period of the journal as one page that asks nothing of anybody, for a phone, a screen or paper.

pub mod exemptions;
pub mod kind;
pub mod needs;
pub mod page;
pub mod picture;
pub mod speed;
pub mod summary;

use std::io::Write;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use summary::{Period, Summary};
use tourniquet::clock;

use crate::aws::{Aws, Options};
use crate::exempt::kept;
use crate::failure::{Done, Failure};
use crate::records::{self, Filter};

/// What is reported where no `--since` is given.
const DEFAULT_PERIOD: SignedDuration = SignedDuration::from_hours(30 * 24);
const DEFAULT_FILE: &str = "tourniquet-report.html";

/// Writes a page about a period: what was contained and how fast, by function and actor, what waits for a human,
/// exemptions about to end.
///
/// The page is one file without a request to anywhere. It holds names of resources and people of your accounts: share it as
/// you would share those.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tourniquet report
  tourniquet report --since 2026-11-01 --before 2026-12-01 --output november.html
  tourniquet report --since 7d --function stop-instance --json | jq .needs_human")]
pub struct Args {
    #[command(flatten)]
    filter: Filter,
    /// Where the page goes; `-` is standard output. Default: tourniquet-report.html, and standard output with --json.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The same numbers as one JSON document instead of the page.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(args: &Args, options: &Options) -> Result<Done, Failure> {
    let made = clock::now();
    let (filter, period) = period(&args.filter, made)?;
    let aws = Aws::connect(options).await?;
    let journal = aws.journal();
    let entries = records::read(&journal, &filter).await?;
    let exemptions = kept::read(&journal, filter.function.as_ref(), filter.account.as_ref()).await?;
    let exemptions = exemptions::Exemptions::of(exemptions, &period);
    let summary = Summary::of(&entries, exemptions, &aws.home, period);
    let text = if args.json {
        serde_json::to_string_pretty(&summary).map_err(|e| Failure::Failed(e.to_string()))? + "\n"
    } else {
        page::page(&summary, &entries, &filter).into_string()
    };
    let default = if args.json { "-" } else { DEFAULT_FILE };
    write(&args.output.clone().unwrap_or_else(|| default.into()), &text)?;
    anstream::eprintln!("{}", said(&summary));
    Ok(Done::Well)
}

/// The filter with both ends of the period in it.
fn period(asked: &Filter, made: Timestamp) -> Result<(Filter, Period), Failure> {
    asked.check()?;
    let before = asked.before.unwrap_or(made);
    let since = asked.since.unwrap_or_else(|| before.checked_sub(DEFAULT_PERIOD).unwrap_or(Timestamp::MIN));
    if since >= before {
        return Err(Failure::Usage(format!(
            "the period ends at {before}, before it begins at {since}: see --since and --before"
        )));
    }
    let filter = Filter { since: Some(since), before: Some(before), ..asked.clone() };
    Ok((filter, Period { since, before, made }))
}

fn write(file: &PathBuf, text: &str) -> Result<(), Failure> {
    if file.as_os_str() == "-" {
        return Ok(std::io::stdout().lock().write_all(text.as_bytes())?);
    }
    std::fs::write(file, text)
        .map_err(|error| Failure::Failed(format!("{} was not written: {error}", file.display())))?;
    anstream::eprintln!("wrote {}", file.display());
    Ok(())
}

fn said(summary: &Summary<'_>) -> String {
    let needs = match summary.needs_human.len() {
        0 => "nothing waits for a human".to_owned(),
        1 => "1 needs a human now".to_owned(),
        more => format!("{more} need a human now"),
    };
    format!("{} records, {} contained; {needs}", summary.all.records, summary.all.count(&["contained"]))
}
