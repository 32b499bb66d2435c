"""Lambda's side of a function: the Runtime API, a process, and the share of a processor that 128 MB of memory have."""

import asyncio
import json
import os
import re
import subprocess
import time
import uuid
from pathlib import Path

from . import http as wire

# A function has 1,769 MB for each whole processor.
SHARE, PERIOD = 128 / 1769, 20_000
PATIENCE = 60


class Failed(Exception):
    """The function did not do what was to be measured."""


class Host:
    """The Runtime API for one process at a time."""

    async def start(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.address = "127.0.0.1:%d" % server.sockets[0].getsockname()[1]
        self.expect()

    def expect(self):
        self.asked, self.answered = asyncio.Event(), asyncio.Queue()
        self.events = asyncio.Queue()

    async def serve(self, reader, writer):
        while request := await wire.read(reader, writer):
            method, path, _, body = request
            if path.endswith("/invocation/next"):
                self.asked.set()
                event = await self.events.get()
                if event is None:
                    break
                headers = [
                    ("lambda-runtime-aws-request-id", str(uuid.uuid4())),
                    ("lambda-runtime-deadline-ms", int((time.time() + PATIENCE) * 1000)),
                    ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:111122223333:function:bench"),
                    ("lambda-runtime-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0"),
                    ("content-type", "application/json"),
                ]
                writer.write(wire.response(200, headers, event))
            else:
                self.answered.put_nowait((path.rsplit("/", 1)[-1], body, time.monotonic()))
                writer.write(wire.response(202))
        writer.close()


class Process:
    """A function's process: started, asked, measured, ended."""

    def __init__(self, host, command, environment, log, folder):
        host.expect()
        self.host, self.log = host, log
        environment = {**environment, "AWS_LAMBDA_RUNTIME_API": host.address}
        self.begun = time.monotonic()
        with open(log, "wb") as output:
            self.child = subprocess.Popen(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        # The clock of a process as the kernel counts it; see clock_getcpuclockid(3).
        self.clock = (~self.child.pid << 3) | 2

    def cpu(self):
        """Milliseconds of processor time so far, of all threads."""
        return time.clock_gettime(self.clock) * 1e3

    async def ready(self):
        """Waits until the process asks for an event."""
        try:
            await asyncio.wait_for(self.host.asked.wait(), PATIENCE)
        except TimeoutError:
            raise Failed(f"does not ask for an event: {self.tail()}") from None
        self.host.asked.clear()

    async def invoke(self, event):
        """Delivers an event; returns the answer and the moments of both."""
        begun = time.monotonic()
        self.host.events.put_nowait(event)
        try:
            kind, body, ended = await asyncio.wait_for(self.host.answered.get(), PATIENCE)
        except TimeoutError:
            raise Failed(f"does not answer: {self.tail()}") from None
        if kind != "response":
            raise Failed(f"answers with an error: {body.decode()[:2000]}")
        return json.loads(body), begun, ended

    def memory(self):
        """Megabytes at most so far. Not `ru_maxrss`, which knows the moment before `exec` too."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1000

    def tail(self):
        return Path(self.log).read_text(errors="replace")[-2000:]

    def end(self):
        self.host.events.put_nowait(None)
        self.child.kill()
        self.child.wait()


class Share:
    """The processor share of 128 MB of memory, by a cgroup for each process; `missing` says why there is none.

    A cgroup of its own, because one that has used more than its quota leaves the debt to whoever comes next.
    """

    def __init__(self):
        self.folder, self.missing = None, None
        quota = int(SHARE * PERIOD)
        try:
            for line in Path("/proc/mounts").read_text().splitlines():
                _, mount, kind, options, *_ = line.split()
                if kind == "cgroup" and "cpu" in options.split(","):
                    self.limits = {"cpu.cfs_period_us": PERIOD, "cpu.cfs_quota_us": quota}
                elif kind == "cgroup2" and "cpu" in (Path(mount) / "cgroup.controllers").read_text().split():
                    self.limits = {"cpu.max": f"{quota} {PERIOD}"}
                else:
                    continue
                self.mount = Path(mount)
                self.make()
                return
            self.missing = "no cgroup has the controller cpu"
        except OSError as error:
            self.missing = f"no cgroup can be made here, which needs root: {error}"

    def make(self):
        self.end()
        folder = self.mount / f"tourniquet-bench-{os.getpid()}"
        folder.mkdir()
        self.folder = folder
        for name, value in self.limits.items():
            (folder / name).write_text(str(value))

    def hold(self, process):
        """Before it, the process that was held has ended."""
        self.make()
        (self.folder / "cgroup.procs").write_text(str(process.child.pid))

    def end(self):
        if self.folder:
            self.folder.rmdir()
            self.folder = None
