"""What the tests of this directory share: a coordinator, participants, and the SDK's program."""

import json
import os
import signal
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

from concerto_testing import (  # noqa: E402  (the path has to be set first)
    Concertod, Process, free_ports, go_build, wait_until)
from shared_stores import add_store_argument, use_store  # noqa: E402

WIRES = ("http", "json-rpc", "grpc")  # of the SDK to the coordinator; kinds of branches, too
WAIT = {"wait_result": True}
FAILED = "FAILURE"  # a part of the error that the SDK's caller gets


def step(label, **answers):
    """A branch. `answers`: how an op is answered, as `failure` or `ongoing-ok`. All others succeed.
    """
    return {"label": label, "answers": answers}


class Participant:
    """Keeps its ports over `kill` and `start`."""

    def __init__(self, program, directory, name):
        self._program = program
        self._directory = directory
        self._name = name
        self._http, self._grpc = (f"127.0.0.1:{port}" for port in free_ports(2))
        self.process = None
        self._earlier_lines = []

    def start(self, *options):
        self.process = Process(self._name, [self._program, "-http", self._http, "-grpc",
                                            self._grpc, *options], self._directory)
        self.process.wait_for_line("^ready$")

    def kill(self):
        self._earlier_lines = self._lines()
        self.process.kill()

    def release(self):
        """Held calls go on, and later calls are not held."""
        os.kill(self.process.pid, signal.SIGUSR1)

    def url(self, kind, name):
        return {"http": f"http://{self._http}/busi/{name}",
                "json-rpc": f"http://{self._http}/json-rpc?method={name}",
                "grpc": f"{self._grpc}/busi.Busi/{name}"}[kind]

    def calls(self, gid):
        """The calls of a transaction, including those before a kill."""
        calls = [json.loads(line.removeprefix("call ")) for line in self._lines()]
        return [call for call in calls if call["gid"] == gid]

    def wait_for_calls(self, gid, count):
        wait_until(lambda: len(self.calls(gid)) >= count, f"{count} branch calls of {gid}")
        return self.calls(gid)

    def _lines(self):
        running = self.process.lines("^call ") if self.process.is_running() else []
        return self._earlier_lines + running


def brief(call):
    return f"{call['op']} {call['branch_id']} {call['name']}"


class SdkTest(unittest.TestCase):
    maxDiff = None
    # Only kills end calls that hang; no timeout does.
    SETTINGS = {"RetryInterval": 1, "RequestTimeout": 30}
    OPS = ()  # of the mode that a test is about
    ACCESS = {}  # how the test itself reaches the coordinator, if that wants TLS or tokens

    @classmethod
    def setUpClass(cls):
        go_build(HERE, cls.args.build_directory)
        use_store(cls)

    def setUp(self):
        name = self.id().split(".")[-1]
        self.work = os.path.join(self.directory, name)
        os.mkdir(self.work)
        place = self.store.place(name)
        self.coordinator = Concertod(self.args.concertod, self.work,
                                     {**self.SETTINGS, **place.settings}, **self.ACCESS)
        self.addCleanup(self.coordinator.kill)
        self.coordinator.start(*place.options_of_first_start)
        self.transactions = 0
        self.participant = self.start_participant("participant")

    def program(self, name):
        return os.path.join(self.args.build_directory, name)

    def start_participant(self, name):
        participant = Participant(self.program("participant"), self.work, name)
        participant.start()
        self.addCleanup(participant.kill)
        return participant

    def branches(self, kind, *steps, ops=None, participant=None):
        """Branches for `begin`, all of one kind, with URLs for each op of the mode."""
        participant = participant or self.participant
        return [{"name": each["label"],
                 **{op: participant.url(kind, "-".join([each["label"], each["answers"][op]])
                                        if op in each["answers"] else each["label"])
                    for op in ops or self.OPS}}
                for each in steps]

    def new_gid(self):
        self.transactions += 1
        return f"gid-{self.transactions}"

    def begin(self, wire, mode, branches, listen=None, **more):
        """Starts the program; returns the gid and the program."""
        gid = self.new_gid()
        transaction = {"mode": mode, "gid": gid, "branches": branches, **more}
        return gid, self.start_app(wire, gid, "-transaction", json.dumps(transaction),
                                   *(["-listen", listen] if listen else []))

    def start_app(self, wire, name, *options):
        dtm = {"http": self.coordinator.api, "grpc": self.coordinator.grpc_address,
               "json-rpc": self.coordinator.api.replace("dtmsvr", "json-rpc")}[wire]
        app = self.args.app or self.program("app")
        program = Process(name, [app, "-wire", wire, "-dtm", dtm, *options],
                          self.work)
        self.addCleanup(program.kill)
        return program

    def result(self, program):
        """How the transaction ended for the SDK's caller: `ok`, or the error."""
        return self.line_of_result(program).removeprefix("result: ")

    def line_of_result(self, program):
        # The program may have ended already, which is not a failure.
        wait_until(lambda: program.lines("^result: ") or not program.is_running(),
                   f"{program.name} has a result")
        lines = program.lines("^result: ")
        self.assertEqual(len(lines), 1, program.tail())
        return lines[0]

    def succeeded(self, program):
        self.assertEqual(self.result(program), "ok")

    def refused(self, program, pattern=FAILED):
        self.assertRegex(self.result(program), pattern)
        self.assertNotEqual(self.result(program), "ok")

    def ends(self, gid, status, calls, participant=None):
        """Checks how a transaction ends, and which branch calls it took."""
        self.coordinator.wait_for_status(gid, status)
        made = (participant or self.participant).calls(gid)
        self.assertEqual([brief(call) for call in made], calls)

    def transaction(self, gid):
        return self.coordinator.query(gid)["transaction"]

    def branch_statuses(self, gid):
        """`branch id op`: status."""
        return {f"{branch['branch_id']} {branch['op']}": branch["status"]
                for branch in self.coordinator.query(gid)["branches"]}


def add_arguments(parser):
    parser.add_argument("concertod", help="the coordinator's program", type=os.path.abspath)
    parser.add_argument("build_directory", help="where the Go programs are built",
                        type=os.path.abspath)
    parser.add_argument("--app", help="another client's program in place of the SDK's",
                        type=os.path.abspath)
    add_store_argument(parser)
