//! Taking one change back, under the operator's credentials. A group whose rules for the port somebody else changed since
//! stays as it is. The whole comes back before its pieces go, so changes are to be taken back in reverse.

use std::collections::BTreeSet;

use tourniquet::error::Error;
use tourniquet::{Consent, Reverted};

use super::observe::rules;
use super::{Clients, apply};
use crate::change::Change;
use crate::rule::{Access, Draft, Port, Rule};
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
        Change::Add { rule, instead_of, .. } => remove(clients, group, &live, rule, instead_of).await,
        Change::Revoke { rule, closes, beside, with } => {
            if live.iter().any(|other| other.access == rule.access) {
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
            if consent != Consent::Explicit {
                let why = format!(
                    "{} stays closed: it is opened to the world again only when that is asked for",
                    closes.join(", ")
                );
                return Ok(Reverted::Kept(why));
            }
            let draft = Draft {
                access: rule.access.clone(),
                description: rule.description.clone(),
                tags: rule.tags.clone(),
            };
            let new = apply::authorize(clients, group, &draft).await?;
            Ok(if new { Reverted::Restored } else { Reverted::AlreadyThere })
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
) -> Result<Reverted, Error> {
    let Some(found) = live.iter().find(|rule| rule.access == added.access) else {
        return Ok(Reverted::AlreadyThere);
    };
    if found.description != added.description {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "no description".to_owned());
        return Ok(Reverted::Drifted { expected: text(&added.description), found: text(&found.description) });
    }
    if !live.iter().any(|rule| rule.access == *instead_of) {
        return Ok(Reverted::Kept(format!("it stays, since {instead_of} is not there again")));
    }
    apply::revoke(clients, group, &found.id).await?;
    Ok(Reverted::Restored)
}

fn listed(all: &BTreeSet<&Access>) -> String {
    if all.is_empty() {
        return "no other rule for the port".to_owned();
    }
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
