#!/usr/bin/env python3
"""Measures what each decision about the build buys: the bare call of disable-old-keys, built as what ships and with one thing changed.

scripts/bench variants [--rounds N] [--into FILE]     default: 15 rounds, in each of which every variant runs once

--into writes the table into a document, such as docs/performance.md, too. The first run builds IAM's SDK once for each profile.
"""

import argparse
import asyncio
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from types import SimpleNamespace

sys.dont_write_bytecode = True
import beside
import start
from starting import certificates, http, programs, table
from starting.endpoint import Endpoint, Exchange
from starting.host import Host, Share
from starting.variants import FOLDER, PROGRAM, READS, VARIANTS, build_all

SYSTEM_ROOTS = Path("/etc/ssl/certs/ca-certificates.crt")
DONE = b"""<UpdateAccessKeyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
<ResponseMetadata><RequestId>bench</RequestId></ResponseMetadata></UpdateAccessKeyResponse>"""


async def measure(rounds):
    """In each round every variant once unthrottled and once with the share of 128 MB."""
    certificate, five = certificates.make(FOLDER)
    roots = {"roots": five, "system": FOLDER / "system.pem"}
    roots["system"].write_bytes(five.read_bytes() + SYSTEM_ROOTS.read_bytes())
    endpoint, host, share = Endpoint(), Host(), Share()
    places = SimpleNamespace(folder=FOLDER)
    answer = http.response(200, [("content-type", "text/xml")], DONE)
    try:
        await endpoint.start(certificate)
        await host.start()
        if share.missing:
            print(f"LEFT OUT: every figure at 128 MB, because {share.missing}.", file=sys.stderr)
        endpoint.replay([Exchange("iam:UpdateAccessKey", b"", answer, 200)])
        for number in range(rounds + 1):
            for variant in VARIANTS:
                environment = {
                    "AWS_LAMBDA_FUNCTION_NAME": "bench", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_FUNCTION_VERSION": "1",
                    "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIDBENCH", "AWS_SECRET_ACCESS_KEY": "simulated",
                    "AWS_ENDPOINT_URL": endpoint.url("iam"), "SSL_CERT_FILE": str(roots[variant.roots]),
                    "USER_NAME": "user", "KEY_ID": "AKIAIOSFODNN7EXAMPLE",
                }
                program = programs.Program(PROGRAM, "bare call", [variant.binary()], environment, b"{}")
                free = await start.run(program, host, endpoint, places)
                held = None if share.missing else await start.run(program, host, endpoint, places, share)
                # The first round fills the page cache.
                if number:
                    variant.runs.append(free)
                    variant.at_128.append(held)
    finally:
        share.end()


def row(variant, folder):
    packed = Path(folder) / "bootstrap.zip"
    subprocess.run([sys.executable, beside.PROJECT / "scripts/zip.py", variant.binary(), packed], check=True)
    figures = [
        f"{median(run.init_cpu for run in variant.runs):.2f}",
        table.spread([run.cpu for run in variant.runs], 2),
        table.spread([run and run.first_ms for run in variant.at_128]),
        f"{median(run.memory for run in variant.runs):.1f}",
        *(f"{file.stat().st_size / 1e6:.2f}" for file in (variant.binary(), packed)),
    ]
    return f"| {variant.name} | {' | '.join(figures)} |"


def json_line():
    event = max((beside.PROJECT / "crates").glob("*/fixtures/match/*.json"), key=lambda file: file.stat().st_size)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([FOLDER / "built/json", event], check=True)
    micros = (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before) / READS * 1e6
    return f"`serde_json` reads the largest event of the fixtures ({event.stat().st_size:,} bytes) in {micros:.0f} µs of CPU."


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench variants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, metavar="N")
    parser.add_argument("--into", type=Path)
    arguments = parser.parse_args()
    build_all()
    asyncio.run(measure(arguments.rounds))
    heads = ("", "CPU start, ms", "CPU start and first call, ms", "first call at 128 MB, ms", "memory, MB", "binary, MB", "zip, MB")
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    with tempfile.TemporaryDirectory() as folder:
        lines += (row(variant, folder) for variant in VARIANTS)
    lines += ["", f"Medians of {arguments.rounds} (least–most). {json_line()}"]
    beside.publish("variants", lines, arguments.into)


if __name__ == "__main__":
    main()
