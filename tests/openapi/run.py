#!/usr/bin/env python3
"""The OpenAPI description, and whether the server keeps to it.

The server answers the sequences of tests/conformance and the requests of exercises.py. Each
answer has to be one that the description foresees, and each operation has to succeed once.
"""

import concurrent.futures
import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, os.path.join(HERE, "..", "conformance"))
sys.dont_write_bytecode = True

from concerto_testing import Concertod, http_json, main, need_module  # noqa: E402

need_module("jsonschema", "python3-jsonschema")

import exercises  # noqa: E402  (the path has to be set first, and jsonschema be there)
import refusals  # noqa: E402
from description import Description  # noqa: E402
from player import Branches, Player  # noqa: E402
from rules import broken_rules  # noqa: E402
from sequences import all_sequences  # noqa: E402
from witness import Witness  # noqa: E402

SOURCE = os.path.join(HERE, "..", "..", "net", "protocol", "openapi", "openapi.json")
PLAYERS = 8  # sequences are played at the same time, each with a gid of its own


class OpenApi(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with open(cls.args.description or SOURCE, encoding="utf-8") as file:
            cls.document = json.load(file)
        cls.coordinator = Concertod(cls.args.concertod, cls.directory,
                                    {"Backup.Directory": os.path.join(cls.directory, "backups")})
        cls.addClassCleanup(cls.coordinator.kill)
        cls.coordinator.start()
        cls.url = f"http://127.0.0.1:{cls.coordinator.http_port}"

    def test_answers_are_as_described(self):
        description = Description(self.document)
        witness = Witness(description, self.url)
        self.play_sequences(witness)
        exercises.server(witness)
        exercises.transactions(witness)
        exercises.waiting_transaction(witness)
        exercises.actions(witness)
        exercises.topics(witness)
        exercises.lists(witness, [sequence.name for sequence in all_sequences()])
        exercises.refused_by_http(witness, description.operations, self.coordinator.http_port)
        exercises.other_requests(witness, description.operations, self.url)
        problems = [*refusals.disagreements(witness, description),
                    *sorted(witness.problems.values())]
        problems += [f"{operation}: never succeeded" for operation in description.operations
                     if not {(str(operation), 200), (str(operation), 202)} & witness.met]
        if problems:
            self.fail("\n".join([f"{len(problems)} problems", *problems]))
        described = sum(len(operation.responses) for operation in description.operations)
        print(f"{witness.request_count} requests met {len(witness.met)} of {described} described "
              f"answers of {len(description.operations)} operations", flush=True)

    def test_refusals_are_as_described(self):
        """503: too much in flight, and an unknown outcome."""
        settings = {"MaxInFlight": 1, "Shards": 1, "ShutdownGrace": 1}
        with Concertod(self.args.concertod, self.directory, settings, "full") as coordinator:
            url = f"http://127.0.0.1:{coordinator.http_port}"
            witness = Witness(Description(self.document), url)
            headers = exercises.unavailable(witness, coordinator)
        self.assertEqual(list(witness.problems.values()), [])
        self.assertEqual(witness.met, {("POST /api/dtmsvr/submit", 503),
                                       ("POST /api/dtmsvr/prepare", 503)})
        self.assertIn("Retry-After", headers)

    def play_sequences(self, witness):
        branches = Branches()
        player = Player(self.url, branches, witness.call)
        with concurrent.futures.ThreadPoolExecutor(PLAYERS) as pool:
            for played in [pool.submit(player.play, sequence, no_calls(sequence))
                           for sequence in all_sequences()]:
                played.result()

    def test_description_is_sound(self):
        broken = broken_rules(self.document)
        self.assertEqual(broken, [], "\n".join(broken))

    def test_description_is_served(self):
        if self.args.description:
            self.skipTest("another description is given")
        self.assertEqual(http_json("GET", f"{self.url}/api/openapi.json"), self.document)


def no_calls(sequence):
    """What the player waits for beside each answer: here, nothing."""
    return [{"calls": []}] * len(sequence.requests)


def add_arguments(parser):
    parser.add_argument("concertod", help="the coordinator's program", type=os.path.abspath)
    parser.add_argument("--description", metavar="FILE",
                        help="hold the server against this file; it need not serve it")


if __name__ == "__main__":
    main(OpenApi, add_arguments, __doc__)
