//! What a sweep looks at: AWS is asked for the groups with a source that can be, or be a part of, the world, in every
//! region that is enabled. What the answer shows to be harmless is not looked at again.

use aws_sdk_ec2::types::{IpPermission, SecurityGroup};
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use tourniquet::actor::Actor;
use tourniquet::error::{Error, aws};
use tourniquet::{Cause, Lead, Place};

use super::{Clients, filter};
use crate::address::{Family, Set, block, family, range};
use crate::event::Detail;
use crate::exposure::longest_prefix;
use crate::rule::{Access, Source};
use crate::settings::{MOST_RULES, Settings};

/// The regions of an account that are enabled: AWS leaves the others out unless told otherwise.
pub(crate) async fn places(
    clients: &Clients,
    home: &Place,
    settings: &Settings,
) -> Result<Vec<Place>, Error> {
    if !settings.regions.is_empty() {
        return Ok(settings.regions.iter().map(|region| Place::new(&home.account, region)).collect());
    }
    let enabled = filter("opt-in-status", ["opt-in-not-required", "opted-in"].map(str::to_owned));
    let answer = clients
        .ec2
        .describe_regions()
        .filters(enabled)
        .send()
        .await
        .map_err(|e| aws("ec2:DescribeRegions", e))?;
    let names = answer.regions().iter().filter_map(|region| region.region_name());
    Ok(names.map(|name| Place::new(&home.account, name)).collect())
}

/// The groups of one place that may open a guarded port, page by page. AWS joins filters by "and", so blocks of each family
/// and prefix lists are asked for separately; a group found twice is looked at once. In a filter's value `*` is any text.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>
pub(crate) fn sweep<'a>(
    clients: &'a Clients,
    place: &'a Place,
    settings: &'a Settings,
) -> BoxStream<'a, Result<Lead<Detail>, Error>> {
    let wide = |family| {
        let longest = longest_prefix(family, settings.world_share, MOST_RULES);
        (0..=longest).map(|length| format!("*/{length}")).collect::<Vec<_>>()
    };
    let asked = [
        ("ip-permission.cidr", wide(Family::V4)),
        ("ip-permission.ipv6-cidr", wide(Family::V6)),
        ("ip-permission.prefix-list-id", vec!["pl-*".to_owned()]),
    ];
    let pages = asked.map(|(name, values)| {
        let owner = filter("owner-id", [place.account.clone()]);
        let call = clients.ec2.describe_security_groups().filters(filter(name, values)).filters(owner);
        let call = call.max_results(1000).into_paginator().items().send();
        let found = stream::try_unfold(call, |mut pages| async move {
            let next = pages.try_next().await.map_err(|e| aws("ec2:DescribeSecurityGroups", e))?;
            Ok::<_, Error>(next.map(|group| (group, pages)))
        });
        found.try_filter_map(move |group| std::future::ready(Ok(lead(&group, place, settings)))).boxed()
    });
    stream::select_all(pages).boxed()
}

/// The lead to a group that may open a guarded port.
fn lead(group: &SecurityGroup, place: &Place, settings: &Settings) -> Option<Lead<Detail>> {
    let subject = group.group_id()?.to_owned();
    group.ip_permissions().iter().any(|permission| may_open(permission, settings)).then(|| Lead {
        place: place.clone(),
        subject,
        cause: Cause::sweep(),
        actor: Actor::default(),
        detail: Detail::Group,
    })
}

/// Whether a permission reaches a guarded port from a source that is wide enough to count, or from a list.
fn may_open(permission: &IpPermission, settings: &Settings) -> bool {
    let access = Access {
        protocol: permission.ip_protocol().unwrap_or("-1").to_owned(),
        from: permission.from_port(),
        to: permission.to_port(),
        source: Source::Group(String::new()),
    };
    if !settings.guarded().any(|port| access.reaches(port)) {
        return false;
    }
    let v4 = permission.ip_ranges().iter().filter_map(|range| range.cidr_ip());
    let v6 = permission.ipv6_ranges().iter().filter_map(|range| range.cidr_ipv6());
    let wide = |text: &str| {
        // What cannot be read is looked at.
        block(text).is_none_or(|net| {
            let family = family(&net);
            net.prefix_len() <= longest_prefix(family, settings.world_share, MOST_RULES)
                // 10.0.0.0/8 stands in most groups and is no part of the world.
                && !family.public().is_disjoint(&Set::from_iter([range(net)]))
        })
    };
    !permission.prefix_list_ids().is_empty() || v4.chain(v6).any(wide)
}
