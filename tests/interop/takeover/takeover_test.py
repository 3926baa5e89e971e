#!/usr/bin/env python3
"""Concerto and the reference on one store: each finishes what the other one has left."""

import concurrent.futures
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import (  # noqa: E402
    BranchServer, Concertod, Reference, go_build, http_json, main)
from cases import all_cases  # noqa: E402
from handover import Handover  # noqa: E402
from layout import compare, snapshot  # noqa: E402
from shared_stores import (  # noqa: E402
    SHARED_STORES, add_store_argument, reference_sqls, use_store)
from together import Together  # noqa: E402

REFERENCE_MODULE = os.path.join(HERE, "..", "..", "..", "bench", "compare", "reference")
FINISHED_S = 30.0  # The reference's leases end in 10 s.


class Takeover(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        go_build(REFERENCE_MODULE, cls.args.build_directory, "./coordinator")
        cls.sqls = reference_sqls(REFERENCE_MODULE)
        use_store(cls)

    def concerto(self, place, name, *options):
        """A running coordinator with a new store (-r), or with what the place has."""
        # With the margins of leases and alarms, the shortest polls that both servers take.
        settings = {**place.settings, "TransCronInterval": 1, "Shards": 1}
        server = Concertod(self.args.concertod, self.directory, settings, name=name)
        self.addCleanup(server.kill)
        server.start(*options)
        return server

    def reference(self, place, name):
        server = Reference(os.path.join(self.args.build_directory, "coordinator"), self.directory,
                           name, {**place.environment, "TRANS_CRON_INTERVAL": "1",
                            "CONFIG_UPDATE_INTERVAL": "1"})
        self.addCleanup(server.kill)
        return server

    def test_each_finishes_what_the_other_one_left(self):
        """In one test, because most of the time is spent on waiting."""
        flows = [self.concerto_takes_over, self.reference_takes_over, self.reference_goes_on]
        with concurrent.futures.ThreadPoolExecutor(len(flows)) as threads:
            results = [future.result() for future in [threads.submit(flow) for flow in flows]]
        faults = [fault for _, found in results for fault in found]
        self.assertEqual(faults, [])
        (theirs, _), (ours, _), _ = results
        timed = {case.name for case in all_cases() if case.is_timed}
        self.assertEqual(compare(ours, theirs, timed), [])

    def concerto_takes_over(self):
        """From a reference that was killed, in tables of the reference's scripts."""
        place = self.store.place("reference_first")
        place.make_as_reference_does(self.sqls)
        handover = Handover(place)
        first = self.reference(place, "reference-first")
        handover.begin(first)
        stored = snapshot(place, [case.name for case in handover.cases], handover.services.url(""))
        first.kill()
        for case in handover.cases:
            if case.ext_data:
                place.set_text(case.name, "ext_data", case.ext_data)
        handover.finish(self.concerto(place, "concerto-second"))
        return stored, handover.faults()

    def reference_takes_over(self):
        """From a coordinator that was killed, in tables that it has made."""
        place = self.store.place("concerto_first")
        handover = Handover(place, without_ext_data())
        first = self.concerto(place, "concerto-first", "-r")
        handover.begin(first)
        stored = snapshot(place, [case.name for case in handover.cases], handover.services.url(""))
        first.kill()
        handover.finish(self.reference(place, "reference-second"))
        return stored, handover.faults()

    def reference_goes_on(self):
        """After a coordinator that was stopped in order."""
        place = self.store.place("concerto_stops")
        handover = Handover(place, without_ext_data())
        first = self.concerto(place, "concerto-stops", "-r")
        handover.begin(first)
        first.terminate()
        handover.finish(self.reference(place, "reference-goes-on"))
        return None, handover.faults()

    def test_both_make_the_same_tables(self):
        if self.args.store == "redis":
            self.skipTest("Redis has no tables")
        theirs, ours = self.store.place("reference_tables"), self.store.place("concerto_tables")
        theirs.make_as_reference_does(self.sqls)
        self.concerto(ours, "concerto-tables", "-r").kill()
        self.assertEqual(ours.columns(), theirs.columns())
        self.assertEqual(ours.keys(), theirs.keys())

    def test_both_together(self):
        place = self.store.place("together")
        place.make_as_reference_does(self.sqls)
        together = Together(self.concerto(place, "concerto-beside"),
                            self.reference(place, "reference-beside"))
        together.run(self.args.seconds)
        self.assertEqual(together.faults(place), [])
        print(together.summary(), flush=True)

    def test_both_register_branches_of_one_transaction(self):
        """Each branch is confirmed, whichever server registered it, although Concerto keeps the
        transaction in memory until the reference makes no calls any more."""
        place = self.store.place("registered")
        place.make_as_reference_does(self.sqls)
        ours, theirs = self.concerto(place, "concerto-one"), self.reference(place, "reference-one")
        branches = BranchServer()
        self.addCleanup(branches.close)
        trans = {"gid": "registered", "trans_type": "tcc"}
        http_json("POST", f"{theirs.api}/prepare", trans)
        url = branches.url("branch")
        for branch_id, server in (("01", ours), ("02", ours), ("03", theirs)):
            http_json("POST", f"{server.api}/registerBranch", {
                **trans, "branch_id": branch_id, "data": "{}", "confirm": url, "cancel": url})
        http_json("POST", f"{ours.api}/submit", trans)
        ours.wait_for_status("registered", "succeed", FINISHED_S)
        called = [(call.query["op"], call.query["branch_id"]) for call in branches.calls()]
        self.assertEqual(sorted(called), [("confirm", "01"), ("confirm", "02"), ("confirm", "03")])


def without_ext_data():
    """The cases of which Concerto makes all parts itself."""
    return [case for case in all_cases() if not case.ext_data]


def add_arguments(parser):
    parser.add_argument("concertod", help="the coordinator's program", type=os.path.abspath)
    parser.add_argument("build_directory", help="where the reference is built",
                        type=os.path.abspath)
    parser.add_argument("--seconds", type=float, default=4.0, help="of load on both servers")
    add_store_argument(parser, SHARED_STORES)


if __name__ == "__main__":
    main(Takeover, add_arguments, __doc__)
