"""With few file descriptors nobody takes those of another: probes are answered, the store writes.

Usage: descriptors_test.py <concertod>
"""

import socket

from dead_service import DeadService
from operations_test_case import OperationsTestCase, get, main, submit, wait_until_ready

from concerto_testing import Concertod, http_call, wait_until

LIMIT = 256
IDLE = 200   # connections; more than clients may have with this limit
SAGAS = 200  # calls to the dead service; more than one service may have with this limit
PART_OF_ONE_SERVICE = 64


class Descriptors(OperationsTestCase):
    def start_with_few(self, name):
        coordinator = Concertod(self.args.concertod, self.directory, {"Shards": 1}, name,
                                under=["prlimit", f"--nofile={LIMIT}:{LIMIT}"])
        self.addCleanup(coordinator.kill)
        coordinator.start()
        wait_until_ready(coordinator)
        (line,) = coordinator.process.lines("limit of file descriptors")
        self.assertIn(f"is {LIMIT}; MaxConnections (20000)", line)
        return coordinator

    def test_idle_clients_keep_out_neither_probes_nor_submits(self):
        coordinator = self.start_with_few("idle")
        for port in (coordinator.http_port, coordinator.grpc_port):
            for _ in range(IDLE):
                idle = socket.create_connection(("127.0.0.1", port))
                self.addCleanup(idle.close)

        def is_live():
            """The probe is answered at once, and in the end with yes, because idle connections make
            room."""
            status = http_call("GET", f"http://127.0.0.1:{coordinator.http_port}/livez",
                               timeout_s=5).status
            self.assertIn(status, (200, 503))
            return status == 200

        wait_until(is_live, "the probe gets through")
        wait_until(lambda: get(coordinator, "/readyz").status == 200, "it is ready")

    def test_service_that_never_answers_leaves_the_store_its_part(self):
        dead = DeadService()
        self.addCleanup(dead.close)
        coordinator = self.start_with_few("dead")
        for i in range(SAGAS):
            submit(coordinator, self.saga(f"g{i}", f"{dead.target}/step"))
        wait_until(lambda: dead.running > 0, "calls run")
        self.assertLessEqual(dead.running_most, PART_OF_ONE_SERVICE)
        submit(coordinator, self.saga("good", "step", wait_result=True))
        self.assertEqual(get(coordinator, "/readyz").status, 200)


if __name__ == "__main__":
    main(Descriptors, __doc__)
