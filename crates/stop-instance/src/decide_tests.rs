use std::collections::BTreeMap;

use tourniquet::actor::Actor;
use tourniquet::{Cause, Place};

use super::*;
use crate::observation::{Group, Interface, Member, Peer, Role, Rule, Target, Volume};

fn lead() -> Lead<Detail> {
    Lead {
        place: Place::new("111122223333", "eu-central-1"),
        subject: "i-0a1b2c3d4e5f60718".into(),
        cause: Cause { what: "Backdoor:EC2/Spambot".into(), key: "f1".into() },
        actor: Actor::default(),
        detail: Detail { finding: "f1".into(), kind: "Backdoor:EC2/Spambot".into(), severity: 8.0 },
    }
}

pub(super) fn interface(id: &str, groups: &[&str]) -> Interface {
    Interface { id: id.into(), groups: groups.iter().map(|g| (*g).to_owned()).collect() }
}

/// A running web server in a group, behind a load balancer, with two interfaces and two volumes.
pub(super) fn web_server() -> Observation {
    let volume =
        |device: &str, id: &str| Volume { device: device.into(), id: id.into(), delete_on_termination: true };
    Observation {
        state: State::Running,
        vpc: "vpc-1".into(),
        tags: BTreeMap::from([("Name".to_owned(), "web-7".to_owned())]),
        interfaces: vec![interface("eni-1", &["sg-1", "sg-2"]), interface("eni-2", &["sg-3"])],
        volumes: vec![volume("/dev/xvda", "vol-1"), volume("/dev/xvdb", "vol-2")],
        spot: false,
        ebs_root: true,
        can_hibernate: false,
        isolation: Some(Group { id: "sg-iso".into(), rules: vec![] }),
        untracked: None,
        rest: Some(Rest {
            member: Some(Member { group: "asg".into(), lifecycle: "InService".into() }),
            targets: vec![Target { group: "tg".into(), id: "i-0a1b2c3d4e5f60718".into(), port: Some(80) }],
            classic: vec!["clb".into()],
            role: Some(Role { name: "web".into(), shared_with: vec!["i-2".into()], revoked: false }),
            ..Rest::default()
        }),
    }
}

fn now() -> Timestamp {
    "2026-11-02T09:30:00Z".parse().unwrap()
}

pub(super) fn decided(seen: &Observation, settings: &Settings, standing: &Standing) -> Verdict<Change> {
    decide(&lead(), seen, settings, now(), standing)
}

pub(super) fn keys(verdict: &Verdict<Change>) -> Vec<String> {
    match &verdict.ruling {
        Ruling::Act(steps) => {
            let mut steps = steps.clone();
            steps.sort_by_key(|s| s.wave);
            steps.iter().map(|s| s.change.key()).collect()
        }
        _ => Vec::new(),
    }
}

fn plan(seen: &Observation) -> Vec<String> {
    keys(&decided(seen, &Settings::default(), &Standing::default()))
}

pub(super) fn begun() -> Standing {
    Standing { begun: true, ..Standing::default() }
}

/// What the account looks like after AWS has carried a plan out.
pub(super) fn carried_out(seen: &Observation, verdict: &Verdict<Change>, settings: &Settings) -> Observation {
    let mut after = seen.clone();
    let Ruling::Act(steps) = &verdict.ruling else { return after };
    let mut steps = steps.clone();
    steps.sort_by_key(|s| s.wave);
    for step in steps {
        let rest = after.rest.as_mut();
        match step.change {
            Change::CreateIsolationGroup { .. } => {
                let rules = vec![everywhere(true)];
                after.isolation = Some(Group { id: "sg-new".into(), rules });
            }
            Change::EmptyIsolationGroup { .. } => after.isolation.as_mut().unwrap().rules.clear(),
            Change::CreateUntrackedGroup { .. } => after.untracked = Some(passage()),
            Change::Untrack { interface, group, .. } | Change::Isolate { interface, group, .. } => {
                after.interfaces.iter_mut().find(|i| i.id == interface).unwrap().groups = vec![group];
            }
            Change::Detach { .. } => rest.unwrap().member = None,
            Change::Standby { .. } => rest.unwrap().member.as_mut().unwrap().lifecycle = "Standby".into(),
            Change::DeregisterTarget { target } => rest.unwrap().targets.retain(|t| *t != target),
            Change::DeregisterClassic { balancer } => rest.unwrap().classic.retain(|b| *b != balancer),
            Change::ProtectTermination => rest.unwrap().termination_protected = true,
            Change::KeepVolume { device, .. } => {
                after.volumes.iter_mut().find(|v| v.device == device).unwrap().delete_on_termination = false;
            }
            Change::Snapshot { volumes } => rest.unwrap().snapshotted = volumes,
            Change::Stop { .. } => after.state = State::Stopping,
            Change::RevokeSessions { .. } => rest.unwrap().role.as_mut().unwrap().revoked = true,
            Change::Tag { .. } => {
                after.tags.insert(TAG_FINDING.into(), lead().detail.finding);
            }
            Change::MarkGroups { groups } => {
                after.tags.insert(TAG_GROUPS.into(), groups);
            }
        }
    }
    let _ = settings;
    after
}

