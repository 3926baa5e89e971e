#!/usr/bin/env python3
"""A bank, or the sender of a message, is killed in a call, before or after its commit.

Once it runs again, the transaction ends, and the money has moved once or not at all.
"""

import os
import sys

from client_test_case import HERE, add_arguments, quietly
from bank_test_case import BEGIN, BankTestCase
from dtmcli.msg import Msg
from concerto_testing import Process, free_ports, main

MOVED = (BEGIN - 30, BEGIN + 30)
UNMOVED = (BEGIN, BEGIN)


class CrashTest(BankTestCase):
    def check(self, begin, *cases):
        """Each case: (op in which the bank is killed, whether bob refuses, status at the end)."""
        running = []
        deaths = [(case, when) for case in cases for when in ("before", "after")]
        for (case, when), port in zip(deaths, free_ports(len(deaths))):
            op, closed, status = case
            gid = self.new_gid()
            self.open_accounts(gid, closed)
            bank = self.start_bank(port, death=(op, when))
            begin(gid, port)
            running.append((op, when, status, gid, port, bank))
        for op, when, status, gid, port, bank in running:
            with self.subTest(op=op, when=when):
                self.assertEqual(bank.wait(), -9)
                self.start_bank(port)
        for op, when, status, gid, port, bank in running:
            with self.subTest(op=op, when=when):
                self.coordinator.wait_for_status(gid, status)
                self.assert_balances(gid, *(MOVED if status == "succeed" else UNMOVED))

    def test_saga(self):
        self.check(lambda gid, port: self.saga(gid, port=port).submit(),
                   ("action", False, "succeed"), ("compensate", True, "failed"))

    def test_tcc(self):
        # For its application, a transaction ends when a try is cut off.
        self.check(lambda gid, port: quietly(self.tcc, gid, 30, port),
                   ("try", False, "failed"), ("confirm", False, "succeed"),
                   ("cancel", True, "failed"))

    def test_msg(self):
        def begin(gid, port):
            msg = Msg(self.api, gid)
            for move in self.moves(gid):
                msg.add(move, self.bank_url(port))
            msg.submit()

        self.check(begin, ("action", False, "succeed"))

    def test_sender_of_a_message(self):
        self.start_bank()
        running = []
        for when, status, balances in (("before", "failed", UNMOVED), ("after", "succeed", MOVED)):
            gid = self.new_gid()
            self.open_accounts(gid)
            sender = Process(f"sender-{when}", [
                sys.executable, os.path.join(HERE, "sender.py"), self.api, gid,
                str(self.database.port), f"{gid}-alice", self.bank_url(), self.bank_url(),
                f"{gid}-bob", when], self.work)
            self.addCleanup(sender.kill)
            running.append((when, status, balances, gid, sender))
        for when, status, balances, gid, sender in running:
            with self.subTest(when=when):
                self.assertEqual(sender.wait(), -9)
                self.coordinator.wait_for_status(gid, status)
                self.assert_balances(gid, *balances)


if __name__ == "__main__":
    main(CrashTest, add_arguments, __doc__)
