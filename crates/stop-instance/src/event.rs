//! Which instances a finding names, and whether it is one to answer. Pure.

use serde::{Deserialize, Serialize};
use tourniquet::error::Error;
use tourniquet::event::Event;
use tourniquet::guardduty::Finding;
use tourniquet::{Cause, Lead, Place, Subjects};

use crate::settings::Settings;

/// What the room keeps of a finding.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Detail {
    /// The finding's id.
    pub finding: String,
    /// The finding's type.
    pub kind: String,
    /// Its severity.
    pub severity: f64,
}

/// The subjects of an event.
///
/// The gate: not archived, not a sample, the type is listed, the severity suffices, the instance is the actor.
pub(crate) fn subjects(event: &Event, settings: &Settings) -> Result<Subjects<Detail>, Error> {
    if event.detail_type() != "GuardDuty Finding" || event.source() != "aws.guardduty" {
        let why = format!("{} from {} is not a GuardDuty finding", event.detail_type(), event.source());
        return Ok(Subjects::Ignored { why });
    }
    let finding = Finding::of(event)?;
    let kind = finding.kind.clone().ok_or_else(|| Error::event("detail.type", "missing"))?;
    let ignored = |why: String| Ok(Subjects::Ignored { why });
    if finding.service.archived {
        return ignored(format!("the finding {kind} is archived"));
    }
    let named = named(&finding);
    let for_tests = !named.is_empty() && named.iter().all(|n| settings.samples_on.contains(&n.instance));
    if finding.is_sample() && !for_tests {
        return ignored(format!("{kind} is a sample finding"));
    }
    if !settings.answers(&kind) {
        return ignored(format!("the finding type {kind} is not in `finding_types`: it is not answered"));
    }
    let severity = finding.severity.ok_or_else(|| Error::event("detail.severity", "missing"))?;
    if severity < settings.min_severity {
        return ignored(format!("the severity {severity} of {kind} is below {}", settings.min_severity));
    }
    let role = finding.service.resource_role.as_deref().unwrap_or("TARGET");
    if !finding.is_sequence() && !settings.roles.iter().any(|r| r == role) {
        return ignored(format!("the instance is the {role} of {kind}: not one of the answered roles"));
    }
    if named.is_empty() {
        let resource = finding.resource.resource_type.as_deref().unwrap_or("nothing");
        return ignored(format!("{kind} is about {resource}, not about an instance"));
    }
    let id = finding.id.clone().ok_or_else(|| Error::event("detail.id", "missing"))?;
    let leads = named.into_iter().map(|n| {
        check_instance(&n.instance)?;
        Ok(Lead {
            place: place(event, &finding, n.account, n.region)?,
            subject: n.instance,
            cause: Cause { what: kind.clone(), key: id.clone() },
            actor: finding.actor(),
            detail: Detail { finding: id.clone(), kind: kind.clone(), severity },
        })
    });
    Ok(Subjects::Named(leads.collect::<Result<_, Error>>()?))
}

/// One instance that a finding names.
struct Named {
    instance: String,
    account: Option<String>,
    region: Option<String>,
}

/// The instances of a finding. What it is about is told by its resource type: samples and findings of other kinds
/// carry instances that have nothing to do with it.
fn named(finding: &Finding) -> Vec<Named> {
    if finding.is_sequence() {
        let mut instances: Vec<Named> = finding
            .sequence()
            .iter()
            .filter(|r| r.resource_type.as_deref() == Some("EC2_INSTANCE"))
            .filter_map(|r| {
                let instance = r.uid.as_ref()?.rsplit('/').next()?.to_owned();
                Some(Named { instance, account: r.account_id.clone(), region: r.region.clone() })
            })
            .collect();
        instances.sort_by(|a, b| a.instance.cmp(&b.instance));
        instances.dedup_by(|a, b| a.instance == b.instance);
        return instances;
    }
    let is_instance = finding.resource.resource_type.as_deref() == Some("Instance");
    let id = finding.resource.instance_details.instance_id.clone();
    match id {
        Some(instance) if is_instance => vec![Named { instance, account: None, region: None }],
        _ => Vec::new(),
    }
}

/// The owner's place: the finding's account and region win over the envelope's, which may be those of GuardDuty's
/// administrator.
fn place(
    event: &Event,
    finding: &Finding,
    account: Option<String>,
    region: Option<String>,
) -> Result<Place, Error> {
    let account = account
        .or_else(|| finding.account_id.clone())
        .or_else(|| event.account().map(str::to_owned))
        .ok_or_else(|| Error::event("detail.accountId", "missing"))?;
    let region = region
        .or_else(|| finding.region.clone())
        .or_else(|| event.region().map(str::to_owned))
        .ok_or_else(|| Error::event("detail.region", "missing"))?;
    Ok(Place { account, region })
}

fn check_instance(id: &str) -> Result<(), Error> {
    let digits = id.strip_prefix("i-").unwrap_or_default();
    if (8..=17).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(Error::event(
        "detail.resource.instanceDetails.instanceId",
        format!("{id:?} is not the id of an instance"),
    ))
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "innocent_tests.rs"]
mod innocents;
