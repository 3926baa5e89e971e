"""Traces: from a client's request over the coordinator to branches that are called later, and to a
collector.

Usage: traces_test.py <concertod>
"""

import json
import os
import ssl

import grpc_wire
from grpc_server import GrpcServer
from operations_test_case import (OperationsTestCase, main, submit, try_now,
                                  wait_until_ready)
from otlp_receiver import OtlpReceiver

from concerto_testing import http_call, wait_until
from concerto_testing.certificates import Authority

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CLIENT = "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{CLIENT}-01"
UNSAMPLED = f"00-{TRACE}-{CLIENT}-00"
SERVER, CALLS = 2, 3


def submit_traced(coordinator, request, parent=SAMPLED, state=None):
    fields = {"traceparent": parent, **({"tracestate": state} if state else {})}
    answer = http_call("POST", f"{coordinator.api}/submit", json.dumps(request).encode(),
                       headers=fields)
    assert answer.status == 200, answer


def traceparent(call):
    return {name.lower(): value for name, value in call.headers.items()}.get("traceparent")


def tracestate(call):
    return {name.lower(): value for name, value in call.headers.items()}.get("tracestate")


class GrpcBranch(GrpcServer):
    """A service over gRPC. `metadata` has that of each call; `answers` the next statuses."""

    def __init__(self):
        self.metadata = []
        self.answers = []
        super().__init__()

    @property
    def url(self):
        return f"127.0.0.1:{self.port}/bank.Bank/Take"

    def answer(self, headers, message):
        self.metadata.append(dict(headers))
        return (self.answers.pop(0) if self.answers else 0), b""


