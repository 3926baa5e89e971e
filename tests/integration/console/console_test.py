"""The web console in a browser, against real coordinators.

Usage: console_test.py <concertod> <directory with the console's packages> <directory for pictures>
"""

import glob
import json
import os
import subprocess
import sys
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import (BranchServer, Concertod, http_call, http_json,  # noqa: E402
                              main, need_program, wait_until)
from concerto_testing.tokens import caller_line  # noqa: E402
from controls import Controls  # noqa: E402
from shared_stores import store_server  # noqa: E402

MANY = 5000
FAILED = 3
STUCK = 6
# A backup of these takes about a second.
LARGE = 200
LARGE_BYTES = 1_000_000
PAYLOAD = '{"amount":30,"big":12345678901234567890}'
MARKUP = "no disk <img src=x onerror='window.owned=1'>"
# Gids that an address has to write in another way.
ODD = ["a/b?c%", "100%25 #1", "中文/事务", 'say "yes" & \'no\'', "..", "a\\b+c=d", "%2F..%2F",
       "page.js", "<b>&amp"]
TOKENS = {role: f"{role}-7d3f0c5a9be14" for role in ("client", "viewer", "operator")}
CASE_TIMEOUT_S = 150
# As the documentation needs them, the lists have transactions that are older than a minute.
PICTURES_AGE_S = float(os.environ.get("CONCERTO_PICTURES_AGE", "0"))
PICTURES_WATCH_S = float(os.environ.get("CONCERTO_PICTURES_WATCH", "5"))


class Repeated:
    """Calls a function with 1, 2, 3 ... in the background."""

    def __init__(self, call):
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(call,))

    def run(self, call):
        number = 0
        while not self.ends.wait(0.02):
            number += 1
            call(number)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()


