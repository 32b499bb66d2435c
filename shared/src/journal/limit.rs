//! The change limit: a ceiling against automation gone wrong, which neither one actor nor one resource can use up.
//!
//! Each change is counted for the hour, for its resource and for the actor whom the event names, in the transaction that
//! records the plan. docs/adr/0010 says why the ceilings are where they are.

use aws_sdk_dynamodb::types::{AttributeValue, Update};
use jiff::Timestamp;

use crate::actor::Actor;
use crate::place::Place;
use crate::subject::{Cause, digest};

/// How often a resource takes from the hour's limit. After that it is contained all the same, and takes nothing.
const TAKES: u32 = 3;
/// The part of an urgent function's limit that is kept for who has taken nothing in the hour: one in so many.
const KEPT: u32 = 5;
/// How long the counts of an hour are kept.
pub(super) const KEPT_SECONDS: i64 = 86_400;

/// How many changes may be begun in an hour and account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limit {
    /// In all.
    pub changes: u32,
    /// Whether the last of them are for events about actors and resources that have taken none.
    pub urgent: bool,
}

/// What was used up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ceiling {
    /// The limit of the hour.
    Hour,
    /// The actor's share of it.
    Actor,
    /// What one resource may be changed in an hour.
    Subject,
}

impl Limit {
    /// What one actor can take: half.
    #[must_use]
    pub fn share(self) -> u32 {
        self.changes.div_ceil(2)
    }

    /// What is kept for who has taken nothing.
    #[must_use]
    pub fn reserve(self) -> u32 {
        if self.urgent { self.changes / KEPT } else { 0 }
    }

    /// The ceiling that would hold a change back, by what has been taken of each in this hour.
    pub fn reached(self, cause: &Cause, taken: impl Fn(Ceiling) -> u32) -> Option<Ceiling> {
        let mut terms = Terms::Share;
        loop {
            let counts = terms.counts(self);
            let refused: Vec<Ceiling> = counts
                .iter()
                .filter(|count| taken(count.ceiling) >= count.below.unwrap_or(1))
                .map(|count| count.ceiling)
                .collect();
            if refused.is_empty() {
                return None;
            }
            match terms.after(&refused, cause, self) {
                Ok(other) => terms = other,
                Err(ceiling) => return Some(ceiling),
            }
        }
    }

    /// Which ceiling holds a change back, and what to do about it.
    #[must_use]
    pub fn says(self, ceiling: Ceiling, actor: &Actor) -> String {
        let all = self.changes;
        match ceiling {
            Ceiling::Hour => {
                format!(
                    "the limit of {all} changes an hour is reached: look what is going on, then raise changes_per_hour or wait for the next hour"
                )
            }
            Ceiling::Actor => format!(
                "{} has used up its share, {} of the limit of {all} changes an hour: look at what it does and take its permissions away; the acts of others are answered",
                actor.identity().unwrap_or("the actor"),
                self.share()
            ),
            Ceiling::Subject => format!(
                "it was changed {all} times in this hour, the limit for one resource: somebody brings the harm back each time; find who, and take that permission away"
            ),
        }
    }
}

/// On which terms a change is begun: the next are tried when the ones before are refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Terms {
    /// One is taken from the hour, from the actor's share and for the resource.
    Share,
    /// One is taken from what an urgent function keeps for those who have taken none.
    Reserve,
    /// The resource has taken its part: it is contained again, and counts for itself alone.
    Again,
}

/// What is counted up, and below which count that is allowed; `None`: only from nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Count {
    pub(super) ceiling: Ceiling,
    below: Option<u32>,
}

impl Terms {
    /// What is counted, each on its condition.
    pub(super) fn counts(self, limit: Limit) -> Vec<Count> {
        let count = |ceiling, below| Count { ceiling, below };
        match self {
            Self::Share => vec![
                count(Ceiling::Hour, Some(limit.changes - limit.reserve())),
                count(Ceiling::Subject, Some(TAKES.min(limit.changes))),
                count(Ceiling::Actor, Some(limit.share())),
            ],
            Self::Reserve => vec![
                count(Ceiling::Hour, Some(limit.changes)),
                count(Ceiling::Subject, None),
                count(Ceiling::Actor, None),
            ],
            Self::Again => vec![count(Ceiling::Subject, Some(limit.changes))],
        }
    }

    /// What follows on a refusal: other terms, or the ceiling that was reached.
    pub(super) fn after(self, refused: &[Ceiling], cause: &Cause, limit: Limit) -> Result<Self, Ceiling> {
        match self {
            Self::Share if refused.contains(&Ceiling::Subject) => Ok(Self::Again),
            Self::Share if refused.contains(&Ceiling::Actor) => Err(Ceiling::Actor),
            Self::Share if limit.reserve() > 0 && !cause.is_sweep() => Ok(Self::Reserve),
            Self::Share | Self::Reserve => Err(Ceiling::Hour),
            Self::Again => Err(Ceiling::Subject),
        }
    }
}

impl Count {
    /// The update that counts up; nothing only if it lacks a key.
    pub(super) fn update(self, table: &str, key: (String, String), now: Timestamp) -> Option<Update> {
        let number = |n: i64| AttributeValue::N(n.to_string());
        let update = Update::builder()
            .table_name(table)
            .key("pk", AttributeValue::S(key.0))
            .key("sk", AttributeValue::S(key.1))
            .update_expression("SET expires = :expires ADD taken :one")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":expires", number(now.as_second() + KEPT_SECONDS));
        let update = match self.below {
            Some(below) => update
                .condition_expression("attribute_not_exists(taken) OR taken < :limit")
                .expression_attribute_values(":limit", number(below.into())),
            None => update.condition_expression("attribute_not_exists(taken)"),
        };
        update.build().ok()
    }
}

