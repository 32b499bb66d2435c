//! Plays the whole catalogue against the shipped binaries: one test for each scenario.
//!
//! The tests are listed from the files, so that `cargo nextest` shows and runs each by its name. A process plays one
//! scenario or many; each has a simulated account of its own.

use std::process::ExitCode;

use anyhow::Result;
use drill::account::Account;
use drill::run::{self, Options};
use drill::scenario::{self, Scenario};
use drill::tools::Tools;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> Result<ExitCode> {
    let arguments = Arguments::from_args();
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let trials =
        scenario::catalogue(&project)?.into_iter().map(|one| Trial::test(name(&one), move || test(&one)));
    Ok(libtest_mimic::run(&arguments, trials.collect()).exit_code())
}

fn name(one: &Scenario) -> String {
    let cases: String = one.cases.iter().flat_map(|case| [case.as_str(), "_"]).collect();
    format!("{}::{cases}{}", one.function, one.name)
}

fn test(one: &Scenario) -> Result<(), Failed> {
    let tools = Tools::find().map_err(|error| failed(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let played = runtime.block_on(async {
        let account = Account::start(&tools).await?;
        Ok::<_, anyhow::Error>(run::play(&tools, &account, one, Options::default()).await)
    });
    let played = played.map_err(|error| failed(&error))?;
    if played.passed {
        return Ok(());
    }
    Err(format!("{}\n\nthe function wrote:\n{}", played.failures.join("\n"), played.log.join("\n")).into())
}

fn failed(error: &anyhow::Error) -> Failed {
    format!("{error:#}").into()
}
