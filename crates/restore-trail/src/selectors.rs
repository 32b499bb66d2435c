//! Which events a trail records, and whether one set of selectors still records what another did. Pure.
//!
//! `CloudTrail` has two languages for it: basic selectors and advanced ones. Both are read as scopes: conditions that an
//! event must meet, one value of `readOnly` each. What was recorded is recorded still if every scope of then lies within
//! one of now; to be sure of that, less is believed than is true, never more.

use serde::{Deserialize, Serialize};

/// The selectors of a trail: basic or advanced ones, never both.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Selectors {
    /// Basic selectors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub basic: Vec<Basic>,
    /// Advanced selectors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub advanced: Vec<Advanced>,
}

/// A basic selector.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Basic {
    /// `ReadOnly`, `WriteOnly` or `All`.
    pub read_write: String,
    /// Whether management events are recorded.
    pub management: bool,
    /// Services whose management events are left out.
    pub excluded: Vec<String>,
    /// The resources whose data events are recorded.
    pub data: Vec<Data>,
}

/// Resources of a basic selector.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Data {
    /// Such as `AWS::S3::Object`.
    pub kind: String,
    /// ARNs, for buckets with the beginning of the keys; `arn:aws:s3` is all of them.
    pub values: Vec<String>,
}

/// An advanced selector: all conditions hold for an event that it records.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Advanced {
    /// Its name.
    pub name: Option<String>,
    /// Its conditions.
    pub fields: Vec<Condition>,
}

/// A condition on one field of an event; each list that is not empty must hold.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Condition {
    /// Such as `eventCategory`.
    pub field: String,
    /// It is one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub equals: Vec<String>,
    /// It begins with one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub starts_with: Vec<String>,
    /// It ends with one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ends_with: Vec<String>,
    /// It is none of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_equals: Vec<String>,
    /// It begins with none of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_starts_with: Vec<String>,
    /// It ends with none of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_ends_with: Vec<String>,
}

/// Conditions that an event meets, all of them.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Scope(Vec<Condition>);

const READ_ONLY: &str = "readOnly";
const CATEGORY: &str = "eventCategory";

impl Selectors {
    /// What these record no longer, of what others recorded: one clause each, for people.
    #[must_use]
    pub fn lost_since(&self, before: &Self) -> Vec<String> {
        let now = self.scopes();
        let lost = before.scopes().into_iter().filter(|then| !now.iter().any(|scope| scope.covers(then)));
        let mut lost: Vec<String> = lost.map(|scope| scope.words()).collect();
        lost.dedup();
        lost
    }

    /// Whether no event at all is recorded.
    #[must_use]
    pub fn record_nothing(&self) -> bool {
        self.scopes().is_empty()
    }

    /// Whether management events are recorded, but not the ones that change something.
    #[must_use]
    pub fn record_no_changes(&self) -> bool {
        let of = |read: &str| {
            let wanted = Scope(vec![equal(CATEGORY, "Management"), equal(READ_ONLY, read)]);
            self.scopes().iter().any(|scope| wanted.covers(scope))
        };
        of("true") && !of("false")
    }

    /// In a few words.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words: Vec<String> = self.scopes().iter().map(Scope::words).collect();
        words.dedup();
        if words.is_empty() { "no event".to_owned() } else { words.join("; ") }
    }

    fn scopes(&self) -> Vec<Scope> {
        let advanced = self.advanced.iter().map(|selector| Scope(selector.fields.clone()));
        let basic = self.basic.iter().flat_map(of_basic);
        advanced.chain(basic).flat_map(Scope::by_read_only).collect()
    }
}

fn equal(field: &str, value: &str) -> Condition {
    Condition { field: field.to_owned(), equals: vec![value.to_owned()], ..Condition::default() }
}

