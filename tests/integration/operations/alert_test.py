"""The alert hook: who is told of a transaction that keeps failing, and what that may not delay.

Usage: alert_test.py <concertod>
"""

import json
import time

from operations_test_case import OperationsTestCase, main, submit, try_now

from concerto_testing import BranchServer, free_port

HINT = ("your http/grpc result should be specified as in:\n"
        "http://d.dtm.pub/practice/arch.html#proto\nunkown result will be retried: ")
MANY = 100  # more than may be on their way to the hook


class AlertHook(OperationsTestCase):
    def setUp(self):
        super().setUp()
        self.hook = BranchServer()
        self.addCleanup(self.hook.close)
        self.branches.script("broken", (500, "out of order"))

    def start_with_hook(self, name, url=None, **settings):
        return self.start(name, {"AlertWebHook": url or self.hook.url("hook?team=1"), **settings})

    def fail_until(self, coordinator, gid, count):
        """Fails until there are `count` calls, without the intervals between them."""
        self.branches.wait_for_calls(1, gid)
        while len(self.branches.calls(gid)) < count:
            tried = len(self.branches.calls(gid))
            self.wait_for_why(coordinator, gid, lambda why, tried=tried:
                              why["state"] == "waiting" and len(why["attempts"]) >= tried,
                              f"waits after {tried} attempts")
            try_now(coordinator, gid)
            self.branches.wait_for_calls(tried + 1, gid)

    def bodies(self):
        return [json.loads(call.body) for call in self.hook.calls()]

    def alert(self, gid, retry_count, status="submitted", text="out of order"):
        """What the hook must be told (page 04, section 8)."""
        return {"branch": self.branches.url("broken"), "error": HINT + text, "gid": gid,
                "retry_count": retry_count, "status": status}

    def test_third_failure_and_each_further_one_is_told(self):
        coordinator = self.start_with_hook("third")
        submit(coordinator, self.saga("al1", "broken"))
        self.hook.wait_for_calls(2, timeout_s=30)  # intervals of 1, 2 and 4 s, with jitter
        for call in self.hook.calls():
            self.assertEqual((call.method, call.name, call.query), ("POST", "hook", {"team": "1"}))
            self.assertEqual(call.headers["Content-Type"], "application/json")
        self.assertEqual([body["retry_count"] for body in self.bodies()], [3, 4])
        self.assertEqual(self.bodies()[0], self.alert("al1", 3))

    def test_limit_is_configured(self):
        coordinator = self.start_with_hook("limit", AlertRetryLimit=1)
        submit(coordinator, self.saga("soon", "broken"))
        self.hook.wait_for_calls(1)
        self.assertEqual(self.bodies()[0]["retry_count"], 1)
        self.assertEqual(len(self.branches.calls("soon")), 1)

    def test_only_errors_are_told(self):
        coordinator = self.start_with_hook("only", AlertRetryLimit=0)
        self.branches.script("busy", (425, ""))
        submit(coordinator, self.saga("busy", "busy"))
        self.fail_until(coordinator, "busy", 4)
        self.branches.script("poor", (409, "no money"), (200, ""))
        submit(coordinator, self.saga("poor", "poor"))
        coordinator.wait_for_status("poor", "failed")
        # Alerts are sent in the order in which the trouble occurred.
        submit(coordinator, self.saga("last", "broken"))
        self.hook.wait_for_calls(1)
        self.assertEqual([body["gid"] for body in self.bodies()], ["last"])

    def test_compensation_is_told(self):
        coordinator = self.start_with_hook("undo", AlertRetryLimit=1)
        self.branches.script("broken", (409, "no money"), (500, "cannot undo"))
        submit(coordinator, self.saga("undo", "broken"))
        self.hook.wait_for_calls(1)
        self.assertEqual(self.bodies()[0], self.alert("undo", 1, "aborting", "cannot undo"))

    def test_refusal_of_what_may_not_fail_is_told(self):
        """Except for a saga's actions, FAILURE counts as an error (page 05, section 2.2)."""
        coordinator = self.start_with_hook("refusal", AlertRetryLimit=1)
        self.branches.script("broken", (409, "never"))
        submit(coordinator, self.msg("msg", "broken"))
        self.branches.wait_for_calls(2, "msg")
        self.hook.wait_for_calls(1)
        self.assertEqual(self.bodies()[0], self.alert("msg", 1, text="never FAILURE"))

    def test_hook_that_does_not_answer_delays_nothing(self):
        coordinator = self.start_with_hook("silent", AlertRetryLimit=1, RequestTimeout=30)
        gate = self.hook.hold("hook")
        self.addCleanup(gate.set)
        begin = time.monotonic()
        submit(coordinator, self.saga("wait", "broken"))
        self.hook.wait_for_calls(1)
        self.branches.wait_for_calls(2, "wait")
        second = time.monotonic() - begin
        self.branches.wait_for_calls(3, "wait")
        third = time.monotonic() - begin
        self.assertGreaterEqual(second, 2)
        self.assertGreaterEqual(third, 2 + 4)
        self.assertLess(third, 2 + 4 + 4, "the hook holds up the calls")
        self.hook.wait_for_calls(3)
        self.assertFalse(gate.is_set())

    def test_hooks_that_do_not_answer_are_bounded(self):
        coordinator = self.start_with_hook("many", AlertRetryLimit=1, RequestTimeout=60,
                                           ShutdownGrace=1)
        gate = self.hook.hold("hook")
        self.addCleanup(gate.set)
        for number in range(MANY):
            submit(coordinator, self.saga(f"many-{number}", "broken"))
        self.branches.wait_for_calls(MANY)
        coordinator.process.wait_for_line('"level":"warn".*alert dropped.*"gid":"many-')
        self.assertLess(len(self.hook.calls()), MANY)
        submit(coordinator, self.saga("good", "good"))
        coordinator.wait_for_status("good", "succeed")
        self.assertEqual(coordinator.terminate(), 0)

    def test_hook_that_is_down_is_logged(self):
        url = f"http://user:hook-1618@127.0.0.1:{free_port()}/hook"
        coordinator = self.start_with_hook("down", url, AlertRetryLimit=1)
        submit(coordinator, self.saga("lost", "broken"))
        coordinator.process.wait_for_line('"level":"warn".*alert not delivered.*"gid":"lost"')
        self.assertNotIn("hook-1618", coordinator.process.text())
        self.branches.script("broken", (200, ""))
        try_now(coordinator, "lost")
        coordinator.wait_for_status("lost", "succeed")

    def test_hook_that_refuses_is_logged(self):
        coordinator = self.start_with_hook("refuses", AlertRetryLimit=1)
        self.hook.script("hook", (500, "not today"))
        submit(coordinator, self.saga("refused", "broken"))
        coordinator.process.wait_for_line('"level":"warn".*alert hook answered 500.*"refused"')


if __name__ == "__main__":
    main(AlertHook, __doc__)
