//! Where the drill finds what it runs: the project, the Python environment, the emulator and the built functions.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The places on this machine that a drill needs.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The project's root.
    pub project: PathBuf,
    /// The interpreter of the Python environment that `scripts/tools` makes.
    pub python: PathBuf,
    /// AWS's runtime interface emulator for this machine.
    pub emulator: PathBuf,
    /// The folder with `<function>/bootstrap`.
    pub binaries: PathBuf,
}

impl Tools {
    /// Finds the tools by `TOURNIQUET_TOOLS` (default `.tools` in the project) and the binaries by
    /// `TOURNIQUET_BIN_DIR` (default `lambda` in Cargo's target directory).
    pub fn find() -> Result<Self> {
        let project =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the project has no root")?.to_owned();
        let tools = env::var_os("TOURNIQUET_TOOLS").map_or_else(|| project.join(".tools"), PathBuf::from);
        let environment = tools.join("venv");
        let python = environment.join("bin/python");
        if !python.exists() {
            bail!("{} is missing: run scripts/drill once, it makes the Python environment", python.display());
        }
        let emulator = emulator(&environment)?;
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| project.join("target"), PathBuf::from);
        let binaries = env::var_os("TOURNIQUET_BIN_DIR").map_or_else(|| target.join("lambda"), PathBuf::from);
        Ok(Self { project, python, emulator, binaries })
    }

    /// The folder of a function's room.
    #[must_use]
    pub fn room(&self, function: &str) -> PathBuf {
        self.project.join("crates").join(function)
    }

    /// The functions: the rooms with a `function.json`, by name.
    pub fn functions(&self) -> Result<Vec<String>> {
        let crates = self.project.join("crates");
        let rooms =
            std::fs::read_dir(&crates).with_context(|| format!("cannot read {}", crates.display()))?;
        let mut names: Vec<String> = rooms
            .filter_map(Result::ok)
            .filter(|room| room.path().join("function.json").exists())
            .map(|room| room.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        Ok(names)
    }

    /// The binary of a function, as `cargo lambda build` lays it out.
    pub fn binary(&self, function: &str) -> Result<PathBuf> {
        let path = self.binaries.join(function).join("bootstrap");
        if !path.exists() {
            bail!("{} is missing: run `cargo lambda build --release -p {function}`", path.display());
        }
        Ok(path)
    }

    /// The folder of the scenarios.
    #[must_use]
    pub fn scenarios(&self) -> PathBuf {
        self.project.join("tests/scenarios")
    }
}

/// aws-sam-cli ships the emulator for both architectures.
fn emulator(environment: &Path) -> Result<PathBuf> {
    let name = match env::consts::ARCH {
        "x86_64" => "aws-lambda-rie-x86_64",
        "aarch64" => "aws-lambda-rie-arm64",
        other => bail!("there is no runtime interface emulator for {other}"),
    };
    let libraries = environment.join("lib");
    let found = std::fs::read_dir(&libraries)
        .with_context(|| format!("cannot read {}", libraries.display()))?
        .filter_map(Result::ok)
        .map(|entry| entry.path().join("site-packages/samcli/local/rapid").join(name))
        .find(|path| path.exists());
    found.with_context(|| format!("{name} is not below {}: run scripts/drill once", libraries.display()))
}
