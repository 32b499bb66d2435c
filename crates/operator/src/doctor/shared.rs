//! What all functions share: the journal, and the topic from which people hear.

use aws_sdk_dynamodb::types::{IndexStatus, PointInTimeRecoveryStatus, TableStatus, TimeToLiveStatus};
use futures_util::future::join3;
use tourniquet::error::{Class, aws};
use tourniquet::journal::WATCHED;

use super::Clients;
use super::check::{APPLY, Check};

pub(super) async fn journal(clients: &Clients, table: &str) -> Vec<Check> {
    let about = format!("journal {table}");
    let client = &clients.dynamodb;
    let (seen, backups, ends) = join3(
        client.describe_table().table_name(table).send(),
        client.describe_continuous_backups().table_name(table).send(),
        client.describe_time_to_live().table_name(table).send(),
    )
    .await;
    let mut checks = Vec::new();
    match seen.map_err(|e| aws("dynamodb:DescribeTable", e)) {
        Err(error) if error.class() == Some(Class::NotFound) => {
            let found = "there is no such table: without it no function changes anything, but the urgent ones at an event";
            return vec![Check::problem(about, found, APPLY)];
        }
        Err(error) => checks.push(Check::refused(&about, &error)),
        Ok(seen) => {
            let table = seen.table();
            let status = table.and_then(|table| table.table_status());
            let indexes = table.map(|table| table.global_secondary_indexes()).unwrap_or_default();
            let index = indexes.iter().find(|index| index.index_name() == Some(WATCHED));
            checks.push(if status != Some(&TableStatus::Active) {
                let status = status.map_or("UNKNOWN", TableStatus::as_str);
                Check::problem(&about, format!("it is {status}"), "wait, or look at the table in the console")
            } else if index.and_then(|index| index.index_status()) != Some(&IndexStatus::Active) {
                let found =
                    format!("its index {WATCHED} is missing or not active: sweeps come back to nothing");
                Check::problem(&about, found, APPLY)
            } else {
                Check::ok(&about, "active")
            });
        }
    }
    let about = "recovery of the journal to a point in time";
    checks.push(match backups.map_err(|e| aws("dynamodb:DescribeContinuousBackups", e)) {
        Err(error) => Check::refused(about, &error),
        Ok(found) => {
            let described = found.continuous_backups_description();
            let recovery = described.and_then(|all| all.point_in_time_recovery_description());
            match recovery.and_then(|recovery| recovery.point_in_time_recovery_status()) {
                Some(PointInTimeRecoveryStatus::Enabled) => Check::ok(about, "on"),
                _ => Check::problem(about, "off: what was there before each change has no backup", APPLY),
            }
        }
    });
    let about = "ends of records";
    checks.push(match ends.map_err(|e| aws("dynamodb:DescribeTimeToLive", e)) {
        Err(error) => Check::refused(about, &error),
        Ok(found) => {
            let ends = found.time_to_live_description();
            let on = ends.and_then(|ends| ends.time_to_live_status()) == Some(&TimeToLiveStatus::Enabled);
            if on && ends.and_then(|ends| ends.attribute_name()) == Some("expires") {
                Check::ok(about, "by the attribute expires")
            } else {
                Check::problem(
                    about,
                    "time to live is not on for the attribute expires: records stay for ever",
                    APPLY,
                )
            }
        }
    });
    checks
}

pub(super) async fn topic(clients: &Clients, arn: &str) -> Check {
    let about = format!("topic {}", arn.rsplit(':').next().unwrap_or(arn));
    let mut pages = clients.sns.list_subscriptions_by_topic().topic_arn(arn).into_paginator().send();
    let (mut confirmed, mut waiting) = (0_usize, Vec::new());
    while let Some(page) = pages.next().await {
        let page = match page.map_err(|e| aws("sns:ListSubscriptionsByTopic", e)) {
            Ok(page) => page,
            Err(error) if error.class() == Some(Class::NotFound) => {
                return Check::problem(
                    about,
                    format!("{arn} does not exist: nobody is told of anything"),
                    APPLY,
                );
            }
            Err(error) => return Check::refused(about, &error),
        };
        for one in page.subscriptions() {
            // AWS writes `PendingConfirmation` in place of the ARN.
            if one.subscription_arn().is_some_and(|arn| arn.starts_with("arn:")) {
                confirmed += 1;
            } else {
                waiting.push(one.endpoint().unwrap_or("?").to_owned());
            }
        }
    }
    let waiting = waiting.join(", ");
    match (confirmed, waiting.is_empty()) {
        (0, true) => Check::problem(
            about,
            "nobody has subscribed: nobody is told of anything",
            "write `emails` or `slack` in Terraform and apply it, or subscribe to the topic yourself",
        ),
        (0, false) => Check::problem(
            about,
            format!("nobody has confirmed: {waiting}"),
            "follow the link in the mail that AWS has sent, which is valid for two days; then apply Terraform again",
        ),
        (_, false) => Check::warning(
            about,
            format!("{confirmed} confirmed; not yet: {waiting}"),
            "follow the link in the mail that AWS has sent, or take the subscription away",
        ),
        _ => Check::ok(about, format!("confirmed subscriptions: {confirmed}")),
    }
}