/// The key of what is counted for a function; none for the actor where the event names nobody.
#[must_use]
pub fn key_of(
    ceiling: Ceiling,
    function: &str,
    place: &Place,
    subject: &str,
    actor: &Actor,
    now: Timestamp,
) -> Option<(String, String)> {
    let (partition, hour) = limit_key(function, &place.account, now);
    let sort = match ceiling {
        Ceiling::Hour => hour,
        Ceiling::Actor => format!("{hour}#actor#{}", digest(actor.identity()?, 20)),
        Ceiling::Subject => format!("{hour}#subject#{}", digest(&format!("{place}/{subject}"), 20)),
    };
    Some((partition, sort))
}

/// Partition and sort key of the counter of a function's changes in an account, in the hour of `at`.
#[must_use]
pub fn limit_key(function: &str, account: &str, at: Timestamp) -> (String, String) {
    (format!("limit#{function}#{account}"), hour(at))
}

fn hour(at: Timestamp) -> String {
    at.to_string().chars().take("2026-01-01T00".len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(changes: u32, urgent: bool) -> Limit {
        Limit { changes, urgent }
    }

    fn key(actor: &Actor) -> Option<(String, String)> {
        let place = Place::new("111122223333", "eu-central-1");
        key_of(Ceiling::Actor, "x", &place, "i-1", actor, "2026-11-23T04:59:59.5Z".parse().unwrap())
    }

    fn held(limit: Limit, cause: &Cause, [hour, subject, actor]: [u32; 3]) -> Option<Ceiling> {
        limit.reached(cause, |ceiling| match ceiling {
            Ceiling::Hour => hour,
            Ceiling::Subject => subject,
            Ceiling::Actor => actor,
        })
    }

    #[test]
    fn g26_the_next_hour_has_its_own_count() {
        assert_eq!(hour("2026-11-23T04:59:59.5Z".parse().unwrap()), "2026-11-23T04");
        assert_eq!(hour("2026-11-23T05:00:00Z".parse().unwrap()), "2026-11-23T05");
    }

    #[test]
    fn g26_a_role_is_one_actor_whatever_its_sessions_are_called() {
        let session = |name: &str| Actor {
            principal: Some(format!("arn:aws:sts::111122223333:assumed-role/ci/{name}")),
            session_issuer: Some("arn:aws:iam::111122223333:role/ci".to_owned()),
            ..Actor::default()
        };
        assert!(key(&session("a")).is_some());
        assert_eq!(key(&session("a")), key(&session("b")));
        assert_eq!(key(&Actor::default()), None);
    }

    #[test]
    fn g26_no_text_of_an_attacker_makes_a_key_long_or_reaches_another_item() {
        let hostile = Actor { principal: Some("#2026-11-23T04".repeat(500)), ..Actor::default() };
        let (partition, sort) = key(&hostile).unwrap();
        assert_eq!(partition, "limit#x#111122223333");
        assert!(sort.starts_with("2026-11-23T04#actor#") && sort.len() == 40, "{sort}");
    }

    #[test]
    fn g26_shares_and_reserves_leave_at_least_one() {
        assert_eq!([1, 2, 5, 20].map(|n| limit(n, true).share()), [1, 1, 3, 10]);
        assert_eq!([1, 2, 5, 20].map(|n| limit(n, true).reserve()), [0, 0, 1, 4]);
        assert_eq!(limit(20, false).reserve(), 0);
    }

    #[test]
    fn g26_one_actor_cannot_hold_the_answer_to_another() {
        let call = Cause { what: "x".to_owned(), key: "a".to_owned() };
        for urgent in [false, true] {
            assert_eq!(held(limit(20, urgent), &call, [10, 0, 10]), Some(Ceiling::Actor));
            assert_eq!(held(limit(20, urgent), &call, [10, 0, 0]), None);
            assert_eq!(held(limit(20, urgent), &call, [20, 0, 0]), Some(Ceiling::Hour));
            assert_eq!(held(limit(1, urgent), &call, [0, 0, 0]), None);
        }
    }

    #[test]
    fn g26_what_an_urgent_function_keeps_is_for_who_has_taken_none() {
        let call = Cause { what: "x".to_owned(), key: "a".to_owned() };
        assert_eq!(held(limit(20, true), &call, [16, 0, 0]), None);
        assert_eq!(held(limit(20, true), &call, [16, 0, 1]), Some(Ceiling::Hour));
        assert_eq!(held(limit(20, true), &call, [16, 1, 0]), Some(Ceiling::Hour));
        assert_eq!(held(limit(20, true), &Cause::sweep(), [16, 0, 0]), Some(Ceiling::Hour));
        assert_eq!(held(limit(20, false), &Cause::sweep(), [19, 0, 0]), None);
    }

    #[test]
    fn g26_a_fight_over_one_resource_goes_on_and_takes_nothing_from_the_others() {
        let call = Cause { what: "x".to_owned(), key: "a".to_owned() };
        assert_eq!(held(limit(20, false), &call, [20, 3, 10]), None);
        assert_eq!(held(limit(20, false), &call, [3, 20, 3]), Some(Ceiling::Subject));
    }
}
