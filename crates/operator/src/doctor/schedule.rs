//! The sweep: its schedule, and whether one came to its end lately.

use aws_sdk_scheduler::types::ScheduleState;
use futures_util::future::join;
use jiff::{SignedDuration, Timestamp};
use tourniquet::clock;
use tourniquet::error::{Class, Error, aws};

use super::check::{APPLY, Check};
use super::{Clients, Patient};

/// The group of the schedules, as Terraform names it.
const GROUP: &str = "tourniquet";

/// What a sweep logs at its end; see `shared/src/sweep.rs`. As a phrase it is found in lines of JSON too.
const HEARTBEAT: &str = "\"heartbeat: sweep ended\"";

pub(super) async fn checks(patient: &Patient, clients: &Clients) -> Vec<Check> {
    let Some(expression) = &patient.manifest.schedule else { return Vec::new() };
    let (schedule, heartbeat) =
        join(schedule(patient, clients, expression), heartbeat(patient, clients, expression)).await;
    schedule.into_iter().chain([heartbeat]).collect()
}

async fn schedule(patient: &Patient, clients: &Clients, expression: &str) -> Vec<Check> {
    let about = "schedule";
    let asked = clients.scheduler.get_schedule().name(&patient.name).group_name(GROUP).send().await;
    let seen = match asked.map_err(|e| aws("scheduler:GetSchedule", e)) {
        Ok(seen) => seen,
        Err(error) if error.class() == Some(Class::NotFound) => {
            let found =
                format!("there is no schedule {} in the group {GROUP}: it never sweeps", patient.name);
            return vec![Check::problem(about, found, APPLY)];
        }
        Err(error) => return vec![Check::refused(about, &error)],
    };
    let mut checks = Vec::new();
    if seen.state() != Some(&ScheduleState::Enabled) {
        let state = seen.state().map_or("UNKNOWN", ScheduleState::as_str);
        let advice = format!("enable {} in EventBridge Scheduler, or {APPLY}", patient.name);
        checks.push(Check::problem(about, format!("it is {state}: it never sweeps"), advice));
    }
    let deployed = seen.schedule_expression().unwrap_or_default();
    if deployed != expression {
        checks.push(Check::problem(
            about,
            format!("it is {deployed}, function.json says {expression}"),
            APPLY,
        ));
    }
    if seen.target().map(|target| target.arn()) != Some(patient.arn.as_str()) {
        checks.push(Check::problem(about, format!("it does not start {}", patient.name), APPLY));
    }
    if checks.is_empty() {
        checks.push(Check::ok(about, format!("enabled, {expression}")));
    }
    checks
}

async fn heartbeat(patient: &Patient, clients: &Clients, expression: &str) -> Check {
    let about = "heartbeat";
    let now = clock::now();
    let since = now.checked_sub(period(expression) * 2).unwrap_or(Timestamp::UNIX_EPOCH);
    let group = format!("/aws/lambda/{}", patient.name);
    let advice = || format!("look why in the log group {group}, and at the schedule");
    match last(clients, &group, since).await {
        Ok(Some(at)) => Check::ok(about, format!("a sweep ended at {at:.0}")),
        Ok(None) if patient.changed.is_some_and(|changed| changed > since) => Check::warning(
            about,
            "no sweep ended yet since the function was deployed or changed, less than two of its periods ago",
            format!("look again after {:.0}", now.checked_add(period(expression)).unwrap_or(now)),
        ),
        Ok(None) => {
            Check::problem(about, format!("no sweep ended since {since:.0}, in two of its periods"), advice())
        }
        Err(error) if error.class() == Some(Class::NotFound) => {
            Check::problem(about, format!("there is no log group {group}: it never ran"), APPLY)
        }
        Err(error) => Check::refused(about, &error),
    }
}

/// When the last sweep ended, of those since a time.
async fn last(clients: &Clients, group: &str, since: Timestamp) -> Result<Option<Timestamp>, Error> {
    let search = clients.logs.filter_log_events().log_group_name(group).filter_pattern(HEARTBEAT);
    let mut pages = search.start_time(since.as_millisecond()).into_paginator().send();
    // Pages without an event are not the last ones; one with an event shows that there was a sweep.
    while let Some(page) = pages.next().await {
        let page = page.map_err(|e| aws("logs:FilterLogEvents", e))?;
        if let Some(at) = page.events().iter().filter_map(|event| event.timestamp()).max() {
            return Ok(Timestamp::from_millisecond(at).ok());
        }
    }
    Ok(None)
}

/// The time between two sweeps. A cron expression is taken for a daily one, as Terraform takes it.
fn period(expression: &str) -> SignedDuration {
    let rate = expression.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')'));
    let parsed = rate.and_then(|rate| rate.split_once(' ')).and_then(|(number, unit)| {
        let minutes = match unit.trim_end_matches('s') {
            "minute" => 1,
            "hour" => 60,
            "day" => 24 * 60,
            _ => return None,
        };
        Some(SignedDuration::from_mins(number.parse::<i64>().ok()?.checked_mul(minutes)?))
    });
    parsed.unwrap_or(SignedDuration::from_hours(24))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_those_of_the_expressions() {
        assert_eq!(period("rate(15 minutes)"), SignedDuration::from_mins(15));
        assert_eq!(period("rate(1 hour)"), SignedDuration::from_hours(1));
        assert_eq!(period("rate(2 days)"), SignedDuration::from_hours(48));
        assert_eq!(period("cron(0 9 * * ? *)"), SignedDuration::from_hours(24));
    }
}
