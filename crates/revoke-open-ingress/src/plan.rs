//! The plan for one group: what is added, what is revoked, and what is lost by it. Pure.
//!
//! What stays of a rule is added before the rule goes, and so is what `replace_with` allows instead; the revocation waits
//! for neither, so that a refused addition leaves less access and never an open port. What a run planned to add and what
//! is not there is planned again, until it is.

use std::collections::BTreeSet;

use tourniquet::plan::Recorded;

use crate::address::{FAMILIES, Family, block, family};
use crate::change::{Change, Purpose};
use crate::decide::{Planned, revocations, wave};
use crate::exposure::{Exposure, judge};
use crate::observation::Observation;
use crate::pieces::pieces;
use crate::rule::{Access, Draft, Port, Protocol, Rule, Source};
use crate::settings::{NoRoom, Settings};

/// The description of what `replace_with` adds.
const INSTEAD: &str = "Allowed instead of the world by Tourniquet";

pub(crate) struct Plan<'a> {
    seen: &'a Observation,
    settings: &'a Settings,
    exposure: &'a Exposure,
    adds: Vec<(Draft, Purpose, Access)>,
    /// Rules that go, with the ports that this closes.
    going: Vec<(&'a Rule, &'a BTreeSet<Port>)>,
    /// The sources of all rules that go or went, with the ports that this closes or closed.
    gone: BTreeSet<(Source, Port)>,
    /// Rules that stay although they are open, since nothing may be lost.
    held: Vec<&'a Rule>,
    /// What was allowed and harmless and is not allowed any more.
    lost: Vec<String>,
    notes: Vec<String>,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(
        seen: &'a Observation,
        settings: &'a Settings,
        exposure: &'a Exposure,
        planned: &[Recorded],
    ) -> Self {
        let closed =
            seen.rules.iter().filter_map(|rule| Some((&rule.access, exposure.closed.get(&rule.id)?)));
        let mut gone: BTreeSet<(Source, Port)> = closed
            .flat_map(|(access, ports)| ports.iter().map(|port| (access.source.clone(), *port)))
            .collect();
        for (rule, ports) in revocations(planned) {
            gone.extend(ports.into_iter().map(|port| (rule.access.source.clone(), port)));
        }
        let (adds, going, held, lost, notes) = Default::default();
        Self { seen, settings, exposure, adds, going, gone, held, lost, notes }
    }

    /// Closes every port that is open.
    pub(crate) fn close(&mut self) {
        let exposure = self.exposure;
        for rule in &self.seen.rules {
            let Some(ports) = exposure.closed.get(&rule.id) else { continue };
            let stays = pieces(&rule.access, ports, self.staying(), self.seen);
            let keeps = self.settings.splits(&rule.access);
            let mut adds = self.replacements(rule, ports);
            if keeps {
                let piece = |access: &Access| Draft {
                    access: access.clone(),
                    description: rule.description.clone(),
                    tags: rule.tags.clone(),
                };
                adds.extend(stays.iter().map(|access| (piece(access), Purpose::Piece)));
            }
            if self.has_room(adds.iter().map(|(draft, _)| &draft.access)) {
                self.adds
                    .extend(adds.into_iter().map(|(draft, purpose)| (draft, purpose, rule.access.clone())));
                if !keeps {
                    self.lost.extend(stays.iter().map(ToString::to_string));
                }
            } else if self.settings.no_room == NoRoom::Report {
                self.held.push(rule);
                continue;
            } else {
                self.lost.extend(stays.iter().map(ToString::to_string));
                self.notes.push(format!(
                    "the group has no room for what should stay of {}: more than {} rules, see `rules_per_group`",
                    rule.access, self.settings.rules_per_group
                ));
            }
            if rule.access.protocol() == Protocol::All {
                let source = rule.access.source.text();
                self.lost.push(format!("protocols other than TCP, UDP and ICMP from {source}"));
            }
            self.going.push((rule, ports));
        }
    }

    /// Adds what an earlier attempt was to add and what is not there. The rule that it stands for is gone by then; that it
    /// went by our call and not by a human's is assumed, since the record is that of our plan.
    pub(crate) fn complete(&mut self, planned: &[Recorded], of: Purpose) {
        if !self.settings.add_rules {
            return;
        }
        for recorded in planned {
            let Ok(Change::Add { rule, purpose, instead_of }) =
                serde_json::from_value(recorded.change.clone())
            else {
                continue;
            };
            let parent_is_there = self.seen.rules.iter().any(|live| live.access == instead_of);
            if purpose != of || parent_is_there || self.is_covered(&rule.access) {
                continue;
            }
            if !self.is_harmless(&rule.access, []) || !self.has_room([&rule.access]) {
                self.lost.push(rule.access.to_string());
                continue;
            }
            self.adds.push((rule, purpose, instead_of));
        }
    }

    /// The steps, and whether something open stays for want of room.
    pub(crate) fn end(mut self, notes: &mut Vec<String>) -> (Vec<Planned>, bool) {
        self.say_what_is_lost();
        let mut steps: Vec<Planned> = self
            .adds
            .iter()
            .map(|(rule, purpose, instead_of)| {
                let (rule, instead_of) = (rule.clone(), instead_of.clone());
                Planned::new(wave::ADD, Change::Add { rule, purpose: *purpose, instead_of })
            })
            .collect();
        steps.extend(self.going.iter().map(|(rule, ports)| {
            let touches = |access: &&Access| ports.iter().any(|port| access.reaches(*port));
            let is_going = |other: &Rule| self.going.iter().any(|(going, _)| going.id == other.id);
            let live = self.seen.rules.iter().filter(|other| other.id != rule.id);
            let (gone, stays): (Vec<&Rule>, Vec<&Rule>) = live.partition(|other| is_going(other));
            let added = self.adds.iter().map(|(draft, ..)| &draft.access);
            let listed = |all: &mut dyn Iterator<Item = &Access>| {
                let all: BTreeSet<Access> = all.filter(touches).cloned().collect();
                all.into_iter().collect::<Vec<_>>()
            };
            Planned::new(
                wave::REVOKE,
                Change::Revoke {
                    rule: (*rule).clone(),
                    closes: ports.iter().map(ToString::to_string).collect(),
                    beside: listed(&mut stays.iter().map(|other| &other.access)),
                    with: listed(&mut gone.iter().map(|other| &other.access).chain(added)),
                },
            )
        }));
        notes.append(&mut self.notes);
        (steps, !self.held.is_empty())
    }

    fn say_what_is_lost(&mut self) {
        self.lost.sort();
        self.lost.dedup();
        if !self.lost.is_empty() {
            self.notes.push(format!(
                "access that is lost although it opened no guarded port: {}",
                self.lost.join(", ")
            ));
        }
        let internal = self.going.iter().any(|(rule, _)| {
            FAMILIES.iter().any(|family| {
                let all = self.seen.addresses(&rule.access.source, *family).unwrap_or_default();
                !(all - family.public()).is_empty()
            })
        });
        if internal && self.settings.replace_with.is_empty() {
            self.notes.push(
                "private addresses that reached the port by the same rule do not reach it any more: see `replace_with`"
                    .to_owned(),
            );
        }
    }

    /// What stays in the group or is added to it.
    fn staying(&self) -> impl Iterator<Item = &Access> {
        let live = self.seen.rules.iter().filter(|rule| !self.exposure.closed.contains_key(&rule.id));
        live.chain(self.held.iter().copied())
            .map(|rule| &rule.access)
            .chain(self.adds.iter().map(|(draft, ..)| &draft.access))
    }

    /// Whether what an access allows is allowed without it.
    fn is_covered(&self, access: &Access) -> bool {
        if access.protocol() == Protocol::Portless {
            return self.staying().any(|other| other == access);
        }
        pieces(access, &BTreeSet::new(), self.staying(), self.seen).is_empty()
    }

    /// Whether it makes no guarded port open to the world, neither itself nor what stays and comes together with it; of a rule
    /// that goes for some ports the others stay.
    fn is_harmless<'b>(&'b self, access: &'b Access, coming: impl IntoIterator<Item = &'b Access>) -> bool {
        let added = |(n, access): (usize, &Access)| Rule {
            id: format!("added {n}"),
            access: access.clone(),
            description: None,
            tags: std::collections::BTreeMap::new(),
        };
        let goes = |rule: &Rule, port: Port| {
            let ports = self.exposure.closed.get(&rule.id);
            let is_held = || self.held.iter().any(|held| held.id == rule.id);
            ports.is_some_and(|ports| self.settings.leaves_nothing(&rule.access, ports, port) && !is_held())
        };
        let closed = |rules: &[Rule]| judge(rules, self.seen, self.settings, goes).closed;
        let adds = self.adds.iter().map(|(draft, ..)| &draft.access).chain(coming);
        let mut rules: Vec<Rule> =
            self.seen.rules.iter().cloned().chain(adds.enumerate().map(added)).collect();
        let without = closed(&rules);
        rules.push(added((rules.len(), access)));
        let unread = FAMILIES.iter().any(|family| self.seen.addresses(&access.source, *family).is_err());
        !unread && closed(&rules) == without
    }

    /// What `replace_with` allows to the ports that a rule opened, in the rule's address family.
    fn replacements(&mut self, rule: &Rule, ports: &BTreeSet<Port>) -> Vec<(Draft, Purpose)> {
        let mut all: Vec<(Draft, Purpose)> = Vec::new();
        for source in self.settings.replacements() {
            if self.family(&source) != self.family(&rule.access.source) {
                continue;
            }
            for port in ports {
                let number = Some(i32::from(port.number));
                let protocol = port.transport.word().to_owned();
                let access = Access { protocol, from: number, to: number, source: source.clone() };
                if self.is_covered(&access) {
                    continue;
                }
                let is_gone = self.gone.contains(&(source.clone(), *port));
                if !is_gone && self.is_harmless(&access, all.iter().map(|(draft, _)| &draft.access)) {
                    let (description, tags) = (Some(INSTEAD.to_owned()), std::collections::BTreeMap::new());
                    all.push((Draft { access, description, tags }, Purpose::Replacement));
                } else {
                    self.notes.push(format!(
                        "{} of `replace_with` is not allowed instead: it is part of what goes, or the world, alone or with what stays, or cannot be read here",
                        source.text()
                    ));
                }
            }
        }
        all
    }

    fn family(&self, source: &Source) -> Option<Family> {
        match source {
            Source::Ipv4(text) | Source::Ipv6(text) => block(text).as_ref().map(family),
            Source::PrefixList(id) => {
                let v6 = self.seen.lists.get(id)?.address_family.eq_ignore_ascii_case("IPv6");
                Some(if v6 { Family::V6 } else { Family::V4 })
            }
            Source::Group(_) => None,
        }
    }

    /// Whether rules fit into the quota before anything goes; what is planned so far counts.
    fn has_room<'b>(&self, more: impl IntoIterator<Item = &'b Access>) -> bool {
        let mut more = more.into_iter().map(|access| self.seen.weight(access)).peekable();
        if more.peek().is_none() {
            return true;
        }
        let live = self.seen.rules.iter().map(|rule| &rule.access);
        let added = self.adds.iter().map(|(draft, ..)| &draft.access);
        let all = live.chain(added).map(|access| self.seen.weight(access)).chain(more);
        let (v4, v6) = all.fold((0, 0), |(v4, v6), (a, b)| (v4 + a, v6 + b));
        v4.max(v6) <= self.settings.rules_per_group
    }
}
