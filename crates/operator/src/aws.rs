//! The operator's own access to AWS: the whole chain of credentials that the AWS command line knows, and a role in other
//! accounts where one is named.

use std::time::Duration;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use tourniquet::Place;
use tourniquet::accounts::assume;
use tourniquet::error::aws;
use tourniquet::sdk::Sdk;
use tourniquet::settings::Trust;

use crate::failure::Failure;
use crate::journal::Journal;

/// The options that every command understands.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "AWS")]
pub struct Options {
    /// Profile of the AWS configuration files.
    #[arg(long, global = true, env = "AWS_PROFILE")]
    profile: Option<String>,
    /// Region of the functions and of their journal. Default: the profile's.
    #[arg(long, global = true)]
    region: Option<String>,
    /// Name of the role to assume where a resource is in another account than the journal. Default: none, the credentials
    /// have to reach there by themselves.
    #[arg(long, global = true, value_name = "NAME")]
    member_role: Option<String>,
    /// Name of the journal's table.
    #[arg(
        long,
        global = true,
        value_name = "TABLE",
        default_value = "tourniquet-journal",
        env = "TOURNIQUET_JOURNAL"
    )]
    journal_table: String,
}

/// AWS, as the operator reaches it.
#[derive(Debug)]
pub struct Aws {
    sdk: Sdk,
    own: SharedCredentialsProvider,
    /// Where the functions and the journal are.
    pub home: Place,
    /// Who asks: the ARN of the caller.
    pub caller: String,
    member_role: Option<String>,
    table: String,
}

impl Aws {
    /// Finds credentials, region and account; AWS is asked who the caller is.
    pub async fn connect(options: &Options) -> Result<Self, Failure> {
        // An operator's machine may stand behind a proxy that inspects TLS.
        let sdk = Sdk::new(options.region.as_deref().unwrap_or("us-east-1"), Trust::System)?;
        let mut loader = aws_config::defaults(Sdk::behavior()).http_client(sdk.http_client());
        if let Some(profile) = &options.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &options.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let found = loader.load().await;
        let region = found.region().map(ToString::to_string).ok_or_else(|| {
            Failure::Usage("no region: name one with --region, AWS_REGION or the profile".to_owned())
        })?;
        let own = found.credentials_provider().ok_or_else(|| {
            Failure::Usage("no AWS credentials: set AWS_PROFILE, or sign in with `aws sso login`".to_owned())
        })?;
        let sts = aws_sdk_sts::Client::new(&sdk.config(&region, own.clone()));
        let who = sts.get_caller_identity().send().await.map_err(|e| aws("sts:GetCallerIdentity", e))?;
        Ok(Self {
            home: Place::new(who.account().unwrap_or_default(), region),
            caller: who.arn().unwrap_or_default().to_owned(),
            member_role: options.member_role.clone(),
            table: options.journal_table.clone(),
            sdk,
            own,
        })
    }

    /// The configuration of clients in the functions' own account and region.
    #[must_use]
    pub fn config(&self) -> SdkConfig {
        patient(&self.sdk.config(&self.home.region, self.own.clone()))
    }

    /// The configuration of clients for a place: another account is reached by the role that the operator named.
    pub async fn at(&self, place: &Place) -> Result<SdkConfig, Failure> {
        let credentials = match &self.member_role {
            Some(role) if place.account != self.home.account => {
                let sts = aws_sdk_sts::Client::new(&self.config());
                assume(sts, place.role_arn(role), "tourniquet-operator").await?
            }
            None if place.account != self.home.account => {
                return Err(Failure::Usage(format!(
                    "{place} is another account than that of the credentials, {}: name a role to assume there with --member-role",
                    self.home.account
                )));
            }
            _ => self.own.clone(),
        };
        Ok(patient(&self.sdk.config(&place.region, credentials)))
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> Journal {
        Journal::new(aws_sdk_dynamodb::Client::new(&self.config()), self.table.clone())
    }
}

/// A function gives up on a call within seconds, to contain in another way. A human waits: a page of the journal is a megabyte, and
/// the line may be slow.
fn patient(config: &SdkConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(10))
        .operation_attempt_timeout(Duration::from_mins(1))
        .operation_timeout(Duration::from_mins(3))
        .build();
    config.to_builder().timeout_config(timeouts).build()
}
