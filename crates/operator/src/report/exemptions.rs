//! The exemptions of the journal, by what a reader has to know of each: it ends soon, it has ended, it does not count.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tourniquet::error::Error;
use tourniquet::exemption::{Draft, Source};
use tourniquet::journal::Item;

use super::summary::Period;
use crate::journal::Journal;
use crate::records::Filter;

const PREFIX: &str = "exemption#";

/// How long before its end an exemption is about to end.
pub const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// An exemption as it was written.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The function that it binds.
    pub function: String,
    /// The account.
    pub account: String,
    /// What was written.
    pub draft: Draft,
}

/// One exemption. Texts that were not written are empty.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Exemption {
    /// The function that it binds.
    pub function: String,
    /// The account.
    pub account: String,
    /// Which subjects.
    pub subject: String,
    /// Which regions.
    pub region: String,
    /// What part of the subject; nothing is all of it.
    pub scope: Option<String>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// When it ends, if it says so.
    pub ends: Option<Timestamp>,
}

/// The exemptions of a report.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Exemptions {
    /// How many count now.
    pub valid: usize,
    /// Those of them that end within [`SOON`], the next first.
    pub ending: Vec<Exemption>,
    /// Those that ended in the period, as far as the journal still has them.
    pub ended: Vec<Exemption>,
    /// Those that are not honoured, each with the reason.
    pub refused: Vec<(Exemption, String)>,
}

/// The exemptions of the functions and accounts that a filter takes.
pub async fn read(journal: &Journal, filter: &Filter) -> Result<Vec<Written>, Error> {
    let mut all = Vec::new();
    journal.each(PREFIX, |item| all.extend(written(item))).await?;
    all.retain(|one| {
        filter.function.as_ref().is_none_or(|function| *function == one.function)
            && filter.account.as_ref().is_none_or(|account| *account == one.account)
    });
    Ok(all)
}

fn written(item: &Item) -> Option<Written> {
    let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok()).cloned();
    let partition = text("pk")?;
    let (function, account) = partition.strip_prefix(PREFIX)?.split_once('#')?;
    Some(Written {
        function: function.to_owned(),
        account: account.to_owned(),
        draft: Draft {
            subject: text("subject"),
            region: text("region"),
            scope: text("scope"),
            reason: text("reason"),
            owner: text("owner"),
            expires: text("ends"),
        },
    })
}

impl Exemptions {
    /// What is to be said of some exemptions.
    #[must_use]
    pub fn of(all: Vec<Written>, period: &Period) -> Self {
        let mut found = Self::default();
        for one in all {
            let Written { function, account, draft } = one;
            // At the beginning of time nothing has ended: what is refused there would never be honoured.
            let checked = draft.clone().check(Source::Journal, Timestamp::MIN);
            let ends = checked.as_ref().ok().map(|exemption| exemption.expires);
            let exemption = Exemption {
                function,
                account,
                subject: draft.subject.unwrap_or_default(),
                region: draft.region.unwrap_or_else(|| "*".to_owned()),
                scope: draft.scope,
                reason: draft.reason.unwrap_or_default(),
                owner: draft.owner.unwrap_or_default(),
                ends,
            };
            match (checked, ends) {
                (Err(problem), _) => found.refused.push((exemption, problem)),
                (Ok(_), Some(ends)) if ends > period.made => {
                    found.valid += 1;
                    if ends.duration_since(period.made) <= SOON {
                        found.ending.push(exemption);
                    }
                }
                (Ok(_), Some(ends)) if period.since <= ends && ends < period.before => {
                    found.ended.push(exemption);
                }
                (Ok(_), _) => {}
            }
        }
        found.ending.sort_by(|a, b| (a.ends, &a.subject).cmp(&(b.ends, &b.subject)));
        found.ended.sort_by(|a, b| (b.ends, &a.subject).cmp(&(a.ends, &b.subject)));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(ends: &str) -> Written {
        let some = |text: &str| Some(text.to_owned());
        Written {
            draft: Draft {
                subject: some(ends),
                reason: some("why"),
                owner: some("who"),
                expires: some(ends),
                ..Draft::default()
            },
            ..Written::default()
        }
    }

    #[test]
    fn an_exemption_is_told_when_it_is_about_to_end_has_ended_or_does_not_count() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-15T12:00:00Z");
        let period = Period { since: at("2026-10-15T00:00:00Z"), before: now, made: now };
        let days =
            ["2026-10-13", "2026-10-14", "2026-11-14", "2026-11-15", "2026-11-28", "2026-11-29", "soon"];
        let found = Exemptions::of(days.map(ending).into(), &period);
        let subjects = |all: &[Exemption]| all.iter().map(|one| one.subject.clone()).collect::<Vec<_>>();
        assert_eq!(subjects(&found.ended), ["2026-11-14", "2026-10-14"], "a day ends with its last second");
        assert_eq!(subjects(&found.ending), ["2026-11-15", "2026-11-28"]);
        assert_eq!(found.valid, 3);
        assert!(found.refused.len() == 1 && found.refused[0].1.contains("not a date"), "{:?}", found.refused);
    }
}