/// A basic selector in the words of advanced ones, one scope for each resource.
fn of_basic(selector: &Basic) -> Vec<Scope> {
    let read_only = match selector.read_write.as_str() {
        "ReadOnly" => Some(equal(READ_ONLY, "true")),
        "WriteOnly" => Some(equal(READ_ONLY, "false")),
        _ => None,
    };
    let mut scopes = Vec::new();
    if selector.management {
        let mut fields = vec![equal(CATEGORY, "Management")];
        if !selector.excluded.is_empty() {
            let not_equals = selector.excluded.clone();
            fields.push(Condition { field: "eventSource".to_owned(), not_equals, ..Condition::default() });
        }
        scopes.push(fields);
    }
    for data in &selector.data {
        for value in &data.values {
            let mut fields = vec![equal(CATEGORY, "Data"), equal("resources.type", &data.kind)];
            // `arn:aws:s3`, `arn:aws:lambda` and `arn:aws:dynamodb` stand for all resources.
            let all = value.trim_end_matches([':', '/']).matches(':').count() == 2;
            if !all {
                let arn = Condition { field: "resources.ARN".to_owned(), ..Condition::default() };
                fields.push(if data.kind == "AWS::S3::Object" {
                    Condition { starts_with: vec![value.clone()], ..arn }
                } else {
                    Condition { equals: vec![value.clone()], ..arn }
                });
            }
            scopes.push(fields);
        }
    }
    scopes.into_iter().map(|fields| Scope(fields.into_iter().chain(read_only.clone()).collect())).collect()
}

impl Scope {
    /// Apart for reads and writes, so that two selectors can together record what one did.
    fn by_read_only(self) -> Vec<Self> {
        let asked: Vec<&Condition> = self.0.iter().filter(|f| f.field == READ_ONLY).collect();
        let meets = |value: &str| asked.iter().all(|field| field.meets(value));
        let values = ["true", "false"].into_iter().filter(|value| meets(value));
        let rest: Vec<Condition> = self.0.iter().filter(|f| f.field != READ_ONLY).cloned().collect();
        values.map(|value| Self(rest.iter().cloned().chain([equal(READ_ONLY, value)]).collect())).collect()
    }

    /// Whether every event of another scope is surely one of this.
    fn covers(&self, other: &Self) -> bool {
        self.0
            .iter()
            .all(|wide| other.0.iter().any(|narrow| narrow.field == wide.field && wide.follows_from(narrow)))
    }

    fn words(&self) -> String {
        let mut parts: Vec<String> = self.0.iter().map(Condition::words).collect();
        parts.sort();
        parts.join(", ")
    }
}

impl Condition {
    /// Whether a value meets the condition.
    fn meets(&self, value: &str) -> bool {
        let any = |list: &[String], test: &dyn Fn(&str) -> bool| list.iter().any(|one| test(one));
        let some = |list: &[String], test: &dyn Fn(&str) -> bool| list.is_empty() || any(list, test);
        some(&self.equals, &|one| value == one)
            && some(&self.starts_with, &|one| value.starts_with(one))
            && some(&self.ends_with, &|one| value.ends_with(one))
            && !any(&self.not_equals, &|one| value == one)
            && !any(&self.not_starts_with, &|one| value.starts_with(one))
            && !any(&self.not_ends_with, &|one| value.ends_with(one))
    }

    /// Whether the condition surely holds where another one of the same field does.
    fn follows_from(&self, narrow: &Self) -> bool {
        if !narrow.equals.is_empty() {
            return narrow.equals.iter().filter(|value| narrow.meets(value)).all(|value| self.meets(value));
        }
        let within = |wide: &[String], narrow: &[String], test: fn(&str, &str) -> bool| {
            wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|n| wide.iter().any(|w| test(n, w))))
        };
        let kept = |wide: &[String], narrow: &[String]| wide.iter().all(|value| narrow.contains(value));
        self.equals.is_empty()
            && within(&self.starts_with, &narrow.starts_with, |n, w| n.starts_with(w))
            && within(&self.ends_with, &narrow.ends_with, |n, w| n.ends_with(w))
            && kept(&self.not_equals, &narrow.not_equals)
            && kept(&self.not_starts_with, &narrow.not_starts_with)
            && kept(&self.not_ends_with, &narrow.not_ends_with)
    }

    fn words(&self) -> String {
        let parts = [
            ("", &self.equals),
            ("begins with ", &self.starts_with),
            ("ends with ", &self.ends_with),
            ("is not ", &self.not_equals),
            ("does not begin with ", &self.not_starts_with),
            ("does not end with ", &self.not_ends_with),
        ];
        let said = parts.iter().filter(|(_, values)| !values.is_empty());
        let said: Vec<String> = said.map(|(verb, values)| format!("{verb}{}", values.join(" or "))).collect();
        match (self.field.as_str(), said.join(" and ").as_str()) {
            (READ_ONLY, "true") => "reads".to_owned(),
            (READ_ONLY, "false") => "writes".to_owned(),
            (CATEGORY, value) => format!("{value} events"),
            (field, value) => format!("{field} {value}"),
        }
    }
}

#[cfg(test)]
#[path = "selectors_tests.rs"]
mod tests;
