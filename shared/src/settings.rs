//! The configuration of a function: one JSON object in the environment variable `TOURNIQUET_CONFIG`.
//!
//! Unknown keys, wrong types and impossible values stop the function at its start, with an error that names the key.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::place::is_account;

/// The environment variable that holds the configuration.
pub const VARIABLE: &str = "TOURNIQUET_CONFIG";

/// What a room's own settings must be able to do.
pub trait Settings: DeserializeOwned + Default + Send + Sync + 'static {
    /// Refuses values that the types allow and that make no sense: the key below `settings`, and what is wrong.
    fn check(&self) -> Result<(), (&'static str, String)>;
}

/// For tests of what does not depend on a room.
#[cfg(test)]
impl Settings for () {
    fn check(&self) -> Result<(), (&'static str, String)> {
        Ok(())
    }
}

/// Whether plans are applied.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Plans are recorded and nothing is changed. The default of a fresh deployment.
    #[default]
    Observe,
    /// Plans are applied.
    Enforce,
}

/// How messages are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Plain text, for mail.
    #[default]
    Text,
    /// The custom notification schema of Amazon Q Developer in chat applications (AWS Chatbot).
    Chat,
}

/// Which certificate authorities the function trusts.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// Amazon's own, which sign every AWS endpoint outside China and the isolated partitions.
    #[default]
    Amazon,
    /// The system's store: needed behind a proxy that inspects TLS.
    System,
}

/// The configuration of a function; `S` is the room's own part.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config<S> {
    /// The account that the function runs in.
    pub account: String,
    /// Whether plans are applied. Default: `observe`.
    #[serde(default)]
    pub mode: Mode,
    /// Name of the journal's DynamoDB table.
    #[serde(default = "default_table")]
    pub journal_table: String,
    /// ARN of the SNS topic for messages; without one there are only log lines.
    #[serde(default)]
    pub report_topic: Option<String>,
    /// How messages are written. Default: `text`.
    #[serde(default)]
    pub report_format: Format,
    /// Other accounts whose events are answered, each by its member role.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// Name of the role to assume in other accounts. Default: `tourniquet-<function>`.
    #[serde(default)]
    pub member_role: Option<String>,
    /// ARN of the function's own role, by which it knows the events of its own changes.
    #[serde(default)]
    pub own_role: Option<String>,
    /// Ids or ARNs of Tourniquet's own resources, which no function touches.
    #[serde(default)]
    pub own_resources: Vec<String>,
    /// How many records may begin to change something in an hour and account. Default: 20.
    #[serde(default = "default_changes")]
    pub changes_per_hour: u32,
    /// Whether the tag `tourniquet:exempt` of a live resource exempts it. Default: no, since whoever can tag a
    /// resource could then switch the answer off.
    #[serde(default)]
    pub exempt_by_tag: bool,
    /// How long records are kept, in days. Default: 400.
    #[serde(default = "default_days")]
    pub record_days: u32,
    /// How many subjects are worked on side by side. Default: 8.
    #[serde(default = "default_concurrency")]
    pub concurrency: usize,
    /// For how long a run owns its record before another delivery may take it over, in seconds. Default: 10.
    #[serde(default = "default_lease")]
    pub lease_seconds: u32,
    /// Which certificate authorities are trusted. Default: `amazon`.
    #[serde(default)]
    pub trust: Trust,
    /// The room's own settings.
    #[serde(default)]
    pub settings: S,
}

fn default_table() -> String {
    "tourniquet-journal".to_owned()
}
fn default_changes() -> u32 {
    20
}
fn default_days() -> u32 {
    400
}
fn default_concurrency() -> usize {
    8
}
fn default_lease() -> u32 {
    10
}

