"""SIGHUP: what a running coordinator takes over from its configuration, and what it does not.

Usage: reload_test.py <concertod>
"""

import os
import signal
import threading

from operations_test_case import (RELOADED, OperationsTestCase, get, hang_up, main, post, reload,
                                  submit)

from concerto_testing import Process, free_port, wait_until
from concerto_testing.concertod import to_yaml

KEPT = "the configuration is not reloaded: it stays as it was"


class Reload(OperationsTestCase):
    def write(self, coordinator, text):
        path = os.path.join(self.directory, coordinator.name + ".yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def reload(self, coordinator, changes):
        return reload(coordinator, self.directory, changes)

    def status_of_body(self, coordinator, size):
        """The status for a request of that size: 500, because it is not JSON, unless it is too
        large."""
        return post(coordinator, "submit", "x" * (size - 2)).status

    def fail_a_branch(self, coordinator, gid):
        self.branches.script("broken", (500, "out of order"))
        submit(coordinator, self.saga(gid, "broken", retry_interval=60))
        self.wait_for_why(coordinator, gid, lambda why: why["state"] == "waiting", "waits")

    def test_log_level(self):
        coordinator = self.start("level", {"LogLevel": "error"})
        self.fail_a_branch(coordinator, "quiet")
        self.assertEqual(coordinator.process.text(), "")
        self.reload(coordinator, {"LogLevel": "info"})
        self.fail_a_branch(coordinator, "loud")
        coordinator.process.wait_for_line(
            '"level":"warn".*ended in error: HTTP status 500: out of order.*"gid":"loud"')
        # The next reload logs nothing about itself. Another change shows when the reload has
        # happened.
        self.write(coordinator, to_yaml({**coordinator.settings, "MaxBodyBytes": 1000}))
        os.kill(coordinator.process.pid, signal.SIGHUP)
        wait_until(lambda: self.status_of_body(coordinator, 2000) == 413, "the limit is smaller")
        self.fail_a_branch(coordinator, "quiet-again")
        self.reload(coordinator, {"LogLevel": "debug"})
        self.assertEqual(coordinator.process.lines("quiet"), [])

    def test_transactions_in_flight(self):
        coordinator = self.start("in-flight")
        gate = self.branches.hold("slow")
        self.addCleanup(gate.set)
        submit(coordinator, self.saga("first", "slow", request_timeout=60))
        self.branches.wait_for_calls(1)
        self.reload(coordinator, {"MaxInFlight": 1})
        refused = post(coordinator, "submit", self.saga("second", "fast"))
        self.assertEqual(refused.status, 503)
        self.assertIn("try again later", refused.json()["message"])
        self.assertIsNone(coordinator.status("second"))
        self.reload(coordinator, {"MaxInFlight": 10})
        submit(coordinator, self.saga("second", "fast"))
        coordinator.wait_for_status("second", "succeed")
        gate.set()
        coordinator.wait_for_status("first", "succeed")

    def test_size_of_requests(self):
        coordinator = self.start("body")
        self.assertEqual(self.status_of_body(coordinator, 2000), 500)
        self.reload(coordinator, {"MaxBodyBytes": 1000})
        self.assertEqual(self.status_of_body(coordinator, 1000), 500)
        self.assertEqual(self.status_of_body(coordinator, 1001), 413)
        self.reload(coordinator, {"MaxBodyBytes": "2 KiB"})
        self.assertEqual(self.status_of_body(coordinator, 2048), 500)
        self.assertEqual(self.status_of_body(coordinator, 2049), 413)

    def test_retention(self):
        coordinator = self.start("retention")
        line = self.reload(coordinator, {"Store.FinishedDataExpire": 3600,
                                         "Store.FailedDataExpire": 7200,
                                         "Store.FinishedBytesMax": "3 GiB"})
        for text in ("Store.FinishedDataExpire=3600", "Store.FailedDataExpire=7200",
                     f"Store.FinishedBytesMax={3 << 30}"):
            self.assertIn(text, line)
        self.assertEqual(coordinator.process.lines("after a restart"), [])

    def test_faulty_file_changes_nothing(self):
        coordinator = self.start("faulty", {"MaxBodyBytes": 1000})
        faults = {"MaxBodyBytes: 5000\nRetryInterval: 0\n": "RetryInterval should not be less",
                  "MaxBodyBytes: 5000\nShards: [\n": "not valid YAML",
                  "": "no key any more",
                  "MaxBodyBytes: 5000\nTargetAlow: a.b\n": "'TargetAllow' was probably meant",
                  "MaxBodyBytes: 5000\nMaxInFlight: lots\n": "MaxInFlight: expected an integer"}
        for text, fault in faults.items():
            with self.subTest(fault):
                self.write(coordinator, text)
                hang_up(coordinator, KEPT)
                self.assertEqual(len(coordinator.process.lines(f'"level":"error".*{fault}')), 1)
                self.assertEqual(self.status_of_body(coordinator, 2000), 413)
        os.remove(os.path.join(self.directory, "faulty.yml"))
        hang_up(coordinator, KEPT)
        coordinator.process.wait_for_line('"level":"error".*cannot read configuration file')
        self.assertEqual(coordinator.process.lines(RELOADED), [])
        self.reload(coordinator, {"MaxBodyBytes": 5000})
        coordinator.process.wait_for_line("by the reload: MaxBodyBytes: '1000' -> '5000'")
        self.assertEqual(self.status_of_body(coordinator, 2000), 500)

    def test_key_that_needs_a_restart_is_named(self):
        coordinator = self.start("restart", {"Store.Password": "pass-3141"})
        line = self.reload(coordinator, {"HttpPort": free_port(), "RetryInterval": 9,
                                         "Store.Password": "pass-2718", "MaxBodyBytes": 1000,
                                         "AlertWebHook": "http://user:hook-1618@localhost/"})
        for key in ("HttpPort", "RetryInterval", "Store.Password", "AlertWebHook"):
            coordinator.process.wait_for_line(f'"level":"warn".*"{key} takes effect after')
        self.assertEqual(len(coordinator.process.lines("after a restart")), 4)
        self.assertIn(f"HttpPort={coordinator.http_port},", line)
        self.assertEqual(self.status_of_body(coordinator, 2000), 413)
        self.assertEqual(get(coordinator, "/readyz").status, 200)
        for secret in ("pass-3141", "pass-2718", "hook-1618"):
            self.assertNotIn(secret, coordinator.process.text())

    def test_unknown_key_is_a_warning(self):
        coordinator = self.start("unknown")
        self.reload(coordinator, {"RequestTimeou": 1})
        coordinator.process.wait_for_line('"level":"warn".*nearest known one is .RequestTimeout')

    def test_signal_during_the_start_does_not_end_it(self):
        coordinator = self.start("early")
        submit(coordinator, self.saga("kept", "a"))
        coordinator.wait_for_status("kept", "succeed")
        coordinator.kill()
        # The signal comes while the store is opened, which may take long.
        path = os.path.join(self.directory, "early.yml")
        with Process("early-again", [self.args.concertod, "-c", path], self.directory) as process:
            process.wait_for_line("Store.Path=")
            os.kill(process.pid, signal.SIGHUP)
            process.wait_for_line('"msg":"ready')

    def test_traffic_goes_on(self):
        coordinator = self.start("traffic")
        gids = [f"traffic-{number}" for number in range(200)]
        statuses = []

        def submit_all():
            for gid in gids:
                statuses.append(post(coordinator, "submit", self.saga(gid, "a")).status)

        client = threading.Thread(target=submit_all)
        client.start()
        for number in range(20):
            self.reload(coordinator, {"MaxBodyBytes": 100_000 + number})
        client.join()
        self.assertEqual(statuses, [200] * len(gids))
        for gid in gids:
            coordinator.wait_for_status(gid, "succeed")

    def test_store_in_memory(self):
        coordinator = self.start("memory", {"Store.Driver": "memory"})
        self.reload(coordinator, {"Store.FinishedDataExpire": 3600, "MaxBodyBytes": 1000})
        self.assertEqual(self.status_of_body(coordinator, 2000), 413)


if __name__ == "__main__":
    main(Reload, __doc__)
