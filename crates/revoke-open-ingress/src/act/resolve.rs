//! The groups that a lead stands for: those that use a prefix list, or that have a name. Each becomes a lead of its own, so
//! that exemptions, records and undos are those of the group.

use tourniquet::Lead;
use tourniquet::error::{Error, aws};

use super::{Clients, filter};
use crate::event::Detail;

/// The leads to the groups that a lead stands for, in its account and region.
pub(crate) async fn resolve(clients: &Clients, lead: &Lead<Detail>) -> Result<Vec<Lead<Detail>>, Error> {
    const CALL: &str = "ec2:DescribeSecurityGroups";
    let wanted = match lead.detail {
        Detail::Group => return Ok(vec![lead.clone()]),
        Detail::PrefixList => filter("ip-permission.prefix-list-id", [lead.subject.clone()]),
        // A name may hold what a filter takes for a wildcard.
        Detail::GroupName => filter("group-name", [lead.subject.replace('*', "\\*")]),
    };
    let owner = filter("owner-id", [lead.place.account.clone()]);
    let call = clients.ec2.describe_security_groups().filters(wanted).filters(owner);
    let pages = call.max_results(1000).into_paginator().items().send();
    let found: Vec<_> = pages.try_collect().await.map_err(|e| aws(CALL, e))?;
    let group = |id: &str| Lead { subject: id.to_owned(), detail: Detail::Group, ..lead.clone() };
    Ok(found.iter().filter_map(|found| found.group_id()).map(group).collect())
}
