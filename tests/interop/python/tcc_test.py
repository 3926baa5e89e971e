#!/usr/bin/env python3
"""TCC of DTM's Python client, with every answer that a branch can give."""

import json

from client_test_case import (
    BROKEN, FAILURE, ONGOING, SUCCESS, ClientTestCase, DTMFailureError, add_arguments, quietly)
from dtmcli import tcc, utils
from concerto_testing import http_call, http_json, main, wait_until  # Path: client_test_case.py.

BRANCHES = ("a", "b", "c")
TRIED = ["try 01 a", "try 02 b", "try 03 c"]
CONFIRMED = ["confirm 03 ok-c", "confirm 02 ok-b", "confirm 01 ok-a"]
CANCELLED = ["cancel 03 undo-c", "cancel 02 undo-b", "cancel 01 undo-a"]


class TccTest(ClientTestCase):
    # The client cannot set a timeout for one TCC, so the coordinator's is used.
    SETTINGS = {**ClientTestCase.SETTINGS, "TimeoutToFail": 2}

    def transaction(self, gid, work):
        """Returns whether it was committed, because the client raises no errors."""
        return quietly(tcc.tcc_global_transaction, self.api, gid, work) == gid

    def call_branch(self, trans, name):
        return trans.call_branch({"branch": name}, self.branches.url(name),
                                 self.branches.url(f"ok-{name}"),
                                 self.branches.url(f"undo-{name}"))

    def run_all(self, trans):
        for name in BRANCHES:
            self.call_branch(trans, name)

    def test_success(self):
        gid = self.new_gid()
        self.assertTrue(self.transaction(gid, self.run_all))
        self.assert_ends(gid, "succeed", TRIED + CONFIRMED)
        for call in self.branches.calls(gid):
            name = call.name.split("-")[-1]
            self.assertEqual((call.method, json.loads(call.body)), ("POST", {"branch": name}))
            self.assertEqual(call.query["trans_type"], "tcc")

    def test_no_branches(self):
        gid = self.new_gid()
        self.assertTrue(self.transaction(gid, lambda trans: None))
        self.assert_ends(gid, "succeed", [])

    def test_failed_and_broken_tries(self):
        for index, name in enumerate(BRANCHES):
            # For the client, any answer but success means the end.
            for answer in (FAILURE, BROKEN, ONGOING, (200, '{"dtm_result":"FAILURE"}')):
                with self.subTest(branch=name, answer=answer):
                    gid = self.new_gid()
                    self.branches.script(name, answer, gid=gid)
                    self.assertFalse(self.transaction(gid, self.run_all))
                    self.assert_ends(gid, "failed", TRIED[:index + 1] + CANCELLED[-index - 1:])

    def test_an_error_of_the_application(self):
        def work(trans):
            self.call_branch(trans, "a")
            raise ValueError("the application changes its mind")

        gid = self.new_gid()
        self.assertFalse(self.transaction(gid, work))
        self.assert_ends(gid, "failed", [TRIED[0], CANCELLED[-1]])

    def test_confirm_is_repeated_until_it_succeeds(self):
        cases = {}
        for index, name in enumerate(reversed(BRANCHES)):
            for answer in (ONGOING, FAILURE, BROKEN):
                gid = self.new_gid()
                self.branches.script(f"ok-{name}", answer, SUCCESS, gid=gid)
                self.assertTrue(self.transaction(gid, self.run_all))
                cases[gid] = index, answer
        for gid, (index, answer) in cases.items():
            with self.subTest(confirm=CONFIRMED[index], answer=answer):
                calls = list(CONFIRMED)
                calls.insert(index, CONFIRMED[index])
                self.assert_ends(gid, "succeed", TRIED + calls)

    def test_cancel_is_repeated_until_it_succeeds(self):
        self.branches.script("c", FAILURE)
        self.branches.script("undo-b", ONGOING, FAILURE, SUCCESS)
        gid = self.new_gid()
        self.assertFalse(self.transaction(gid, self.run_all))
        self.assert_ends(gid, "failed", TRIED + [CANCELLED[0], *[CANCELLED[1]] * 3, CANCELLED[2]])

    def test_a_confirm_that_takes_too_long_is_made_again(self):
        gate = self.branches.hold("ok-b")
        gid = self.new_gid()
        self.assertTrue(self.transaction(gid, self.run_all))
        wait_until(lambda: self.calls(gid).count(CONFIRMED[1]) == 2, "the second call")
        gate.set()
        self.assert_ends(gid, "succeed", [*TRIED, *CONFIRMED[:2], *CONFIRMED[1:]])

    def test_an_application_that_goes_away_is_timed_out(self):
        gid = self.new_gid()
        body = {"gid": gid, "trans_type": "tcc"}
        http_json("POST", f"{self.api}/prepare", body)
        trans = tcc.Tcc(self.api, gid)
        self.call_branch(trans, "a")
        self.call_branch(trans, "b")
        self.assert_ends(gid, "failed", TRIED[:2] + CANCELLED[1:], "^Timeout after [0-9]+ seconds$")
        # If it comes back, it is told so.
        self.assertRaises(DTMFailureError, self.call_branch, trans, "c")
        answer = http_call("POST", f"{self.api}/submit", json.dumps(body).encode())
        self.assertEqual(answer.status, 409)
        self.assertEqual(self.calls(gid), TRIED[:2] + CANCELLED[1:])

    def test_nested(self):
        for answer in (SUCCESS, FAILURE):
            with self.subTest(answer=answer):
                self.branches.script("c", answer)

                def work(trans):
                    self.call_branch(trans, "a")
                    # The service of a has branches of its own, with ids below its own id.
                    inner = tcc.tcc_from_req(self.api, gid, "01")
                    self.call_branch(inner, "b")
                    self.call_branch(inner, "c")

                gid = self.new_gid()
                self.assertEqual(self.transaction(gid, work), answer == SUCCESS)
                op, name, status = (("confirm", "ok", "succeed") if answer == SUCCESS else
                                    ("cancel", "undo", "failed"))
                self.assert_ends(gid, status, [
                    "try 01 a", "try 0101 b", "try 0102 c", f"{op} 0102 {name}-c",
                    f"{op} 0101 {name}-b", f"{op} 01 {name}-a"])

    def test_a_branch_id_is_registered_once(self):
        gid = self.new_gid()
        http_json("POST", f"{self.api}/prepare", {"gid": gid, "trans_type": "tcc"})
        self.call_branch(tcc.Tcc(self.api, gid), "a")
        with self.assertRaisesRegex(Exception, "bad result"):
            self.call_branch(tcc.Tcc(self.api, gid), "a")
        self.assertEqual(self.calls(gid), ["try 01 a"])
        self.assertNotEqual(utils.gen_gid(self.api), gid)


if __name__ == "__main__":
    main(TccTest, add_arguments, __doc__)
