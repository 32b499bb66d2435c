//! Reading an instance: one round trip for what containment needs, one more for the rest.

use aws_sdk_ec2::types::{Filter, Instance, InstanceAttributeName, InstanceLifecycleType, InstanceStateName};
use aws_sdk_elasticloadbalancingv2::operation::describe_target_health::DescribeTargetHealthOutput;
use aws_sdk_elasticloadbalancingv2::types::TargetHealthDescription;
use futures_util::future::{join, try_join, try_join4};
use futures_util::{StreamExt, TryStreamExt, stream};
use tourniquet::error::{Class, Error, aws};
use tourniquet::{Depth, Lead};

use super::{Clients, revocation, rules};
use crate::decide::{TAG_FINDING, untracked_name};
use crate::event::Detail;
use crate::observation::{Interface, Member, Observation, Rest, Role, State, Target, Volume};
use crate::settings::Settings;

/// How many target groups are asked side by side.
const SIDE_BY_SIDE: usize = 8;

/// Reads an instance; `None` if AWS does not know it.
pub(crate) async fn observe(
    clients: &Clients,
    lead: &Lead<Detail>,
    depth: Depth,
    settings: &Settings,
) -> Result<Option<Observation>, Error> {
    let names = [settings.isolation_group.clone(), untracked_name(settings)];
    let (instance, groups) = try_join(instance(clients, &lead.subject), groups(clients, &names)).await?;
    let Some(instance) = instance else { return Ok(None) };
    let mut seen = basics(&instance);
    let in_vpc = |name: &str| {
        let group = groups.iter().find(|g| g.vpc_id() == Some(&seen.vpc) && g.group_name() == Some(name));
        group.and_then(rules::group_of)
    };
    (seen.isolation, seen.untracked) = (in_vpc(&settings.isolation_group), in_vpc(&untracked_name(settings)));
    if depth == Depth::Full && seen.state != State::Terminated {
        seen.rest = Some(rest(clients, lead, &instance, &seen).await?);
    }
    Ok(Some(seen))
}

