//! The command `drill`: attacks a simulated account and shows what each function did about it.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use drill::account::Account;
use drill::clock;
use drill::hand_over::hand_over;
use drill::page;
use drill::run::{self, Options, Played};
use drill::scenario::{self, Scenario};
use drill::show::Show;
use drill::stages;
use drill::tools::Tools;

/// Attacks a simulated AWS account and shows what Tourniquet's functions do about it.
///
/// Nothing leaves this machine: the account is moto's server, the functions are the binaries that ship.
#[derive(Debug, Parser)]
#[command(name = "drill")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
struct Arguments {
    /// Play this scenario only; may be given again.
    #[arg(long, value_name = "NAME")]
    scenario: Vec<String>,
    /// Play the scenarios of this folder, laid out like tests/scenarios.
    #[arg(long, value_name = "FOLDER")]
    from: Option<PathBuf>,
    /// List the scenarios and play none.
    #[arg(long)]
    list: bool,
    /// Print everything that was seen as JSON.
    #[arg(long)]
    json: bool,
    /// Leave the simulated account running, as the last scenario left it, until Ctrl-C.
    #[arg(long)]
    keep: bool,
    /// Where the page is written.
    #[arg(long, value_name = "PATH", default_value = "drill.html")]
    page: PathBuf,
    /// Add this to the time of every call, as the way to a region does.
    #[arg(long, value_name = "MS", default_value_t = Options::LATENCY_MS)]
    latency: u64,
    /// Play nothing: hand the stage of one scenario over to whoever reads this output, as the module `hand_over` says.
    #[arg(long, requires = "scenario")]
    hand_over: bool,
    /// Play nothing: for each function named on standard input, set the stage of its model scenario and print what is there.
    #[arg(long)]
    stages: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match drill(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            // Standard error may be closed; the exit code says it as well.
            let _ = writeln!(std::io::stderr(), "drill: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn drill(arguments: Arguments) -> Result<ExitCode> {
    let tools = Tools::find()?;
    let folder = arguments.from.clone().unwrap_or_else(|| tools.scenarios());
    let scenarios = chosen(scenario::catalogue(&folder)?, &arguments.scenario)?;
    let show = Show::default();
    if arguments.list {
        show.list(&scenarios)?;
        return Ok(ExitCode::SUCCESS);
    }
    let account = Account::start(&tools).await?;
    if arguments.hand_over {
        let [scenario] = scenarios.as_slice() else { bail!("--hand-over takes one scenario") };
        hand_over(&tools, &account, scenario, Duration::from_millis(arguments.latency)).await?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.stages {
        stages::set(&tools, &account).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let played = play(&tools, &account, &scenarios, &arguments, show).await?;
    if arguments.json {
        show.json(&played)?;
    } else {
        show.table(&played)?;
    }
    let html = page::page(&played, &clock::day()).into_string();
    std::fs::write(&arguments.page, html)
        .with_context(|| format!("cannot write {}", arguments.page.display()))?;
    if !arguments.json {
        show.note(&format!("the page is {}", arguments.page.display()))?;
    }
    if arguments.keep {
        keep(&account, &played)?;
        tokio::signal::ctrl_c().await?;
    }
    Ok(if played.iter().all(|one| one.passed) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The scenarios that were named, by their name alone or with the function's.
fn chosen(all: Vec<Scenario>, names: &[String]) -> Result<Vec<Scenario>> {
    let is = |one: &Scenario, name: &String| {
        one.name == *name || format!("{}/{}", one.function, one.name) == *name
    };
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|one| is(one, name))) {
        bail!("there is no scenario {unknown}; `drill --list` shows them all");
    }
    let wanted = |one: &Scenario| names.is_empty() || names.iter().any(|name| is(one, name));
    Ok(all.into_iter().filter(wanted).collect())
}

async fn play(
    tools: &Tools,
    account: &Account,
    scenarios: &[Scenario],
    arguments: &Arguments,
    show: Show,
) -> Result<Vec<Played>> {
    let options = Options { latency: Duration::from_millis(arguments.latency) };
    let mut all = Vec::with_capacity(scenarios.len());
    for one in scenarios {
        if !arguments.json {
            show.begin(&one.title)?;
        }
        let played = run::play(tools, account, one, options).await;
        if !arguments.json {
            show.end(&played)?;
        }
        all.push(played);
    }
    Ok(all)
}

/// Says how to look at the account with the aws CLI, and where the logs are: one file for each scenario.
fn keep(account: &Account, all: &[Played]) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("drill-").tempdir()?.keep();
    for played in all {
        let file = folder.join(format!("{}-{}.log", played.function, played.name));
        std::fs::write(&file, played.log.join("\n"))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    writeln!(
        std::io::stderr(),
        "\n  The simulated account {} runs until Ctrl-C, as the last scenario left it. In another terminal:\n\n    \
         export AWS_ENDPOINT_URL=http://{} AWS_DEFAULT_REGION={} \\\n      \
         AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY=simulated\n    \
         aws ec2 describe-instances\n    \
         aws dynamodb scan --table-name tourniquet-journal\n\n  What the functions logged is in {}",
        account.id,
        account.address,
        account.region,
        account.administrator,
        folder.display()
    )?;
    Ok(())
}
