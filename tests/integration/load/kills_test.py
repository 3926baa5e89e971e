"""A coordinator that is killed in the middle of a load, and one that forgets.

Usage: kills_test.py <concertod> <concerto-load>
"""

import os
import signal

from load_test_case import LoadTestCase, main, wait_for_some

# The load runs until a signal, whatever fails meanwhile.
LONG = ("--seconds", "60", "--max-failures", "1000000", "--check", "all", "--progress")
SOME_SUCCEED = r" s  [1-9][\d,]* per second"


class Kills(LoadTestCase):
    def kill_and_restart(self, coordinator, load):
        """Kills the coordinator in the middle of the load, which goes on for a while. Returns the
        load's exit code and results."""
        wait_for_some(coordinator, load)
        coordinator.kill()
        coordinator.start()
        load.wait_for_line(SOME_SUCCEED, count=len(load.lines(SOME_SUCCEED)) + 2)
        os.kill(load.pid, signal.SIGINT)
        return self.results(load)

    def test_kill(self):
        coordinator = self.start("killed")
        load = self.start_load(coordinator, "kill", "--seconds", "60", "--drain", "0.2")
        wait_for_some(coordinator, load)
        coordinator.kill()
        exit_code, results = self.results(load)
        self.assertEqual((exit_code, results["passed"]), (1, False))
        self.assertGreater(results["failures"], 0)
        self.assertRegex(results["failure_kinds"][0]["text"], "^gRPC Unavailable: ")
        self.assertRegex(results["failure_kinds"][0]["first_gid"], r"^kill-\d{10}$")
        self.assertGreater(results["wrong"], 0)  # nobody says how the others are stored
        self.assertRegex(results["findings"][0]["text"], "^not known: ")
        load.wait_for_line(r"\(first: kill-\d+\)")

    def test_kill_and_restart_loses_nothing(self):
        coordinator = self.start("restarted")
        for mode, wait in (("saga", []), ("msg", ["--no-wait"])):
            load = self.start_load(coordinator, f"restart-{mode}", "--mode", mode, *LONG, *wait)
            exit_code, results = self.kill_and_restart(coordinator, load)
            self.assertEqual((exit_code, results["wrong"]), (0, 0), results)
            self.assertGreater(results["failures"], 0)
            self.assertEqual(results["queried"], results["acknowledged"])

    def test_a_coordinator_that_forgets_is_found_out(self):
        coordinator = self.start("forgetful", {"Store.Driver": "memory"})
        load = self.start_load(coordinator, "forget", *LONG)
        exit_code, results = self.kill_and_restart(coordinator, load)
        self.assertEqual(exit_code, 1)
        self.assertGreaterEqual(results["wrong"], 20)
        for finding in results["findings"]:
            self.assertIsNone(coordinator.status(finding["gid"]))

    def test_a_signal_ends_the_load_early(self):
        coordinator = self.start("interrupted")
        load = self.start_load(coordinator, "signal", "--seconds", "60")
        wait_for_some(coordinator, load)
        os.kill(load.pid, signal.SIGINT)
        exit_code, results = self.results(load)
        self.assert_passed(exit_code, results)
        self.assertTrue(results["interrupted"])
        self.assertLess(results["seconds"], 30)

    def test_nobody_there(self):
        coordinator = self.start("gone")
        coordinator.kill()
        exit_code, results = self.load(coordinator)
        self.assertEqual((exit_code, results["transactions"]), (1, 0))


if __name__ == "__main__":
    main(Kills, __doc__)
