"""As much of HTTP/1.1 as both ends of these tests need: keep-alive and Content-Length, on asyncio.

One thread serves hundreds of slow requests at a time, which threads would not.
"""

import asyncio
import contextlib


async def read_message(reader):
    """First line, headers (names in lower case) and body; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return first, headers, body


class Connection:
    """A client's connection, for one request at a time. OSError or EOFError if it is lost."""

    def __init__(self, port):
        self._port = port
        self._writer = None
        self._reader = None

    async def __aenter__(self):
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_):
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def call(self, method, path, body=b""):
        """Status and body of the answer."""
        status, _, answer_body = await self.call_fully(method, path, body)
        return status, answer_body

    async def call_fully(self, method, path, body=b""):
        """Status, headers and body of the answer."""
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await read_message(self._reader)
        if answer is None:
            raise ConnectionResetError("the server closed the connection")
        first, headers, answer_body = answer
        return int(first.split(" ")[1]), headers, answer_body
