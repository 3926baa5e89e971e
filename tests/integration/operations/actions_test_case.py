"""What the tests of operators' actions share: callers of each role, and stuck transactions."""

import concurrent.futures
import hashlib
import http.client
import json
import os

from operations_test_case import OperationsTestCase

from concerto_testing import Concertod, http_call, wait_until
from shared_stores import use_store

CONNECTIONS = 8
LONG_S = 3600
MANY = 10_000
TOKENS = {role: f"a token of the {role} that nobody guesses" for role in
          ("client", "viewer", "operator")}


def call(coordinator, method, name, body=None, role="operator"):
    data = None if body is None else json.dumps(body).encode()
    return http_call(method, f"{coordinator.root}/api/concerto/{name}", data,
                     {"Authorization": f"Bearer {TOKENS[role]}",
                      "Content-Type": "application/json"}, timeout_s=60)


class ActionsTestCase(OperationsTestCase):
    @classmethod
    def setUpClass(cls):
        use_store(cls, is_large=getattr(cls.args, "stuck", 0) > MANY)

    def setUp(self):
        super().setUp()
        self.callers = os.path.join(self.directory, "callers")
        with open(self.callers, "w", encoding="utf-8") as file:
            for role, token in TOKENS.items():
                file.write(f"the-{role} {role} sha256:{hashlib.sha256(token.encode()).hexdigest()}"
                           "\n")
        os.chmod(self.callers, 0o600)

    def coordinator(self, name, place, is_first=True):
        coordinator = Concertod(self.args.concertod, self.directory, {
            "Auth.CallersFile": self.callers, "RetryInterval": LONG_S, "TimeoutToFail": 2 * LONG_S,
            "RequestTimeout": 120,  # a server of branches may have to take many calls at one time
            "LogLevel": "warn", "Audit.File": os.path.join(self.directory, name + ".jsonl"),
            **place.settings}, name)
        self.addCleanup(coordinator.kill)
        coordinator.start(*(place.options_of_first_start if is_first else ()))
        return coordinator

    def stuck(self, coordinator, prefix, count, rest="rest"):
        """Sagas whose first branch has no server; the second, `rest`, has one."""

        def submit_some(part):
            connection = http.client.HTTPConnection("127.0.0.1", coordinator.http_port, timeout=30)
            for number in range(part, count, CONNECTIONS):
                saga = self.saga(f"{prefix}-{number}", "http://127.0.0.1:1/gone", rest)
                connection.request("POST", "/api/dtmsvr/submit", json.dumps(saga),
                                   {"Authorization": f"Bearer {TOKENS['client']}"})
                answer = connection.getresponse()
                self.assertEqual(answer.status, 200, answer.read())
                answer.read()
            connection.close()

        with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(submit_some, range(CONNECTIONS)))
        wait_until(lambda: self.total(coordinator, "target=:1/gone") == count, "all are stuck")

    def total(self, coordinator, query=""):
        answer = call(coordinator, "GET", f"count?{query}", role="viewer")
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()["total"]
