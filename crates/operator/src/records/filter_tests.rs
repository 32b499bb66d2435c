use super::*;

fn entry(change: impl FnOnce(&mut Record)) -> Entry {
    let mut record: Record = serde_json::from_value(serde_json::json!({
        "function": "stop-instance", "place": {"account": "111122223333", "region": "eu-central-1"},
        "subject": "i-0abc", "cause": {"what": "Backdoor:EC2/C&CActivity.B", "key": "finding-1"}, "attempt": 1,
        "mode": "enforce", "outcome": "contained", "why": "it talks to a host of theirs",
        "actor": {"principal": "arn:aws:iam::111122223333:user/deploy", "source_ip": "198.51.100.7"},
        "detail": {}, "steps": [], "notes": [], "started": "2026-11-23T04:00:00Z", "finished": null, "version": 1,
        "owner": "x", "lease": "2026-11-23T04:00:00Z", "counted": true, "told": null, "watched": false
    }))
    .unwrap();
    change(&mut record);
    Entry { id: record.id(), record, undo: None }
}

fn taken(filter: &Filter) -> bool {
    filter.takes(&entry(|_| {}))
}

#[test]
fn times_are_dates_moments_and_ages() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(time("2026-11-01").unwrap(), at("2026-11-01T00:00:00Z"));
    assert_eq!(time("2026-11-01T12:00:00+02:00").unwrap(), at("2026-11-01T10:00:00Z"));
    for (text, hours) in [("7d", 168), ("12h", 12), ("0h", 0)] {
        let then = time(text).unwrap();
        let age = clock::now().duration_since(then);
        let late = age - SignedDuration::from_hours(hours);
        assert!(late >= SignedDuration::ZERO && late < SignedDuration::from_secs(60), "{text} is {age}");
    }
    for text in [
        "",
        "d",
        "-7d",
        "+7d",
        "7",
        "7w",
        "7.5h",
        "36501d",
        "99999999999999999999d",
        "yesterday",
        "2026-02-30",
    ] {
        assert!(time(text).unwrap_err().contains("expected 2026-11-01"), "{text}");
    }
}

#[test]
fn a_filter_takes_what_it_names_and_nothing_else() {
    type Set = fn(&mut Filter, Option<String>);
    let some = |text: &str| Some(text.to_owned());
    assert!(taken(&Filter::default()));
    let cases: [(Set, &str, &str); 5] = [
        (|f, text| f.function = text, "stop-instance", "stop"),
        (|f, text| f.account = text, "111122223333", "111122223334"),
        (|f, text| f.subject_region = text, "eu-*", "us-*"),
        (|f, text| f.subject = text, "i-0?b*", "i-0"),
        (|f, text| f.actor = text, "user/deploy", "user/admin"),
    ];
    for (set, yes, no) in cases {
        let filter = |text: &str| {
            let mut filter = Filter::default();
            set(&mut filter, some(text));
            filter
        };
        assert!(taken(&filter(yes)) && !taken(&filter(no)), "{yes} and not {no}");
    }
}

#[test]
fn the_beginning_of_a_period_is_in_it_and_its_end_is_not() {
    let at = |text: &str| text.parse::<Timestamp>().ok();
    let started = at("2026-11-23T04:00:00Z");
    assert!(taken(&Filter { since: started, ..Filter::default() }));
    assert!(!taken(&Filter { since: at("2026-11-23T04:00:00.001Z"), ..Filter::default() }));
    assert!(!taken(&Filter { before: started, ..Filter::default() }));
    assert!(taken(&Filter { before: at("2026-11-23T04:00:00.001Z"), ..Filter::default() }));
}

#[test]
fn outcomes_are_those_that_people_see() {
    let of = |words: &[&str]| Filter {
        outcome: words.iter().map(|w| (*w).to_owned()).collect(),
        ..Filter::default()
    };
    let open = entry(|r| r.outcome = None);
    assert!(of(&["open"]).takes(&open) && !of(&["contained"]).takes(&open));
    let mut undone = entry(|_| {});
    let at = undone.record.started;
    undone.undo = Some(crate::records::Undo {
        record: undone.id.clone(),
        reason: "ours".into(),
        by: "arn".into(),
        until: at,
        started: at,
        finished: Some(at),
        changes: vec![],
    });
    assert!(of(&["undone"]).takes(&undone) && !of(&["contained"]).takes(&undone));
    assert!(of(&["held", "contained"]).takes(&entry(|_| {})));
    // An undo that was interrupted has not taken it back yet.
    undone.undo.as_mut().unwrap().finished = None;
    assert!(of(&["contained"]).takes(&undone));
}

#[test]
fn a_filter_that_names_nothing_is_refused() {
    let said = |filter: Filter| match filter.check() {
        Err(Failure::Usage(text)) => text,
        other => panic!("{other:?}"),
    };
    let some = |text: &str| Some(text.to_owned());
    let wrong = Filter { function: some("stop"), ..Filter::default() };
    assert!(said(wrong).contains("there is no function \"stop\"; there are block-public-bucket,"));
    assert!(said(Filter { account: some("1"), ..Filter::default() }).contains("twelve digits"));
    assert!(said(Filter { outcome: vec!["done".into()], ..Filter::default() }).contains("\"done\""));
    assert!(
        said(Filter { subject_region: some("Frankfurt"), ..Filter::default() }).contains("\"Frankfurt\"")
    );
    let at = |text: &str| text.parse::<Timestamp>().ok();
    let never =
        Filter { since: at("2026-11-02T00:00:00Z"), before: at("2026-11-01T00:00:00Z"), ..Filter::default() };
    assert!(said(never).contains("nothing is at or after"));
    assert!(
        Filter { outcome: vec!["undone".into(), "already-safe".into()], ..Filter::default() }.check().is_ok()
    );
}

#[test]
fn one_subject_is_one_query() {
    let some = |text: &str| Some(text.to_owned());
    let filter = Filter {
        function: some("stop-instance"),
        account: some("111122223333"),
        subject_region: some("eu-central-1"),
        subject: some("i-0abc"),
        ..Filter::default()
    };
    assert_eq!(filter.partition().unwrap(), "record#stop-instance#111122223333#eu-central-1#i-0abc");
    assert_eq!(Filter { subject: some("i-*"), ..filter.clone() }.partition(), None);
    assert_eq!(Filter { subject_region: some("eu-central-?"), ..filter.clone() }.partition(), None);
    assert_eq!(Filter { account: None, ..filter }.partition(), None);
}
