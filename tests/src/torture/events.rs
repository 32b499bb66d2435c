//! The events of a flood: security groups that are opened to the world, noise, duplicates, and a few that are malformed.
//!
//! Of four events two open a group, one is of a kind that no trigger matches, and one is the function's own call, which
//! reaches it and is ignored. A fifth of the openings, a tenth of all, are duplicates of one before.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::scenario::{read, set};
use crate::tools::Tools;

/// How far behind the first one its duplicate comes at most, in openings.
const NEAR: usize = 40;

/// One of so many of the function's own calls is malformed.
const MALFORMED: usize = 50;

/// The events in the order of their arrival, and the groups that they open.
#[derive(Debug, Default)]
pub(super) struct Events {
    pub(super) all: Vec<Value>,
    pub(super) groups: BTreeSet<String>,
    pub(super) duplicates: usize,
    pub(super) malformed: usize,
}

impl Events {
    /// So many events; what the function changes itself is known by its role.
    pub(super) fn new(tools: &Tools, count: usize, own_role: &Value) -> Result<Self> {
        let fixtures = tools.room("revoke-open-ingress").join("fixtures");
        let opened: Value = read(&fixtures.join("match/rdp-opened.json"))?;
        let ignored = ["description-changed", "egress-opened", "rule-revoked", "call-that-failed"];
        let ignored = ignored
            .iter()
            .map(|name| read::<Value>(&fixtures.join(format!("ignore/{name}.json"))))
            .collect::<Result<Vec<_>>>()?;
        let mut events = Self::default();
        let mut openings: Vec<Value> = Vec::new();
        for number in 0..count {
            let event = match number % 4 {
                1 => numbered(ignored.get(number / 4 % ignored.len()).context("noise")?, number)?,
                3 => {
                    let mut event = opening(&opened, number)?;
                    set(
                        &mut event,
                        "detail.userIdentity.sessionContext.sessionIssuer.arn",
                        own_role.clone(),
                    )?;
                    if number / 4 % MALFORMED == MALFORMED / 2 {
                        event = opening(&opened, number)?;
                        for path in ["detail.responseElements", "detail.requestParameters"] {
                            set(&mut event, path, json!({"groupId": "none"}))?;
                        }
                        events.malformed += 1;
                    }
                    event
                }
                _ if openings.len() % 5 == 4 => {
                    events.duplicates += 1;
                    let back = 1 + number * 7 % NEAR.min(openings.len());
                    let before = openings.get(openings.len() - back).cloned();
                    before.context("an opening comes before its duplicate")?
                }
                _ => {
                    let event = opening(&opened, number)?;
                    events.groups.insert(group(number));
                    event
                }
            };
            if number % 2 == 0 {
                openings.push(event.clone());
            }
            events.all.push(event);
        }
        Ok(events)
    }
}

/// The id of the group that an event opens.
fn group(number: usize) -> String {
    format!("sg-{number:017x}")
}

fn opening(opened: &Value, number: usize) -> Result<Value> {
    let mut event = numbered(opened, number)?;
    set(&mut event, "detail.requestParameters.groupId", json!(group(number)))?;
    set(&mut event, "detail.responseElements.securityGroupRuleSet.items.0.groupId", json!(group(number)))?;
    Ok(event)
}

/// A copy with ids of its own.
fn numbered(event: &Value, number: usize) -> Result<Value> {
    let mut event = event.clone();
    set(&mut event, "id", json!(format!("c0ffee00-0000-4000-8000-{number:012x}")))?;
    set(&mut event, "detail.eventID", json!(format!("7a1b2c3d-0000-4000-8000-{number:012x}")))?;
    Ok(event)
}
