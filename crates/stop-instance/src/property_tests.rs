//! Whatever the instance: plans that are carried out come to an end, and that end is isolation.

use proptest::prelude::*;

use super::tests::{begun, carried_out, decided, everywhere, interface, keys, web_server};
use super::*;
use crate::observation::Member;

fn any_instance() -> impl Strategy<Value = Observation> {
    let flags = prop::collection::vec(any::<bool>(), 10);
    let states = prop::sample::select(vec![State::Running, State::Stopping, State::Stopped]);
    let lifecycles = prop::sample::select(vec!["InService", "Standby", "Terminating"]);
    let groups = prop::collection::vec(prop::sample::subsequence(vec!["sg-1", "sg-2", "sg-iso"], 1..3), 1..4);
    (flags, states, lifecycles, groups).prop_map(|(flags, state, lifecycle, groups)| {
        let mut seen = Observation { state, ..web_server() };
        seen.interfaces =
            groups.iter().enumerate().map(|(n, groups)| interface(&format!("eni-{n}"), groups)).collect();
        seen.spot = flags[0];
        seen.ebs_root = flags[1];
        if flags[2] {
            seen.isolation = None;
        } else if flags[3] {
            seen.isolation.as_mut().unwrap().rules = vec![everywhere(flags[4])];
        }
        let rest = seen.rest.as_mut().unwrap();
        rest.termination_protected = flags[5];
        rest.stop_protected = flags[6];
        rest.one_time_spot = flags[0] && flags[7];
        rest.member = flags[8].then(|| Member { group: "asg".into(), lifecycle: lifecycle.into() });
        if flags[9] {
            seen.tags.insert("eks:cluster-name".into(), "prod".into());
        }
        seen
    })
}

proptest! {
    #[test]
    fn law_4_carrying_plans_out_ends_in_safe_and_never_stops_a_member(mut seen in any_instance(), cut in any::<bool>()) {
        let settings = Settings { cut_connections: cut, ..Settings::default() };
        for round in 0.. {
            let verdict = decided(&seen, &settings, &begun());
            match &verdict.ruling {
                Ruling::Safe => break,
                Ruling::Act(steps) => {
                    let stops = steps.iter().any(|s| matches!(s.change, Change::Stop { .. }));
                    let leaves = steps.iter().any(|s| matches!(s.change, Change::Detach { .. } | Change::Standby { .. }));
                    let member = seen.rest.as_ref().unwrap().member.as_ref().is_some_and(|m| m.lifecycle != "Terminating");
                    prop_assert!(!stops || !member || leaves);
                }
                other => prop_assert!(false, "{other:?}"),
            }
            prop_assert!(round < 5, "no end: {:?}", keys(&verdict));
            seen = carried_out(&seen, &verdict, &settings);
        }
        prop_assert!(seen.exposed().next().is_none());
        prop_assert!(seen.isolation.as_ref().unwrap().rules.is_empty());
    }

    #[test]
    fn a_plan_has_no_change_twice(seen in any_instance()) {
        let mut all = keys(&decided(&seen, &Settings::default(), &begun()));
        let before = all.len();
        all.sort();
        all.dedup();
        prop_assert_eq!(all.len(), before);
    }
}
