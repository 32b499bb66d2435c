//! SECURITY.md: each line of the threat model names a test, a scenario or a run of Terraform's tests that exists, or says why
//! there is none.

use super::specification::{exists, quoted, scenarios};
use super::{files, none, project, read};

/// The rows of all tables of the threat model: attack, and the cell with the tests.
fn threats(text: &str) -> Vec<(String, String)> {
    let model = text.split("## Threat model").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = model.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = rows.map(|row| row.split(" | ").map(str::trim).collect::<Vec<_>>());
    let threats = cells.filter(|cells| cells[0] != "attack" && !cells[0].starts_with("---"));
    threats
        .map(|cells| {
            assert_eq!(cells.len(), 4, "attack, what stops it, what notices it, test: {cells:?}");
            (cells[0].to_owned(), cells[3].to_owned())
        })
        .collect()
}

#[test]
fn every_line_of_the_threat_model_has_tests_that_exist() {
    let threats = threats(&read(&project().join("SECURITY.md")));
    assert!(threats.len() > 25, "{}", threats.len());
    let plans: Vec<String> = files(&project().join("infra/tests"))
        .iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "hcl"))
        .map(|path| read(path))
        .collect();
    let scenarios = scenarios();
    let known = |name: &str| {
        let plan = format!("run \"{name}\" {{");
        exists(name)
            || scenarios.iter().any(|one| one == name)
            || plans.iter().any(|text| text.contains(&plan))
    };
    let mut wrong = Vec::new();
    for (attack, tests) in threats {
        let named: Vec<&str> = quoted(&tests).collect();
        let excused = tests.starts_with("none: ") && tests.len() > 20;
        if named.is_empty() && !excused {
            wrong.push(format!("no test: {attack}"));
        }
        let missing = named.into_iter().filter(|name| !known(name));
        wrong.extend(missing.map(|name| format!("{name} does not exist, and is to hold: {attack}")));
    }
    none(&wrong);
}
