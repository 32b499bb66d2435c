//! What to do about an instance. Pure: no client, no clock, no environment.
//!
//! Every step is decided from what is there now: one that is done already is not in the plan, so the same decision
//! after the changes is the proof that they hold.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tourniquet::plan::{Change as _, Recorded, Step as Planned};
use tourniquet::{Lead, Outcome, Ruling, Standing, Verdict};

use crate::change::Change;
use crate::event::Detail;
use crate::observation::{Group, Observation, Rest, State};
use crate::settings::{AutoScaling, Settings, Step};

/// Tag with the id of the finding.
pub(crate) const TAG_FINDING: &str = "tourniquet:finding";
/// Tag with the id of the record.
pub(crate) const TAG_RECORD: &str = "tourniquet:record";
/// Tag with the time of the containment.
pub(crate) const TAG_TIME: &str = "tourniquet:time";
/// Tag with the groups of each interface before.
pub(crate) const TAG_GROUPS: &str = "tourniquet:groups";

/// AWS's limits on tags: 50 for each resource, not counting those of AWS; 256 characters for a value.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>
const TAGS: usize = 50;
const TAG_VALUE: usize = 256;

/// The waves of a plan.
mod wave {
    /// What isolation needs first.
    pub(super) const CUT: u8 = 0;
    /// Containment.
    pub(super) const ISOLATE: u8 = 1;
    /// What must come before the stop.
    pub(super) const EVIDENCE: u8 = 2;
    /// The stop.
    pub(super) const STOP: u8 = 3;
    /// What nothing depends on.
    pub(super) const MARK: u8 = 4;
}

/// Decides about one instance.
pub(crate) fn decide(
    lead: &Lead<Detail>,
    seen: &Observation,
    settings: &Settings,
    now: Timestamp,
    standing: &Standing,
) -> Verdict<Change> {
    if let Some(reason) = settings.protection(&lead.subject, &seen.tags) {
        let why =
            format!("{} on a PROTECTED instance: {reason}; a human must look at it now", lead.detail.kind);
        return Verdict::new(Ruling::Leave(Outcome::Exempt), why);
    }
    if seen.state == State::Terminated {
        return Verdict::new(Ruling::Leave(Outcome::Gone), "the instance is terminated or about to be");
    }
    let ours = standing.begun || standing.contained_before;
    if !ours && matches!(seen.state, State::Stopping | State::Stopped) {
        return Verdict::new(Ruling::Safe, "the instance is not running");
    }
    let failed = &standing.failed;
    let mut plan =
        Plan { lead, seen, settings, now, failed, steps: Vec::new(), notes: Vec::new(), wait: None };
    plan.isolate();
    if standing.unrecorded {
        plan.mark_groups();
    }
    if let Some(rest) = &seen.rest {
        plan.evidence(rest);
        plan.stop(rest);
        plan.marks(rest);
        plan.role(rest);
    }
    let Plan { steps, notes, wait, .. } = plan;
    let why = format!("GuardDuty: {} (severity {})", lead.detail.kind, lead.detail.severity);
    let verdict = match (steps.is_empty(), wait) {
        (false, _) => Verdict::new(Ruling::Act(steps), why),
        (true, Some(wait)) => Verdict::new(Ruling::Wait, wait),
        (true, None) => Verdict::new(Ruling::Safe, "isolated, and every step of the response is done"),
    };
    verdict.with_notes(notes)
}

/// The changes of a run that the journal did not take, from the marks that it left on the instance.
pub(crate) fn recover(lead: &Lead<Detail>, seen: &Observation) -> Vec<Recorded> {
    let ours = seen.tags.get(TAG_FINDING) == Some(&lead.detail.finding) && seen.tags.contains_key(TAG_RECORD);
    let Some(isolation) = seen.isolation.as_ref().filter(|_| ours) else { return Vec::new() };
    let groups = seen.tags.get(TAG_GROUPS).map(String::as_str).unwrap_or_default();
    let isolated = groups.split_whitespace().filter_map(|part| {
        let (interface, before) = part.split_once('=')?;
        let before = before.split('+').map(str::to_owned).collect();
        Some(Change::Isolate { interface: interface.to_owned(), group: isolation.id.clone(), before })
    });
    let stopped = matches!(seen.state, State::Stopping | State::Stopped);
    let stopped = stopped.then_some(Change::Stop { hibernate: false });
    let tagged = seen.tags.get(TAG_TIME).and_then(|at| at.parse().ok()).map(|at| Change::Tag { at });
    let marked = (!groups.is_empty()).then(|| Change::MarkGroups { groups: groups.to_owned() });
    isolated.chain(stopped).chain(tagged).chain(marked).map(|change| Recorded::of(&change)).collect()
}

struct Plan<'a> {
    lead: &'a Lead<Detail>,
    seen: &'a Observation,
    settings: &'a Settings,
    now: Timestamp,
    failed: &'a BTreeSet<String>,
    steps: Vec<Planned<Change>>,
    notes: Vec<String>,
    wait: Option<String>,
}

