//! A process whose clock is wrong, as it never is on Lambda: by four minutes, which AWS's signatures still let pass. With
//! libfaketime, which only the function's process is given; where the machine has none, `scripts/test` says so and nothing is tried.

#![cfg(test)]

#[path = "functions.rs"]
mod functions;

use std::path::{Path, PathBuf};
use std::time::Duration;

use drill::account::Account;
use drill::fault::{At, Fault, Kind};
use drill::function::Function;
use drill::proxy::Proxy;
use drill::running::{Running, outcomes};
use drill::scenario;
use drill::tools::Tools;
use functions::for_every_function;
use futures_util::future::join;
use serde_json::json;

for_every_function!(
    a_clock_that_jumps_in_the_middle_of_a_run_loses_nothing,
    whoever_takes_over_from_a_clock_that_is_behind_ends_the_same_record,
);

/// Debian's package `faketime` has it.
fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().filter_map(Result::ok);
    folders.map(|one| one.path().join("faketime/libfaketime.so.1")).find(|file| file.exists())
}

/// A process with a clock of its own, which goes as a file says.
struct Wrong {
    function: Function,
    clock: PathBuf,
    _folder: tempfile::TempDir,
}

impl Wrong {
    async fn start(tools: &Tools, running: &Running<'_>, library: &Path, by: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = folder.path().join("clock");
        std::fs::write(&clock, by).unwrap();
        let mut start = running.stage.deployment.start(tools, &running.proxy.url()).unwrap();
        let faked = [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        start.environment.extend(faked.map(|(name, value)| (name.to_owned(), value)));
        let function = Function::start(start, running.stage.account).await.unwrap();
        Self { function, clock, _folder: folder }
    }
}

/// Each call that contains is held once for three seconds and not carried out; the SDK then makes it again.
fn held(running: &Running<'_>) -> Vec<Fault> {
    let contain = running.stage.deployment.manifest.contained_by.iter();
    contain.map(|call| Fault { at: At::Operation(call.clone()), kind: Kind::Hang, times: 1 }).collect()
}

async fn until_held(proxy: &Proxy) {
    for _ in 0..2000 {
        if proxy.calls().iter().any(|call| call.fault == Some(Kind::Hang)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no call was held: {:#?}", proxy.calls());
}

fn contained(running: &Running<'_>) -> usize {
    running.stage.deployment.manifest.contained_by.iter().map(|call| running.count(call)).sum()
}

/// The subject's only record, and how a process says that it ended.
async fn ends(running: &Running<'_>, said: &[&str], messages: usize) {
    assert!(said.iter().all(|one| ["contained", "already-safe"].contains(one)), "{said:?}");
    assert_eq!(running.records().await.unwrap(), json!(["contained"]));
    assert_eq!(running.messages().await.unwrap().len(), messages);
}

async fn a_clock_that_jumps_in_the_middle_of_a_run_loses_nothing(function: &'static str) {
    let Some(library) = library() else { return };
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let model = scenario::model(&tools.scenarios(), function).unwrap();
    for by in ["-4m", "+4m"] {
        let running = Running::on_stage(&tools, &account, &model).await.unwrap();
        let wrong = Wrong::start(&tools, &running, &library, "+0").await;
        running.proxy.set_faults(held(&running));
        let jump = async {
            until_held(&running.proxy).await;
            std::fs::write(&wrong.clock, by).unwrap();
        };
        let (ended, ()) = join(wrong.function.invoke(&running.stage.event), jump).await;
        let ended = ended.unwrap();
        assert!(ended.error.is_none(), "{by}: {:#?}", ended.log);
        ends(&running, &outcomes(&ended), 1).await;
        let done = contained(&running);
        // By the right clock it is over: nothing is begun again.
        let again = running.deliver().await.unwrap();
        assert_eq!(outcomes(&again), ["already-safe"], "{by}: {:#?}", again.log);
        assert_eq!(contained(&running), done, "{by}");
        wrong.function.stop(&account).await.unwrap();
        running.stop().await.unwrap();
    }
}

async fn whoever_takes_over_from_a_clock_that_is_behind_ends_the_same_record(function: &'static str) {
    let Some(library) = library() else { return };
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    let model = scenario::model(&tools.scenarios(), function).unwrap();
    let running = Running::on_stage(&tools, &account, &model).await.unwrap();
    let wrong = Wrong::start(&tools, &running, &library, "-4m").await;
    running.proxy.set_faults(held(&running));
    // What it holds for 90 seconds has ended for everybody else.
    let other = async {
        until_held(&running.proxy).await;
        running.deliver().await
    };
    let (behind, other) = join(wrong.function.invoke(&running.stage.event), other).await;
    let (behind, other) = (behind.unwrap(), other.unwrap());
    // Who lost its record says so, to people too, and Lambda's retry finds the work done.
    let lost = behind.error.map(|error| error.error_message).unwrap_or_default();
    assert!(lost.is_empty() || lost.contains("was taken over by another run"), "{:#?}", behind.log);
    let again = running.deliver().await.unwrap();
    assert!(
        other.error.is_none() && outcomes(&again) == ["already-safe"],
        "{:#?} {:#?}",
        other.log,
        again.log
    );
    ends(&running, &outcomes(&other), if lost.is_empty() { 1 } else { 2 }).await;
    wrong.function.stop(&account).await.unwrap();
    running.stop().await.unwrap();
}
