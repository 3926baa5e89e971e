"""A disk without room: nothing is acknowledged that is not stored, and nothing that is stored goes.

The disk is full for one process: its files may not grow (RLIMIT_FSIZE), which works without
privileges and begins at a moment of the test's choice; or it is a file system in memory that the
test has filled, in a namespace of its own.

Usage: full_disk_test.py <concertod>
"""

import asyncio
import json
import os
import random
import re
import resource
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

from branch_server import Answer, BranchServer  # noqa: E402
from clients import Submitter, statuses, submit_all  # noqa: E402
from concerto_testing import Concertod, http_call, main, wait_until  # noqa: E402
from work import Kind, faults, make_work  # noqa: E402

PADDING_BYTES = 16 << 10  # added to each submit, so that the room is used up soon
BEFORE, AFTER = 100, 600


STUCK = 20  # sagas whose branches fail while the disk is full
VOLUME_MIB = 300
RESERVE_BYTES = str(64 << 20)


class SmallVolume:
    """A file system in memory. Only processes that `enter` starts see it."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "volume")
        os.mkdir(self.path)
        script = (f"mount -t tmpfs -o size={VOLUME_MIB}m none '{self.path}' && echo mounted && "
                  "exec sleep 1000")
        self._holder = subprocess.Popen(["unshare", "-rm", "sh", "-c", script],
                                        stdout=subprocess.PIPE)
        if self._holder.stdout.readline() != b"mounted\n":
            raise unittest.SkipTest("no namespace of its own (unshare -rm)")
        self.enter = ("nsenter", "--preserve-credentials", "-U", "-m", "-t",
                      str(self._holder.pid))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._holder.kill()
        self._holder.wait()
        self._holder.stdout.close()

    def run(self, *command):
        done = subprocess.run([*self.enter, "sh", "-c", f'cd "{self.path}" && exec "$@"', "sh",
                               *command], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def fill(self):
        self.run("sh", "-c", "cat /dev/zero >> filler")

    def make_room(self):
        self.run("rm", "filler")


class FullDisk(unittest.TestCase):
    def test_a_full_disk_is_said_and_loses_nothing(self):
        with BranchServer(lambda *_: Answer()) as self.branches, \
                Concertod(self.program(), self.directory, {"Shards": 1}) as coordinator:
            before = self.make_works("before", BEFORE)
            asyncio.run(submit_all(coordinator.http_port, before))

            self.stop_growth(coordinator)
            after = self.make_works("after", AFTER)
            submitter = Submitter(after)
            asyncio.run(submitter.run(coordinator.http_port))
            self.assertGreater(len(submitter.refused), 0)
            self.assertEqual(len(submitter.refused) + len(submitter.acknowledged), AFTER)
            for status, body in submitter.refused.values():
                self.assertIn(status, (500, 503), body)
                self.assertNotIn(self.directory.encode(), body, "a path of the server's")
            coordinator.process.wait_for_line('"level":"error".*the store takes no more writes')
            self.assertEqual(self.submit_one_more(coordinator).status, 503)

            coordinator.kill()
            coordinator.start()
            found = asyncio.run(statuses(coordinator.http_port,
                                         [work.gid for work in before + after]))
            for work in before + after:
                self.check(work, found[work.gid], work.gid in submitter.refused)
            self.assertEqual(self.submit_one_more(coordinator).status, 200)
            print(f"{len(submitter.acknowledged)} of {AFTER} acknowledged on the full disk",
                  flush=True)

    def test_a_start_on_a_full_disk_serves_reads_and_ends_what_is_unfinished(self):
        answer = Answer(500)
        with SmallVolume(self.directory) as volume, BranchServer(lambda *_: answer) as branches:
            self.branches = branches
            coordinator = Concertod(self.args.concertod, self.directory, {
                "Shards": 1, "Store.Path": f"{volume.path}/st/", "RetryInterval": 1,
                "BackoffMax": 1}, name="tmpfs", under=volume.enter)
            with coordinator:
                works = self.make_works("stuck", STUCK)
                asyncio.run(submit_all(coordinator.http_port, works))
                wait_until(lambda: volume.run("stat", "-c", "%s", "st/RESERVE") == RESERVE_BYTES,
                           "the reserve is made", 60)
                volume.fill()
                coordinator.process.wait_for_line("new transactions are refused")
                self.assertEqual(self.submit_one_more(coordinator).status, 503)
                ready_url = f"http://127.0.0.1:{coordinator.http_port}/readyz"
                self.assertIn(b"no room for new transactions", http_call("GET", ready_url).body)
                # Another process at once takes what the store gives up for its own writes.
                wait_until(lambda: volume.run("stat", "-c", "%s", "st/RESERVE") != RESERVE_BYTES,
                           "a part of the reserve is given up", 60)
                volume.fill()
                for _ in range(3):
                    coordinator.kill()
                    coordinator.start()
                    self.assertEqual(coordinator.status("stuck-000"), "submitted")
                    # A start that gave up the spare log as well has room for new transactions
                    # again.
                    metrics = f"http://127.0.0.1:{coordinator.http_port}/api/metrics"
                    free = re.search(r"^concerto_store_free_bytes (\S+)$",
                                     http_call("GET", metrics).body.decode(), re.M)
                    if float(free.group(1)) < int(RESERVE_BYTES):
                        self.assertEqual(self.submit_one_more(coordinator).status, 503)
                answer = Answer(200)
                for work in works:
                    coordinator.wait_for_status(work.gid, "succeed")
                self.assertNotIn(b"takes no writes", http_call("GET", ready_url).body)
                volume.make_room()
                coordinator.process.wait_for_line("new transactions are taken again")
                wait_until(lambda: self.submit_one_more(coordinator).status == 200,
                           "a new transaction is taken")

    def program(self):
        """concertod with a write beyond the limit as an error and not as a signal."""
        path = os.path.join(self.directory, "concertod-without-xfsz")
        with open(path, "w", encoding="utf-8") as script:
            script.write(f"#!/bin/sh\ntrap '' XFSZ\nexec '{self.args.concertod}' \"$@\"\n")
        os.chmod(path, 0o755)
        return path

    def make_works(self, prefix, count):
        works = [make_work(f"{prefix}-{number:03}", Kind.SAGA, self.branches.url, random)
                 for number in range(count)]
        for work in works:
            request = json.loads(work.body)
            request["custom_data"] = json.dumps({"padding": "x" * PADDING_BYTES})
            work.body = json.dumps(request).encode()
        return works

    def stop_growth(self, coordinator):
        """From now on none of its files grows beyond the size of the largest one."""
        store = coordinator.settings["Store.Path"]
        largest = max(os.path.getsize(os.path.join(directory, name))
                      for directory, _, names in os.walk(store) for name in names
                      if name != "RESERVE")
        resource.prlimit(coordinator.process.pid, resource.RLIMIT_FSIZE,
                         (largest, resource.RLIM_INFINITY))

    def submit_one_more(self, coordinator):
        work = make_work("one-more", Kind.SAGA, self.branches.url, random)
        return http_call("POST", f"{coordinator.api}/submit", work.body)

    def check(self, work, status, refused):
        """A refused transaction may have reached the disk. Then all of it must be there."""
        calls = self.branches.calls(work.gid)
        wrong = ["branches were called"] if calls and status is None else []
        if status is not None or not refused:
            wrong = faults(work, status, calls)
        self.assertEqual(wrong, [], f"{work.gid} (refused: {refused}): {calls}")


if __name__ == "__main__":
    main(FullDisk, lambda parser: parser.add_argument("concertod"), __doc__)
