"""A branch service that accepts calls and does not answer until it is told to."""

import contextlib
import resource
import selectors
import socket
import threading
from urllib.parse import parse_qs, urlsplit

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
REQUEST_BYTES_MAX = 65_536
POLL_S = 0.05


class DeadService:
    """Serves a free port of loopback in one thread, so that its counts are exact. A call runs from
    its arrival until the caller closes the connection or has the answer."""

    def __init__(self):
        _raise_file_limit()
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._running = set()
        self._alive = threading.Event()
        self._closed = threading.Event()
        self.gids = []  # of the calls, in the order of their arrival
        self.running_most = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        self._closed.set()
        self._thread.join()

    @property
    def target(self):
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def running(self):
        return len(self._running)

    def revive(self):
        self._alive.set()

    def forget(self):
        """Begins to count anew."""
        self.gids, self.running_most = [], 0

    def _serve(self):
        while not self._closed.is_set():
            for key, _ in self._selector.select(POLL_S):
                if key.fileobj is self._listener:
                    connection, _ = self._listener.accept()
                    self._selector.register(connection, selectors.EVENT_READ)
                else:
                    self._read(key.fileobj)
            if self._alive.is_set():
                for connection in list(self._running):
                    self._answer(connection)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()

    def _read(self, connection):
        try:
            request = connection.recv(REQUEST_BYTES_MAX)
        except OSError:
            request = b""
        if not request:
            self._drop(connection)
            return
        # Callers send little, and all of it at once, so this is a whole request.
        url = urlsplit(request.split(b" ", 2)[1].decode())
        self._drop_ended()
        self._running.add(connection)
        self.running_most = max(self.running_most, len(self._running))
        self.gids.append(parse_qs(url.query)["gid"][0])

    def _answer(self, connection):
        self._running.discard(connection)
        with contextlib.suppress(OSError):
            connection.sendall(ANSWER)

    def _drop_ended(self):
        """Takes note of callers that gave up before the call that has just arrived, although this
        is read later."""
        for connection in list(self._running):
            with contextlib.suppress(BlockingIOError):
                if not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                    self._drop(connection)

    def _drop(self, connection):
        # Only once: an event of this round may name the connection, too.
        self._running.discard(connection)
        if connection.fileno() >= 0:
            self._selector.unregister(connection)
            connection.close()


def _raise_file_limit():
    """Raises the limit of descriptors: each unanswered call holds a connection, and a process
    inherits a low limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
