"""Cloud Custodian as the benchmarks use it: an environment of its own, and one process for each measurement."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
PROJECT = BENCH.parent.parent
TOOLS = Path(os.environ.get("TOURNIQUET_TOOLS", PROJECT / ".tools"))
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path.home() / ".cache/tourniquet/target"))
HOME = TOOLS / "custodian"


def version():
    lines = (BENCH / "custodian/requirements.txt").read_text().splitlines()
    return next(line.split("==")[1] for line in lines if line.startswith("c7n=="))


def built(*files):
    """What is measured has been built before."""
    for file in files:
        if not file.exists():
            raise SystemExit(f"{file} is missing: ./scripts/drill builds it.")


def install():
    """Makes the environment from requirements.txt, once for each version of that file."""
    wanted, made = BENCH / "custodian/requirements.txt", HOME / "requirements.txt"
    if made.exists() and made.read_text() == wanted.read_text():
        return
    print(f"Getting Cloud Custodian {version()} (about 30 MB from PyPI, once) into {HOME}", file=sys.stderr)
    subprocess.run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", HOME], check=True)
    pip = [HOME / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--requirement", wanted], check=True, stdout=sys.stderr)
    made.write_text(wanted.read_text())


def log():
    """Where Custodian's processes write what they say."""
    file = TARGET / "bench/custodian.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    print(f"What Custodian says goes to {file}", file=sys.stderr)
    return file.open("w")


def publish(name, lines, document):
    """Prints what was measured, and puts it between the marks of its name in a document."""
    text = "\n".join(lines)
    print(text)
    if document:
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = document.read_text().partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise SystemExit(f"{document} has no place that is marked {begin.strip()} and {end}")
        document.write_text(f"{before}{begin}{text}\n{found}{after}")


class Custodian:
    """A process that is ready to run one policy."""

    def __init__(self, function, stage, log, event=True):
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(HOME), "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_DEFAULT_REGION": stage["region"],
            "AWS_ACCESS_KEY_ID": stage["access_key"], "AWS_SECRET_ACCESS_KEY": "simulated",
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            # A Lambda function is told where it is so.
            "AWS_REGION": stage["region"],
        }
        begun = time.monotonic()
        self.process = subprocess.Popen(
            [HOME / "bin/python", BENCH / "custodian/run.py"], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
        )
        self.say({
            "policy": str(BENCH / f"custodian/{function}.yml"), "mode": "event" if event else "pull",
            "account": stage["account"], "regions": stage.get("regions", [stage["region"]]),
        })
        self.heard()
        self.start_ms = (time.monotonic() - begun) * 1000

    def run(self, stage):
        """Hands the event of a stage over, or runs over the whole account, and answers with what it took."""
        self.say({"event": stage.get("event"), "endpoint": stage["endpoint"]})
        return self.heard()

    def say(self, line):
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    def heard(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("Custodian's process ended; its log says why.")
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait()