pub(super) fn everywhere(egress: bool) -> Rule {
    Rule { egress, protocol: "-1".into(), from: None, to: None, peer: Peer::Ipv4("0.0.0.0/0".into()) }
}

/// The group that makes connections untracked.
fn passage() -> Group {
    let v6 = Rule { peer: Peer::Ipv6("::/0".into()), ..everywhere(false) };
    Group { id: "sg-open".into(), rules: vec![everywhere(true), everywhere(false), v6] }
}

#[test]
fn the_default_response_is_made_in_its_order() {
    assert_eq!(
        plan(&web_server()),
        [
            "isolate eni-1",
            "isolate eni-2",
            "detach asg",
            "deregister tg i-0a1b2c3d4e5f60718 80",
            "deregister-classic clb",
            "protect-termination",
            "keep-volume /dev/xvda",
            "keep-volume /dev/xvdb",
            "snapshot",
            "stop",
            "tag",
        ]
    );
}

#[test]
fn law_2_before_the_rest_is_read_the_plan_is_containment_alone() {
    let first = Observation { rest: None, ..web_server() };
    assert_eq!(plan(&first), ["isolate eni-1", "isolate eni-2"]);
}

#[test]
fn e8_each_state_has_its_own_answer() {
    let with = |state| Observation { state, ..web_server() };
    for (state, expected) in [
        (State::Stopping, Ruling::Safe),
        (State::Stopped, Ruling::Safe),
        (State::Terminated, Ruling::Leave(Outcome::Gone)),
    ] {
        assert_eq!(
            decided(&with(state), &Settings::default(), &Standing::default()).ruling,
            expected,
            "{state:?}"
        );
    }
    let pending = with(State::Pending);
    let verdict = decided(&pending, &Settings::default(), &Standing::default());
    assert!(
        keys(&verdict).contains(&"isolate eni-1".to_owned()) && !keys(&verdict).contains(&"stop".to_owned())
    );
    let waiting =
        decided(&carried_out(&pending, &verdict, &Settings::default()), &Settings::default(), &begun());
    assert_eq!(waiting.ruling, Ruling::Wait);
}

#[test]
fn e8_a_stopped_instance_that_we_began_with_is_finished() {
    let seen = Observation { state: State::Stopped, ..web_server() };
    let verdict = decided(&seen, &Settings::default(), &begun());
    assert!(
        keys(&verdict).contains(&"isolate eni-1".to_owned()) && keys(&verdict).contains(&"tag".to_owned())
    );
}

#[test]
fn e9_what_cannot_be_stopped_is_isolated_and_said() {
    let rest = |change: fn(&mut Rest)| {
        let mut seen = web_server();
        change(seen.rest.as_mut().unwrap());
        seen
    };
    for (seen, word) in [
        (rest(|r| r.one_time_spot = true), "one-time Spot"),
        (rest(|r| r.stop_protected = true), "disableApiStop"),
        (Observation { ebs_root: false, ..web_server() }, "instance store"),
    ] {
        let verdict = decided(&seen, &Settings::default(), &Standing::default());
        assert!(
            keys(&verdict).contains(&"isolate eni-1".to_owned())
                && !keys(&verdict).contains(&"stop".to_owned())
        );
        assert!(verdict.notes.iter().any(|n| n.contains(word)), "{:?}", verdict.notes);
    }
}

#[test]
fn e9_hibernation_is_used_when_configured_and_asked_for() {
    for (can, asked, expected) in [(true, true, true), (true, false, false), (false, true, false)] {
        let seen = Observation { can_hibernate: can, ..web_server() };
        let settings = Settings { hibernate: asked, ..Settings::default() };
        let Ruling::Act(steps) = decided(&seen, &settings, &Standing::default()).ruling else { panic!() };
        assert!(steps.iter().any(|s| s.change == Change::Stop { hibernate: expected }));
    }
}

