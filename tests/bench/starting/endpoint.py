"""AWS as one process sees it: a TLS server with a port for each service, so that each has connections of its own.

While it records it hands every request on to the simulated account. Afterwards it answers from what it has seen, so that it
costs the same in every run: an identical request with its own answer, another of the same operation with the next one.
"""

import asyncio
import http.client
import re
import ssl
import time
from dataclasses import dataclass, field

from . import http as wire

# By the names that AWS's SDKs read from the environment; both kinds of load balancers have one host.
SERVICES = {
    "AUTO_SCALING": "autoscaling",
    "CLOUDTRAIL": "cloudtrail",
    "DYNAMODB": "dynamodb",
    "EC2": "ec2",
    "ELASTIC_LOAD_BALANCING": "elasticloadbalancing",
    "ELASTIC_LOAD_BALANCING_V2": "elasticloadbalancing",
    "IAM": "iam",
    "KMS": "kms",
    "S3": "s3",
    "SNS": "sns",
    "STS": "sts",
}
# What has no variable of its own: S3 Control.
OTHER = "s3-control"
HOP = {"connection", "content-length", "transfer-encoding", "date", "server", "keep-alive"}


@dataclass
class Exchange:
    operation: str
    body: bytes
    answer: bytes
    status: int


@dataclass
class Seen:
    operation: str
    signed: bool
    status: int
    begun: float
    ended: float
    cpu: float


@dataclass
class Endpoint:
    ports: dict = field(default_factory=dict)
    upstream: tuple = None
    recording: list = field(default_factory=list)
    left: list = field(default_factory=list)
    seen: list = field(default_factory=list)
    connections: int = 0
    unknown: list = field(default_factory=list)
    open: set = field(default_factory=set)
    # The processor time of the process that calls, so far.
    clock: callable = float

    async def start(self, certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(certificate)
        for service in sorted({*SERVICES.values(), OTHER}):

            async def serve(reader, writer, service=service):
                await self.serve(service, reader, writer)

            server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
            self.ports[service] = server.sockets[0].getsockname()[1]

    def environment(self):
        """What tells an SDK where each service is."""
        urls = {f"AWS_ENDPOINT_URL_{name}": self.url(service) for name, service in SERVICES.items()}
        return {**urls, "AWS_ENDPOINT_URL": self.url(OTHER)}

    def url(self, service):
        # By its number nothing is put in front of the host, neither a bucket nor an account.
        host = "127.0.0.1" if service in ("s3", OTHER) else "localhost"
        return f"https://{host}:{self.ports[service]}"

    def record(self, upstream):
        self.upstream, self.recording = upstream, []
        self.fresh()

    def replay(self, recording):
        self.upstream, self.recording = None, recording
        self.fresh()

    def fresh(self):
        """Forgets what was seen, and answers from the beginning again."""
        self.left, self.seen, self.unknown, self.connections = list(self.recording), [], [], 0

    async def serve(self, service, reader, writer):
        self.connections += 1
        self.open.add(writer)
        writer.get_extra_info("socket").setsockopt(6, 1, 1)
        while request := await wire.read(reader, writer):
            begun, cpu = time.monotonic(), self.clock()
            method, path, headers, body = request
            operation = name(service, method, path, headers, body)
            if self.upstream:
                answer = await asyncio.to_thread(forward, self.upstream, request)
                self.recording.append(Exchange(operation, body, *answer))
                answer, status = answer
            else:
                answer, status = self.answer(operation, body)
            writer.write(answer)
            self.seen.append(Seen(operation, "authorization" in headers, status, begun, time.monotonic(), cpu))
        self.open.discard(writer)
        writer.close()

    async def hang_up(self):
        """Ends the connections of a process that is no more."""
        for writer in self.open:
            writer.transport.abort()
        while self.open:
            await asyncio.sleep(0.001)

    def answer(self, operation, body):
        of = [one for one in self.left if one.operation == operation]
        same = [one for one in of if one.body == body]
        if not of:
            self.unknown.append(operation)
            return wire.response(400), 400
        chosen = (same or of)[0]
        self.left.remove(chosen)
        return chosen.answer, chosen.status


def name(service, method, path, headers, body):
    """Service and operation, for what has one; of the REST services the method and the path."""
    if scope := re.search(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/", headers.get("authorization", "")):
        service = scope[1]
    else:
        service = f"unsigned {service}"
    if target := headers.get("x-amz-target"):
        return f"{service}:{target.rsplit('.', 1)[-1]}"
    if action := re.search(rb"(?:^|&)Action=(\w+)", body):
        return f"{service}:{action[1].decode()}"
    return f"{service}:{method} {re.sub(r'[?&]x-id=[A-Za-z]+', '', path)}"


def forward(upstream, request):
    method, path, headers, body = request
    connection = http.client.HTTPConnection(*upstream)
    kept = {name: value for name, value in headers.items() if name not in HOP and name != "expect"}
    connection.request(method, path, body, kept)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return wire.response(answer.status, [h for h in answer.getheaders() if h[0].lower() not in HOP], content), answer.status
