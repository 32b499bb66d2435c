//! Which buckets an event names: API calls, Config, GuardDuty, Macie, Access Analyzer, Trusted Advisor. Pure.
//!
//! An event says where to look and never what is there: its text, severity and verdict are not read. Names become parts of
//! requests, so none passes that is not one.

mod api;
mod bucket;
mod findings;

use serde::{Deserialize, Serialize};
use tourniquet::actor::Actor;
use tourniquet::cloudtrail;
use tourniquet::config_rule::ComplianceChange;
use tourniquet::error::Error;
use tourniquet::event::Event;
use tourniquet::{Cause, Config, Lead, Place, Subjects};

use crate::settings::Settings;
use bucket::Name;

/// What a lead is about.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "about", rename_all = "kebab-case")]
pub enum Detail {
    /// A bucket, by its name.
    Bucket,
    /// The Block Public Access of an account, by the account's id.
    Account,
    /// An access point whose event does not name the bucket; it stands for its bucket, which only AWS knows.
    Point {
        /// The access point's name.
        name: String,
    },
}

/// The rules of AWS Config that tell of public buckets, by the beginning of their names; Security Hub puts its own before.
const RULES: [&str; 2] = ["s3-bucket-public-read-prohibited", "s3-bucket-public-write-prohibited"];

/// The subjects of an event.
pub(crate) fn subjects(event: &Event, config: &Config<Settings>) -> Result<Subjects<Detail>, Error> {
    match (event.source(), event.detail_type()) {
        (_, cloudtrail::DETAIL_TYPE) => api::subjects(event, config),
        ("aws.config", "Config Rules Compliance Change") => compliance(event),
        ("aws.guardduty", "GuardDuty Finding") => findings::guardduty(event),
        ("aws.macie", "Macie Finding") => findings::macie(event),
        ("aws.access-analyzer", "Access Analyzer Finding") => findings::access_analyzer(event),
        ("aws.trustedadvisor", "Trusted Advisor Check Item Refresh Notification") => {
            findings::trusted_advisor(event)
        }
        (source, kind) => ignored(format!("{kind} from {source} is nothing that this function answers")),
    }
}

fn compliance(event: &Event) -> Result<Subjects<Detail>, Error> {
    let change = ComplianceChange::of(event)?;
    let rule = change.config_rule_name.trim_start_matches("securityhub-");
    if !RULES.iter().any(|prefix| rule.starts_with(prefix)) {
        return ignored(format!("the rule {} is not about public buckets", change.config_rule_name));
    }
    if change.resource_type != "AWS::S3::Bucket" {
        return ignored(format!("{} is no bucket", change.resource_type));
    }
    if !change.is_breach() {
        return ignored(format!("{} complies with {}", change.resource_id, change.config_rule_name));
    }
    // One exposure lasts until the next change of the verdict, which is another event.
    let cause = Cause { what: change.config_rule_name.clone(), key: key(event, &change.resource_id) };
    named(vec![(change.resource_id.clone(), "detail.resourceId")], &change.place(), &cause, &Actor::default())
}

/// One lead for each bucket that is one; if none is, why.
fn named(
    names: Vec<(String, &'static str)>,
    place: &Place,
    cause: &Cause,
    actor: &Actor,
) -> Result<Subjects<Detail>, Error> {
    let (mut leads, mut others) = (Vec::<Lead<Detail>>::new(), Vec::new());
    for (name, field) in names {
        match Name::of(&name, field)? {
            Name::Other(why) => others.push(why),
            Name::Bucket(name) if leads.iter().any(|lead| lead.subject == name) => {}
            Name::Bucket(name) => leads.push(lead(place, name, cause, actor, Detail::Bucket)),
        }
    }
    if !leads.is_empty() {
        return Ok(Subjects::Named(leads));
    }
    ignored(if others.is_empty() { format!("{} names no bucket", cause.what) } else { others.join("; ") })
}

fn lead(place: &Place, subject: String, cause: &Cause, actor: &Actor, detail: Detail) -> Lead<Detail> {
    Lead { place: place.clone(), subject, cause: cause.clone(), actor: actor.clone(), detail }
}

fn account(account: &str, place: &Place, cause: &Cause, actor: &Actor) -> Subjects<Detail> {
    Subjects::Named(vec![lead(place, account.to_owned(), cause, actor, Detail::Account)])
}

#[expect(clippy::unnecessary_wraps, reason = "what its callers end with")]
fn ignored(why: impl Into<String>) -> Result<Subjects<Detail>, Error> {
    Ok(Subjects::Ignored { why: why.into() })
}

/// The identity of an event that carries none of its own: the envelope's id, the same for every delivery.
fn key(event: &Event, otherwise: &str) -> String {
    event.id().map_or_else(|| otherwise.to_owned(), str::to_owned)
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
