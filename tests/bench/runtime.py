"""A Runtime API for one invocation: gives a shipped function its event, its deadline and what Lambda puts into its environment."""

import json
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Host(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, event, timeout_s):
        super().__init__(("127.0.0.1", 0), Handler)
        self.event, self.timeout_s = json.dumps(event).encode(), timeout_s
        self.answered = threading.Event()
        self.begun = self.took = self.answer = None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """The process is ended while it waits for a second event."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        host = self.server
        if host.begun is not None:
            # There is no second event: the process waits here until it is ended.
            host.answered.wait()
            time.sleep(3600)
        host.begun = time.monotonic()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + host.timeout_s) * 1000)))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:111122223333:function:bench")
        self.send_header("Content-Length", str(len(host.event)))
        self.end_headers()
        self.wfile.write(host.event)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        host = self.server
        host.took = time.monotonic() - (host.begun or time.monotonic())
        host.answer = {"path": self.path, "body": body}
        host.answered.set()

    def log_message(self, *_):
        pass


def invoke(binary, event, environment, timeout_s, log):
    """Seconds of the invocation, megabytes of memory at the most, and the answer; an error and a timeout end the bench."""
    host = Host(event, timeout_s)
    lambda_s = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{host.server_port}", "AWS_LAMBDA_FUNCTION_NAME": "bench",
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_LOG_GROUP_NAME": "bench", "AWS_LAMBDA_LOG_STREAM_NAME": "bench"}
    process = subprocess.Popen([binary], env={**lambda_s, **environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        if not host.answered.wait(timeout_s):
            raise SystemExit(f"{binary} did not answer within its timeout of {timeout_s} s.")
        peak = peak_mb(process.pid)
    finally:
        process.kill()
        process.wait()
        host.shutdown()
    body = host.answer["body"].decode()
    if not host.answer["path"].endswith("/response"):
        raise SystemExit(f"{binary} answered with an error: {body[:600]}")
    return host.took, peak, json.loads(body)


def peak_mb(process):
    """The most memory that a process had resident since its start."""
    with open(f"/proc/{process}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
