"""The tables of a run, in Markdown, and the budgets."""

import os
import platform
from statistics import median

# What SPECIFICATION.md promises.
PART_OF_PYTHON = 20
# Milliseconds until containment that are not the endpoint's. A bucket's host is known with the event only, and a sweep reads before
# it knows of a subject.
CONTAINED_MS = {"block-public-bucket": 60, "disable-old-keys": 40}
OTHERS_MS = 10
# Pages of the binary are four fifths of it, and of the five stop-instance talks to the most services.
MEMORY_MB = {"stop-instance": 11}
OTHERS_MB = 10

TIME = ("function", "built as", "start, ms", "contained at 128 MB, ms", "of it not the endpoint's", "answered at 128 MB, ms", "warm, ms")
COST = ("function", "built as", "CPU start, ms", "CPU until contained, ms", "CPU start and first, ms", "CPU warm, ms", "memory, MB", "binary, MB", "zip, MB", "calls", "connections")


def spread(values, digits=1):
    """Median and range, or nothing where there is nothing to measure."""
    values = [value for value in values if value is not None]
    if not values:
        return "–"
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def lines(seen, sizes, rounds):
    """Two tables, of time and of cost."""
    cores = len(os.sched_getaffinity(0))
    yield f"{cores} cores, {platform.machine()}, n = {rounds}, median (least–most):"
    yield from rows(TIME, ((function, kind, *time(*runs)) for (function, kind), runs in seen.items()))
    yield from rows(COST, ((function, kind, *cost(runs[0], sizes.get((function, kind)))) for (function, kind), runs in seen.items()))


def rows(head, lines):
    yield from ("", f"| {' | '.join(head)} |", "| --- | --- |" + " ---: |" * (len(head) - 2))
    yield from (f"| {' | '.join(line)} |" for line in lines)


def time(free, held):
    at = [one for one in held if one]
    return (
        spread([one.init_ms for one in free]),
        spread([one.contained_ms for one in at]),
        spread([one.above_ms for one in at]),
        spread([one.first_ms for one in at]),
        spread([median(one.warm_ms) for one in free]),
    )


def cost(free, size):
    last = free[-1]
    return (
        spread([one.init_cpu for one in free]),
        spread([one.contained_cpu and one.contained_cpu - one.init_cpu for one in free]),
        spread([one.cpu for one in free]),
        spread([median(one.warm_cpu) for one in free]),
        spread([one.memory for one in free]),
        *(f"{part / 1e6:.2f}" if size else "–" for part in size or (0, 0)),
        f"{last.calls}" + (f" + {last.unsigned}" if last.unsigned else ""),
        f"{last.connections}",
    )


def broken(seen):
    """A sentence for each budget that is broken."""
    sentences = []

    def check(function, what, value, most):
        if value > most:
            sentences.append(f"{function}: {what} {value:.2f}, promised at most {most:.2f}.")

    for function in dict.fromkeys(function for function, kind in seen if function):
        free, held = seen[function, "function"]
        cpu = {kind: median(one.cpu for one in seen[function, kind][0]) for kind in ("function", "Python")}
        alone = bare(seen[function, "bare call"][0], free[-1])
        check(function, "milliseconds of CPU for a start and the first remediation", cpu["function"], alone)
        check(function, "CPU as a part of Python's", cpu["function"] / cpu["Python"], 1 / PART_OF_PYTHON)
        above = [one.above_ms for one in held if one]
        if above:
            check(function, "milliseconds to containment at 128 MB", median(above), CONTAINED_MS.get(function, OTHERS_MS))
        check(function, "megabytes of memory", median(one.memory for one in free), MEMORY_MB.get(function, OTHERS_MB))
    return sentences


def bare(runs, of):
    """Milliseconds of CPU that a function's calls would take as bare calls: the start, the first call of each connection, the others."""
    start, first = median(one.init_cpu for one in runs), median(one.cpu for one in runs)
    return start + of.connections * (first - start) + (of.calls + of.unsigned - of.connections) * median(median(one.warm_cpu) for one in runs)
