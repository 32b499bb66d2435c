use super::*;

fn kept() -> Kept {
    let some = |text: &str| Some(text.to_owned());
    Kept {
        function: "stop-instance".into(),
        account: "111122223333".into(),
        sort: Kept::sort_key("i-0abc", "*", None),
        subject: some("i-0abc"),
        region: some("*"),
        scope: None,
        reason: some("bastion"),
        owner: some("sre"),
        ends: some("2027-01-31"),
        added_by: some("arn:aws:iam::111122223333:user/a"),
        added: some("2026-12-01T00:00:00Z"),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn an_exemption_is_read_as_it_is_written() {
    for scope in [None, Some("tcp/22".to_owned())] {
        let kept = Kept { scope, ..kept() };
        let item = kept.to_item(at("2027-02-01T00:00:00Z"));
        assert_eq!(Kept::from_item(&item), Some(kept));
        let ninety_days_later = at("2027-05-02T00:00:00Z").as_second().to_string();
        assert_eq!(item["expires"], AttributeValue::N(ninety_days_later));
    }
}

#[test]
fn its_sort_key_says_who_wrote_it() {
    for (sort, writer) in [
        ("terraform#*#i-0abc#*", Writer::Terraform),
        ("operator#*#i-0abc#*", Writer::Operator),
        ("undo#ca978112ca#0001", Writer::Undo),
        ("terraforming", Writer::Other),
    ] {
        assert_eq!(Kept { sort: sort.into(), ..kept() }.writer(), writer, "{sort}");
    }
}

#[test]
fn two_parts_of_a_subject_have_two_names() {
    let named = |sort: String| Kept { sort, ..kept() }.id();
    assert_eq!(named(Kept::sort_key("i-0abc", "*", None)), kept().id());
    assert_ne!(named(Kept::sort_key("i-0abc", "*", Some("tcp/22"))), kept().id());
    assert_ne!(named(Kept::sort_key("i-0abc", "eu-*", None)), kept().id());
    assert_ne!(Kept { account: "111122223334".into(), ..kept() }.id(), kept().id());
}

#[test]
fn it_is_valid_ends_soon_has_ended_or_never_held() {
    let state = |ends: &str, now: &str| Kept { ends: Some(ends.into()), ..kept() }.state(at(now));
    let told = |ends: &str, now: &str| {
        let (state, now) = (state(ends, now), at(now));
        (state.word(now), state.told(now))
    };
    assert_eq!(told("2027-01-31", "2026-12-01T00:00:00Z"), ("valid", "in 62 days".to_owned()));
    assert_eq!(told("2027-01-31", "2027-01-31T23:00:00Z"), ("ending", "in 1 hour".to_owned()));
    assert_eq!(told("2027-01-31", "2027-02-01T00:00:00Z"), ("ended", "0 hours ago".to_owned()));
    assert_eq!(told("soon", "2027-02-01T00:00:00Z").0, "refused");
    assert!(matches!(Kept { owner: None, ..kept() }.state(at("2026-12-01T00:00:00Z")), State::Refused(_)));
}
