//! Findings in which the instance does no harm, or that are about something else. A few thousand are made up in each run;
//! `PROPTEST_CASES` asks for more.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::settings::FINDING_TYPES;

/// What GuardDuty says of instances that are attacked, or are only odd.
const OTHERS: [&str; 9] = [
    "Recon:EC2/PortProbeUnprotectedPort",
    "Recon:EC2/PortProbeEMRUnprotectedPort",
    "Behavior:EC2/NetworkPortUnusual",
    "Behavior:EC2/TrafficVolumeUnusual",
    "Policy:IAMUser/RootCredentialUsage",
    "Persistence:EC2/MetadataModified",
    "Exfiltration:EC2/Snapshot",
    "PrivilegeEscalation:Runtime/DockerSocketAccessed",
    "Discovery:S3/MaliciousIPCaller",
];

fn finding(kind: &str, role: Option<&str>, severity: f64, archived: bool, about: &str) -> Value {
    json!({
        "detail-type": "GuardDuty Finding", "source": "aws.guardduty", "account": "111122223333", "region": "eu-central-1",
        "detail": {
            "id": "f1", "type": kind, "severity": severity, "accountId": "111122223333", "region": "eu-central-1",
            "resource": {"resourceType": about, "instanceDetails": {"instanceId": "i-0a1b2c3d4e5f60718"}},
            "service": {"archived": archived, "resourceRole": role, "action": {"actionType": "NETWORK_CONNECTION"}}
        }
    })
}

/// Types in which the instance acts, without the one that is about several instances.
fn acting() -> impl Strategy<Value = &'static str> {
    let single: Vec<&str> =
        FINDING_TYPES.into_iter().filter(|kind| !kind.starts_with("AttackSequence")).collect();
    prop::sample::select(single)
}

fn innocent() -> impl Strategy<Value = Value> {
    let victim = prop::sample::select(vec![Some("TARGET"), None, Some("UNKNOWN"), Some("actor")]);
    let role = prop::sample::select(vec![Some("ACTOR"), Some("TARGET"), None]);
    let other = prop::sample::select(vec![
        "AccessKey",
        "S3Bucket",
        "EKSCluster",
        "Container",
        "Lambda",
        "RDSDBInstance",
    ]);
    prop_oneof![
        3 => (acting(), victim, 4.0..10.0_f64).prop_map(|(kind, role, severity)| finding(kind, role, severity, false, "Instance")),
        3 => (prop::sample::select(OTHERS.to_vec()), role, 1.0..10.0_f64)
            .prop_map(|(kind, role, severity)| finding(kind, role, severity, false, "Instance")),
        1 => (acting(), 1.0..3.99_f64).prop_map(|(kind, severity)| finding(kind, Some("ACTOR"), severity, false, "Instance")),
        1 => acting().prop_map(|kind| finding(kind, Some("ACTOR"), 8.0, true, "Instance")),
        1 => (acting(), other).prop_map(|(kind, about)| finding(kind, Some("ACTOR"), 8.0, false, about)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(2_000), ..ProptestConfig::default() })]

    #[test]
    fn innocent_instances_are_left_alone(event in innocent()) {
        let named = subjects(&Event::parse(&event.to_string()).unwrap(), &Settings::default()).unwrap();
        prop_assert!(matches!(named, Subjects::Ignored { .. }), "{:?}", named);
    }
}
