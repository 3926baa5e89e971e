"""Requests that a proxy and the coordinator could read in two ways: none hides another request,
and none gets past what nginx and HAProxy refuse.

Usage: proxies_test.py <concertod>
"""

import concurrent.futures
import json
import os
import re
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, os.path.join(HERE, "..", "integration", "operations"))
sys.dont_write_bytecode = True

from attacks import (AMBIGUOUS, GRPC_FIELDS, HTTP2_FIELDS, LEGAL, PATHS, fill,  # noqa: E402
                     grpc_fields, web_fields)
from concerto_testing import BranchServer, Concertod, http_call, main, wait_until  # noqa: E402
from grpc_wire import message  # noqa: E402
from proxies import PACKAGES, Proxy, program  # noqa: E402
from wire import (DATA, GOAWAY, HEADERS, RST_STREAM, exchange, frame_kinds, grpc_body,  # noqa: E402
                  http2_request, never, statuses)

ATTACKERS = 12  # at a time


class Smuggling(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.branches = BranchServer()
        cls.branches.script("down", (500, "no"))
        cls.coordinator = Concertod(cls.args.concertod, cls.directory,
                                    {"Shards": 1, "Store.Driver": "memory", "RetryInterval": 600,
                                     "TimeoutToFail": 600}, "coordinator")
        cls.coordinator.start()
        cls.proxies = [Proxy(name, cls.directory, cls.coordinator) for name in PACKAGES]
        seed = {"gid": "seed", "trans_type": "msg", "payloads": ["{}"],
                "steps": [{"action": cls.branches.url("down")}]}
        http_call("POST", cls.coordinator.api + "/submit", json.dumps(seed).encode())

    @classmethod
    def tearDownClass(cls):
        for proxy in cls.proxies:
            proxy.close()
        cls.coordinator.kill()
        cls.branches.close()

    def tearDown(self):
        """Nobody's hidden request was carried out."""
        self.assertEqual(self.coordinator.status("seed"), "submitted")
        listed = http_call("GET", self.coordinator.api + "/all?limit=500").json()["transactions"]
        self.assertEqual([each["gid"] for each in listed if "hidden" in each["gid"]], [])

    def handled(self):
        """How many requests the coordinator has answered by a handler, over HTTP and gRPC."""
        page = http_call("GET", f"http://127.0.0.1:{self.coordinator.http_port}/metrics")
        return sum(int(found) for found in re.findall(
            r"(?m)^concerto_server_response_seconds_count{.*} (\d+)$", page.body.decode()))

    @staticmethod
    def attack(port, requests, until=None):
        """All of them, several at a time, each on a connection of its own: (name, what came)."""
        with concurrent.futures.ThreadPoolExecutor(ATTACKERS) as attackers:
            waiting = [(name, attackers.submit(exchange, port, *pieces, until=until))
                       for name, pieces in requests]
            return [(name, each.result()) for name, each in waiting]

    def test_directly_what_is_ambiguous_ends_the_connection(self):
        before = self.handled()
        for name, (came, closed) in self.attack(self.coordinator.http_port, fill(AMBIGUOUS),
                                                never):
            with self.subTest(name):
                self.assertEqual(len(statuses(came)), 1, came)
                self.assertIn(statuses(came)[0], (400, 417, 501, 505), came)
                self.assertIn(b"\r\nConnection: close\r\n", came)
                self.assertTrue(closed, came)
        self.assertEqual(self.handled(), before)

    def test_directly_what_is_legal_is_answered(self):
        """The suite has teeth: the second request on a connection is answered where it may be."""
        for name, (came, _) in self.attack(self.coordinator.http_port, fill(LEGAL),
                                           lambda came: b'"gid"' in came):
            with self.subTest(name):
                self.assertEqual(statuses(came)[-1:], [200], came)
                self.assertEqual(came.count(b'"gid"'), 1, came)

    def test_no_request_hides_another_one(self):
        for proxy in self.proxies:
            passed, handled = proxy.passed(), self.handled()
            self.attack(proxy.http, fill(AMBIGUOUS))
            self.attack(proxy.http, fill(LEGAL))
            self.attack(proxy.http2, self.http2_attacks())
            self.victims(proxy)
            with self.subTest(proxy.name):
                self.assert_all_passed(proxy, passed, handled)
                self.assertGreater(proxy.passed() - passed, 20)

    def assert_all_passed(self, proxy, passed, handled):
        """What the coordinator has handled since, the proxy has passed on. It writes that later."""
        wait_until(lambda: self.handled() - handled <= proxy.passed() - passed,
                   f"{proxy.name} has passed on all that was handled")

    def victims(self, proxy):
        """Requests of others, over the proxy's connections that attackers have used before."""
        for _ in range(20):
            answer = http_call("GET", f"http://127.0.0.1:{proxy.http}/api/dtmsvr/newGid")
            self.assertEqual((answer.status, answer.json()["dtm_result"]), (200, "SUCCESS"))

    @staticmethod
    def http2_attacks():
        return [(name, [http2_request(fields, *bodies)])
                for name, fields, bodies in HTTP2_FIELDS]

    def test_no_spelling_of_a_path_gets_past_a_rule(self):
        for proxy in self.proxies:
            requests = [
                (f"{method} {path}",
                 [f"{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                  "Content-Length: 14\r\n\r\n".encode() + b'{"gid":"seed"}'])
                for method, rows in PATHS.items() for path in rows]
            for name, (came, _) in self.attack(proxy.http, requests, never):
                with self.subTest(proxy=proxy.name, request=name):
                    self.assertNotIn(b'"kept"', came)
                    self.assertNotIn(b'"state"', came)
                    if name.startswith("POST"):
                        self.assertNotIn(200, statuses(came), came)
            over_http2 = [(name.decode(), [http2_request(web_fields("GET", name))])
                          for name in (path.encode() for path in PATHS["GET"])]
            for name, (came, _) in self.attack(proxy.http2, over_http2):
                self.assertNotIn(b'"kept"', came, name)
        # Without a proxy the plain path is there.
        self.assertEqual(http_call("GET", f"http://127.0.0.1:{self.coordinator.http_port}"
                                          "/api/concerto/audit").status, 200)

    def grpc_attacks(self, to):
        for name, change, bodies in GRPC_FIELDS:
            body = grpc_body(message([(1, f"{to}-{name}"), (2, "tcc")]))
            yield name, [http2_request(change(grpc_fields()), *bodies(body))]

    def test_grpc_directly(self):
        """The one legal request succeeds, each of the others is refused."""
        good = http2_request(grpc_fields(), grpc_body(message([(1, "grpc-good"), (2, "tcc")])))
        came, _ = exchange(self.coordinator.grpc_port, good,
                           until=lambda came: len(frame_kinds(came)) == 3)
        self.assertEqual(frame_kinds(came), [HEADERS, DATA, HEADERS])
        self.assertEqual(self.coordinator.status("grpc-good"), "prepared")
        for name, (came, _) in self.attack(self.coordinator.grpc_port,
                                           self.grpc_attacks("hidden"), frame_kinds):
            with self.subTest(name):
                kinds = frame_kinds(came)
                self.assertNotIn(DATA, kinds)
                self.assertTrue({RST_STREAM, GOAWAY} & set(kinds) or kinds == [HEADERS], kinds)

    def test_grpc_behind_proxies(self):
        for proxy in self.proxies:
            passed, handled = proxy.passed(), self.handled()
            gid = f"grpc-{proxy.name}"
            body = grpc_body(message([(1, gid), (2, "tcc")]))
            exchange(proxy.grpc, http2_request(grpc_fields(), body), until=frame_kinds)
            self.assertEqual(self.coordinator.status(gid), "prepared")
            self.attack(proxy.grpc, self.grpc_attacks(proxy.name))
            with self.subTest(proxy.name):
                self.assert_all_passed(proxy, passed, handled)
            exchange(proxy.grpc, http2_request(grpc_fields(), grpc_body(
                message([(1, gid + "-2"), (2, "tcc")]))))
            wait_until(lambda gid=gid: self.coordinator.status(gid + "-2") == "prepared",
                       "others are served")


if __name__ == "__main__":
    for each in PACKAGES:
        program(each)
    main(Smuggling, lambda parser: parser.add_argument("concertod"), __doc__)
