#!/usr/bin/env python3
"""Measures what a cold start and the first remediation cost: each function, beside an empty one, the same containment as one bare
SDK call in Rust, and as a playbook in Python, one after the other in each round. Ends with an error if a budget is broken.

TOURNIQUET_BIN_DIR   the folder with <function>/bootstrap and the references; default: they are built first
"""

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import beside
from starting import certificates, programs, table
from starting.endpoint import Endpoint
from starting.host import Failed, Host, Process, Share

PROJECT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ["CARGO_TARGET_DIR"])


def prepare():
    """Builds what is measured, and the Python of the playbooks."""
    functions = os.environ.get("TOURNIQUET_BIN_DIR")
    if not functions:
        functions = TARGET / "lambda"
        build = f'source "{PROJECT}/scripts/tools"; build_functions "{functions}" "$(uname -m)-unknown-linux-gnu" bench-reference'
        subprocess.run(["bash", "-euo", "pipefail", "-c", build], check=True)
    subprocess.run(["cargo", "build", "--quiet", "--manifest-path", PROJECT / "Cargo.toml", "--package", "drill"], check=True)
    folder = TARGET / "bench/start"
    wanted, environment = PROJECT / "tests/bench/playbooks/requirements.txt", Path(os.environ["TOURNIQUET_TOOLS"]) / "bench"
    made = environment / "requirements.txt"
    if not made.exists() or made.read_text() != wanted.read_text():
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        install = ["pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--compile", "-r", wanted]
        subprocess.run([environment / "bin/python", "-m", *install], check=True)
        shutil.copy(wanted, made)
    shutil.rmtree(folder, ignore_errors=True)
    # A copy: Python leaves its compiled files beside the sources.
    playbooks = shutil.copytree(PROJECT / "tests/bench/playbooks", folder / "playbooks")
    certificate, roots = certificates.make(folder)
    return SimpleNamespace(
        functions=Path(functions),
        python=environment / "bin/python",
        playbooks=playbooks,
        folder=folder,
        certificate=certificate,
        roots=roots,
        drill=TARGET / "debug/drill",
    )


async def run(program, host, endpoint, places, share=None, warm=0):
    """Starts a program, has it remediate, and measures: unthrottled, or from the event on with a share of a processor."""
    log = places.folder / f"{program.function}-{program.kind.replace(' ', '-')}.log"
    endpoint.fresh()
    process = Process(host, program.command, program.environment, log, program.folder)
    endpoint.clock = process.cpu
    try:
        await process.ready()
        seen = SimpleNamespace(init_ms=1e3 * (asyncio.get_running_loop().time() - process.begun))
        seen.init_cpu, unsigned, opened = process.cpu(), len(endpoint.seen), endpoint.connections
        if share:
            share.hold(process)
        endpoint.fresh()
        answer, begun, ended = await process.invoke(program.event)
        await process.ready()
        seen.cpu, seen.first_ms = process.cpu(), 1e3 * (ended - begun)
        seen.unsigned, seen.calls, seen.connections = unsigned, len(endpoint.seen), opened + endpoint.connections
        contain(program, answer, endpoint, begun, seen)
        seen.warm_ms, seen.warm_cpu = [], []
        for _ in range(warm):
            endpoint.fresh()
            before = process.cpu()
            answer, begun, ended = await process.invoke(program.event)
            await process.ready()
            contain(program, answer, endpoint, begun, SimpleNamespace())
            seen.warm_ms.append(1e3 * (ended - begun))
            seen.warm_cpu.append(process.cpu() - before)
        seen.memory = process.memory()
        return seen
    except Failed as error:
        raise SystemExit(f"{program.function} ({program.kind}) {error}") from None
    finally:
        endpoint.clock = float
        process.end()
        await endpoint.hang_up()