#[test]
fn e10_a_member_is_stopped_only_if_it_left_its_group() {
    let Ruling::Act(steps) = decided(&web_server(), &Settings::default(), &Standing::default()).ruling else {
        panic!()
    };
    let stop = steps.iter().find(|s| s.change.key() == "stop").unwrap();
    assert_eq!(stop.needs, ["detach asg"]);
}

#[test]
fn e10_a_member_leaves_only_from_the_states_that_aws_allows() {
    let with = |lifecycle: &str| {
        let mut seen = web_server();
        seen.rest.as_mut().unwrap().member.as_mut().unwrap().lifecycle = lifecycle.into();
        seen
    };
    assert!(plan(&with("Standby")).contains(&"detach asg".to_owned()));
    let pending = plan(&with("Pending:Wait"));
    assert!(!pending.contains(&"detach asg".to_owned()) && !pending.contains(&"stop".to_owned()));
    let terminating = decided(&with("Terminating"), &Settings::default(), &Standing::default());
    assert!(terminating.notes.iter().any(|n| n.contains("terminating the instance")));
    let standby = Settings { auto_scaling: AutoScaling::Standby, ..Settings::default() };
    assert!(
        keys(&decided(&with("InService"), &standby, &Standing::default()))
            .contains(&"standby asg".to_owned())
    );
    let stays = keys(&decided(&with("Standby"), &standby, &Standing::default()));
    assert!(!stays.iter().any(|k| k.contains("asg")) && stays.contains(&"stop".to_owned()));
}

