"""`GET /api/metrics`: every name and label, that labels are bounded, the store and the process.

Usage: metrics_test.py <concertod>
"""

import math
import os
import resource
import threading
import time

from metrics_test_case import MetricsTestCase, scrape, values
from metrics_text import FormatError, parse
from operations_test_case import main, submit

from concerto_testing import wait_until

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
    "concerto_ready": ("gauge", ""),
    "concerto_paused": ("gauge", ""),
    "concerto_server_response_seconds": ("histogram", "api type"),
    "concerto_transaction_handled_seconds": ("histogram", "model"),
    "concerto_branch_latency_seconds": ("histogram", "target"),
    "concerto_branch_calls_total": ("counter", "outcome target"),
    "concerto_transactions_ended_total": ("counter", "model status"),
    "concerto_alerts_total": ("counter", "result"),
    "concerto_transactions_unfinished": ("gauge", "model"),
    "concerto_transactions_in_flight": ("gauge", "model"),  # the old name
    "concerto_transactions_in_memory": ("gauge", ""),
    "concerto_payload_bytes_in_memory": ("gauge", ""),
    "concerto_buffered_bytes": ("gauge", ""),
    "concerto_buffers_given_up_total": ("counter", ""),
    "concerto_tls_handshake_failures_total": ("counter", "port"),
    "concerto_wrong_tokens_total": ("counter", ""),
    "concerto_audit_unrecorded_total": ("counter", ""),
    "concerto_limited_requests_total": ("counter", "kind"),
    "concerto_alarms": ("gauge", ""),
    "concerto_transactions_damaged": ("gauge", ""),
    "concerto_leases_lost_total": ("counter", ""),
    "concerto_calls_past_lease_total": ("counter", ""),
    "concerto_transactions_parked": ("gauge", ""),  # the old name
    "concerto_transactions_queued": ("gauge", ""),
    "concerto_recovery_lag_seconds": ("gauge", ""),
    "concerto_oldest_unfinished_age_seconds": ("gauge", ""),
    "concerto_store_queue_depth": ("gauge", ""),
    "concerto_store_queue_bytes": ("gauge", ""),
    "concerto_store_disk_bytes": ("gauge", ""),
    "concerto_store_failed": ("gauge", ""),
    "concerto_store_state": ("gauge", "state"),
    "concerto_store_segments": ("gauge", ""),
    "concerto_store_descriptor_waits": ("gauge", ""),
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
OTHER_BRANCHES = 51  # of 150: those beyond 99


class Metrics(MetricsTestCase):
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
        target = 'we"ird\\host:1'  # of gRPC, whose targets may be odd
        step = {"action": f"{target}/p.S/M", "compensate": ""}
        submit(coordinator, {"gid": "odd", "trans_type": "saga", "protocol": "grpc",
                             "steps": [step], "payloads": ["{}"], "retry_interval": 60})
        self.wait_for_why(coordinator, "odd", lambda why: why["state"] == "waiting", "waits")
        latency = values(scrape(coordinator), "concerto_branch_latency_seconds", "target")
        self.assertEqual(list(latency), [(target,)])

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
        self.assertGreaterEqual(changes, 2 * count)  # the creation and the end of each
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
