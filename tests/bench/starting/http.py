"""The little of HTTP/1.1 that the endpoint and the Runtime API need."""


async def read(reader, writer):
    """The next request as (method, path, headers, body); None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (EOFError, OSError):
        return None
    first, *lines = head[:-4].split(b"\r\n")
    method, path, _ = first.decode().split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(b":")
        headers[name.decode().lower()] = value.decode().strip()
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await chunked(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return method, path, headers, body


async def chunked(reader):
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    while (await reader.readline()).strip():
        pass
    return body


def response(status, headers=(), body=b""):
    lines = [f"HTTP/1.1 {status} -"] + [f"{name}: {value}" for name, value in headers]
    lines.append(f"content-length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
