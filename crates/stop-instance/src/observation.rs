//! What AWS says about an instance now.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The state of an instance.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Starting.
    Pending,
    /// Running.
    Running,
    /// Being stopped.
    Stopping,
    /// Stopped.
    Stopped,
    /// Terminated, or on the way there.
    Terminated,
}

/// An instance as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Its state.
    pub state: State,
    /// Its VPC.
    pub vpc: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// All its network interfaces.
    pub interfaces: Vec<Interface>,
    /// Its EBS volumes.
    pub volumes: Vec<Volume>,
    /// Whether it is a Spot instance.
    pub spot: bool,
    /// Whether its root device is an EBS volume; others cannot be stopped.
    pub ebs_root: bool,
    /// Whether it was launched so that it can hibernate.
    pub can_hibernate: bool,
    /// The group in its VPC that has the isolation group's name.
    pub isolation: Option<Group>,
    /// The group in its VPC through which connections are cut.
    pub untracked: Option<Group>,
    /// What only the rest of the plan needs.
    pub rest: Option<Rest>,
}

/// A network interface.
#[derive(Clone, Debug, PartialEq)]
pub struct Interface {
    /// Its id.
    pub id: String,
    /// The ids of its security groups, sorted.
    pub groups: Vec<String>,
}

/// An attached EBS volume.
#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    /// The device, such as `/dev/xvda`.
    pub device: String,
    /// Its id.
    pub id: String,
    /// Whether it goes with the instance.
    pub delete_on_termination: bool,
}

/// A security group and its rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its rules, both directions.
    pub rules: Vec<Rule>,
}

impl Group {
    /// Whether everybody gets in, by every protocol.
    pub(crate) fn lets_everything_in(&self) -> bool {
        let world = [Peer::Ipv4("0.0.0.0/0".to_owned()), Peer::Ipv6("::/0".to_owned())];
        let open =
            |peer: &Peer| self.rules.iter().any(|r| !r.egress && r.protocol == "-1" && r.peer == *peer);
        world.iter().all(open)
    }
}

/// One rule of a security group, one source.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Rule {
    /// Whether it is about traffic that leaves.
    pub egress: bool,
    /// The protocol as AWS writes it; `-1` is all.
    pub protocol: String,
    /// First port, or ICMP type.
    pub from: Option<i32>,
    /// Last port, or ICMP code.
    pub to: Option<i32>,
    /// The other side.
    pub peer: Peer,
}

/// The other side of a rule.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// An IPv4 block.
    Ipv4(String),
    /// An IPv6 block.
    Ipv6(String),
    /// A prefix list.
    PrefixList(String),
    /// Another group.
    Group(String),
}

/// What only the rest of the plan needs, after isolation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rest {
    /// Its membership in an Auto Scaling group.
    pub member: Option<Member>,
    /// Its registrations in target groups, without those that are draining.
    pub targets: Vec<Target>,
    /// The classic load balancers that it is registered with.
    pub classic: Vec<String>,
    /// Whether it is protected from termination.
    pub termination_protected: bool,
    /// Whether it is protected from being stopped.
    pub stop_protected: bool,
    /// Whether it is a one-time Spot instance, which cannot be stopped.
    pub one_time_spot: bool,
    /// Volumes of which a snapshot for this finding exists.
    pub snapshotted: Vec<String>,
    /// The role whose credentials the instance has, if it has one.
    pub role: Option<Role>,
    /// What could not be read and is not needed to contain.
    pub unread: Vec<String>,
}

/// A membership in an Auto Scaling group.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The group's name.
    pub group: String,
    /// Such as `InService`.
    pub lifecycle: String,
}

/// A registration in a target group.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Target {
    /// The target group's ARN.
    pub group: String,
    /// The target: the instance's id, or one of its addresses.
    pub id: String,
    /// The port that it is registered with.
    pub port: Option<i32>,
}

/// The role of an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// The ids of other instances with the same profile.
    pub shared_with: Vec<String>,
    /// Whether the sessions were revoked for this finding.
    pub revoked: bool,
}

impl tourniquet::Observation for Observation {
    fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }
}

impl Observation {
    /// The interfaces that are not in the isolation group alone.
    pub fn exposed(&self) -> impl Iterator<Item = &Interface> {
        let isolation = self.isolation.as_ref().map(|g| g.id.as_str());
        self.interfaces
            .iter()
            .filter(move |i| !(i.groups.len() == 1 && i.groups.first().map(String::as_str) == isolation))
    }
}
