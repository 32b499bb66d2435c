//! The settings of `stop-instance`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

/// One step of the response.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Every network interface into the isolation group.
    Isolate,
    /// Out of the Auto Scaling group, which would replace a stopped member.
    Detach,
    /// Out of target groups and classic load balancers.
    Deregister,
    /// Termination protection on, volumes kept at termination.
    Protect,
    /// One set of snapshots of all volumes.
    Snapshot,
    /// Stop.
    Stop,
    /// Tags that name the finding, the time and the record.
    Tag,
}

/// All steps.
const ALL: [Step; 7] =
    [Step::Isolate, Step::Detach, Step::Deregister, Step::Protect, Step::Snapshot, Step::Stop, Step::Tag];

/// How a member leaves its Auto Scaling group.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AutoScaling {
    /// It leaves for good; the group starts a replacement.
    #[default]
    Detach,
    /// It stays a member in standby; the group starts a replacement.
    Standby,
}

/// The settings of `stop-instance`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Globs over finding types that are answered. Severity alone never decides.
    pub finding_types: Vec<String>,
    /// Least severity, 1.0 to 10.0.
    pub min_severity: f64,
    /// Roles of the instance in the finding that are answered: `ACTOR`, `TARGET`.
    pub roles: Vec<String>,
    /// The steps of the response; they are made in their own order, whatever the order here.
    pub steps: Vec<Step>,
    /// Other steps for finding types, by glob; the first that matches in alphabetical order counts.
    pub steps_by_type: BTreeMap<String, Vec<Step>>,
    /// Ids of instances that are never touched.
    pub protected: Vec<String>,
    /// Tags of instances that are never touched: a glob over values for each key.
    pub protected_tags: BTreeMap<String, String>,
    /// Ids of instances on which even GuardDuty's sample findings are answered, for tests.
    pub samples_on: Vec<String>,
    /// How a member leaves its Auto Scaling group.
    pub auto_scaling: AutoScaling,
    /// Stop by hibernation where the instance is configured for it, which keeps the memory as evidence.
    pub hibernate: bool,
    /// Cut connections that are open: each interface passes through a group that allows everything, which makes its
    /// connections untracked, before it is isolated. For that moment the instance is open to the world.
    pub cut_connections: bool,
    /// Deny every session of the instance's role that was issued before now. It hits everybody who shares the role.
    pub revoke_role_sessions: bool,
    /// Name of the isolation group, one in each VPC.
    pub isolation_group: String,
}

/// The finding types that are answered by default: those in which the instance itself does harm. From GuardDuty's
/// list of finding types; retired types and findings about API calls on EC2 (`Persistence:EC2/…`,
/// `Exfiltration:EC2/…`) are not among them.
pub(crate) const FINDING_TYPES: [&str; 47] = [
    "AttackSequence:EC2/CompromisedInstanceGroup",
    "Backdoor:EC2/C&CActivity.B",
    "Backdoor:EC2/C&CActivity.B!DNS",
    "Backdoor:EC2/DenialOfService.Dns",
    "Backdoor:EC2/DenialOfService.Tcp",
    "Backdoor:EC2/DenialOfService.Udp",
    "Backdoor:EC2/DenialOfService.UdpOnTcpPorts",
    "Backdoor:EC2/DenialOfService.UnusualProtocol",
    "Backdoor:EC2/Spambot",
    "Backdoor:Runtime/C&CActivity.B",
    "Backdoor:Runtime/C&CActivity.B!DNS",
    "CryptoCurrency:EC2/BitcoinTool.B",
    "CryptoCurrency:EC2/BitcoinTool.B!DNS",
    "CryptoCurrency:Runtime/BitcoinTool.B",
    "CryptoCurrency:Runtime/BitcoinTool.B!DNS",
    "Execution:EC2/MaliciousFile",
    "Execution:Runtime/MaliciousFileExecuted",
    "Execution:Runtime/ReverseShell",
    "Impact:EC2/AbusedDomainRequest.Reputation",
    "Impact:EC2/BitcoinDomainRequest.Reputation",
    "Impact:EC2/MaliciousDomainRequest.Custom",
    "Impact:EC2/MaliciousDomainRequest.Reputation",
    "Impact:EC2/PortSweep",
    "Impact:EC2/WinRMBruteForce",
    "Impact:Runtime/BitcoinDomainRequest.Reputation",
    "Impact:Runtime/CryptoMinerExecuted",
    "Impact:Runtime/MaliciousDomainRequest.Reputation",
    "Recon:EC2/Portscan",
    "Trojan:EC2/BlackholeTraffic",
    "Trojan:EC2/BlackholeTraffic!DNS",
    "Trojan:EC2/DGADomainRequest.B",
    "Trojan:EC2/DGADomainRequest.C!DNS",
    "Trojan:EC2/DNSDataExfiltration",
    "Trojan:EC2/DriveBySourceTraffic!DNS",
    "Trojan:EC2/DropPoint",
    "Trojan:EC2/DropPoint!DNS",
    "Trojan:EC2/PhishingDomainRequest!DNS",
    "Trojan:Runtime/BlackholeTraffic",
    "Trojan:Runtime/DGADomainRequest.C!DNS",
    "Trojan:Runtime/DropPoint",
    "Trojan:Runtime/DropPoint!DNS",
    "UnauthorizedAccess:EC2/MetadataDNSRebind",
    "UnauthorizedAccess:EC2/RDPBruteForce",
    "UnauthorizedAccess:EC2/SSHBruteForce",
    "UnauthorizedAccess:EC2/TorClient",
    "UnauthorizedAccess:EC2/TorRelay",
    "UnauthorizedAccess:Runtime/TorRelay",
];

