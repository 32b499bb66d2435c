//! What to do about a security group. Pure: no client, no clock, no environment.
//!
//! Every step is decided from the rules that are there now, so the same decision after the changes is the proof that they
//! hold: that nothing is open any more, and that what was to be added is there.

use std::collections::{BTreeMap, BTreeSet};

use tourniquet::exemption::Exemption;
use tourniquet::plan::{Recorded, Step};
use tourniquet::{Lead, Outcome, Ruling, Standing, Verdict};

use crate::change::{Change, Purpose};
use crate::event::Detail;
use crate::exposure::{Exposure, judge};
use crate::manager::manager;
use crate::observation::Observation;
use crate::plan::Plan;
use crate::rule::{Port, Rule};
use crate::scope::{self, Scope};
use crate::settings::{Answer, Settings};

/// AWS tracks connections: a rule that goes ends none of them.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html>
const SESSIONS: &str = "sessions that are open already stay open until they end or time out: AWS tracks connections; a network ACL cuts \
                        them. Session Manager and EC2 Instance Connect Endpoint reach instances without an open port";

/// Decides about one security group.
pub(crate) fn decide(
    lead: &Lead<Detail>,
    seen: &Observation,
    settings: &Settings,
    standing: &Standing,
) -> Verdict<Change> {
    let (scopes, mut notes) = scopes(lead, standing);
    let spared = |rule: &Rule, port| scopes.iter().any(|(scope, _)| scope.covers(rule, port));
    let exposure = exposure(seen, settings, standing, spared);
    let why = exposure.findings.join("; ");
    if !exposure.closed.is_empty()
        && settings.managed_groups == Answer::Report
        && let Some(manager) = manager(seen)
    {
        let why = format!(
            "{why}; the group is run by {manager}, which would put the rule back: see `managed_groups`"
        );
        return Verdict::new(Ruling::Leave(Outcome::Observed), why).with_notes(notes);
    }
    let mut plan = Plan::new(seen, settings, &exposure, &standing.planned);
    // What stays of a rule that is gone comes before what is allowed instead of one: it decides what is harmless.
    plan.complete(&standing.planned, Purpose::Piece);
    plan.close();
    plan.complete(&standing.planned, Purpose::Replacement);
    let (steps, held) = plan.end(&mut notes);
    if !exposure.closed.is_empty() {
        let kept = left_open(seen, settings, &scopes).into_iter().map(|(_, exemption)| exemption);
        notes.extend(kept.map(|e| format!("{} stays open: {e}", e.scope.as_deref().unwrap_or_default())));
    }
    notes.extend(exposure.large.iter().map(|large| format!("{large}: see `large_blocks`")));
    if steps.iter().any(|step| matches!(step.change, Change::Revoke { .. })) {
        notes.push(SESSIONS.to_owned());
    }
    let (ruling, why) = match steps.is_empty() {
        false if why.is_empty() => (Ruling::Act(steps), "what was to be added is not there".to_owned()),
        false => (Ruling::Act(steps), why),
        true => nothing_to_do(seen, settings, standing, &exposure, &scopes, held),
    };
    Verdict::new(ruling, why).with_notes(notes)
}

/// What is open, and what was to be revoked and is still there: of two pieces of the world one alone may be none, and which
/// of them stays is not left to chance. The rest is judged without it, so that nothing else goes in its place.
fn exposure(
    seen: &Observation,
    settings: &Settings,
    standing: &Standing,
    spared: impl Fn(&Rule, Port) -> bool,
) -> Exposure {
    let planned = still_to_revoke(seen, settings, standing, &spared);
    let all = judge(&seen.rules, seen, settings, &spared);
    if planned.is_empty() {
        return all;
    }
    let goes = |rule: &Rule, port| {
        planned.get(&rule.id).is_some_and(|ports| settings.leaves_nothing(&rule.access, ports, port))
    };
    let mut exposure =
        judge(&seen.rules, seen, settings, |rule, port| spared(rule, port) || goes(rule, port));
    exposure.unread = all.unread;
    for (id, ports) in &planned {
        exposure.closed.entry(id.clone()).or_default().extend(ports);
    }
    if exposure.closed == all.closed {
        exposure.findings = all.findings;
    } else {
        let left = seen.rules.iter().filter(|rule| planned.contains_key(&rule.id));
        let left = left.map(|rule| format!("{} was to be revoked and is still there", rule.access));
        exposure.findings.extend(left);
    }
    exposure
}

