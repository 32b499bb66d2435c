use proptest::prelude::*;

use super::*;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

fn line(user: &str, first: &str, second: &str) -> String {
    format!(
        "{user},arn:aws:iam::111122223333:user/{user},2020-01-01T00:00:00+00:00,false,N/A,N/A,N/A,false,{first},{second},false,N/A,false,N/A"
    )
}

const NONE: &str = "false,N/A,N/A,N/A,N/A";

fn read(lines: &[String]) -> Vec<Row> {
    let text = std::iter::once(HEADER.to_owned()).chain(lines.to_vec()).collect::<Vec<_>>().join("\n");
    rows(text.into_bytes()).unwrap().map(Result::unwrap).collect()
}

fn now() -> Timestamp {
    "2026-11-02T09:00:00Z".parse().unwrap()
}

fn names(settings: &Settings, lines: &[String]) -> Vec<String> {
    read(lines).into_iter().filter(|row| row.is_candidate(settings, now())).map(|row| row.user).collect()
}

#[test]
fn k14_candidates_are_users_with_an_old_active_key_in_either_place() {
    let lines = [
        line("old-first", "true,2024-01-31T10:00:00+00:00,2026-11-01T10:00:00+00:00,us-east-1,s3", NONE),
        line(
            "old-second",
            "true,2026-10-31T10:00:00+00:00,N/A,N/A,N/A",
            "TRUE,2024-01-31T10:00:00Z,N/A,N/A,N/A",
        ),
        line("inactive", "false,2024-01-31T10:00:00+00:00,N/A,N/A,N/A", NONE),
        line("young", "true,2026-10-31T10:00:00+00:00,N/A,N/A,N/A", NONE),
        line("nobody", NONE, NONE),
        line("no-date", "true,N/A,N/A,N/A,N/A", NONE),
        // Used before it was "created or last changed": switched off and on again.
        line("switched", "true,2026-10-31T10:00:00+00:00,2025-01-01T00:00:00+00:00,us-east-1,s3", NONE),
    ];
    assert_eq!(names(&Settings::default(), &lines), ["old-first", "old-second", "no-date", "switched"]);
}

#[test]
fn k6_with_the_setting_unused_keys_are_candidates_too() {
    let lines = [
        line("idle", "true,2026-09-03T10:00:00+00:00,2026-09-20T10:00:00+00:00,us-east-1,s3", NONE),
        line("busy", "true,2026-09-03T10:00:00+00:00,2026-11-01T10:00:00+00:00,us-east-1,s3", NONE),
        line("never", "true,2026-09-03T10:00:00+00:00,N/A,N/A,N/A", NONE),
    ];
    assert_eq!(names(&Settings::default(), &lines), Vec::<String>::new());
    let cis = Settings { unused_days: Some(45), ..Settings::default() };
    assert_eq!(names(&cis, &lines), ["idle", "never"]);
}

#[test]
fn k8_the_root_user_is_a_candidate_with_any_active_key() {
    let key = "true,2026-11-01T10:00:00+00:00,2026-11-01T11:00:00+00:00,us-east-1,iam";
    let rows = read(&[line(ROOT, key, NONE)]);
    assert!(rows[0].is_candidate(&Settings::default(), now()));
    assert_eq!(
        rows[0].notes(),
        [
            "credential report: access key 1 is from 2026-11-01T10:00:00+00:00, last used at 2026-11-01T11:00:00+00:00 for iam in us-east-1"
        ]
    );
    assert!(!read(&[line(ROOT, NONE, NONE)])[0].is_candidate(&Settings::default(), now()));
}

#[test]
fn k14_one_bad_line_does_not_hide_the_others_and_a_strange_report_is_none() {
    let text = format!("{HEADER}\n{}\nbroken,line\n{}\n", line("a", NONE, NONE), line("b", NONE, NONE));
    let read: Vec<_> = rows(text.into_bytes()).unwrap().collect();
    let readable: Vec<_> = read.iter().map(|row| row.as_ref().map(|r| r.user.as_str()).ok()).collect();
    assert_eq!(readable, [Some("a"), None, Some("b")]);
    assert!(rows(b"<html>".to_vec()).is_none() && rows(Vec::new()).is_none());
}

proptest! {
    /// Whoever people are to be told of live is a candidate, as long as AWS's date is the key's own.
    #[test]
    fn k14_the_filter_loses_nobody(age in 0_i64..10_000, idle in proptest::option::of(0_i64..10_000), unused in proptest::option::of(8_u32..60)) {
        let settings = Settings { unused_days: unused, ..Settings::default() };
        let hours = |n: i64| now().checked_sub(SignedDuration::from_hours(n)).unwrap();
        let used = idle.map(|n| hours(n.min(age)));
        let stated = used.map_or("N/A".to_owned(), |u| u.to_string());
        let row = read(&[line("x", &format!("true,{},{stated},us-east-1,s3", hours(age)), NONE)]);
        let since = used.unwrap_or(hours(age));
        let told = now().duration_since(hours(age)) > days(settings.warn_after_days)
            || settings.unused_warning().is_some_and(|limit| now().duration_since(since) > limit);
        prop_assert!(!told || row[0].is_candidate(&settings, now()));
    }
}
