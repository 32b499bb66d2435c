use std::sync::Mutex;

use tourniquet::Lead;

use super::super::observe;
use super::super::tests::{OLD, count, error, ok, place, plain, recording, taken, user};
use super::*;

const HEADER: &str = "user,arn,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service";

/// A report with the root user and so many users, of whom every tenth has an old key.
fn report(users: usize, root_key: bool) -> String {
    let line = |user: &str, date: &str| format!("{user},arn,true,{date},N/A,N/A,N/A,false,N/A,N/A,N/A,N/A\n");
    let recent = clock::now().to_string();
    let root = if root_key { line(ROOT, &recent) } else { line(ROOT, &recent).replace(",true,", ",false,") };
    let user = |n: usize| line(&format!("user-{n}"), if n.is_multiple_of(10) { OLD } else { &recent });
    format!("{HEADER}\n{root}{}", (0..users).map(user).collect::<String>())
}

fn reporting(action: &str, csv: &str) -> (u16, String) {
    match action {
        "GenerateCredentialReport" => ok(action, "<State>COMPLETE</State>"),
        "GetCredentialReport" => ok(
            action,
            &format!(
                "<Content>{}</Content><ReportFormat>text/csv</ReportFormat>",
                aws_smithy_types::base64::encode(csv)
            ),
        ),
        other => plain(other, ""),
    }
}

async fn swept(clients: &Clients, settings: &Settings) -> Vec<Result<Lead<Detail>, Error>> {
    sweep(clients, &place(), settings).collect().await
}

fn subjects(found: &[Result<Lead<Detail>, Error>]) -> Vec<String> {
    found.iter().map(|lead| lead.as_ref().map_or_else(ToString::to_string, |l| l.subject.clone())).collect()
}

#[tokio::test]
async fn k14_the_report_is_two_calls_for_the_whole_account_and_four_reads_for_each_candidate() {
    let csv = report(5_000, false);
    let (clients, requests) = recording(move |action, _| reporting(action, &csv));
    let settings = Settings::default();
    let found = swept(&clients, &settings).await;
    assert_eq!(found.len(), 500);
    assert_eq!(taken(&requests).len(), 2);
    for lead in found.into_iter().take(20) {
        observe(&clients, &lead.unwrap(), &settings).await.unwrap().unwrap();
    }
    assert_eq!(taken(&requests).len(), 4 * 20);
}

#[tokio::test]
async fn k14_a_report_that_is_still_made_is_waited_for() {
    let polls = Mutex::new(0);
    let (clients, requests) = recording(move |action, _| {
        if action == "GenerateCredentialReport" {
            let mut polls = polls.lock().unwrap();
            *polls += 1;
            if *polls < 3 {
                return ok(
                    action,
                    if *polls == 1 { "<State>STARTED</State>" } else { "<State>INPROGRESS</State>" },
                );
            }
        }
        reporting(action, &report(1, false))
    });
    assert_eq!(subjects(&swept(&clients, &Settings::default()).await), ["user-0"]);
    assert_eq!(count(&requests, "GenerateCredentialReport"), 3);
}

#[tokio::test]
async fn k8_k14_root_keys_in_the_report_are_read_live() {
    let csv = report(1, true);
    let (clients, _) = recording(move |action, _| match action {
        "GetAccountSummary" => ok(
            action,
            "<SummaryMap><entry><key>Users</key><value>7</value></entry><entry><key>AccountAccessKeysPresent</key><value>1</value></entry></SummaryMap>",
        ),
        other => reporting(other, &csv),
    });
    let found = swept(&clients, &Settings::default()).await;
    assert_eq!(subjects(&found), [ROOT, "user-0"]);
    let root = found.into_iter().next().unwrap().unwrap();
    assert!(root.detail.notes[0].starts_with("credential report: access key 1"));
    assert!(observe(&clients, &root, &Settings::default()).await.unwrap().unwrap().root_keys);
    let (clients, _) = recording(|action, _| {
        ok(
            action,
            "<SummaryMap><entry><key>AccountAccessKeysPresent</key><value>0</value></entry></SummaryMap>",
        )
    });
    assert!(!observe(&clients, &root, &Settings::default()).await.unwrap().unwrap().root_keys);
    let (clients, _) = recording(|action, _| ok(action, "<SummaryMap/>"));
    assert!(observe(&clients, &root, &Settings::default()).await.is_err());
}

