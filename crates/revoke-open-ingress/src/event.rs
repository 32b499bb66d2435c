//! Which security groups an event names. Pure.
//!
//! The event says where to look and never what is there. Two names need AWS's help: a prefix list stands for the groups
//! that use it, and a group's name for its id.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tourniquet::cloudtrail::{ApiCall, DETAIL_TYPE};
use tourniquet::config_rule::ComplianceChange;
use tourniquet::error::Error;
use tourniquet::{Cause, Config, Event, Lead, Subjects};

use crate::settings::{Settings, is_list};

/// What the subject of a lead is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detail {
    /// A group's id.
    Group,
    /// A prefix list's id: the groups that use it are meant.
    PrefixList,
    /// A group's name, as calls for the default VPC may have it.
    GroupName,
}

/// The type of a security group in AWS Config.
const RESOURCE_TYPE: &str = "AWS::EC2::SecurityGroup";

/// The subjects of an event.
pub(crate) fn subjects(
    event: &Event,
    config: &Config<Settings>,
    function: &str,
) -> Result<Subjects<Detail>, Error> {
    match (event.source(), event.detail_type()) {
        ("aws.config", "Config Rules Compliance Change") => compliance(event),
        (_, DETAIL_TYPE) => match ApiCall::to_answer(event, config, function)? {
            Ok(call) => api_call(event, &call),
            Err(why) => Ok(Subjects::Ignored { why }),
        },
        (source, kind) => {
            Ok(Subjects::Ignored { why: format!("{kind} from {source} is not about security groups") })
        }
    }
}

fn compliance(event: &Event) -> Result<Subjects<Detail>, Error> {
    let change = ComplianceChange::of(event)?;
    let ignored = |why: String| Ok(Subjects::Ignored { why });
    if change.resource_type != RESOURCE_TYPE {
        return ignored(format!(
            "{} is about {}, not about a security group",
            change.config_rule_name, change.resource_type
        ));
    }
    if !change.is_breach() {
        return ignored(format!("{} does not break {}", change.resource_id, change.config_rule_name));
    }
    check_group(&change.resource_id, "detail.resourceId")?;
    let what = change.config_rule_name.clone();
    let key = event.id().map_or_else(|| format!("{what} {}", change.resource_id), str::to_owned);
    Ok(Subjects::Named(vec![Lead {
        place: change.place(),
        subject: change.resource_id,
        cause: Cause { what, key },
        actor: tourniquet::actor::Actor::default(),
        detail: Detail::Group,
    }]))
}

fn api_call(event: &Event, call: &ApiCall) -> Result<Subjects<Detail>, Error> {
    let (subject, detail) = match call.event_name.as_str() {
        "AuthorizeSecurityGroupIngress" | "CreateSecurityGroup" | "ModifySecurityGroupRules" => group(call)?,
        "ModifyManagedPrefixList" | "RestoreManagedPrefixListVersion" => (list(call)?, Detail::PrefixList),
        other => {
            return Ok(Subjects::Ignored { why: format!("{other} opens no security group") });
        }
    };
    Ok(Subjects::Named(vec![Lead {
        place: call.place(event)?,
        subject,
        cause: call.cause(event),
        actor: call.actor(),
        detail,
    }]))
}

/// The group of a call: what AWS answered names it, else what was asked. `ModifySecurityGroupRules` has capital keys below
/// a key of its own, in CloudTrail as in the API of its generation.
fn group(call: &ApiCall) -> Result<(String, Detail), Error> {
    const PARAMETERS: &str = "detail.requestParameters";
    let (asked, answered) = (&call.request_parameters, &call.response_elements);
    let below = |value: &Value, path: &str| value.pointer(path).filter(|found| !found.is_null()).cloned();
    let id = below(answered, "/groupId")
        .or_else(|| below(answered, "/securityGroupRuleSet/items/0/groupId"))
        .map(|id| (id, "detail.responseElements"))
        .or_else(|| {
            let own = format!("/{}Request/GroupId", call.event_name);
            let found = below(asked, "/groupId").or_else(|| below(asked, &own));
            found.map(|id| (id, PARAMETERS))
        });
    if let Some((id, root)) = id {
        let field = format!("{root}.groupId");
        let id = text(&id, &field)?;
        check_group(&id, &field)?;
        return Ok((id, Detail::Group));
    }
    let field = format!("{PARAMETERS}.groupName");
    let name = below(asked, "/groupName")
        .ok_or_else(|| Error::event(format!("{PARAMETERS}.groupId"), "missing, as is groupName"))?;
    let name = text(&name, &field)?;
    // AWS: up to 255 characters of these.
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    if name.is_empty() || name.len() > 255 || !name.chars().all(allowed) {
        return Err(Error::event(field, format!("{name:?} is not the name of a security group")));
    }
    Ok((name, Detail::GroupName))
}

fn list(call: &ApiCall) -> Result<String, Error> {
    const FIELD: &str = "detail.requestParameters.PrefixListId";
    let own = format!("/{}Request/PrefixListId", call.event_name);
    let asked = &call.request_parameters;
    let id = asked
        .pointer(&own)
        .or_else(|| asked.pointer("/prefixListId"))
        .or_else(|| asked.pointer("/PrefixListId"));
    let id = text(id.ok_or_else(|| Error::event(FIELD, "missing"))?, FIELD)?;
    if is_list(&id) {
        Ok(id)
    } else {
        Err(Error::event(FIELD, format!("{id:?} is not the id of a prefix list")))
    }
}

fn text(value: &Value, field: &str) -> Result<String, Error> {
    value.as_str().map(str::to_owned).ok_or_else(|| Error::event(field, "expected a string"))
}

/// A group's id goes into records and calls, so nothing else may pass.
fn check_group(id: &str, field: &str) -> Result<(), Error> {
    let digits = id.strip_prefix("sg-").unwrap_or_default();
    if (8..=17).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(Error::event(field, format!("{id:?} is not the id of a security group")))
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
