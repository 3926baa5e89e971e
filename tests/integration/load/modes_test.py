"""Every mode over both wires, against a real coordinator.

Usage: modes_test.py <concertod> <concerto-load>
"""

from load_test_case import LoadTestCase, main

MODES = {"saga": "saga", "msg": "msg", "msg-2p": "msg", "tcc": "tcc", "xa": "xa",
         "workflow": "workflow"}
FINAL_OPS = {"tcc": "confirm", "xa": "commit"}


class Modes(LoadTestCase):
    def run_mode(self, coordinator, mode, wire, *options):
        prefix = f"{mode}-{wire}-{len(options)}"
        found = self.load(coordinator, "--mode", mode, "--wire", wire, "--gid-prefix", prefix,
                          *options)
        self.assert_passed(*found)
        results = found[1]
        self.assertEqual(results["queried"], results["acknowledged"])
        called = 0 if mode == "workflow" else 2 * results["acknowledged"]
        self.assertEqual(results["branch_calls"] - results["repeated_calls"], called)
        self.check_stored(coordinator, mode, wire, f"{prefix}-{0:010}")

    def check_stored(self, coordinator, mode, wire, gid):
        """Checks the result independently of the load."""
        found = coordinator.query(gid)
        transaction = found["transaction"]
        self.assertEqual((transaction["trans_type"], transaction["status"]),
                         (MODES[mode], "succeed"))
        self.assertEqual(transaction["protocol"], wire)
        op = FINAL_OPS.get(mode, "action")
        done = [b["branch_id"] for b in found["branches"]
                if (b["op"], b["status"]) == (op, "succeed")]
        self.assertEqual(done, ["01", "02"])

    def test_with_the_result_waited_for(self):
        coordinator = self.start("waited")
        for wire in ("grpc", "http"):
            for mode in MODES:
                with self.subTest(mode=mode, wire=wire):
                    self.run_mode(coordinator, mode, wire, "--seconds", "0.3")

    def test_without_waiting(self):
        coordinator = self.start("unwaited")
        for wire in ("grpc", "http"):
            for mode in (mode for mode in MODES if mode != "workflow"):
                with self.subTest(mode=mode, wire=wire):
                    self.run_mode(coordinator, mode, wire, "--no-wait", "--transactions", "100")

    def test_slow_branches(self):
        """Two calls, one after the other. Without waiting they come after the load."""
        coordinator = self.start("slow")
        exit_code, results = self.load(coordinator, "--branch-delay", "50", "--transactions", "16")
        self.assert_passed(exit_code, results)
        self.assertGreaterEqual(results["p50_us"], 100_000)
        exit_code, results = self.load(coordinator, "--branch-delay", "200", "--no-wait",
                                       "--transactions", "16")
        self.assert_passed(exit_code, results)
        self.assertGreaterEqual(results["drain_seconds"], 0.2)

    def test_check_none_queries_nothing(self):
        coordinator = self.start("unchecked")
        exit_code, results = self.load(coordinator, "--check", "none", "--transactions", "50")
        self.assert_passed(exit_code, results)
        self.assertEqual(results["queried"], 0)


if __name__ == "__main__":
    main(Modes, __doc__)