impl<S: Settings> Config<S> {
    /// Reads a configuration; an error names the key.
    pub fn parse(raw: &str) -> Result<Self, Error> {
        let mut deserializer = serde_json::Deserializer::from_str(raw);
        let config: Self = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let path = error.path().to_string();
            let key = if matches!(path.as_str(), "." | "") { VARIABLE.to_owned() } else { path };
            Error::Settings { key, problem: error.into_inner().to_string() }
        })?;
        config.check().map_err(|(key, problem)| Error::Settings { key, problem })?;
        Ok(config)
    }

    /// Reads the configuration from the environment.
    pub fn from_env() -> Result<Self, Error> {
        let raw = std::env::var(VARIABLE)
            .map_err(|e| Error::Settings { key: VARIABLE.to_owned(), problem: e.to_string() })?;
        Self::parse(&raw)
    }

    fn check(&self) -> Result<(), (String, String)> {
        let wrong = |key: &str, problem: &str| Err((key.to_owned(), problem.to_owned()));
        if !is_account(&self.account) {
            return wrong("account", "expected the twelve digits of an account");
        }
        if let Some(bad) = self.accounts.iter().find(|a| !is_account(a)) {
            return Err(("accounts".to_owned(), format!("{bad:?} is not the twelve digits of an account")));
        }
        if self.journal_table.is_empty() {
            return wrong("journal_table", "empty");
        }
        if self.report_topic.as_ref().is_some_and(|t| !t.starts_with("arn:")) {
            return wrong("report_topic", "expected the ARN of an SNS topic");
        }
        if self.changes_per_hour == 0 {
            return wrong("changes_per_hour", "0 would hold every change; use the mode \"observe\" for that");
        }
        if !(1..=64).contains(&self.concurrency) {
            return wrong("concurrency", "expected 1 to 64");
        }
        if !(1..=900).contains(&self.lease_seconds) {
            return wrong("lease_seconds", "expected 1 to 900");
        }
        if self.record_days == 0 {
            return wrong("record_days", "expected at least 1");
        }
        self.settings.check().map_err(|(key, problem)| (format!("settings.{key}"), problem))
    }

    /// The name of the role that the function assumes in other accounts.
    #[must_use]
    pub fn member_role(&self, function: &str) -> String {
        self.member_role.clone().unwrap_or_else(|| format!("tourniquet-{function}"))
    }

    /// Whether a role is one that this function acts with: its own, or its member role in an allowed account.
    #[must_use]
    pub fn acts_as(&self, role_arn: &str, function: &str) -> bool {
        let mut parts = role_arn.splitn(6, ':').skip(4);
        let account = parts.next().unwrap_or_default();
        let role = parts.next().and_then(|r| r.rsplit('/').next()).unwrap_or_default();
        self.own_role.as_deref() == Some(role_arn)
            || (self.accounts.iter().any(|a| a == account) && role == self.member_role(function))
    }

    /// Whether events about, or from, this account are answered.
    #[must_use]
    pub fn allows(&self, account: &str) -> bool {
        self.account == account || self.accounts.iter().any(|a| a == account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Own {
        limit: u8,
    }

    impl Settings for Own {
        fn check(&self) -> Result<(), (&'static str, String)> {
            if self.limit > 9 { Err(("limit", "above 9".to_owned())) } else { Ok(()) }
        }
    }

    fn problem(raw: &str) -> String {
        Config::<Own>::parse(raw).unwrap_err().to_string()
    }

    #[test]
    fn law_11_a_fresh_deployment_observes() {
        let config = Config::<Own>::parse(r#"{"account":"111122223333"}"#).unwrap();
        assert_eq!(config.mode, Mode::Observe);
        assert!(!config.exempt_by_tag);
    }

    #[test]
    fn g22_a_wrong_configuration_names_its_key() {
        for (raw, expected) in [
            ("", "TOURNIQUET_CONFIG: EOF"),
            (r#"{"":1}"#, "TOURNIQUET_CONFIG: unknown field ``"),
            (r#"{"account":"1"}"#, "account: expected the twelve digits"),
            (r#"{"account":"111122223333","mod":"enforce"}"#, "unknown field `mod`"),
            (r#"{"account":"111122223333","mode":"enforced"}"#, "mode: unknown variant `enforced`"),
            (r#"{"account":"111122223333","accounts":["x"]}"#, "accounts: \"x\""),
            (r#"{"account":"111122223333","changes_per_hour":0}"#, "changes_per_hour: 0"),
            (r#"{"account":"111122223333","changes_per_hour":"7"}"#, "changes_per_hour: invalid type"),
            (r#"{"account":"111122223333","concurrency":65}"#, "concurrency: expected 1 to 64"),
            (r#"{"account":"111122223333","settings":{"limits":1}}"#, "unknown field `limits`"),
            (r#"{"account":"111122223333","settings":{"limit":"1"}}"#, "settings.limit: invalid type"),
            (r#"{"account":"111122223333","settings":{"limit":10}}"#, "settings.limit: above 9"),
        ] {
            assert!(problem(raw).contains(expected), "{raw}: {}", problem(raw));
        }
    }
}
