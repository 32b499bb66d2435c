//! The process: one thread, one configuration, one engine, and Lambda's loop.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::value::RawValue;
use tracing::Level;

use crate::clock;
use crate::engine::{Answer, Engine, Invocation};
use crate::error::Error;
use crate::room::Room;
use crate::settings::Config;

/// Runs a room as a Lambda function until Lambda ends the process.
#[must_use]
pub fn serve<R: Room>() -> ExitCode {
    log();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no runtime");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(loop_on::<R>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Lambda runtime ended");
            ExitCode::FAILURE
        }
    }
}

async fn loop_on<R: Room>() -> Result<(), lambda_runtime::Error> {
    // A function that cannot start answers each event with the reason. Ending the process would leave the operator
    // with `Runtime.ExitError`, and the dead-letter queue with an event that nobody can explain.
    let engine = Arc::new(start::<R>());
    match engine.as_ref() {
        Ok(engine) => engine.warm().await,
        Err(error) => tracing::error!(%error, "the function cannot start"),
    }
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let engine = Arc::clone(&engine);
        async move { answer(engine.as_ref(), &event).await }
    }))
    .await
}

fn start<R: Room>() -> Result<Engine<R>, Error> {
    let region = std::env::var("AWS_REGION")
        .map_err(|e| Error::Settings { key: "AWS_REGION".to_owned(), problem: e.to_string() })?;
    Engine::new(Config::from_env()?, &region)
}

async fn answer<R: Room>(
    engine: &Result<Engine<R>, Error>,
    event: &LambdaEvent<Box<RawValue>>,
) -> Result<Answer, Error> {
    let engine = engine.as_ref().map_err(Clone::clone)?;
    let invocation = Invocation {
        id: event.context.request_id.clone(),
        deadline: clock::instant_of(event.context.deadline()),
    };
    Box::pin(engine.handle(event.payload.get(), &invocation)).await
}

/// JSON lines, as Lambda's JSON log format wants them. Never below INFO: further down, the runtime logs whole events
/// and the SDK whole requests.
fn log() {
    let level = match std::env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default().to_ascii_uppercase().as_str()
    {
        "WARN" => Level::WARN,
        "ERROR" | "FATAL" => Level::ERROR,
        _ => Level::INFO,
    };
    tracing_subscriber::fmt().json().flatten_event(true).with_max_level(level).with_ansi(false).init();
}
