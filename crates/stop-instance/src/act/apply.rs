//! Making one change. Each call can be made twice without harm; the snapshot is only decided when there is none.

use std::time::Duration;

use aws_sdk_ec2::Config;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, EbsInstanceBlockDeviceSpecification, Filter,
    InstanceBlockDeviceMappingSpecification, InstanceSpecification, IpPermission, ResourceType, Tag,
    TagSpecification,
};
use aws_sdk_elasticloadbalancingv2::types::TargetDescription;
use serde_json::json;
use tourniquet::error::{Class, Error, aws};
use tourniquet::{Lead, clock};

use super::observe::snapshotted;
use super::{Clients, revocation, rules};
use crate::change::Change;
use crate::decide::{TAG_FINDING, TAG_GROUPS, TAG_RECORD, TAG_TIME};
use crate::event::Detail;
use crate::observation::{Rule, Target};

/// How often snapshots are asked for, and the wait in between.
const SNAPSHOT_ASKS: u32 = 4;
const SNAPSHOT_PAUSE: Duration = Duration::from_millis(200);

/// Makes one change under a record.
pub(crate) async fn apply(
    clients: &Clients,
    lead: &Lead<Detail>,
    record: &str,
    change: &Change,
) -> Result<(), Error> {
    let instance = lead.subject.as_str();
    match change {
        Change::CreateIsolationGroup { vpc, name } => {
            create_group(clients, vpc, name, "Tourniquet isolation: no rules, keep it so").await.map(|_| ())
        }
        Change::CreateUntrackedGroup { vpc, name } => create_untracked(clients, vpc, name).await,
        Change::EmptyIsolationGroup { group, rules } => empty(clients, group, rules).await,
        Change::Untrack { interface, group, .. } | Change::Isolate { interface, group, .. } => {
            set_groups(clients, interface, std::slice::from_ref(group)).await
        }
        Change::Detach { group } => clients
            .auto_scaling
            .detach_instances()
            .auto_scaling_group_name(group)
            .instance_ids(instance)
            .should_decrement_desired_capacity(false)
            .send()
            .await
            .map(|_| ())
            .map_err(|e| aws("autoscaling:DetachInstances", e)),
        Change::Standby { group } => clients
            .auto_scaling
            .enter_standby()
            .auto_scaling_group_name(group)
            .instance_ids(instance)
            .should_decrement_desired_capacity(false)
            .send()
            .await
            .map(|_| ())
            .map_err(|e| aws("autoscaling:EnterStandby", e)),
        Change::DeregisterTarget { target } => clients
            .elb
            .deregister_targets()
            .target_group_arn(&target.group)
            .targets(description(target))
            .send()
            .await
            .map(|_| ())
            .map_err(|e| aws("elasticloadbalancing:DeregisterTargets", e)),
        Change::DeregisterClassic { balancer } => clients
            .classic
            .deregister_instances_from_load_balancer()
            .load_balancer_name(balancer)
            .instances(aws_sdk_elasticloadbalancing::types::Instance::builder().instance_id(instance).build())
            .send()
            .await
            .map(|_| ())
            .map_err(|e| aws("elasticloadbalancing:DeregisterInstancesFromLoadBalancer", e)),
        Change::ProtectTermination => set_termination_protection(clients, instance, true).await,
        Change::KeepVolume { device, .. } => {
            set_delete_on_termination(clients, instance, device, false).await
        }
        Change::Snapshot { .. } => snapshot(clients, lead, record).await,
        Change::Stop { hibernate } => clients
            .ec2
            .stop_instances()
            .instance_ids(instance)
            .set_hibernate(hibernate.then_some(true))
            .send()
            .await
            .map(|_| ())
            .map_err(|e| aws("ec2:StopInstances", e)),
        Change::RevokeSessions { role, before } => {
            let document = json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Deny",
                    "Action": "*",
                    "Resource": "*",
                    "Condition": {"DateLessThan": {"aws:TokenIssueTime": before.to_string()}},
                }],
            });
            clients
                .iam()
                .put_role_policy()
                .role_name(role)
                .policy_name(revocation(&lead.detail.finding))
                .policy_document(document.to_string())
                .send()
                .await
                .map(|_| ())
                .map_err(|e| aws("iam:PutRolePolicy", e))
        }
        Change::Tag { at } => {
            let mut tags = marks(lead, record);
            tags.push(tag(TAG_TIME, &at.to_string()));
            set_tags(clients, instance, tags).await
        }
        Change::MarkGroups { groups } => set_tags(clients, instance, vec![tag(TAG_GROUPS, groups)]).await,
    }
}

