"""Faults of the server that three coordinators share, while all of them work.

While the server is away, requests get 503 with Retry-After. Nothing that was acknowledged is lost,
and five seconds after the fault no request is refused.

Usage: faults_test.py <concertod> <store> [--seed N] [--rounds N] [-k fault]
"""

import os
import sys
import time
import unittest
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "support"), os.path.join(HERE, "..", "kill")]

from cluster import Cluster, seeded  # noqa: E402
from concerto_testing import main  # noqa: E402
from faulty_proxy import FaultyProxy  # noqa: E402
from shared_clients import SharedLoad, end_statuses  # noqa: E402
from shared_stores import SHARED_STORES, use_store  # noqa: E402
from shared_work import make_shared_work, shared_faults, shared_rule  # noqa: E402
from watched_branches import WatchedBranches  # noqa: E402

PER_SECOND = 60
BEFORE_S = 1.0
FAULT_S = 3.0
BACK_S = 5.0     # after the end of the fault everything is as before
AFTER_S = 1.5    # for so long that is looked at
ANSWER_S = 12.0  # in which each request has an answer, whatever is wrong
END_S = 40.0


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.random = seeded(cls.args.seed)
        use_store(cls)
        place = cls.store.place("dtm")
        cls.server = place.server
        cls.proxy = FaultyProxy(cls.server.port)
        cls.cluster = Cluster(cls.args.concertod, cls.directory, place,
                              {"Store.Port": cls.proxy.port})
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.cluster.__enter__()
        cls.branches = WatchedBranches(shared_rule, lambda: cls.cluster.pids)

    def under_load(self, begin, end, is_away=True, fault_s=FAULT_S):
        """A load in whose middle `begin` and `end` are called. `is_away`: no request can succeed
        meanwhile."""
        name = self.id().split(".")[-1][5:]
        for number in range(self.args.rounds):
            load = SharedLoad(self.cluster.ports, lambda work: make_shared_work(
                f"{name}-{number}-{work:05}", self.branches.url, self.random), self.random,
                PER_SECOND, answer_s=ANSWER_S)
            load.start()
            time.sleep(BEFORE_S)
            begin()
            begun = time.monotonic()
            time.sleep(fault_s)
            end()
            ended = time.monotonic()
            time.sleep(BACK_S + AFTER_S)
            load.stop()
            self.check_requests(name, load.sent, begun, ended, is_away)
            self.assertEqual([], load.refused[:3])
            self.assertTrue(load.acknowledged)
            self.check_ends(load.acknowledged)

    def check_requests(self, name, sent, begun, ended, is_away):
        tries = [one for request in sent for one in request.tries]
        counts = Counter(status for status, _, _ in tries)
        after = [request for request in sent if request.began > ended + BACK_S]
        back = [request.ended for request in sent if request.status == 200 and
                request.ended > ended]
        print(f"{name}: answers {dict(counts)}, the longest took "
              f"{max(seconds for _, seconds, _ in tries):.1f} s; the first success came "
              f"{min(back, default=0) - ended:.2f} s after the fault; {len(after)} requests later",
              flush=True)
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

    def proxy_fault(self, fault, **options):
        self.under_load(lambda: self.proxy.set_fault(fault), lambda: self.proxy.set_fault(None),
                        **options)

    # ---- The server is away. These are the short form of the test.

    def test_away_restart(self):
        self.under_load(self.server.kill, self.server.start)

    def test_away_refused(self):
        self.proxy_fault("refuses")

    # ---- The server, or the network, is slow.

    def test_silent(self):
        self.proxy_fault("silent", is_away=False, fault_s=8.0)

    def test_slow(self):
        self.proxy_fault("slow", is_away=False)


def add_arguments(parser):
    parser.add_argument("concertod")
    parser.add_argument("store", choices=SHARED_STORES)
    parser.add_argument("--seed", type=int, help="of an earlier run, to repeat its choices")
    parser.add_argument("--rounds", type=int, default=1)


if __name__ == "__main__":
    main(Faults, add_arguments, __doc__)
