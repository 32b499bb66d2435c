"""Measures the sweeps at scale: three functions over ten to ten thousand subjects, and Cloud Custodian over the same account.

scripts/bench sweep [--most N] [--plot FILE] [--into FILE]     default: 10,000 subjects, 20 ms of latency a call

--plot draws how the cost grows, as docs/growth.svg; --into writes the table into a document, such as docs/performance.md, too.

Each function is the binary that ships, under a Runtime API with its own timeout. The account is a light fake (tests/bench/fake),
in which one subject in a hundred is planted as harmful. Ends with an error if anything but these is changed, if a sweep makes
other calls than SPECIFICATION.md says, needs more than half of its timeout, or more memory for many subjects than for few.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True
import beside
import runtime

BINARIES = Path(os.environ.get("TOURNIQUET_BIN_DIR", beside.TARGET / "lambda"))
LATENCY_MS = 20
SIZES = (10, 100, 1000, 10000)
REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")
STAGE = {"account": "111122223333", "region": REGIONS[0], "access_key": "AKIAIOSFODNN7EXAMPLE"}
# The most subjects may need so many megabytes more than a hundred, of which as many are harmful: the pages of a thousand that are
# at work, the credential report, which IAM gives in one piece, and the names of what was looked at.
GROWTH_MB = 6
EVENT = {
    "version": "0", "id": "11111111-2222-4333-8444-555555555555", "detail-type": "Scheduled Event", "source": "aws.scheduler",
    "account": STAGE["account"], "time": "2026-11-23T09:00:00Z", "region": STAGE["region"], "resources": [], "detail": {},
}


class Kind:
    """One sweep: what it is over, how many are looked at for the table, the calls that it may make, and the most subjects for
    which there is time to wait for Custodian."""

    def __init__(self, function, kind, table, words, regions, formula, most=max(SIZES)):
        self.function, self.kind, self.table, self.words = function, kind, table, words
        self.regions, self.formula, self.most = regions, formula, most
        manifest = json.loads((beside.PROJECT / f"crates/{function}/function.json").read_text())
        self.timeout_s, self.memory_mb = manifest["timeout_s"], manifest["memory_mb"]


def groups(subjects, harmful, _bare):
    # Every group lets 10.0.0.0/8 in, so AWS names them all, on pages of a thousand. Five for each: two looks of two, and the change.
    pages = math.ceil(subjects / len(REGIONS) / 1000) - 1
    return {"ec2": 1 + (3 + pages) * len(REGIONS) + 5 * harmful, "dynamodb": 2 + 3 * harmful, "sns": harmful}


def keys(subjects, harmful, _bare):
    return {"iam": 2 + 8 * harmful, "dynamodb": 2 + 4 * harmful, "sns": None}


def buckets(subjects, harmful, bare):
    return {"s3": 1 + math.ceil(subjects / 1000) + subjects + 8 * bare + 2 * harmful, "dynamodb": 2 + 4 * harmful, "sns": None}


KINDS = [
    Kind("revoke-open-ingress", "groups", 10000, "security groups in three regions", REGIONS, groups),
    Kind("disable-old-keys", "keys", 10000, "access keys of half as many users", REGIONS[:1], keys),
    Kind("block-public-bucket", "buckets", 2000, "buckets", REGIONS[:1], buckets, most=2000),
]


class Fake:
    """The account, in a process of its own."""

    def __init__(self, kind, subjects, harmful=0):
        command = [sys.executable, "-B", "-m", "fake", kind, str(subjects), "--latency", str(LATENCY_MS)]
        command += ["--harmful", str(harmful)] if harmful else []
        self.process = subprocess.Popen(command, cwd=beside.BENCH, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said = json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def seen(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def ours(kind, subjects, log, harmful=0):
    with Fake(kind.kind, subjects, harmful) as fake:
        config = {
            "account": STAGE["account"], "mode": "enforce", "changes_per_hour": 1_000_000,
            "report_topic": f"arn:aws:sns:{STAGE['region']}:{STAGE['account']}:tourniquet",
        }
        environment = {
            "AWS_REGION": STAGE["region"], "AWS_DEFAULT_REGION": STAGE["region"], "AWS_ENDPOINT_URL": fake.said["endpoint"],
            "AWS_ACCESS_KEY_ID": STAGE["access_key"], "AWS_SECRET_ACCESS_KEY": "simulated", "AWS_SESSION_TOKEN": "simulated",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(kind.memory_mb), "TOURNIQUET_CONFIG": json.dumps(config),
        }
        took, peak, answer = runtime.invoke(BINARIES / kind.function / "bootstrap", EVENT, environment, kind.timeout_s, log)
        seen = fake.seen()
        outcomes = Counter(report["outcome"] for report in answer["outcomes"])
        return {"subjects": subjects, "seconds": took, "peak_mb": peak, "harmful": fake.said["harmful"], "outcomes": outcomes, **seen}


def theirs(kind, subjects, log):
    with Fake(kind.kind, subjects) as fake:
        stage = {**STAGE, "regions": kind.regions, "endpoint": fake.said["endpoint"]}
        custodian = beside.Custodian(kind.function, stage, log, event=False)
        took = custodian.run(stage)
        custodian.end()
        seen = fake.seen()
        return {"subjects": subjects, "seconds": took["wall_ms"] / 1000, "harmful": fake.said["harmful"], **took, **seen}


def check(kind, runs):
    """What is promised of ours, as sentences where it does not hold."""
    for run in runs:
        what = f"{kind.function} over {run['subjects']} {kind.words}"
        if not run["right"] or run["lost"] or run["outcomes"]["contained"] != run["harmful"]:
            yield f"{what} contained {len(run['contained'])} of the {run['harmful']} planted ones, and changed {run['lost'][:3]} besides"
        services = Counter()
        for call, count in run["calls"].items():
            services[call.partition(":")[0]] += count
        for service, allowed in kind.formula(run["subjects"], run["harmful"], run.get("bare")).items():
            if allowed is not None and services[service] != allowed:
                yield f"{what} made {services[service]} calls of {service}, and SPECIFICATION.md says {allowed}"
        if run["seconds"] > kind.timeout_s / 2:
            yield f"{what} took {run['seconds']:.0f} of the {kind.timeout_s} seconds that it has"
        if run["refused"]:
            yield f"{what} made calls that the fake does not know: {run['refused']}"
    few, many = runs[-2:]
    if many["peak_mb"] > few["peak_mb"] + GROWTH_MB:
        yield f"{kind.function} needs {many['peak_mb']:.1f} MB for {many['subjects']} {kind.words} and {few['peak_mb']:.1f} MB for 100"


def cells(name, run):
    calls = sum(run["calls"].values())
    done = f"{len(run['contained'])} of {run['harmful']}"
    return f"| {name} | {run['seconds']:.1f} s | {calls:,} | {run['peak_mb']:.0f} MB | {done} |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=max(SIZES))
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--into", type=Path)
    arguments = parser.parse_args()
    beside.built(*(BINARIES / kind.function / "bootstrap" for kind in KINDS))
    beside.install()
    broken, memory, results = [], [], {}
    with beside.log() as log, tempfile.TemporaryFile("w+") as ours_log:
        for kind in KINDS:
            sizes = sorted({size for size in (*SIZES, kind.table) if size <= arguments.most})
            us, them = [], []
            for size in sizes:
                us.append(ours(kind, size, ours_log))
                print(kind.function, cells(size, us[-1]), file=sys.stderr)
                if size > kind.most:
                    continue
                them.append(theirs(kind, size, log))
                print("Custodian", cells(size, them[-1]), them[-1]["error"] or "", them[-1]["refused"] or "", file=sys.stderr)
            alike = [ours(kind, size, ours_log, harmful=1) for size in (sizes[min(1, len(sizes) - 1)], sizes[-1])]
            broken += check(kind, [*us, *alike])
            memory.append(f"{kind.function} {alike[0]['peak_mb']:.1f} to {alike[1]['peak_mb']:.1f} MB")
            results[kind.function] = {"ours": us, "custodian": them, "words": kind.words}
    lines = ["| | time | calls | memory | contained |", "| --- | --- | --- | --- | --- |"]
    for kind in KINDS:
        size = min(kind.table, arguments.most)
        for name, runs in ((f"**{kind.function}**, {size:,} {kind.words}", "ours"), ("Custodian", "custodian")):
            lines += (cells(name, run) for run in results[kind.function][runs] if run["subjects"] == size)
    lines += ["", f"Memory from 100 subjects to {sizes[-1]:,}, one of them harmful: {', '.join(memory)}."]
    beside.publish("sweep", lines, arguments.into)
    if arguments.plot:
        import plot

        arguments.plot.write_text(plot.growth(results, LATENCY_MS))
    if broken:
        raise SystemExit("\n".join(broken))


if __name__ == "__main__":
    main()