class Traces(OperationsTestCase):
    def start_recording(self, settings=None, context=None, more=None):
        self.collector = OtlpReceiver(context)
        self.addCleanup(self.collector.close)
        scheme = "https://" if context else ""
        trace = {"Endpoint": f"{scheme}127.0.0.1:{self.collector.port}", **(settings or {})}
        return self.start(self._testMethodName, {"Trace": trace, "RetryInterval": 600,
                                                 "TimeoutToFail": 600, **(more or {})})

    def start_branch(self):
        branch = GrpcBranch()
        self.addCleanup(branch.close)
        return branch

    def test_one_tree_over_a_restart(self):
        coordinator = self.start_recording({"ServiceName": "payments"})
        self.branches.script("late", (500, "out of order"), (200, "{}"))
        submit_traced(coordinator, self.saga("g", "good", "late"), state="a=1, b=2")
        self.branches.wait_for_calls(2, "g")
        self.collector.wait_for(lambda spans: any(span.name == "pass" for span in spans),
                                "the first pass", TRACE)
        coordinator.kill()
        coordinator.start()
        wait_until_ready(coordinator)
        try_now(coordinator, "g")
        calls = self.branches.wait_for_calls(3, "g")
        spans = self.collector.wait_for(
            lambda spans: [span.name for span in spans].count("pass") == 2, "both passes", TRACE)

        self.assertEqual(self.collector.service_names, {"payments"})
        by_id = {span.span_id: span for span in spans}
        self.assertEqual(len(by_id), len(spans), "each span has an id of its own")
        roots = [span for span in spans if span.parent_id not in by_id]
        self.assertEqual([(root.name, root.parent_id, root.kind) for root in roots],
                         [("submit", CLIENT, SERVER)])
        (root,) = roots
        passes = [span for span in spans if span.name == "pass"]
        self.assertEqual({each.parent_id for each in passes}, {root.span_id})
        attempts = sorted((span for span in spans if span.name == "call action"),
                          key=lambda span: span.begin)
        self.assertEqual([(one.attributes["concerto.branch_id"], one.failed, one.kind)
                          for one in attempts],
                         [("01", False, CALLS), ("02", True, CALLS), ("02", False, CALLS)])
        self.assertEqual([by_id[one.parent_id].name for one in attempts], ["pass"] * 3)
        self.assertNotEqual(attempts[1].parent_id, attempts[2].parent_id)
        self.assertIn("out of order", attempts[1].message)
        self.assertEqual([traceparent(call) for call in calls],
                         [f"00-{TRACE}-{one.span_id}-01" for one in attempts])
        self.assertEqual({tracestate(call) for call in calls}, {"a=1,b=2"})
        self.assertTrue(any(span.name == "commit" and span.parent_id == root.span_id
                            for span in spans))
        self.assertTrue(any(span.name == "commit" and span.parent_id == passes[-1].span_id
                            for span in spans))
        for span in spans:
            self.assertEqual((span.attributes["concerto.gid"], span.attributes["concerto.mode"]),
                             ("g", "saga"))
            self.assertLessEqual(span.begin, span.end)

    def test_a_client_that_does_not_record(self):
        coordinator = self.start_recording({"Sample": "1"})
        submit_traced(coordinator, self.saga("quiet", "a"), UNSAMPLED)
        submit(coordinator, self.saga("loud", "a"))
        spans = self.collector.wait_for(lambda spans: any(span.name == "pass" for span in spans),
                                        "the trace that began here")
        self.assertEqual({span.attributes["concerto.gid"] for span in spans}, {"loud"})
        self.assertEqual(len({span.trace_id for span in spans}), 1)
        (quiet,) = self.branches.wait_for_calls(1, "quiet")
        self.assertEqual(traceparent(quiet), UNSAMPLED)

    def submit_over_grpc(self, coordinator, gid, *urls, state="a=1,b=2"):
        steps = json.dumps([{"action": url, "compensate": url} for url in urls])
        message = grpc_wire.message([(1, gid), (2, "saga"), *[(5, "p")] * len(urls), (7, steps)])
        grpc_wire.call(coordinator.grpc_port, "/dtmgimp.Dtm/Submit", message,
                       (("traceparent", SAMPLED), ("tracestate", state)))

    def test_metadata_of_grpc(self):
        """In by metadata and out by metadata, also in a call that is made later."""
        branch = self.start_branch()
        branch.answers = [13, 0]  # INTERNAL
        coordinator = self.start_recording()
        self.submit_over_grpc(coordinator, "g", branch.url)
        wait_until(lambda: len(branch.metadata) == 1, "the first call")
        self.collector.wait_for(lambda spans: any(span.name == "pass" for span in spans),
                                "the first pass", TRACE)
        try_now(coordinator, "g")
        spans = self.collector.wait_for(
            lambda spans: [span.name for span in spans].count("pass") == 2, "both passes", TRACE)
        calls = sorted((span for span in spans if span.name == "call action"),
                       key=lambda span: span.begin)
        self.assertEqual([one["traceparent"] for one in branch.metadata],
                         [f"00-{TRACE}-{call.span_id}-01" for call in calls])
        self.assertEqual([one["tracestate"] for one in branch.metadata], ["a=1,b=2"] * 2)
        (root,) = (span for span in spans if span.name == "submit")
        self.assertEqual(root.parent_id, CLIENT)

    def test_tracestate_stays_as_it_came(self):
        """By metadata or by header, to services over HTTP and over gRPC."""
        state = "vendor=t61rcWkgMzE,other@sys=00f067~aa0ba902b7"
        branch = self.start_branch()
        coordinator = self.start(self._testMethodName)
        self.submit_over_grpc(coordinator, "from-grpc", self.branches.url("a"), branch.url,
                              state=state)
        (call,) = self.branches.wait_for_calls(1, "from-grpc")
        self.assertEqual((traceparent(call), tracestate(call)), (SAMPLED, state))
        wait_until(lambda: len(branch.metadata) == 1, "the call over gRPC")
        self.assertEqual([(one["traceparent"], one["tracestate"]) for one in branch.metadata],
                         [(SAMPLED, state)])
        submit_traced(coordinator, self.saga("from-http", "a"), state=state)
        (call,) = self.branches.wait_for_calls(1, "from-http")
        self.assertEqual((traceparent(call), tracestate(call)), (SAMPLED, state))

    def certify(self):
        """The context of a collector, and the settings of a coordinator that trusts it."""
        authority = Authority(os.path.join(self.directory, self._testMethodName + "-tls"))
        authority.issue("collector", "IP:127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.file("collector.both"))
        return context, {"BranchTls.CaFile": authority.file("ca.pem")}

    def test_a_collector_over_tls(self):
        context, trusting = self.certify()
        coordinator = self.start_recording(context=context, more=trusting)
        submit_traced(coordinator, self.saga("g", "a"))
        spans = self.collector.wait_for(lambda spans: any(span.name == "pass" for span in spans),
                                        "the pass", TRACE)
        self.assertIn("call action", {span.name for span in spans})

    def test_a_collector_whose_certificate_is_not_trusted_gets_nothing(self):
        context, _ = self.certify()
        other = Authority(os.path.join(self.directory, "another-authority"))
        coordinator = self.start_recording(context=context,
                                           more={"BranchTls.CaFile": other.file("ca.pem")})
        submit_traced(coordinator, self.saga("g", "a"))
        coordinator.process.wait_for_line("spans cannot be sent to")
        self.assertEqual(coordinator.status("g"), "succeed")
        self.assertEqual(self.collector.spans(), [])

    def test_without_a_collector_they_are_handed_on_as_they_came(self):
        coordinator = self.start(self._testMethodName)
        submit_traced(coordinator, self.saga("g", "a"), state="a=1")
        (call,) = self.branches.wait_for_calls(1, "g")
        self.assertEqual((traceparent(call), tracestate(call)), (SAMPLED, "a=1"))
        submit_traced(coordinator, self.saga("broken", "a"), "00-x", state="a=1")
        (call,) = self.branches.wait_for_calls(1, "broken")
        self.assertEqual((traceparent(call), tracestate(call)), (None, None))
        submit(coordinator, self.saga("none", "a"))
        (call,) = self.branches.wait_for_calls(1, "none")
        self.assertEqual(traceparent(call), None)

    def test_they_are_not_handed_on_if_nobody_wants_that(self):
        coordinator = self.start(self._testMethodName, {"Trace": {"Propagate": 0}})
        submit_traced(coordinator, self.saga("g", "a"))
        (call,) = self.branches.wait_for_calls(1, "g")
        self.assertEqual(traceparent(call), None)

    def test_the_log_has_them(self):
        coordinator = self.start(self._testMethodName, {"RetryInterval": 600,
                                                        "TimeoutToFail": 600})
        self.branches.script("broken", (500, "out of order"))
        submit_traced(coordinator, self.saga("g", "broken"))
        line = json.loads(coordinator.process.wait_for_line("ended in error"))
        self.assertEqual((line["gid"], line["trace_id"]), ("g", TRACE))

    def test_a_collector_that_is_away_delays_nothing(self):
        coordinator = self.start_recording({"Sample": "1"})
        self.collector.is_away = True
        for i in range(20):
            submit(coordinator, self.saga(f"g{i}", "a"))
        self.branches.wait_for_calls(20)
        coordinator.process.wait_for_line("spans cannot be sent to")
        self.collector.is_away = False
        coordinator.process.wait_for_line("again", timeout_s=30)
        self.collector.wait_for(
            lambda spans: [span.name for span in spans].count("pass") == 20, "all passes")

        def count(result):
            return coordinator.metric(f'concerto_trace_spans_total{{result="{result}"}}')

        wait_until(lambda: count("exported") == len(self.collector.spans()),
                   "all spans are counted")
        self.assertEqual((count("dropped"), count("failed")), (0, 0))


if __name__ == "__main__":
    main(Traces, __doc__)
