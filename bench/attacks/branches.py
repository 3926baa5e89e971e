"""Attacks by the services that the coordinator calls."""

import collections
import http.client
import json
import selectors
import socket
import threading

from .attack import Attack, summary

CLIENTS = 8
PAYLOAD = "p" * 4_000


class Service:
    """Accepts connections, and sends `answer` to each of them over and over."""

    def __init__(self, answer=b""):
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._open = set()
        self.accepted = 0
        self.most_at_once = 0
        self._ending = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/call?method=call"

    def close(self):
        self._ending = True
        self._thread.join()
        for connection in [self._listener, *self._open]:
            connection.close()

    def _run(self):
        while not self._ending:
            for key, events in self._selector.select(0.2):
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._serve(key.fileobj, events)

    def _accept(self):
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._answer else 0)
        self._selector.register(connection, events)
        self._open.add(connection)
        self.accepted += 1
        self.most_at_once = max(self.most_at_once, len(self._open))

    def _serve(self, connection, events):
        try:
            if events & selectors.EVENT_READ and not connection.recv(65536):
                raise ConnectionError
            if events & selectors.EVENT_WRITE:
                connection.send(self._answer)
        except BlockingIOError:
            pass
        except OSError:
            self._selector.unregister(connection)
            self._open.discard(connection)
            connection.close()


class Sagas(Attack):
    """Sagas whose first action goes to a hostile service."""

    answer = b""
    protocol = "http"
    payload = PAYLOAD
    sagas = 6000

    def begin(self):
        service = Service(self.answer)
        self._numbers = iter(range(self.sagas))
        self._lock = threading.Lock()
        self._answers = collections.Counter()
        clients = [threading.Thread(target=self._submit, args=(service.url,))
                   for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        service.close()
        return f"{service.most_at_once} connections to the service at most; submits: " \
               f"{summary(self._answers)}"

    def _submit(self, url):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.http_port, timeout=30)
        while self.goes_on():
            with self._lock:
                number = next(self._numbers, None)
            if number is None:
                return
            saga = {"gid": f"{self.name}-{number}", "trans_type": "saga",
                    "payloads": [self.payload], "protocol": self.protocol,
                    "steps": [{"action": url, "compensate": ""}]}
            try:
                connection.request("POST", "/api/dtmsvr/submit", json.dumps(saga))
                answer = connection.getresponse()
                answer.read()
                outcome = str(answer.status)
            except (OSError, http.client.HTTPException) as error:
                outcome = type(error).__name__
                connection.close()
            with self._lock:
                self._answers[outcome] += 1


class DeadService(Sagas):
    name = "dead_service"
    does = "a service that takes every call and answers none, with a limit of 1,024 descriptors"
    descriptors = 1024


class EndlessAnswer(Sagas):
    name = "endless_answer"
    does = "a service whose answers do not end"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n" + b"x" * 60_000
    sagas = 500


class EndlessRpcAnswer(EndlessAnswer):
    name = "endless_rpc_answer"
    does = "a JSON-RPC service whose answers do not end"
    protocol = "json-rpc"
    payload = "{}"


class EndlessHead(Sagas):
    name = "endless_head"
    does = "a service whose answers have headers without end"
    answer = b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 60_000
    sagas = 500


ATTACKS = [DeadService, EndlessAnswer, EndlessRpcAnswer, EndlessHead]
