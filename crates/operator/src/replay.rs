//! `tourniquet replay`: recorded events through the same triggers and decisions: what would it have done?
//!
//! ```text
//! files ──▶ bytes ──▶ records ──▶ what a trigger could match ──▶ triggers ──▶ the room's subjects ──▶ counts
//!   walk      inflate    split        sieve                        judge                                tally
//! ```
//!
//! Nothing is collected on the way: memory does not grow with the input.

pub mod bucket;
pub mod html;
pub mod json;
pub mod judge;
pub mod progress;
pub mod run;
pub mod sieve;
pub mod source;
pub mod split;
pub mod table;
pub mod tally;

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;
use tourniquet::clock;

use self::bucket::Bucket;
use self::judge::{Judge, Period};
use self::progress::Progress;
use self::source::Named;
use crate::aws::{Aws, Options};
use crate::failure::{Done, Failure};
use crate::{functions, records, rooms};

/// Says what the functions would have done about recorded events: nothing is asked of AWS but to read them, nothing is changed.
///
/// Each event is matched with the triggers and read by the function as if it had just arrived. Then the function would act (the
/// event alone proves it), would look (what is there now decides), would ignore it (and why), or would fail.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Paths are files, folders and s3:// prefixes of CloudTrail's log files, EventBridge events and GuardDuty findings, as JSON lines, lists or \
single events, compressed by gzip or not; - is standard input. The exit code is 5 if a file was damaged: what could be read of \
it was read.

Not part of the answer: exemptions and the change limit (the journal is not asked), and sweeps.

Examples:
  tourniquet replay s3://my-trail/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/ --html november.html
  tourniquet replay logs/ --since 90d --function revoke-open-ingress
  tourniquet replay events.jsonl --json | jq '.functions[] | .counts'")]
pub struct Args {
    /// Files, folders, s3:// prefixes; `-` is standard input.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// Only this function. May be given again.
    #[arg(long, value_name = "NAME")]
    function: Vec<String>,
    /// Only events at or after this time: 2026-11-01, 2026-11-01T12:00:00Z, or an age such as 90d or 12h.
    #[arg(long, value_name = "TIME", value_parser = records::time)]
    since: Option<Timestamp>,
    /// Only events before this time.
    #[arg(long, value_name = "TIME", value_parser = records::time)]
    before: Option<Timestamp>,
    /// A JSON object with the configuration of each function by its name. Default: all settings at their defaults.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Writes a page with a timeline and filters: one file, to be opened from a mail.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(args: &Args, options: &Options) -> Result<Done, Failure> {
    let rooms = rooms::chosen(&args.function)?;
    let config = args.config.as_deref().map(functions::configurations).transpose()?.unwrap_or_default();
    let functions = functions::all(|name| config.get(name).map(Value::to_string))?;
    let judge = Judge::new(&rooms, functions, Period { since: args.since, before: args.before })?;
    let named: Vec<Named> = args.paths.iter().map(|path| Named::of(path)).collect();
    for path in named.iter().filter_map(|named| if let Named::Path(path) = named { Some(path) } else { None })
    {
        let found = std::fs::metadata(path);
        found.map_err(|e| Failure::Usage(format!("{} cannot be read: {e}", path.display())))?;
    }
    let bucket = if named.iter().any(|named| matches!(named, Named::Prefix { .. })) {
        Some(Bucket::new(&Aws::connect(options).await?.config()))
    } else {
        None
    };
    let work = move || run::run(&named, &judge, bucket.as_ref(), &Progress::new());
    let outcome = tokio::task::spawn_blocking(work).await.map_err(|e| Failure::Failed(e.to_string()))??;
    let functions: Vec<&'static str> = rooms.iter().map(|room| room.name).collect();
    if let Some(path) = &args.html {
        let page = html::document(&outcome, &functions, clock::now());
        std::fs::write(path, page)
            .map_err(|e| Failure::Failed(format!("{} cannot be written: {e}", path.display())))?;
    }
    if args.json {
        let mut out = crate::out::Out::default();
        out.line(&json::document(&outcome, &functions).to_string());
        out.end()?;
    } else {
        table::print(&outcome, &functions)?;
    }
    Ok(if outcome.damaged > 0 { Done::Findings } else { Done::Well })
}
