//! What is deployed: binaries that Lambda's system can run, in zips that are the same whenever and wherever they are made, and bills of
//! materials that are true.

#![cfg(test)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use drill::tools::Tools;
use serde_json::{Value, json};

/// The C library of Amazon Linux 2023, on which `provided.al2023` runs.
/// <https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html>
const GLIBC: (u32, u32) = (2, 34);

/// Megabytes of zip that each function may have. What fills them is in docs/performance.md.
const ZIP_MB: [(&str, f64); 5] = [
    ("block-public-bucket", 3.8),
    ("disable-old-keys", 2.9),
    ("restore-trail", 3.4),
    ("revoke-open-ingress", 3.0),
    ("stop-instance", 3.5),
];

/// The versions of the C library that a binary asks for, as the names of its symbol versions say.
fn versions(binary: &[u8]) -> Vec<(u32, u32)> {
    let text = String::from_utf8_lossy(binary);
    let named = text.split("GLIBC_").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (major, minor) = rest[..end].split_once('.')?;
        Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
    });
    named.collect()
}

#[test]
fn every_binary_runs_on_lambdas_c_library() {
    let tools = Tools::find().unwrap();
    for function in tools.functions().unwrap() {
        let newest = versions(&std::fs::read(tools.binary(&function).unwrap()).unwrap()).into_iter().max();
        let newest = newest.unwrap_or_else(|| panic!("{function} names no version of the C library"));
        assert!(newest <= GLIBC, "{function} needs glibc {newest:?}, and Lambda has {GLIBC:?}");
    }
}

/// Packs a binary as `scripts/build` does.
fn zip(tools: &Tools, binary: &Path, folder: &Path, name: &str) -> PathBuf {
    let zip = folder.join(name);
    let script = tools.project.join("scripts/zip.py");
    let done = Command::new(&tools.python).arg(script).arg(binary).arg(&zip).status().unwrap();
    assert!(done.success());
    zip
}

#[test]
fn every_zip_is_as_small_as_promised() {
    let tools = Tools::find().unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(tools.functions().unwrap(), ZIP_MB.map(|(function, _)| function));
    for (function, most) in ZIP_MB {
        let zip = zip(&tools, &tools.binary(function).unwrap(), folder.path(), function);
        #[expect(clippy::cast_precision_loss, reason = "a few million")]
        let megabytes = zip.metadata().unwrap().len() as f64 / 1e6;
        assert!(megabytes <= most, "{function} has a zip of {megabytes:.2} MB, promised are {most}");
    }
}

#[test]
fn the_same_binary_gives_the_same_zip_whenever_it_is_made() {
    let tools = Tools::find().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let zip = |binary: &Path, name: &str| zip(&tools, binary, folder.path(), name);
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    std::fs::write(&one, b"the same").unwrap();
    let first = zip(&one, "first.zip");
    std::fs::write(&other, b"the same").unwrap();
    let old = std::fs::File::options().write(true).open(&other).unwrap();
    old.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_hours(24 * 365 * 30)).unwrap();
    let second = zip(&other, "second.zip");
    assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(second).unwrap());
    let listed = "import sys, zipfile; print([(i.filename, oct(i.external_attr >> 16)) for i in zipfile.ZipFile(sys.argv[1]).infolist()])";
    let listed = Command::new(&tools.python).args(["-c", listed]).arg(first).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&listed.stdout).trim(), "[('bootstrap', '0o100755')]");
}

/// The crates that a binary names, as `name-version`: a panic says in which file of its crate it is.
fn named(binary: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(binary);
    let folders = text.split("/registry/src/").skip(1).filter_map(|path| path.split('/').nth(1));
    folders.map(str::to_owned).collect()
}

/// The bills of materials as `scripts/build` makes them, for this machine's architecture, by way of a folder of temporary files.
fn bills(tools: &Tools, folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    let made = Command::new("bash")
        .args(["-euo", "pipefail", "-c", "source scripts/tools; sboms \"$@\"", "bash"])
        .arg(folder)
        .arg(format!("{}-unknown-linux-gnu", std::env::consts::ARCH))
        .current_dir(&tools.project)
        .env("TMPDIR", folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[test]
fn each_bill_of_materials_lists_what_the_binary_names_and_is_the_same_wherever_it_is_made() {
    let tools = Tools::find().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    bills(&tools, &one);
    bills(&tools, &other);
    for function in tools.functions().unwrap() {
        let file = format!("{function}/{function}.cdx.json");
        let text = std::fs::read_to_string(one.join(&file)).unwrap();
        assert_eq!(text, std::fs::read_to_string(other.join(&file)).unwrap());
        for place in [folder.path(), &tools.project] {
            assert!(!text.contains(place.to_str().unwrap()), "{file} names {}", place.display());
        }
        let bill: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&json!("CycloneDX"), &json!("1.5")));
        assert_eq!(bill["metadata"]["component"]["name"], json!(function));
        let listed: BTreeSet<String> = bill["components"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| format!("{}-{}", one["name"].as_str().unwrap(), one["version"].as_str().unwrap()))
            .collect();
        let named = named(&std::fs::read(tools.binary(&function).unwrap()).unwrap());
        let lacking: Vec<&String> = named.difference(&listed).collect();
        assert!(lacking.is_empty(), "{file} lacks {lacking:?}");
        let sdk = |all: &BTreeSet<String>| -> BTreeSet<String> {
            all.iter().filter(|name| name.starts_with("aws-sdk-")).cloned().collect()
        };
        assert_eq!(sdk(&listed), sdk(&named), "{file}");
        assert!(!sdk(&named).is_empty(), "{function} names no crate of the SDK");
        for foreign in ["drill-", "proptest-", "insta-", "serde_derive-", "cc-"] {
            assert!(!listed.iter().any(|name| name.starts_with(foreign)), "{file} lists {foreign}");
        }
    }
}

#[test]
fn each_binary_lists_its_own_crates_for_scanners() {
    let tools = Tools::find().unwrap();
    for function in tools.functions().unwrap() {
        let binary = tools.binary(&function).unwrap();
        let info = auditable_info::audit_info_from_file(&binary, auditable_info::Limits::default())
            .unwrap_or_else(|error| panic!("{function}: {error}"));
        let root: Vec<&str> = info.packages.iter().filter(|p| p.root).map(|p| p.name.as_str()).collect();
        assert_eq!(root, [function.as_str()]);
        let listed: BTreeSet<String> =
            info.packages.iter().map(|one| format!("{}-{}", one.name, one.version)).collect();
        let lacking = &named(&std::fs::read(binary).unwrap()) - &listed;
        assert!(lacking.is_empty(), "{function} does not list {lacking:?}");
    }
}
