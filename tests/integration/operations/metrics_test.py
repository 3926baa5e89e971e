"""`GET /api/metrics`: every name and label, what is counted, and that labels are bounded.

Usage: metrics_test.py <concertod>
"""

import collections
import json
import math
import os
import resource
import threading
import time

import grpc_wire
from metrics_text import FormatError, parse
from operations_test_case import OperationsTestCase, get, main, post, submit, try_now

from concerto_testing import free_port, http_call, wait_until

REFERENCE_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, math.inf]
OUR_BOUNDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, *REFERENCE_BOUNDS]
# Name -> (type, labels): page 02, section 10, and then ours.
REFERENCE_NAMES = {
    "dtm_server_info": ("gauge", "gin_version grpc_version"),
    "dtm_server_process_total": ("counter", "api status type"),
    "dtm_server_response_duration": ("histogram", "api type"),
    "dtm_transaction_process_total": ("counter", "model status"),
    "dtm_transaction_handled_duration": ("histogram", "model"),
    "dtm_branch_process_total": ("counter", "branchid branchtype model status"),
}
OUR_NAMES = {
    "concerto_info": ("gauge", "allocator version"),
    "concerto_shards": ("gauge", ""),
    "concerto_server_response_seconds": ("histogram", "api type"),
    "concerto_transaction_handled_seconds": ("histogram", "model"),
    "concerto_branch_latency_seconds": ("histogram", "target"),
    "concerto_branch_calls_total": ("counter", "outcome target"),
    "concerto_transactions_ended_total": ("counter", "model status"),
    "concerto_alerts_total": ("counter", "result"),
    "concerto_transactions_in_flight": ("gauge", "model"),
    "concerto_transactions_in_memory": ("gauge", ""),
    "concerto_payload_bytes_in_memory": ("gauge", ""),
    "concerto_buffered_bytes": ("gauge", ""),
    "concerto_buffers_given_up_total": ("counter", ""),
    "concerto_transactions_parked": ("gauge", ""),
    "concerto_transactions_queued": ("gauge", ""),
    "concerto_recovery_lag_seconds": ("gauge", ""),
    "concerto_oldest_unfinished_age_seconds": ("gauge", ""),
    "concerto_store_queue_depth": ("gauge", ""),
    "concerto_store_queue_bytes": ("gauge", ""),
    "concerto_store_disk_bytes": ("gauge", ""),
    "concerto_store_failed": ("gauge", ""),
    "concerto_store_free_bytes": ("gauge", ""),
    "concerto_store_changes_total": ("counter", ""),
    "concerto_store_bytes_total": ("counter", ""),
    "concerto_store_refused_total": ("counter", ""),
    "concerto_store_disk_reads_total": ("counter", ""),
    "concerto_store_segments_dropped_total": ("counter", ""),
    "concerto_store_group_size": ("histogram", ""),
    "concerto_store_sync_seconds": ("histogram", ""),
    "process_start_time_seconds": ("gauge", ""),
    "process_virtual_memory_bytes": ("gauge", ""),
    "process_resident_memory_bytes": ("gauge", ""),
    "process_cpu_seconds_total": ("counter", ""),
    "process_open_fds": ("gauge", ""),
    "process_max_fds": ("gauge", ""),
}
TARGETS_MAX = 200
OTHER_BRANCHES = 51  # Of 150, those beyond 99.


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


