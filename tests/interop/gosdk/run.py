#!/usr/bin/env python3
"""The official Go SDK against the coordinator, over HTTP, JSON-RPC and gRPC.

Each scenario is one transaction of the program in this directory, which serves the branches too.
Checked are the calls that its branches get, what its caller hears, and the coordinator's own state.
"""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

from concerto_testing import (  # noqa: E402  (the path has to be set first)
    Concertod, Process, free_port, go_build, http_json, main)

OUTPUT = "^(call|do|undo|result:) "
FAILED = "result: .*FAILURE"


class GoSdk(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.work = os.path.join(self.directory, self.id().split(".")[-1])
        os.mkdir(self.work)
        go_build(HERE, self.args.build_directory)
        self.coordinator = Concertod(self.args.concertod, self.work)
        self.addCleanup(self.coordinator.kill)
        self.coordinator.start()
        self.scenarios = 0

    def start(self, wire, scenario, port=None):
        """Starts the program with a scenario; returns it and the gid."""
        self.scenarios += 1
        gid = f"{wire}-{self.scenarios}"
        dtm = {"http": self.coordinator.api, "grpc": self.coordinator.grpc_address,
               "json-rpc": self.coordinator.api.replace("dtmsvr", "json-rpc")}[wire]
        program = Process(gid, [os.path.join(self.args.build_directory, "gosdk"), "-wire", wire,
                                "-dtm", dtm, "-listen", f"127.0.0.1:{port or free_port()}",
                                "-scenario", scenario, "-gid", gid], self.work)
        self.addCleanup(program.kill)
        return program, gid

    def check(self, wire, scenario, result, status, *want, port=None):
        """`want`: what the program prints besides its result."""
        with self.subTest(wire=wire, scenario=scenario):
            program, gid = self.start(wire, scenario, port)
            self.assertRegex(program.wait_for_line("^result: "), result)
            self.coordinator.wait_for_status(gid, status)
            printed = [line for line in program.lines(OUTPUT) if not line.startswith("result")]
            self.assertEqual(printed, list(want))
            program.kill()

    def test_saga(self):
        for wire in ("http", "json-rpc", "grpc"):
            self.check(wire, "saga:a,b", "result: ok", "succeed",
                       "call action 01 a", "call action 02 b")
            self.check(wire, "saga:a,fail", FAILED, "failed",
                       "call action 01 a", "call action 02 fail", "call compensate 02 fail",
                       "call compensate 01 a")

    def test_tcc(self):
        for wire in ("http", "json-rpc", "grpc"):
            self.check(wire, "tcc:a,b", "result: ok", "succeed", "call try 01 a", "call try 02 b",
                       "call confirm 02 b", "call confirm 01 a")
            self.check(wire, "tcc:a,fail", "result: .", "failed", "call try 01 a",
                       "call try 02 fail", "call cancel 02 fail", "call cancel 01 a")

    def test_topic(self):
        for wire in ("http", "grpc"):
            topic, port = f"news-{wire}", free_port()
            host = f"127.0.0.1:{port}"
            for url in ({"http": (f"http://{host}/busi/x", f"http://{host}/busi/y"),
                         "grpc": (f"{host}/busi.Busi/Call",)}[wire]):
                http_json("GET", f"{self.coordinator.api}/subscribe?topic={topic}&url={url}")
            calls = {"http": ("call action 01-01 x", "call action 01-02 y"),
                     "grpc": (f"call action 01 {topic}",)}[wire]
            self.check(wire, f"topic:{topic}", "result: ok", "succeed", *calls, port=port)

    def test_workflow(self):
        for wire in ("http", "grpc"):
            self.check(wire, "workflow:plain", "result: ok", "succeed", "do a", "do b")
            self.check(wire, "workflow:fail", FAILED, "failed", "do a", "do b", "undo a")
            # The coordinator calls the application back; what was recorded is not done again.
            self.check(wire, "workflow:resume", "result: the application breaks off", "succeed",
                       "do a", "do b")


def add_arguments(parser):
    parser.add_argument("concertod", help="the coordinator's program", type=os.path.abspath)
    parser.add_argument("build_directory", help="where the Go program is built",
                        type=os.path.abspath)


if __name__ == "__main__":
    main(GoSdk, add_arguments, __doc__)
