//! An exemption as the journal's table keeps it.

use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tourniquet::error::Error;
use tourniquet::exemption::{Draft, Source};
use tourniquet::journal::Item;

use crate::journal::Journal;

/// Begins the partitions of exemptions; function and account follow.
const PREFIX: &str = "exemption#";
/// Begins the sort keys of those that this command writes, as `terraform#` begins Terraform's.
const OPERATOR: &str = "operator#";
/// An exemption that has ended is told to people for so long, where it would have held.
const KEPT_AFTER: SignedDuration = SignedDuration::from_hours(90 * 24);
/// An exemption that ends so soon is about to end.
pub(crate) const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// An exemption, as it was written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Kept {
    pub(crate) function: String,
    pub(crate) account: String,
    /// The sort key.
    pub(crate) sort: String,
    pub(crate) subject: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) scope: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) ends: Option<String>,
    /// The ARN of whoever added it with this command.
    pub(crate) added_by: Option<String>,
    /// When that was.
    pub(crate) added: Option<String>,
}

/// Who wrote it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Writer {
    Terraform,
    Operator,
    Undo,
    /// Nobody of ours: by hand.
    Other,
}

/// Whether it holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum State {
    Valid(Timestamp),
    Ended(Timestamp),
    /// It never did, and why.
    Refused(String),
}

impl Kept {
    /// The sort key under which this command writes an exemption of a part of subjects.
    pub(super) fn sort_key(subject: &str, region: &str, scope: Option<&str>) -> String {
        format!("{OPERATOR}{region}#{subject}#{}", scope.unwrap_or("*"))
    }

    pub(super) fn from_item(item: &Item) -> Option<Self> {
        let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).cloned();
        let partition = text("pk")?;
        let (function, account) = partition.strip_prefix(PREFIX)?.split_once('#')?;
        Some(Self {
            function: function.to_owned(),
            account: account.to_owned(),
            sort: text("sk")?,
            subject: text("subject"),
            region: text("region"),
            scope: text("scope"),
            reason: text("reason"),
            owner: text("owner"),
            ends: text("ends"),
            added_by: text("added_by"),
            added: text("added"),
        })
    }

    pub(super) fn partition(&self) -> String {
        format!("{PREFIX}{}#{}", self.function, self.account)
    }

    /// A short name, by which it can be removed.
    pub(super) fn id(&self) -> String {
        let digest = Sha256::digest(format!("{} {}", self.partition(), self.sort).as_bytes());
        digest.iter().take(5).fold(String::new(), |id, byte| format!("{id}{byte:02x}"))
    }

    pub(super) fn key(&self) -> Item {
        Item::from([
            ("pk".to_owned(), AttributeValue::S(self.partition())),
            ("sk".to_owned(), AttributeValue::S(self.sort.clone())),
        ])
    }

    /// The item. The table forgets it some time after its end.
    pub(crate) fn to_item(&self, end: Timestamp) -> Item {
        let texts = [
            ("subject", &self.subject),
            ("region", &self.region),
            ("scope", &self.scope),
            ("reason", &self.reason),
            ("owner", &self.owner),
            ("ends", &self.ends),
            ("added_by", &self.added_by),
            ("added", &self.added),
        ];
        let mut item = self.key();
        for (name, text) in texts {
            if let Some(text) = text {
                item.insert(name.to_owned(), AttributeValue::S(text.clone()));
            }
        }
        let expires = end.checked_add(KEPT_AFTER).unwrap_or(end).as_second();
        item.insert("expires".to_owned(), AttributeValue::N(expires.to_string()));
        item
    }

    pub(super) fn writer(&self) -> Writer {
        match self.sort.split('#').next() {
            Some("terraform") => Writer::Terraform,
            Some("operator") => Writer::Operator,
            Some("undo") => Writer::Undo,
            _ => Writer::Other,
        }
    }

    /// As the functions read it.
    pub(super) fn draft(&self) -> Draft {
        Draft {
            subject: self.subject.clone(),
            region: self.region.clone(),
            scope: self.scope.clone(),
            reason: self.reason.clone(),
            owner: self.owner.clone(),
            expires: self.ends.clone(),
        }
    }

    pub(crate) fn state(&self, now: Timestamp) -> State {
        // Whatever has ended was valid at the beginning of time.
        match self.draft().check(Source::Journal, Timestamp::MIN) {
            Ok(exemption) if exemption.expires > now => State::Valid(exemption.expires),
            Ok(exemption) => State::Ended(exemption.expires),
            Err(problem) => State::Refused(problem),
        }
    }

    pub(crate) fn subject(&self) -> &str {
        self.subject.as_deref().unwrap_or_default()
    }

    pub(crate) fn region(&self) -> &str {
        self.region.as_deref().unwrap_or("*")
    }

    /// The values that people compare, by name.
    pub(super) fn values(&self) -> [(&'static str, &str); 7] {
        let or_none = |text| Option::map_or(text, "-", String::as_str);
        [
            ("subject", self.subject()),
            ("region", self.region()),
            ("scope", self.scope.as_deref().unwrap_or("all of it")),
            ("reason", or_none(self.reason.as_ref())),
            ("owner", or_none(self.owner.as_ref())),
            ("ends", or_none(self.ends.as_ref())),
            ("added by", or_none(self.added_by.as_ref())),
        ]
    }

    pub(super) fn json(&self, now: Timestamp) -> Value {
        let (state, ends_at, problem) = match self.state(now) {
            State::Valid(end) => ("valid", Some(end), None),
            State::Ended(end) => ("ended", Some(end), None),
            State::Refused(problem) => ("refused", None, Some(problem)),
        };
        json!({
            "id": self.id(), "function": self.function, "account": self.account, "subject": self.subject,
            "region": self.region(), "scope": self.scope, "reason": self.reason, "owner": self.owner, "ends": self.ends,
            "ends_at": ends_at, "state": state, "problem": problem, "source": self.writer(),
            "added_by": self.added_by, "added": self.added, "pk": self.partition(), "sk": self.sort,
        })
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Terraform => "terraform",
            Self::Operator => "operator",
            Self::Undo => "undo",
            Self::Other => "by hand",
        })
    }
}

