#!/usr/bin/env python3
"""concerto::client and the Go SDK send the same, and have the same effect at both servers.

A recorder stands between each program and its coordinator, and serves the branches: so it notes
every request. `differences.py` has the differences on purpose.
"""

import concurrent.futures
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(TESTS, "support"))
sys.dont_write_bytecode = True

from concerto_testing import (  # noqa: E402
    Concertod, Reference, go_build, http_json, main, wait_until)
from differences import settled, unused  # noqa: E402
from programs import Recorder, run  # noqa: E402
from scenarios import at_coordinators, new_gids, requests  # noqa: E402
from transcripts import branch_call, first_difference, readable  # noqa: E402

SDK_MODULE = os.path.join(TESTS, "interop", "gosdk")
REFERENCE_MODULE = os.path.join(TESTS, "..", "bench", "compare", "reference")
AT_THE_SAME_TIME = 12
ENDS_S = 40.0


def in_parallel(work, rows):
    """The results of `work` by row. Most of the time is spent on waiting."""
    with concurrent.futures.ThreadPoolExecutor(AT_THE_SAME_TIME) as threads:
        return dict(zip(rows, threads.map(lambda row: work(*row), rows)))


class Client(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        go_build(SDK_MODULE, cls.args.go_programs)
        cls.programs = {"sdk": os.path.join(cls.args.go_programs, "app"),
                        "ours": cls.args.client_app}

    def recorder(self, name, coordinator=None):
        recorder = Recorder(os.path.join(self.args.go_programs, "recorder"), self.directory, name,
                            coordinator)
        self.addCleanup(recorder.close)
        return recorder

    def make(self, recorder, scenario, wire, client, apart=False):
        """Makes the transaction; returns what was sent, and whether the client was told ok."""
        gid = "new-gid" if "gid" in scenario.transaction else f"{scenario.name}-{wire}-{client}"
        told = run(self.programs[client], recorder, wire, scenario, gid, apart)
        self.assertNotRegex(told, "^no result", f"{gid}: {told}")
        return readable(recorder.requests(gid), gid), told == "ok"

    def compare(self, wanted, found):
        """Of two results of `make`."""
        difference = first_difference(wanted[0], found[0])
        if not difference and wanted[1] != found[1]:
            difference = f"ok\n  SDK  {wanted[1]}\n  ours {found[1]}"
        return difference

    def test_requests_are_those_of_the_sdk(self):
        recorder = self.recorder("recorder")
        scenarios = [scenario for scenario in requests()
                     if self.args.scenario in scenario.name or self.args.scenario in scenario.like]
        rows = [(scenario, wire, client) for scenario in scenarios for wire in scenario.wires
                for client in self.programs if client == "ours" or not scenario.like]
        made = in_parallel(lambda *row: self.make(recorder, *row), rows)
        if not self.args.scenario:
            for scenario in new_gids():
                for wire in scenario.wires:
                    for client in self.programs:
                        row = scenario, wire, client
                        made[row] = self.make(recorder, *row)
        made = {(scenario, wire, client): (settled(sent, wire), ok)
                for (scenario, wire, client), (sent, ok) in made.items()}
        self.check_requests(made)

    def check_requests(self, made):
        sdk = {(scenario.name, wire): result for (scenario, wire, client), result in made.items()
               if client == "sdk"}
        faults = []
        for (scenario, wire, client), result in made.items():
            if client == "ours":
                wanted = sdk[scenario.like or scenario.name, wire]
                difference = self.compare(wanted, result)
                if difference:
                    faults.append(f"{scenario.name} over {wire}: {difference}")
        self.assertEqual(faults, [], "\n".join(faults))
        self.assertGreater(len(made), 0)
        if not self.args.scenario:
            self.assertEqual(unused(), [], "such differences are not there any more")
        print(f"{len(made)} transactions", end=" ", flush=True)


    def test_effects_are_those_of_the_sdk(self):
        """Both clients at both servers: the same requests, calls of branches and end."""
        go_build(REFERENCE_MODULE, self.args.reference, "./coordinator")
        ours = Concertod(self.args.concertod, self.directory,
                         {"RetryInterval": 1, "TransCronInterval": 1, "Shards": 1})
        self.addCleanup(ours.kill)
        ours.start()
        reference = Reference(os.path.join(self.args.reference, "coordinator"), self.directory,
                              env={"TRANS_CRON_INTERVAL": "1"})
        self.addCleanup(reference.kill)
        servers = {"concertod": ours, "reference": reference}
        recorders = {name: self.recorder(
            f"recorder-{name}", (f"http://127.0.0.1:{server.http_port}",
                                 f"127.0.0.1:{server.grpc_port}"))
                     for name, server in servers.items()}
        scenarios = [scenario for scenario in at_coordinators()
                     if self.args.scenario in scenario.name
                     and (self.args.all or not scenario.slow)]
        rows = [(scenario, wire, client, server) for number, scenario in enumerate(scenarios)
                for wire in self.wires(scenario, number)
                for client in self.programs for server in servers]

        told = in_parallel(lambda scenario, wire, client, server: self.make(
            recorders[server], scenario, wire, client, apart=True)[1], rows)
        self.check_effects({row: (*self.end(recorders, servers, *row), told[row])
                            for row in rows})

    def wires(self, scenario, number):
        """All of them, or one: scenarios take turns."""
        turn = number % len(scenario.wires)
        return scenario.wires if self.args.all else scenario.wires[turn:turn + 1]

    def end(self, recorders, servers, scenario, wire, client, server):
        """All requests and the status of a transaction at its end."""
        gid = f"{scenario.name}-{wire}-{client}"
        api, last = servers[server].api, []

        def ends():
            transaction = http_json("GET", f"{api}/query?gid={gid}")["transaction"]
            last[:] = [transaction and transaction["status"]]
            return last[0] in ("succeed", "failed") or not scenario.ends

        wait_until(ends, f"{gid} ends at {server}", ENDS_S)
        return readable(recorders[server].requests(gid), gid), last[0]

    def check_effects(self, effects):
        faults = []
        for (scenario, wire, client, server), (sent, status, ok) in effects.items():
            name = f"{scenario.name} over {wire}, {client} at {server}"
            if client == "ours":
                wanted, _, wanted_ok = effects[scenario, wire, "sdk", server]
                difference = self.compare((settled(wanted, wire), wanted_ok),
                                          (settled(sent, wire), ok))
                if difference:
                    faults.append(f"{name}: {difference}")
            wanted, wanted_status, _ = effects[scenario, wire, "sdk", "reference"]
            for what, here, there in (("status", status, wanted_status),
                                      ("calls", calls(sent), calls(wanted))):
                if here != there:
                    faults.append(f"{name}: {what}\n  {here}\n  SDK at the reference\n  {there}")
        self.assertEqual(faults, [], "\n".join(faults))
        print(f"{len(effects)} transactions", end=" ", flush=True)


def calls(sent):
    """The calls of branches among the requests, whoever made them."""
    return [branch_call(request) for request in sent if request["to"] == "branch"]


def add_arguments(parser):
    parser.add_argument("concertod", help="the coordinator's program", type=os.path.abspath)
    parser.add_argument("client_app", help="the program that uses concerto::client",
                        type=os.path.abspath)
    parser.add_argument("go_programs", help="where the SDK's programs are built",
                        type=os.path.abspath)
    parser.add_argument("reference", help="where the reference is built", type=os.path.abspath)
    parser.add_argument("--all", action="store_true",
                        help="real coordinators get each scenario over each protocol")
    parser.add_argument("--scenario", default="", help="only scenarios whose name contains this")


if __name__ == "__main__":
    main(Client, add_arguments, __doc__)
