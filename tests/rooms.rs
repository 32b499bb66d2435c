//! What makes a room a room, as rules over the files of the project: every folder of `crates/` with a `function.json`.
//!
//! Adding a function is adding a room. These tests say what is missing: a file, a row of the README's table, a fixture
//! that no trigger matches, a permission that no call uses.

#![cfg(test)]

#[path = "rooms/permissions.rs"]
mod permissions;
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
    let missing = rooms().into_iter().flat_map(|room| FILES.map(|file| room.join(file))).filter(|path| {
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

/// Terraform's map of functions, once infra/ has one with the names written out: `functions = {`, then `name = {`.
#[test]
fn terraform_deploys_the_rooms() {
    let sources = files(&project().join("infra"))
        .into_iter()
        .filter(|file| file.extension().is_some_and(|e| e == "tf"));
    for source in sources {
        let text = read(&source);
        let mut lines =
            text.lines().skip_while(|line| !line.trim_start().starts_with("functions = {")).skip(1);
        let mut named = BTreeSet::new();
        let mut depth = 1_i32;
        while let Some(line) = lines.next().filter(|_| depth > 0) {
            let key = line.split_once('=').map(|(key, _)| key.trim().trim_matches('"').to_owned());
            named.extend(key.filter(|_| depth == 1));
            let count = |bracket| i32::try_from(line.matches(bracket).count()).unwrap();
            depth += count('{') - count('}');
        }
        if !named.is_empty() {
            assert_eq!(named, names(), "{}", source.display());
        }
    }
}
