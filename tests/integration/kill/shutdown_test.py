"""SIGTERM while branches work: who waits is told, the program ends in time, a restart goes on.

Usage: shutdown_test.py <concertod>
"""

import json
import os
import signal
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

from branch_server import Answer, BranchServer  # noqa: E402
from concerto_testing import Concertod, http_call, http_json, main, wait_until  # noqa: E402

GRACE_S = 1
SLOW_S = 2.5  # longer than the grace, shorter than a branch call may take
END_S = 15.0


class Waiters:
    """Clients that each submit a saga and wait for the result."""

    def __init__(self, coordinator, url, gids):
        self.answers = {}
        self._threads = [threading.Thread(target=self._wait, args=(coordinator.api, url, gid))
                         for gid in gids]
        for thread in self._threads:
            thread.start()

    def join(self):
        for thread in self._threads:
            thread.join()
        return self.answers

    def _wait(self, api, url, gid):
        saga = {"gid": gid, "trans_type": "saga", "wait_result": True,
                "steps": [{"action": url, "compensate": url}] * 2, "payloads": ["{}"] * 2}
        try:
            self.answers[gid] = post(f"{api}/submit", saga).status
        except OSError as error:
            self.answers[gid] = error


def post(url, value):
    return http_call("POST", url, json.dumps(value).encode(), timeout_s=30.0)


class Shutdown(unittest.TestCase):
    def setUp(self):
        self.slow = True
        self.branches = BranchServer(lambda *_: Answer(200, SLOW_S if self.slow else 0.0))
        self.addCleanup(self.branches.stop)

    def start(self, name, grace_s):
        coordinator = Concertod(self.args.concertod, self.directory,
                                {"ShutdownGrace": grace_s, "RetryInterval": 1}, name)
        self.addCleanup(coordinator.kill)
        coordinator.start()
        return coordinator

    def wait_for_branches(self, gids):
        wait_until(lambda: all(self.branches.calls(gid) for gid in gids), "each saga's first call")

    def test_sigterm_answers_waiters_and_a_restart_finishes(self):
        coordinator = self.start("waiters", GRACE_S)
        gids = [f"waiter-{number}" for number in range(20)]
        waiters = Waiters(coordinator, self.branches.url, gids)
        self.wait_for_branches(gids)
        begin = time.monotonic()
        self.assertEqual(coordinator.terminate(END_S), 0)
        self.assertLess(time.monotonic() - begin, SLOW_S + END_S / 2)
        self.assertEqual(waiters.join(), dict.fromkeys(gids, 503))
        self.slow = False
        coordinator.start()
        for gid in gids:
            coordinator.wait_for_status(gid, "succeed")
            self.assertEqual({call.op for call in self.branches.calls(gid)}, {"action"})

    def test_sigterm_lets_calls_end_within_the_grace(self):
        coordinator = self.start("grace", 10)
        gids = [f"grace-{number}" for number in range(20)]
        for gid in gids:
            http_json("POST", f"{coordinator.api}/submit", {
                "gid": gid, "trans_type": "saga", "payloads": ["{}"],
                "steps": [{"action": self.branches.url, "compensate": self.branches.url}]})
        self.wait_for_branches(gids)
        self.assertEqual(coordinator.terminate(END_S), 0)
        coordinator.start()
        for gid in gids:
            coordinator.wait_for_status(gid, "succeed")
            self.assertEqual(len(self.branches.calls(gid)), 1, "the call was not repeated")

    def test_a_second_sigterm_does_not_wait(self):
        coordinator = self.start("twice", 10)
        waiters = Waiters(coordinator, self.branches.url, ["twice"])
        self.wait_for_branches(["twice"])
        begin = time.monotonic()
        os.kill(coordinator.process.pid, signal.SIGTERM)
        coordinator.process.wait_for_line("stopping")
        self.assertEqual(coordinator.terminate(END_S), -signal.SIGTERM)
        self.assertLess(time.monotonic() - begin, SLOW_S)
        waiters.join()
        self.slow = False
        coordinator.start()
        coordinator.wait_for_status("twice", "succeed")


if __name__ == "__main__":
    main(Shutdown, lambda parser: parser.add_argument("concertod"), __doc__)
