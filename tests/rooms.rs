//! What makes a room a room, as rules over the files of the project: every folder of `crates/` with a `function.json`.
//!
//! Adding a function is adding a room. These tests say what is missing: a file, a row of the README's table, a fixture
//! that no trigger matches, a permission that no call uses.

#![cfg(test)]

#[path = "rooms/page.rs"]
mod page;
#[path = "rooms/permissions.rs"]
mod permissions;
#[path = "rooms/security.rs"]
mod security;
#[path = "rooms/source.rs"]
mod source;
#[path = "rooms/specification.rs"]
mod specification;
#[path = "rooms/triggers.rs"]
mod triggers;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The same in every room; folders end with a slash.
const FILES: [&str; 11] = [
    "README.md",
    "function.json",
    "permissions.json",
    "triggers/",
    "fixtures/match/",
    "fixtures/ignore/",
    "src/main.rs",
    "src/lib.rs",
    "src/event.rs",
    "src/decide.rs",
    "src/act.rs",
];

/// What a function that no event calls can do without.
const FOR_EVENTS: [&str; 2] = ["triggers/", "fixtures/match/"];

fn is_only_scheduled(room: &Path) -> bool {
    let manifest: Value = drill::scenario::read(&room.join("function.json")).unwrap();
    manifest["schedule"].is_string() && entries(&room.join("triggers")).is_empty()
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The folders of all rooms, in the order of their names.
fn rooms() -> Vec<PathBuf> {
    let rooms: Vec<PathBuf> = entries(&project().join("crates"))
        .into_iter()
        .filter(|room| room.join("function.json").exists())
        .collect();
    assert!(!rooms.is_empty());
    rooms
}

/// What a folder holds, in the order of the names; nothing if there is no such folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    entries(folder)
        .into_iter()
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn names() -> BTreeSet<String> {
    rooms().iter().map(|room| name(room)).collect()
}

/// Fails with every sentence, so that one run shows all that is wrong.
fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_room_has_the_same_files() {
    // A function that only its schedule calls has no triggers, and no event to match.
    let needed = |room: PathBuf| {
        let scheduled = is_only_scheduled(&room);
        let files = FILES.into_iter().filter(move |file| !(scheduled && FOR_EVENTS.contains(file)));
        files.map(move |file| room.join(file)).collect::<Vec<_>>()
    };
    let missing = rooms().into_iter().flat_map(needed).filter(|path| {
        let folder = path.to_str().unwrap().ends_with('/');
        if folder { entries(path).is_empty() } else { !path.is_file() }
    });
    none(&missing.map(|path| format!("{} is missing", path.display())).collect::<Vec<_>>());
}

#[test]
fn the_rooms_are_the_workspace_members_below_crates() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(project())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let members = metadata["packages"].as_array().unwrap().iter().filter_map(|package| {
        let folder = Path::new(package["manifest_path"].as_str()?).parent()?;
        let room = folder.parent()? == project().join("crates") && folder.join("function.json").exists();
        // The crate, the binary and the room have one name.
        let target = |target: &&Value| target["kind"] == serde_json::json!(["bin"]);
        let binary = package["targets"].as_array()?.iter().find(target)?["name"].as_str()?;
        room.then(|| (name(folder), package["name"].as_str().unwrap().to_owned(), binary.to_owned()))
    });
    let same = names().into_iter().map(|name| (name.clone(), name.clone(), name));
    assert_eq!(members.collect::<BTreeSet<_>>(), same.collect::<BTreeSet<_>>());
}

/// The tests that hold for every function name each; see functions.rs.
#[test]
fn the_tests_for_every_function_are_for_every_room() {
    let text = read(&project().join("tests/functions.rs"));
    let named = text
        .lines()
        .filter_map(|line| line.strip_prefix("        for_every_function!(@each")?.split('"').nth(1));
    assert_eq!(named.map(str::to_owned).collect::<BTreeSet<_>>(), names());
}

#[test]
fn every_room_has_one_model_scenario() {
    let folder = project().join("tests/scenarios");
    let models = names().into_iter().map(|name| drill::scenario::model(&folder, &name));
    none(&models.filter_map(|model| model.err().map(|error| error.to_string())).collect::<Vec<_>>());
}

#[test]
fn the_readme_lists_the_rooms() {
    let readme = read(&project().join("README.md"));
    let rows = readme.lines().filter_map(|line| {
        let (name, rest) = line.trim().strip_prefix("| [")?.split_once("](crates/")?;
        let (folder, _) = rest.split_once(')')?;
        assert_eq!(folder.trim_end_matches('/'), name, "{line}");
        // The operator's command is no function.
        let folder = project().join("crates").join(name);
        (!folder.exists() || folder.join("function.json").exists()).then(|| name.to_owned())
    });
    assert_eq!(rows.collect::<BTreeSet<_>>(), names());
}

/// Terraform finds the rooms by their folders: no name of one is written in it. Examples and tests may name some.
#[test]
fn terraform_deploys_the_rooms() {
    let infra = project().join("infra");
    let finds = r#"fileset("${path.module}/../crates", "*/function.json")"#;
    assert!(read(&infra.join("main.tf")).contains(finds), "infra/main.tf does not look for the rooms");
    let sources = files(&infra).into_iter().filter(|file| {
        let apart = ["examples", "tests"].iter().any(|folder| file.starts_with(infra.join(folder)));
        !apart && file.extension().is_some_and(|e| e == "tf")
    });
    let named = sources.flat_map(|source| {
        let text = read(&source);
        let named = names().into_iter().filter(move |name| text.contains(name.as_str()));
        named.map(move |name| format!("{} names {name}", source.display()))
    });
    none(&named.collect::<Vec<_>>());
}