class WebConsole(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = need_program("node", "nodejs")
        cls.branches = BranchServer()
        cls.branches.script("down", (500, MARKUP))
        cls.branches.script("poor", (409, "no money"))

    @classmethod
    def tearDownClass(cls):
        cls.branches.close()

    def start(self, name, settings=None, token=None, options=()):
        coordinator = Concertod(
            self.args.concertod, self.directory,
            {"Shards": 1, "RetryInterval": 600, "TimeoutToFail": 3600,
             "Audit.File": os.path.join(self.directory, name + "-audit"), **(settings or {})},
            name, token=token)
        self.addCleanup(coordinator.kill)
        coordinator.start(*options)
        return coordinator

    def callers(self, name="callers", **roles):
        """The file of callers with the roles of TOKENS, but those that are given."""
        path = os.path.join(self.directory, name)
        names = {"client": "shop", "viewer": "vera", "operator": "olga"}
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(caller_line(names[role], roles.get(role, role), token)
                            for role, token in TOKENS.items() if roles.get(role, role))
        return path

    def backups(self):
        return os.path.join(self.directory, self.id().rpartition(".")[2] + "-backups")

    def damage_backups(self):
        """Changes a byte of the log of each backup."""
        for path in glob.glob(os.path.join(self.backups(), "*", "*.groups")):
            with open(path, "r+b") as file:
                file.seek(-3, os.SEEK_END)
                byte = file.read(1)
                file.seek(-3, os.SEEK_END)
                file.write(bytes([byte[0] ^ 1]))

    def start_two(self, **settings):
        """Two coordinators on one Redis. Each works on a call that goes on until the test ends."""
        server = store_server("redis", self.directory)
        server.__enter__()
        self.addCleanup(server.__exit__)
        place = server.place("console")
        settings = {**place.settings, "RequestTimeout": 600, **settings}
        first = self.start("first", settings, options=place.options_of_first_start)
        second = self.start("second", settings)
        gate = self.branches.hold("held")
        self.addCleanup(gate.set)
        for coordinator, count in ((first, 2), (second, 3)):
            for number in range(1, count + 1):
                self.submit(coordinator, f"{coordinator.name}-{number}", "held")
        return first, second, place.server

    @staticmethod
    def break_job(redis):
        """Adds a record of a job that nobody can read."""
        [key] = redis.command("KEYS", "*concerto-job*")
        record = json.loads(redis.command("GET", key))
        name = "1764558000000-broken"
        key = key.rpartition("_")[0] + "_" + name
        redis.command("SET", key, json.dumps({**record, "k": name, "v": "{broken"}))

    @staticmethod
    def break_transaction(redis):
        """Adds a transaction of which the status is there and nothing else."""
        [key] = redis.command("KEYS", "*_g_first-1")
        place = key[:-len("_g_first-1")]
        redis.command("SET", place + "_s_broken-1", "submitted")

    @staticmethod
    def mend_transaction(redis):
        [key] = redis.command("KEYS", "*_s_broken-1")
        redis.command("DEL", key)

    def saga(self, gid, *names):
        steps = [{"action": self.branches.url(name), "compensate": self.branches.url("undo")}
                 for name in names]
        return {"gid": gid, "trans_type": "saga", "steps": steps,
                "payloads": [PAYLOAD] * len(steps)}

    def submit(self, coordinator, gid, *names, headers=None):
        http_json("POST", coordinator.api + "/submit", self.saga(gid, *names), headers=headers)

    def submit_large(self, coordinator, gid):
        http_json("POST", coordinator.api + "/submit",
                  {**self.saga(gid, "down"), "payloads": [json.dumps("x" * LARGE_BYTES)]})

    def fill(self, coordinator):
        """What the views show."""
        for number in range(1, 6):
            self.submit(coordinator, f"good-{number}", "up", "up2")
            self.submit(coordinator, f"stuck-{number}", "up", "down")
        for number in range(1, FAILED + 1):
            self.submit(coordinator, f"failed-{number}", "up", "poor")
        self.submit(coordinator, "a/b?c%", "up", "down")
        topic = f"{coordinator.api}/subscribe?topic=news&url={self.branches.url('news')}"
        self.assertEqual(http_call("POST", topic, b"").status, 200)
        wait_until(lambda: coordinator.why("stuck-1")["attempts"], "the stuck one was tried")
        wait_until(lambda: coordinator.status(f"failed-{FAILED}") == "failed", "one has failed")

    def start_with_stuck(self, name, count):
        """A coordinator that was started paused, with transactions that wait."""
        first = self.start(name)
        for number in range(1, count + 1):
            self.submit(first, f"{name}-{number}", "down")
        wait_until(lambda: first.why(f"{name}-{count}")["attempts"], "the last one was tried")
        first.terminate()
        first.start("--paused")
        return first

    def waits_long(self, coordinator, gid):
        """Whether the first, quick attempts are over."""
        why = coordinator.why(gid)
        if not why["attempts"] or not why["next_attempt_time"]:
            return False
        next_time = datetime.fromisoformat(why["next_attempt_time"][:19] + "+00:00")
        return next_time > datetime.now(timezone.utc) + timedelta(seconds=60)

    def run_case(self, case, **servers):
        setting = {"packages": self.args.packages, "pictures": self.args.pictures,
                   "up": self.branches.url("up"), "many": MANY, "failed": FAILED, "stuck": STUCK,
                   "tokens": TOKENS, **servers}
        done = subprocess.run(
            [self.node, os.path.join(HERE, "run.mjs"), case], timeout=CASE_TIMEOUT_S,
            env={**os.environ, "CONSOLE_SETTING": json.dumps(setting), "no_proxy": "*"},
            capture_output=True, text=True, check=False)
        print(done.stdout, flush=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_units(self):
        self.run_case("units")

    def test_views(self):
        coordinator = self.start("views")
        self.fill(coordinator)
        self.run_case("views", open=coordinator.root)

    def test_actions(self):
        coordinator = self.start("actions")
        self.fill(coordinator)
        self.branches.script("mended", (500, "busy"))
        self.submit(coordinator, "retried", "mended")
        for gid in ("stopped", "ended"):
            self.submit(coordinator, gid, "up", "down")
        for gid in ("retried", "stopped", "ended"):
            wait_until(lambda gid=gid: self.waits_long(coordinator, gid), f"{gid} waits")
        self.branches.script("mended", (200, ""))
        self.run_case("actions", open=coordinator.root)

    def test_bulk(self):
        coordinator = self.start("bulk")
        self.fill(coordinator)
        for number in range(1, STUCK):
            wait_until(lambda gid=f"stuck-{number}": self.waits_long(coordinator, gid), "it waits")
        self.run_case("bulk", open=coordinator.root, paused=self.start_with_stuck("late", 3).root)

    def test_backups(self):
        """A coordinator that was started paused, and backups of its store."""
        started = self.start_guarded("begins", "begun-1",
                                     **{"Backup.Directory": self.backups()})
        started.terminate()
        started.start("--paused")
        none = self.start("none")
        large = self.start("large", {"Backup.Directory": self.backups() + "-large"})
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: self.submit_large(large, f"large-{number}"),
                          range(LARGE)))
        self.run_case("backups", paused=started.root, open=none.root, large=large.root,
                      controls=self.controls(damage=self.damage_backups))

    def test_cluster(self):
        first, second, redis = self.start_two()
        alone = self.start("alone")
        self.run_case("cluster", first=first.root, second=second.root, open=alone.root,
                      controls=self.controls(
                          breakJob=lambda: self.break_job(redis),
                          breakTransaction=lambda: self.break_transaction(redis),
                          mendTransaction=lambda: self.mend_transaction(redis)))

    def controls(self, **actions):
        controls = Controls(actions)
        self.addCleanup(controls.close)
        return controls.url

    def start_guarded(self, name, *gids, **settings):
        """A coordinator with callers, and transactions that wait."""
        coordinator = self.start(name, {"Auth.CallersFile": self.callers(name + "-callers"),
                                        **settings}, TOKENS["viewer"])
        operator = {"Authorization": "Bearer " + TOKENS["operator"]}
        for gid in gids:
            self.submit(coordinator, gid, "up", "down", headers=operator)
        return coordinator

    def test_links(self):
        coordinator = self.start("links")
        for gid in ODD:
            self.submit(coordinator, gid, "up", "down")
        guarded = self.start_guarded("based", *ODD, AdminBasePath="/dtm")
        self.run_case("links", open=coordinator.root, guarded=guarded.root, odd=ODD)

    def test_faults(self):
        """What the console shows when something goes wrong."""
        killed, steady = self.start("killed"), self.start("steady")
        for coordinator in (killed, steady):
            self.fill(coordinator)
        server = store_server("redis", self.directory)
        server.__enter__()
        self.addCleanup(server.__exit__)
        place = server.place("away")
        shared = self.start("shared", place.settings, options=place.options_of_first_start)
        for number in (1, 2):
            self.submit(shared, f"shared-{number}", "down")
        guarded = self.start_guarded("guarded", "guarded-1")
        demoted = self.start_guarded("demoted", "demoted-1")
        wait_until(lambda: self.waits_long(steady, "stuck-2"), "it waits")
        self.run_case(
            "faults", open=killed.root, steady=steady.root, shared=shared.root,
            guarded=guarded.root, demoted=demoted.root, down=self.branches.url("down"),
            controls=self.controls(
                kill=killed.kill, start=killed.start,
                stopStore=place.server.kill, startStore=place.server.start,
                revoke=lambda: self.callers("guarded-callers", operator=None),
                allow=lambda: self.callers("guarded-callers"),
                demote=lambda: self.callers("demoted-callers", operator="viewer")))

    def test_pictures(self):
        """What the documentation shows: a bank, whose ledger took no entries for a while."""
        coordinator = self.start("pictures", {"Backup.Directory": self.backups()})
        self.branches.script("ledger/entries", (503, "the ledger is read-only"))
        for number in range(1, 25):
            self.submit(coordinator, f"transfer-{number:04}", "accounts/take", "ledger/entries")
        wait_until(lambda: self.waits_long(coordinator, "transfer-0007"), "it waits")
        time.sleep(PICTURES_AGE_S)
        with Repeated(lambda number: self.submit(coordinator, f"order-{number:06}",
                                                 "orders/confirm", "points/add")):
            self.run_case("pictures", open=coordinator.root, watchMs=PICTURES_WATCH_S * 1000,
                          first=self.start_two()[0].root,
                          paused=self.start("restored", options=("--paused",)).root)

    def test_roles(self):
        coordinator = self.start("roles", {"Auth.CallersFile": self.callers(),
                                           "AdminBasePath": "/dtm",
                                           "Backup.Directory": self.backups()}, TOKENS["viewer"])
        operator = {"Authorization": "Bearer " + TOKENS["operator"]}
        self.submit(coordinator, "guarded-1", "up", "down", headers=operator)
        topic = f"{coordinator.api}/subscribe?topic=news&url={self.branches.url('news')}"
        self.assertEqual(http_call("POST", topic, b"", headers=operator).status, 200)
        wait_until(lambda: coordinator.why("guarded-1")["attempts"], "it was tried")
        self.run_case("roles", guarded=coordinator.root)

    def test_speed(self):
        coordinator = self.start("speed", {"Store.Driver": "memory"})
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: self.submit(coordinator, f"many-{number:05}", "down"),
                          range(MANY)))
        self.run_case("speed", open=coordinator.root)


def add_arguments(parser):
    parser.add_argument("concertod")
    parser.add_argument("packages")
    parser.add_argument("pictures")


if __name__ == "__main__":
    main(WebConsole, add_arguments, __doc__)
