//! The exemptions of the journal, by what a reader has to know of each: it ends soon, it has ended, it does not count.

use jiff::Timestamp;
use serde::Serialize;

use super::summary::Period;
use crate::exempt::kept::{Kept, SOON, State};

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
    /// Those of them that are about to end, the next first.
    pub ending: Vec<Exemption>,
    /// Those that ended in the period, as far as the journal still has them.
    pub ended: Vec<Exemption>,
    /// Those that are not honoured, each with the reason.
    pub refused: Vec<(Exemption, String)>,
}

impl Exemptions {
    /// What is to be said of some exemptions.
    #[must_use]
    pub(crate) fn of(all: Vec<Kept>, period: &Period) -> Self {
        let mut found = Self::default();
        for kept in all {
            let state = kept.state(period.made);
            let exemption = Exemption {
                subject: kept.subject().to_owned(),
                region: kept.region().to_owned(),
                ends: state.end(),
                function: kept.function,
                account: kept.account,
                scope: kept.scope,
                reason: kept.reason.unwrap_or_default(),
                owner: kept.owner.unwrap_or_default(),
            };
            match state {
                State::Refused(problem) => found.refused.push((exemption, problem)),
                State::Valid(ends) => {
                    found.valid += 1;
                    if ends.duration_since(period.made) <= SOON {
                        found.ending.push(exemption);
                    }
                }
                State::Ended(ends) if period.since <= ends && ends < period.before => {
                    found.ended.push(exemption);
                }
                State::Ended(_) => {}
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

    fn ending(ends: &str) -> Kept {
        let some = |text: &str| Some(text.to_owned());
        Kept {
            subject: some(ends),
            reason: some("why"),
            owner: some("who"),
            ends: some(ends),
            ..Kept::default()
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
