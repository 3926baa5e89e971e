"""kill -9 in the middle of hundreds of transactions, again and again over one store.

Usage: kill_test.py <concertod> [--seed N] [--kills N]
"""

import asyncio
import os
import random
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

from branch_server import BranchServer  # noqa: E402
from clients import Submitter, statuses  # noqa: E402
from concerto_testing import Concertod, main  # noqa: E402
from work import Kind, branch_rule, faults, make_work  # noqa: E402

# How many are acknowledged before each kill, and how many more are on their way then.
ACKNOWLEDGED, FURTHER = 500, 250
# Time from the last acknowledgement to the kill: during submits, or during branch calls.
KILL_AFTER_S = ((0.0, 0.08), (0.08, 0.6))
SETTINGS = {"RetryInterval": 1, "Shards": 2}


class Kill(unittest.TestCase):
    def test_every_acknowledged_transaction_is_completed(self):
        self.repeat("forward", [Kind.SAGA] * 4 + [Kind.MSG])

    def test_done_actions_of_refused_sagas_are_undone(self):
        self.repeat("backward", [Kind.SAGA, Kind.REFUSED, Kind.ONCE])

    def repeat(self, name, kinds):
        seed = self.args.seed or random.randrange(1 << 32)
        print(f"seed {seed}", flush=True)
        self.random = random.Random(seed)
        ended, begin = {}, time.monotonic()
        with BranchServer(branch_rule) as self.branches, \
                Concertod(self.args.concertod, self.directory, SETTINGS, name) as self.coordinator:
            for number in range(self.args.kills):
                works = self.make_works(f"{name}-{number:02}", kinds)
                ended.update(self.submit_and_kill(works))
            self.check_again(ended)
        print(f"{self.args.kills} kills, {len(ended)} transactions, "
              f"{time.monotonic() - begin:.0f} s", flush=True)

    def make_works(self, prefix, kinds):
        return [make_work(f"{prefix}-{number:04}", self.random.choice(kinds), self.branches.url,
                          self.random)
                for number in range(ACKNOWLEDGED + FURTHER)]

    def submit_and_kill(self, works):
        """Returns gid -> final status."""
        submitter = Submitter(works)
        asyncio.run(self.kill_during(submitter))
        calls_before = sum(len(self.branches.calls(work.gid)) for work in works)
        self.coordinator.start()
        found = asyncio.run(statuses(self.coordinator.http_port, [work.gid for work in works]))
        self.assertEqual(submitter.refused, {})
        self.assertGreaterEqual(len(submitter.acknowledged), ACKNOWLEDGED)
        for work in works:
            self.check(work, found[work.gid], work.gid in submitter.acknowledged)
        calls = sum(len(self.branches.calls(work.gid)) for work in works)
        print(f"{len(submitter.acknowledged)} acknowledged, killed after {calls_before} calls, "
              f"{calls} in the end", flush=True)
        return {gid: status for gid, status in found.items() if status}

    async def kill_during(self, submitter):
        submitting = asyncio.create_task(submitter.run(self.coordinator.http_port))
        await asyncio.wait_for(submitter.wait_for(ACKNOWLEDGED), 60)
        await asyncio.sleep(self.random.uniform(*self.random.choice(KILL_AFTER_S)))
        self.coordinator.kill()
        await submitting

    def check(self, work, status, acknowledged):
        calls = self.branches.calls(work.gid)
        if status is None and not acknowledged:
            wrong = ["it is not stored, and branches were called"] if calls else []
        else:
            wrong = faults(work, status, calls)
        if wrong:
            self.fail("\n".join([f"{work} (acknowledged: {acknowledged})", *wrong,
                                 *(f"  {call}" for call in calls)]))

    def check_again(self, ended):
        """Finished transactions stay as they are over all kills and a clean stop, and no branch of
        them is called."""
        calls = {gid: len(self.branches.calls(gid)) for gid in ended}
        self.assertEqual(self.coordinator.terminate(), 0)
        self.coordinator.start()
        self.assertEqual(asyncio.run(statuses(self.coordinator.http_port, ended)), ended)
        self.assertEqual({gid: len(self.branches.calls(gid)) for gid in ended}, calls)


def add_arguments(parser):
    parser.add_argument("concertod")
    parser.add_argument("--seed", type=int, help="of an earlier run, to repeat its choices")
    parser.add_argument("--kills", type=int, default=20)


if __name__ == "__main__":
    main(Kill, add_arguments, __doc__)