async fn set_tags(clients: &Clients, instance: &str, tags: Vec<Tag>) -> Result<(), Error> {
    clients
        .ec2
        .create_tags()
        .resources(instance)
        .set_tags(Some(tags))
        .send()
        .await
        .map(|_| ())
        .map_err(|e| aws("ec2:CreateTags", e))
}

/// Creates a group; another run that was faster is as good. Its id, unless the other run made it.
async fn create_group(clients: &Clients, vpc: &str, name: &str, text: &str) -> Result<Option<String>, Error> {
    let marks = TagSpecification::builder()
        .resource_type(ResourceType::SecurityGroup)
        .tags(tag("tourniquet:function", "stop-instance"))
        .build();
    let answer = clients
        .ec2
        .create_security_group()
        .group_name(name)
        .description(text)
        .vpc_id(vpc)
        .tag_specifications(marks)
        .send()
        .await
        .map_err(|e| aws("ec2:CreateSecurityGroup", e));
    match answer {
        Ok(answer) => Ok(answer.group_id().map(str::to_owned)),
        Err(error) if error.code() == Some("InvalidGroup.Duplicate") => Ok(None),
        Err(error) => Err(error),
    }
}

/// A new group allows all IPv4 traffic out; for connections to be untracked, everything must be allowed both ways.
async fn create_untracked(clients: &Clients, vpc: &str, name: &str) -> Result<(), Error> {
    let text = "Tourniquet: an interface passes through here to cut its connections";
    let group = match create_group(clients, vpc, name, text).await? {
        Some(group) => group,
        None => group_of_name(clients, vpc, name).await?,
    };
    // One call for each: where one of two rules is there already, AWS adds neither.
    for permission in rules::everything() {
        let call = clients.ec2.authorize_security_group_ingress().group_id(&group).ip_permissions(permission);
        match call.send().await.map_err(|e| aws("ec2:AuthorizeSecurityGroupIngress", e)) {
            Err(error) if error.code() != Some("InvalidPermission.Duplicate") => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

async fn group_of_name(clients: &Clients, vpc: &str, name: &str) -> Result<String, Error> {
    const CALL: &str = "ec2:DescribeSecurityGroups";
    let is = |key: &str, value: &str| Filter::builder().name(key).values(value).build();
    let call =
        clients.ec2.describe_security_groups().filters(is("group-name", name)).filters(is("vpc-id", vpc));
    let answer = call.send().await.map_err(|e| aws(CALL, e))?;
    let id = answer.security_groups().first().and_then(|group| group.group_id()).map(str::to_owned);
    id.ok_or(Error::Unexpected { call: CALL, missing: "the group" })
}

async fn empty(clients: &Clients, group: &str, rules: &[Rule]) -> Result<(), Error> {
    for is_egress in [true, false] {
        let all = rules::permissions(rules, is_egress);
        match revoke(clients, group, is_egress, all.clone()).await {
            // One that somebody else has taken out meanwhile, and AWS takes out none of them.
            Err(error) if error.class() == Some(Class::NotFound) => {
                for one in all {
                    match revoke(clients, group, is_egress, vec![one]).await {
                        Err(error) if error.class() != Some(Class::NotFound) => return Err(error),
                        _ => {}
                    }
                }
            }
            other => other?,
        }
    }
    Ok(())
}

async fn revoke(
    clients: &Clients,
    group: &str,
    is_egress: bool,
    rules: Vec<IpPermission>,
) -> Result<(), Error> {
    if rules.is_empty() {
        return Ok(());
    }
    if is_egress {
        let call = clients.ec2.revoke_security_group_egress().group_id(group).set_ip_permissions(Some(rules));
        return call.send().await.map(|_| ()).map_err(|e| aws("ec2:RevokeSecurityGroupEgress", e));
    }
    let call = clients.ec2.revoke_security_group_ingress().group_id(group).set_ip_permissions(Some(rules));
    call.send().await.map(|_| ()).map_err(|e| aws("ec2:RevokeSecurityGroupIngress", e))
}

/// AWS has no idempotency token for snapshots: where the answer was lost, they are looked for before they are asked for
/// again.
async fn snapshot(clients: &Clients, lead: &Lead<Detail>, record: &str) -> Result<(), Error> {
    let mut asked = ask_for_snapshots(clients, lead, record).await;
    for _ in 1..SNAPSHOT_ASKS {
        let again = |e: &Error| matches!(e.class(), Some(Class::Throttled | Class::Unavailable));
        if !asked.as_ref().is_err_and(again) {
            break;
        }
        clock::pause(SNAPSHOT_PAUSE).await;
        if !snapshotted(clients, lead).await?.is_empty() {
            return Ok(());
        }
        asked = ask_for_snapshots(clients, lead, record).await;
    }
    asked
}

/// Asks once: the SDK would ask again without a look.
async fn ask_for_snapshots(clients: &Clients, lead: &Lead<Detail>, record: &str) -> Result<(), Error> {
    let marks = TagSpecification::builder()
        .resource_type(ResourceType::Snapshot)
        .set_tags(Some(marks(lead, record)))
        .build();
    clients
        .ec2
        .create_snapshots()
        .instance_specification(InstanceSpecification::builder().instance_id(&lead.subject).build())
        .description(format!("Evidence of {} on {}", lead.detail.kind, lead.subject))
        .tag_specifications(marks)
        .customize()
        .config_override(Config::builder().retry_config(RetryConfig::disabled()))
        .send()
        .await
        .map(|_| ())
        .map_err(|e| aws("ec2:CreateSnapshots", e))
}

pub(super) async fn set_groups(clients: &Clients, interface: &str, groups: &[String]) -> Result<(), Error> {
    clients
        .ec2
        .modify_network_interface_attribute()
        .network_interface_id(interface)
        .set_groups(Some(groups.to_vec()))
        .send()
        .await
        .map(|_| ())
        .map_err(|e| aws("ec2:ModifyNetworkInterfaceAttribute", e))
}

pub(super) async fn set_termination_protection(
    clients: &Clients,
    instance: &str,
    on: bool,
) -> Result<(), Error> {
    clients
        .ec2
        .modify_instance_attribute()
        .instance_id(instance)
        .disable_api_termination(AttributeBooleanValue::builder().value(on).build())
        .send()
        .await
        .map(|_| ())
        .map_err(|e| aws("ec2:ModifyInstanceAttribute", e))
}

pub(super) async fn set_delete_on_termination(
    clients: &Clients,
    instance: &str,
    device: &str,
    on: bool,
) -> Result<(), Error> {
    let ebs = EbsInstanceBlockDeviceSpecification::builder().delete_on_termination(on).build();
    clients
        .ec2
        .modify_instance_attribute()
        .instance_id(instance)
        .block_device_mappings(
            InstanceBlockDeviceMappingSpecification::builder().device_name(device).ebs(ebs).build(),
        )
        .send()
        .await
        .map(|_| ())
        .map_err(|e| aws("ec2:ModifyInstanceAttribute", e))
}

pub(super) fn description(target: &Target) -> TargetDescription {
    TargetDescription::builder().id(&target.id).set_port(target.port).build()
}

fn marks(lead: &Lead<Detail>, record: &str) -> Vec<Tag> {
    vec![tag(TAG_FINDING, &lead.detail.finding), tag(TAG_RECORD, record)]
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}
