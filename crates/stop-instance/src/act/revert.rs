//! Taking one change back, under the operator's credentials. What somebody else changed since stays as it is.

use std::time::Duration;

use aws_sdk_ec2::types::Tag;
use tourniquet::error::{Class, Error, aws};
use tourniquet::{Consent, Lead, Reverted, clock};

use super::observe::{is_balanced, is_registered, is_revoked, is_termination_protected, live, member};
use super::{Clients, apply, revocation};
use crate::change::Change;
use crate::decide::{TAG_FINDING, TAG_GROUPS, TAG_RECORD, TAG_TIME};
use crate::event::Detail;
use crate::observation::{Observation, State, Target};

/// How often a stop or a start that takes its time is looked at: three minutes in all, at least.
const LOOKS: u32 = 90;
/// The wait between two such looks.
const BETWEEN: Duration = Duration::from_secs(2);

/// Takes one change back.
pub(crate) async fn revert(
    clients: &Clients,
    lead: &Lead<Detail>,
    change: &Change,
    consent: Consent,
) -> Result<Reverted, Error> {
    let kept = |why: &str| Ok(Reverted::Kept(why.to_owned()));
    match change {
        Change::CreateIsolationGroup { .. } | Change::EmptyIsolationGroup { .. } => {
            return kept("the isolation group stays for the next time; it allows nothing");
        }
        Change::CreateUntrackedGroup { .. } => return kept("the group stays; nothing is in it"),
        Change::Untrack { .. } => return kept("the interface has passed through the group"),
        Change::Snapshot { .. } => return kept("the snapshots stay as evidence"),
        Change::RevokeSessions { role, .. } => return allow_sessions(clients, lead, role, consent).await,
        _ => {}
    }
    let Some(seen) = live(clients, lead).await? else {
        let found = "it does not exist any more".to_owned();
        return Ok(Reverted::Drifted { expected: format!("the instance {}", lead.subject), found });
    };
    of_instance(clients, lead, &seen, change, consent).await
}

async fn of_instance(
    clients: &Clients,
    lead: &Lead<Detail>,
    seen: &Observation,
    change: &Change,
    consent: Consent,
) -> Result<Reverted, Error> {
    let instance = lead.subject.as_str();
    match change {
        Change::Isolate { interface, group, before } => {
            let mut wanted = before.clone();
            wanted.sort();
            let found = interface_groups(clients, interface).await?;
            if found == wanted {
                return Ok(Reverted::AlreadyThere);
            }
            if found != std::slice::from_ref(group) {
                return Ok(Reverted::Drifted { expected: group.clone(), found: found.join(", ") });
            }
            consent.restore(apply::set_groups(clients, interface, before)).await
        }
        Change::Detach { group } => attach(clients, instance, group, consent).await,
        Change::Standby { group } => leave_standby(clients, instance, group, consent).await,
        Change::DeregisterTarget { target } => register(clients, target, consent).await,
        Change::DeregisterClassic { balancer } => {
            register_classic(clients, instance, balancer, consent).await
        }
        Change::ProtectTermination => {
            if !is_termination_protected(clients, instance).await? {
                return Ok(Reverted::AlreadyThere);
            }
            consent.restore(apply::set_termination_protection(clients, instance, false)).await
        }
        Change::KeepVolume { device, volume } => match seen.volumes.iter().find(|v| v.device == *device) {
            Some(v) if v.id == *volume && v.delete_on_termination => Ok(Reverted::AlreadyThere),
            Some(v) if v.id == *volume => {
                consent.restore(apply::set_delete_on_termination(clients, instance, device, true)).await
            }
            other => Ok(Reverted::Drifted {
                expected: volume.clone(),
                found: other.map_or_else(|| format!("nothing at {device}"), |v| v.id.clone()),
            }),
        },
        Change::Stop { .. } if matches!(seen.state, State::Running | State::Pending) => {
            Ok(Reverted::AlreadyThere)
        }
        Change::Stop { .. } => {
            let why = "the instance stays stopped: it is started only when that is asked for";
            consent.release(why, start(clients, lead)).await
        }
        Change::Tag { .. } | Change::MarkGroups { .. } => untag(clients, lead, seen, consent).await,
        // What is left was answered before the instance was looked at.
        _ => Ok(Reverted::AlreadyThere),
    }
}

/// AWS raises the desired capacity by one when an instance is attached.
async fn attach(clients: &Clients, instance: &str, group: &str, consent: Consent) -> Result<Reverted, Error> {
    match member(clients, instance).await? {
        Some(member) if member.group == group => Ok(Reverted::AlreadyThere),
        Some(member) => {
            Ok(Reverted::Drifted { expected: "no Auto Scaling group".to_owned(), found: member.group })
        }
        None => {
            let call = clients.auto_scaling.attach_instances().auto_scaling_group_name(group);
            let call = call.instance_ids(instance).send();
            consent
                .restore(async { call.await.map(drop).map_err(|e| aws("autoscaling:AttachInstances", e)) })
                .await
        }
    }
}

