"""A store that the first version with LevelDB wrote (commit 03149d38, format 1) is opened by this
one, and its transactions go on.

Usage: upgrade_test.py <concertod>
"""

import os
import shutil
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import BranchServer, Concertod, http_call, http_json, main  # noqa: E402
from concerto_testing.branch_server import ONGOING, SUCCESS  # noqa: E402
from old_store import (DONE, PREPARED, STATUSES, UNDONE, WAITING, message, saga,  # noqa: E402
                       through_proxy, url)

YEARS = 1_000_000_000  # seconds, the most that a key takes


class Upgrade(unittest.TestCase):
    def setUp(self):
        self.store = os.path.join(self.directory, "store")
        shutil.copytree(os.path.join(HERE, "old_store"), self.store)
        self.branches = BranchServer()
        self.addCleanup(self.branches.close)
        # The times at which the old coordinator wanted to go on may be past: not yet.
        self.branches.script(f"{WAITING}-2", ONGOING)
        self.branches.script(f"{PREPARED}-sent", ONGOING)
        settings = {"Store.Path": self.store, "Store.FinishedDataExpire": YEARS}
        self.coordinator = Concertod(self.args.concertod, self.directory, settings,
                                     env=through_proxy(self.branches))
        self.addCleanup(self.coordinator.kill)

    def test_a_store_of_the_first_version_is_opened_and_goes_on(self):
        self.coordinator.start()
        self.assert_holds(STATUSES)
        self.go_on()
        final = {DONE: "succeed", UNDONE: "failed", WAITING: "succeed", PREPARED: "succeed"}
        for gid, status in final.items():
            self.coordinator.wait_for_status(gid, status)
        # What the old coordinator had recorded is not called again.
        self.assertNotIn(f"{WAITING}-1", [call.name for call in self.branches.calls()])
        self.assertEqual(self.branches.calls(gid=DONE) + self.branches.calls(gid=UNDONE), [])
        [call] = [call for call in self.branches.calls() if call.name == f"{PREPARED}-1"]
        self.assertEqual(call.body, b'{"amount":50}')
        self.assertEqual(self.coordinator.terminate(), 0)
        self.coordinator.start()
        self.assert_holds(final)

    def assert_holds(self, statuses):
        for gid, status in statuses.items():
            found = self.coordinator.query(gid)
            self.assertEqual(found["transaction"]["status"], status, gid)
            if gid == PREPARED:
                continue
            self.assertEqual(found["transaction"]["custom_data"], saga(gid)["custom_data"])
            self.assertEqual([branch["url"] for branch in found["branches"]],
                             [url(f"{gid}-{step}") for step in ("1-back", "1", "2-back", "2")])

    def go_on(self):
        self.branches.script(f"{WAITING}-2", SUCCESS)
        self.branches.script(f"{PREPARED}-sent", SUCCESS)
        api = self.coordinator.api
        http_json("POST", f"{api}/submit", message(PREPARED))
        http_call("POST", f"{api}/resetNextCronTime", f'{{"gid":"{WAITING}"}}'.encode(),
                  {"Content-Type": "application/json"})


if __name__ == "__main__":
    main(Upgrade, lambda parser: parser.add_argument("concertod", type=os.path.abspath), __doc__)
