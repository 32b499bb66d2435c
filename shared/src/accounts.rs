//! The clients of a room, one set for each account and region, built once and kept for the life of the process.
//!
//! The function's own account is reached with its own role; any other by assuming the function's member role there.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_types::SdkConfig;
use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::clock;
use crate::error::{Error, aws};
use crate::place::Place;
use crate::room::Room;
use crate::sdk::Sdk;
use crate::settings::Config;

/// How long before their end member credentials are renewed.
const RENEW_BEFORE: Duration = Duration::from_mins(2);

/// The clients of a room for every place that its configuration allows.
pub struct Accounts<R: Room> {
    sdk: Sdk,
    own: SharedCredentialsProvider,
    home: Place,
    member_role: String,
    cache: Mutex<HashMap<Place, Arc<R::Clients>>>,
}

impl<R: Room> std::fmt::Debug for Accounts<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").field("home", &self.home).finish_non_exhaustive()
    }
}

impl<R: Room> Accounts<R> {
    /// Builds the clients of the function's own account and region.
    pub fn new(sdk: Sdk, own: SharedCredentialsProvider, region: &str, config: &Config<R::Settings>) -> Self {
        let home = Place::new(&config.account, region);
        let shared = sdk.config(region, own.clone());
        let clients = Arc::new(R::clients(&shared));
        Self {
            sdk,
            own,
            member_role: config.member_role(R::NAME),
            cache: Mutex::new(HashMap::from([(home.clone(), clients)])),
            home,
        }
    }

    /// Where the function itself runs.
    #[must_use]
    pub fn home(&self) -> &Place {
        &self.home
    }

    /// What opens connections at home; see [`Sdk::unsigned`].
    #[must_use]
    pub fn unsigned(&self) -> SdkConfig {
        self.sdk.unsigned(&self.home.region)
    }

    /// The clients for a place. The member role is assumed at the first use, so that a refusal is reported first-hand.
    pub async fn clients(&self, place: &Place) -> Result<Arc<R::Clients>, Error> {
        let mut cache = self.cache.lock().await;
        if let Some(clients) = cache.get(place) {
            return Ok(Arc::clone(clients));
        }
        let credentials = if place.account == self.home.account {
            self.own.clone()
        } else {
            let sts = aws_sdk_sts::Client::new(&self.sdk.config(&self.home.region, self.own.clone()));
            assume(sts, place.role_arn(&self.member_role), R::NAME).await?
        };
        let clients = Arc::new(R::clients(&self.sdk.config(&place.region, credentials)));
        cache.insert(place.clone(), Arc::clone(&clients));
        Ok(clients)
    }
}

/// The credentials of a role, which is assumed at once, so that a refusal is reported first-hand, and again before they end.
pub async fn assume(
    sts: aws_sdk_sts::Client,
    arn: String,
    session: &'static str,
) -> Result<SharedCredentialsProvider, Error> {
    let member = MemberRole { sts, arn, session, current: Arc::default() };
    member.credentials().await?;
    Ok(SharedCredentialsProvider::new(member))
}

/// The credentials of a member role, assumed once and shared by all clients for its place.
#[derive(Clone, Debug)]
struct MemberRole {
    sts: aws_sdk_sts::Client,
    arn: String,
    session: &'static str,
    current: Arc<Mutex<Option<(Credentials, Timestamp)>>>,
}

impl MemberRole {
    async fn credentials(&self) -> Result<Credentials, Error> {
        let mut current = self.current.lock().await;
        if let Some((credentials, renew_at)) = current.as_ref()
            && clock::now() < *renew_at
        {
            return Ok(credentials.clone());
        }
        let answer = self
            .sts
            .assume_role()
            .role_arn(&self.arn)
            .role_session_name(self.session)
            .send()
            .await
            .map_err(|e| with_role(aws("sts:AssumeRole", e), &self.arn))?;
        let issued = answer
            .credentials()
            .ok_or(Error::Unexpected { call: "sts:AssumeRole", missing: "credentials" })?;
        let expires = Timestamp::from_second(issued.expiration().secs()).unwrap_or(Timestamp::UNIX_EPOCH);
        let credentials = Credentials::new(
            issued.access_key_id(),
            issued.secret_access_key(),
            Some(issued.session_token().to_owned()),
            Some(expires.into()),
            "MemberRole",
        );
        *current = Some((credentials.clone(), expires.checked_sub(RENEW_BEFORE).unwrap_or(expires)));
        Ok(credentials)
    }
}

fn with_role(error: Error, arn: &str) -> Error {
    match error {
        Error::Aws { call, code, message, class } => Error::Aws {
            call,
            code,
            message: format!("{message} (role {arn}; is the member part deployed in that account?)"),
            class,
        },
        other => other,
    }
}

impl ProvideCredentials for MemberRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.credentials().await.map_err(CredentialsError::provider_error)
        })
    }
}
