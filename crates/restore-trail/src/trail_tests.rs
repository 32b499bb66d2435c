use proptest::prelude::*;

use super::*;

const OWN: &str = "111122223333";

fn settings(values: &[(Setting, &str)]) -> TrailSettings {
    TrailSettings(values.iter().map(|(s, v)| (*s, (*v).to_owned())).collect())
}

fn healthy() -> TrailSettings {
    settings(&[
        (Setting::Bucket, "audit-logs"),
        (Setting::Prefix, "all"),
        (Setting::Key, "arn:aws:kms:eu-central-1:111122223333:key/k1"),
        (Setting::GlobalEvents, "true"),
        (Setting::MultiRegion, "true"),
        (Setting::Validation, "true"),
        (Setting::LogGroup, "arn:aws:logs:eu-central-1:111122223333:log-group:audit:*"),
        (Setting::LogRole, "arn:aws:iam::111122223333:role/audit"),
        (Setting::Topic, "arn:aws:sns:eu-central-1:111122223333:audit"),
        (Setting::Organization, "true"),
    ])
}

fn changed(setting: Setting, value: &str) -> Vec<Setting> {
    let mut now = healthy();
    now.0.insert(setting, value.to_owned());
    now.0.retain(|_, value| !value.is_empty());
    let parts = now.weakened_since(&healthy(), OWN, &Settings::default());
    parts.into_values().flatten().map(|d| d.setting).collect()
}

#[test]
fn c7_each_setting_that_was_changed_away_goes_back_and_no_other() {
    for (setting, value) in [
        (Setting::Bucket, "elsewhere"),
        (Setting::Prefix, ""),
        (Setting::Key, ""),
        (Setting::Key, "arn:aws:kms:eu-central-1:111122223333:key/k2"),
        (Setting::GlobalEvents, "false"),
        (Setting::MultiRegion, "false"),
        (Setting::Validation, "false"),
        (Setting::Topic, ""),
        (Setting::Organization, "false"),
    ] {
        assert_eq!(changed(setting, value), [setting], "{setting} {value}");
    }
}

#[test]
fn c7_a_log_group_goes_back_with_its_role() {
    let both = [Setting::LogGroup, Setting::LogRole];
    assert_eq!(changed(Setting::LogGroup, ""), both);
    assert_eq!(changed(Setting::LogRole, "arn:aws:iam::111122223333:role/other"), both);
}

#[test]
fn c7_what_was_made_better_stays() {
    let bare = settings(&[
        (Setting::Bucket, "audit-logs"),
        (Setting::GlobalEvents, "false"),
        (Setting::MultiRegion, "false"),
        (Setting::Validation, "false"),
    ]);
    let better = TrailSettings(healthy().0.into_iter().filter(|(s, _)| *s != Setting::Prefix).collect());
    assert!(better.weakened_since(&bare, OWN, &Settings::default()).is_empty());
}

#[test]
fn c7_a_key_of_a_stranger_is_harm_even_where_there_was_none() {
    let then = settings(&[(Setting::Bucket, "audit-logs")]);
    let with = |key: &str| settings(&[(Setting::Bucket, "audit-logs"), (Setting::Key, key)]);
    let strange = with("arn:aws:kms:eu-central-1:999900009999:key/k1");
    assert_eq!(strange.weakened_since(&then, OWN, &Settings::default()).len(), 1);
    let own = with("arn:aws:kms:eu-central-1:111122223333:key/k1");
    assert!(own.weakened_since(&then, OWN, &Settings::default()).is_empty());
    let archive = Settings {
        bucket_owners: [("audit-logs".to_owned(), "999900009999".to_owned())].into(),
        ..Settings::default()
    };
    assert!(strange.weakened_since(&then, OWN, &archive).is_empty());
}

proptest! {
    #[test]
    fn c7_after_the_differences_went_back_nothing_is_weakened(
        values in prop::collection::btree_map(prop::sample::select(ALL.to_vec()), "(true|false|x|)", 0..10)
    ) {
        let mut now = TrailSettings(values);
        for difference in now.weakened_since(&healthy(), OWN, &Settings::default()).into_values().flatten() {
            now.0.insert(difference.setting, difference.then);
        }
        prop_assert!(now.weakened_since(&healthy(), OWN, &Settings::default()).is_empty());
    }

    #[test]
    fn law_7_settings_come_back_from_the_journal(
        values in prop::collection::btree_map(prop::sample::select(ALL.to_vec()), ".{0,9}", 0..10)
    ) {
        let settings = TrailSettings(values);
        let text = serde_json::to_string(&settings).unwrap();
        prop_assert_eq!(serde_json::from_str::<TrailSettings>(&text).unwrap(), settings);
    }
}
