//! What the reference functions share: the start of a Lambda function, and the SDK's configuration as a careful programmer writes
//! it: rustls on ring, clients at the start, nothing else.

use std::env;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

/// Runs one asynchronous function for each event, on one thread.
pub fn serve<F>(work: impl Fn(Value) -> F) -> Result<(), Error>
where
    F: Future<Output = Result<Value, Error>>,
{
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| work(event.payload))))
}

/// The configuration of a client.
#[expect(
    clippy::disallowed_methods,
    reason = "not a function of the project: what one without its pipeline does"
)]
pub fn config() -> Result<SdkConfig, Error> {
    let credentials = Credentials::new(
        env::var("AWS_ACCESS_KEY_ID")?,
        env::var("AWS_SECRET_ACCESS_KEY")?,
        env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    );
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(env::var("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http)
        .sleep_impl(TokioSleep::new());
    builder.set_endpoint_url(env::var("AWS_ENDPOINT_URL").ok());
    Ok(builder.build())
}

/// A text of the event, by JSON pointer.
pub fn text(event: &Value, pointer: &str) -> Result<String, Error> {
    let found = event.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| format!("the event has no {pointer}").into())
}
