"""Transactions that fail on purpose: they roll back, or go on after an error, as they must.

Usage: purposes_test.py <concertod> <concerto-load>
"""

import os
import signal

from load_test_case import LoadTestCase, main, wait_for_some

BACK = {"saga": "compensate", "tcc": "cancel", "xa": "rollback"}
BOTH = ("--fail-share", "0.3", "--error-share", "0.2", "--check", "all")


class Purposes(LoadTestCase):
    def stored(self, coordinator, prefix, count):
        """Status -> number of the transactions that have it, as the coordinator stores them."""
        statuses = [coordinator.status(f"{prefix}-{number:010}") for number in range(count)]
        return {status: statuses.count(status) for status in set(statuses)}

    def check_branches(self, coordinator, prefix, mode, count):
        """All of a transaction that has failed is rolled back, and nothing of the others."""
        op = BACK[mode]
        for number in range(count):
            found = coordinator.query(f"{prefix}-{number:010}")
            failed = found["transaction"]["status"] == "failed"
            back = [branch["status"] for branch in found["branches"] if branch["op"] == op]
            self.assertEqual(back, ["succeed" if failed else "prepared"] * 2, found)

    def test_some_roll_back_and_some_have_errors(self):
        coordinator = self.start("both")
        for wire in ("grpc", "http"):
            for mode in BACK:
                with self.subTest(mode=mode, wire=wire):
                    prefix = f"{mode}-{wire}"
                    exit_code, results = self.load(
                        coordinator, "--mode", mode, "--wire", wire, "--gid-prefix", prefix,
                        "--warm-up", "0", "--transactions", "60", *BOTH)
                    self.assertEqual((exit_code, results["passed"], results["wrong"]),
                                     (0, True, 0), results)
                    failed = results["failed_on_purpose"]
                    self.assertTrue(5 < failed < 35, results)
                    self.assertGreater(results["errors_on_purpose"], 2)
                    self.assertEqual(self.stored(coordinator, prefix, 60),
                                     {"failed": failed, "succeed": 60 - failed})
                    self.check_branches(coordinator, prefix, mode, 60)
                    self.assertGreater(results["rolled_back_p99_us"], 0)

    def test_without_waiting(self):
        coordinator = self.start("later")
        for mode, options in (("saga", BOTH), ("tcc", BOTH), ("msg", BOTH[2:])):
            with self.subTest(mode=mode):
                exit_code, results = self.load(
                    coordinator, "--mode", mode, "--no-wait", "--gid-prefix", mode,
                    "--transactions", "60", "--warm-up", "0", *options)
                self.assertEqual((exit_code, results["wrong"]), (0, 0), results)
                failed = results["failed_on_purpose"]
                self.assertEqual(failed > 0, mode != "msg")
                self.assertEqual(self.stored(coordinator, mode, 60),
                                 {"succeed": 60 - failed, **({"failed": failed} if failed else {})})

    def test_all_of_them(self):
        coordinator = self.start("all")
        exit_code, results = self.load(coordinator, "--fail-share", "1", "--transactions", "30",
                                       "--warm-up", "0", "--gid-prefix", "all")
        self.assertEqual((exit_code, results["transactions"], results["failed_on_purpose"]),
                         (0, 30, 30), results)
        self.assertEqual(self.stored(coordinator, "all", 30), {"failed": 30})
        exit_code, results = self.load(coordinator, "--error-share", "1", "--transactions", "30",
                                       "--warm-up", "0", "--gid-prefix", "errors")
        self.assertEqual((exit_code, results["errors_on_purpose"], results["wrong"]),
                         (0, 30, 0), results)
        self.assertEqual(self.stored(coordinator, "errors", 30), {"succeed": 30})

    def test_nothing_is_lost_when_the_coordinator_is_killed_meanwhile(self):
        coordinator = self.start("killed")
        load = self.start_load(coordinator, "kill", "--seconds", "60", "--max-failures", "1000000",
                               "--progress", *BOTH)
        wait_for_some(coordinator, load)
        coordinator.kill()
        coordinator.start()
        load.wait_for_line(r" s  [1-9][\d,]* per second", count=3)
        os.kill(load.pid, signal.SIGINT)
        exit_code, results = self.results(load)
        self.assertEqual((exit_code, results["wrong"]), (0, 0), results)
        self.assertGreater(results["failed_on_purpose"], 0)
        self.assertGreater(results["failures"], 0)
        load.wait_for_line("^passed: ")


if __name__ == "__main__":
    main(Purposes, __doc__)
