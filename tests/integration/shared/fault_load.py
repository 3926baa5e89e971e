"""Faults of the server that several coordinators share, while all of them work."""

import time
import unittest
from collections import Counter

from concerto_testing import wait_until
from shared_clients import SharedLoad, end_statuses
from shared_work import make_shared_work, shared_faults

PER_SECOND = 60
BEFORE_S = 1.0
BACK_S = 5.0     # in which every coordinator serves again after the end of the fault
SETTLE_S = 0.5   # in which every connection to the server is used once more
AFTER_S = 1.0    # for so long no request is refused then
ANSWER_S = 12.0  # in which each request has an answer, whatever is wrong
END_S = 40.0


class FaultLoad(unittest.TestCase):
    """`cluster`, `branches` and `random` are set by the test."""

    def under_load(self, begin, end, is_away=True, fault_s=0.0):
        """A load in whose middle `begin` and, `fault_s` later, `end` are called. `is_away`:
        requests are refused meanwhile."""
        name = self.id().split(".")[-1][5:]
        for number in range(self.args.rounds):
            load = SharedLoad(self.cluster.ports, lambda work: make_shared_work(
                f"{name}-{number}-{work:05}", self.branches.url, self.random), self.random,
                PER_SECOND, answer_s=ANSWER_S)
            load.start()
            time.sleep(BEFORE_S)
            begin()
            time.sleep(fault_s)
            end()
            ended = time.monotonic()
            if is_away:
                wait_until(self.all_serve, "all coordinators serve again", BACK_S - SETTLE_S)
                time.sleep(SETTLE_S)
            else:
                time.sleep(BACK_S)
            served = time.monotonic()
            time.sleep(AFTER_S)
            load.stop()
            self.check_requests(name, load.sent, ended, served, is_away)
            self.assertEqual([], load.refused[:3])
            self.assertGreater(len(load.acknowledged), 0)
            self.check_ends(load.acknowledged)

    def all_serve(self):
        return all(node.metric('concerto_store_state{state="serving"}') == 1
                   for node in self.cluster.nodes)

    def check_requests(self, name, sent, ended, served, is_away):
        tries = [one for request in sent for one in request.tries]
        counts = Counter(status for status, _, _ in tries)
        after = [request for request in sent if request.began > served]
        print(f"{name}: answers {dict(counts)}, the longest took "
              f"{max(seconds for _, seconds, _ in tries):.1f} s; all served "
              f"{served - ended:.2f} s after the fault; {len(after)} requests later", flush=True)
        self.assertEqual(counts[None], 0, "requests without an answer")
        for status, _, headers in tries:
            self.assertTrue(status != 503 or "retry-after" in headers, headers)
        if is_away:
            self.assertGreater(counts[503], 0)
        self.assertGreater(len(after), 0)
        refused = [request for request in after if len(request.tries) > 1]
        self.assertEqual([], refused[:3], f"{len(refused)} of {len(after)} were refused")

    def check_ends(self, works):
        found = end_statuses(self.cluster.ports, works, END_S)
        for gid, work in works.items():
            calls = self.branches.calls(gid)
            wrong = shared_faults(work, found[gid], calls, [])
            if wrong:
                self.fail("\n".join([f"{work}", *wrong, *(f"  {call}" for call in calls)]))