def contain(program, answer, endpoint, begun, seen):
    """A measurement of something that did not contain is none."""
    if not program.function:
        seen.contained_ms = seen.above_ms = seen.contained_cpu = None
        return
    if endpoint.unknown:
        raise Failed(f"asked what it had not asked before: {', '.join(endpoint.unknown)}")
    if program.kind != "bare call":
        outcomes = [one["outcome"] for one in (answer or {}).get("outcomes", [])]
        if outcomes != ["contained"]:
            raise Failed(f"ends as {outcomes}: {answer}")
    by = [call for call in endpoint.seen if program.contains(call.operation) and call.signed and call.status < 300]
    if not by:
        raise Failed("has not called what contains")
    seen.contained_ms = 1e3 * (by[0].ended - begun)
    seen.contained_cpu = by[0].cpu
    seen.above_ms = seen.contained_ms - 1e3 * waiting(endpoint.seen, begun, by[0].ended)


def waiting(calls, begun, ended):
    """Seconds between two moments in which the endpoint had a request to answer."""
    total, until = 0.0, begun
    for call in sorted(calls, key=lambda call: call.begun):
        total += max(0.0, min(call.ended, ended) - max(call.begun, until))
        until = max(until, min(call.ended, ended))
    return total


async def measure(arguments, places):
    """All rounds; in each every program once unthrottled and once with the share of 128 MB."""
    endpoint, host, share = Endpoint(), Host(), Share()
    stages = programs.Stages(places.drill, places.functions)
    try:
        await endpoint.start(places.certificate)
        await host.start()
        if share.missing:
            print(f"LEFT OUT: every figure at 128 MB, because {share.missing}.", file=sys.stderr)
        chosen = [programs.empty(places)]
        for function in arguments.function or programs.CONTAINED:
            for kind in programs.KINDS:
                stage = stages.set(function)
                program = programs.program(function, kind, stage, places, endpoint)
                address = stage["endpoint"].removeprefix("http://").split(":")
                endpoint.record((address[0], int(address[1])))
                await run(program, host, endpoint, places)
                program.recording = endpoint.recording
                chosen.append(program)
        seen = {(one.function, one.kind): ([], []) for one in chosen}
        for number in range(arguments.rounds + 1):
            for program in chosen:
                endpoint.replay(program.recording)
                free = await run(program, host, endpoint, places, warm=arguments.warm)
                held = None if share.missing else await run(program, host, endpoint, places, share)
                # The first round fills the page cache.
                if number:
                    seen[program.function, program.kind][0].append(free)
                    seen[program.function, program.kind][1].append(held)
            print(f"round {number} of {arguments.rounds}", file=sys.stderr)
        return seen
    finally:
        share.end()
        stages.end()


def sizes(places, chosen):
    """Bytes of each binary and of its zip."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for function, kind in chosen:
            name = {"function": function, "bare call": f"bare-{function}", "empty function": "empty"}.get(kind)
            if name:
                binary, packed = places.functions / name / "bootstrap", Path(folder) / "bootstrap.zip"
                subprocess.run([sys.executable, PROJECT / "scripts/zip.py", binary, packed], check=True)
                found[function, kind] = binary.stat().st_size, packed.stat().st_size
    return found


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench start", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="how often each is measured; default 15")
    parser.add_argument("--warm", type=int, default=5, metavar="N", help="remediations after the first; default 5")
    parser.add_argument("--function", action="append", choices=programs.CONTAINED, help="measure this one only; may be given again")
    parser.add_argument("--into", type=Path, metavar="FILE", help="write the tables into a document, such as docs/performance.md, too")
    arguments = parser.parse_args()
    if min(arguments.rounds, arguments.warm) < 1:
        parser.error("rounds and warm are at least 1")
    places = prepare()
    # Ended from outside it still takes its cgroup and its processes with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    seen = asyncio.run(measure(arguments, places))
    beside.publish("start", table.lines(seen, sizes(places, seen), arguments.rounds), arguments.into)
    broken = table.broken(seen)
    for sentence in broken:
        print(sentence, file=sys.stderr)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
