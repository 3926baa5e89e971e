"""Three coordinators on one store: kill -9 and SIGSTOP at random while all of them work, with an
external ledger as judge.

Usage: kill_test.py <concertod> <store> [--seed N] [--rounds N]
"""

import os
import sys
import time
import unittest
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "support"), os.path.join(HERE, "..", "kill")]

from cluster import LEASE_S, Cluster, seeded  # noqa: E402
from concerto_testing import main  # noqa: E402
from shared_clients import SharedLoad, end_statuses  # noqa: E402
from shared_stores import SHARED_STORES, use_store  # noqa: E402
from shared_work import make_shared_work, shared_faults, shared_rule  # noqa: E402
from watched_branches import WatchedBranches  # noqa: E402

LEASES_LOST = "concerto_leases_lost_total"
PER_SECOND = 120
END_S = 40.0  # Everything has to end in this time after the last fault.


class Kill(unittest.TestCase):
    def test_nothing_is_lost_and_nothing_ends_two_ways(self):
        self.random = seeded(self.args.seed)
        use_store(type(self))
        with Cluster(self.args.concertod, self.directory,
                     self.store.place("dtm")) as self.cluster, \
                WatchedBranches(shared_rule, lambda: self.cluster.pids) as self.branches:
            begin, ended = time.monotonic(), {}
            for number in range(self.args.rounds):
                ended.update(self.one_round(f"r{number:03}"))
            self.check_again(ended)
        print(f"{self.args.rounds} rounds, {len(ended)} transactions, "
              f"{time.monotonic() - begin:.0f} s", flush=True)

    def one_round(self, name):
        """Load, faults, the end of everything. Returns gid -> status."""
        load = SharedLoad(self.cluster.ports, lambda number: make_shared_work(
            f"{name}-{number:05}", self.branches.url, self.random), self.random, PER_SECOND)
        load.start()
        paused, lost_before = self.disturb()
        load.stop()
        stopped = time.monotonic()
        self.assertEqual([], load.refused[:3])
        self.assertTrue(load.acknowledged)
        found = end_statuses(self.cluster.ports, load.acknowledged, END_S)
        self.judge(load.acknowledged, found)
        lost = paused.metric(LEASES_LOST) - lost_before
        self.assertGreater(lost, 0, "the pause has cost no lease, so it has shown nothing")
        kinds = Counter(work.kind for work in load.acknowledged.values())
        print(f"{name}: {len(found)} acknowledged ({dict(kinds)}), all at their end "
              f"{time.monotonic() - stopped:.1f} s later, {lost:.0f} leases lost by the pause, "
              f"{len(self.branches.overlaps)} calls at "
              "two places across a lease's end", flush=True)
        return found

    def disturb(self):
        """A pause longer than the lease in a random place among kills; one of these comes while
        the other coordinator stands still, so that one of three works alone. Returns the one that
        stood still, and how many leases it had lost before."""
        nodes = self.random.sample(self.cluster.nodes, 3)
        for step in self.random.choice((("kill", "pause"), ("pause", "kill"))):
            self.wait(0.3, 1.0)
            if step == "kill":
                self.kill(nodes[0])
                continue
            lost_before = nodes[1].metric(LEASES_LOST)
            self.cluster.pause(nodes[1])
            end = time.monotonic() + LEASE_S + self.random.uniform(1.0, 2.5)
            self.wait(0.0, 2.0)
            self.kill(nodes[2])
            time.sleep(max(0.0, end - time.monotonic()))
            self.cluster.go_on(nodes[1])
        self.wait(0.5, 1.0)
        return nodes[1], lost_before

    def kill(self, node):
        node.kill()
        self.wait(0.0, 1.0)
        node.start()

    def wait(self, least_s, most_s):
        time.sleep(self.random.uniform(least_s, most_s))

    def judge(self, works, found):
        for gid, work in works.items():
            calls = self.branches.calls(gid)
            wrong = shared_faults(work, found[gid], calls, self.cluster.pauses)
            if wrong:
                self.fail("\n".join([f"{work}", *wrong, *(f"  {call}" for call in calls),
                                     f"{self.cluster.pauses}"]))
        for overlap in self.branches.overlaps:
            self.assertTrue(overlap.is_explained(self.cluster.pauses),
                            f"{overlap}\n{self.cluster.pauses}")

    def check_again(self, ended):
        """Every coordinator shows the same, and finished transactions stay as they are."""
        calls = {gid: len(self.branches.calls(gid)) for gid in ended}
        for port in self.cluster.ports:
            self.assertEqual(end_statuses([port], ended, END_S), ended)
        self.assertEqual({gid: len(self.branches.calls(gid)) for gid in ended}, calls)


def add_arguments(parser):
    parser.add_argument("concertod")
    parser.add_argument("store", choices=SHARED_STORES)
    parser.add_argument("--seed", type=int, help="of an earlier run, to repeat its choices")
    parser.add_argument("--rounds", type=int, default=1)


if __name__ == "__main__":
    main(Kill, add_arguments, __doc__)
