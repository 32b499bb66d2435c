//! `tourniquet exempt list`.

use anstyle::{AnsiColor, Style};
use tourniquet::clock;

use super::kept::{self, Kept, State};
use crate::aws::{Aws, Options};
use crate::failure::{Done, Failure};
use crate::out::Out;
use crate::records::Filter;
use crate::table::Table;
use crate::words::plain;

/// Lists the exemptions of the journal's table: those that hold, those that end within 14 days, those that have ended and are
/// still kept, and those that were written wrong and never held. The next to end comes first.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tourniquet exempt list
  tourniquet exempt list --json | jq -r 'select(.state == \"valid\" and .source == \"operator\") | .id'

With --json each line is one exemption. `state` is valid, ended or refused; `source` is terraform, operator, undo or other.
Exemptions in tags of resources and in the settings of a function are not in the table and not listed.")]
pub(super) struct Args {
    /// Only those of this function.
    #[arg(long)]
    function: Option<String>,
    /// Only those in this account.
    #[arg(long)]
    account: Option<String>,
    /// Prints JSON, one exemption a line.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, options: &Options) -> Result<Done, Failure> {
    let (function, account) = (args.function.clone(), args.account.clone());
    Filter { function, account, ..Filter::default() }.check()?;
    let journal = Aws::connect(options).await?.journal();
    let now = clock::now();
    let mut all = kept::read(&journal, args.function.as_ref(), args.account.as_ref()).await?;
    all.sort_by_key(|kept| (kept.state(now).end(), kept.id()));
    let mut out = Out::default();
    if args.json {
        out.lines(all.iter().map(|kept| kept.json(now).to_string()));
    } else if all.is_empty() {
        out.line("no exemptions");
    } else {
        out.lines(table(&all).lines());
    }
    out.end()?;
    let mut refused = false;
    for kept in &all {
        if let State::Refused(problem) = kept.state(now) {
            refused = true;
            anstream::eprintln!("{} does not count: {}", kept.id(), plain(&problem));
        }
    }
    Ok(if refused { Done::Findings } else { Done::Well })
}

fn table(all: &[Kept]) -> Table {
    let now = clock::now();
    let mut table = Table::new(&[
        "id", "state", "ends", "function", "account", "region", "subject", "scope", "source", "owner",
        "reason",
    ]);
    for kept in all {
        let state = kept.state(now);
        let word = state.word(now);
        let style = match word {
            "valid" => AnsiColor::Green.on_default(),
            "ending" => AnsiColor::Yellow.on_default(),
            "refused" => AnsiColor::Red.on_default().bold(),
            _ => Style::new().dimmed(),
        };
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let row = [
            kept.id(),
            word.to_owned(),
            state.told(now),
            kept.function.clone(),
            kept.account.clone(),
            kept.region().to_owned(),
            kept.subject().to_owned(),
            or_none(&kept.scope),
            kept.writer().to_string(),
            or_none(&kept.owner),
            or_none(&kept.reason),
        ];
        table.row(&row.each_ref().map(String::as_str), word, style);
    }
    table
}
