//! What an exemption would have covered in the past.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use tourniquet::Lead;
use tourniquet::exemption::covers;
use tourniquet::journal::Record;

use super::kept::Kept;
use crate::failure::Failure;
use crate::functions;
use crate::journal::Journal;
use crate::out::Out;
use crate::records::{self, Entry, Filter};
use crate::table::Table;
use crate::words::{outcome_style, plain};

/// How many records are shown; the others are counted.
const SHOWN: usize = 20;

/// How much of a record an exemption covers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Covered {
    /// All of it.
    All,
    /// Some of its changes.
    Part,
    /// Its subject; whether the scope fits, only the function can tell.
    Perhaps,
}

/// The records of the past that an exemption covers.
#[derive(Debug)]
pub(super) struct Past {
    since: Timestamp,
    /// How many records there are of the function in the account.
    all: usize,
    pub(super) covered: Vec<(Entry, Covered)>,
    unreadable: usize,
}

impl Past {
    pub(super) async fn read(journal: &Journal, kept: &Kept, since: Timestamp) -> Result<Self, Failure> {
        let filter = Filter {
            since: Some(since),
            function: Some(kept.function.clone()),
            account: Some(kept.account.clone()),
            ..Filter::default()
        };
        let function = functions::one(&kept.function, None)?;
        let needs = |record: &Record| -> Option<Vec<Option<String>>> {
            let lead = Lead::<Value>::of_record(record).ok()?;
            let of = |change: &Value| function.scopes(&lead, change).ok();
            Some(record.steps.iter().filter_map(|step| of(&step.change)).flatten().collect())
        };
        let (mut all, mut covered) = (0, Vec::new());
        let unreadable = records::each(journal, &filter, |entry| {
            all += 1;
            let record = &entry.record;
            if covers(kept.subject(), kept.region(), &record.place, &record.subject) {
                let how = kept.scope.as_deref().map_or(Covered::All, |scope| {
                    covered_by(scope, record, &needs(record).unwrap_or_default())
                });
                covered.push((entry, how));
            }
        })
        .await?;
        covered.sort_by(|(a, _), (b, _)| (b.record.started, &b.id).cmp(&(a.record.started, &a.id)));
        Ok(Self { since, all, covered, unreadable: unreadable.len() })
    }

    /// Shows the newest of the records and counts all of them.
    pub(super) fn show(&self, kept: &Kept, out: &mut Out) {
        let scoped = kept.scope.is_some();
        let mut header = vec!["started (utc)", "outcome", "region", "subject", "actor", "why"];
        if scoped {
            header.insert(2, "covered");
        }
        let mut table = Table::new(&header);
        for (entry, covered) in self.covered.iter().take(SHOWN) {
            let record = &entry.record;
            let started = record.started.strftime("%Y-%m-%d %H:%M:%S").to_string();
            let actor = record.actor.to_string();
            let mut row =
                vec![&started, entry.outcome(), &record.place.region, &record.subject, &actor, &record.why];
            if scoped {
                row.insert(2, covered.word());
            }
            table.row(&row, entry.outcome(), outcome_style(entry.outcome(), record.outcome));
        }
        if !self.covered.is_empty() {
            out.lines(table.lines());
        }
        if self.covered.len() > SHOWN {
            out.line(&format!("… and {} older ones", self.covered.len() - SHOWN));
        }
        out.line(&self.summary(kept));
        if self.unreadable > 0 {
            out.line(&format!("{} items could not be read and are not counted", self.unreadable));
        }
    }

    fn summary(&self, kept: &Kept) -> String {
        let of = format!(
            "{} of {} of {} in {} since {}",
            self.covered.len(),
            if self.all == 1 { "1 record".to_owned() } else { format!("{} records", self.all) },
            kept.function,
            plain(&kept.account),
            self.since.strftime("%Y-%m-%d")
        );
        let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
        let mut how: BTreeMap<Covered, usize> = BTreeMap::new();
        for (entry, covered) in &self.covered {
            *outcomes.entry(entry.outcome()).or_default() += 1;
            *how.entry(*covered).or_default() += 1;
        }
        if self.covered.is_empty() {
            return format!("it covers {of}");
        }
        let outcomes: Vec<String> = outcomes.iter().map(|(word, n)| format!("{n} {word}")).collect();
        let mut text = format!("it covers {of}: {}", outcomes.join(", "));
        if how.keys().any(|covered| *covered != Covered::All) {
            let how: Vec<String> = how.iter().map(|(covered, n)| format!("{n} {}", covered.told())).collect();
            text = format!("{text}; by its scope {}", how.join(", "));
        }
        text
    }
}

impl Covered {
    fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Part => "in part",
            Self::Perhaps => "perhaps",
        }
    }

    fn told(self) -> &'static str {
        match self {
            Self::All => "as a whole",
            Self::Part => "in part",
            Self::Perhaps => "perhaps, which only the function can tell",
        }
    }
}

/// How much of a record a scope covers: a scope is the identity of the cause, or one of the words which, by the function itself,
/// exempt its changes. A function may also honour wider words than these, such as a range of ports.
fn covered_by(scope: &str, record: &Record, needs: &[Option<String>]) -> Covered {
    if scope == record.cause.key {
        return Covered::All;
    }
    match needs.iter().filter(|need| need.as_deref() == Some(scope)).count() {
        0 => Covered::Perhaps,
        n if n == needs.len() => Covered::All,
        _ => Covered::Part,
    }
}

#[cfg(test)]
#[path = "past_tests.rs"]
mod tests;
