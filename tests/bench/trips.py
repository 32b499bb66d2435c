"""Measures the way from the event to containment: each function in its model scenario, and Cloud Custodian on the same stage.

scripts/bench trips [--runs N] [--into FILE]     default: 5 runs of each at 0, 20 and 100 ms of latency a call

--into writes the table into a document, such as docs/performance.md, too.

Both have the same simulated account, behind the same proxy, which counts the calls and adds the latency to each. Ends with an
error if a function does not contain, if it needs more round trips than its scenario allows, or if latency costs it more than
those round trips.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
import beside

PROJECT = beside.PROJECT
DRILL = beside.TARGET / "debug/drill"
LATENCIES = (0, 20, 100)
# Two more than the round trips, for connections that are opened and for a machine that is busy.
SPARE = 2
# Beside the models: where an answer that is too coarse shows. Custodian is run on these once, only to look at the account.
COARSE = ("revoke-open-ingress/range-keeps-its-other-ports", "revoke-open-ingress/ssh-opened-in-halves")
# Custodian has no mode for it but the scheduled run.
SCHEDULED = ("disable-old-keys",)


def models():
    """The model scenario of each function, as `function/name`, with the most round trips that it allows."""
    for file in sorted((PROJECT / "tests/scenarios").glob("*/*.json")):
        scenario = json.loads(file.read_text())
        if isinstance(scenario, dict) and scenario.get("model"):
            yield scenario["function"], f"{scenario['function']}/{file.stem}", scenario["expect"]["max_round_trips"]


def ours(scenario, latency):
    """One play of the drill."""
    with tempfile.NamedTemporaryFile(suffix=".html") as page:
        command = [DRILL, "--scenario", scenario, "--json", "--latency", str(latency), "--page", page.name]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    played = json.loads(done.stdout)[0]
    if not played["passed"]:
        raise SystemExit(f"{scenario} at {latency} ms did not end as it must: {'; '.join(played['failures'])}")
    return played


def theirs(function, scenario, latency, runs, log):
    """Custodian on the stage of the scenario: a first event in a new process, and so many more in the warm one."""
    command = [DRILL, "--scenario", scenario, "--hand-over", "--latency", str(latency)]
    drill = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    custodian, played = None, []
    try:
        while len(played) <= runs:
            stage = heard(drill)
            custodian = custodian or beside.Custodian(function, stage, log, event=function not in SCHEDULED)
            say(drill)
            heard(drill)
            took = custodian.run(stage)
            say(drill)
            played.append({**heard(drill), **took, "start_ms": custodian.start_ms})
        return played
    finally:
        if custodian:
            custodian.end()
        drill.stdin.close()
        # It has set the next stage meanwhile.
        drill.stdout.read()
        drill.wait()


def say(process):
    process.stdin.write("\n")
    process.stdin.flush()


def heard(process):
    line = process.stdout.readline()
    if not line:
        raise SystemExit("The drill ended; what it said stands above.")
    return json.loads(line)


def middle(runs, key):
    known = [run[key] for run in runs if run[key] is not None]
    return statistics.median(known) if known else None


def written(ms):
    return "not contained" if ms is None else f"{ms:.0f} ms"


def row(name, runs, cold):
    counts = [f"{middle(runs[LATENCIES[0]], key) or 0:.0f}" for key in ("round_trips", "contained_calls", "total_calls")]
    times = [written(middle(runs[latency], "contained_ms")) for latency in LATENCIES]
    return f"| {name} | {' | '.join(counts)} | {' | '.join(times)} | {cold} |"


def check(function, most, runs):
    """What is promised of ours, as sentences where it does not hold."""
    for latency, played in runs.items():
        trips = max(run["round_trips"] for run in played)
        if trips > most:
            yield f"{function} needed {trips} round trips, and its scenario allows {most}"
        took = middle(played, "contained_ms")
        if latency and took > middle(runs[0], "contained_ms") + (trips + SPARE) * latency:
            yield f"{function} took {took:.0f} ms at {latency} ms a call for {trips} round trips"


def brief(sentence):
    """What was found and what was wanted, without where in the answer that is."""
    call, _, rest = sentence.partition(" at ")
    found = rest.rfind(" is ")
    return f"`{call}` says {rest[found + 4:]}" if found > 0 else sentence


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--into", type=Path)
    arguments = parser.parse_args()
    beside.built(DRILL)
    beside.install()
    broken, table, every = [], [], {}
    with beside.log() as log:
        for function, scenario, most in models():
            us = {latency: [ours(scenario, latency) for _ in range(arguments.runs)] for latency in LATENCIES}
            broken += check(function, most, us)
            them = {latency: theirs(function, scenario, latency, arguments.runs, log) for latency in LATENCIES}
            every[function] = [run for runs in them.values() for run in runs]
            first = [runs[0] for runs in them.values()][1]
            cold = written(first["contained_ms"] and first["start_ms"] + first["contained_ms"])
            warm = {latency: runs[1:] for latency, runs in them.items()}
            table.append(row(f"**{function}**", us, "included"))
            table.append(row("Custodian", warm, cold))
            print(*table[-2:], sep="\n", file=sys.stderr)
        for scenario in COARSE:
            ours(scenario, 0)
            every[scenario] = theirs(scenario.split("/")[0], scenario, 0, 0, log)
    heads = ["", "round trips", "calls until then", "calls in all", *(f"{latency} ms a call" for latency in LATENCIES)]
    heads.append(f"first event of a process, {LATENCIES[1]} ms")
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}", *table, ""]
    lines.append(f"Medians of {arguments.runs}. Where the account is not as the scenario wants it after Custodian's run, but for the journal:")
    lines.append("")
    for name, runs in every.items():
        said = {one for run in runs for one in [*run["failures"], run["error"]] if one and "dynamodb.scan" not in one}
        lines += (f"- {name}: {brief(sentence)}" for sentence in sorted(said))
    beside.publish("trips", lines, arguments.into)
    if broken:
        raise SystemExit("; ".join(broken))


if __name__ == "__main__":
    main()