/// Three pages of two users.
fn users_in_pages(action: &str, request: &str) -> (u16, String) {
    assert_eq!(action, "ListUsers");
    let page = ["Marker=m1", "Marker=m2"].iter().position(|m| request.contains(m)).map_or(0, |n| n + 1);
    let next = if page < 2 {
        format!("<IsTruncated>true</IsTruncated><Marker>m{}</Marker>", page + 1)
    } else {
        String::new()
    };
    let users = [0, 1].map(|n| format!("<member>{}</member>", user(&format!("u{page}{n}")))).concat();
    ok(action, &format!("<Users>{users}</Users>{next}"))
}

#[tokio::test]
async fn k2_k14_without_a_report_all_pages_of_users_are_read() {
    let everybody = [ROOT, "u00", "u01", "u10", "u11", "u20", "u21"];
    for (call, status, code) in [
        ("GenerateCredentialReport", 403, "AccessDenied"),
        ("GenerateCredentialReport", 409, "LimitExceeded"),
        ("GetCredentialReport", 410, "ReportExpired"),
        ("GetCredentialReport", 410, "ReportNotPresent"),
        ("GetCredentialReport", 404, "ReportInProgress"),
    ] {
        let (clients, _) = recording(move |action, request| match action {
            _ if action == call => error(status, code, "no"),
            "GenerateCredentialReport" => ok(action, "<State>COMPLETE</State>"),
            other => users_in_pages(other, request),
        });
        let found = swept(&clients, &Settings::default()).await;
        assert_eq!(subjects(&found), everybody, "{code}");
        let why = &found[1].as_ref().unwrap().detail.notes[0];
        assert!(why.contains(code) && why.contains("no credential report"), "{why}");
    }
    let (clients, _) = recording(|action, request| match action {
        "ListUsers" => users_in_pages(action, request),
        other => reporting(other, "no,report\n"),
    });
    assert_eq!(
        subjects(&swept(&clients, &Settings::default()).await),
        everybody,
        "no report that we can read"
    );
    let (clients, requests) = recording(users_in_pages);
    let all = Settings { candidates: Candidates::Users, ..Settings::default() };
    assert_eq!(subjects(&swept(&clients, &all).await), everybody);
    assert_eq!(taken(&requests).len(), 3);
}

#[tokio::test]
async fn k15_a_page_that_cannot_be_read_is_an_error_and_what_came_before_stays() {
    let (clients, _) = recording(|action, request| {
        if request.contains("Marker=m2") {
            error(403, "AccessDenied", "no")
        } else {
            users_in_pages(action, request)
        }
    });
    let all = Settings { candidates: Candidates::Users, ..Settings::default() };
    let found = subjects(&swept(&clients, &all).await);
    assert_eq!(found[..5], [ROOT, "u00", "u01", "u10", "u11"]);
    assert!(found.len() == 6 && found[5].starts_with("iam:ListUsers: AccessDenied"), "{found:?}");
}

#[tokio::test]
async fn k15_a_line_that_cannot_be_read_is_an_error_and_the_others_go_on() {
    let csv =
        format!("{}short,line\n{}", report(1, false), "a#b,arn,true,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A\n");
    let (clients, _) = recording(move |action, _| reporting(action, &csv));
    let found = subjects(&swept(&clients, &Settings::default()).await);
    assert_eq!(found[0], "user-0");
    assert!(
        found[1].contains("a readable line") && found[2].contains("a user name that IAM allows"),
        "{found:?}"
    );
}
