use tourniquet::Config;

use super::*;

fn parsed(settings: &str) -> Result<Config<Settings>, String> {
    let raw = format!(r#"{{"account":"111122223333","settings":{settings}}}"#);
    Config::<Settings>::parse(&raw).map_err(|e| e.to_string())
}

#[test]
fn g22_impossible_settings_name_their_key() {
    let exempt = |fields: &str| format!(r#"{{"exempt_users":[{{{fields}}}]}}"#);
    for (settings, expected) in [
        (r#"{"warn_after":5}"#.to_owned(), "unknown field `warn_after`"),
        (r#"{"warn_after_days":0}"#.to_owned(), "settings.warn_after_days: expected 1 to"),
        (r#"{"disable_after_days":-1}"#.to_owned(), "settings.disable_after_days: invalid value"),
        (r#"{"disable_after_days":10001}"#.to_owned(), "settings.disable_after_days: expected 1 to"),
        (
            r#"{"disable_after_days":60}"#.to_owned(),
            "settings.warn_after_days: later than `disable_after_days`",
        ),
        (r#"{"grace_days":0}"#.to_owned(), "settings.grace_days: expected 1 to"),
        (r#"{"unused_days":7}"#.to_owned(), "settings.unused_days: not more than `grace_days`"),
        (r#"{"rotation":"never"}"#.to_owned(), "settings.rotation: unknown variant `never`"),
        (r#"{"candidates":"all"}"#.to_owned(), "settings.candidates: unknown variant `all`"),
        (r#"{"exempt_users":["ci"]}"#.to_owned(), "settings.exempt_users[0]: invalid type"),
    ] {
        let problem = parsed(&settings).unwrap_err();
        assert!(problem.contains(expected), "{settings}: {problem}");
    }
    for (fields, expected) in [
        (r#""glob":"ci","reason":"r","owner":"o""#, "settings.exempt_users[0]: missing field `until`"),
        (
            r#""glob":"ci","owner":"o","until":"2027-01-01""#,
            "settings.exempt_users[0]: missing field `reason`",
        ),
        (
            r#""glob":"ci","reason":"r","until":"2027-01-01""#,
            "settings.exempt_users[0]: missing field `owner`",
        ),
        (
            r#""glob":"ci","reason":" ","owner":"o","until":"2027-01-01""#,
            "settings.exempt_users: an exemption without a reason",
        ),
        (
            r#""glob":"","reason":"r","owner":"o","until":"2027-01-01""#,
            "settings.exempt_users: an exemption without a subject",
        ),
        (
            r#""glob":"ci","reason":"r","owner":"o","until":"never""#,
            "settings.exempt_users: an exemption with the expiry",
        ),
    ] {
        let problem = parsed(&exempt(fields)).unwrap_err();
        assert!(problem.contains(expected), "{fields}: {problem}");
    }
}

#[test]
fn k9_an_exemption_that_has_ended_does_not_stop_the_function() {
    let ended = r#"{"exempt_paths":[{"glob":"/ci/*","reason":"r","owner":"o","until":"2020-01-01"}]}"#;
    let settings = parsed(ended).unwrap().settings;
    assert!(settings.exempt_paths[0].check("2026-11-02T00:00:00Z".parse().unwrap()).is_err());
}
