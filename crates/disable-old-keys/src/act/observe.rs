//! Reading a user: its keys, and if one of them is old enough to matter, what decides about it.

use std::collections::BTreeMap;

use aws_sdk_iam::types::{StatusType, SummaryKeyType, User};
use futures_util::future::{try_join, try_join_all, try_join3};
use jiff::Timestamp;
use tourniquet::Lead;
use tourniquet::clock;
use tourniquet::error::{Class, Error, aws};

use super::{Clients, scrubbed};
use crate::event::{Detail, ROOT};
use crate::key::KeyName;
use crate::observation::{Key, Observation, Used};
use crate::settings::Settings;

/// An access key with its id.
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) name: KeyName,
    pub(super) active: bool,
}

/// Reads a user; `None` if there is none.
///
/// The ids come first, since IAM tells the last use of a key by its id only.
pub(crate) async fn observe(
    clients: &Clients,
    lead: &Lead<Detail>,
    settings: &Settings,
) -> Result<Option<Observation>, Error> {
    if lead.subject == ROOT {
        return root(clients).await.map(Some);
    }
    let Some(listed) = keys(clients, &lead.subject).await? else { return Ok(None) };
    let now = clock::now();
    if listed.iter().any(|key| key.active && settings.concerns(key.name.created, now)) {
        return gone_is_none(whole(clients, &lead.subject, listed, settings).await);
    }
    let bare = |key: Listed| Key { name: key.name, active: key.active, used: None };
    Ok(Some(Observation { keys: listed.into_iter().map(bare).collect(), ..Observation::default() }))
}

/// Whether the root user has keys: the account's summary says 1 if so, and nothing more.
async fn root(clients: &Clients) -> Result<Observation, Error> {
    const CALL: &str = "iam:GetAccountSummary";
    let answer = clients.iam.get_account_summary().send().await.map_err(|e| aws(CALL, e))?;
    let present = answer
        .summary_map()
        .and_then(|map| map.get(&SummaryKeyType::AccountAccessKeysPresent))
        .ok_or(Error::Unexpected { call: CALL, missing: "AccountAccessKeysPresent" })?;
    Ok(Observation { root_keys: *present > 0, ..Observation::default() })
}

/// Everything else, side by side.
async fn whole(
    clients: &Clients,
    name: &str,
    listed: Vec<Listed>,
    settings: &Settings,
) -> Result<Observation, Error> {
    let keys = try_join_all(listed.into_iter().map(|key| with_use(clients, key)));
    let groups = async {
        if settings.exempt_groups.is_empty() { Ok(Vec::new()) } else { groups(clients, name).await }
    };
    let (keys, groups, (user, quarantine)) =
        try_join3(keys, groups, try_join(user(clients, name), quarantine(clients, name))).await?;
    let tags: BTreeMap<String, String> =
        user.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
    Ok(Observation { keys, tags, path: user.path().to_owned(), groups, quarantine, root_keys: false })
}

/// The keys of a user, oldest first; `None` if there is no such user.
pub(super) async fn keys(clients: &Clients, user: &str) -> Result<Option<Vec<Listed>>, Error> {
    const CALL: &str = "iam:ListAccessKeys";
    let mut pages = clients.iam.list_access_keys().user_name(user).into_paginator().items().send();
    let mut listed = Vec::new();
    while let Some(key) = pages.next().await {
        let key = match key.map_err(|e| scrubbed(aws(CALL, e))) {
            Ok(key) => key,
            Err(error) if error.class() == Some(Class::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        let id = key.access_key_id().ok_or(Error::Unexpected { call: CALL, missing: "AccessKeyId" })?;
        let created = key
            .create_date()
            .and_then(|date| Timestamp::from_second(date.secs()).ok())
            .ok_or(Error::Unexpected { call: CALL, missing: "CreateDate" })?;
        let status = key.status().ok_or(Error::Unexpected { call: CALL, missing: "Status" })?;
        let name = KeyName::of(id, created);
        listed.push(Listed { id: id.to_owned(), name, active: *status == StatusType::Active });
    }
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Some(listed))
}

/// A key with its last use; that of an inactive one tells nothing more.
async fn with_use(clients: &Clients, key: Listed) -> Result<Key, Error> {
    let Listed { id, name, active } = key;
    if !active {
        return Ok(Key { name, active, used: None });
    }
    let answer = clients
        .iam
        .get_access_key_last_used()
        .access_key_id(id)
        .send()
        .await
        .map_err(|e| scrubbed(aws("iam:GetAccessKeyLastUsed", e)))?;
    // Of a key that was never used IAM gives no date, and `N/A` for the rest.
    let used = answer.access_key_last_used().and_then(|used| {
        let at = Timestamp::from_second(used.last_used_date()?.secs()).ok()?;
        Some(Used { at, service: used.service_name().to_owned(), region: used.region().to_owned() })
    });
    Ok(Key { name, active, used })
}

/// Path and tags; a user has at most 50 tags, which come with it.
async fn user(clients: &Clients, name: &str) -> Result<User, Error> {
    const CALL: &str = "iam:GetUser";
    let answer = clients.iam.get_user().user_name(name).send().await.map_err(|e| scrubbed(aws(CALL, e)))?;
    answer.user.ok_or(Error::Unexpected { call: CALL, missing: "User" })
}

async fn groups(clients: &Clients, user: &str) -> Result<Vec<String>, Error> {
    let mut pages = clients.iam.list_groups_for_user().user_name(user).into_paginator().items().send();
    let mut groups = Vec::new();
    while let Some(group) = pages.next().await {
        groups.push(group.map_err(|e| scrubbed(aws("iam:ListGroupsForUser", e)))?.group_name);
    }
    Ok(groups)
}

/// The policy with which AWS has put a user under quarantine. Whoever finds a key in public attaches one of AWS's own to
/// its user; there is a new version of it every other year.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html>
pub(super) async fn quarantine(clients: &Clients, user: &str) -> Result<Option<String>, Error> {
    let mut pages = clients.iam.list_attached_user_policies().user_name(user).into_paginator().items().send();
    while let Some(policy) = pages.next().await {
        let policy = policy.map_err(|e| scrubbed(aws("iam:ListAttachedUserPolicies", e)))?;
        let own = policy.policy_arn().is_some_and(|arn| arn.contains(":iam::aws:policy/"));
        if let Some(name) = policy.policy_name.filter(|name| own && is_quarantine(name)) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn is_quarantine(policy: &str) -> bool {
    let version = policy.strip_prefix("AWSCompromisedKeyQuarantine");
    version.is_some_and(|v| v.is_empty() || v.strip_prefix('V').is_some_and(|n| n.parse::<u8>().is_ok()))
}

fn gone_is_none<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.class() == Some(Class::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
