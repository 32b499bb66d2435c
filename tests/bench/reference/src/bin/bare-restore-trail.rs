//! Starts the trail that an event names: one call.

use bench_reference::{config, serve, text};
use lambda_runtime::Error;
use serde_json::Value;

fn main() -> Result<(), Error> {
    let cloudtrail = aws_sdk_cloudtrail::Client::new(&config()?);
    serve(|event| {
        let call = cloudtrail.start_logging();
        async move {
            call.name(text(&event, "/detail/requestParameters/name")?).send().await?;
            Ok(Value::Null)
        }
    })
}