/// The rules that earlier attempts were to revoke and that are as they were, with the ports that were to be closed.
fn still_to_revoke(
    seen: &Observation,
    settings: &Settings,
    standing: &Standing,
    spared: impl Fn(&Rule, Port) -> bool,
) -> BTreeMap<String, BTreeSet<Port>> {
    let mut planned: BTreeMap<String, BTreeSet<Port>> = BTreeMap::new();
    for (rule, ports) in revocations(&standing.planned) {
        if !seen.rules.iter().any(|live| live.id == rule.id && live.access == rule.access) {
            continue;
        }
        let open = |port: &Port| settings.guarded().any(|guarded| guarded == *port) && !spared(&rule, *port);
        let ports: Vec<Port> = ports.into_iter().filter(open).collect();
        if !ports.is_empty() {
            planned.entry(rule.id).or_default().extend(ports);
        }
    }
    planned
}

/// The revocations that are on record, with the ports that they were to close.
pub(crate) fn revocations(planned: &[Recorded]) -> impl Iterator<Item = (Rule, Vec<Port>)> + '_ {
    planned.iter().filter_map(|recorded| match serde_json::from_value(recorded.change.clone()) {
        Ok(Change::Revoke { rule, closes, .. }) => {
            Some((rule, closes.iter().filter_map(|text| scope::port(text)).collect()))
        }
        _ => None,
    })
}

/// Nothing is to be changed: because nothing is open, or in spite of it.
fn nothing_to_do(
    seen: &Observation,
    settings: &Settings,
    standing: &Standing,
    exposure: &Exposure,
    scopes: &[(Scope, &Exemption)],
    held: bool,
) -> (Ruling<Change>, String) {
    let begun = standing.begun;
    if held {
        let outcome = if begun { Outcome::Partial } else { Outcome::Observed };
        let why = format!(
            "{}; the group has no room for what would have to stay: see `no_room`",
            exposure.findings.join("; ")
        );
        return (Ruling::Leave(outcome), why);
    }
    if !exposure.unread.is_empty() {
        let outcome = if begun { Outcome::Partial } else { Outcome::Failed };
        let what: Vec<&str> = exposure.unread.iter().map(|unread| unread.0.as_str()).collect();
        let why = format!("a guarded port is open to what cannot be read: {}", what.join(", "));
        return (Ruling::Leave(outcome), why);
    }
    let safe = (Ruling::Safe, "no guarded port is open to the world".to_owned());
    // What is exempt, or large, is no reason to call what was changed anything but contained.
    if begun {
        return safe;
    }
    if let Some((findings, exemption)) = left_open(seen, settings, scopes).into_iter().next() {
        return (Ruling::Leave(Outcome::Exempt), format!("{findings}; {exemption}"));
    }
    if exposure.large.is_empty() {
        return safe;
    }
    let why = format!("{}: reported only, see `large_blocks`", exposure.large.join("; "));
    (Ruling::Leave(Outcome::Observed), why)
}

/// What would be wrong without them, and each exemption that keeps something open.
fn left_open<'a>(
    seen: &Observation,
    settings: &Settings,
    scopes: &[(Scope, &'a Exemption)],
) -> Vec<(String, &'a Exemption)> {
    if scopes.is_empty() {
        return Vec::new();
    }
    let all = judge(&seen.rules, seen, settings, |_, _| false);
    let keeps = |scope: &Scope| {
        let mut open = seen.rules.iter().filter_map(|rule| Some((rule, all.closed.get(&rule.id)?)));
        open.any(|(rule, ports)| ports.iter().any(|port| scope.covers(rule, *port)))
    };
    let kept = scopes.iter().filter(|(scope, _)| keeps(scope));
    kept.map(|(_, exemption)| (all.findings.join("; "), *exemption)).collect()
}

/// The exemptions of parts of the group, and notes on those that cannot be read.
fn scopes<'a>(lead: &Lead<Detail>, standing: &'a Standing) -> (Vec<(Scope, &'a Exemption)>, Vec<String>) {
    let mut scopes = Vec::new();
    let mut notes = Vec::new();
    for exemption in &standing.scoped {
        let Some(text) = exemption.scope.as_deref() else { continue };
        match Scope::parse(text) {
            Some(scope) => scopes.push((scope, exemption)),
            // One for this very cause covers all of the group, and is not ours to judge.
            None if text == lead.cause.key => {}
            None => notes.push(format!(
                "an exemption with the scope {text:?} is not honoured here: {}; {exemption}",
                scope::FORM
            )),
        }
    }
    (scopes, notes)
}

/// The waves of a plan.
pub(crate) mod wave {
    /// What stays is there before the whole goes.
    pub(crate) const ADD: u8 = 0;
    /// Containment.
    pub(crate) const REVOKE: u8 = 1;
}

/// A step of a plan.
pub(crate) type Planned = Step<Change>;

#[cfg(test)]
#[path = "decide_tests.rs"]
pub(crate) mod tests;

#[cfg(test)]
#[path = "property_tests.rs"]
mod property;

#[cfg(test)]
#[path = "innocent_tests.rs"]
mod innocents;
