"""The user's services as branches: healthy ones, and some that refuse.

Usage: services_test.py <concertod> <concerto-load>
"""

from load_test_case import LoadTestCase, main

from concerto_testing import BranchServer

FAILURE = (409, "no money")


class Services(LoadTestCase):
    def setUp(self):
        self.branches = BranchServer()
        self.addCleanup(self.branches.close)

    def branch(self, action, compensate=None):
        options = ["--action", self.branches.url(action)]
        return options + (["--compensate", self.branches.url(compensate)] if compensate else [])

    def load_some(self, coordinator, *options):
        return self.load(coordinator, "--in-flight", "2", "--warm-up", "0", "--transactions", "20",
                         *options)

    def test_healthy_ones(self):
        coordinator = self.start("healthy")
        for wire in ("http", "grpc"):
            prefix = f"healthy-{wire}"
            found = self.load_some(coordinator, "--wire", wire, "--gid-prefix", prefix,
                                   *self.branch("a", "a-back"), *self.branch("b", "b-back"),
                                   *self.branch("c", "c-back"))
            self.assert_passed(*found)
            self.assertEqual(found[1]["queried"], 20)
            calls = self.branches.calls(f"{prefix}-{19:010}")
            self.assertEqual([str(call) for call in calls],
                             ["action 01 a", "action 02 b", "action 03 c"])

    def test_other_modes(self):
        coordinator = self.start("modes")
        for mode, back, op in (("tcc", "back", "confirm"), ("xa", None, "commit"),
                               ("msg", None, "action"), ("msg-2p", None, "action")):
            with self.subTest(mode=mode):
                found = self.load_some(coordinator, "--mode", mode, "--gid-prefix", mode,
                                       *self.branch("a", back), "--wire", "http")
                self.assert_passed(*found)
                calls = self.branches.calls(f"{mode}-{7:010}")
                self.assertEqual([str(call) for call in calls], [f"{op} 01 a"])

    def test_a_saga_that_is_refused(self):
        coordinator = self.start("refused")
        self.branches.script("poor", FAILURE)
        exit_code, results = self.load_some(coordinator, *self.branch("rich", "rich-back"),
                                            *self.branch("poor", "poor-back"))
        self.assertEqual((exit_code, results["passed"]), (1, False))
        self.assertGreater(results["failures"], 0)
        (kind,) = results["failure_kinds"]
        self.assertRegex(kind["text"], "^gRPC Aborted: .*no money")
        coordinator.wait_for_status(kind["first_gid"], "failed")

    def test_allowed_failures(self):
        coordinator = self.start("allowed")
        self.branches.script("poor", FAILURE, (200, ""))
        found = self.load_some(coordinator, "--wire", "http", "--max-failures", "1",
                               *self.branch("poor", "back"))
        self.assertEqual((found[0], found[1]["passed"], found[1]["failures"]), (0, True, 1))
        (kind,) = found[1]["failure_kinds"]
        self.assertRegex(kind["text"], "^HTTP 409: .*no money")

    def test_a_saga_that_rolls_back_after_its_acknowledgement(self):
        coordinator = self.start("later")
        self.branches.script("poor", FAILURE)
        exit_code, results = self.load_some(coordinator, "--no-wait", *self.branch("poor", "back"))
        self.assertEqual(exit_code, 1)
        self.assertEqual((results["failures"], results["wrong"]), (0, 20))
        for finding in results["findings"]:
            self.assertRegex(finding["text"], '"status":"(failed|aborting)"')
            coordinator.wait_for_status(finding["gid"], "failed")

    def test_a_message_that_does_not_arrive(self):
        coordinator = self.start("undelivered")
        self.branches.script("broken", (500, "oops"))
        exit_code, results = self.load_some(coordinator, "--mode", "msg", "--no-wait", "--drain",
                                            "0.5", *self.branch("broken"))
        self.assertEqual((exit_code, results["wrong"]), (1, 20))
        for finding in results["findings"]:
            self.assertEqual(coordinator.status(finding["gid"]), "submitted")


if __name__ == "__main__":
    main(Services, __doc__)
