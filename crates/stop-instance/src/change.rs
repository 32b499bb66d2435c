//! What `stop-instance` can change, each with what was there before.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::observation::{Rule, Target};

/// One change.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Change {
    /// `CreateSecurityGroup`: the group without rules for a VPC.
    CreateIsolationGroup {
        /// The VPC.
        vpc: String,
        /// The group's name.
        name: String,
    },
    /// `RevokeSecurityGroupEgress` and `…Ingress`: every rule of the isolation group goes.
    EmptyIsolationGroup {
        /// The group.
        group: String,
        /// Its rules.
        rules: Vec<Rule>,
    },
    /// `CreateSecurityGroup` and `AuthorizeSecurityGroup…`: the group that makes connections untracked.
    CreateUntrackedGroup {
        /// The VPC.
        vpc: String,
        /// The group's name.
        name: String,
    },
    /// `ModifyNetworkInterfaceAttribute`: into the group that makes connections untracked.
    Untrack {
        /// The interface.
        interface: String,
        /// The group that it goes into.
        group: String,
        /// Its groups before.
        before: Vec<String>,
    },
    /// `ModifyNetworkInterfaceAttribute`: into the isolation group alone.
    Isolate {
        /// The interface.
        interface: String,
        /// The isolation group.
        group: String,
        /// Its groups before.
        before: Vec<String>,
    },
    /// `DetachInstances`: out of the Auto Scaling group, whose desired capacity stays.
    Detach {
        /// The Auto Scaling group.
        group: String,
    },
    /// `EnterStandby`: a member that does not count, while the desired capacity stays.
    Standby {
        /// The Auto Scaling group.
        group: String,
    },
    /// `DeregisterTargets`.
    DeregisterTarget {
        /// What was registered.
        target: Target,
    },
    /// `DeregisterInstancesFromLoadBalancer`.
    DeregisterClassic {
        /// The classic load balancer.
        balancer: String,
    },
    /// `ModifyInstanceAttribute`: protected from termination.
    ProtectTermination,
    /// `ModifyInstanceAttribute`: a volume stays when the instance is terminated.
    KeepVolume {
        /// The device.
        device: String,
        /// The volume.
        volume: String,
    },
    /// `CreateSnapshots`: one crash-consistent set of all volumes.
    Snapshot {
        /// The volumes.
        volumes: Vec<String>,
    },
    /// `StopInstances`.
    Stop {
        /// Whether by hibernation.
        hibernate: bool,
    },
    /// `PutRolePolicy`: every session of the role that was issued before a moment is denied everything.
    RevokeSessions {
        /// The role.
        role: String,
        /// The moment.
        before: Timestamp,
    },
    /// `CreateTags`: the finding, the time and the record.
    Tag {
        /// When.
        at: Timestamp,
    },
    /// `CreateTags`: the groups of each interface before, where the journal could not take them.
    MarkGroups {
        /// `<interface>=<group>+<group> …`
        groups: String,
    },
}

impl tourniquet::Change for Change {
    fn key(&self) -> String {
        match self {
            Self::CreateIsolationGroup { vpc, .. } => format!("create-isolation-group {vpc}"),
            Self::EmptyIsolationGroup { group, .. } => format!("empty-isolation-group {group}"),
            Self::CreateUntrackedGroup { vpc, .. } => format!("create-untracked-group {vpc}"),
            Self::Untrack { interface, .. } => format!("untrack {interface}"),
            Self::Isolate { interface, .. } => format!("isolate {interface}"),
            Self::Detach { group } => format!("detach {group}"),
            Self::Standby { group } => format!("standby {group}"),
            Self::DeregisterTarget { target } => {
                format!("deregister {} {} {}", target.group, target.id, port(target))
            }
            Self::DeregisterClassic { balancer } => format!("deregister-classic {balancer}"),
            Self::ProtectTermination => "protect-termination".to_owned(),
            Self::KeepVolume { device, .. } => format!("keep-volume {device}"),
            Self::Snapshot { .. } => "snapshot".to_owned(),
            Self::Stop { .. } => "stop".to_owned(),
            Self::RevokeSessions { role, .. } => format!("revoke-sessions {role}"),
            Self::Tag { .. } => "tag".to_owned(),
            Self::MarkGroups { .. } => "mark-groups".to_owned(),
        }
    }

