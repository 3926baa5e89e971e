"""Branches over HTTP, in the test's own process."""

import contextlib
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from .wait import wait_until

SUCCESS = (200, '{"dtm_result":"SUCCESS"}')
FAILURE = (409, "no money")
ONGOING = (425, "not yet")


@dataclass
class BranchCall:
    """One call that was received; `query` has gid, branch_id, op and trans_type."""

    method: str
    name: str
    query: dict
    headers: dict
    body: bytes

    def __str__(self):
        return f"{self.query.get('op')} {self.query.get('branch_id')} {self.name}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # Simultaneous new connections; one more has to wait a second.

    def handle_error(self, request, client_address):
        """Prints nothing about a connection that its client has broken off."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class BranchServer:
    """Answers `/name` by the script for that name, or with success if there is no script."""

    def __init__(self):
        self._lock = threading.Lock()
        self._calls = []
        self._scripts = {}
        self._gates = {}
        self._server = _Server(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        for gate in self._gates.values():
            gate.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, name):
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def script(self, name, *answers, gid=None):
        """Answers are (status, body) or (status, body, headers): one per call, the last one for
        all that follow.

        With a gid they are for the calls of that transaction alone, and come first.
        """
        with self._lock:
            self._scripts[gid, name] = list(answers)

    def hold(self, name):
        """Makes calls of this name wait until `set` is called on the returned object."""
        gate = self._gates[name] = threading.Event()
        return gate

    def calls(self, gid=None):
        with self._lock:
            return [call for call in self._calls if gid in (None, call.query.get("gid"))]

    def wait_for_calls(self, count, gid=None, timeout_s=10.0):
        """Waits until there are this many calls, and returns them."""
        wait_until(lambda: len(self.calls(gid)) >= count, f"{count} branch calls", timeout_s)
        return self.calls(gid)

    def _answer(self, call):
        with self._lock:
            self._calls.append(call)
            script = (self._scripts.get((call.query.get("gid"), call.name)) or
                      self._scripts.get((None, call.name)) or [SUCCESS])
            answer = script.pop(0) if len(script) > 1 else script[0]
        gate = self._gates.get(call.name)
        if gate:
            gate.wait()
        return answer

    def _handler(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # Head and body are two writes.

            def handle_any(self):
                url = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                call = BranchCall(self.command, url.path[1:], dict(parse_qsl(url.query)),
                                  dict(self.headers), body)
                status, text, *more = server._answer(call)
                with contextlib.suppress(ConnectionError):  # The caller may have given up.
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(text.encode())))
                    for field in (more[0] if more else {}).items():
                        self.send_header(*field)
                    self.end_headers()
                    self.wfile.write(text.encode())

            do_GET = do_POST = handle_any

            def log_message(self, *_):
                pass

        return Handler
