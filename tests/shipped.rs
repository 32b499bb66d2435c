//! What is deployed: binaries that Lambda's system can run, in zips that are the same whenever and wherever they are made.

#![cfg(test)]

use std::path::Path;
use std::process::Command;

use drill::tools::Tools;

/// The C library of Amazon Linux 2023, on which `provided.al2023` runs.
/// <https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html>
const GLIBC: (u32, u32) = (2, 34);

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

#[test]
fn the_same_binary_gives_the_same_zip_whenever_it_is_made() {
    let tools = Tools::find().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let zip = |binary: &Path, name: &str| {
        let zip = folder.path().join(name);
        let script = tools.project.join("scripts/zip.py");
        let done = Command::new(&tools.python).arg(script).arg(binary).arg(&zip).status().unwrap();
        assert!(done.success());
        zip
    };
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
