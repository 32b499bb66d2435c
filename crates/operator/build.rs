//! Lists the rooms' own files, so that the command reads the very ones that Terraform deploys and nobody writes their names
//! a second time.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let here = PathBuf::from(env("CARGO_MANIFEST_DIR"));
    // Of this crate and of the fuzz targets, which read the triggers too.
    let crates = here.ancestors().map(|folder| folder.join("crates")).find(|folder| folder.is_dir());
    let crates = crates.unwrap_or_default();
    let mut list = String::from("&[\n");
    for room in sorted(&crates)?.into_iter().filter(|folder| folder.join("function.json").exists()) {
        let _ = writeln!(list, "Room {{ name: {:?},", name(&room));
        for file in ["function", "permissions"] {
            let _ =
                writeln!(list, "{file}: include_str!({}),", literal(&room.join(file).with_extension("json")));
        }
        let _ = writeln!(list, "triggers: &[");
        let triggers = room.join("triggers");
        if triggers.exists() {
            watch(&triggers);
            for trigger in sorted(&triggers)? {
                let _ = writeln!(list, "({:?}, include_str!({})),", name(&trigger), literal(&trigger));
            }
        }
        let _ = writeln!(list, "] }},");
    }
    list.push(']');
    watch(&crates);
    std::fs::write(Path::new(&env("OUT_DIR")).join("rooms.rs"), list)
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn literal(path: &Path) -> String {
    format!("{:?}", path.to_string_lossy())
}

fn watch(path: &Path) {
    println!("cargo:rerun-if-changed={}", path.display());
}

fn sorted(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
