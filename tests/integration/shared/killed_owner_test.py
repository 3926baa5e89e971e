"""One of three coordinators is killed under load while it works on many transactions. The others
take all of them over when the lease ends.

Prints how long that took, and how many per second were taken over.

Usage: killed_owner_test.py <concertod> <store> [--owned N] [--seed N]
"""

import asyncio
import json
import os
import re
import sys
import time
import unittest
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "support"), os.path.join(HERE, "..", "kill")]

from branch_server import Answer, BranchServer  # noqa: E402
from clients import submit_all  # noqa: E402
from cluster import LEASE_S, Cluster, seeded  # noqa: E402
from concerto_testing import main, wait_until  # noqa: E402
from shared_clients import SharedLoad, end_statuses  # noqa: E402
from shared_stores import SHARED_STORES, use_store  # noqa: E402
from shared_work import make_shared_work, shared_faults, shared_rule  # noqa: E402
from watched_branches import WatchedBranches  # noqa: E402

PER_SECOND = 40
HELD_S = 300.0         # longer than the test
CALLED_WITHIN_S = 30.0
SENT_S = 0.5           # for what the killed coordinator had sent
MARGIN_S = 20.0        # for the takeover, on a machine that does other work too
END_S = 90.0
SAMPLE_S = 0.1


@dataclass
class Work:
    gid: str
    body: bytes


@dataclass(frozen=True)
class Sample:
    """What the killed coordinator owned, and how much of it was due, so long after the kill."""

    after_s: float
    owned: int
    due: int


class KilledOwner(unittest.TestCase):
    def test_others_take_over_what_it_owned(self):
        self.random = seeded(self.args.seed)
        use_store(type(self))
        self.place = self.store.place("dtm")
        self.is_held = True
        with Cluster(self.args.concertod, self.directory, self.place,
                     {"RequestTimeout": int(HELD_S)}) as self.cluster, \
                BranchServer(self.answer) as self.held, \
                WatchedBranches(shared_rule, lambda: self.cluster.pids) as self.branches:
            self.killed, *self.others = self.cluster.nodes
            owned = self.let_it_own(self.args.owned)
            load = SharedLoad(self.cluster.ports, lambda number: make_shared_work(
                f"load-{number:05}", self.branches.url, self.random), self.random, PER_SECOND)
            load.start()
            time.sleep(1.0)
            samples = self.kill_and_watch(owned)
            load.stop()
            self.report(samples)
            self.check_ends(owned, load)
            self.check_lines()

    def answer(self, *_):
        return Answer(delay_s=HELD_S if self.is_held else 0.0)

    def let_it_own(self, count):
        """Submits sagas to the coordinator. Their first calls are not answered, and beyond some
        number they wait for a connection to the service."""
        works = [Work(f"owned-{number:06}", json.dumps({
            "gid": f"owned-{number:06}", "trans_type": "saga", "payloads": ["{}"],
            "steps": [{"action": self.held.url, "compensate": self.held.url}]}).encode())
            for number in range(count)]
        asyncio.run(submit_all(self.killed.http_port, works))
        gids = [work.gid for work in works]
        wait_until(lambda: any(map(self.held.calls, gids)), "a branch is called", CALLED_WITHIN_S)
        return gids

    def kill_and_watch(self, owned):
        # A first start with -r opens the store twice.
        line = self.killed.process.lines("this coordinator is cc-")[-1]
        self.node = node = re.search(r"this coordinator is (cc-\w+)", line)[1]
        self.assertGreaterEqual(self.place.owned_by(node)[0], len(owned))
        self.killed.kill()
        killed_at = time.monotonic()
        time.sleep(SENT_S)
        self.is_held = False
        self.called = {gid: len(self.held.calls(gid)) for gid in owned}
        count_left = self.place.left_of(node)
        samples = [Sample(time.monotonic() - killed_at, *count_left())]
        self.counting_s = 0.0
        while samples[-1].owned and samples[-1].after_s < LEASE_S + MARGIN_S:
            time.sleep(SAMPLE_S)
            begun = time.monotonic()
            owned, due = count_left()
            self.counting_s += time.monotonic() - begun
            samples.append(Sample(time.monotonic() - killed_at, owned, due))
        self.assertEqual(samples[-1].owned, 0, f"{samples[-1].after_s:.1f} s after the kill")
        self.assertEqual(self.place.owned_by(node)[0], 0, "by the records")
        return samples

    def check_lines(self):
        """One line for each look that took something over, whatever the number of transactions."""
        lines = [line for node in self.others
                 for line in node.process.lines(f"took over [0-9]+ transactions? of {self.node}")]
        self.assertTrue(lines)
        self.assertLess(len(lines), 50)

    def report(self, samples):
        """The rate counts the time in which the others had something to take over."""
        busy = [(before, after) for before, after in zip(samples, samples[1:])
                if before.due and after.owned < before.owned]
        taken = sum(before.owned - after.owned for before, after in busy)
        seconds = sum(after.after_s - before.after_s for before, after in busy)
        last = samples[-1].after_s
        rate = f"{taken / seconds:,.0f} per second while any were due" if seconds else "no rate"
        print(f"{self.args.store}: {samples[0].owned} owned, all taken over {last:.1f} s after the "
              f"kill (the lease and {last - LEASE_S:.1f} s); {rate}; counting took "
              f"{self.counting_s / (last - samples[0].after_s):.0%} of the time", flush=True)
        if self.args.samples:
            print("\n".join(f"{one.after_s:6.2f} s  owned {one.owned:7}  due {one.due:7}"
                            for one in samples), flush=True)

    def check_ends(self, owned, load):
        ports, begun = [node.http_port for node in self.others], time.monotonic()
        found = end_statuses(ports, owned, END_S)
        self.assertEqual([], [gid for gid in owned if found[gid] != "succeed"][:5])
        print(f"{self.args.store}: all at their end {time.monotonic() - begun:.1f} s later; "
              f"{sum(map(bool, self.called.values()))} calls were repeated", flush=True)
        again = {gid: len(self.held.calls(gid)) - self.called[gid] for gid in owned}
        self.assertEqual([], [(gid, count) for gid, count in again.items() if count < 1][:5])
        # A coordinator that a busy machine keeps from running may lose leases, too.
        lost = sum(node.metric("concerto_leases_lost_total") for node in self.others)
        more = [(gid, count) for gid, count in again.items() if count > 1]
        self.assertLessEqual(sum(count - 1 for _, count in more), lost, more[:5])
        self.assertEqual([], load.refused[:3])
        self.assertTrue(load.acknowledged)
        found = end_statuses(ports, load.acknowledged, END_S)
        for gid, work in load.acknowledged.items():
            wrong = shared_faults(work, found[gid], self.branches.calls(gid), [])
            self.assertEqual([], wrong, f"{work}")


def add_arguments(parser):
    parser.add_argument("concertod")
    parser.add_argument("store", choices=SHARED_STORES)
    parser.add_argument("--seed", type=int, help="of an earlier run, to repeat its choices")
    parser.add_argument("--owned", type=int, default=600)
    parser.add_argument("--samples", action="store_true", help="print what was owned when")


if __name__ == "__main__":
    main(KilledOwner, add_arguments, __doc__)
