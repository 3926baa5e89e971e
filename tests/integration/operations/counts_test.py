"""`GET /api/metrics`: what is counted, beside what was sent, and what is in flight.

Usage: counts_test.py <concertod>
"""

import json
import time

import grpc_wire
from metrics_test_case import MetricsTestCase, scrape, values
from operations_test_case import get, main, post, submit, try_now

from concerto_testing import free_port


class Counts(MetricsTestCase):
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
        for path in ("/api/ping", "/livez", "/readyz", "/api/metrics", "/metrics"):  # not counted
            self.assertEqual(get(coordinator, path).status, 200)
        families = scrape(coordinator)
        counted = values(families, "dtm_server_process_total", "type", "api", "status")
        self.assertEqual({key: count for key, count in counted.items() if count}, dict(self.sent))
        times = values(families, "dtm_server_response_duration", "type", "api")
        for key, histogram in times.items():
            self.assertEqual(histogram.count, sum(self.sent[(*key, status)]
                                                  for status in ("ok", "fail")), key)

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
        # The transaction that was queried had been prepared for a second.
        self.assertGreaterEqual(times["msg",].sum, 1)

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
            self.assertEqual(values(families, "concerto_transactions_unfinished", "model"),
                             expected)
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
        self.assertEqual(values(scrape(coordinator), "concerto_transactions_unfinished", "model"),
                         expected)


if __name__ == "__main__":
    main(Counts, __doc__)
