#!/usr/bin/env python3
"""Sagas of DTM's Python client, with every answer that a branch can give."""

import json

from client_test_case import (
    BROKEN, FAILURE, ONGOING, SUCCESS, ClientTestCase, DTMFailureError, add_arguments)
from dtmcli.saga import Saga
from concerto_testing import main  # The path to it is set by client_test_case.py.

STEPS = ("a", "b", "c")
ALL_DONE = ["action 01 a", "action 02 b", "action 03 c"]


class SagaTest(ClientTestCase):
    def saga(self, steps=STEPS, wait=True):
        """Steps whose compensations are named undo-<step>. Returns the saga and its gid."""
        gid = self.new_gid()
        saga = Saga(self.api, gid)
        for name in steps:
            saga.add({"step": name}, self.branches.url(name), self.branches.url(f"undo-{name}"))
        saga.trans_base.wait_result = wait
        return saga, gid

    def test_success(self):
        saga, gid = self.saga()
        saga.submit()
        self.assert_ends(gid, "succeed", ALL_DONE)
        for call, step in zip(self.branches.calls(gid), STEPS):
            self.assertEqual((call.method, json.loads(call.body)), ("POST", {"step": step}))
            self.assertEqual(call.query["trans_type"], "saga")
        # The same gid once more: the transaction has ended.
        self.assertRaises(DTMFailureError, saga.submit)

    def test_success_in_the_background(self):
        gate = self.branches.hold("b")
        saga, gid = self.saga(wait=False)
        saga.submit()
        self.branches.wait_for_calls(2, gid)
        self.assertEqual(self.coordinator.status(gid), "submitted")
        gate.set()
        self.assert_ends(gid, "succeed", ALL_DONE)

    def test_failure_at_each_step(self):
        for index, name in enumerate(STEPS):
            with self.subTest(step=name):
                saga, gid = self.saga()
                self.branches.script(name, FAILURE, gid=gid)
                self.assertRaises(DTMFailureError, saga.submit)
                undone = [f"compensate {number + 1:02} undo-{STEPS[number]}"
                          for number in range(index, -1, -1)]
                self.assert_ends(gid, "failed", ALL_DONE[:index + 1] + undone,
                                 f"^url:{self.branches.url(name)} return failed: no money FAILURE$")

    def test_failure_in_the_body_alone(self):
        self.branches.script("b", (200, '{"dtm_result":"FAILURE"}'))
        saga, gid = self.saga(("a", "b"))
        self.assertRaises(DTMFailureError, saga.submit)
        self.assert_ends(gid, "failed", ["action 01 a", "action 02 b", "compensate 02 undo-b",
                                         "compensate 01 undo-a"])

    def test_ongoing_and_errors_at_each_step_are_asked_again(self):
        cases = {}
        for index, name in enumerate(STEPS):
            for answer in (ONGOING, (200, '{"dtm_result":"ONGOING"}'), BROKEN, (204, "")):
                saga, gid = self.saga(wait=False)
                self.branches.script(name, answer, SUCCESS, gid=gid)
                saga.submit()
                cases[gid] = index, answer
        for gid, (index, answer) in cases.items():
            with self.subTest(step=STEPS[index], answer=answer):
                calls = list(ALL_DONE)
                calls.insert(index, ALL_DONE[index])
                self.assert_ends(gid, "succeed", calls)

    def test_the_one_who_waits_hears_that_it_is_not_finished(self):
        self.branches.script("b", ONGOING, SUCCESS)
        saga, gid = self.saga()
        self.assertRaises(DTMFailureError, saga.submit)
        self.assert_ends(gid, "succeed", ["action 01 a", "action 02 b", "action 02 b",
                                          "action 03 c"])

    def test_compensations_are_repeated_until_they_succeed(self):
        self.branches.script("b", FAILURE)
        self.branches.script("undo-b", ONGOING, SUCCESS)
        self.branches.script("undo-a", FAILURE, SUCCESS)
        saga, gid = self.saga(("a", "b"))
        self.assertRaises(DTMFailureError, saga.submit)
        self.assert_ends(gid, "failed", [
            "action 01 a", "action 02 b", "compensate 02 undo-b", "compensate 02 undo-b",
            "compensate 01 undo-a", "compensate 01 undo-a"])

    def test_a_call_that_takes_too_long_is_made_again(self):
        gate = self.branches.hold("a")
        saga, gid = self.saga(wait=False)
        saga.trans_base.request_timeout = 1
        saga.submit()
        self.branches.wait_for_calls(2, gid)
        gate.set()
        self.assert_ends(gid, "succeed", ["action 01 a", *ALL_DONE])

    def test_timeout_to_fail(self):
        self.branches.script("b", ONGOING)
        saga, gid = self.saga(wait=False)
        saga.trans_base.timeout_to_fail = 1
        saga.submit()
        self.coordinator.wait_for_status(gid, "failed")
        calls = self.calls(gid)
        self.assertEqual(calls[:2], ALL_DONE[:2])
        self.assertEqual(calls[-2:], ["compensate 02 undo-b", "compensate 01 undo-a"])
        self.assertEqual(set(calls[2:-2]) - {"action 02 b"}, set())
        self.assertEqual(self.coordinator.query(gid)["transaction"]["rollback_reason"],
                         "Timeout after 1 seconds")

    def test_concurrent_steps_with_an_order(self):
        # The client's own set_concurrent ends in an AttributeError; this is what it means to send.
        gate = self.branches.hold("a")
        saga, gid = self.saga(wait=False)
        saga.trans_base.custom_data = json.dumps({"concurrent": True, "orders": {"2": [0]}})
        saga.submit()
        self.branches.wait_for_calls(2, gid)
        self.wait_for_branch(gid, "02", "action", "succeed")
        self.assertEqual(sorted(self.calls(gid)), ["action 01 a", "action 02 b"])
        gate.set()
        self.coordinator.wait_for_status(gid, "succeed")
        self.assertEqual(self.calls(gid)[2:], ["action 03 c"])

    def test_branch_headers(self):
        saga, gid = self.saga(("a",))
        saga.trans_base.branch_headers = {"X-Shop": "north"}
        saga.submit()
        self.assertEqual(self.branches.calls(gid)[0].headers["X-Shop"], "north")


if __name__ == "__main__":
    main(SagaTest, add_arguments, __doc__)
