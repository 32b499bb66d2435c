//! Rules over the sources: decisions are pure, only `act` calls AWS, files stay small, nothing is left to be done.

use std::path::{Path, PathBuf};

use super::{files, name, none, project, read, rooms};

/// What a decision has no business with. `now` is an argument.
const IMPURE: [&str; 10] = [
    "async",
    ".await",
    "aws_sdk",
    "std::env",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "clock",
    "tokio",
    "Clients",
];

/// The most lines that a file may have.
const LINES: usize = 600;

/// Rust without comments; and without what stands in strings, unless they are kept. Knows no string of several lines
/// with `//` in it, which no source of the project has.
pub(super) fn code(text: &str, strings: bool) -> String {
    text.lines().map(|line| line_of_code(line, strings) + "\n").collect()
}

fn line_of_code(line: &str, strings: bool) -> String {
    let mut out = String::new();
    let (mut quoted, mut escaped, mut before) = (false, false, ' ');
    for c in line.chars() {
        // A quote as a character: '"'.
        let quote = c == '"' && !escaped && (quoted || before != '\'');
        if !quoted && c == '/' && before == '/' {
            out.pop();
            break;
        }
        if !quoted || quote || strings {
            out.push(c);
        }
        quoted ^= quote;
        escaped = quoted && c == '\\' && !escaped;
        before = c;
    }
    out
}

/// Whether a text has a word that is not a part of a longer one. What ends in `sdk` begins the name of any client's crate.
fn has(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, behind) = (&text[..at], &text[at + word.len()..]);
        let begins = word.starts_with('.') || !before.ends_with(part);
        begins && (word.ends_with("sdk") || !behind.starts_with(part))
    })
}

/// The Rust and Python files below a folder.
pub(super) fn sources(folder: &Path) -> Vec<PathBuf> {
    let source = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "rs" || ending == "py");
    files(folder).into_iter().filter(source).collect()
}

fn all() -> Vec<PathBuf> {
    let crates = super::entries(&project().join("crates")).into_iter().map(|folder| folder.join("src"));
    let folders = crates.chain([project().join("shared/src"), project().join("tests")]);
    let all: Vec<PathBuf> = folders.flat_map(|folder| sources(&folder)).collect();
    assert!(all.len() > 50);
    all
}

#[test]
fn decisions_are_pure() {
    let mut wrong = Vec::new();
    for file in rooms().iter().map(|room| room.join("src/decide.rs")) {
        let code = code(&read(&file), false);
        let found = IMPURE.iter().filter(|word| has(&code, word));
        wrong.extend(found.map(|word| format!("{}: `{word}`", file.display())));
    }
    none(&wrong);
}

#[test]
fn only_act_knows_aws() {
    let mut wrong = Vec::new();
    for room in rooms() {
        let src = room.join("src");
        for file in sources(&src) {
            let inside = file.strip_prefix(&src).unwrap();
            let act =
                inside.starts_with("act") || ["act.rs", "act_tests.rs"].contains(&name(inside).as_str());
            if !act && has(&code(&read(&file), false), "aws_sdk") {
                wrong.push(format!("{} uses an SDK; only act.rs and act/ may", file.display()));
            }
        }
    }
    none(&wrong);
}

#[test]
fn no_file_is_long() {
    let lines = all().into_iter().map(|file| (read(&file).lines().count(), file));
    let long = lines.filter(|(lines, _)| *lines > LINES);
    none(&long.map(|(lines, file)| format!("{} has {lines} lines", file.display())).collect::<Vec<_>>());
}

#[test]
fn nothing_is_left_to_be_done() {
    let mut wrong = Vec::new();
    for file in all().into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "rs")) {
        let code = code(&read(&file), false);
        let left = ["todo!", "unimplemented!", "#[ignore"].into_iter().filter(|word| code.contains(word));
        wrong.extend(left.map(|word| format!("{}: {word}", file.display())));
    }
    none(&wrong);
}

#[test]
fn words_are_found_in_code_and_not_in_comments_or_strings() {
    let text = "//! async\nlet url = \"https://clock\"; // tokio\nlet q = '\"'; std::env::var(\"x\\\"async\"); aws_sdk_ec2::Client\n";
    let code = code(text, false);
    let found: Vec<&str> = IMPURE.into_iter().filter(|word| has(&code, word)).collect();
    assert_eq!(found, ["aws_sdk", "std::env"]);
    assert!(has("a.await?", ".await") && !has("Instance", "Instant") && !has("o_clock", "clock"));
}
