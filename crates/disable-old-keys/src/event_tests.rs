use proptest::prelude::*;

use super::*;

#[test]
fn no_event_names_a_subject_since_age_is_the_trigger() {
    let folder = format!("{}/fixtures/ignore", env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 6);
    for file in files {
        let event = Event::parse(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let Subjects::Ignored { why } = subjects(&event) else {
            panic!("{} names something", file.display())
        };
        assert!(why.contains(event.detail_type()) && why.contains("age of a key"), "{why}");
    }
}

#[test]
fn g16_names_that_iam_does_not_allow_go_no_further() {
    let place = Place::new("111122223333", "us-east-1");
    for user in ["ci", "a.b@example.com", "x+y=z,_-", &"n".repeat(64), ROOT] {
        assert_eq!(lead(&place, user, vec![]).unwrap().subject, user);
    }
    for user in ["", "a#b", "a/b", "<root>", "ü", "a b", "x\n", &"n".repeat(65)] {
        assert!(lead(&place, user, vec![]).is_err(), "{user:?}");
    }
}

#[test]
fn k12_the_cause_is_the_same_in_every_sweep() {
    let place = Place::new("111122223333", "us-east-1");
    assert_eq!(
        lead(&place, "ci", vec![]).unwrap().cause,
        lead(&place, "ci", vec!["x".into()]).unwrap().cause
    );
}

proptest! {
    #[test]
    fn g16_no_name_panics_or_gets_into_a_key(user in ".{0,70}") {
        if let Ok(lead) = lead(&Place::new("111122223333", "us-east-1"), &user, vec![]) {
            prop_assert!(!lead.subject.contains(['#', '/', '*', ' ']));
        }
    }
}
