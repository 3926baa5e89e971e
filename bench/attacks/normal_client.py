"""A client that is not hostile: it sends one request after the other and measures each."""

import http.client
import json
import multiprocessing
import time

PAUSE_S = 0.01
TIMEOUT_S = 60


class NormalClient:
    """Runs in a process of its own, so that the work of attackers does not delay it. Every second
    request is a saga without a branch, which must become durable."""

    def __init__(self, port):
        self._receiver, sender = multiprocessing.Pipe(duplex=False)
        self._ending = multiprocessing.Event()
        self._process = multiprocessing.Process(
            target=_run, args=(port, self._ending, sender), daemon=True)
        self._process.start()

    def end(self):
        """All requests so far: (when it began, seconds, whether it succeeded)."""
        self._ending.set()
        found = self._receiver.recv()
        self._process.join()
        return found


def _run(port, ending, sender):
    found = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    number = 0
    while not ending.is_set():
        number += 1
        begin = time.monotonic()
        # A server may close an idle connection at any time, so the client tries again, like other
        # clients.
        good = _try(connection, number) or _try(connection, number)
        found.append((begin, time.monotonic() - begin, good))
        time.sleep(PAUSE_S)
    sender.send(found)


def _try(connection, number):
    try:
        return _ask(connection, number)
    except (OSError, http.client.HTTPException):
        connection.close()  # the next request opens it again
        return False


def _ask(connection, number):
    if number % 2:
        connection.request("GET", "/api/ping")
    else:
        saga = {"gid": f"normal-{number}", "trans_type": "saga", "wait_result": True,
                "steps": [{"action": "", "compensate": ""}], "payloads": ["{}"]}
        connection.request("POST", "/api/dtmsvr/submit", json.dumps(saga))
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200
