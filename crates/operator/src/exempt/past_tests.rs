use serde_json::json;

use super::*;

fn record() -> Record {
    serde_json::from_value(json!({
        "function": "revoke-open-ingress", "place": {"account": "111122223333", "region": "eu-central-1"},
        "subject": "sg-1", "cause": {"what": "x", "key": "finding-1"}, "attempt": 1, "mode": "enforce",
        "outcome": "contained", "why": "", "actor": {}, "detail": {}, "steps": [],
        "notes": [], "started": "2026-11-23T04:00:00Z", "finished": null, "version": 1, "owner": "x",
        "lease": "2026-11-23T04:00:00Z", "counted": true, "told": null, "watched": false
    }))
    .unwrap()
}

#[test]
fn a_scope_covers_the_cause_or_the_changes_that_it_names() {
    let covered = |scope: &str, needs: &[Option<&str>]| {
        let needs: Vec<_> = needs.iter().map(|need| need.map(str::to_owned)).collect();
        covered_by(scope, &record(), &needs)
    };
    let both = [Some("tcp/22"), Some("tcp/3389")];
    assert_eq!(covered("finding-1", &both), Covered::All);
    assert_eq!(covered("tcp/22", &both), Covered::Part);
    assert_eq!(covered("tcp/22", &[Some("tcp/22"), None]), Covered::Part);
    assert_eq!(covered("tcp/22", &[Some("tcp/22")]), Covered::All);
    assert_eq!(covered("tcp/20-30", &both), Covered::Perhaps);
    assert_eq!(covered("tcp/22", &[]), Covered::Perhaps);
}
