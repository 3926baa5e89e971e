#!/usr/bin/env python3
"""A real collector of OpenTelemetry gets one tree: from the client to a branch that is called again
after a restart. In plain text and over TLS.

Usage: run.py <concertod> <directory for the collector's program>
"""

import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import (BranchServer, Concertod, Process, free_port, go_build,  # noqa: E402
                              http_call, http_json, main, wait_for_port, wait_until)
from concerto_testing.certificates import Authority  # noqa: E402

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CLIENT = "00f067aa0ba902b7"
LONG_S = 600


class Collector(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        go_build(HERE, cls.args.bin)

    def setUp(self):
        self.branches = BranchServer()
        self.addCleanup(self.branches.close)

    def start_collector(self, **tls):
        self.port = free_port()
        grpc = {"endpoint": f"127.0.0.1:{self.port}", **({"tls": tls} if tls else {})}
        config = {"receivers": {"otlp": {"protocols": {"grpc": grpc}}}, "exporters": {"lines": {}},
                  "service": {"telemetry": {"metrics": {"level": "none"}},
                              "pipelines": {"traces": {"receivers": ["otlp"],
                                                       "exporters": ["lines"]}}}}
        self.collector = Process(self._testMethodName + "-collector",
                                 [os.path.join(self.args.bin, "collector"), json.dumps(config)],
                                 self.directory)
        self.addCleanup(self.collector.kill)
        wait_for_port(self.port, self.collector)

    def start(self, **settings):
        coordinator = Concertod(self.args.concertod, self.directory, {
            "Shards": 1, "RetryInterval": LONG_S, "TimeoutToFail": LONG_S, **settings},
            self._testMethodName)
        self.addCleanup(coordinator.kill)
        coordinator.start()
        self.wait_until_ready(coordinator)
        return coordinator

    def wait_until_ready(self, coordinator):
        wait_until(lambda: http_call("GET", coordinator.root + "/readyz").status == 200, "ready")

    def spans(self):
        """What the collector got of the trace, with the name of the service."""
        found = []
        for line in self.collector.lines('^{"resourceSpans"'):
            for resource in json.loads(line)["resourceSpans"]:
                service = attributes(resource["resource"])["service.name"]
                for scope in resource["scopeSpans"]:
                    found += [{**span, "service": service} for span in scope["spans"]
                              if span["traceId"] == TRACE]
        return found

    def wait_for_passes(self, count):
        wait_until(lambda: [span["name"] for span in self.spans()].count("pass") == count,
                   f"{count} passes", 30)
        return self.spans()

    def make_one_tree(self, coordinator):
        url = self.branches.url
        steps = [{"action": url(name), "compensate": url("undo")} for name in ("good", "late")]
        self.branches.script("late", (500, "out of order"), (200, "{}"))
        answer = http_call("POST", coordinator.api + "/submit", json.dumps(
            {"gid": "g", "trans_type": "saga", "steps": steps, "payloads": ["{}", "{}"]}).encode(),
            headers={"traceparent": f"00-{TRACE}-{CLIENT}-01", "tracestate": "a=1"})
        self.assertEqual(answer.status, 200, answer)
        self.wait_for_passes(1)
        coordinator.kill()
        coordinator.start()
        self.wait_until_ready(coordinator)
        http_json("POST", coordinator.api + "/resetNextCronTime", {"gid": "g"})
        coordinator.wait_for_status("g", "succeed")
        self.check_tree(self.wait_for_passes(2))

    def check_tree(self, spans):
        by_id = {span["spanId"]: span for span in spans}
        roots = [span for span in spans if span.get("parentSpanId") not in by_id]
        self.assertEqual([(root["name"], root["parentSpanId"]) for root in roots],
                         [("submit", CLIENT)])
        attempts = sorted((span for span in spans if span["name"] == "call action"),
                          key=lambda span: int(span["startTimeUnixNano"]))
        self.assertEqual([(attributes(one)["concerto.branch_id"], one["status"].get("code", 0) == 2)
                          for one in attempts], [("01", False), ("02", True), ("02", False)])
        self.assertEqual([by_id[one["parentSpanId"]]["name"] for one in attempts], ["pass"] * 3)
        self.assertEqual({attributes(span)["concerto.gid"] for span in spans}, {"g"})
        self.assertEqual({span["service"] for span in spans}, {"concerto"})
        called = [{name.lower(): value for name, value in call.headers.items()}
                  for call in self.branches.wait_for_calls(3, "g")]
        self.assertEqual([one["traceparent"] for one in called],
                         [f"00-{TRACE}-{one['spanId']}-01" for one in attempts])
        self.assertEqual({one["tracestate"] for one in called}, {"a=1"})

    def test_one_tree(self):
        self.start_collector()
        self.make_one_tree(self.start(Trace={"Endpoint": f"127.0.0.1:{self.port}"}))

    def test_one_tree_over_tls(self):
        authority = Authority(os.path.join(self.directory, "tls"))
        authority.issue("collector", "IP:127.0.0.1")
        self.start_collector(cert_file=authority.file("collector.pem"),
                             key_file=authority.file("collector.key"))
        self.make_one_tree(self.start(Trace={"Endpoint": f"https://127.0.0.1:{self.port}"},
                                      **{"BranchTls.CaFile": authority.file("ca.pem")}))


def attributes(of):
    return {each["key"]: next(iter(each["value"].values())) for each in of["attributes"]}


def add_arguments(parser):
    parser.add_argument("concertod")
    parser.add_argument("bin")


if __name__ == "__main__":
    main(Collector, add_arguments, __doc__)
