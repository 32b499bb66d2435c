//! The command `torture`: every call of every function goes wrong in every way, and thousands of events arrive in a minute.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use drill::tools::Tools;
use drill::torture::cell::Then;
use drill::torture::fault::Column;
use drill::torture::flood::{self, Size};
use drill::torture::matrix::{self, Order};

/// Shows what the functions do when everything goes wrong.
///
/// Nothing leaves this machine: AWS is simulated, the functions are the binaries that ship.
#[derive(Debug, Parser)]
#[command(name = "torture")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Breaks every call of every function in every way, and delivers the event again as Lambda would.
    Matrix(Matrix),
    /// Sends thousands of events to revoke-open-ingress: half of them noise, a tenth duplicates.
    Flood(Flood),
}

#[derive(Args, Debug)]
struct Matrix {
    /// Only this function; may be given again.
    #[arg(long, value_name = "NAME")]
    function: Vec<String>,
    /// Only this column, such as `no answer`; may be given again.
    #[arg(long, value_name = "NAME")]
    column: Vec<String>,
    /// Let the sweep finish what the event began, in place of Lambda's retries.
    #[arg(long)]
    sweep: bool,
    /// Print the matrix as Markdown.
    #[arg(long)]
    markdown: bool,
    /// Say how each delivery ended, of all cells that were not contained at once.
    #[arg(long)]
    explain: bool,
    /// How many cells are played side by side.
    #[arg(long, value_name = "N", default_value_t = 6)]
    workers: usize,
}

#[derive(Args, Debug)]
struct Flood {
    /// How many events.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    events: usize,
    /// Within how many seconds they arrive.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u64,
    /// How many processes answer them, as `reserved_concurrency` allows.
    #[arg(long, value_name = "N", default_value_t = 8)]
    processes: usize,
    /// How many records may begin a change in an hour. Default: three of ten events.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let ended = match Arguments::parse().what {
        What::Matrix(arguments) => matrix(arguments).await,
        What::Flood(arguments) => flood(arguments).await,
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "torture: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn matrix(arguments: Matrix) -> Result<bool> {
    let tools = Tools::find()?;
    let is = |names: &[String], name: &str| names.is_empty() || names.iter().any(|one| one == name);
    let mut functions = tools.functions()?;
    functions.retain(|function| is(&arguments.function, function));
    let mut columns = Column::ALL.to_vec();
    columns.retain(|column| is(&arguments.column, column.name()));
    let order = Order {
        functions,
        columns,
        then: if arguments.sweep { Then::Sweep } else { Then::Again },
        workers: arguments.workers,
        wanted: |_, _| true,
        played: |played, of| {
            if played % 20 == 0 || played == of {
                let _ = writeln!(std::io::stderr(), "{played} of {of} cells");
            }
        },
    };
    let matrix = matrix::play(&tools, &order).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", if arguments.markdown { matrix.markdown() } else { matrix.text() })?;
    if arguments.explain {
        matrix.notable().iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    matrix.failures().iter().try_for_each(|line| writeln!(out, "FAIL {line}"))?;
    writeln!(out, "{}", matrix.summary())?;
    Ok(matrix.failures().is_empty())
}

async fn flood(arguments: Flood) -> Result<bool> {
    let size = Size {
        events: arguments.events,
        within: Duration::from_secs(arguments.seconds),
        processes: arguments.processes,
        limit: arguments.limit.unwrap_or(arguments.events * 3 / 10),
    };
    let flooded = flood::play(&Tools::find()?, size).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{flooded}")?;
    Ok(flooded.broken.is_empty())
}
