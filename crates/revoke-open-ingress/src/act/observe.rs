//! Reading a group and its rules in one round trip; prefix lists, of which the rules tell only the ids, in a second.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{ManagedPrefixList, SecurityGroup, SecurityGroupRule, Tag};
use futures_util::future::{try_join, try_join3};
use futures_util::{StreamExt, TryStreamExt, stream};
use tourniquet::Lead;
use tourniquet::error::{Class, Error, aws};

use super::{Clients, filter};
use crate::event::Detail;
use crate::observation::{Observation, PrefixList};
use crate::rule::{Access, Rule, Source};
use crate::settings::Settings;

/// How many prefix lists are read side by side.
const SIDE_BY_SIDE: usize = 8;

/// Reads a group; `None` if AWS does not know it.
pub(crate) async fn observe(
    clients: &Clients,
    lead: &Lead<Detail>,
    settings: &Settings,
) -> Result<Option<Observation>, Error> {
    let wanted: BTreeSet<String> = settings.replacement_lists().cloned().collect();
    let (group, rules, mut lists) = try_join3(
        group(clients, &lead.subject),
        rules(clients, &lead.subject),
        lists(clients, wanted.clone()),
    )
    .await?;
    let Some(group) = group else { return Ok(None) };
    let named = rules.iter().filter_map(|rule| match &rule.access.source {
        Source::PrefixList(id) => Some(id.clone()),
        _ => None,
    });
    let more: BTreeSet<String> = named.filter(|id| !wanted.contains(id)).collect();
    lists.extend(self::lists(clients, more).await?);
    Ok(Some(Observation {
        name: group.group_name().unwrap_or_default().to_owned(),
        description: group.description().unwrap_or_default().to_owned(),
        owner: group.owner_id().unwrap_or_default().to_owned(),
        tags: tags(group.tags()),
        rules,
        lists,
    }))
}

async fn group(clients: &Clients, id: &str) -> Result<Option<SecurityGroup>, Error> {
    const CALL: &str = "ec2:DescribeSecurityGroups";
    let answer = clients.ec2.describe_security_groups().group_ids(id).send().await.map_err(|e| aws(CALL, e));
    match answer {
        Ok(answer) => Ok(answer.security_groups().first().cloned()),
        Err(error) if error.class() == Some(Class::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The inbound rules of a group, all pages. AWS has no filter for the direction.
pub(super) async fn rules(clients: &Clients, group: &str) -> Result<Vec<Rule>, Error> {
    const CALL: &str = "ec2:DescribeSecurityGroupRules";
    let call = clients.ec2.describe_security_group_rules().filters(filter("group-id", [group.to_owned()]));
    let pages = call.max_results(1000).into_paginator().items().send();
    let all: Result<Vec<SecurityGroupRule>, Error> = pages.try_collect().await.map_err(|e| aws(CALL, e));
    match all {
        Ok(all) => all.iter().filter(|rule| rule.is_egress() != Some(true)).map(rule).collect(),
        Err(error) if error.class() == Some(Class::NotFound) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn rule(rule: &SecurityGroupRule) -> Result<Rule, Error> {
    let missing = |missing| Error::Unexpected { call: "ec2:DescribeSecurityGroupRules", missing };
    let source = if let Some(text) = rule.cidr_ipv4() {
        Source::Ipv4(text.to_owned())
    } else if let Some(text) = rule.cidr_ipv6() {
        Source::Ipv6(text.to_owned())
    } else if let Some(id) = rule.prefix_list_id() {
        Source::PrefixList(id.to_owned())
    } else {
        let other = rule.referenced_group_info().and_then(|info| info.group_id());
        Source::Group(other.ok_or(missing("the source of a rule"))?.to_owned())
    };
    let protocol = rule.ip_protocol().ok_or(missing("the protocol of a rule"))?.to_owned();
    // A rule for all protocols has no ports; AWS says -1 here and nothing there.
    let port = |number: Option<i32>| number.filter(|_| protocol != "-1");
    Ok(Rule {
        id: rule.security_group_rule_id().ok_or(missing("the id of a rule"))?.to_owned(),
        access: Access { from: port(rule.from_port()), to: port(rule.to_port()), source, protocol },
        description: rule.description().filter(|text| !text.is_empty()).map(str::to_owned),
        tags: tags(rule.tags()),
    })
}

/// Prefix lists with their entries. One that this account cannot see, or not any more, is left out, or has none.
async fn lists(clients: &Clients, ids: BTreeSet<String>) -> Result<BTreeMap<String, PrefixList>, Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let entries = stream::iter(ids.clone())
        .map(|id| async move { Ok::<_, Error>((id.clone(), entries(clients, &id).await?)) })
        .buffer_unordered(SIDE_BY_SIDE)
        .try_collect::<BTreeMap<String, Result<Vec<String>, String>>>();
    let (known, mut entries) = try_join(described(clients, ids), entries).await?;
    let list = |list: ManagedPrefixList| {
        let id = list.prefix_list_id()?.to_owned();
        let (blocks, problem) = match entries.remove(&id) {
            Some(Ok(blocks)) => (Some(blocks), String::new()),
            Some(Err(problem)) => (None, problem),
            None => (None, "not read".to_owned()),
        };
        let max_entries = list.max_entries().and_then(|n| u32::try_from(n).ok());
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        Some((
            id,
            PrefixList {
                name: text(list.prefix_list_name()),
                owner: text(list.owner_id()),
                max_entries,
                address_family: text(list.address_family()),
                blocks,
                problem,
            },
        ))
    };
    Ok(known.into_iter().filter_map(list).collect())
}

/// By a filter: one list that is not there would fail a request by ids.
async fn described(clients: &Clients, ids: BTreeSet<String>) -> Result<Vec<ManagedPrefixList>, Error> {
    let call = clients.ec2.describe_managed_prefix_lists().filters(filter("prefix-list-id", ids));
    let pages = call.into_paginator().items().send();
    pages.try_collect().await.map_err(|e| aws("ec2:DescribeManagedPrefixLists", e))
}

/// The blocks of a list, all pages; or why they cannot be read, if the list is not there or must not be read: that is no
/// reason not to look at the other rules of the group.
async fn entries(clients: &Clients, id: &str) -> Result<Result<Vec<String>, String>, Error> {
    const CALL: &str = "ec2:GetManagedPrefixListEntries";
    let pages =
        clients.ec2.get_managed_prefix_list_entries().prefix_list_id(id).into_paginator().items().send();
    let all: Result<Vec<_>, Error> = pages.try_collect().await.map_err(|e| aws(CALL, e));
    match all {
        Ok(all) => Ok(Ok(all.iter().filter_map(|entry| entry.cidr()).map(str::to_owned).collect())),
        Err(error) if matches!(error.class(), Some(Class::NotFound | Class::Denied | Class::Rejected)) => {
            Ok(Err(format!("{CALL}: {}", error.code().unwrap_or("refused"))))
        }
        Err(error) => Err(error),
    }
}

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().filter_map(|t| Some((t.key()?.to_owned(), t.value()?.to_owned()))).collect()
}
