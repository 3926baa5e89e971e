"""Another URL or payload for a branch of a transaction that waits, on each store.

Usage: edit_test.py <concertod> [--store <store>]
"""

import base64
import json

from actions_test_case import TOKENS, ActionsTestCase, call
from operations_test_case import run_tests

from concerto_testing import http_call, wait_until
from shared_stores import add_store_argument

GONE = "http://127.0.0.1:1/gone"
LEASE_ENDS_S = 60


class Edit(ActionsTestCase):
    def edit(self, coordinator, gid, role="operator", **members):
        return call(coordinator, "POST", "edit", {"gid": gid, "reason": "it has moved", **members},
                    role)

    def rows(self, coordinator, gid):
        found = http_call("GET", f"{coordinator.api}/query?gid={gid}", None,
                          {"Authorization": f"Bearer {TOKENS['viewer']}"}).json()
        return {(row["branch_id"], row["op"]): row for row in found["branches"]}

    def wait_for_end(self, coordinator, count=0):
        wait_until(lambda: self.total(coordinator) == count, "the transactions have ended",
                   LEASE_ENDS_S)

    def test_a_new_url_and_payload(self):
        coordinator = self.coordinator("one", self.store.place("one"))
        self.stuck(coordinator, "g", 2)
        before = self.rows(coordinator, "g-0")
        told = self.edit(coordinator, "g-0", branchId="01", url=self.branches.url("new"),
                         dryRun=True)
        self.assertEqual(told.status, 200, told.body)
        self.assertEqual([told.json()[name] for name in ("matched", "op", "urlBefore")],
                         [1, "action", GONE])
        self.assertEqual(self.rows(coordinator, "g-0"), before)
        done = self.edit(coordinator, "g-0", branchId="01", op="action",
                         url=self.branches.url("new"),
                         payloadBase64=base64.b64encode(b'{"to": 2}').decode())
        self.assertEqual(done.status, 200, done.body)
        self.assertEqual([done.json()[name] for name in ("done", "urlBefore", "payloadBytes")],
                         [1, GONE, 9])
        self.wait_for_end(coordinator, 1)
        self.assertEqual([(each.name, each.body) for each in self.branches.calls("g-0")],
                         [("new", b'{"to": 2}'), ("rest", b"{}")])
        after = self.rows(coordinator, "g-0")
        self.assertEqual(after["01", "action"]["url"], self.branches.url("new"))
        for row in before:
            if row != ("01", "action"):
                self.assertEqual([after[row][name] for name in ("url", "bin_data")],
                                 [before[row][name] for name in ("url", "bin_data")], row)
        self.check_audit(coordinator)

    def check_audit(self, coordinator):
        records = call(coordinator, "GET", "audit?action=edit").json()["records"]
        done, begun = records[0], records[1]
        for record, event in ((begun, "begun"), (done, "done")):
            self.assertEqual([record[name] for name in ("event", "caller", "gid", "reason")],
                             [event, "the-operator", "g-0", "it has moved"])
            self.assertIn(f"url {self.branches.url('new')}", record["details"])
        self.assertIn(json.dumps(GONE)[1:-1], done["result"].replace("\\", ""))
        self.assertNotIn("eyJ0byI6IDJ9", json.dumps(records), "the payload")

    def test_an_edit_survives_a_kill(self):
        place = self.store.place("killed")
        coordinator = self.coordinator("killed", place)
        pause = {"kind": "target", "value": "/new", "reason": "not yet"}
        self.assertEqual(call(coordinator, "POST", "pause", pause).status, 200)
        self.stuck(coordinator, "g", 1)
        done = self.edit(coordinator, "g-0", branchId="01", op="action",
                         url=self.branches.url("new"), payload="later")
        self.assertEqual(done.status, 200, done.body)
        undo = self.edit(coordinator, "g-0", branchId="01", op="compensate", payload="undo")
        self.assertEqual(undo.status, 200, undo.body)
        coordinator.kill()
        coordinator.start()
        row = self.rows(coordinator, "g-0")["01", "action"]
        self.assertEqual((row["url"], base64.b64decode(row["bin_data"])),
                         (self.branches.url("new"), b"later"))
        self.assertEqual(self.branches.calls(), [])
        self.branches.script("rest", (409, "FAILURE"), (200, "SUCCESS"))
        self.assertEqual(call(coordinator, "POST", "resume", pause).status, 200)
        wait_until(lambda: len(self.branches.calls("g-0")) >= 2, "it goes on", LEASE_ENDS_S)
        self.assertEqual([(each.name, each.body) for each in self.branches.calls("g-0")[:2]],
                         [("new", b"later"), ("rest", b"{}")])
        wait_until(lambda: call(coordinator, "GET", "why?gid=g-0").json()["urls"] == [GONE],
                   "the compensation has its own URL")
        undone = self.edit(coordinator, "g-0", branchId="01", op="compensate",
                           url=self.branches.url("undo"))
        self.assertEqual(undone.status, 200, undone.body)
        self.wait_for_end(coordinator)
        self.assertIn(("undo", b"undo"),
                      [(each.name, each.body) for each in self.branches.calls("g-0")])

    def test_refusals_change_nothing(self):
        coordinator = self.coordinator("refused", self.store.place("refused"))
        self.stuck(coordinator, "g", 1)
        before = self.rows(coordinator, "g-0")
        for role in ("viewer", "client"):
            answer = self.edit(coordinator, "g-0", role, branchId="01", op="action",
                               url="http://127.0.0.1:1/x")
            self.assertEqual(answer.status, 403, answer.body)
        row = {"branchId": "01", "op": "action"}
        for gid, members, status, told in (
                ("g-0", row, 400, "url and payload"),
                ("g-0", {"branchId": "01", "payload": "a"}, 400, "op is missing"),
                ("g-0", {"op": "action", "payload": "a"}, 400, "branchId is missing"),
                ("g-0", {**row, "url": "http://127.0.0.1:1/x", "reason": " "}, 400, "reason"),
                ("g-0", {**row, "url": "ftp://127.0.0.1/x"}, 400, "url"),
                ("g-0", {**row, "url": "http://169.254.169.254/x"}, 400, "url"),
                ("g-0", {**row, "url": ""}, 400, "url"),
                ("g-0", {**row, "payload": "a", "payloadBase64": "YQ=="}, 400, "payloadBase64"),
                ("g-0", {**row, "payloadBase64": "?"}, 400, "payloadBase64"),
                ("g-0", {**row, "ulr": "http://127.0.0.1:1/x"}, 400, "ulr"),
                ("g-0", {"branchId": "09", "op": "action", "payload": "a"}, 400, "branch 09"),
                ("nobody", {**row, "payload": "a"}, 404, "nobody")):
            with self.subTest(members=members):
                answer = self.edit(coordinator, gid, **members)
                self.assertEqual(answer.status, status, answer.body)
                self.assertIn(told, answer.json()["message"])
        self.assertEqual(self.rows(coordinator, "g-0"), before)
        self.assertEqual(call(coordinator, "POST", "stop", {"gid": "g-0"}).status, 200)
        ended = self.edit(coordinator, "g-0", **row, payload="a")
        self.assertEqual(ended.status, 409, ended.body)
        self.assertIn("failed", ended.json()["message"])

    def test_whoever_is_asked_changes_what_waits(self):
        if self.args.store == "leveldb":
            self.skipTest("a LevelDB store has one coordinator")
        place = self.store.place("two")
        first = self.coordinator("first", place)
        second = self.coordinator("second", place, is_first=False)
        self.stuck(first, "g", 3)
        for number, asked in enumerate((first, second, second)):
            body = {"gid": f"g-{number}", "branchId": "01", "op": "action", "reason": "r",
                    "url": self.branches.url(f"new-{number}")}
            done = call(asked, "POST", "edit", body)
            self.assertEqual(done.status, 200, done.body)
        wait_until(lambda: self.total(first) == 0, "all have ended", LEASE_ENDS_S)
        self.assertEqual({each.name for each in self.branches.calls()},
                         {"new-0", "new-1", "new-2", "rest"})


def add_arguments(parser):
    parser.add_argument("concertod")
    add_store_argument(parser)


if __name__ == "__main__":
    run_tests(Edit, add_arguments, __doc__)
