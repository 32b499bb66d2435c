//! Finding the users to look at: in the credential report, or all of them if there is no report to be had.

use std::time::Duration;

use aws_sdk_iam::types::ReportStateType;
use futures_util::stream::{self, BoxStream, StreamExt};
use tourniquet::error::{Error, aws};
use tourniquet::{Lead, Place, clock};

use super::Clients;
use crate::event::{Detail, ROOT, lead};
use crate::report::{Row, Rows, rows};
use crate::settings::{Candidates, Settings};

/// How often the state of a report is asked for, and how long the waits between are: about a minute in all.
const POLLS: u32 = 12;
const FIRST_WAIT: Duration = Duration::from_millis(300);
const LAST_WAIT: Duration = Duration::from_secs(5);

type Leads<'a> = BoxStream<'a, Result<Lead<Detail>, Error>>;

/// The users of an account whose keys may be old, and the root user if it may have keys.
pub(crate) fn sweep<'a>(clients: &'a Clients, place: &'a Place, settings: &'a Settings) -> Leads<'a> {
    if settings.candidates == Candidates::Users {
        return users(clients, place, Vec::new());
    }
    let found = async move {
        match report(clients).await {
            Ok(rows) => candidates(rows, place, settings),
            Err(error) => {
                let why =
                    format!("found in the list of all users, since there is no credential report: {error}");
                users(clients, place, vec![why])
            }
        }
    };
    stream::once(found).flatten().boxed()
}

/// The report of this account, at most four hours old.
async fn report(clients: &Clients) -> Result<Rows, Error> {
    const CALL: &str = "iam:GenerateCredentialReport";
    let mut wait = FIRST_WAIT;
    for _ in 0..POLLS {
        let answer = clients.iam.generate_credential_report().send().await.map_err(|e| aws(CALL, e))?;
        if answer.state() == Some(&ReportStateType::Complete) {
            return content(clients).await;
        }
        clock::pause(wait).await;
        wait = (wait * 2).min(LAST_WAIT);
    }
    Err(Error::Unexpected { call: CALL, missing: "the state COMPLETE, for about a minute" })
}

async fn content(clients: &Clients) -> Result<Rows, Error> {
    const CALL: &str = "iam:GetCredentialReport";
    let answer = clients.iam.get_credential_report().send().await.map_err(|e| aws(CALL, e))?;
    let content = answer.content.ok_or(Error::Unexpected { call: CALL, missing: "Content" })?;
    rows(content.into_inner())
        .ok_or(Error::Unexpected { call: CALL, missing: "the columns about access keys" })
}

/// Line by line; a line that cannot be read is an error of its own.
fn candidates<'a>(rows: Rows, place: &'a Place, settings: &'a Settings) -> Leads<'a> {
    const CALL: &str = "iam:GetCredentialReport";
    let now = clock::now();
    let found = rows.filter_map(move |row| match row {
        Err(_) => Some(Err(Error::Unexpected { call: CALL, missing: "a readable line" })),
        Ok(row) => row.is_candidate(settings, now).then(|| of_row(place, &row)),
    });
    stream::iter(found).boxed()
}

fn of_row(place: &Place, row: &Row) -> Result<Lead<Detail>, Error> {
    let notes = if row.user == ROOT { row.notes() } else { Vec::new() };
    lead(place, &row.user, notes)
}

/// Every user, page by page, after the root user.
fn users<'a>(clients: &'a Clients, place: &'a Place, notes: Vec<String>) -> Leads<'a> {
    let root = lead(place, ROOT, notes.clone());
    let pages = clients.iam.list_users().max_items(1000).into_paginator().items().send();
    let users = stream::unfold(Some(pages), move |pages| {
        let notes = notes.clone();
        async move {
            let mut pages = pages?;
            match pages.next().await? {
                Ok(user) => Some((lead(place, user.user_name(), notes), Some(pages))),
                // What a page hides is not known: the sweep says so and ends.
                Err(error) => Some((Err(aws("iam:ListUsers", error)), None)),
            }
        }
    });
    stream::iter([root]).chain(users).boxed()
}

#[cfg(test)]
#[path = "sweep_tests.rs"]
mod tests;