#[test]
fn e12_the_groups_of_each_interface_are_recorded() {
    let Ruling::Act(steps) = decided(&web_server(), &Settings::default(), &Standing::default()).ruling else {
        panic!()
    };
    let before: Vec<Vec<String>> = steps
        .iter()
        .filter_map(|s| match &s.change {
            Change::Isolate { before, .. } => Some(before.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(before, [vec!["sg-1".to_owned(), "sg-2".to_owned()], vec!["sg-3".to_owned()]]);
}

#[test]
fn e13_the_isolation_group_is_made_first_and_emptied_when_somebody_edited_it() {
    let none = Observation { isolation: None, rest: None, ..web_server() };
    assert_eq!(plan(&none), ["create-isolation-group vpc-1"]);
    let rules = vec![everywhere(true), everywhere(false)];
    let edited =
        Observation { isolation: Some(Group { id: "sg-iso".into(), rules }), rest: None, ..web_server() };
    assert_eq!(plan(&edited), ["empty-isolation-group sg-iso", "isolate eni-1", "isolate eni-2"]);
    let isolated = vec![interface("eni-1", &["sg-iso"])];
    let opened = Observation { interfaces: isolated, ..edited };
    assert_eq!(plan(&opened), ["empty-isolation-group sg-iso"]);
}

#[test]
fn e14_connections_are_cut_only_when_asked_and_otherwise_the_report_says_that_they_survive() {
    let seen = Observation { rest: None, ..web_server() };
    let verdict = decided(&seen, &Settings::default(), &Standing::default());
    assert!(verdict.notes.iter().any(|n| n.contains("connections that were open before survive")));
    let cut = Settings { cut_connections: true, ..Settings::default() };
    let verdict = decided(&seen, &cut, &Standing::default());
    assert_eq!(keys(&verdict), ["create-untracked-group vpc-1"]);
    // Every look finds it by this name.
    let name = "tourniquet-isolation-untracked".to_owned();
    let made = Change::CreateUntrackedGroup { vpc: "vpc-1".into(), name };
    assert!(matches!(&verdict.ruling, Ruling::Act(steps) if steps[0].change == made), "{verdict:?}");
    let open = Observation { untracked: Some(passage()), ..seen };
    assert_eq!(
        keys(&decided(&open, &cut, &Standing::default())),
        ["untrack eni-1", "untrack eni-2", "isolate eni-1", "isolate eni-2"]
    );
}

#[test]
fn e14_a_passage_that_somebody_closed_is_opened_and_one_that_cannot_be_made_keeps_nothing_back() {
    let cut = Settings { cut_connections: true, ..Settings::default() };
    let mut closed = passage();
    closed.rules.retain(|rule| rule.peer != Peer::Ipv4("0.0.0.0/0".into()) || rule.egress);
    for untracked in [None, Some(closed)] {
        let seen = Observation { rest: None, untracked, ..web_server() };
        assert_eq!(keys(&decided(&seen, &cut, &Standing::default())), ["create-untracked-group vpc-1"]);
        let refused = Standing { failed: ["create-untracked-group vpc-1".to_owned()].into(), ..begun() };
        let verdict = decided(&seen, &cut, &refused);
        assert_eq!(keys(&verdict), ["isolate eni-1", "isolate eni-2"]);
        assert!(
            verdict.notes.iter().any(|n| n.contains("open connections are not cut")),
            "{:?}",
            verdict.notes
        );
    }
}

#[test]
fn e15_one_snapshot_for_each_finding() {
    let mut seen = web_server();
    seen.rest.as_mut().unwrap().snapshotted = vec!["vol-1".into(), "vol-2".into()];
    assert!(!plan(&seen).contains(&"snapshot".to_owned()));
    seen.rest.as_mut().unwrap().snapshotted = vec!["vol-1".into()];
    assert!(plan(&seen).contains(&"snapshot".to_owned()));
}

#[test]
fn e16_at_the_tag_limit_the_instance_is_contained_all_the_same() {
    let tags: BTreeMap<String, String> = (0..48).map(|n| (format!("t{n}"), String::new())).collect();
    let seen = Observation { tags, ..web_server() };
    let verdict = decided(&seen, &Settings::default(), &Standing::default());
    assert!(!keys(&verdict).contains(&"tag".to_owned()) && keys(&verdict).contains(&"stop".to_owned()));
    assert!(verdict.notes.iter().any(|n| n.contains("not tagged")));
}

#[test]
fn e16_the_last_free_tags_are_used_and_those_of_aws_do_not_count() {
    let mut tags: BTreeMap<String, String> = (0..47).map(|n| (format!("t{n}"), String::new())).collect();
    tags.insert("aws:cloudformation:stack-name".into(), "web".into());
    assert!(plan(&Observation { tags: tags.clone(), ..web_server() }).contains(&"tag".to_owned()));
    // A tag of an older finding is written over.
    tags.insert(TAG_FINDING.into(), "f0".into());
    assert!(plan(&Observation { tags, ..web_server() }).contains(&"tag".to_owned()));
}

#[test]
fn a_step_that_is_not_wanted_is_not_made() {
    let all = Settings::default().steps;
    for (step, keys_of_it, other) in [
        (Step::Isolate, vec!["isolate eni-1", "isolate eni-2"], "stop"),
        (Step::Detach, vec!["detach asg"], "isolate eni-1"),
        (Step::Deregister, vec!["deregister tg i-0a1b2c3d4e5f60718 80", "deregister-classic clb"], "stop"),
        (Step::Protect, vec!["protect-termination", "keep-volume /dev/xvda"], "stop"),
        (Step::Snapshot, vec!["snapshot"], "stop"),
        (Step::Stop, vec!["stop"], "isolate eni-1"),
        (Step::Tag, vec!["tag"], "stop"),
    ] {
        let steps = all.iter().copied().filter(|other| *other != step).collect();
        let made =
            keys(&decided(&web_server(), &Settings { steps, ..Settings::default() }, &Standing::default()));
        assert!(keys_of_it.iter().all(|key| !made.contains(&(*key).to_owned())), "{step:?}: {made:?}");
        assert!(made.contains(&other.to_owned()), "{step:?}: {made:?}");
    }
}

#[test]
fn e18_protected_instances_are_exempt_by_id_or_tag() {
    let by_id = Settings { protected: vec![lead().subject], ..Settings::default() };
    let by_tag =
        Settings { protected_tags: [("Name".to_owned(), "web-*".to_owned())].into(), ..Settings::default() };
    for settings in [by_id, by_tag] {
        let verdict = decided(&web_server(), &settings, &Standing::default());
        assert_eq!(verdict.ruling, Ruling::Leave(Outcome::Exempt));
        assert!(verdict.why.contains("PROTECTED"));
    }
    let other =
        Settings { protected_tags: [("Name".to_owned(), "db-*".to_owned())].into(), ..Settings::default() };
    assert!(matches!(decided(&web_server(), &other, &Standing::default()).ruling, Ruling::Act(_)));
}

#[test]
fn e19_managed_members_are_isolated_and_not_stopped() {
    for tag in [
        "eks:cluster-name",
        "kubernetes.io/cluster/prod",
        "karpenter.sh/nodepool",
        "aws:elasticmapreduce:job-flow-id",
        "AmazonECSManaged",
    ] {
        let tags = BTreeMap::from([(tag.to_owned(), "x".to_owned())]);
        let verdict =
            decided(&Observation { tags, ..web_server() }, &Settings::default(), &Standing::default());
        let keys = keys(&verdict);
        assert!(keys.contains(&"isolate eni-1".to_owned()), "{tag}");
        assert!(!keys.iter().any(|k| k == "stop" || k.starts_with("detach")), "{tag}: {keys:?}");
        assert!(verdict.notes.iter().any(|n| n.contains("isolated but not stopped")), "{tag}");
    }
}

#[test]
fn e24_the_report_names_the_role_and_who_shares_it() {
    let verdict = decided(&web_server(), &Settings::default(), &Standing::default());
    assert!(
        verdict
            .notes
            .iter()
            .any(|n| n.contains("role web") && n.contains("i-2") && n.contains("not revoked"))
    );
    assert!(!keys(&verdict).iter().any(|k| k.starts_with("revoke-sessions")));
    let revoke = Settings { revoke_role_sessions: true, ..Settings::default() };
    assert!(
        keys(&decided(&web_server(), &revoke, &Standing::default()))
            .contains(&"revoke-sessions web".to_owned())
    );
}

#[test]
fn g21_without_a_journal_the_groups_go_onto_the_instance_and_come_back_from_it() {
    let first = Observation { rest: None, ..web_server() };
    let standing = Standing { unrecorded: true, ..Standing::default() };
    let verdict = decided(&first, &Settings::default(), &standing);
    assert_eq!(keys(&verdict), ["isolate eni-1", "isolate eni-2", "mark-groups"]);
    let mut after = carried_out(&first, &verdict, &Settings::default());
    assert!(recover(&lead(), &after).is_empty(), "not tagged with the finding yet");
    after.tags.insert(TAG_FINDING.into(), "f1".into());
    after.tags.insert(TAG_RECORD.into(), "r1".into());
    after.tags.insert(TAG_TIME.into(), "2026-11-02T09:30:00Z".into());
    after.state = State::Stopped;
    let recovered = recover(&lead(), &after);
    let found: Vec<_> = recovered.iter().map(|r| (r.key.as_str(), r.before.as_str())).collect();
    assert_eq!(found[..3], [("isolate eni-1", "sg-1, sg-2"), ("isolate eni-2", "sg-3"), ("stop", "running")]);
    assert_eq!(found[3..].iter().map(|f| f.0).collect::<Vec<_>>(), ["tag", "mark-groups"]);
}

#[test]
fn g21_only_our_own_marks_for_this_finding_are_believed() {
    let marked = |finding: Option<&str>, record: Option<&str>| {
        let all = [(TAG_FINDING, finding), (TAG_RECORD, record), (TAG_GROUPS, Some("eni-1=sg-1"))];
        let tags = all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())));
        recover(&lead(), &Observation { tags: tags.collect(), ..web_server() })
    };
    assert!(!marked(Some("f1"), Some("r1")).is_empty());
    for (finding, record) in [(Some("f0"), Some("r1")), (None, Some("r1")), (Some("f1"), None)] {
        assert_eq!(marked(finding, record), [], "{finding:?} {record:?}");
    }
}

#[test]
fn g21_groups_are_marked_where_there_is_something_to_mark_and_room_for_it() {
    let marks = |seen: &Observation| {
        let verdict =
            decided(seen, &Settings::default(), &Standing { unrecorded: true, ..Standing::default() });
        (keys(&verdict).contains(&"mark-groups".to_owned()), verdict.notes.join("; "))
    };
    // Nothing can be isolated before there is a group for it; then nothing is left to isolate.
    assert!(!marks(&Observation { isolation: None, ..web_server() }).0);
    let isolated = vec![interface("eni-1", &["sg-iso"])];
    assert!(!marks(&Observation { interfaces: isolated, ..web_server() }).0);
    let long = |length: usize| {
        let id = "g".repeat(length - "eni-1=".len());
        marks(&Observation { interfaces: vec![interface("eni-1", &[&id])], ..web_server() })
    };
    assert!(long(255).0 && long(256).0 && !long(257).0);
    assert!(long(257).1.contains("do not fit into a tag; they were: eni-1=g"));
}