async fn leave_standby(
    clients: &Clients,
    instance: &str,
    group: &str,
    consent: Consent,
) -> Result<Reverted, Error> {
    match member(clients, instance).await? {
        Some(member) if member.group == group && member.lifecycle == "Standby" => {
            let call = clients.auto_scaling.exit_standby().auto_scaling_group_name(group);
            let call = call.instance_ids(instance).send();
            consent
                .restore(async { call.await.map(drop).map_err(|e| aws("autoscaling:ExitStandby", e)) })
                .await
        }
        Some(member) if member.group == group => Ok(Reverted::AlreadyThere),
        other => Ok(Reverted::Drifted {
            expected: format!("standby in {group}"),
            found: other.map_or_else(|| "no member".to_owned(), |m| m.group),
        }),
    }
}

async fn register(clients: &Clients, target: &Target, consent: Consent) -> Result<Reverted, Error> {
    if is_registered(clients, target).await? {
        return Ok(Reverted::AlreadyThere);
    }
    let call = clients.elb.register_targets().target_group_arn(&target.group);
    let call = call.targets(apply::description(target)).send();
    consent
        .restore(async { call.await.map(drop).map_err(|e| aws("elasticloadbalancing:RegisterTargets", e)) })
        .await
}

async fn register_classic(
    clients: &Clients,
    instance: &str,
    balancer: &str,
    consent: Consent,
) -> Result<Reverted, Error> {
    const CALL: &str = "elasticloadbalancing:RegisterInstancesWithLoadBalancer";
    if is_balanced(clients, instance, balancer).await? {
        return Ok(Reverted::AlreadyThere);
    }
    let one = aws_sdk_elasticloadbalancing::types::Instance::builder().instance_id(instance).build();
    let call = clients.classic.register_instances_with_load_balancer().load_balancer_name(balancer);
    let call = call.instances(one).send();
    consent.restore(async { call.await.map(drop).map_err(|e| aws(CALL, e)) }).await
}

/// Starts the instance and waits until it runs: Auto Scaling and load balancers take no other.
async fn start(clients: &Clients, lead: &Lead<Detail>) -> Result<(), Error> {
    reach(clients, lead, State::Stopped).await?;
    let answer = clients.ec2.start_instances().instance_ids(&lead.subject).send().await;
    answer.map_err(|e| aws("ec2:StartInstances", e))?;
    reach(clients, lead, State::Running).await
}

/// Waits until the instance is in a state: stops and starts take from seconds to minutes.
async fn reach(clients: &Clients, lead: &Lead<Detail>, wanted: State) -> Result<(), Error> {
    for _ in 0..LOOKS {
        if live(clients, lead).await?.is_some_and(|seen| seen.state == wanted) {
            return Ok(());
        }
        clock::pause(BETWEEN).await;
    }
    Err(Error::Aws {
        call: "ec2:DescribeInstances",
        code: "Timeout".to_owned(),
        message: format!("{} is not {wanted:?} after minutes", lead.subject),
        class: Class::Unavailable,
    })
}

async fn allow_sessions(
    clients: &Clients,
    lead: &Lead<Detail>,
    role: &str,
    consent: Consent,
) -> Result<Reverted, Error> {
    let finding = &lead.detail.finding;
    if !is_revoked(clients, role, finding).await? {
        return Ok(Reverted::AlreadyThere);
    }
    let call = clients.iam().delete_role_policy().role_name(role).policy_name(revocation(finding)).send();
    consent.restore(async { call.await.map(drop).map_err(|e| aws("iam:DeleteRolePolicy", e)) }).await
}

/// Takes our tags off, as long as they are of this finding.
async fn untag(
    clients: &Clients,
    lead: &Lead<Detail>,
    seen: &Observation,
    consent: Consent,
) -> Result<Reverted, Error> {
    const OURS: [&str; 4] = [TAG_FINDING, TAG_RECORD, TAG_TIME, TAG_GROUPS];
    if let Some(found) = seen.tags.get(TAG_FINDING).filter(|found| **found != lead.detail.finding) {
        return Ok(Reverted::Drifted { expected: lead.detail.finding.clone(), found: found.clone() });
    }
    if OURS.iter().all(|key| !seen.tags.contains_key(*key)) {
        return Ok(Reverted::AlreadyThere);
    }
    let keys = OURS.map(|key| Tag::builder().key(key).build());
    let call = clients.ec2.delete_tags().resources(&lead.subject).set_tags(Some(keys.to_vec())).send();
    consent.restore(async { call.await.map(drop).map_err(|e| aws("ec2:DeleteTags", e)) }).await
}

/// The groups of one interface, sorted.
async fn interface_groups(clients: &Clients, interface: &str) -> Result<Vec<String>, Error> {
    const CALL: &str = "ec2:DescribeNetworkInterfaces";
    let answer = clients
        .ec2
        .describe_network_interfaces()
        .network_interface_ids(interface)
        .send()
        .await
        .map_err(|e| aws(CALL, e))?;
    let found = answer
        .network_interfaces()
        .first()
        .ok_or(Error::Unexpected { call: CALL, missing: "the interface" })?;
    let mut groups: Vec<String> =
        found.groups().iter().filter_map(|g| g.group_id()).map(str::to_owned).collect();
    groups.sort();
    Ok(groups)
}
