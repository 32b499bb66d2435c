//! The command line.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::failure::{self, Done, Failure};
use crate::{aws, doctor, exempt, explain, history, replay, report, undo};

/// Tourniquet's command: explains, replays, exempts, undoes, reports.
#[derive(Debug, Parser)]
#[command(name = "tourniquet", version, about, after_help = failure::CODES, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    aws: aws::Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    History(history::Args),
    Explain(explain::Args),
    Replay(replay::Args),
    Exempt(exempt::Args),
    Undo(undo::Args),
    Report(report::Args),
    Doctor(doctor::Args),
    /// Prints what a shell needs to complete this command.
    #[command(
        after_help = "Example:\n  tourniquet completions bash > ~/.local/share/bash-completion/completions/tourniquet"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure::end(Err(error.into())),
    };
    failure::end(runtime.block_on(run(cli)))
}

async fn run(cli: Cli) -> Result<Done, Failure> {
    let aws = &cli.aws;
    match cli.command {
        Command::History(args) => history::run(&args, aws).await,
        Command::Explain(args) => explain::run(&args, aws).await,
        Command::Replay(args) => replay::run(&args, aws).await,
        Command::Exempt(args) => exempt::run(&args, aws).await,
        Command::Undo(args) => undo::run(&args, aws).await,
        Command::Report(args) => report::run(&args, aws).await,
        Command::Doctor(args) => doctor::run(&args, aws).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "tourniquet", &mut std::io::stdout());
            Ok(Done::Well)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