async fn instance(clients: &Clients, id: &str) -> Result<Option<Instance>, Error> {
    const CALL: &str = "ec2:DescribeInstances";
    let answer = clients.ec2.describe_instances().instance_ids(id).send().await.map_err(|e| aws(CALL, e));
    match answer {
        Ok(answer) => Ok(answer.reservations().iter().flat_map(|r| r.instances()).next().cloned()),
        Err(error) if error.class() == Some(Class::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The groups of these names in every VPC: the instance's VPC is not known yet, and asking now saves a round trip.
async fn groups(
    clients: &Clients,
    names: &[String],
) -> Result<Vec<aws_sdk_ec2::types::SecurityGroup>, Error> {
    let filter = Filter::builder().name("group-name").set_values(Some(names.to_vec())).build();
    let pages = clients.ec2.describe_security_groups().filters(filter).into_paginator().items().send();
    pages.try_collect().await.map_err(|e| aws("ec2:DescribeSecurityGroups", e))
}

fn basics(instance: &Instance) -> Observation {
    let state = match instance.state().and_then(|s| s.name()) {
        Some(InstanceStateName::Pending) => State::Pending,
        Some(InstanceStateName::Stopping) => State::Stopping,
        Some(InstanceStateName::Stopped) => State::Stopped,
        Some(InstanceStateName::ShuttingDown | InstanceStateName::Terminated) => State::Terminated,
        // An unknown state is treated as one that does harm.
        _ => State::Running,
    };
    let interfaces = instance.network_interfaces().iter().filter_map(|i| {
        let mut groups: Vec<String> =
            i.groups().iter().filter_map(|g| g.group_id()).map(str::to_owned).collect();
        groups.sort();
        Some(Interface { id: i.network_interface_id()?.to_owned(), groups })
    });
    let volumes = instance.block_device_mappings().iter().filter_map(|m| {
        let ebs = m.ebs()?;
        Some(Volume {
            device: m.device_name()?.to_owned(),
            id: ebs.volume_id()?.to_owned(),
            delete_on_termination: ebs.delete_on_termination().unwrap_or(false),
        })
    });
    let tags = instance.tags().iter().filter_map(|t| Some((t.key()?.to_owned(), t.value()?.to_owned())));
    Observation {
        state,
        vpc: instance.vpc_id().unwrap_or_default().to_owned(),
        tags: tags.collect(),
        interfaces: interfaces.collect(),
        volumes: volumes.collect(),
        spot: instance.instance_lifecycle() == Some(&InstanceLifecycleType::Spot),
        ebs_root: instance.root_device_type().is_none_or(|t| t.as_str() == "ebs"),
        can_hibernate: instance.hibernation_options().and_then(|h| h.configured()).unwrap_or(false),
        isolation: None,
        untracked: None,
        rest: None,
    }
}

async fn rest(
    clients: &Clients,
    lead: &Lead<Detail>,
    instance: &Instance,
    seen: &Observation,
) -> Result<Rest, Error> {
    let addresses: Vec<String> = instance
        .network_interfaces()
        .iter()
        .flat_map(|i| i.private_ip_addresses())
        .filter_map(|a| a.private_ip_address())
        .map(str::to_owned)
        .collect();
    let load_balancers =
        try_join(targets(clients, &lead.subject, &seen.vpc, &addresses), classic(clients, &lead.subject));
    let attributes = try_join(
        attribute(clients, &lead.subject, InstanceAttributeName::DisableApiTermination),
        attribute(clients, &lead.subject, InstanceAttributeName::DisableApiStop),
    );
    let evidence = try_join(snapshotted(clients, lead), one_time_spot(clients, instance));
    let needed = try_join4(member(clients, &lead.subject), load_balancers, attributes, evidence);
    // The role is for the report: not to know it keeps nobody from containing.
    let (needed, role) = join(needed, role(clients, lead, instance)).await;
    let (member, (targets, classic), (termination_protected, stop_protected), (snapshotted, one_time_spot)) =
        needed?;
    let (role, unread) = match role {
        Ok(role) => (role, Vec::new()),
        Err(error) => (None, vec![format!("the role of the instance could not be read: {error}")]),
    };
    Ok(Rest {
        member,
        targets,
        classic,
        termination_protected,
        stop_protected,
        one_time_spot,
        snapshotted,
        role,
        unread,
    })
}

pub(super) async fn member(clients: &Clients, instance: &str) -> Result<Option<Member>, Error> {
    let answer = clients
        .auto_scaling
        .describe_auto_scaling_instances()
        .instance_ids(instance)
        .send()
        .await
        .map_err(|e| aws("autoscaling:DescribeAutoScalingInstances", e))?;
    Ok(answer.auto_scaling_instances().first().and_then(|i| {
        Some(Member {
            group: i.auto_scaling_group_name()?.to_owned(),
            lifecycle: i.lifecycle_state()?.to_owned(),
        })
    }))
}

/// The registrations of the instance in every target group of its VPC. AWS has no way to ask by target.
async fn targets(
    clients: &Clients,
    instance: &str,
    vpc: &str,
    addresses: &[String],
) -> Result<Vec<Target>, Error> {
    let groups = clients.elb.describe_target_groups().into_paginator().items().send();
    let groups: Vec<_> =
        groups.try_collect().await.map_err(|e| aws("elasticloadbalancing:DescribeTargetGroups", e))?;
    let arns: Vec<String> = groups
        .iter()
        .filter(|g| g.vpc_id() == Some(vpc))
        .filter_map(|g| g.target_group_arn().map(str::to_owned))
        .collect();
    let asked: Vec<_> = arns.into_iter().map(|arn| health(clients, arn)).collect();
    let health: Vec<_> = stream::iter(asked).buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
    let mut targets: Vec<Target> = health
        .iter()
        .flat_map(|(arn, answer)| answer.target_health_descriptions().iter().map(move |d| (arn, d)))
        .filter(|(_, d)| !is_draining(d))
        .filter_map(|(arn, d)| d.target().map(|t| (arn, t)))
        .filter_map(|(arn, t)| Some(Target { group: arn.clone(), id: t.id()?.to_owned(), port: t.port() }))
        .filter(|t| t.id == instance || addresses.contains(&t.id))
        .collect();
    targets.sort_by(|a, b| (&a.group, &a.id, a.port).cmp(&(&b.group, &b.id, b.port)));
    Ok(targets)
}

/// A target that was deregistered drains for minutes and is still listed.
fn is_draining(target: &TargetHealthDescription) -> bool {
    target.target_health().and_then(|h| h.state()).is_some_and(|s| s.as_str() == "draining")
}

async fn health(clients: &Clients, arn: String) -> Result<(String, DescribeTargetHealthOutput), Error> {
    let answer = clients.elb.describe_target_health().target_group_arn(&arn).send().await;
    answer.map(|a| (arn, a)).map_err(|e| aws("elasticloadbalancing:DescribeTargetHealth", e))
}

async fn classic(clients: &Clients, instance: &str) -> Result<Vec<String>, Error> {
    let pages = clients.classic.describe_load_balancers().into_paginator().items().send();
    let balancers: Vec<_> =
        pages.try_collect().await.map_err(|e| aws("elasticloadbalancing:DescribeLoadBalancers", e))?;
    let with = balancers.iter().filter(|b| b.instances().iter().any(|i| i.instance_id() == Some(instance)));
    Ok(with.filter_map(|b| b.load_balancer_name()).map(str::to_owned).collect())
}

async fn attribute(clients: &Clients, instance: &str, name: InstanceAttributeName) -> Result<bool, Error> {
    let stop = name == InstanceAttributeName::DisableApiStop;
    let answer = clients
        .ec2
        .describe_instance_attribute()
        .instance_id(instance)
        .attribute(name)
        .send()
        .await
        .map_err(|e| aws("ec2:DescribeInstanceAttribute", e))?;
    let value = if stop { answer.disable_api_stop() } else { answer.disable_api_termination() };
    Ok(value.and_then(|v| v.value()).unwrap_or(false))
}

/// Volumes of which a snapshot exists that is tagged with this finding.
pub(super) async fn snapshotted(clients: &Clients, lead: &Lead<Detail>) -> Result<Vec<String>, Error> {
    let filter = Filter::builder().name(format!("tag:{TAG_FINDING}")).values(&lead.detail.finding).build();
    let pages =
        clients.ec2.describe_snapshots().owner_ids("self").filters(filter).into_paginator().items().send();
    let snapshots: Vec<_> = pages.try_collect().await.map_err(|e| aws("ec2:DescribeSnapshots", e))?;
    Ok(snapshots.iter().filter_map(|s| s.volume_id()).map(str::to_owned).collect())
}

async fn one_time_spot(clients: &Clients, instance: &Instance) -> Result<bool, Error> {
    let Some(request) = instance.spot_instance_request_id() else { return Ok(false) };
    let answer = clients
        .ec2
        .describe_spot_instance_requests()
        .spot_instance_request_ids(request)
        .send()
        .await
        .map_err(|e| aws("ec2:DescribeSpotInstanceRequests", e))?;
    let kind = answer.spot_instance_requests().first().and_then(|r| r.r#type());
    Ok(kind.is_none_or(|k| k.as_str() == "one-time"))
}

async fn role(clients: &Clients, lead: &Lead<Detail>, instance: &Instance) -> Result<Option<Role>, Error> {
    let Some(arn) = instance.iam_instance_profile().and_then(|p| p.arn()) else { return Ok(None) };
    let profile = arn.rsplit('/').next().unwrap_or(arn);
    let filter = Filter::builder().name("iam-instance-profile.arn").values(arn).build();
    let sharers = clients.ec2.describe_instances().filters(filter).into_paginator().items().send();
    let (profile, sharers) = join(
        clients.iam().get_instance_profile().instance_profile_name(profile).send(),
        sharers.try_collect(),
    )
    .await;
    let profile = profile.map_err(|e| aws("iam:GetInstanceProfile", e))?;
    let sharers: Vec<aws_sdk_ec2::types::Reservation> =
        sharers.map_err(|e| aws("ec2:DescribeInstances", e))?;
    let Some(name) =
        profile.instance_profile().and_then(|p| p.roles().first()).map(|r| r.role_name().to_owned())
    else {
        return Ok(None);
    };
    let shared_with = sharers
        .iter()
        .flat_map(|r| r.instances())
        .filter_map(|i| i.instance_id())
        .filter(|i| *i != lead.subject);
    let shared_with = shared_with.map(str::to_owned).collect();
    let revoked = is_revoked(clients, &name, &lead.detail.finding).await?;
    Ok(Some(Role { name, shared_with, revoked }))
}

/// What containment sees of an instance, for reverts; `None` if it does not exist (any more).
pub(super) async fn live(clients: &Clients, lead: &Lead<Detail>) -> Result<Option<Observation>, Error> {
    let found = instance(clients, &lead.subject).await?.map(|found| basics(&found));
    Ok(found.filter(|seen| seen.state != State::Terminated))
}

/// Whether a target is registered and stays so.
pub(super) async fn is_registered(clients: &Clients, target: &Target) -> Result<bool, Error> {
    let (_, answer) = health(clients, target.group.clone()).await?;
    let mut known = answer.target_health_descriptions().iter().filter(|d| !is_draining(d));
    Ok(known.any(|d| d.target().is_some_and(|t| t.id() == Some(&target.id) && t.port() == target.port)))
}

/// Whether an instance is registered with a classic load balancer.
pub(super) async fn is_balanced(clients: &Clients, instance: &str, balancer: &str) -> Result<bool, Error> {
    let answer = clients.classic.describe_load_balancers().load_balancer_names(balancer).send().await;
    let answer = answer.map_err(|e| aws("elasticloadbalancing:DescribeLoadBalancers", e))?;
    let mut instances = answer.load_balancer_descriptions().iter().flat_map(|b| b.instances());
    Ok(instances.any(|i| i.instance_id() == Some(instance)))
}

/// Whether the sessions of a role are denied because of a finding.
pub(super) async fn is_revoked(clients: &Clients, role: &str, finding: &str) -> Result<bool, Error> {
    let call = clients.iam().get_role_policy().role_name(role).policy_name(revocation(finding));
    match call.send().await.map_err(|e| aws("iam:GetRolePolicy", e)) {
        Ok(_) => Ok(true),
        Err(error) if error.class() == Some(Class::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the instance is protected from termination.
pub(super) async fn is_termination_protected(clients: &Clients, instance: &str) -> Result<bool, Error> {
    attribute(clients, instance, InstanceAttributeName::DisableApiTermination).await
}
