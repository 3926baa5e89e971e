"""What the tests of the metrics page share: the page, and requests that are counted here too."""

import collections
import json

import grpc_wire
from metrics_text import parse
from operations_test_case import OperationsTestCase, get

from concerto_testing import http_call, wait_until


def scrape(coordinator):
    answer = get(coordinator, "/api/metrics")
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", answer
    return parse(answer.body.decode())


def values(families, name, *labels):
    """Values of the given labels -> sample; without labels the only sample."""
    samples = families[name].samples if name in families else {}
    found = {tuple(dict(key)[label] for label in labels): sample
             for key, sample in samples.items()}
    return found if labels else found.get(())


class MetricsTestCase(OperationsTestCase):
    def setUp(self):
        super().setUp()
        self.sent = collections.Counter()

    def send(self, coordinator, method, path, value=None, api=None):
        """A request that is counted here, too."""
        body = None if value is None else json.dumps(value).encode()
        answer = http_call(method, f"http://127.0.0.1:{coordinator.http_port}{path}", body)
        api = api or path.partition("?")[0].rpartition("/")[2].lower()
        self.sent["http", api, "ok" if answer.status < 400 else "fail"] += 1
        return answer

    def grpc(self, coordinator, method, status, message=b""):
        grpc_wire.call(coordinator.grpc_port, f"/dtmgimp.Dtm/{method}", message)
        self.sent["grpc", method.lower(), status] += 1

    def end(self, coordinator, request, status):
        """Submits and waits for the end, all of it counted."""
        answer = self.send(coordinator, "POST", "/api/dtmsvr/submit", request)
        self.assertEqual(answer.status, 200, answer.body)
        self.wait_for_end(coordinator, request["gid"], status)

    def wait_for_end(self, coordinator, gid, status):
        path = f"/api/dtmsvr/query?gid={gid}"
        wait_until(lambda: self.send(coordinator, "GET", path).json()["transaction"]["status"] ==
                   status, f"{gid} is {status}")
