//! Taking one change back, under the operator's credentials. A group whose rules for the port somebody else changed since
//! stays as it is. The whole comes back before its pieces go, so changes are to be taken back in reverse.

use std::collections::BTreeSet;

use tourniquet::error::Error;
use tourniquet::{Consent, Reverted};

use super::observe::rules;
use super::{Clients, apply};
use crate::address::block;
use crate::change::Change;
use crate::rule::{Access, Draft, Port, Rule, Source};
use crate::scope::port;

/// Takes one change back.
pub(crate) async fn revert(
    clients: &Clients,
    group: &str,
    change: &Change,
    consent: Consent,
) -> Result<Reverted, Error> {
    let live = rules(clients, group).await?;
    match change {
        Change::Add { rule, instead_of, .. } => {
            remove(clients, group, &live, rule, instead_of, consent).await
        }
        Change::Revoke { rule, closes, beside, with } => {
            if live.iter().any(|other| is_same(&other.access, &rule.access)) {
                return Ok(Reverted::AlreadyThere);
            }
            let ports: Vec<Port> = closes.iter().filter_map(|text| port(text)).collect();
            let reaching = live.iter().map(|other| &other.access);
            let found: BTreeSet<&Access> = reaching
                .filter(|access| ports.iter().any(|port| access.reaches(*port)) && !with.contains(access))
                .collect();
            let expected: BTreeSet<&Access> = beside.iter().collect();
            if found != expected {
                return Ok(Reverted::Drifted { expected: listed(&expected), found: listed(&found) });
            }
            let why = format!(
                "{} stays closed: it is opened to the world again only when that is asked for",
                closes.join(", ")
            );
            let draft = Draft {
                access: rule.access.clone(),
                description: rule.description.clone(),
                tags: rule.tags.clone(),
            };
            consent.release(why, async { apply::authorize(clients, group, &draft).await.map(drop) }).await
        }
    }
}

/// Takes out what was added for a rule, once that rule is there again.
async fn remove(
    clients: &Clients,
    group: &str,
    live: &[Rule],
    added: &Draft,
    instead_of: &Access,
    consent: Consent,
) -> Result<Reverted, Error> {
    let Some(found) = live.iter().find(|rule| is_same(&rule.access, &added.access)) else {
        return Ok(Reverted::AlreadyThere);
    };
    if found.description != added.description {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "no description".to_owned());
        return Ok(Reverted::Drifted { expected: text(&added.description), found: text(&found.description) });
    }
    // Who only looks has not put it there yet.
    if consent != Consent::Look && !live.iter().any(|rule| is_same(&rule.access, instead_of)) {
        return Ok(Reverted::Kept(format!("it stays, since {instead_of} is not there again")));
    }
    consent.restore(apply::revoke(clients, group, &found.id)).await
}

/// Whether two rules allow the same. Older rules may hold a block that is not canonical, such as `203.0.113.254/0`; AWS makes it so
/// when it is added again.
fn is_same(a: &Access, b: &Access) -> bool {
    let network = |source: &Source| match source {
        Source::Ipv4(text) | Source::Ipv6(text) => block(text).map(|net| net.trunc()),
        _ => None,
    };
    let ports = |access: &Access| (access.protocol.clone(), access.from, access.to);
    let same_source =
        a.source == b.source || network(&a.source).is_some_and(|net| network(&b.source) == Some(net));
    ports(a) == ports(b) && same_source
}

fn listed(all: &BTreeSet<&Access>) -> String {
    if all.is_empty() {
        return "no other rule for the port".to_owned();
    }
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
