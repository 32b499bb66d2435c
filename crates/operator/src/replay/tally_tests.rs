use super::*;

fn judged(verdict: Verdict, subject: &str) -> Judged {
    Judged {
        function: "f",
        verdict,
        place: None,
        subject: Some(subject.to_owned()),
        actor: "eve".to_owned(),
        what: "X".to_owned(),
        why: "because".to_owned(),
    }
}

fn origin<'a>(at: &str, event: &'a str) -> Origin<'a> {
    Origin { at: at.parse().ok(), event, file: "file" }
}

#[test]
fn what_is_the_same_but_for_its_time_is_one_row_with_its_first_event() {
    let mut function = Function::default();
    for (at, event) in
        [("2026-11-02T10:00:00Z", "b"), ("2026-11-02T09:00:00Z", "a"), ("2026-11-03T09:00:00Z", "c")]
    {
        function.add(judged(Verdict::Act, "s"), origin(at, event));
    }
    function.add(judged(Verdict::Look, "s"), origin("no time", "d"));
    let rows: Vec<(u64, &str)> =
        function.rows.values().map(|group| (group.times, group.event.as_str())).collect();
    assert_eq!(rows, [(2, "a"), (1, "c"), (1, "d")]);
    assert_eq!((function.counts, function.undated, function.days.len()), ([3, 1, 0, 0], [0, 1, 0, 0], 2));
    assert_eq!(function.subjects.top(9), [("s", [3, 1, 0, 0])]);
}

#[test]
fn rows_that_are_too_many_are_counted() {
    let mut function = Function::default();
    for number in 0..ROWS + 7 {
        function.add(judged(Verdict::Ignore, &number.to_string()), origin("2026-11-02T10:00:00Z", "e"));
    }
    // Those that matter more are not crowded out.
    function.add(judged(Verdict::Act, "s"), origin("2026-11-02T10:00:00Z", "e"));
    assert_eq!((function.rows.len(), function.unlisted), (ROWS + 1, [0, 0, 0, 7]));
    assert_eq!(function.counts, [1, 0, 0, 1007]);
}

#[test]
fn names_stay_few_and_the_frequent_ones_are_known() {
    let mut names = Names::default();
    for number in 0..100_000_u32 {
        names.add(&format!("name {number}"), 0);
        if number % 10 == 0 {
            names.add("often", 1);
        }
    }
    assert!(names.len() <= NAMES && names.dropped);
    assert!(names.top(NAMES).contains(&("often", [0, 10_000, 0, 0])));
}

#[test]
fn days_and_texts_are_bounded() {
    let mut function = Function::default();
    let mut day: Date = "1990-01-01".parse().unwrap();
    for _ in 0..DAYS + 3 {
        function.add(judged(Verdict::Look, &"x".repeat(100_000)), origin(&format!("{day}T00:00:00Z"), "e"));
        day = day.tomorrow().unwrap();
    }
    assert_eq!((function.days.len(), function.undated), (DAYS, [0, 3, 0, 0]));
    assert!(function.rows.keys().all(|row| row.subject.as_ref().unwrap().chars().count() == TEXT + 1));
}