impl State {
    /// In one word, for a table.
    pub(super) fn word(&self, now: Timestamp) -> &'static str {
        match self {
            Self::Valid(end) if end.duration_since(now) <= SOON => "ending",
            Self::Valid(_) => "valid",
            Self::Ended(_) => "ended",
            Self::Refused(_) => "refused",
        }
    }

    /// The end, told from now.
    pub(super) fn told(&self, now: Timestamp) -> String {
        let span = |from: Timestamp, to: Timestamp| {
            let hours = to.duration_since(from).as_hours();
            match hours {
                1 => "1 hour".to_owned(),
                2..48 | 0 => format!("{hours} hours"),
                _ => format!("{} days", hours / 24),
            }
        };
        match self {
            Self::Valid(end) => format!("in {}", span(now, *end)),
            Self::Ended(end) => format!("{} ago", span(*end, now)),
            Self::Refused(_) => "-".to_owned(),
        }
    }

    pub(crate) fn end(&self) -> Option<Timestamp> {
        match self {
            Self::Valid(end) | Self::Ended(end) => Some(*end),
            Self::Refused(_) => None,
        }
    }
}

/// The exemptions of the table, or of one function in one account, which costs less to read.
pub(crate) async fn read(
    journal: &Journal,
    function: Option<&String>,
    account: Option<&String>,
) -> Result<Vec<Kept>, Error> {
    let mut all = Vec::new();
    if let (Some(function), Some(account)) = (function, account) {
        let partition = format!("{PREFIX}{function}#{account}");
        all.extend(journal.partition(&partition).await?.iter().filter_map(Kept::from_item));
    } else {
        let prefix = function.map_or(PREFIX.to_owned(), |function| format!("{PREFIX}{function}#"));
        journal.each(&prefix, |item| all.extend(Kept::from_item(item))).await?;
        all.retain(|kept| account.is_none_or(|account| *account == kept.account));
    }
    Ok(all)
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
