//! `tourniquet undo`, as a process, against the simulated account.
//!
//! One test for each scenario of the catalogue that contains something: the shipped function acts, undo takes it back, and the
//! account is what it was before, byte for byte; the function then leaves it alone until the exemption ends. Beside them is
//! what an undo refuses, and how it ends when something goes wrong.

// A test without the usual harness is none to clippy.
#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

#[path = "undo/cases.rs"]
mod cases;
#[path = "common/dump.rs"]
mod dump;
#[path = "undo/play.rs"]
mod play;
#[path = "common/process.rs"]
mod process;
#[path = "undo/races.rs"]
mod races;

use std::path::Path;
use std::process::ExitCode;

use drill::scenario::{self, Scenario};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::from_args();
    let mut trials = cases::all();
    trials.extend(races::all());
    let contained = scenario::catalogue(&scenarios())?.into_iter().filter(contains);
    trials.extend(contained.map(|one| {
        let name = format!("law_7_{}::{}", one.function.replace('-', "_"), one.name);
        Trial::test(name, move || run(async { play::round(&one).await }))
    }));
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

fn scenarios() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios")
}

fn contains(one: &Scenario) -> bool {
    ["contained", "partial"].iter().any(|outcome| one.expect.outcome.contains(outcome))
}

/// Runs a test on a runtime of its own.
fn run(test: impl Future<Output = anyhow::Result<()>>) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(test).map_err(|error| format!("{error:#}").into())
}
