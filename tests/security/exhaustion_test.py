"""Strangers who begin large requests and never end them, while callers with a token send large ones
(docs/security.md, "Limits for each client").

Usage: exhaustion_test.py <concertod>
"""

import hashlib
import json
import os
import socket
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True

from attacks import web_fields  # noqa: E402  (the path has to be set first)
from concerto_testing import BranchServer, Concertod, main, wait_until  # noqa: E402
from wire import http2_begin, statuses  # noqa: E402

BODY_MAX = 1 << 20
BUFFERED_MAX = 8 << 20
STRANGERS_MAX = BUFFERED_MAX // 8
STRANGERS = 48
TIMEOUT_S = 10.0
TOKEN = "token of shop"


class Exhaustion(unittest.TestCase):
    def setUp(self):
        self.branches = BranchServer()
        self.addCleanup(self.branches.close)
        callers = os.path.join(self.directory, "callers")
        with open(callers, "w", encoding="utf-8") as file:
            file.write(f"shop client sha256:{hashlib.sha256(TOKEN.encode()).hexdigest()}\n")
        self.coordinator = Concertod(
            self.args.concertod, self.directory,
            {"Shards": 1, "Store.Driver": "memory", "MaxBodyBytes": BODY_MAX,
             "MaxBufferedBytes": BUFFERED_MAX, "Auth.CallersFile": callers,
             "Auth.Metrics": "anyone"}, "daemon")
        self.coordinator.start()
        self.addCleanup(self.coordinator.kill)

    def connect(self, port):
        connection = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self.addCleanup(connection.close)
        return connection

    def begin(self, path, size, sent, fields=""):
        """Sends a header and a part of its body."""
        connection = self.connect(self.coordinator.http_port)
        head = f"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n{fields}\r\n"
        try:
            connection.sendall(head.encode() + b"s" * sent)
        except ConnectionError:
            pass  # it was refused meanwhile
        return connection

    def test_a_body_of_a_stranger_is_refused_at_its_header(self):
        for fields in ("", "Authorization: Bearer guessed\r\n", "Expect: 100-continue\r\n"):
            with self.subTest(fields):
                answer = self.begin("/api/dtmsvr/submit", BODY_MAX, 100, fields).recv(1 << 16)
                self.assertEqual(statuses(answer), [401], answer)
                self.assertIn(b"Connection: close", answer)

    def test_strangers_leave_room_for_callers(self):
        connections = [self.begin("/nowhere", BODY_MAX, 200_000) for _ in range(STRANGERS)]
        for path in ("/grpc.health.v1.Health/Check", "/dtmgimp.Dtm/Submit"):
            for _ in range(STRANGERS):
                connection = self.connect(self.coordinator.grpc_port)
                fields = web_fields("POST", path, ("content-type", "application/grpc"),
                                    ("te", "trailers"))
                connection.sendall(http2_begin(fields, b"\0\0\x0f\0\0" + b"s" * 50_000))
                connections.append(connection)
        self.submit_slowly("paid")
        used = self.coordinator.metric("concerto_buffered_bytes")
        self.assertLessEqual(used, STRANGERS_MAX)
        self.assertGreater(used, 0, "strangers have sent enough")
        del connections

    def submit_slowly(self, gid):
        """A saga with a large payload, whose second half comes when the first one was read."""
        body = json.dumps({"gid": gid, "trans_type": "saga", "payloads": ["x" * (BODY_MAX - 500)],
                           "steps": [{"action": self.branches.url("a")}]}).encode()
        connection = self.begin("/api/dtmsvr/submit", len(body), 0,
                                f"Authorization: Bearer {TOKEN}\r\n")
        half = len(body) // 2
        connection.sendall(body[:half])
        wait_until(lambda: self.coordinator.metric("concerto_buffered_bytes") >= half,
                   "the first half is held")
        connection.sendall(body[half:])
        answer = connection.recv(1 << 16)
        self.assertEqual(statuses(answer), [200], answer)


if __name__ == "__main__":
    main(Exhaustion, lambda parser: parser.add_argument("concertod"), __doc__)
