"""Why a transaction is where it is: `GET /api/concerto/why`.

Usage: why_test.py <concertod>
"""

from datetime import datetime, timezone

from operations_test_case import OperationsTestCase, get, main, post, submit, try_now, why

from concerto_testing import free_port, wait_until
from told_states import check_told_states

ATTEMPTS_MAX = 16  # attempts kept of one transaction
ANSWER_BYTES_MAX = 256


def at(text):
    return datetime.fromisoformat(text)


class Why(OperationsTestCase):
    def setUp(self):
        super().setUp()
        self.begin = datetime.now(timezone.utc)
        self.coordinator = self.start(self._testMethodName, {
            "RetryInterval": 30, "TimeoutToFail": 60, "TimeZoneOffset": "0"})

    def fail_once(self, request):
        """Submits, and returns the answer to "why" after the first attempt and its pass."""
        submit(self.coordinator, request)
        return self.wait_for_why(self.coordinator, request["gid"],
                                 lambda why: why["state"] == "waiting" and why["attempts"],
                                 "waits after an attempt")

    def check_attempt(self, attempt, result, op="action"):
        """What every attempt says: who was called when, for how long, and how the call ended."""
        now = datetime.now(timezone.utc)
        self.assertEqual(sorted(attempt), ["answer", "branch_id", "latency_ms", "next_try_time",
                                           "op", "result", "time", "url"])
        self.assertEqual((attempt["op"], attempt["result"]), (op, result))
        self.assertTrue(self.begin <= at(attempt["time"]) <= now, attempt)
        self.assertTrue(0 < attempt["latency_ms"] < (now - self.begin).total_seconds() * 1000)

    def check_retry(self, found, interval_s):
        """The transaction waits for its next attempt, which comes `interval_s` (with a jitter of
        1/16) after the last one."""
        last = found["attempts"][-1]
        self.assertEqual(last["next_try_time"], found["next_attempt_time"])
        pause = (at(found["next_attempt_time"]) - at(last["time"])).total_seconds()
        latency = last["latency_ms"] / 1000
        self.assertGreaterEqual(pause, interval_s)
        self.assertLess(pause, interval_s * 17 / 16 + latency + 2)

    def test_a_young_message_and_a_stop_as_in_every_store(self):
        check_told_states(self, self.coordinator, self.branches)

    def test_branch_answers_500(self):
        self.branches.script("broken", (500, "out of order"))
        found = self.fail_once(self.saga("g500", "broken"))
        self.assertEqual([found[key] for key in ("gid", "trans_type", "status", "state")],
                         ["g500", "saga", "submitted", "waiting"])
        (attempt,) = found["attempts"]
        self.check_attempt(attempt, "error")
        self.assertEqual((attempt["branch_id"], attempt["answer"]),
                         ("01", "HTTP status 500: out of order"))
        self.assertEqual(attempt["url"], self.branches.url("broken"))
        self.check_retry(found, 60)  # an error doubles the interval
        self.assertEqual(found["explanation"],
                         f"the last call, branch 01 action at {self.branches.url('broken')}, "
                         "ended in error: HTTP status 500: out of order; tried at once when "
                         f"{self.branches.url('').rstrip('/')} answers again")

    def test_branch_answers_425(self):
        self.branches.script("busy", (425, "not yet"))
        found = self.fail_once(self.saga("g425", "busy"))
        self.check_attempt(found["attempts"][0], "ongoing")
        self.check_retry(found, 30)
        self.assertIn("ended in ongoing", found["explanation"])

    def test_compensation_fails(self):
        self.branches.script("refuses", (409, "no money"), (500, "cannot undo"))
        found = self.fail_once(self.saga("undo", "refuses"))
        self.assertEqual(found["status"], "aborting")
        first, second = found["attempts"]
        self.check_attempt(first, "failure")
        self.assertEqual(first["answer"], "no money FAILURE")
        self.check_attempt(second, "error", "compensate")
        self.check_retry(found, 60)

    def test_branch_is_unreachable(self):
        found = self.fail_once(self.saga("gone", f"http://127.0.0.1:{free_port()}/a"))
        self.check_attempt(found["attempts"][0], "error")
        self.assertIn("refused", found["attempts"][0]["answer"].lower())

    def test_branch_does_not_answer(self):
        gate = self.branches.hold("silent")
        self.addCleanup(gate.set)
        submit(self.coordinator, self.saga("silent", "silent", request_timeout=1))
        self.branches.wait_for_calls(1)
        found = why(self.coordinator, "silent")
        self.assertEqual((found["state"], found["attempts"]), ("running", []))
        self.assertIsNone(found["next_attempt_time"])
        self.assertEqual(found["explanation"],
                         f"calls branch 01 action at {self.branches.url('silent')}")
        found = self.wait_for_why(self.coordinator, "silent",
                                  lambda why: why["state"] == "waiting", "waits after 1 s")
        self.check_attempt(found["attempts"][0], "error")
        self.assertGreaterEqual(found["attempts"][0]["latency_ms"], 1000)
        self.assertRegex(found["attempts"][0]["answer"], "time|deadline")

    def test_answer_is_cut(self):
        # The cut would be in the middle of a character of two bytes.
        self.branches.script("long", (500, "x" + "é" * 10_000))
        found = self.fail_once(self.saga("long", "long"))
        begin = "HTTP status 500: "
        self.assertEqual(found["attempts"][0]["answer"],
                         begin + "x" + "é" * ((ANSWER_BYTES_MAX - len(begin) - 1) // 2))
        self.assertLess(len(found["explanation"]), 2 * ANSWER_BYTES_MAX)

    def test_msg_is_delayed(self):
        submit(self.coordinator, self.msg("later", "never", custom_data='{"delay":100}'))
        found = self.wait_for_why(self.coordinator, "later", lambda why: why["state"] == "waiting",
                                  "waits")
        self.assertEqual(found["explanation"], "waits for its delay of 100 seconds")
        self.assertEqual(found["attempts"], [])
        wait = (at(found["next_attempt_time"]) - self.begin).total_seconds()
        self.assertTrue(100 <= wait < 110, wait)
        self.assertEqual(self.branches.calls(), [])

    def test_tcc_is_prepared(self):
        post(self.coordinator, "prepare", {"gid": "open", "trans_type": "tcc"})
        found = why(self.coordinator, "open")
        self.assertEqual((found["status"], found["state"]), ("prepared", "prepared"))
        self.assertEqual(found["explanation"], "its application has not submitted it; "
                                               "after 60 seconds it rolls back")
        wait = (at(found["next_attempt_time"]) - self.begin).total_seconds()
        self.assertTrue(60 <= wait < 70, wait)

    def test_msg_is_prepared(self):
        asked = self.branches.url("ask")
        post(self.coordinator, "prepare", self.msg("ask", "a", query_prepared=asked))
        self.assertEqual(why(self.coordinator, "ask")["explanation"],
                         "its application has not submitted it; after 60 seconds the coordinator "
                         f"asks {asked}")

    def test_workflow_is_prepared(self):
        resume = self.branches.url("resume")
        answer = post(self.coordinator, "prepareWorkflow", {
            "gid": "flow", "trans_type": "workflow", "query_prepared": resume,
            "custom_data": '{"name":"shop","data":"e30="}'})
        self.assertEqual(answer.status, 200, answer.body)
        found = why(self.coordinator, "flow")
        self.assertEqual(found["state"], "prepared")
        self.assertEqual(found["explanation"], "its application has not submitted it; the "
                                               f"coordinator calls {resume} to resume it")
        wait = (at(found["next_attempt_time"]) - self.begin).total_seconds()
        self.assertTrue(30 <= wait < 40, wait)
        self.branches.script("resume", (500, "no such workflow"))
        try_now(self.coordinator, "flow")
        found = self.wait_for_why(self.coordinator, "flow", lambda why: why["attempts"],
                                  "has an attempt")
        self.check_attempt(found["attempts"][0], "error", "shop")

    def test_finished(self):
        submit(self.coordinator, self.saga("good", "a"))
        self.coordinator.wait_for_status("good", "succeed")
        self.branches.script("poor", (409, "no money"), (200, ""))
        submit(self.coordinator, self.saga("bad", "poor"))
        self.coordinator.wait_for_status("bad", "failed")
        good, bad = (why(self.coordinator, gid) for gid in ("good", "bad"))
        for found in (good, bad):
            self.assertEqual((found["state"], found["next_attempt_time"]), ("finished", None))
        self.assertEqual((good["explanation"], good["attempts"]), ("succeed", []))
        self.assertEqual(bad["explanation"], f"failed: url:{self.branches.url('poor')} "
                                             "return failed: no money FAILURE")
        self.assertEqual([(attempt["op"], attempt["result"]) for attempt in bad["attempts"]],
                         [("action", "failure"), ("compensate", "success")])

    def test_unknown_gid(self):
        answer = get(self.coordinator, "/api/concerto/why?gid=nobody")
        self.assertEqual(answer.status, 404)
        self.assertIn("nobody", answer.json()["message"])
        self.assertEqual(get(self.coordinator, "/api/concerto/why").status, 400)

    def test_transaction_is_queued_at_its_target(self):
        coordinator = self.start("line", {"MaxWakesPerTarget": 1})
        self.branches.script("line", (425, ""))
        gids = ["line-1", "line-2"]
        for gid in gids:
            submit(coordinator, self.saga(gid, "line", request_timeout=60))
        for gid in gids:
            self.wait_for_why(coordinator, gid, lambda why: why["attempts"], "has an attempt")
        gate = self.branches.hold("line")
        self.branches.script("line", (200, ""))

        def is_queued():
            found = [why(coordinator, gid) for gid in gids]
            return [why for why in found if "waits for room" in why["explanation"]]

        (found,) = wait_until(is_queued, "one of them is queued")
        self.assertEqual(found["state"], "waiting")
        self.assertIn(f"room at {self.branches.url('').rstrip('/')}, ", found["explanation"])
        self.assertIn("at most 1 at one time", found["explanation"])
        self.assertGreaterEqual(len(found["attempts"]), 1)
        gate.set()
        for gid in gids:
            coordinator.wait_for_status(gid, "succeed")
        # The time has come; when there will be a slot is not known.
        self.assertIsNone(found["next_attempt_time"])

    def test_last_attempts_of_a_transaction_are_kept(self):
        count = ATTEMPTS_MAX + 4
        answers = [f"answer {number}" for number in range(count)]
        self.branches.script("flaky", *((500, answer) for answer in answers), (200, ""))
        submit(self.coordinator, self.saga("many", "flaky"))
        answers = [f"HTTP status 500: {answer}" for answer in answers]
        for answer in answers:
            found = self.wait_for_why(
                self.coordinator, "many",
                lambda why: why["state"] == "waiting" and why["attempts"][-1]["answer"] == answer,
                f"waits after {answer}")
            try_now(self.coordinator, "many")
        self.assertEqual([attempt["answer"] for attempt in found["attempts"]],
                         answers[-ATTEMPTS_MAX:])
        self.coordinator.wait_for_status("many", "succeed")
        found = why(self.coordinator, "many")
        self.check_attempt(found["attempts"][-1], "success")
        self.assertEqual((len(found["attempts"]), found["attempts"][-1]["next_try_time"]),
                         (ATTEMPTS_MAX, None))

    def test_last_transactions_in_trouble_are_kept(self):
        self.coordinator = self.start("journal", {"MaxJournal": 5, "RetryInterval": 30})
        self.branches.script("broken", (500, "out of order"))
        gids = [f"trouble-{number}" for number in range(20)]
        for gid in gids:
            self.fail_once(self.saga(gid, "broken"))
        known = [gid for gid in gids if why(self.coordinator, gid)["attempts"]]
        self.assertEqual(known, gids[-5:])
        found = why(self.coordinator, gids[0])
        self.assertEqual(found["state"], "waiting")
        self.assertIn("earlier attempts are not known", found["explanation"])
        self.assertIsNotNone(found["next_attempt_time"])

    def test_next_attempt_is_known_after_a_restart(self):
        self.branches.script("broken", (500, "out of order"))
        before = self.fail_once(self.saga("again", "broken"))
        self.assertEqual(self.coordinator.terminate(), 0)
        self.coordinator.start()
        after = why(self.coordinator, "again")
        self.assertEqual((after["state"], after["attempts"]), ("waiting", []))
        self.assertEqual(after["next_attempt_time"], before["next_attempt_time"])


if __name__ == "__main__":
    main(Why, __doc__)
