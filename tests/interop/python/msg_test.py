#!/usr/bin/env python3
"""Messages of DTM's Python client, with every answer that branches and the query can give."""

import json

from client_test_case import (
    BROKEN, FAILURE, ONGOING, SUCCESS, ClientTestCase, DTMFailureError, add_arguments)
from dtmcli.msg import Msg
from concerto_testing import http_json, main, wait_until  # The path is set by client_test_case.py.

DELIVERED = ["action 01 a", "action 02 b"]
ASKED = "msg 00 query"


class MsgTest(ClientTestCase):
    def message(self, timeout=0):
        gid = self.new_gid()
        msg = Msg(self.api, gid)
        for name in ("a", "b"):
            msg.add({"to": name}, self.branches.url(name))
        msg.trans_base.timeout_to_fail = timeout
        return msg, gid

    def test_submit(self):
        msg, gid = self.message()
        msg.set_wait_result().submit()
        self.assert_ends(gid, "succeed", DELIVERED)
        for call, name in zip(self.branches.calls(gid), ("a", "b")):
            self.assertEqual((call.method, json.loads(call.body)), ("POST", {"to": name}))
        self.assertRaises(DTMFailureError, msg.submit)

    def test_prepare_and_submit(self):
        msg, gid = self.message()
        msg.prepare(self.branches.url("query"))
        self.assertEqual(self.coordinator.status(gid), "prepared")
        msg.submit()
        self.assert_ends(gid, "succeed", DELIVERED)

    def test_branches_are_called_until_they_succeed(self):
        cases = {}
        for name, calls in (("a", [DELIVERED[0], *DELIVERED]), ("b", [*DELIVERED, DELIVERED[1]])):
            for answer in (ONGOING, FAILURE, BROKEN):
                msg, gid = self.message()
                self.branches.script(name, answer, SUCCESS, gid=gid)
                msg.submit()
                cases[gid] = name, answer, calls
        for gid, (name, answer, calls) in cases.items():
            with self.subTest(branch=name, answer=answer):
                self.assert_ends(gid, "succeed", calls)

    def test_the_one_who_waits_hears_what_a_branch_says(self):
        gids = []
        for answer, error in ((ONGOING, DTMFailureError), (FAILURE, DTMFailureError),
                              (BROKEN, Exception)):
            with self.subTest(answer=answer):
                msg, gid = self.message()
                self.branches.script("b", answer, SUCCESS, gid=gid)
                with self.assertRaises(error) as refusal:
                    msg.set_wait_result().submit()
                self.assertIs(type(refusal.exception), error)
                gids.append(gid)
        for gid in gids:
            self.assert_ends(gid, "succeed", [*DELIVERED, DELIVERED[1]])

    def test_a_call_that_takes_too_long_is_made_again(self):
        gate = self.branches.hold("a")
        msg, gid = self.message()
        msg.trans_base.request_timeout = 1
        msg.submit()
        self.branches.wait_for_calls(2, gid)
        gate.set()
        self.assert_ends(gid, "succeed", ["action 01 a", *DELIVERED])

    def test_topic(self):
        for name in ("x", "y"):
            http_json("GET", f"{self.api}/subscribe?topic=news&url={self.branches.url(name)}")
        gid = self.new_gid()
        Msg(self.api, gid).add({"news": 1}, "topic://news").submit()
        self.assert_ends(gid, "succeed", ["action 01-01 x", "action 01-02 y"])

    def test_do_and_submit(self):
        done = []
        msg, gid = self.message()
        msg.do_and_submit(self.branches.url("query"), done.append)
        self.assert_ends(gid, "succeed", DELIVERED)
        self.assertEqual([(barrier.gid, barrier.op) for barrier in done], [(gid, "msg")])

    def test_do_and_submit_with_refused_work(self):
        def refuse(_):
            raise DTMFailureError("no money")

        msg, gid = self.message()
        self.assertRaises(DTMFailureError, msg.do_and_submit, self.branches.url("query"), refuse)
        self.assert_ends(gid, "failed", [])

    def test_do_and_submit_when_nobody_knows_asks_the_query(self):
        def lose_the_connection(_):
            raise ConnectionError("was it committed?")

        for answer, status, delivered in ((SUCCESS, "succeed", DELIVERED), (FAILURE, "failed", [])):
            with self.subTest(answer=answer):
                msg, gid = self.message()
                self.branches.script("query", answer, gid=gid)
                self.assertRaises(ConnectionError, msg.do_and_submit, self.branches.url("query"),
                                  lose_the_connection)
                self.assert_ends(gid, status, [ASKED, *delivered])

    def test_the_coordinator_asks_when_the_application_goes_away(self):
        cases = {}
        for answers, status, delivered in (
                ((SUCCESS,), "succeed", DELIVERED), ((FAILURE,), "failed", []),
                ((ONGOING, BROKEN, SUCCESS), "succeed", DELIVERED),
                ((BROKEN, FAILURE), "failed", [])):
            msg, gid = self.message(timeout=1)
            self.branches.script("query", *answers, gid=gid)
            msg.prepare(self.branches.url("query"))
            cases[gid] = answers, status, delivered
        for gid, (answers, status, delivered) in cases.items():
            with self.subTest(answers=answers):
                self.assert_ends(gid, status, [ASKED] * len(answers) + delivered)
                query = self.branches.calls(gid)[0]
                self.assertEqual((query.method, query.body), ("GET", b""))
                self.assertEqual(query.query, {"gid": gid, "trans_type": "msg", "branch_id": "00",
                                               "op": "msg"})

    def test_a_query_that_takes_too_long_is_asked_again(self):
        gate = self.branches.hold("query")
        msg, gid = self.message(timeout=1)
        msg.trans_base.request_timeout = 1
        msg.prepare(self.branches.url("query"))
        wait_until(lambda: self.calls(gid) == [ASKED, ASKED], "the query is asked twice")
        gate.set()
        self.assert_ends(gid, "succeed", [ASKED, ASKED, *DELIVERED])


if __name__ == "__main__":
    main(MsgTest, add_arguments, __doc__)