class Metrics(OperationsTestCase):
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

    def test_reader_refuses_what_is_wrong(self):
        head = "# HELP a_total x\n# TYPE a_total counter\n"
        histogram = ("# HELP h x\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\n"
                     "h_bucket{le=\"+Inf\"} 3\nh_sum 4\nh_count 3\n")
        self.assertEqual(sorted(parse(head + "a_total 1\n" + histogram)), ["a_total", "h"])
        for text in (head + "a_total 1", head + "a_total{b=c} 1\n", head + "a_total one\n", head,
                     head + "a_total -1\n", head + "a_total 1\na_total 2\n", "a_total 1\n" + head,
                     head + 'a_total{b="c\\d"} 1\n', head + "a_total 1\n\n",
                     histogram.replace("h_count 3", "h_count 2"), histogram.replace("} 2", "} 5"),
                     histogram.replace("+Inf", "2"), histogram.replace("h_sum 4\n", "")):
            with self.subTest(text), self.assertRaises(FormatError):
                parse(text)

    def test_every_name_is_there_with_its_labels(self):
        coordinator = self.start("names")
        submit(coordinator, self.saga("any", "a"))
        coordinator.wait_for_status("any", "succeed")
        families = scrape(coordinator)
        for name, (kind, labels) in {**REFERENCE_NAMES, **OUR_NAMES}.items():
            with self.subTest(name):
                self.assertIn(name, families)
                self.assertEqual(families[name].type, kind)
                for key in families[name].samples:
                    self.assertEqual(" ".join(sorted(dict(key))), labels)
        self.assertEqual(set(families) - set(REFERENCE_NAMES) - set(OUR_NAMES), set())
        self.assertEqual(list(values(families, "dtm_server_info", "gin_version").values()), [1])

    def test_buckets(self):
        coordinator = self.start("buckets")
        submit(coordinator, self.saga("any", "a"))
        coordinator.wait_for_status("any", "succeed")
        families = scrape(coordinator)
        for name, (kind, _) in {**REFERENCE_NAMES, **OUR_NAMES}.items():
            if kind != "histogram" or name.startswith("concerto_store"):
                continue
            bounds = REFERENCE_BOUNDS if name in REFERENCE_NAMES else OUR_BOUNDS
            for histogram in families[name].samples.values():
                self.assertEqual(list(histogram.buckets), bounds, name)
        for reference, ours in (
                ("dtm_server_response_duration", "concerto_server_response_seconds"),
                ("dtm_transaction_handled_duration", "concerto_transaction_handled_seconds")):
            for labels, histogram in families[reference].samples.items():
                finer = families[ours].samples[labels]
                self.assertEqual((finer.count, finer.sum), (histogram.count, histogram.sum))
                for bound, count in histogram.buckets.items():
                    self.assertEqual(finer.buckets[bound], count)

    def test_requests_are_counted(self):
        coordinator = self.start("requests", {"Shards": 2})
        for _ in range(5):
            self.send(coordinator, "GET", "/api/dtmsvr/newGid")
            self.send(coordinator, "POST", "/api/json-rpc", {
                "jsonrpc": "2.0", "id": "x", "method": "newGid", "params": {}})
            self.grpc(coordinator, "NewGid", "ok")
        for _ in range(2):
            self.send(coordinator, "POST", "/api/dtmsvr/submit", "no object")
            self.send(coordinator, "GET", "/api/dtmsvr/query")
            self.send(coordinator, "GET", "/api/concerto/why?gid=nobody")
            self.send(coordinator, "POST", "/api/json-rpc", 7)
            self.grpc(coordinator, "Submit", "fail", grpc_wire.message([(1, "g"), (2, "nothing")]))
        for path in ("version", "all?limit=3", "scanKV?cat=topics"):
            self.send(coordinator, "GET", f"/api/dtmsvr/{path}")
        self.end(coordinator, self.saga("g1", "a"), "succeed")
        self.grpc(coordinator, "Submit", "ok", grpc_wire.message([
            (1, "g2"), (2, "saga"), (5, "{}"),
            (7, json.dumps([{"action": self.branches.url("a"), "compensate": ""}]))]))
        self.wait_for_end(coordinator, "g2", "succeed")
        for path in ("/api/ping", "/livez", "/readyz", "/api/metrics", "/metrics"):  # Not counted.
            self.assertEqual(get(coordinator, path).status, 200)
        families = scrape(coordinator)
        counted = values(families, "dtm_server_process_total", "type", "api", "status")
        self.assertEqual({key: count for key, count in counted.items() if count}, dict(self.sent))
        times = values(families, "dtm_server_response_duration", "type", "api")
        for key, histogram in times.items():
            self.assertEqual(histogram.count, sum(self.sent[(*key, status)]
                                                  for status in ("ok", "fail")), key)

    def test_labels_of_requests_are_bounded(self):
        coordinator = self.start("paths")
        for number in range(1000):
            self.send(coordinator, "GET", f"/nowhere/{number}?x={number}", api="unknown")
        for number in range(100):
            self.send(coordinator, "GET", f"/api/dtmsvr/query?gid=g{number}")
            self.send(coordinator, "DELETE", f"/api/dtmsvr/topic/t{number}", api="topic")
            self.send(coordinator, "PATCH", "/api/dtmsvr/submit", api="unknown")
        counted = values(scrape(coordinator), "dtm_server_process_total", "type", "api", "status")
        self.assertEqual({key: count for key, count in counted.items() if count}, dict(self.sent))

    def test_branches_and_passes_are_counted(self):
        coordinator = self.start("branches", {"Shards": 2})
        self.run_every_mode(coordinator)
        families = scrape(coordinator)
        calls = values(families, "dtm_branch_process_total",
                       "model", "branchid", "branchtype", "status")
        self.assertEqual(calls, {
            ("saga", "01", "action", "ok"): 2, ("saga", "02", "action", "ok"): 1,
            ("saga", "02", "action", "fail"): 1, ("saga", "01", "compensate", "ok"): 1,
            ("saga", "02", "compensate", "ok"): 1,
            ("msg", "01", "action", "fail"): 1, ("msg", "01", "action", "ok"): 2,
            ("msg", "00", "msg", "ok"): 1,
            ("tcc", "01", "confirm", "ok"): 1, ("tcc", "01", "cancel", "ok"): 1,
            ("xa", "01", "commit", "ok"): 1, ("xa", "01", "rollback", "ok"): 1,
            ("workflow", "00", "other", "ok"): 1})
        latency = values(families, "concerto_branch_latency_seconds", "target")
        target = self.branches.url("").rstrip("/")
        self.assertEqual({key: histogram.count for key, histogram in latency.items()},
                         {(target,): sum(calls.values())})
        outcomes = values(families, "concerto_branch_calls_total", "target", "outcome")
        self.assertEqual(outcomes, {(target, "success"): sum(calls.values()) - 2,
                                    (target, "failure"): 1, (target, "error"): 1,
                                    (target, "ongoing"): 0})
        ends = values(families, "concerto_transactions_ended_total", "model", "status")
        self.assertEqual(ends, {
            ("saga", "succeed"): 1, ("saga", "failed"): 1, ("msg", "succeed"): 2,
            ("msg", "failed"): 0, ("tcc", "succeed"): 1, ("tcc", "failed"): 1,
            ("xa", "succeed"): 1, ("xa", "failed"): 1, ("workflow", "succeed"): 1,
            ("workflow", "failed"): 0})
        self.check_passes(families)

    def run_every_mode(self, coordinator):
        self.end(coordinator, self.saga("saga", "a", "a"), "succeed")
        self.branches.script("poor", (409, "no money"), (200, ""))
        self.end(coordinator, self.saga("undone", "a", "poor"), "failed")
        self.branches.script("flaky", (500, "out of order"), (200, ""))
        submit(coordinator, self.msg("msg", "flaky", retry_interval=60))
        self.wait_for_why(coordinator, "msg", lambda why: why["state"] == "waiting", "waits")
        try_now(coordinator, "msg")
        self.wait_for_end(coordinator, "msg", "succeed")
        for gid, end in (("yes", "submit"), ("no", "abort")):
            for kind in ("tcc", "xa"):
                self.run_second_phase(coordinator, f"{kind}-{gid}", kind, end)
        self.assertEqual(post(coordinator, "prepare", self.msg(
            "ask", "a", timeout_to_fail=1, query_prepared=self.branches.url("q"))).status, 200)
        self.assertEqual(post(coordinator, "prepareWorkflow", {
            "gid": "flow", "trans_type": "workflow", "query_prepared": self.branches.url("resume"),
            "custom_data": '{"name":"shop","data":"e30="}', "retry_interval": 60}).status, 200)
        try_now(coordinator, "flow")
        self.branches.wait_for_calls(1, "flow")
        self.assertEqual(post(coordinator, "submit", {
            "gid": "flow", "trans_type": "workflow", "req_extra": {"status": "succeed"}}).status,
            200)
        self.wait_for_end(coordinator, "ask", "succeed")

    def run_second_phase(self, coordinator, gid, kind, end):
        base = {"gid": gid, "trans_type": kind}
        url = self.branches.url("a")
        urls = {"url": url} if kind == "xa" else {"confirm": url, "cancel": url, "data": "{}"}
        for name, request in (("prepare", base),
                              ("registerBranch", {**base, "branch_id": "01", **urls}),
                              (end, base)):
            answer = post(coordinator, name, request)
            self.assertEqual(answer.status, 200, answer.body)
        self.wait_for_end(coordinator, gid, "succeed" if end == "submit" else "failed")

    def check_passes(self, families):
        passes = values(families, "dtm_transaction_process_total", "model", "status")
        self.assertEqual(sorted({model for model, _ in passes}),
                         ["msg", "saga", "tcc", "workflow", "xa"])
        # The message has failed once.
        self.assertEqual((passes["msg", "fail"], passes["msg", "ok"]), (1, 2))
        self.assertEqual(sum(passes["saga", status] for status in ("ok", "fail")), 2)
        times = values(families, "dtm_transaction_handled_duration", "model")
        for (model,), histogram in times.items():
            self.assertEqual(histogram.count, passes[model, "ok"] + passes[model, "fail"], model)
        # The one that was asked for was prepared for a second.
        self.assertGreaterEqual(times["msg",].sum, 1)

    def test_labels_of_branches_are_bounded(self):
        coordinator = self.start("many")
        submit(coordinator, self.msg("many", *["a"] * 150))
        coordinator.wait_for_status("many", "succeed")
        targets = [f"http://127.0.{1 + number // 100}.{1 + number % 100}:1/a"
                   for number in range(300)]
        submit(coordinator, self.msg("targets", *targets, concurrent=True, retry_interval=60))
        self.wait_for_why(coordinator, "targets", lambda why: why["state"] == "waiting", "waits")
        families = scrape(coordinator)
        calls = values(families, "dtm_branch_process_total", "branchid", "status")
        good = {branch: count for (branch, status), count in calls.items() if status == "ok"}
        self.assertEqual(good, {**{f"{number:02}": 1 for number in range(1, 100)},
                                "other": OTHER_BRANCHES})
        latency = values(families, "concerto_branch_latency_seconds", "target")
        self.assertEqual(len(latency), TARGETS_MAX + 1)
        self.assertEqual(sum(histogram.count for histogram in latency.values()), 150 + 300)
        self.assertEqual(latency["other",].count, 300 + 1 - TARGETS_MAX)

    def test_labels_are_escaped(self):
        coordinator = self.start("escaped")
        target = 'we"ird\\host:1'  # Of gRPC, whose targets may be odd.
        step = {"action": f"{target}/p.S/M", "compensate": ""}
        submit(coordinator, {"gid": "odd", "trans_type": "saga", "protocol": "grpc",
                             "steps": [step], "payloads": ["{}"], "retry_interval": 60})
        self.wait_for_why(coordinator, "odd", lambda why: why["state"] == "waiting", "waits")
        latency = values(scrape(coordinator), "concerto_branch_latency_seconds", "target")
        self.assertEqual(list(latency), [(target,)])

    def test_what_waits_for_a_target(self):
        coordinator = self.start("silent")
        self.assertEqual(values(scrape(coordinator), "concerto_transactions_waiting", "target"), {})
        target = f"http://127.0.0.1:{free_port()}"
        for number, user in enumerate(("", "one@", "two@")):
            gid = f"silent-{number}"
            action = target.replace("//", "//" + user) + "/a"
            submit(coordinator, {"gid": gid, "trans_type": "saga", "retry_interval": 60,
                                 "steps": [{"action": action, "compensate": ""}],
                                 "payloads": ["{}"]})
            self.wait_for_why(coordinator, gid, lambda why: why["state"] == "waiting", "waits")
        waiting = values(scrape(coordinator), "concerto_transactions_waiting", "target")
        self.assertEqual(waiting, {(target,): 3})

    def test_what_is_in_flight(self):
        coordinator = self.start("flight")
        begin = time.monotonic()
        post(coordinator, "prepare", {"gid": "open", "trans_type": "tcc", "timeout_to_fail": 600})
        oldest = time.monotonic()
        gate = self.branches.hold("slow")
        self.addCleanup(gate.set)
        self.branches.script("broken", (500, ""))
        for number in range(3):
            submit(coordinator, self.saga(f"waits-{number}", "broken", retry_interval=60))
            self.wait_for_why(coordinator, f"waits-{number}",
                              lambda why: why["state"] == "waiting", "waits")
        submit(coordinator, self.msg("runs", "slow", request_timeout=60))
        self.branches.wait_for_calls(1, "runs")
        expected = {("tcc",): 1, ("saga",): 3, ("msg",): 1, ("xa",): 0, ("workflow",): 0}

        def check():
            before = time.monotonic() - oldest
            families = scrape(coordinator)
            self.assertEqual(values(families, "concerto_transactions_in_flight", "model"), expected)
            age = values(families, "concerto_oldest_unfinished_age_seconds")
            self.assertTrue(before - 1 <= age <= time.monotonic() - begin + 1, age)
            return families

        families = check()
        self.assertEqual(values(families, "concerto_transactions_in_memory"), 1)
        self.assertGreater(values(families, "concerto_payload_bytes_in_memory"), 0)
        self.assertEqual(values(families, "concerto_transactions_queued"), 0)
        coordinator.kill()
        coordinator.start()
        self.branches.wait_for_calls(2, "runs")
        check()
        gate.set()
        coordinator.wait_for_status("runs", "succeed")
        expected["msg",] = 0
        self.assertEqual(values(check(), "concerto_transactions_in_memory"), 0)
        post(coordinator, "forceStop", {"gid": "open"})
        expected["tcc",], oldest, begin = 0, time.monotonic(), oldest
        self.assertEqual(values(scrape(coordinator), "concerto_transactions_in_flight", "model"),
                         expected)

    def test_store(self):
        coordinator = self.start("store")
        count = 200
        clients = [threading.Thread(target=lambda first=first: [
            submit(coordinator, self.saga(f"store-{number}", "a"))
            for number in range(first, count, 8)]) for first in range(8)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        for number in range(count):
            coordinator.wait_for_status(f"store-{number}", "succeed")
        families = scrape(coordinator)
        changes = values(families, "concerto_store_changes_total")
        groups = values(families, "concerto_store_group_size")
        syncs = values(families, "concerto_store_sync_seconds")
        self.assertGreaterEqual(changes, 2 * count)  # The creation and the end of each.
        self.assertEqual(groups.sum, changes)
        self.assertEqual(groups.count, syncs.count)
        self.assertTrue(0 < groups.count <= changes, groups)
        self.assertGreater(values(families, "concerto_store_bytes_total"), 100 * count)
        wait_until(lambda: values(scrape(coordinator), "concerto_store_disk_bytes") > 0,
                   "the store has measured its files")
        for name in ("queue_depth", "queue_bytes", "failed", "refused_total"):
            self.assertEqual(values(families, f"concerto_store_{name}"), 0, name)

    def test_process(self):
        coordinator = self.start("process")
        first = scrape(coordinator)
        started = values(first, "process_start_time_seconds")
        self.assertTrue(time.time() - 60 < started < time.time() + 2, started)
        pid = coordinator.process.pid
        self.assertEqual(values(first, "process_max_fds"),
                         resource.prlimit(pid, resource.RLIMIT_NOFILE)[0])
        opened = len(os.listdir(f"/proc/{pid}/fd"))
        self.assertTrue(abs(values(first, "process_open_fds") - opened) < 10, opened)
        resident = values(first, "process_resident_memory_bytes")
        self.assertTrue(1 << 20 < resident <= values(first, "process_virtual_memory_bytes"))
        wait_until(lambda: values(scrape(coordinator), "process_cpu_seconds_total") >
                   values(first, "process_cpu_seconds_total"), "scrapes take time")


if __name__ == "__main__":
    main(Metrics, __doc__)
