//! `tourniquet exempt`: the exemptions of the journal's table.

mod add;
pub(crate) mod kept;
mod list;
mod past;
mod remove;

use crate::aws::Options;
use crate::failure::{Done, Failure};

/// Lists, adds and removes exemptions: what a function leaves alone, why, who answers for it, and until when.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(list::Args),
    Add(add::Args),
    Remove(remove::Args),
}

/// What every command about one exemption asks for.
#[derive(Clone, Debug, clap::Args)]
struct Fields {
    /// The function.
    #[arg(long)]
    function: Option<String>,
    /// The account of the subject: twelve digits.
    #[arg(long)]
    account: Option<String>,
    /// The subjects: an id such as i-0abc, or a glob over ids; `*` and `?` stand for others.
    #[arg(long, value_name = "GLOB")]
    subject: Option<String>,
    /// The regions of the subjects: a glob. Default: every region.
    #[arg(long, value_name = "GLOB")]
    subject_region: Option<String>,
    /// What part of the subject, in the words of the function. Default: all of it.
    #[arg(long)]
    scope: Option<String>,
}

/// Runs the command.
pub async fn run(args: &Args, options: &Options) -> Result<Done, Failure> {
    match &args.command {
        Command::List(args) => list::run(args, options).await,
        Command::Add(args) => add::run(args, options).await,
        Command::Remove(args) => remove::run(args, options).await,
    }
}
