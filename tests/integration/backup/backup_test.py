"""Backup under load, kill -9, restore elsewhere, start paused, begin.

Usage: backup_test.py <concertod> <concerto>
"""

import gzip
import json
import os
import subprocess
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import BranchServer, Concertod, http_call, http_json, wait_until  # noqa: E402
from concerto_testing import main as run_tests  # noqa: E402

CLIENTS = 6
LONG_S = 600
QUIET_S = 3.0
BACKUP_S = 60
BETWEEN_BACKUPS = 200


class Load:
    """Clients that submit sagas until `stop`. `acknowledged` grows as answers come."""

    def __init__(self, test, coordinator):
        self._test = test
        self._coordinator = coordinator
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._acknowledged = {}
        self._refused = []
        self._threads = [threading.Thread(target=self._run, args=(number,))
                         for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _run(self, client):
        number = 0
        while not self._stopping.is_set():
            gid = f"c{client}-{number}"
            waits = number % 3 == 0
            request = self._test.saga(gid, "never" if waits else "fine", wait_result=not waits)
            try:
                answer = http_call("POST", f"{self._coordinator.api}/submit",
                                   json.dumps(request).encode())
            except OSError:
                return
            with self._lock:
                if answer.status == 200:
                    self._acknowledged[gid] = None if waits else "succeed"
                else:
                    self._refused.append((gid, answer))
            number += 1

    def acknowledged(self):
        """gid -> the final status that was acknowledged, None if only the submit was."""
        with self._lock:
            return dict(self._acknowledged)

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._test.assertEqual(self._refused, [])


class Backup(unittest.TestCase):
    def setUp(self):
        self.branches = BranchServer()
        self.addCleanup(self.branches.close)
        self.branches.script("never", (500, "out of order"))
        self.backups = os.path.join(self.directory, self.id().rpartition(".")[2] + "-backups")

    def saga(self, gid, name, **options):
        url = self.branches.url(name)
        return {"gid": gid, "trans_type": "saga", "steps": [{"action": url, "compensate": url}] * 2,
                "payloads": [json.dumps({"of": gid})] * 2, "retry_interval": LONG_S, **options}

    def start(self, name, *options, **settings):
        settings = {"Backup.Directory": self.backups, **settings}
        given = {key: value for key, value in settings.items() if value is not None}
        coordinator = Concertod(self.args.concertod, self.directory, given, name)
        self.addCleanup(coordinator.kill)
        coordinator.start(*options)
        return coordinator

    def run_program(self, *command, code=0):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def concerto(self, *arguments, code=0):
        return self.run_program(self.args.concerto, *arguments, code=code)

    def verify_store_of(self, coordinator):
        config = os.path.join(self.directory, coordinator.name + ".yml")
        self.assertIn("is sound", self.run_program(self.args.concertod, "-c", config, "--verify"))

    def ask_for_backup(self, coordinator, **body):
        return http_call("POST", f"{coordinator.root}/api/concerto/backup",
                         json.dumps(body).encode())

    def ended_backup(self, coordinator):
        def ended():
            state = http_json("GET", f"{coordinator.root}/api/concerto/backup")
            return state if state["state"] != "running" else None

        return wait_until(ended, "the backup has ended", BACKUP_S)

    def back_up(self, coordinator, **body):
        answer = self.ask_for_backup(coordinator, **body)
        self.assertEqual(answer.status, 202, answer.body)
        state = self.ended_backup(coordinator)
        self.assertEqual(state["state"], "done", state)
        return state

    def restore(self, backup, name):
        """A coordinator on the restored store, paused."""
        path = os.path.join(self.directory, name + "-data")
        self.concerto("verify", os.path.join(self.backups, backup))
        self.concerto("restore", "--from", os.path.join(self.backups, backup), "--to", path)
        self.concerto("verify", path)
        restored = self.start(name, "--paused")
        return restored

    def compare(self, acknowledged, restored):
        for gid, status in acknowledged.items():
            found = restored.query(gid)
            self.assertIsNotNone(found["transaction"], f"{gid} is lost")
            self.assertEqual(len(found["branches"]), 4, gid)
            for branch in found["branches"]:
                self.assertIn(gid, json.dumps(branch), f"{gid} has the branches of another one")
            self.assertEqual(found["transaction"]["status"], status or "submitted", gid)

    def begin(self, restored):
        self.assertEqual(http_json("POST", f"{restored.root}/api/concerto/begin"),
                         {"wasPaused": True})
        wait_until(lambda: http_call("GET", f"{restored.root}/readyz").status == 200, "ready")
        self.assertEqual(restored.metric("concerto_paused"), 0)

    def end_all(self, restored):
        """The branches are in order now, and all transactions end."""
        self.branches.script("never", (200, "{}"))
        while http_json("POST", f"{restored.api}/resetCronTime?timeout=-1&limit=500")[
                "has_remaining"]:
            pass
        wait_until(lambda: not http_json("GET", f"{restored.api}/all?status=submitted")[
            "transactions"], "all have ended", 60)
        failed = http_json("GET", f"{restored.api}/all?status=failed&limit=5")["transactions"]
        self.assertLessEqual(len(failed), 1, failed)  # the one that an operator has stopped
        self.branches.script("never", (500, "out of order"))

    def check_pause(self, restored):
        ready = http_call("GET", f"{restored.root}/readyz")
        self.assertEqual(ready.status, 503)
        self.assertIn("paused", ready.body.decode())
        self.assertEqual(restored.metric("concerto_paused"), 1)
        self.assertIn("started paused", restored.process.tail())
        self.assertIn("started paused", restored.why("c0-0")["explanation"])
        for name, body in (("submit", self.saga("new", "fine")), ("resetCronTime", {}),
                           ("prepare", self.saga("new", "fine")),
                           ("resetNextCronTime", {"gid": "c0-0"})):
            answer = http_call("POST", f"{restored.api}/{name}", json.dumps(body).encode())
            self.assertEqual(answer.status, 503, name)
            self.assertIn("paused", answer.body.decode())
        self.assertIsNone(restored.status("new"))
        stop = json.dumps({"gid": "c1-0"}).encode()
        self.assertEqual(http_call("POST", f"{restored.api}/forceStop", stop).status, 200)
        self.assertEqual(restored.status("c1-0"), "failed")

    def check_restored(self, backup, acknowledged):
        calls = len(self.branches.calls())
        restored = self.restore(backup, f"restored-{backup}")
        self.compare(acknowledged, restored)
        self.check_pause(restored)
        time.sleep(QUIET_S)
        self.assertEqual(len(self.branches.calls()), calls, "a paused coordinator calls")
        self.begin(restored)
        again = self.saga(f"after-{backup}", "fine", wait_result=True)
        http_json("POST", f"{restored.api}/submit", again)
        self.end_all(restored)
        self.assertEqual(restored.terminate(), 0)
        self.verify_store_of(restored)

    def test_under_load_then_restored_paused(self):
        coordinator = self.start("loaded")
        load = Load(self, coordinator)
        self.addCleanup(load.stop)
        wait_until(lambda: len(load.acknowledged()) > BETWEEN_BACKUPS, "there is load", 60)
        first = load.acknowledged()
        self.assertEqual(self.back_up(coordinator, name="first")["base"], "")
        wait_until(lambda: len(load.acknowledged()) > len(first) + BETWEEN_BACKUPS, "more", 60)
        second = load.acknowledged()
        state = self.back_up(coordinator, name="second")
        self.assertEqual(state["base"], "first")
        self.assertEqual([one["name"] for one in state["backups"]], ["first", "second"])
        self.assertGreater(state["backups"][1]["firstGroup"], state["backups"][0]["lastGroup"])
        coordinator.kill()
        load.stop()
        self.check_restored("first", first)
        self.check_restored("second", second)

    def test_all_that_is_shown_is_restored(self):
        """After the load: each transaction is shown as the first coordinator shows it."""
        coordinator = self.start("shown")
        load = Load(self, coordinator)
        self.addCleanup(load.stop)
        wait_until(lambda: len(load.acknowledged()) > BETWEEN_BACKUPS, "there is load", 60)
        self.back_up(coordinator, name="begun")
        load.stop()
        waiting = [gid for gid, status in load.acknowledged().items() if status is None]
        for gid in waiting:  # its pass has ended, so nothing changes any more
            wait_until(lambda gid=gid: coordinator.why(gid)["state"] == "waiting", f"{gid} waits")
        shown = {gid: coordinator.query(gid) for gid in load.acknowledged()}
        self.assertEqual(self.back_up(coordinator, name="rest", base="begun")["base"], "begun")
        coordinator.kill()
        restored = self.restore("rest", "restored-shown")
        for gid, before in shown.items():
            found = restored.query(gid)
            for member in ("transaction", "branches"):
                self.assertEqual(found[member], before[member], gid)

    def test_a_restart_without_the_flag_begins(self):
        coordinator = self.start("flag", "--paused")
        self.assertEqual(http_call("GET", f"{coordinator.root}/readyz").status, 503)
        self.assertEqual(coordinator.terminate(), 0)
        coordinator.start()
        http_json("POST", f"{coordinator.api}/submit", self.saga("g", "fine", wait_result=True))
        self.assertEqual(http_json("POST", f"{coordinator.root}/api/concerto/begin"),
                         {"wasPaused": False})

    def test_what_is_refused(self):
        coordinator = self.start("refuses")
        url = f"{coordinator.root}/api/concerto/backup"
        for body in ({"name": "../x"}, {"name": "/tmp/x"}, {"base": "../x"}, {"nam": "x"},
                     {"name": 1}, {"full": True, "base": "x"}):
            answer = self.ask_for_backup(coordinator, **body)
            self.assertEqual(answer.status, 400, (body, answer.body))
        self.assertFalse(os.path.exists(self.backups))
        self.back_up(coordinator, name="one")
        for body, why in (({"name": "one"}, "exists"), ({"name": "two", "base": "none"}, "none")):
            self.assertEqual(self.ask_for_backup(coordinator, **body).status, 202)
            state = self.ended_backup(coordinator)
            self.assertEqual(state["state"], "failed")
            self.assertIn(why, state["error"])
        self.assertEqual(os.listdir(self.backups), ["one"])
        self.assertEqual(os.stat(os.path.join(self.backups, "one")).st_mode & 0o777, 0o700)
        self.assertIsNotNone(coordinator.metric("concerto_backup_newest_timestamp_seconds"))
        self.assertEqual(http_json("GET", url)["backups"][0]["name"], "one")
        for name, settings, why in (("none", {"Backup.Directory": None}, "Backup.Directory"),
                                    ("memory", {"Store.Driver": "memory"}, "pg_dump")):
            other = self.start(name, **settings)
            answer = self.ask_for_backup(other)
            self.assertEqual(answer.status, 501, answer.body)
            self.assertIn(why, answer.body.decode())

    def test_the_command_line(self):
        coordinator = self.start("asked", "--paused")
        at = ("--server", coordinator.root)
        for verb in (("doctor",), ("top", "--interval", "0.1")):
            told = self.concerto(*verb, *at, code=1 if verb[0] == "doctor" else 0)
            self.assertIn("it was started with --paused", told)
            self.assertIn("concerto begin", told)
        self.assertIn("works now", self.concerto("begin", *at, "--reason", "it is fine"))
        self.assertIn("was not paused", self.concerto("begin", *at))
        self.assertNotIn("paused", self.concerto("doctor", *at))
        self.assertNotIn("paused", self.concerto("top", "--interval", "0.1", *at))
        self.assertIn("a full backup", self.concerto("backup", *at, "--name", "one"))
        http_json("POST", f"{coordinator.api}/submit", self.saga("g", "fine", wait_result=True))
        self.assertIn("builds on one", self.concerto("backup", *at, "--name", "two"))
        self.assertIn("a full backup", self.concerto("backup", *at, "--full"))
        self.assertIn("exists", self.concerto("backup", *at, "--name", "one", code=1))
        self.assertIn("--from and --to", self.concerto("backup", "--from", "x", code=2))
        self.concerto("backup", *at, "--name", "../x", code=3)
        self.assertEqual(coordinator.terminate(), 0)
        store = coordinator.settings["Store.Path"]
        files = sorted(os.listdir(store))
        for inside in ("", "/b", "/../asked-data/b"):
            self.assertIn("in the store", self.concerto("backup", "--from", store, "--to",
                                                        store + inside, code=3))
        self.assertEqual(sorted(os.listdir(store)), files)
        self.concerto("verify", os.path.join(self.backups, "two"))

    def test_finished_transactions_are_archived(self):
        coordinator = self.start("archived")
        for number in range(30):
            request = self.saga(f"g{number}", "fine", wait_result=True)
            if number % 3 == 0:
                self.branches.script("refused", (409, "no"))
                step = {"action": self.branches.url("refused"), "compensate": ""}
                request["steps"] = [step] * 2
            http_call("POST", f"{coordinator.api}/submit", json.dumps(request).encode())
        http_json("POST", f"{coordinator.api}/submit", self.saga("waits", "never"))
        shown = {f"g{number}": coordinator.query(f"g{number}") for number in range(30)}
        archive = os.path.join(self.directory, "all.ndjson.gz")
        at = ("--server", coordinator.root, "--to", archive)
        self.assertIn("30 transactions", self.concerto("archive", *at))
        with gzip.open(archive, "rt", encoding="utf-8") as file:
            found = [json.loads(line) for line in file]
        self.assertEqual([one["transaction"]["gid"] for one in found],
                         [f"g{number}" for number in reversed(range(30))])
        for one in found:
            expected = shown[one["transaction"]["gid"]]
            self.assertEqual(one, {name: expected[name] for name in ("transaction", "branches")})
        before = os.stat(archive)
        self.assertIn("exists", self.concerto("archive", *at, code=3))
        self.assertEqual(os.stat(archive).st_mtime_ns, before.st_mtime_ns)
        self.assertEqual(before.st_mode & 0o777, 0o600)
        failed = os.path.join(self.directory, "failed.ndjson.gz")
        self.assertIn("10 transactions", self.concerto(
            "archive", "--server", coordinator.root, "--to", failed, "--status", "failed"))
        for more in (("--status", "submitted"), ("--stuck",)):
            wrong = os.path.join(self.directory, "wrong.gz")
            self.concerto("archive", "--server", coordinator.root, "--to", wrong, *more, code=2)
        self.assertEqual([name for name in os.listdir(self.directory) if "wrong" in name], [])

    def test_a_directory_in_the_store_is_refused(self):
        path = os.path.join(self.directory, "inside-data")
        config = os.path.join(self.directory, "inside.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"Store: {{Driver: leveldb, Path: '{path}'}}\n"
                       f"Backup: {{Directory: '{path}/x/../backups'}}\n")
        self.assertIn("Backup.Directory: expected a directory outside Store.Path",
                      self.run_program(self.args.concertod, "-c", config, "--check-config", code=1))

    def test_a_stopped_store(self):
        coordinator = self.start("stopped")
        store = coordinator.settings["Store.Path"]
        http_json("POST", f"{coordinator.api}/submit", self.saga("g", "fine", wait_result=True))
        self.assertIn("another process", self.concerto("verify", store, code=3))
        self.assertEqual(coordinator.terminate(), 0)
        self.verify_store_of(coordinator)
        config = os.path.join(self.directory, "stopped.yml")
        self.concerto("backup", "--from", config, "--to", self.backups, "--name", "one")
        self.concerto("backup", "--from", store, "--to", self.backups, "--base", "latest",
                      "--name", "two")
        self.assertIn("exists", self.concerto("backup", "--from", store, "--to", self.backups,
                                              "--name", "two", code=3))
        self.assertIn("not empty", self.concerto(
            "restore", "--from", os.path.join(self.backups, "two"), "--to", store, code=3))
        groups = os.path.join(self.backups, "one", "segment-000001.groups")
        with open(groups, "r+b") as file:
            file.seek(100)
            byte = file.read(1)
            file.seek(100)
            file.write(bytes([byte[0] ^ 1]))
        self.assertIn("does not pass", self.concerto(
            "verify", os.path.join(self.backups, "two"), code=1))


def add_arguments(parser):
    parser.add_argument("concertod")
    parser.add_argument("concerto")


if __name__ == "__main__":
    run_tests(Backup, add_arguments, __doc__)
