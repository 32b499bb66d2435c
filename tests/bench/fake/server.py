"""HTTP/1.1 with kept connections: names each call by its signature, asks its service, and answers after the latency."""

import asyncio
import json
import re
from collections import Counter
from urllib.parse import parse_qs, unquote, urlsplit

SCOPE = re.compile(rb"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")


class Refused(Exception):
    """What a service answers to a call that it does not grant."""

    def __init__(self, status, code, message=""):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message or code


class Call:
    """One request, as services look at it."""

    def __init__(self, method, target, headers, body):
        scope = SCOPE.search(headers.get(b"authorization", b""))
        self.region, self.service = (part.decode() for part in scope.groups()) if scope else ("", "")
        split = urlsplit(target)
        self.method, self.path, self.body = method, unquote(split.path), body
        self.query = {key: values[0] for key, values in parse_qs(split.query, keep_blank_values=True).items()}
        self.target = headers.get(b"x-amz-target", b"").decode().rpartition(".")[2]
        form = headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded")
        self.form = {key: values[0] for key, values in parse_qs(body.decode()).items()} if form else {}

    def json(self):
        return json.loads(self.body)

    def listed(self, prefix):
        """The values of a list of the query protocol: `prefix.1`, `prefix.2` …"""
        found, number = [], 1
        while (value := self.form.get(f"{prefix}.{number}")) is not None:
            found.append(value)
            number += 1
        return found


class Server:
    def __init__(self, services, latency):
        self.services, self.latency = services, latency
        self.calls, self.refused = Counter(), Counter()

    async def start(self):
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(lambda: Connection(self, loop), "127.0.0.1", 0, backlog=512)
        return listener.sockets[0].getsockname()[1]

    def answer(self, call):
        """Status, type and body."""
        service = self.services.get(call.service)
        name, kind = call.service, "text/xml"
        try:
            if service is None:
                raise Refused(400, "NotSimulated", f"{call.service} is not simulated here")
            kind = service.TYPE
            name = f"{call.service}:{service.name(call)}"
            body = service.answer(call)
            status = 200
        except Refused as refused:
            status = refused.status
            body = service.error(refused) if service else f"<Error><Code>{refused.code}</Code></Error>"
            if refused.code == "NotSimulated":
                self.refused[f"{name} {call.method} {call.path} {sorted(call.query)}"] += 1
        self.calls[name] += 1
        return status, kind, body.encode()


class Connection(asyncio.Protocol):
    def __init__(self, server, loop):
        self.server, self.loop, self.buffer, self.transport = server, loop, b"", None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            lines = self.buffer[:end].split(b"\r\n")
            headers = dict(line.lower().split(b":", 1)[:1] + [line.split(b":", 1)[1].strip()] for line in lines[1:])
            length = int(headers.get(b"content-length", 0))
            if len(self.buffer) < end + 4 + length:
                return
            body, self.buffer = self.buffer[end + 4 : end + 4 + length], self.buffer[end + 4 + length :]
            method, target, _ = lines[0].decode().split(" ")
            # Connections that a client only opens for later carry no signature.
            if b"authorization" not in headers:
                self.write(404, "text/plain", b"")
                continue
            self.loop.call_later(self.server.latency, self.later, Call(method, target, headers, body))

    def later(self, call):
        self.write(*self.server.answer(call))

    def write(self, status, kind, body):
        if not self.transport.is_closing():
            head = f"HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
            self.transport.write(head.encode() + body)
