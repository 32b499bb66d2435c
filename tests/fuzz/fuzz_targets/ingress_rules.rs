//! R20: whatever the group, no guarded port is open to the world afterwards, what was allowed otherwise is allowed still, and nothing
//! new is. Held against arithmetic of our own over any blocks, ports and settings; which rules must go is known to the bit.

#![no_main]

#[path = "../../../crates/revoke-open-ingress/src"]
#[allow(dead_code)]
mod room {
    pub(crate) mod address;
    pub(crate) mod change;
    pub(crate) mod decide;
    pub(crate) mod event;
    pub(crate) mod exposure;
    pub(crate) mod manager;
    pub(crate) mod observation;
    pub(crate) mod pieces;
    pub(crate) mod plan;
    pub(crate) mod rule;
    pub(crate) mod scope;
    pub(crate) mod settings;
}
#[path = "ingress_rules/group.rs"]
mod group;
#[path = "ingress_rules/model.rs"]
mod model;

use std::collections::{BTreeMap, BTreeSet};

use group::Case;
use libfuzzer_sys::fuzz_target;
use model::{Closed, Model};
use room::change::Change;
use room::observation::Observation;
use room::rule::Rule;
use room::settings::{Settings, WideRules};
use room::{
    address, change, decide, event, exposure, manager, observation, pieces, plan, rule, scope, settings,
};
use tourniquet::actor::Actor;
use tourniquet::plan::Recorded;
use tourniquet::{Cause, Lead, Outcome, Place, Ruling, Standing, Verdict};

fuzz_target!(|case: Case| {
    let Case { seen, settings, failing } = case;
    let model = Model::new(&seen, &settings);
    let verdict = decided(&seen, &settings, &Standing::default());
    let closed = revoked(&verdict);
    assert_eq!(closed, model.closed, "which rules go, for which ports: {verdict:?}");

    let after = carried_out(&seen, &verdict, |_| false);
    compare(&seen, &after, &settings, &model, &verdict);
    let last = decided(&after, &settings, &begun(&verdict));
    if !closed.is_empty() {
        let settled = matches!(last.ruling, Ruling::Safe | Ruling::Leave(Outcome::Partial));
        assert!(settled && (model.is_readable || last.ruling != Ruling::Safe), "{last:?}");
    }
    let left = Model::new(&after, &settings);
    assert!(left.closed.is_empty(), "still open: {:?}", left.closed);

    // Some calls fail, whichever: a second attempt ends where the first would have.
    let mut calls = 0_u32;
    let half = carried_out(&seen, &verdict, |_| {
        calls += 1;
        failing >> (calls % 16) & 1 == 1
    });
    let again = decided(&half, &settings, &begun(&verdict));
    let whole = carried_out(&half, &again, |_| false);
    let [whole, after] = [&whole, &after].map(model::read);
    for (protocol, port, address) in model::samples(&seen, &settings) {
        let ends = [&whole, &after].map(|end| model::allows(end, protocol, port, address));
        let at = || format!("{protocol} {port} from {address:?} after a second attempt: {verdict:?}, then {again:?}");
        assert_eq!(ends[0], ends[1], "{}", at());
    }
});

/// Nothing new is allowed but what `replace_with` says, and nothing is lost but what the settings and AWS leave no way to keep.
fn compare(
    before: &Observation,
    after: &Observation,
    settings: &Settings,
    model: &Model,
    verdict: &Verdict<Change>,
) {
    let told = verdict.notes.iter().any(|note| note.starts_with("access that is lost"));
    let goes = |rule: &Rule| model.closed.contains_key(&rule.id);
    let splits = |rule: &Rule| {
        settings.add_rules && (settings.wide_rules == WideRules::Split || rule.access.protocol != "-1")
    };
    let (rules, after) = (model::read(before), model::read(after));
    for (protocol, port, address) in model::samples(before, settings) {
        let was: Vec<&Rule> =
            rules.iter().filter(|one| one.allows(protocol, port, address)).map(|one| one.rule).collect();
        let is = model::allows(&after, protocol, port, address);
        let guarded = model::is_guarded(settings, protocol, port);
        let at = || format!("{protocol} {port} from {address:?}: {verdict:?}");
        assert!(!is || !was.is_empty() || (guarded && model::replaces(settings, address)), "new: {}", at());
        let named = format!("{protocol}/{port}");
        let closed = |rule: &Rule| model.closed.get(&rule.id).is_some_and(|ports| ports.contains(&named));
        let kept = |rule: &Rule| splits(rule) && if guarded { !closed(rule) } else { protocol != "gre" };
        let must_stay = was.iter().any(|rule| !goes(rule) || kept(rule));
        assert!(is || !must_stay, "lost: {}", at());
        assert!(is || was.is_empty() || guarded || told, "lost and not told: {}", at());
    }
}

fn decided(seen: &Observation, settings: &Settings, standing: &Standing) -> Verdict<Change> {
    let lead = Lead {
        place: Place::new("111122223333", "eu-central-1"),
        subject: "sg-0a1b2c3d".to_owned(),
        cause: Cause::sweep(),
        actor: Actor::default(),
        detail: event::Detail::Group,
    };
    decide::decide(&lead, seen, settings, standing)
}

fn steps(verdict: &Verdict<Change>) -> Vec<decide::Planned> {
    let Ruling::Act(steps) = &verdict.ruling else { return Vec::new() };
    let mut steps = steps.clone();
    steps.sort_by_key(|step| step.wave);
    steps
}

/// The rules that go and the ports that this closes.
fn revoked(verdict: &Verdict<Change>) -> Closed {
    let revoked = steps(verdict).into_iter().filter_map(|step| match step.change {
        Change::Revoke { rule, closes, .. } => Some((rule.id, closes.into_iter().collect::<BTreeSet<_>>())),
        Change::Add { .. } => None,
    });
    revoked.collect()
}

/// What AWS would have of it: what is there already is not there twice.
fn carried_out(
    seen: &Observation,
    verdict: &Verdict<Change>,
    mut fails: impl FnMut(&Change) -> bool,
) -> Observation {
    let mut after = seen.clone();
    for (n, step) in steps(verdict).into_iter().enumerate() {
        let kept = serde_json::to_value(&step.change).expect("a change can be written");
        assert_eq!(serde_json::from_value::<Change>(kept).expect("a change can be read"), step.change);
        if fails(&step.change) {
            continue;
        }
        match step.change {
            Change::Add { rule, .. } => {
                if after.rules.iter().all(|live| live.access != rule.access) {
                    let id = format!("sgr-{}-{n}", seen.rules.len());
                    after.rules.push(Rule {
                        id,
                        access: rule.access,
                        description: None,
                        tags: BTreeMap::new(),
                    });
                }
            }
            Change::Revoke { rule, .. } => after.rules.retain(|live| live.id != rule.id),
        }
    }
    after
}

fn begun(verdict: &Verdict<Change>) -> Standing {
    let planned = steps(verdict).iter().map(|step| Recorded::of(&step.change)).collect();
    Standing { begun: true, planned, ..Standing::default() }
}
