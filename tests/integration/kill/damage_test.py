"""A damaged store is never opened in silence: the program says what is wrong and does not start.
What a crash leaves at the end of the log is dropped, and the log says so.

Usage: damage_test.py <concertod>
"""

import asyncio
import os
import random
import re
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

from branch_server import Answer, BranchServer  # noqa: E402
from clients import statuses, submit_all  # noqa: E402
from concerto_testing import Concertod, main  # noqa: E402
from work import Kind, make_work  # noqa: E402

SAGAS = 120
START_TIMEOUT_S = 20.0


def log_files(store):
    """The files of the store's log in the order of writing."""
    paths = [os.path.join(directory, name)
             for directory, _, names in os.walk(store) for name in names
             if name.endswith(".log") and os.path.basename(directory) == "log"]
    return sorted(paths)


def content_bytes(path):
    """Where the content of the log ends and zeroed space begins."""
    with open(path, "rb") as file:
        return len(file.read().rstrip(b"\0"))


def overwrite(path, at, data):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def flip(path, at):
    with open(path, "rb") as file:
        file.seek(at)
        value = file.read(1)[0]
    overwrite(path, at, bytes([value ^ 0x40]))


class Damage(unittest.TestCase):
    def setUp(self):
        self.name = self.id().split(".")[-1]
        self.branches = BranchServer(lambda *_: Answer())
        self.addCleanup(self.branches.stop)

    # ---- What a crash may leave.

    def test_a_torn_last_write_is_dropped_and_logged(self):
        coordinator = self.run_sagas("kill")
        log = log_files(self.store)[-1]
        os.truncate(log, content_bytes(log) - 3)
        # The lost group says that the last sagas have ended. So they end again.
        self.start_and_find_all(coordinator)
        coordinator.process.wait_for_line(r"dropped an unfinished write of \d+ bytes")
        coordinator.process.wait_for_line(re.escape(os.path.basename(log)))

    def test_a_write_that_was_begun_is_dropped_and_logged(self):
        coordinator = self.run_sagas("kill")
        log = log_files(self.store)[-1]
        with open(log, "rb") as file:
            begun = file.read(60)  # the beginning of a first record
        overwrite(log, content_bytes(log), begun)
        self.start_and_find_all(coordinator)
        coordinator.process.wait_for_line(r"dropped an unfinished write of \d+ bytes")

    # ---- What a crash cannot leave.

    def test_a_flipped_byte_is_refused(self):
        for stop in ("kill", "terminate"):
            with self.subTest(stop=stop):
                self.run_sagas(stop)
                log = log_files(self.store)[0]
                flip(log, content_bytes(log) // 2)
                self.assert_refused(os.path.basename(log), "damaged")

    def test_a_flipped_byte_in_the_small_files_is_refused(self):
        for name in ("STATE", "IDENTITY"):
            with self.subTest(file=name):
                self.run_sagas("terminate")
                path = os.path.join(self.store, name)
                flip(path, os.path.getsize(path) // 2)
                self.assert_refused(name, "damaged")

    def test_a_missing_file_is_refused(self):
        for stop in ("kill", "terminate"):
            coordinator = self.run_sagas(stop)
            for path in self.needed_files():
                with self.subTest(stop=stop, file=os.path.relpath(path, self.store)):
                    kept = path + ".away"
                    os.rename(path, kept)
                    self.assert_refused(os.path.basename(path))
                    os.rename(kept, path)
            # A refused start must have changed nothing.
            self.start_and_find_all(coordinator)

    def test_a_loss_after_a_clean_stop_is_refused(self):
        for lost_bytes in (3, 2000):
            with self.subTest(lost_bytes=lost_bytes):
                self.run_sagas("terminate")
                log = log_files(self.store)[-1]
                os.truncate(log, content_bytes(log) - lost_bytes)
                self.assert_refused(self.store)

    def test_a_store_in_use_is_refused(self):
        coordinator = self.run_sagas(None)
        self.assert_refused(self.store)
        self.assertTrue(coordinator.process.is_running())

    # ---- What is made anew.

    def test_a_lost_directory_of_finished_transactions_is_made_anew(self):
        coordinator = self.run_sagas("terminate")
        for directory, _, names in os.walk(self.store):
            for name in names:
                if os.path.basename(directory) == "directory":
                    os.remove(os.path.join(directory, name))
        self.start_and_find_all(coordinator)
        coordinator.process.wait_for_line("made anew")

    # ---- Helpers.

    def run_sagas(self, stop):
        """A new store with finished sagas. Then the coordinator ends as `stop` says."""
        self.name += "-"
        coordinator = Concertod(self.args.concertod, self.directory, {"Shards": 1}, self.name)
        self.addCleanup(coordinator.kill)
        self.store = coordinator.settings["Store.Path"]
        coordinator.start()
        self.works = [make_work(f"{self.name}{number}", Kind.SAGA, self.branches.url, random)
                      for number in range(SAGAS)]
        asyncio.run(submit_all(coordinator.http_port, self.works))
        self.assert_all_there(coordinator)
        if stop == "kill":
            coordinator.kill()
        elif stop == "terminate":
            self.assertEqual(coordinator.terminate(), 0)
        return coordinator

    def start_and_find_all(self, coordinator):
        coordinator.start()
        self.assert_all_there(coordinator)

    def assert_all_there(self, coordinator):
        gids = [work.gid for work in self.works]
        found = asyncio.run(statuses(coordinator.http_port, gids))
        self.assertEqual(found, dict.fromkeys(gids, "succeed"))

    def needed_files(self):
        """All files except locks, LevelDB's own log, zeros that hold room, and the directories of
        finished transactions, which are made anew from the log."""
        not_needed = ("LOCK", "LOG", "SPARE", "RESERVE")
        return [os.path.join(directory, name)
                for directory, _, names in os.walk(self.store) for name in names
                if os.path.basename(directory) != "directory" and name not in not_needed]

    def assert_refused(self, *words):
        """A start must end with an error that has these words."""
        other = Concertod(self.args.concertod, self.directory,
                          {"Shards": 1, "Store.Path": self.store}, self.name + "refused")
        with self.assertRaisesRegex(AssertionError, "ended at start"):
            other.start()
        self.assertGreater(other.process.wait(START_TIMEOUT_S), 0)
        error = "\n".join(other.process.lines('"level":"error"'))
        for word in words:
            self.assertIn(word, error)
        print(f"\n    {error}", end=" ", flush=True)


if __name__ == "__main__":
    main(Damage, lambda parser: parser.add_argument("concertod"), __doc__)
