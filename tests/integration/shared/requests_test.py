"""Any coordinator answers a request about any transaction, whichever one works on it.

Usage: requests_test.py <concertod> <store>
"""

import json
import os
import sys
import threading
import time
import unittest
from urllib.parse import quote

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

from cluster import LEASE_S, Cluster  # noqa: E402
from concerto_testing import BranchServer, http_call, http_json, main, wait_until  # noqa: E402
from shared_stores import SHARED_STORES, use_store  # noqa: E402

PAYLOADS = ["{}"]
SETTLED_S = 20.0


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        use_store(cls)
        # The calls that a test holds up are not ended before the test lets them go on.
        cls.cluster = Cluster(cls.args.concertod, cls.directory, cls.store.place("dtm"),
                              {"RequestTimeout": 60})
        cls.addClassCleanup(cls.cluster.__exit__)
        cls.cluster.__enter__()
        cls.first, cls.second, cls.third = cls.cluster.nodes

    def setUp(self):
        self.gid = self.id().split(".")[-1].replace("_", "-")
        self.branches = BranchServer()
        self.addCleanup(self.branches.close)

    # ---- A transaction on which another coordinator works.

    def test_wait_result(self):
        gate = self.branches.hold("slow")
        self.ok(self.first, "submit", self.saga("slow"))
        self.branches.wait_for_calls(1)
        answer_after = self.waiting_submit(self.second)
        self.assertEqual(self.third.status(self.gid), "submitted")
        answer = answer_after(gate.set)
        self.assertEqual(answer.status, 200, answer.body)
        self.assert_status("succeed")
        self.assertEqual(len(self.branches.calls()), 1)

    def test_wait_result_of_a_failure(self):
        gate = self.branches.hold("slow")
        self.branches.script("slow", (409, "no money"), (200, "{}"))
        self.ok(self.first, "submit", self.saga("slow"))
        self.branches.wait_for_calls(1)
        answer = self.waiting_submit(self.third)(gate.set)
        self.assertEqual(answer.status, 409, answer.body)
        self.assertIn(b"FAILURE", answer.body)
        self.assert_status("failed")

    def test_force_stop(self):
        gate = self.branches.hold("slow")
        self.ok(self.first, "submit", self.saga("slow", "next"))
        self.branches.wait_for_calls(1)
        self.ok(self.second, "forceStop", {"gid": self.gid})
        self.assertEqual(self.third.status(self.gid), "failed")
        gate.set()
        time.sleep(0.5)  # In this time the next branch would be called.
        self.assert_status("failed")
        self.assertEqual([call.name for call in self.branches.calls()], ["slow"])

    def test_submit_again(self):
        gate = self.branches.hold("slow")
        self.ok(self.first, "submit", self.saga("slow"))
        self.branches.wait_for_calls(1)
        self.ok(self.second, "submit", self.saga("slow"))
        gate.set()
        self.assert_status("succeed")
        self.assertEqual(self.post(self.third, "submit", self.saga("slow")).status, 409)
        self.assertEqual(len(self.branches.calls()), 1)

    def test_a_pause_past_the_lease(self):
        """Another coordinator ends the transaction. The one that stood still notices before it
        writes, and counts what it did meanwhile."""
        counters = ("concerto_leases_lost_total", "concerto_calls_past_lease_total")
        before = [self.first.metric(name) for name in counters]
        gate = self.branches.hold("slow")
        self.ok(self.first, "submit", self.saga("slow", "next"))
        self.branches.wait_for_calls(1)
        self.cluster.pause(self.first)
        self.branches.wait_for_calls(2, timeout_s=LEASE_S + SETTLED_S)
        self.cluster.go_on(self.first)
        gate.set()
        wait_until(lambda: self.second.status(self.gid) == "succeed", "it succeeds", SETTLED_S)
        self.first.process.wait_for_line("another coordinator works on it now", SETTLED_S)
        for name, count in zip(counters, before):
            wait_until(lambda name=name, count=count: self.first.metric(name) == count + 1,
                       f"{name} grows by one", SETTLED_S)
        self.assert_status("succeed")
        names = [call.name for call in self.branches.calls()]
        self.assertEqual(sorted(names), ["next", "slow", "slow"])

    # ---- A transaction that rests.

    def test_branches_are_registered_anywhere(self):
        for mode, end, op in (("tcc", "submit", "confirm"), ("xa", "abort", "rollback")):
            gid = f"{self.gid}-{mode}"
            trans = {"gid": gid, "trans_type": mode}
            self.ok(self.first, "prepare", trans)
            for branch_id, node in (("01", self.second), ("02", self.third)):
                self.ok(node, "registerBranch", self.branch(gid, mode, branch_id))
            self.ok(self.third, end, trans)
            self.assert_status("succeed" if end == "submit" else "failed", gid)
            ops = [call.query["op"] for call in self.branches.calls(gid)]
            self.assertEqual(ops, [op] * 2)

    def test_workflow(self):
        trans = {"gid": self.gid, "trans_type": "workflow",
                 "query_prepared": self.branches.url("resume"),
                 "custom_data": json.dumps({"name": "flow", "data": ""})}
        self.ok(self.first, "prepareWorkflow", trans)
        self.ok(self.second, "registerBranch", {
            "gid": self.gid, "trans_type": "workflow", "branch_id": "01", "op": "action",
            "status": "succeed", "data": "done"})
        found = http_json("POST", f"{self.third.api}/prepareWorkflow", trans)
        self.assertEqual([(step["branch_id"], step["status"]) for step in found["progresses"]],
                         [("01", "succeed")])
        self.ok(self.third, "submit", {**trans, "req_extra": {"status": "succeed"}})
        self.assert_status("succeed")

    def test_reset_times(self):
        """An operator makes due what another coordinator has put to rest."""
        for number, reset in enumerate((self.reset_one, self.reset_all)):
            gid = f"{self.gid}-{number}"
            self.branches.script("later", (425, "ONGOING"), (200, "{}"), gid=gid)
            self.ok(self.first, "submit", {**self.saga("later"), "gid": gid, "retry_interval": 600})
            self.branches.wait_for_calls(1, gid)
            self.wait_for_rest(gid)
            reset(gid)
            self.assert_status("succeed", gid)

    def test_a_round_of_resets_ends(self):
        """Each of its requests may reach any coordinator, and the branch is dead all the time."""
        gids = [f"{self.gid}-{number}" for number in range(5)]
        for gid in gids:
            self.branches.script("broken", *[(500, "oops")] * 20, gid=gid)
            self.ok(self.first, "submit", {**self.saga("broken"), "gid": gid,
                                           "retry_interval": 300})
            self.branches.wait_for_calls(1, gid)
            self.wait_for_rest(gid)
        time.sleep(1.1)  # Rows keep whole seconds.
        counts = []
        for number in range(10):
            node = self.cluster.nodes[number % len(self.cluster.nodes)]
            found = http_json("POST", f"{node.api}/resetCronTime?timeout=200&limit=2")
            counts.append(found["succeed_count"])
            if not found["has_remaining"]:
                break
            time.sleep(0.3)  # They come to rest again.
        self.assertLess(len(counts), 10, counts)
        for gid in gids:
            self.assertGreaterEqual(len(self.branches.calls(gid)), 2, gid)
            self.ok(self.first, "forceStop", {"gid": gid})

    def wait_for_rest(self, gid):
        """Until others than the coordinator that called the branch see that it rests."""
        for node in self.cluster.nodes:
            wait_until(lambda node=node: node.why(gid)["state"] == "waiting", "it rests", SETTLED_S)

    def reset_one(self, gid):
        self.ok(self.second, "resetNextCronTime", {"gid": gid})

    def reset_all(self, _):
        found = http_json("GET", f"{self.third.api}/resetCronTime?timeout=60&limit=100")
        self.assertEqual(found["succeed_count"], 1)

    # ---- What all coordinators share.

    def test_topics(self):
        topic = self.gid
        for node, name in ((self.first, "a"), (self.second, "b")):
            url = quote(self.branches.url(name), safe="")
            http_json("GET", f"{node.api}/subscribe?topic={topic}&url={url}&remark=r")
        for number, node in enumerate(self.cluster.nodes):
            gid = f"{self.gid}-{number}"
            wait_until(lambda node=node, gid=gid: self.post(node, "submit", {
                "gid": gid, "trans_type": "msg", "payloads": PAYLOADS,
                "steps": [{"action": f"topic://{topic}"}]}).status == 200, f"{node.name} knows it")
            self.assert_status("succeed", gid)
            self.assertEqual(sorted(call.name for call in self.branches.calls(gid)), ["a", "b"])

    def test_lists(self):
        gids = set()
        for number, node in enumerate(self.cluster.nodes):
            gids.add(gid := f"{self.gid}-{number}")
            self.ok(node, "submit", {**self.saga("a"), "gid": gid})
        for node in self.cluster.nodes:
            found = http_json("GET", f"{node.api}/all?limit=1000")
            listed = [row["gid"] for row in found["transactions"] if row["gid"] in gids]
            self.assertEqual(sorted(listed), sorted(gids))

    # ---- Helpers.

    def saga(self, *names):
        return {"gid": self.gid, "trans_type": "saga", "payloads": PAYLOADS * len(names),
                "steps": [{"action": self.branches.url(name), "compensate": self.branches.url(name)}
                          for name in names]}

    def branch(self, gid, mode, branch_id):
        found = {"gid": gid, "trans_type": mode, "branch_id": branch_id, "data": "{}"}
        url = self.branches.url("branch")
        return {**found, "url": url} if mode == "xa" else {**found, "confirm": url, "cancel": url}

    def post(self, node, path, body):
        return http_call("POST", f"{node.api}/{path}", json.dumps(body).encode(), timeout_s=30.0)

    def ok(self, node, path, body):
        answer = self.post(node, path, body)
        self.assertEqual(answer.status, 200, f"{node.name} {path}: {answer.body[:300]}")

    def waiting_submit(self, node):
        """Sends a submit that waits for the result. Returns a function that checks that the request
        waits, calls what ends the waiting, and returns the answer."""
        answers = []
        request = {**self.saga("slow"), "wait_result": True}
        thread = threading.Thread(
            target=lambda: answers.append(self.post(node, "submit", request)))
        thread.start()

        def answer_after(end):
            time.sleep(0.3)  # The request must be waiting when the branch answers.
            self.assertEqual(answers, [])
            end()
            thread.join()
            self.assertEqual(len(answers), 1, "no answer")
            return answers[0]

        return answer_after

    def assert_status(self, status, gid=None):
        """Every coordinator shows this status in the end."""
        for node in self.cluster.nodes:
            node.wait_for_status(gid or self.gid, status, SETTLED_S)


def add_arguments(parser):
    parser.add_argument("concertod")
    parser.add_argument("store", choices=SHARED_STORES)


if __name__ == "__main__":
    main(Requests, add_arguments, __doc__)
