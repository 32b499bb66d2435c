//! Taking one change back, under the operator's credentials. What somebody else changed since stays as it is.

use aws_sdk_ec2::types::Tag;
use tourniquet::error::{Class, Error, aws};
use tourniquet::{Consent, Lead, Reverted};

use super::observe::{is_termination_protected, live, member_of};
use super::{Clients, apply, revocation};
use crate::change::Change;
use crate::decide::{TAG_FINDING, TAG_GROUPS, TAG_RECORD, TAG_TIME};
use crate::event::Detail;
use crate::observation::{State, Target};

/// Takes one change back.
pub(crate) async fn revert(
    clients: &Clients,
    lead: &Lead<Detail>,
    change: &Change,
    consent: Consent,
) -> Result<Reverted, Error> {
    let instance = lead.subject.as_str();
    let kept = |why: &str| Ok(Reverted::Kept(why.to_owned()));
    match change {
        Change::CreateIsolationGroup { .. } | Change::EmptyIsolationGroup { .. } => {
            kept("the isolation group stays for the next time; it allows nothing")
        }
        Change::CreateUntrackedGroup { .. } => kept("the group stays; nothing is in it"),
        Change::Untrack { .. } => kept("the interface has passed through the group"),
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
            apply::set_groups(clients, interface, before).await?;
            Ok(Reverted::Restored)
        }
        Change::Detach { group } => attach(clients, instance, group).await,
        Change::Standby { group } => leave_standby(clients, instance, group).await,
        Change::DeregisterTarget { target } => register(clients, target).await,
        Change::DeregisterClassic { balancer } => clients
            .classic
            .register_instances_with_load_balancer()
            .load_balancer_name(balancer)
            .instances(aws_sdk_elasticloadbalancing::types::Instance::builder().instance_id(instance).build())
            .send()
            .await
            .map(|_| Reverted::Restored)
            .map_err(|e| aws("elasticloadbalancing:RegisterInstancesWithLoadBalancer", e)),
        Change::ProtectTermination => {
            if !is_termination_protected(clients, instance).await? {
                return Ok(Reverted::AlreadyThere);
            }
            apply::set_termination_protection(clients, instance, false).await?;
            Ok(Reverted::Restored)
        }
        Change::KeepVolume { device, volume } => {
            let (_, _, volumes) = live(clients, lead).await?;
            match volumes.iter().find(|v| v.device == *device) {
                Some(v) if v.id == *volume && v.delete_on_termination => Ok(Reverted::AlreadyThere),
                Some(v) if v.id == *volume => {
                    apply::set_delete_on_termination(clients, instance, device, true).await?;
                    Ok(Reverted::Restored)
                }
                other => Ok(Reverted::Drifted {
                    expected: volume.clone(),
                    found: other.map_or_else(|| format!("nothing at {device}"), |v| v.id.clone()),
                }),
            }
        }
        Change::Snapshot { .. } => kept("the snapshots stay as evidence"),
        Change::Stop { .. } => start(clients, lead, consent).await,
        Change::RevokeSessions { role, .. } => allow_sessions(clients, lead, role).await,
        Change::Tag { .. } | Change::MarkGroups { .. } => untag(clients, lead).await,
    }
}

/// AWS raises the desired capacity by one when an instance is attached.
async fn attach(clients: &Clients, instance: &str, group: &str) -> Result<Reverted, Error> {
    match member_of(clients, instance).await? {
        Some(member) if member.group == group => Ok(Reverted::AlreadyThere),
        Some(member) => {
            Ok(Reverted::Drifted { expected: "no Auto Scaling group".to_owned(), found: member.group })
        }
        None => clients
            .auto_scaling
            .attach_instances()
            .auto_scaling_group_name(group)
            .instance_ids(instance)
            .send()
            .await
            .map(|_| Reverted::Restored)
            .map_err(|e| aws("autoscaling:AttachInstances", e)),
    }
}

async fn leave_standby(clients: &Clients, instance: &str, group: &str) -> Result<Reverted, Error> {
    match member_of(clients, instance).await? {
        Some(member) if member.group == group && member.lifecycle == "Standby" => clients
            .auto_scaling
            .exit_standby()
            .auto_scaling_group_name(group)
            .instance_ids(instance)
            .send()
            .await
            .map(|_| Reverted::Restored)
            .map_err(|e| aws("autoscaling:ExitStandby", e)),
        Some(member) if member.group == group => Ok(Reverted::AlreadyThere),
        other => Ok(Reverted::Drifted {
            expected: format!("standby in {group}"),
            found: other.map_or_else(|| "no member".to_owned(), |m| m.group),
        }),
    }
}

/// Registering what is registered changes nothing.
async fn register(clients: &Clients, target: &Target) -> Result<Reverted, Error> {
    clients
        .elb
        .register_targets()
        .target_group_arn(&target.group)
        .targets(apply::description(target))
        .send()
        .await
        .map(|_| Reverted::Restored)
        .map_err(|e| aws("elasticloadbalancing:RegisterTargets", e))
}

async fn start(clients: &Clients, lead: &Lead<Detail>, consent: Consent) -> Result<Reverted, Error> {
    let (state, _, _) = live(clients, lead).await?;
    if matches!(state, State::Running | State::Pending) {
        return Ok(Reverted::AlreadyThere);
    }
    if consent != Consent::Explicit {
        return Ok(Reverted::Kept(
            "the instance stays stopped: it is started only when that is asked for".to_owned(),
        ));
    }
    clients
        .ec2
        .start_instances()
        .instance_ids(&lead.subject)
        .send()
        .await
        .map(|_| Reverted::Restored)
        .map_err(|e| aws("ec2:StartInstances", e))
}

async fn allow_sessions(clients: &Clients, lead: &Lead<Detail>, role: &str) -> Result<Reverted, Error> {
    let call = clients.iam.delete_role_policy().role_name(role).policy_name(revocation(&lead.detail.finding));
    match call.send().await.map_err(|e| aws("iam:DeleteRolePolicy", e)) {
        Ok(_) => Ok(Reverted::Restored),
        Err(error) if error.class() == Some(Class::NotFound) => Ok(Reverted::AlreadyThere),
        Err(error) => Err(error),
    }
}

/// Takes our tags off, as long as they are of this finding.
async fn untag(clients: &Clients, lead: &Lead<Detail>) -> Result<Reverted, Error> {
    let (_, tags, _) = live(clients, lead).await?;
    match tags.get(TAG_FINDING) {
        None => return Ok(Reverted::AlreadyThere),
        Some(finding) if *finding != lead.detail.finding => {
            return Ok(Reverted::Drifted { expected: lead.detail.finding.clone(), found: finding.clone() });
        }
        Some(_) => {}
    }
    let keys = [TAG_FINDING, TAG_RECORD, TAG_TIME, TAG_GROUPS].map(|key| Tag::builder().key(key).build());
    clients
        .ec2
        .delete_tags()
        .resources(&lead.subject)
        .set_tags(Some(keys.to_vec()))
        .send()
        .await
        .map(|_| Reverted::Restored)
        .map_err(|e| aws("ec2:DeleteTags", e))
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