impl Plan<'_> {
    fn wants(&self, step: Step) -> bool {
        self.settings.steps_for(&self.lead.detail.kind).contains(&step)
    }

    fn add(&mut self, wave: u8, change: Change) {
        self.steps.push(Planned::new(wave, change));
    }

    /// Every interface into the isolation group, which is made, emptied and only then trusted.
    fn isolate(&mut self) {
        if !self.wants(Step::Isolate) {
            return;
        }
        let Some(isolation) = &self.seen.isolation else {
            let (vpc, name) = (self.seen.vpc.clone(), self.settings.isolation_group.clone());
            let interfaces: Vec<&str> = self.seen.interfaces.iter().map(|i| i.id.as_str()).collect();
            self.notes
                .push(format!("as soon as the isolation group exists, {} go into it", interfaces.join(", ")));
            self.add(wave::CUT, Change::CreateIsolationGroup { vpc, name });
            self.make_passage();
            return;
        };
        if !isolation.rules.is_empty() {
            let (group, rules) = (isolation.id.clone(), isolation.rules.clone());
            self.add(wave::ISOLATE, Change::EmptyIsolationGroup { group, rules });
        }
        if self.seen.exposed().next().is_none() {
            return;
        }
        if self.make_passage() {
            return;
        }
        self.pass();
        for interface in self.seen.exposed() {
            self.steps.push(Planned::new(
                wave::ISOLATE,
                Change::Isolate {
                    interface: interface.id.clone(),
                    group: isolation.id.clone(),
                    before: interface.groups.clone(),
                },
            ));
        }
        if !self.settings.cut_connections {
            self.notes.push(
                "connections that were open before survive the change of groups until the instance stops \
                 (AWS tracks connections)"
                    .to_owned(),
            );
        }
    }

    /// The group that makes connections untracked. With other rules than everything some of them stay tracked, and somebody
    /// may have closed it: `revoke-open-ingress` does.
    fn passage(&self) -> Option<&Group> {
        self.seen.untracked.as_ref().filter(|group| group.lets_everything_in())
    }

    /// Whether isolation waits for the passage. It does not where none is wanted, where it is there, and where making it failed.
    fn make_passage(&mut self) -> bool {
        if !self.settings.cut_connections || self.passage().is_some() {
            return false;
        }
        let (vpc, name) = (self.seen.vpc.clone(), untracked_name(self.settings));
        let change = Change::CreateUntrackedGroup { vpc, name };
        if self.failed.contains(&change.key()) {
            self.notes.push(
                "open connections are not cut: the group that they would pass cannot be made".to_owned(),
            );
            return false;
        }
        self.add(wave::CUT, change);
        true
    }

    /// Every interface through the passage.
    fn pass(&mut self) {
        if !self.settings.cut_connections {
            return;
        }
        let Some(group) = self.passage().map(|group| group.id.clone()) else { return };
        for interface in self.seen.exposed().filter(|i| i.groups != [group.clone()]) {
            self.steps.push(Planned::new(
                wave::CUT,
                Change::Untrack {
                    interface: interface.id.clone(),
                    group: group.clone(),
                    before: interface.groups.clone(),
                },
            ));
        }
    }

    /// Who would replace the instance, and what would delete its evidence.
    fn evidence(&mut self, rest: &Rest) {
        if self.wants(Step::Detach) && self.manager().is_none() {
            self.leave_auto_scaling(rest);
        }
        if self.wants(Step::Deregister) {
            for target in &rest.targets {
                self.add(wave::EVIDENCE, Change::DeregisterTarget { target: target.clone() });
            }
            for balancer in &rest.classic {
                self.add(wave::EVIDENCE, Change::DeregisterClassic { balancer: balancer.clone() });
            }
        }
        if self.wants(Step::Protect) {
            if self.seen.spot {
                self.notes.push("Spot instances cannot be protected from termination".to_owned());
            } else if !rest.termination_protected {
                self.add(wave::EVIDENCE, Change::ProtectTermination);
            }
            for volume in self.seen.volumes.iter().filter(|v| v.delete_on_termination) {
                let (device, volume) = (volume.device.clone(), volume.id.clone());
                self.steps.push(Planned::new(wave::EVIDENCE, Change::KeepVolume { device, volume }));
            }
        }
        if self.wants(Step::Snapshot) {
            let volumes: Vec<String> = self.seen.volumes.iter().map(|v| v.id.clone()).collect();
            if !volumes.is_empty() && !volumes.iter().all(|v| rest.snapshotted.contains(v)) {
                self.add(wave::EVIDENCE, Change::Snapshot { volumes });
            }
        }
    }

    /// AWS detaches only members in service or in standby.
    fn leave_auto_scaling(&mut self, rest: &Rest) {
        let Some(member) = &rest.member else { return };
        let group = member.group.clone();
        match (member.lifecycle.as_str(), self.settings.auto_scaling) {
            ("Standby" | "EnteringStandby", AutoScaling::Standby) => {}
            ("InService", AutoScaling::Standby) => self.add(wave::EVIDENCE, Change::Standby { group }),
            ("InService" | "Standby", AutoScaling::Detach) => self.add(wave::EVIDENCE, Change::Detach { group }),
            (state, _) if state.starts_with("Terminating") => self.notes.push(format!(
                "the Auto Scaling group {group} is terminating the instance ({state}): its evidence goes with it"
            )),
            (state, _) => self.wait = Some(format!("{state} in the Auto Scaling group {group}: it cannot be detached yet")),
        }
    }

    fn stop(&mut self, rest: &Rest) {
        if !self.wants(Step::Stop) || matches!(self.seen.state, State::Stopping | State::Stopped) {
            return;
        }
        let cannot = if let Some(manager) = self.manager() {
            Some(format!(
                "it is a member of {manager}, which would replace a stopped member and its evidence"
            ))
        } else if rest.one_time_spot {
            Some("AWS cannot stop a one-time Spot instance".to_owned())
        } else if !self.seen.ebs_root {
            Some("AWS cannot stop an instance with an instance store root".to_owned())
        } else if rest.stop_protected {
            Some("it is protected from being stopped (disableApiStop)".to_owned())
        } else {
            None
        };
        if let Some(reason) = cannot {
            self.notes.push(format!("isolated but not stopped: {reason}"));
            return;
        }
        if self.seen.state == State::Pending {
            self.wait = Some("the instance is still starting: it cannot be stopped yet".to_owned());
            return;
        }
        if self.wait.is_some() {
            return;
        }
        // A stopped member is replaced and terminated, so no stop unless it has left its group.
        let detach = self
            .steps
            .iter()
            .map(|s| &s.change)
            .filter(|c| matches!(c, Change::Detach { .. } | Change::Standby { .. }));
        let needs: Vec<String> = detach.map(tourniquet::Change::key).collect();
        let hibernate = self.settings.hibernate && self.seen.can_hibernate;
        self.steps.push(Planned::new(wave::STOP, Change::Stop { hibernate }).after(needs));
    }

    fn marks(&mut self, rest: &Rest) {
        if self.settings.revoke_role_sessions
            && let Some(role) = rest.role.as_ref().filter(|r| !r.revoked)
        {
            // IAM compares whole seconds.
            let before = Timestamp::from_second(self.now.as_second()).unwrap_or(self.now);
            let role = role.name.clone();
            self.add(wave::MARK, Change::RevokeSessions { role, before });
        }
        let tagged = self.seen.tags.get(TAG_FINDING) == Some(&self.lead.detail.finding);
        if !self.wants(Step::Tag) || tagged {
            return;
        }
        let new =
            [TAG_FINDING, TAG_RECORD, TAG_TIME].iter().filter(|t| !self.seen.tags.contains_key(**t)).count();
        let own = self.seen.tags.keys().filter(|key| !key.starts_with("aws:")).count();
        if own + new > TAGS {
            self.notes.push(format!("not tagged: the instance has {own} of at most {TAGS} tags"));
            return;
        }
        self.add(wave::MARK, Change::Tag { at: self.now });
    }

    /// Without a journal, what was there before goes onto the instance, from which the retry makes the record.
    fn mark_groups(&mut self) {
        let parts = self.seen.exposed().map(|i| format!("{}={}", i.id, i.groups.join("+")));
        let groups = parts.collect::<Vec<_>>().join(" ");
        if groups.is_empty() || self.seen.isolation.is_none() {
            return;
        }
        if groups.len() > TAG_VALUE {
            self.notes.push(format!("the groups before do not fit into a tag; they were: {groups}"));
            return;
        }
        self.add(wave::MARK, Change::MarkGroups { groups });
    }

    fn role(&mut self, rest: &Rest) {
        self.notes.extend(rest.unread.iter().cloned());
        let Some(role) = &rest.role else { return };
        let shared = match role.shared_with.as_slice() {
            [] => "no other instance has it".to_owned(),
            others => format!("shared with {}", others.join(", ")),
        };
        self.notes.push(format!(
            "the credentials of its role {} may be stolen ({shared}); sessions {}",
            role.name,
            if role.revoked || self.settings.revoke_role_sessions {
                "are revoked"
            } else {
                "are not revoked, see `revoke_role_sessions`"
            }
        ));
    }

    /// What manages the instance and would replace it, by the tags that its manager gives it.
    fn manager(&self) -> Option<&'static str> {
        const MARKS: [(&str, &str); 7] = [
            ("karpenter.sh/", "a Karpenter node pool"),
            ("eks:cluster-name", "an EKS cluster"),
            ("eks:nodegroup-name", "an EKS node group"),
            ("kubernetes.io/cluster/", "a Kubernetes cluster"),
            ("aws:elasticmapreduce:job-flow-id", "an EMR cluster"),
            ("aws:ecs:clusterName", "an ECS cluster"),
            ("AmazonECSManaged", "an ECS capacity provider"),
        ];
        MARKS
            .iter()
            .find(|(mark, _)| self.seen.tags.keys().any(|key| key.starts_with(mark)))
            .map(|(_, name)| *name)
    }
}

/// The name of the group through which connections are cut.
pub(crate) fn untracked_name(settings: &Settings) -> String {
    format!("{}-untracked", settings.isolation_group)
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "property_tests.rs"]
mod property;
