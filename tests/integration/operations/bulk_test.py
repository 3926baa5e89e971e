"""Actions on many transactions: what a preview promises happens, an interrupted job goes on, and
the audit log tells who, what and why.

Usage: bulk_test.py <concertod> [--store <store>] [--stuck <number>]
"""

import json
import time

from actions_test_case import TOKENS, ActionsTestCase, call
from operations_test_case import run_tests
from quick_branches import QuickBranches

from concerto_testing import http_call, wait_until
from shared_stores import add_store_argument

DONE_S = 60
ACTS_A_SECOND = 400  # with little of the machine


class Bulk(ActionsTestCase):
    def begin(self, coordinator, name, body):
        answer = call(coordinator, "POST", name, body)
        self.assertEqual(answer.status, 202, answer.body)
        return answer.json()["id"]

    def job(self, coordinator, job_id):
        return call(coordinator, "GET", f"jobs?id={job_id}", role="viewer").json()["jobs"][0]

    def wait_for_end(self, coordinator, job_id):
        return wait_until(lambda: (job := self.job(coordinator, job_id))["state"] != "running" and
                          job, f"job {job_id} has ended", self.long_s())

    def long_s(self):
        return DONE_S + self.args.stuck / ACTS_A_SECOND

    def test_a_preview_equals_its_effect(self):
        place = self.store.place("preview")
        coordinator = self.coordinator("preview", place)
        branches = QuickBranches()
        self.addCleanup(branches.close)
        self.stuck(coordinator, "old", self.args.stuck, branches.url("rest"))
        selection = {"target": ":1/gone", "transType": "saga", "status": "submitted"}
        preview = call(coordinator, "POST", "retry", {"select": selection, "dryRun": True}).json()
        self.assertEqual((preview["matched"], preview["refused"], preview["complete"]),
                         (self.args.stuck, 0, True))
        self.assertEqual(len(preview["sample"]), min(20, self.args.stuck))
        begin = time.monotonic()
        done = self.wait_for_end(coordinator, self.begin(
            coordinator, "retry", {"select": selection, "reason": "ticket 1"}))
        print(f"{self.args.store}: {done['done']} retries in {time.monotonic() - begin:.1f} s")
        self.assertEqual((done["done"], done["failed"]), (preview["matched"], 0))
        skip = {"select": selection, "branchId": "01", "op": "action", "reason": "done by hand"}
        wait_until(lambda: self.total(coordinator, "target=:1/gone") == self.args.stuck,
                   "all have been tried again", self.long_s())
        # One has ended with its first branch, so its second one is called now.
        ahead = call(coordinator, "POST", "pause", {"kind": "target", "value": "/rest"})
        self.assertEqual(ahead.status, 200, ahead.body)
        self.assertEqual(call(coordinator, "POST", "skip", {
            "gid": "old-0", "branchId": "01", "op": "action", "reason": "r"}).status, 200)
        ended = {"select": {"transType": "saga"}, "branchId": "01", "op": "action", "reason": "r"}
        preview = call(coordinator, "POST", "skip", {**ended, "dryRun": True}).json()
        self.assertEqual((preview["matched"], preview["refused"]), (self.args.stuck - 1, 1))
        self.assertEqual(preview["errors"][0]["gid"], "old-0")
        self.assertIn("has ended with status 'succeed'", preview["errors"][0]["error"])
        resumed = call(coordinator, "POST", "resume", {"kind": "target", "value": "/rest"}).json()
        self.wait_for_end(coordinator, resumed["id"])
        wait_until(lambda: self.total(coordinator) == self.args.stuck - 1, "it has gone on")
        done = self.wait_for_end(coordinator, self.begin(coordinator, "skip", skip))
        self.assertEqual(done["done"], self.args.stuck - 1, done)
        wait_until(lambda: self.total(coordinator) == 0, "all go on behind the skipped branch",
                   self.long_s())
        self.assertEqual(len(branches.gids), self.args.stuck)
        self.assertEqual(coordinator.terminate(), 0)

    def test_an_interrupted_job_goes_on(self):
        place = self.store.place("interrupted")
        first = self.coordinator("first", place)
        self.stuck(first, "g", self.args.stuck)
        job_id = self.begin(first, "stop", {"select": {}, "reason": "ticket 2"})
        wait_until(lambda: self.job(first, job_id)["done"] > 0, "the job has begun")
        first.kill()
        if place.settings:
            first = self.coordinator("second", place, is_first=False)
        else:
            first.start()  # Nobody else can open its store.
        ended = self.wait_for_end(first, job_id)
        self.assertEqual((ended["state"], ended["failed"]), ("done", 0), ended)
        self.assertEqual(self.total(first), 0)
        self.assertEqual(ended["reason"], "ticket 2")
        self.assertEqual(ended["caller"], "the-operator")

    def test_requests_about_some(self):
        coordinator = self.coordinator("some", self.store.place("some"))
        self.stuck(coordinator, "g", 6)
        for body, matched in (({"gid": "g-0"}, (1, 0)),
                              ({"gids": ["g-0", "g-1", "g-0", "nobody"]}, (2, 1))):
            told = call(coordinator, "POST", "stop", {**body, "dryRun": True}).json()
            self.assertEqual((told["matched"], told["refused"]), matched)
            self.assertEqual(told["sample"][0]["urls"], ["http://127.0.0.1:1/gone"])
        self.assertEqual(self.total(coordinator), 6)
        self.assertEqual(call(coordinator, "POST", "stop", {"gid": "g-0", "reason": "r"}).json(),
                         {"done": 1, "failed": 0})
        gids = {"gids": ["g-0", "g-1", "nobody", "g-0"]}
        told = call(coordinator, "POST", "stop", {**gids, "dryRun": True}).json()
        some = call(coordinator, "POST", "stop", gids).json()
        self.assertEqual((some["done"], some["failed"]), (1, 2), some)
        self.assertEqual((told["matched"], told["refused"]), (1, 2), told)
        self.assertEqual(told["errors"], some["errors"])
        self.assertEqual([each["gid"] for each in some["errors"]], ["g-0", "nobody"])
        skip = {"gid": "g-2", "reason": "by hand"}
        told = call(coordinator, "POST", "skip", {**skip, "dryRun": True}).json()["sample"][0]
        self.assertEqual((told["branchId"], told["op"]), ("01", "action"), told)
        skip = {**skip, "branchId": told["branchId"], "op": told["op"]}
        skipped = call(coordinator, "POST", "skip", skip)
        self.assertEqual(skipped.status, 200, skipped.body)
        wait_until(lambda: self.total(coordinator) == 3, "the skipped one has gone on")
        again = call(coordinator, "POST", "skip", skip)  # as whoever got no answer does
        self.assertEqual(again.status, 409, again.body)
        for name, body, status, told in (
                ("retry", {}, 400, "one of gid, gids and select"),
                ("retry", {"select": {"statu": "x"}}, 400, "unknown member 'statu'"),
                ("retry", {"select": {}, "limt": 1}, 400, "unknown member 'limt'"),
                ("retry", {"select": {"status": "failed"}}, 400, "status"),
                ("retry", {"select": {}, "limit": 0}, 400, "limit"),
                ("skip", {"gid": "g-3"}, 400, "reason"),
                ("skip", {"select": {}, "reason": "r"}, 400, "branchId and op"),
                ("skip", {"gid": "g-3", "reason": "r"}, 400, "both are missing"),
                ("skip", {"gids": ["g-3"], "op": "action", "reason": "r"}, 400, "branchId is"),
                ("skip", {"gid": "g-3", "branchId": "09", "op": "action", "reason": "r"}, 400,
                 "branch 09"),
                ("retry", {"select": {"target": ""}}, 400, "select.target"),
                ("retry", {"select": {"status": ","}}, 400, "status"),
                ("skip", {"gid": "g-3", "op": "", "reason": "r"}, 400, "op"),
                ("retry", {"gid": "g-0"}, 409, "cannot be retried"),
                ("cancelJob", {"id": "none", "ids": 1}, 400, "unknown member 'ids'"),
                ("retry?gid=g-3", {"gid": "g-3"}, 400, "unknown parameter 'gid'"),
                ("stop", {"gid": "nobody"}, 404, "nobody"),
                ("stop", {"gid": "nobody", "dryRun": True}, 404, "nobody"),
                ("stop", {"gid": "g-0"}, 409, "failed"),
                ("cancelJob", {"id": "none"}, 404, "none")):
            with self.subTest(body=body):
                answer = call(coordinator, "POST", name, body)
                self.assertEqual(answer.status, status, answer.body)
                self.assertIn(told, answer.json()["message"])
        for target, status, told in (
                ("count?taget=x", 400, "unknown parameter 'taget'"),
                ("count?target=", 400, "target"),
                ("count?by=status&by=age", 400, "by"), ("pauses?kind=target", 400, "'kind'"),
                ("jobs?id=", 400, "id"), ("why?gid=", 400, "gid"), ("why?gdi=g-3", 400, "'gdi'"),
                ("audit?gid=", 400, "gid"), ("count?topic=none", 400, "no topic 'none'")):
            with self.subTest(target=target):
                answer = call(coordinator, "GET", target)
                self.assertEqual(answer.status, status, answer.body)
                self.assertIn(told, answer.json()["message"])
        for target in ("topic=none", "target=", "minAge=x", "maxAge=0", "owner="):
            answer = http_call("GET", f"{coordinator.api}/all?{target}",
                               headers={"Authorization": f"Bearer {TOKENS['viewer']}"})
            self.assertEqual(answer.status, 400, answer.body)
            self.assertIn(target.partition("=")[0], answer.json()["message"])
        self.assertEqual(self.total(coordinator), 3)

    def test_owners_and_errors(self):
        place = self.store.place("owned")
        coordinator = self.coordinator("owned", place)
        self.stuck(coordinator, "g", 4)
        errors = call(coordinator, "GET", "count?by=lastError").json()
        self.assertEqual(errors["groups"][0]["count"], 4)
        self.assertIn("refused", errors["groups"][0]["value"].lower())
        self.assertTrue(errors["complete"])
        owners = call(coordinator, "GET", "count?by=owner")
        if not place.settings:
            self.assertEqual(owners.status, 400, owners.body)
            self.assertIn("owner: transactions have owners only in a store",
                          owners.json()["message"])
            return
        wait_until(lambda: self.total(coordinator, "owner=nobody") == 4, "all rest")
        owners = call(coordinator, "GET", "count?by=owner").json()
        self.assertEqual([(one["value"], one["count"]) for one in owners["groups"]],
                         [("nobody", 4)])
        gate = self.branches.hold("held")
        self.addCleanup(gate.set)
        self.submit_as_client(coordinator, self.saga("held", "held", request_timeout=60))
        self.branches.wait_for_calls(1, "held")
        groups = call(coordinator, "GET", "count?by=owner").json()["groups"]
        owner = next(one["value"] for one in groups if one["value"] != "nobody")
        for name, count in (("nobody", 4), (owner, 1), ("cc-somebody", 0)):
            self.assertEqual(self.total(coordinator, f"owner={name}"), count)
            told = call(coordinator, "POST", "stop",
                        {"select": {"owner": name}, "dryRun": True}).json()
            self.assertEqual(told["matched"], count)
            listed = http_call("GET", f"{coordinator.api}/all?owner={name}",
                               headers={"Authorization": f"Bearer {TOKENS['viewer']}"}).json()
            unfinished = [one for one in listed["transactions"] if one["status"] == "submitted"]
            self.assertEqual(len(unfinished), count)
        gate.set()
        done = self.wait_for_end(coordinator, self.begin(coordinator, "stop", {
            "select": {"owner": "nobody"}, "reason": "r"}))
        self.assertEqual(done["done"], 4)

    def submit_as_client(self, coordinator, body):
        answer = http_call("POST", f"{coordinator.api}/submit", json.dumps(body).encode(),
                           {"Authorization": f"Bearer {TOKENS['client']}"})
        self.assertEqual(answer.status, 200, answer.body)

    def test_a_topic_is_paused(self):
        coordinator = self.coordinator("topical", self.store.place("topical"))
        pause = {"kind": "topic", "value": "orders", "reason": "ticket 5"}
        refused = call(coordinator, "POST", "pause", pause)
        self.assertEqual(refused.status, 400, refused.body)
        self.assertIn("no topic 'orders'", refused.json()["message"])
        operator = {"Authorization": f"Bearer {TOKENS['operator']}"}
        url = self.branches.url("order")
        self.assertEqual(http_call("GET", f"{coordinator.api}/subscribe?topic=orders&url={url}",
                                   headers=operator).status, 200)
        self.assertEqual(call(coordinator, "POST", "resume", {**pause, "dryRun": True}).status, 404)
        preview = call(coordinator, "POST", "pause", {**pause, "dryRun": True}).json()
        self.assertEqual((preview["waiting"], preview["kind"]), (0, "topic"))
        self.assertEqual(call(coordinator, "GET", "pauses").json()["pauses"], [])
        self.assertEqual(call(coordinator, "POST", "pause", pause).status, 200)
        self.assertEqual(call(coordinator, "POST", "pause", {**pause, "dryRun": True}).status, 409)
        for number in range(3):
            self.submit_as_client(coordinator, {
                "gid": f"m-{number}", "trans_type": "msg", "payloads": ["{}"],
                "steps": [{"action": "topic://orders"}]})
        self.submit_as_client(coordinator, self.saga("other", "free"))
        why = call(coordinator, "GET", "why?gid=m-0").json()["explanation"]
        self.assertIn("topic 'orders' is paused by the-operator: ticket 5", why)
        wait_until(lambda: self.total(coordinator) == 3, "others go on")
        shown = call(coordinator, "GET", "pauses", role="viewer").json()
        self.assertEqual(([one["waiting"] for one in shown["pauses"]], shown["complete"]),
                         ([3], True))
        told = call(coordinator, "POST", "resume", {**pause, "dryRun": True}).json()
        self.assertEqual(told["waiting"], 3)
        self.assertEqual([each.query["gid"] for each in self.branches.calls()], ["other"])
        resumed = call(coordinator, "POST", "resume", pause).json()
        self.assertEqual(self.wait_for_end(coordinator, resumed["id"])["done"], told["waiting"])
        wait_until(lambda: self.total(coordinator) == 0, "the messages have gone on")

    def test_pauses(self):
        place = self.store.place("paused")
        coordinator = self.coordinator("paused", place)
        pause = {"kind": "target", "value": "/slow", "reason": "ticket 3"}
        self.assertEqual(call(coordinator, "POST", "pause", pause, "viewer").status, 403)
        self.assertEqual(call(coordinator, "POST", "pause", pause).status, 200)
        self.assertEqual(call(coordinator, "POST", "pause", pause).status, 409)
        for number in range(20):
            answer = http_call("POST", f"{coordinator.api}/submit",
                               json.dumps(self.saga(f"p-{number}", "slow")).encode(),
                               {"Authorization": f"Bearer {TOKENS['client']}"})
            self.assertEqual(answer.status, 200)
        coordinator.kill()
        coordinator.start()
        why = call(coordinator, "GET", "why?gid=p-0").json()["explanation"]
        self.assertIn("target '/slow' is paused by the-operator: ticket 3", why)
        shown = call(coordinator, "GET", "pauses", role="viewer").json()["pauses"]
        self.assertEqual([(one["kind"], one["value"]) for one in shown], [("target", "/slow")])
        self.assertEqual(self.branches.calls(), [])
        resumed = call(coordinator, "POST", "resume", {**pause, "reason": "repaired"})
        self.assertEqual(resumed.status, 200, resumed.body)
        self.assertEqual(self.wait_for_end(coordinator, resumed.json()["id"])["done"], 20)
        # The lease of the killed one may have to end first.
        wait_until(lambda: self.total(coordinator) == 0, "all have gone on", DONE_S)
        self.assertEqual(call(coordinator, "POST", "resume", pause).status, 404)
        actions = [(one["event"], one["action"], one.get("details")) for one in
                   call(coordinator, "GET", "audit?action=pause").json()["records"]]
        self.assertIn(("done", "pause", "kind target, value /slow"), actions)

    def test_a_viewer_is_refused_and_the_audit_log_tells_all(self):
        coordinator = self.coordinator("audited", self.store.place("audited"))
        self.stuck(coordinator, "g", 3)
        for role in ("viewer", "client"):
            answer = call(coordinator, "POST", "stop", {"select": {}}, role)
            self.assertEqual(answer.status, 403, answer.body)
        self.assertEqual(self.total(coordinator), 3)
        job_id = self.begin(coordinator, "stop", {
            "select": {"target": "gone", "minAge": 0}, "limit": 2, "reason": "ticket 4711"})
        self.assertEqual(self.wait_for_end(coordinator, job_id)["done"], 2)
        records = wait_until(
            lambda: len(found := call(coordinator, "GET", "audit?action=stop").json()["records"])
            == 5 and found, "the end of the job is recorded")
        ended, taken, begun, refused = records[0], records[1], records[2], records[3:]
        self.assertEqual([one["event"] for one in refused], ["refused", "refused"])
        for record, event in ((begun, "begun"), (taken, "begun"), (ended, "done")):
            self.assertEqual((record["event"], record["caller"], record["reason"], record["id"]),
                             (event, "the-operator", "ticket 4711", begun["id"]), record)
        for record in (begun, taken):
            self.assertIn("select.target gone", record["details"])
            self.assertIn("limit 2", record["details"])
        self.assertIn(job_id, taken["result"])
        self.assertEqual((ended["details"], ended["result"]),
                         (f"job {job_id}", "done: 2 done, 0 refused"))


def add_arguments(parser):
    parser.add_argument("concertod")
    parser.add_argument("--stuck", type=int, default=2_000, help="how many transactions")
    add_store_argument(parser)


if __name__ == "__main__":
    run_tests(Bulk, add_arguments, __doc__)
