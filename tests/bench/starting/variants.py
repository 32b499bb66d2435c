"""The bare call of a function, built as what ships and with one thing changed, in a workspace of its own below the target folder."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
REFERENCE = PROJECT / "tests/bench/reference/src"
FOLDER = Path(os.environ["CARGO_TARGET_DIR"]) / "bench/variants"
PROGRAM = "disable-old-keys"
NEEDED = (
    "aws-credential-types", "aws-sdk-iam", "aws-smithy-async", "aws-smithy-http-client", "aws-smithy-runtime-api", "aws-types",
    "lambda_runtime", "serde_json", "tokio",
)
# What the project does not use, in the versions that were measured.
STRANGERS = {
    "aws-lc-rs": {"version": "=1.19.0", "default-features": False},
    "mimalloc": {"version": "=0.1.52", "default-features": False},
}
AWS_CONFIG = """
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let load = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http).load();
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(load))
"""
READS = 50_000
# Reads a file again and again.
JSON = f"""
fn main() {{
    let event = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    for _ in 0..{READS} {{
        std::hint::black_box(serde_json::from_slice::<serde_json::Value>(&event).unwrap());
    }}
}}
"""


@dataclass
class Source:
    """The reference with one change."""

    dependencies: dict = field(default_factory=dict)
    pattern: str = r"\A"
    becomes: str = ""


SOURCES = {
    "plain": Source(),
    "aws-lc": Source({"aws-smithy-http-client": {"features": ["rustls-aws-lc"]}, "aws-lc-rs": {}}, "CryptoMode::Ring", "CryptoMode::AwsLc"),
    "with-aws-config": Source({"aws-config": {}}, r"(?s)(?<=SdkConfig, Error> \{).*?builder\.build\(\)\)", AWS_CONFIG.rstrip()),
    "with-mimalloc": Source(
        {"mimalloc": {}}, r"(?=use std::env;)",
        "#[global_allocator]\nstatic ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;\n\n",
    ),
}


@dataclass
class Variant:
    name: str
    source: str = "plain"
    profile: str = "release"
    build: dict = field(default_factory=dict)
    roots: str = "roots"
    runs: list = field(default_factory=list)
    at_128: list = field(default_factory=list)

    def binary(self):
        return FOLDER / "built" / re.sub(r"[^A-Za-z0-9]+", "-", self.name)


VARIANTS = [
    Variant("as what ships"),
    Variant("TLS by AWS-LC instead of ring", "aws-lc"),
    Variant("AWS-LC without its CPU jitter entropy", "aws-lc", build={"AWS_LC_SYS_NO_JITTER_ENTROPY": "1"}),
    Variant("the system's roots instead of five", roots="system"),
    Variant("`aws-config` instead of the environment by hand", "with-aws-config"),
    Variant("allocator: mimalloc", "with-mimalloc"),
    Variant("`lto = \"off\"`", profile="lto-off"),
    Variant("`lto = \"thin\"`", profile="lto-thin"),
    Variant("`opt-level = 3`", profile="opt-3"),
    Variant("`opt-level = \"s\"`", profile="opt-s"),
    Variant("`panic = \"abort\"`", profile="abort"),
]
# What a profile has that is not the shipped one's.
PROFILES = {
    "lto-off": {"lto": "off"},
    "lto-thin": {"lto": "thin"},
    "opt-3": {"opt-level": 3},
    "opt-s": {"opt-level": "s"},
    "abort": {"panic": "abort"},
}


def written(value):
    """A value in TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {written(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(written(one) for one in value) + "]"
    return str(value).lower() if isinstance(value, (bool, int)) else f'"{value}"'


def workspace():
    """A workspace of its own with a crate for each source, so that one's features are not another's."""
    project = tomllib.loads((PROJECT / "Cargo.toml").read_text())
    known = {name: {"version": one} if isinstance(one, str) else one for name, one in project["workspace"]["dependencies"].items()}
    profiles = {name: {"inherits": "release", **change} for name, change in PROFILES.items()}
    profiles["release"] = project["profile"]["release"]
    lines = ["[workspace]", 'resolver = "3"', f"members = {written([*SOURCES, 'json'])}"]
    lines += (f"profile.{name} = {written(profile)}" for name, profile in profiles.items())
    # Above all tables: these keys are of the document itself.
    put("Cargo.toml", "\n".join(lines[3:] + lines[:3]) + "\n")
    shutil.copy(PROJECT / "Cargo.lock", FOLDER)
    for name, source in SOURCES.items():
        needed = {one: known[one] for one in NEEDED}
        for one, change in source.dependencies.items():
            needed[one] = {**(known | STRANGERS)[one], **change}
        crate(name, needed, '\n[lib]\nname = "bench_reference"\n\n[lints.rust]\nunused_imports = "allow"\n')
        library, changes = re.subn(source.pattern, lambda _: source.becomes, (REFERENCE / "lib.rs").read_text())
        if changes != 1:
            raise SystemExit(f"The reference has {changes} places for the change that makes it {name}.")
        put(f"{name}/src/lib.rs", library)
        put(f"{name}/src/main.rs", (REFERENCE / f"bin/bare-{PROGRAM}.rs").read_text())
    crate("json", {"serde_json": known["serde_json"]})
    put("json/src/main.rs", JSON)


def crate(name, dependencies, more=""):
    lines = "".join(f"{one} = {written(spec)}\n" for one, spec in dependencies.items())
    put(f"{name}/Cargo.toml", f'[package]\nname = "{name}"\nversion = "0.0.0"\nedition = "2024"\n{more}\n[dependencies]\n{lines}')


def put(name, text):
    """Writes what has changed only: cargo builds by time."""
    file = FOLDER / name
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists() or file.read_text() != text:
        file.write_text(text)


def build(package, profile, environment, into):
    """Builds one binary and keeps a copy: AWS-LC's two variants are built at the same place."""
    print(f"building {into.name}", file=sys.stderr)
    command = ["nice", "cargo", "build", "--quiet", "--manifest-path", FOLDER / "Cargo.toml", "--profile", profile, "--package", package]
    subprocess.run(command, check=True, env={**os.environ, **environment, "CARGO_TARGET_DIR": str(FOLDER / "target")})
    into.parent.mkdir(exist_ok=True)
    shutil.copy(FOLDER / "target" / profile / package, into)


def build_all():
    workspace()
    for variant in VARIANTS:
        build(variant.source, variant.profile, variant.build, variant.binary())
    build("json", "release", {}, FOLDER / "built/json")
