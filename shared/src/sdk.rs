//! The one place that configures SDK clients: TLS, roots, retries, timeouts, endpoint.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{HttpClient, SharedHttpClient};
use aws_smithy_runtime_api::shared::IntoShared;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::error::Error;
use crate::place::partition;
use crate::settings::Trust;

/// Amazon Trust Services' roots, <https://www.amazontrust.com/repository/>. Loading these five instead of the system's
/// 140 saves about 4 CPU milliseconds of every cold start, and nobody else's authority can vouch for AWS.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-trust.pem");

/// First wait before a retry; the SDK doubles it and adds jitter. The SDK's own first second is as long as the whole
/// time that containment should take.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LAST_BACKOFF: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 5;

/// The configuration of clients that reach nothing but `http`, in the name of nobody: for tests of the requests that leave a
/// function. Retries and timeouts are those of [`Sdk::config`].
#[must_use]
pub fn offline(http: impl HttpClient + 'static, region: &str, endpoint: Option<&str>) -> SdkConfig {
    let sdk = Sdk { http: http.into_shared(), endpoint: endpoint.map(str::to_owned) };
    let nobody = Credentials::new("AKID", "SECRET", None, None, "nobody");
    sdk.config(region, SharedCredentialsProvider::new(nobody))
}

/// What all clients of the process share.
#[derive(Clone, Debug)]
pub struct Sdk {
    http: SharedHttpClient,
    endpoint: Option<String>,
}

impl Sdk {
    /// The connection pool and the TLS context, built once for each process.
    pub fn new(region: &str, trust: Trust) -> Result<Self, Error> {
        // China's and the isolated partitions' endpoints are signed by other authorities.
        let pinned = trust == Trust::Amazon && matches!(partition(region), "aws" | "aws-us-gov");
        let store = if pinned {
            TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)
        } else {
            TrustStore::empty().with_native_roots(true)
        };
        let context = TlsContext::builder()
            .with_trust_store(store)
            .build()
            .map_err(|e| Error::Settings { key: "trust".to_owned(), problem: e.to_string() })?;
        let http = Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context)
            .build_https();
        Ok(Self { http, endpoint: std::env::var("AWS_ENDPOINT_URL").ok().filter(|url| !url.is_empty()) })
    }

    /// The SDK's defaults that the project was tested with.
    #[must_use]
    pub fn behavior() -> BehaviorVersion {
        BehaviorVersion::v2026_01_12()
    }

    /// What makes the connections, for whoever configures a client of another kind.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        self.http.clone()
    }

    /// The configuration of all clients for one region and one set of credentials.
    #[must_use]
    pub fn config(&self, region: &str, credentials: SharedCredentialsProvider) -> SdkConfig {
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(FIRST_BACKOFF)
            .with_max_backoff(LAST_BACKOFF);
        self.builder(region).credentials_provider(credentials).retry_config(retries).build()
    }

    /// The configuration of clients that only open connections, which all clients share: in the name of nobody, and asking once.
    #[must_use]
    pub fn unsigned(&self, region: &str) -> SdkConfig {
        self.builder(region).retry_config(RetryConfig::disabled()).build()
    }

    #[expect(clippy::disallowed_methods, reason = "this module configures the clients")]
    fn builder(&self, region: &str) -> aws_types::sdk_config::Builder {
        let mut builder = SdkConfig::builder()
            .behavior_version(Self::behavior())
            .region(Region::new(region.to_owned()))
            .http_client(self.http.clone())
            .sleep_impl(TokioSleep::new())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(2))
                    .operation_attempt_timeout(Duration::from_secs(3))
                    .operation_timeout(Duration::from_secs(12))
                    .build(),
            );
        builder.set_endpoint_url(self.endpoint.clone());
        builder.set_service_config(Some(OfService));
        builder.set_app_name(AppName::new("tourniquet").ok());
        builder
    }
}

/// An endpoint for one service alone, by AWS's own variables, such as `AWS_ENDPOINT_URL_DYNAMODB`: it goes before
/// `AWS_ENDPOINT_URL`.
#[derive(Debug)]
struct OfService;

impl LoadServiceConfig for OfService {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_ascii_uppercase().replace([' ', '-'], "_");
        std::env::var(format!("{}_{service}", key.env())).ok().filter(|value| !value.is_empty())
    }
}

/// The credentials that Lambda puts into the environment of the function.
pub fn environment() -> Result<SharedCredentialsProvider, Error> {
    let read = |key: &str| {
        std::env::var(key).map_err(|e| Error::Settings { key: key.to_owned(), problem: e.to_string() })
    };
    let credentials = Credentials::new(
        read("AWS_ACCESS_KEY_ID")?,
        read("AWS_SECRET_ACCESS_KEY")?,
        std::env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "LambdaEnvironment",
    );
    Ok(SharedCredentialsProvider::new(credentials))
}
