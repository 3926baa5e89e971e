"""What these tests share: a coordinator, and the load as its users start it."""

import json
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import Concertod, Process, http_json, wait_until  # noqa: E402
from concerto_testing import main as run_tests  # noqa: E402

LOAD_LIMIT_S = 60.0


class LoadTestCase(unittest.TestCase):
    def start(self, name, settings=None):
        coordinator = Concertod(self.args.concertod, self.directory,
                                {"Shards": 1, "RetryInterval": 1, **(settings or {})}, name)
        self.addCleanup(coordinator.kill)
        coordinator.start()
        return coordinator

    def targets(self, coordinator):
        return ["--grpc", f"127.0.0.1:{coordinator.grpc_port}",
                "--http", f"127.0.0.1:{coordinator.http_port}"]

    def load(self, coordinator, *options):
        """Runs a short load to its end. Returns the exit code and the results."""
        command = [self.args.load, *self.targets(coordinator), "--json", "-", *options]
        for option, value in (("--warm-up", "0.05"), ("--in-flight", "8")):
            if option not in options:
                command += [option, value]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=LOAD_LIMIT_S, check=False)
        self.assertTrue(done.stdout, done.stderr)
        return done.returncode, json.loads(done.stdout)

    def start_load(self, coordinator, name, *options):
        """Starts a load that goes on until something happens to it."""
        self.json_file = os.path.join(self.directory, name + ".json")
        command = [self.args.load, *self.targets(coordinator), "--warm-up", "0", "--in-flight",
                   "8", "--json", self.json_file, "--gid-prefix", name, *options]
        load = Process(name, command, self.directory)
        self.addCleanup(load.kill)
        return load

    def results(self, load):
        """Waits for a load that was started. Returns the exit code and the results."""
        exit_code = load.wait(LOAD_LIMIT_S)
        with open(self.json_file, encoding="utf-8") as file:
            return exit_code, json.load(file)

    def assert_passed(self, exit_code, results):
        self.assertEqual((exit_code, results["passed"]), (0, True), results)
        self.assertGreater(results["transactions"], 0)
        self.assertEqual((results["failures"], results["wrong"]), (0, 0), results)


def succeeded(coordinator):
    """How many transactions have succeeded, according to one page of the list."""
    answer = http_json("GET", f"{coordinator.api}/all?limit=1000")
    return sum(row["status"] == "succeed" for row in answer["transactions"])


def wait_for_some(coordinator, load, count=20):
    """Waits until the load is in the middle of its work."""

    def has_some():
        load.check_runs()
        return succeeded(coordinator) >= count

    wait_until(has_some, f"{count} transactions have succeeded", 20)


def main(test_case, description):
    def add_arguments(parser):
        parser.add_argument("concertod")
        parser.add_argument("load")

    run_tests(test_case, add_arguments, description)
