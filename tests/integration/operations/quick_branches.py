"""A service that takes thousands of calls in a second, and only notes which transactions called."""

import asyncio
import re
import threading
from urllib.parse import unquote_to_bytes

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{"dtm_result":"SUCCESS"}\n'
GID = re.compile(rb"[?&]gid=([^& ]*)")
LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
HEAD_END = b"\r\n\r\n"


class QuickBranches:
    """Answers every call with success."""

    def __init__(self):
        self.gids = set()
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(self._loop.create_server(
            lambda: _Connection(self.gids), "127.0.0.1", 0, backlog=1024))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def url(self, name):
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/{name}"

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()
        self._loop.close()


class _Connection(asyncio.Protocol):
    def __init__(self, gids):
        self._gids = gids
        self._received = bytearray()
        self._transport = None

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        self._received += data
        while (end := self._received.find(HEAD_END)) >= 0:
            head = bytes(self._received[:end])
            length = LENGTH.search(head)
            whole = end + len(HEAD_END) + (int(length[1]) if length else 0)
            if len(self._received) < whole:
                return
            del self._received[:whole]
            self._gids.add(unquote_to_bytes(GID.search(head)[1]).decode())
            self._transport.write(ANSWER)
