"""Traces with two coordinators on one store: the one goes on with what the other has begun.

Usage: shared_traces_test.py <concertod> <store>
"""

import json

from operations_test_case import OperationsTestCase, run_tests, try_now, wait_until_ready
from otlp_receiver import OtlpReceiver
from shared_stores import SHARED_STORES, use_store
from traces_test import CLIENT, SERVER, TRACE, submit_traced, traceparent, tracestate

from concerto_testing import Concertod


class SharedTraces(OperationsTestCase):
    @classmethod
    def setUpClass(cls):
        use_store(cls)

    def setUp(self):
        super().setUp()
        self.collector = OtlpReceiver()
        self.addCleanup(self.collector.close)

    def start_on(self, place, name, *options):
        coordinator = Concertod(self.args.concertod, self.directory, {
            **place.settings, "Shards": 1, "RetryInterval": 600, "TimeoutToFail": 3600,
            "TransCronInterval": 1, "Store.Lease": 5,
            "Trace": {"Endpoint": f"127.0.0.1:{self.collector.port}"}}, name)
        self.addCleanup(coordinator.kill)
        coordinator.start(*options)
        wait_until_ready(coordinator)
        return coordinator

    def test_a_killed_coordinators_transaction_stays_in_its_trace(self):
        place = self.store.place("traces")
        first = self.start_on(place, "first", *place.options_of_first_start)
        second = self.start_on(place, "second")
        self.branches.script("late", (500, "out of order"), (200, "{}"))
        submit_traced(first, self.saga("g", "good", "late"), state="a=1,b=2")
        self.branches.wait_for_calls(2, "g")
        self.collector.wait_for(lambda spans: any(span.name == "pass" for span in spans),
                                "the pass of the first one", TRACE)
        first.kill()
        try_now(second, "g")
        calls = self.branches.wait_for_calls(3, "g")
        second.wait_for_status("g", "succeed")
        spans = self.collector.wait_for(
            lambda spans: [span.name for span in spans].count("pass") == 2, "both passes", TRACE)
        by_id = {span.span_id: span for span in spans}
        roots = [span for span in spans if span.parent_id not in by_id]
        self.assertEqual([(root.name, root.parent_id, root.kind) for root in roots],
                         [("submit", CLIENT, SERVER)])
        passes = [span for span in spans if span.name == "pass"]
        self.assertEqual({each.parent_id for each in passes}, {roots[0].span_id})
        attempts = sorted((span for span in spans if span.name == "call action"),
                          key=lambda span: span.begin)
        self.assertEqual([(one.attributes["concerto.branch_id"], one.failed) for one in attempts],
                         [("01", False), ("02", True), ("02", False)])
        self.assertEqual(len({one.parent_id for one in attempts}), 2, "a pass of each")
        self.assertEqual([traceparent(call) for call in calls],
                         [f"00-{TRACE}-{one.span_id}-01" for one in attempts])
        self.assertEqual({tracestate(call) for call in calls}, {"a=1,b=2"})

    def test_a_call_that_was_under_way_is_made_again_in_its_trace(self):
        """The lease of the killed one ends, and the other one calls again."""
        place = self.store.place("taken")
        first = self.start_on(place, "one", *place.options_of_first_start)
        second = self.start_on(place, "two")
        gate = self.branches.hold("slow")
        self.addCleanup(gate.set)
        submit_traced(first, self.saga("g", "slow"), state="a=1")
        self.branches.wait_for_calls(1, "g")
        first.kill()
        gate.set()
        second.wait_for_status("g", "succeed", timeout_s=40)
        before, after = self.branches.wait_for_calls(2, "g")
        spans = self.collector.wait_for(
            lambda spans: any(span.name == "call action" for span in spans), "the call", TRACE)
        (attempt,) = (span for span in spans if span.name == "call action")
        self.assertEqual(traceparent(after), f"00-{TRACE}-{attempt.span_id}-01")
        self.assertEqual(traceparent(before).split("-")[1], TRACE)
        self.assertNotEqual(traceparent(before), traceparent(after))
        self.assertEqual({tracestate(before), tracestate(after)}, {"a=1"})
        line = json.loads(second.process.wait_for_line("took over"))
        self.assertIn("1 transaction", line["msg"])


def add_arguments(parser):
    parser.add_argument("concertod")
    parser.add_argument("store", choices=SHARED_STORES)


if __name__ == "__main__":
    run_tests(SharedTraces, add_arguments, __doc__)
