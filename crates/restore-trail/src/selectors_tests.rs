use proptest::prelude::*;

use super::*;

fn basic(read_write: &str, management: bool) -> Basic {
    Basic { read_write: read_write.into(), management, excluded: vec![], data: vec![] }
}

fn set(basic: Vec<Basic>) -> Selectors {
    Selectors { basic, advanced: vec![] }
}

fn condition(field: &str, values: &[&str]) -> Condition {
    Condition {
        field: field.into(),
        equals: values.iter().map(|v| (*v).to_owned()).collect(),
        ..Condition::default()
    }
}

fn advanced(fields: Vec<Condition>) -> Selectors {
    Selectors { basic: vec![], advanced: vec![Advanced { name: None, fields }] }
}

fn with_data(values: &[&str]) -> Selectors {
    let values = values.iter().map(|v| (*v).to_owned()).collect();
    let data = vec![Data { kind: "AWS::S3::Object".into(), values }];
    set(vec![Basic { data, ..basic("All", true) }])
}

#[test]
fn c8_what_real_attacks_write_records_nothing() {
    let all = set(vec![basic("All", true)]);
    let data = vec![Data { kind: "AWS::S3::Object".into(), values: vec![] }];
    let attack = set(vec![Basic { data, ..basic("ReadOnly", false) }]);
    assert!(attack.record_nothing() && !all.record_nothing());
    assert_eq!(attack.lost_since(&all), ["Management events, reads", "Management events, writes"]);
}

#[test]
fn c8_reads_only_and_left_out_services_are_a_loss() {
    let all = set(vec![basic("All", true)]);
    let reads = set(vec![basic("ReadOnly", true)]);
    assert!(reads.record_no_changes() && !set(vec![basic("WriteOnly", true)]).record_no_changes());
    assert_eq!(reads.lost_since(&all), ["Management events, writes"]);
    let without_kms = set(vec![Basic { excluded: vec!["kms.amazonaws.com".into()], ..basic("All", true) }]);
    assert!(!without_kms.lost_since(&all).is_empty());
    assert!(all.lost_since(&without_kms).is_empty());
}

#[test]
fn c8_two_selectors_can_record_together_what_one_did() {
    let all = set(vec![basic("All", true)]);
    let both = set(vec![basic("ReadOnly", true), basic("WriteOnly", true)]);
    assert!(both.lost_since(&all).is_empty() && all.lost_since(&both).is_empty());
}

#[test]
fn c8_data_events_of_part_of_a_bucket_are_less_than_of_the_bucket() {
    let (bucket, part) = (with_data(&["arn:aws:s3:::logs/"]), with_data(&["arn:aws:s3:::logs/a"]));
    let every = with_data(&["arn:aws:s3"]);
    assert!(bucket.lost_since(&part).is_empty() && every.lost_since(&bucket).is_empty());
    assert!(!part.lost_since(&bucket).is_empty() && !bucket.lost_since(&every).is_empty());
    assert!(set(vec![basic("All", true)]).lost_since(&bucket)[0].contains("resources.ARN"));
}

#[test]
fn c8_both_languages_are_compared() {
    let all = set(vec![basic("All", true)]);
    let management = advanced(vec![condition("eventCategory", &["Management"])]);
    assert!(management.lost_since(&all).is_empty() && all.lost_since(&management).is_empty());
    let no_iam = Condition {
        field: "eventSource".into(),
        not_equals: vec!["iam.amazonaws.com".into()],
        ..Condition::default()
    };
    let blind = advanced(vec![condition("eventCategory", &["Management"]), no_iam]);
    assert_eq!(blind.lost_since(&all).len(), 2);
    let writes =
        advanced(vec![condition("eventCategory", &["Management"]), condition("readOnly", &["false"])]);
    assert_eq!(writes.lost_since(&all), ["Management events, reads"]);
}

#[test]
fn c8_what_cannot_be_compared_counts_as_lost() {
    let ends = |end: &str| Condition {
        field: "resources.ARN".into(),
        ends_with: vec![end.into()],
        ..Condition::default()
    };
    let of = |c: Condition| advanced(vec![condition("eventCategory", &["Data"]), c]);
    assert!(!of(ends("/a")).lost_since(&of(ends("/b"))).is_empty());
    assert!(of(ends("a")).lost_since(&of(ends("/a"))).is_empty());
}

fn any_condition() -> impl Strategy<Value = Condition> {
    let values = || prop::collection::vec("[ab]{1,2}", 0..2);
    let field = prop::sample::select(vec!["eventSource", "resources.ARN", "readOnly", "eventCategory"]);
    (field, values(), values(), values(), values(), values(), values()).prop_map(
        |(field, equals, starts_with, ends_with, not_equals, not_starts_with, not_ends_with)| Condition {
            field: field.to_owned(),
            equals,
            starts_with,
            ends_with,
            not_equals,
            not_starts_with,
            not_ends_with,
        },
    )
}

fn any_set() -> impl Strategy<Value = Selectors> {
    let one = prop::collection::vec(any_condition(), 1..3);
    let sets = prop::collection::vec(one, 0..3);
    sets.prop_map(|all| Selectors {
        basic: vec![],
        advanced: all.into_iter().map(|fields| Advanced { name: None, fields }).collect(),
    })
}

/// Whether an event, by its fields, is recorded: the meaning of selectors, written down once more and plainly.
fn records(selectors: &Selectors, event: &[(&str, String)]) -> bool {
    selectors.advanced.iter().any(|selector| {
        selector.fields.iter().all(|condition| {
            let value = event.iter().find(|(field, _)| *field == condition.field);
            value.is_some_and(|(_, value)| condition.meets(value))
        })
    })
}

proptest! {
    #[test]
    fn c8_nothing_that_is_called_kept_is_lost(
        then in any_set(),
        now in any_set(),
        source in "[ab]{1,3}",
        arn in "[ab]{1,3}",
        category in "[ab]{1,3}",
        reads in any::<bool>(),
    ) {
        let event = [
            ("eventSource", source),
            ("resources.ARN", arn),
            ("eventCategory", category),
            ("readOnly", reads.to_string()),
        ];
        if now.lost_since(&then).is_empty() && records(&then, &event) {
            prop_assert!(records(&now, &event));
        }
    }

    #[test]
    fn c8_the_same_selectors_lose_nothing(set in any_set()) {
        prop_assert!(set.lost_since(&set).is_empty());
    }

    #[test]
    fn law_7_selectors_come_back_from_the_journal(set in any_set()) {
        let text = serde_json::to_string(&set).unwrap();
        prop_assert_eq!(serde_json::from_str::<Selectors>(&text).unwrap(), set);
    }
}
