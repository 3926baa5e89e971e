#!/usr/bin/env python3
"""The barrier of DTM's Python client on a MariaDB: money moves once, whatever is called how often.
"""

import json

from client_test_case import DTMFailureError, add_arguments, quietly
from bank_test_case import BEGIN, BankTestCase
import bank
from dtmcli import barrier
from dtmcli.msg import Msg
from concerto_testing import http_call, main

MOVED = (BEGIN - 30, BEGIN + 30)
UNMOVED = (BEGIN, BEGIN)


class BarrierTest(BankTestCase):
    def call_late(self, gid, trans_type, branch_id, op, move):
        """Makes a call that was on its way for long, or that comes a second time."""
        url = (f"{self.bank_url()}?gid={gid}&trans_type={trans_type}&branch_id={branch_id}"
               f"&op={op}")
        answer = http_call("POST", url, json.dumps(move).encode())
        self.assertEqual(answer.status, 200, answer.body)

    def rows(self, gid):
        """(branch id, op, reason) of the barrier's rows."""
        return sorted(map(tuple, self.database.sql(
            f"select branch_id, op, reason from dtm_barrier.barrier where gid = '{gid}'")))

    def connection(self):
        connection = bank.connect(self.database.port)
        self.addCleanup(connection.close)
        return connection

    def message(self, gid, timeout=0):
        msg = Msg(self.api, gid)
        msg.add(self.moves(gid)[1], self.bank_url())
        msg.trans_base.timeout_to_fail = timeout
        return msg

    def test_saga(self):
        self.start_bank()
        for what, amount, closed, status, balances in (
                ("all is well", 30, False, "succeed", MOVED),
                ("the first step refuses", 130, False, "failed", UNMOVED),
                ("the second step refuses", 30, True, "failed", UNMOVED)):
            with self.subTest(what):
                gid = self.new_gid()
                self.open_accounts(gid, closed)
                self.saga(gid, amount).submit()
                self.coordinator.wait_for_status(gid, status)
                self.assert_balances(gid, *balances)

    def test_tcc(self):
        self.start_bank()
        for what, amount, closed, status, balances in (
                ("all is well", 30, False, "succeed", MOVED),
                ("the first try refuses", 130, False, "failed", UNMOVED),
                ("the second try refuses", 30, True, "failed", UNMOVED)):
            with self.subTest(what):
                gid = self.new_gid()
                self.open_accounts(gid, closed)
                self.assertEqual(quietly(self.tcc, gid, amount), status == "succeed")
                self.coordinator.wait_for_status(gid, status)
                self.assert_balances(gid, *balances)

    def test_repeated_calls_move_nothing(self):
        self.start_bank()
        gids = {}
        for closed in (False, True):
            for trans_type in ("saga", "tcc"):
                gid = gids[trans_type, closed] = self.new_gid()
                self.open_accounts(gid, closed)
                if trans_type == "saga":
                    self.saga(gid).submit()
                else:
                    quietly(self.tcc, gid)
                self.coordinator.wait_for_status(gid, "failed" if closed else "succeed")
        for (trans_type, closed), gid in gids.items():
            ops = {"saga": ["action"], "tcc": ["try"]}[trans_type] + {
                ("saga", True): ["compensate"], ("tcc", False): ["confirm"],
                ("tcc", True): ["cancel"]}.get((trans_type, closed), [])
            for op in ops * 2:
                self.call_late(gid, trans_type, "01", op, self.moves(gid)[0])
            self.assert_balances(gid, *(UNMOVED if closed else MOVED))

    def test_compensation_without_action_and_the_late_action(self):
        gid = self.new_gid()
        self.open_accounts(gid)
        saga = self.saga(gid)
        saga.trans_base.timeout_to_fail = 1
        saga.submit()  # nobody listens at the bank's port
        self.coordinator.wait_for_status(gid, "aborting")
        self.start_bank()
        self.coordinator.wait_for_status(gid, "failed")
        self.assertEqual(self.rows(gid), [("01", "action", "compensate"),
                                          ("01", "compensate", "compensate")])
        self.call_late(gid, "saga", "01", "action", self.moves(gid)[0])
        self.assert_balances(gid, *UNMOVED)

    def test_cancel_without_try_and_the_late_try(self):
        gid = self.new_gid()
        self.open_accounts(gid)
        self.assertFalse(quietly(self.tcc, gid))
        self.start_bank()
        self.coordinator.wait_for_status(gid, "failed")
        self.assertEqual(self.rows(gid), [("01", "cancel", "cancel"), ("01", "try", "cancel")])
        self.call_late(gid, "tcc", "01", "try", self.moves(gid)[0])
        self.assert_balances(gid, *UNMOVED)

    def test_message_with_local_work(self):
        self.start_bank()
        for amount, status, balances in ((30, "succeed", MOVED), (130, "failed", UNMOVED)):
            with self.subTest(amount=amount):
                gid = self.new_gid()
                self.open_accounts(gid)

                def work(cursor):
                    bank.change(cursor, "action", f"{gid}-alice", -amount)

                send = [self.message(gid).do_and_submit_db, self.bank_url(),
                        self.connection().cursor(), work]
                if status == "succeed":
                    quietly(*send)
                else:
                    self.assertRaises(DTMFailureError, quietly, *send)
                self.coordinator.wait_for_status(gid, status)
                self.assert_balances(gid, *balances)

    def test_local_work_that_comes_after_the_query(self):
        self.start_bank()
        gid = self.new_gid()
        self.open_accounts(gid)
        self.message(gid, timeout=1).prepare(self.bank_url())
        self.coordinator.wait_for_status(gid, "failed")

        def work(cursor):
            bank.change(cursor, "action", f"{gid}-alice", -30)

        guard = barrier.BranchBarrier("msg", gid, "00", "msg")
        with self.assertRaisesRegex(Exception, "msg duplicate error"):
            quietly(guard.call, self.connection().cursor(), work)
        self.assertEqual(self.rows(gid), [("00", "msg", "rollback")])
        self.assert_balances(gid, *UNMOVED)


if __name__ == "__main__":
    main(BarrierTest, add_arguments, __doc__)
