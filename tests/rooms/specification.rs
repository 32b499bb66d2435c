//! SPECIFICATION.md names tests and scenarios; each of them exists, under that very name.

use std::sync::LazyLock;

use super::{files, none, project, read};

/// What stands in backticks.
pub(super) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Whether a quoted text is the name of a test, or the beginning of one: `g24_killed_after_any_call`, `e22_*`.
fn is_test(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '*';
    text.contains('_')
        && text.chars().all(plain)
        && !["finding_types", "max_round_trips", "no_changes"].contains(&text)
}

/// Whether a test of that name exists, or with a star one whose name begins so.
pub(super) fn exists(name: &str) -> bool {
    static SOURCES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let sources =
            ["shared/src", "crates", "tests"].iter().flat_map(|folder| files(&project().join(folder)));
        sources
            .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
            .map(|path| read(&path))
            .collect()
    });
    let wanted = name.strip_suffix('*').map_or_else(|| format!("fn {name}("), |start| format!("fn {start}"));
    SOURCES.iter().any(|source| source.contains(&wanted))
}

/// The names of all scenarios.
pub(super) fn scenarios() -> Vec<String> {
    let all = files(&project().join("tests/scenarios"));
    all.iter().filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect()
}

#[test]
fn every_test_that_the_specification_names_exists() {
    let text = read(&project().join("SPECIFICATION.md"));
    let wrong = quoted(&text).filter(|name| is_test(name) && !exists(name));
    none(
        &wrong
            .map(|name| format!("SPECIFICATION.md names the test {name}, which does not exist"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn every_scenario_that_the_specification_names_exists() {
    let text = read(&project().join("SPECIFICATION.md"));
    let known = scenarios();
    let rows = text.lines().filter_map(|line| line.split("scenario").nth(1));
    let named =
        rows.flat_map(|row| quoted(row.split([';', '(']).next().unwrap_or_default()).collect::<Vec<_>>());
    let wrong = named.filter(|name| !is_test(name) && !known.iter().any(|k| k == name));
    none(
        &wrong
            .map(|name| format!("SPECIFICATION.md names the scenario {name}, which does not exist"))
            .collect::<Vec<_>>(),
    );
}
