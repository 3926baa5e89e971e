"""`/livez` and `/readyz`: what an orchestrator is told of the process, and when.

Usage: probes_test.py <concertod>
"""

import http.client
import json
import os
import resource
import signal
import threading

from dead_service import DeadService
from operations_test_case import OperationsTestCase, get, main, post, submit, wait_until_ready

from concerto_testing import http_call, wait_until

UNFINISHED = 3000
CLIENTS = 8
LAG_MAX_S = 10
PADDING_BYTES = 16 << 10  # so that the room on the disk is used up soon
SUBMITS_MAX = 600


class Probes(OperationsTestCase):
    def check(self, answer, status, state, *reasons):
        """`reasons`: the beginning of each reason."""
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["Content-Type"].partition(";")[0], "application/json")
        said = answer.json()
        self.assertEqual(said["status"], state)
        found = said.get("reasons", [])
        self.assertEqual(len(found), len(reasons), found)
        for reason, begin in zip(found, reasons):
            self.assertTrue(reason.startswith(begin), reason)

    def test_at_rest(self):
        for driver in ("leveldb", "memory"):
            coordinator = self.start(driver, {"Store.Driver": driver, "Shards": 2})
            for path in ("/livez", "/readyz"):
                self.check(get(coordinator, path), 200, "ok")
                posted = http_call("POST", f"http://127.0.0.1:{coordinator.http_port}{path}", b"")
                self.assertEqual(posted.status, 404)
            self.assertEqual(get(coordinator, "/api/ping").json(), {"msg": "pong"})
            coordinator.process.wait_for_line("ready: HTTP on port")
            told = [json.loads(line)["msg"] for line in
                    coordinator.process.lines('"msg":"(listening|recovery|ready|not ready)')]
            self.assertEqual([text.split()[0] for text in told],
                             ["listening", "recovery:", "ready:"], told)

    def test_not_ready_while_stopping(self):
        coordinator = self.start("stopping", {"ShutdownGrace": 15})
        gate = self.branches.hold("slow")
        self.addCleanup(gate.set)
        waiter = {}
        client = threading.Thread(target=lambda: waiter.update(answer=post(
            coordinator, "submit",
            self.saga("waits", "slow", wait_result=True, request_timeout=60))))
        client.start()
        self.branches.wait_for_calls(1)
        # New clients are not admitted, but those that are connected are answered.
        connection = http.client.HTTPConnection("127.0.0.1", coordinator.http_port, timeout=10)
        self.addCleanup(connection.close)
        self.assertEqual(self.ask(connection, "/readyz")[0], 200)
        os.kill(coordinator.process.pid, signal.SIGTERM)
        coordinator.process.wait_for_line("stopping")
        status, said = wait_until(
            lambda: (answer := self.ask(connection, "/readyz"))[0] != 200 and answer, "not ready")
        self.assertEqual((status, said), (503, {"status": "not ready",
                                                "reasons": ["the process is stopping"]}))
        self.assertEqual(self.ask(connection, "/livez"), (200, {"status": "ok"}))
        gate.set()
        self.assertEqual(coordinator.process.wait(), 0)
        client.join()
        self.assertIn(waiter["answer"].status, (200, 503))

    def ask(self, connection, path):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def test_not_ready_after_the_store_failed(self):
        coordinator = self.start("full")
        submit(coordinator, self.saga("before", "a"))
        coordinator.wait_for_status("before", "succeed")
        self.stop_growth(coordinator)
        padding = json.dumps({"padding": "x" * PADDING_BYTES})
        statuses = [200]
        while statuses[-1] == 200 and len(statuses) < SUBMITS_MAX:
            request = self.saga(f"after-{len(statuses)}", "a", custom_data=padding)
            statuses.append(post(coordinator, "submit", request).status)
        self.assertIn(statuses[-1], (500, 503))
        coordinator.process.wait_for_line('"level":"error".*the store takes no more writes')
        self.check(get(coordinator, "/readyz"), 503, "not ready", "the store takes no writes")
        self.check(get(coordinator, "/livez"), 200, "ok")
        self.assertIn("concerto_store_failed 1\n", get(coordinator, "/api/metrics").body.decode())
        # Reads go on, and a restart with room ends the trouble.
        self.assertEqual(coordinator.status("before"), "succeed")
        coordinator.kill()
        coordinator.start()
        wait_until_ready(coordinator)
        submit(coordinator, self.saga("mended", "a"))
        coordinator.wait_for_status("mended", "succeed")

    def stop_growth(self, coordinator):
        """From now on none of its files grows beyond the size of the largest one."""
        store = coordinator.settings["Store.Path"]
        largest = max(os.path.getsize(os.path.join(directory, name))
                      for directory, _, names in os.walk(store) for name in names)
        resource.prlimit(coordinator.process.pid, resource.RLIMIT_FSIZE,
                         (largest, resource.RLIM_INFINITY))

    def test_ready_after_a_kill_with_many_unfinished(self):
        dead = DeadService()
        self.addCleanup(dead.close)
        coordinator = self.start("many", {"RetryInterval": 30, "RequestTimeout": 1})
        requests = iter([self.saga(f"many-{number}", f"{dead.target}/a")
                         for number in range(UNFINISHED)])
        lock = threading.Lock()

        def submit_some():
            while True:
                with lock:
                    request = next(requests, None)
                if request is None:
                    return
                submit(coordinator, request)

        clients = [threading.Thread(target=submit_some) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        coordinator.kill()
        coordinator.start()
        wait_until_ready(coordinator)
        self.check(get(coordinator, "/livez"), 200, "ok")
        unfinished = f'concerto_transactions_unfinished{{model="saga"}} {UNFINISHED}\n'
        self.assertIn(unfinished, get(coordinator, "/api/metrics").body.decode())
        submit(coordinator, self.saga("new", "a"))
        coordinator.wait_for_status("new", "succeed")

    def test_not_ready_while_recovery_is_behind(self):
        dead = DeadService()
        self.addCleanup(dead.close)
        coordinator = self.start("behind", {"RequestTimeout": 60})
        gids = [f"behind-{number}" for number in range(20)]
        for gid in gids:
            submit(coordinator, self.saga(gid, f"{dead.target}/a"))
        coordinator.kill()
        coordinator.settings["MaxInFlight"] = 5
        coordinator.start()
        wait_until_ready(coordinator)
        wait_until(lambda: get(coordinator, "/readyz").status == 503, "it is behind",
                   LAG_MAX_S + 10)
        self.check(get(coordinator, "/readyz"), 503, "not ready", "recovery is behind by")
        self.check(get(coordinator, "/livez"), 200, "ok")
        dead.revive()
        for gid in gids:
            coordinator.wait_for_status(gid, "succeed")
        self.check(get(coordinator, "/readyz"), 200, "ok")


if __name__ == "__main__":
    main(Probes, __doc__)