    fn summary(&self) -> String {
        match self {
            Self::CreateIsolationGroup { vpc, name } => format!("create the isolation group {name} in {vpc}"),
            Self::EmptyIsolationGroup { group, .. } => format!("empty the isolation group {group}"),
            Self::CreateUntrackedGroup { vpc, name } => {
                format!("create the group {name} in {vpc}, to cut connections")
            }
            Self::Untrack { interface, .. } => format!("make the connections of {interface} untracked"),
            Self::Isolate { interface, .. } => format!("isolate {interface}"),
            Self::Detach { group } => format!("detach from the Auto Scaling group {group}"),
            Self::Standby { group } => format!("put into standby in the Auto Scaling group {group}"),
            Self::DeregisterTarget { target } => format!("deregister {} from {}", target.id, target.group),
            Self::DeregisterClassic { balancer } => format!("deregister from the load balancer {balancer}"),
            Self::ProtectTermination => "protect from termination".to_owned(),
            Self::KeepVolume { device, volume } => {
                format!("keep the volume {volume} ({device}) at termination")
            }
            Self::Snapshot { volumes } => format!("snapshot {}", volumes.join(", ")),
            Self::Stop { hibernate: false } => "stop".to_owned(),
            Self::Stop { hibernate: true } => "stop by hibernation".to_owned(),
            Self::RevokeSessions { role, before } => {
                format!("revoke the sessions of {role} issued before {before}")
            }
            Self::Tag { .. } => "tag with finding, time and record".to_owned(),
            Self::MarkGroups { .. } => "tag with the groups before".to_owned(),
        }
    }

    fn before(&self) -> String {
        match self {
            Self::CreateIsolationGroup { .. } | Self::CreateUntrackedGroup { .. } => {
                "no such group".to_owned()
            }
            Self::EmptyIsolationGroup { rules, .. } => format!("{} rules", rules.len()),
            Self::Untrack { before, .. } | Self::Isolate { before, .. } => before.join(", "),
            Self::Detach { .. } | Self::Standby { .. } => "InService".to_owned(),
            Self::DeregisterTarget { target } => format!("registered with port {}", port(target)),
            Self::DeregisterClassic { .. } => "registered".to_owned(),
            Self::ProtectTermination => "not protected".to_owned(),
            Self::KeepVolume { .. } => "deleted at termination".to_owned(),
            Self::Snapshot { .. } => "none for this finding".to_owned(),
            Self::Stop { .. } => "running".to_owned(),
            Self::RevokeSessions { .. } => "sessions valid".to_owned(),
            Self::Tag { .. } | Self::MarkGroups { .. } => "no such tags".to_owned(),
        }
    }

    fn after(&self) -> String {
        match self {
            Self::CreateIsolationGroup { name, .. } | Self::CreateUntrackedGroup { name, .. } => name.clone(),
            Self::EmptyIsolationGroup { .. } => "no rules".to_owned(),
            Self::Untrack { group, .. } | Self::Isolate { group, .. } => group.clone(),
            Self::Detach { .. } => "no member; the group replaces it".to_owned(),
            Self::Standby { .. } => "Standby; the group replaces it".to_owned(),
            Self::DeregisterTarget { .. } | Self::DeregisterClassic { .. } => "not registered".to_owned(),
            Self::ProtectTermination => "protected".to_owned(),
            Self::KeepVolume { .. } => "kept at termination".to_owned(),
            Self::Snapshot { volumes } => format!("{} snapshots", volumes.len()),
            Self::Stop { .. } => "stopping, then stopped".to_owned(),
            Self::RevokeSessions { .. } => "sessions denied".to_owned(),
            Self::Tag { at } => format!("tagged at {at}"),
            Self::MarkGroups { groups } => groups.clone(),
        }
    }
}

fn port(target: &Target) -> String {
    target.port.map_or_else(|| "none".to_owned(), |p| p.to_string())
}
