"""Plays sequences on a coordinator and records its answers and its branch calls."""

import http.server
import json
import sys
import threading
import time
import urllib.parse

from concerto_testing import http_call
from sequences import SUCCESS

CALLS_TIMEOUT_S = 5.0
QUIET_S = 0.12  # while recording: after so long without a call no more calls are expected
GRACE_S = 0.01  # while replaying: the time for calls that should not come


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        # A coordinator that is killed leaves its connections behind.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Branches:
    """Branch services on loopback: `<url(gid)>/<gid>/<branch>` answers as the sequence says.

    Each sequence has a port of its own, because a service that answers for one transaction wakes
    the other transactions that wait for it.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._sequences = {}
        self._calls = {}
        branches = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                status, text = branches.called(self.command, self.path,
                                               self.rfile.read(length).decode())
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self._handler = Handler
        self._urls = {}

    def url(self, gid):
        return self._urls[gid]

    def expect(self, gid, sequence):
        server = _Server(("127.0.0.1", 0), self._handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with self._lock:
            self._urls[gid] = f"http://127.0.0.1:{server.server_port}"
            self._sequences[gid] = {name: list(list_) for name, list_ in sequence.replies.items()}
            self._sequences[gid, "always"] = sequence.always
            self._calls[gid] = []

    def called(self, method, target, body):
        url = urllib.parse.urlsplit(target)
        _, gid, branch = url.path.split("/", 2)
        query = dict(urllib.parse.parse_qsl(url.query))
        query.pop("gid", None)
        with self._lock:
            self._calls[gid].append({"call": f"{method} {branch}", "query": query, "body": body})
            replies = self._sequences[gid].get(branch)
            if replies:
                return replies.pop(0)
            return self._sequences[gid, "always"].get(branch, SUCCESS)

    def calls(self, gid):
        with self._lock:
            return list(self._calls[gid])


def _with_names(value, gid, url):
    """The value as JSON text (or the text itself), with names in place of gid and URL."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.replace("$GID", gid).replace("$B", f"{url}/{gid}")


def _answer(body, gid, url):
    text = body.decode(errors="replace").replace(f"{url}/{gid}", "$B").replace(gid, "$GID")
    try:
        return json.loads(text)
    except ValueError:
        return text


def _trans_status(answer):
    """None if the answer shows no transaction."""
    transaction = answer.get("transaction") if isinstance(answer, dict) else None
    return transaction.get("status") if isinstance(transaction, dict) else None


class Player:
    """`call` makes the requests, and may inspect the requests and their answers."""

    def __init__(self, coordinator_url, branches, call=http_call):
        self._coordinator = coordinator_url
        self._branches = branches
        self._call = call

    def play(self, sequence, recorded=None):
        """The steps of a sequence as a list of {status, answer, calls}. `recorded`: the steps of an
        earlier play, whose calls are awaited."""
        gid = sequence.name
        self._branches.expect(gid, sequence)
        steps, seen = [], 0
        for number, request in enumerate(sequence.requests):
            if recorded is None:
                status, answer = self._ask(request, gid)
                self._wait_for_quiet(gid)
            else:
                status, answer = self._ask_until(request, gid, recorded[number].get("answer"))
                self._wait_for_calls(gid, seen + len(recorded[number]["calls"]))
            calls = self._branches.calls(gid)[seen:]
            seen += len(calls)
            if not sequence.ordered:
                calls.sort(key=lambda call: (call["query"].get("op", ""), call["call"]))
            steps.append({"status": status, "answer": answer, "calls": calls})
        return steps

    def _ask(self, request, gid):
        target = _with_names(request.path, gid, self._branches.url(gid))
        body = None
        if request.body is not None:
            body = _with_names(request.body, gid, self._branches.url(gid)).encode()
        answer = self._call(request.method, self._coordinator + target, body)
        return answer.status, _answer(answer.body, gid, self._branches.url(gid))

    def _ask_until(self, request, gid, recorded):
        """If nobody waits for the transaction, it may end a moment after its last call. So a query
        is repeated until it shows the status of the recorded one."""
        deadline = time.monotonic() + CALLS_TIMEOUT_S
        wanted = _trans_status(recorded) if request.method == "GET" else None
        while True:
            status, answer = self._ask(request, gid)
            is_there = wanted is None or _trans_status(answer) == wanted
            if is_there or time.monotonic() >= deadline:
                return status, answer

    def _wait_for_quiet(self, gid):
        before = -1
        while before != len(self._branches.calls(gid)):
            before = len(self._branches.calls(gid))
            time.sleep(QUIET_S)

    def _wait_for_calls(self, gid, count):
        deadline = time.monotonic() + CALLS_TIMEOUT_S
        while len(self._branches.calls(gid)) < count and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(GRACE_S)
