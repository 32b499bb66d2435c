//! Which rules open a guarded port to the world. Arithmetic with sets of addresses; pure.
//!
//! For each guarded port and address family, all sources that reach the port are looked at together: halves, quarters and
//! prefix lists add up. If they are the world, the widest go, and with each all of the same width, until what remains is
//! not the world any more. So 0.0.0.0/0 goes alone and the office beside it stays, and of sixteen /4 all go.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::{FAMILIES, Family, Set, size, union};
use crate::observation::{Observation, Unread};
use crate::rule::{Port, Rule};
use crate::settings::{Answer, Settings};

/// What a group opens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exposure {
    /// The ports that each rule must not reach any more, by the rule's id.
    pub(crate) closed: BTreeMap<String, BTreeSet<Port>>,
    /// What is wrong, each a clause.
    pub(crate) findings: Vec<String>,
    /// Large sources that are not the world and stay, each a clause.
    pub(crate) large: Vec<String>,
    /// What could not be read and may be the world.
    pub(crate) unread: BTreeSet<Unread>,
}

/// A source that reaches a port.
struct Reach<'a> {
    rule: &'a Rule,
    width: u128,
    public: Set,
}

/// Judges rules of a group, but for those rules and ports that are spared.
pub(crate) fn judge(
    rules: &[Rule],
    seen: &Observation,
    settings: &Settings,
    spared: impl Fn(&Rule, Port) -> bool,
) -> Exposure {
    let mut exposure = Exposure::default();
    for port in settings.guarded() {
        let reaching: Vec<&Rule> =
            rules.iter().filter(|rule| rule.access.reaches(port) && !spared(rule, port)).collect();
        for family in FAMILIES {
            let mut all = Vec::new();
            for rule in &reaching {
                match reach(rule, seen, family) {
                    Ok(reach) => all.extend(reach),
                    Err(unread) => drop(exposure.unread.insert(unread)),
                }
            }
            exposure.port(port, family, all, seen, settings);
        }
    }
    exposure
}

/// What a rule's source reaches in one family, if it has public addresses there.
fn reach<'a>(rule: &'a Rule, seen: &Observation, family: Family) -> Result<Option<Reach<'a>>, Unread> {
    let addresses = seen.addresses(&rule.access.source, family)?;
    let public = &addresses & family.public();
    Ok((!public.is_empty()).then(|| Reach { rule, width: size(&addresses), public }))
}

impl Exposure {
    fn port(
        &mut self,
        port: Port,
        family: Family,
        mut remaining: Vec<Reach<'_>>,
        seen: &Observation,
        settings: &Settings,
    ) {
        let share = share(&remaining, family);
        if share >= settings.world_share {
            let mut gone = Vec::new();
            while self::share(&remaining, family) >= settings.world_share {
                let widest = remaining.iter().map(|r| r.width).max().unwrap_or_default();
                let (out, rest) = remaining.into_iter().partition(|r| r.width == widest);
                remaining = rest;
                gone.extend::<Vec<_>>(out);
            }
            self.findings.push(format!(
                "{port} is open to {} of the public {} addresses ({})",
                percent(share),
                family.word(),
                sources(&gone, seen)
            ));
            self.close(port, &gone);
        }
        let large: Vec<Reach<'_>> = remaining
            .into_iter()
            .filter(|r| r.width >= family.large() && size(&r.public) >= r.width / 2)
            .collect();
        if large.is_empty() {
            return;
        }
        let clause = format!("{port} is open to a large {} block ({})", family.word(), sources(&large, seen));
        if settings.large_blocks == Answer::Revoke {
            self.findings.push(clause);
            self.close(port, &large);
        } else {
            self.large.push(clause);
        }
    }

    fn close(&mut self, port: Port, reaches: &[Reach<'_>]) {
        for reach in reaches {
            self.closed.entry(reach.rule.id.clone()).or_default().insert(port);
        }
    }
}

fn share(reaches: &[Reach<'_>], family: Family) -> f64 {
    family.share(&reaches.iter().fold(Set::new(), |all, reach| union(&all, &reach.public)))
}

fn percent(share: f64) -> String {
    if share >= 1.0 { "all".to_owned() } else { format!("{:.0} %", (share * 100.0).floor()) }
}

/// The sources, as many as one can read.
fn sources(reaches: &[Reach<'_>], seen: &Observation) -> String {
    const SHOWN: usize = 6;
    let all: BTreeSet<String> = reaches.iter().map(|r| seen.named(&r.rule.access.source)).collect();
    let more = all.len().saturating_sub(SHOWN);
    let shown = all.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// The longest prefix that a sweep has to look for, so that no group is missed: of the at most `rules` sources of a group
/// one has to be this wide if together they are the world, and every block that is to be reported is.
pub(crate) fn longest_prefix(family: Family, world_share: f64, rules: u32) -> u8 {
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    let needed = size(family.public()) as f64 * world_share / f64::from(rules);
    let large = family.bits() - u8::try_from(family.large().ilog2()).unwrap_or_default();
    // A longer prefix than this has at most half as many addresses as it, which must be too few.
    let narrow = |prefix: u8| 2_f64.powi(i32::from(family.bits() - prefix - 1)) < needed;
    (0..family.bits()).find(|prefix| narrow(*prefix)).unwrap_or(family.bits()).max(large)
}

#[cfg(test)]
#[path = "exposure_tests.rs"]
mod tests;
