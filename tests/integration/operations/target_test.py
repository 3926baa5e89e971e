"""A service that accepts calls and never answers holds up its own transactions and nobody else's.

All of them come due together, after a kill and a restart.

Usage: target_test.py <concertod>
"""

from dead_service import DeadService
from operations_test_case import OperationsTestCase, get, main, post, reload, submit, why

from concerto_testing import wait_until

COUNT = 50  # transactions of the dead target, and of the healthy one
PER_TARGET = 4
FIRST_LIMIT = 16  # the engine's own limit for a target that has not answered yet
REQUEST_TIMEOUT_S = 3
ROUNDS = 2


class DeadTarget(OperationsTestCase):
    def setUp(self):
        super().setUp()
        self.dead = DeadService()
        self.addCleanup(self.dead.close)
        self.dead_gids = [f"dead-{number:02}" for number in range(COUNT)]
        self.healthy_gids = [f"healthy-{number:02}" for number in range(COUNT)]

    def start_with_all_due(self, name, request_timeout_s=REQUEST_TIMEOUT_S):
        """Each transaction's first call runs when the coordinator is killed."""
        coordinator = self.start(name, {"MaxWakesPerTarget": PER_TARGET,
                                        "RequestTimeout": request_timeout_s})
        gate = self.branches.hold("step")
        for dead, healthy in zip(self.dead_gids, self.healthy_gids):
            submit(coordinator, self.saga(dead, f"{self.dead.target}/step"))
            submit(coordinator, self.saga(healthy, "step"))
        self.branches.wait_for_calls(COUNT)
        wait_until(lambda: len(self.dead.gids) >= COUNT, "the calls to the dead target")
        coordinator.kill()
        wait_until(lambda: self.dead.running == 0, "these calls have ended")
        gate.set()
        self.dead.forget()
        coordinator.start()
        return coordinator

    def test_dead_target_holds_up_nobody_else(self):
        coordinator = self.start_with_all_due("dead")
        self.branches.wait_for_calls(2 * COUNT)
        self.assertLessEqual(len(self.dead.gids), PER_TARGET, "the healthy ones have waited")
        for gid in self.healthy_gids:
            coordinator.wait_for_status(gid, "succeed")

        wait_until(lambda: len(self.dead.gids) >= ROUNDS * PER_TARGET, f"{ROUNDS} rounds of calls",
                   2 * ROUNDS * REQUEST_TIMEOUT_S)
        self.assertEqual(self.dead.running_most, PER_TARGET)
        self.check_fairness()
        submit(coordinator, self.saga("new", "step"))
        coordinator.wait_for_status("new", "succeed", REQUEST_TIMEOUT_S)

        self.dead.revive()
        for gid in self.dead_gids:
            coordinator.wait_for_status(gid, "succeed")
        self.check_fairness()

    def check_fairness(self, together=PER_TARGET):
        """No transaction is called a second time before all have been called once. Calls that run
        at the same time may overtake each other on their way."""
        calls = list(self.dead.gids)
        again = next((at for at, gid in enumerate(calls) if gid in calls[:at]), len(calls))
        late = set(calls[again + together:]) - set(calls[:again + together])
        self.assertFalse(late, calls)

    def test_operator_sees_who_waits_and_ends_it(self):
        coordinator = self.start_with_all_due("seen")
        wait_until(lambda: len(self.dead.gids) >= PER_TARGET, "the first calls")
        queued = [gid for gid in self.dead_gids if gid not in self.dead.gids]
        count = f"concerto_transactions_queued {COUNT - PER_TARGET}\n"
        wait_until(lambda: count in get(coordinator, "/api/metrics").body.decode(), count)
        first, last = queued[0], queued[-1]
        self.assertIn(f"waits for room at {self.dead.target}",
                      why(coordinator, first)["explanation"])

        self.assertEqual(post(coordinator, "forceStop", {"gid": first}).status, 200)
        post(coordinator, "resetNextCronTime", {"gid": last})
        wait_until(lambda: last in self.dead.gids, "an operator's wish is not queued")
        self.dead.revive()
        for gid in set(self.dead_gids) - {first}:
            coordinator.wait_for_status(gid, "succeed")
        self.assertEqual(coordinator.status(first), "failed")
        self.assertNotIn(first, self.dead.gids)
        self.assertIn("concerto_transactions_queued 0\n",
                      get(coordinator, "/api/metrics").body.decode())

    def test_lowered_bound_holds_for_who_comes_next(self):
        coordinator = self.start_with_all_due("lower", 1)
        wait_until(lambda: self.dead.running == PER_TARGET, "as many calls as the limit allows")
        reload(coordinator, self.directory, {"MaxWakesPerTarget": 1})
        wait_until(lambda: self.dead.running == 1, "one call at a time")
        self.dead.revive()
        for gid in self.dead_gids:
            coordinator.wait_for_status(gid, "succeed")

    def test_raised_bound_lets_in_who_waits(self):
        coordinator = self.start_with_all_due("raise")
        wait_until(lambda: self.dead.running == PER_TARGET, "as many calls as the limit allows")
        reload(coordinator, self.directory, {"MaxWakesPerTarget": COUNT})
        # The engine allows a few more calls at a time, as the first calls end without an answer.
        wait_until(lambda: self.dead.running > 2 * PER_TARGET, "more calls at one time",
                   2 * REQUEST_TIMEOUT_S)
        wait_until(lambda: len(set(self.dead.gids)) == COUNT, "those in the queue are called",
                   6 * REQUEST_TIMEOUT_S)
        self.check_fairness(FIRST_LIMIT)


if __name__ == "__main__":
    main(DeadTarget, __doc__)