impl Default for Settings {
    fn default() -> Self {
        Self {
            finding_types: FINDING_TYPES.map(str::to_owned).to_vec(),
            min_severity: 4.0,
            roles: vec!["ACTOR".to_owned()],
            steps: ALL.to_vec(),
            steps_by_type: BTreeMap::new(),
            protected: Vec::new(),
            protected_tags: BTreeMap::new(),
            samples_on: Vec::new(),
            auto_scaling: AutoScaling::Detach,
            hibernate: false,
            cut_connections: false,
            revoke_role_sessions: false,
            isolation_group: "tourniquet-isolation".to_owned(),
        }
    }
}

impl Settings {
    /// Whether findings of a type are answered.
    #[must_use]
    pub fn answers(&self, kind: &str) -> bool {
        self.finding_types.iter().any(|glob| WildMatch::new(glob).matches(kind))
    }

    /// The steps for a finding type.
    #[must_use]
    pub fn steps_for(&self, kind: &str) -> &[Step] {
        self.steps_by_type
            .iter()
            .find(|(glob, _)| WildMatch::new(glob).matches(kind))
            .map_or(&self.steps, |(_, steps)| steps)
    }

    /// Why an instance is never touched, if it is one of those.
    #[must_use]
    pub fn protection(&self, instance: &str, tags: &BTreeMap<String, String>) -> Option<String> {
        if self.protected.iter().any(|id| id == instance) {
            return Some("it is listed in `protected`".to_owned());
        }
        self.protected_tags.iter().find_map(|(key, glob)| {
            let value = tags.get(key)?;
            WildMatch::new(glob)
                .matches(value)
                .then(|| format!("its tag {key} is {value:?}, see `protected_tags`"))
        })
    }
}

impl tourniquet::Settings for Settings {
    fn check(&self) -> Result<(), (&'static str, String)> {
        if !(1.0..=10.0).contains(&self.min_severity) {
            return Err(("min_severity", "expected 1.0 to 10.0, GuardDuty's scale".to_owned()));
        }
        if self.finding_types.is_empty() {
            return Err(("finding_types", "empty: no finding would be answered".to_owned()));
        }
        if let Some(role) = self.roles.iter().find(|r| !["ACTOR", "TARGET"].contains(&r.as_str())) {
            return Err(("roles", format!("{role:?} is neither \"ACTOR\" nor \"TARGET\"")));
        }
        let contains = |steps: &[Step]| steps.contains(&Step::Isolate) || steps.contains(&Step::Stop);
        if !contains(&self.steps) {
            return Err(("steps", "neither \"isolate\" nor \"stop\": that contains nothing".to_owned()));
        }
        if let Some((glob, _)) = self.steps_by_type.iter().find(|(_, steps)| !contains(steps)) {
            return Err((
                "steps_by_type",
                format!("{glob:?} neither isolates nor stops: that contains nothing"),
            ));
        }
        // AWS: up to 255 characters, of these; and `sg-` is refused at the beginning.
        let name = &self.isolation_group;
        let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
        if name.is_empty() || name.len() > 255 || name.starts_with("sg-") || !name.chars().all(allowed) {
            return Err(("isolation_group", format!("{name:?} is no name for a security group")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tourniquet::Config;

    use super::*;

    fn problem(settings: &str) -> String {
        let raw = format!(r#"{{"account":"111122223333","settings":{settings}}}"#);
        Config::<Settings>::parse(&raw).unwrap_err().to_string()
    }

    #[test]
    fn g22_impossible_settings_name_their_key() {
        for (settings, expected) in [
            (r#"{"min_severty":5}"#, "unknown field `min_severty`"),
            (r#"{"min_severity":0}"#, "settings.min_severity: expected 1.0 to 10.0"),
            (r#"{"min_severity":"high"}"#, "settings.min_severity: invalid type"),
            (r#"{"finding_types":[]}"#, "settings.finding_types: empty"),
            (r#"{"roles":["actor"]}"#, "settings.roles: \"actor\""),
            (r#"{"steps":["tag"]}"#, "settings.steps: neither"),
            (r#"{"steps":["reboot"]}"#, "settings.steps[0]: unknown variant `reboot`"),
            (r#"{"steps_by_type":{"Recon:*":["snapshot"]}}"#, "settings.steps_by_type: \"Recon:*\""),
            (r#"{"isolation_group":"sg-1"}"#, "settings.isolation_group"),
        ] {
            assert!(problem(settings).contains(expected), "{settings}: {}", problem(settings));
        }
    }

    #[test]
    fn e4_the_type_list_is_one_of_globs() {
        let own = Settings { finding_types: vec!["Trojan:EC2/*".into()], ..Settings::default() };
        assert!(own.answers("Trojan:EC2/DropPoint!DNS"));
        assert!(!own.answers("Backdoor:EC2/Spambot"));
        assert!(Settings::default().answers("Backdoor:EC2/C&CActivity.B!DNS"));
        assert!(!Settings::default().answers("Persistence:EC2/ExternalRemoteServices"));
    }

    #[test]
    fn settings_choose_the_steps_by_finding_type() {
        let by_type = BTreeMap::from([("Recon:*".to_owned(), vec![Step::Isolate])]);
        let own = Settings { steps_by_type: by_type, ..Settings::default() };
        assert_eq!(own.steps_for("Recon:EC2/Portscan"), [Step::Isolate]);
        assert_eq!(own.steps_for("Backdoor:EC2/Spambot"), ALL);
    }
}
