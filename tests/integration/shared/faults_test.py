"""Faults of the server that three coordinators share, while all of them work.

While the server is away, requests get 503 with Retry-After. Nothing that was acknowledged is lost.
Within five seconds after the fault all coordinators serve again; then no request is refused.

Usage: faults_test.py <concertod> <store> [--seed N] [--rounds N] [-k fault]
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "support"), os.path.join(HERE, "..", "kill")]

from cluster import Cluster, seeded  # noqa: E402
from concerto_testing import main  # noqa: E402
from fault_load import FaultLoad  # noqa: E402
from faulty_proxy import FaultyProxy  # noqa: E402
from shared_stores import SHARED_STORES, use_store  # noqa: E402
from shared_work import shared_rule  # noqa: E402
from watched_branches import WatchedBranches  # noqa: E402

FAULT_S = 3.0


class Faults(FaultLoad):
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

    def proxy_fault(self, fault, fault_s=FAULT_S, **options):
        self.under_load(lambda: self.proxy.set_fault(fault), lambda: self.proxy.set_fault(None),
                        fault_s=fault_s, **options)

    # ---- The server is away. `refused` is the short form of the test.

    def test_away_restart(self):
        self.under_load(self.server.kill, self.server.start, fault_s=FAULT_S)

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
