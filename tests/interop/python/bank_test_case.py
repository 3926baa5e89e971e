"""For tests with accounts: a MariaDB for all tests of a class, and banks."""

import os
import sys

from client_test_case import HERE, ClientTestCase  # First: it sets the path to what follows.
import bank
from dtmcli import tcc
from dtmcli.saga import Saga
from concerto_testing import Process, free_port, wait_for_port
from database_servers import MariaDb

BEGIN = 100


class BankTestCase(ClientTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = MariaDb(cls.directory)
        cls.addClassCleanup(cls.database.kill)
        cls.database.start()
        cls.database.sql(bank.SCHEMA)

    def setUp(self):
        super().setUp()
        self.bank_port = free_port()

    def start_bank(self, port=None, death=()):
        port = port or self.bank_port
        process = Process(f"bank-{port}",
                          [sys.executable, os.path.join(HERE, "bank.py"), str(port),
                           str(self.database.port), *death], self.work)
        self.addCleanup(process.kill)
        wait_for_port(port, process)
        return process

    def bank_url(self, port=None):
        return f"http://127.0.0.1:{port or self.bank_port}/"

    def open_accounts(self, gid, closed=False):
        """Two accounts for a transaction of its own; `closed`: bob takes nothing."""
        self.database.sql(f"""insert into bank.account(name, balance, closed) values
            ('{gid}-alice', {BEGIN}, false), ('{gid}-bob', {BEGIN}, {closed})""")

    def assert_balances(self, gid, alice, bob):
        """Checks the balances, and that nothing is held any more."""
        found = self.database.sql(f"""select balance, held from bank.account
            where name in ('{gid}-alice', '{gid}-bob') order by name""")
        self.assertEqual(found, [[str(alice), "0"], [str(bob), "0"]])

    def moves(self, gid, amount=30):
        return [{"account": f"{gid}-alice", "amount": -amount},
                {"account": f"{gid}-bob", "amount": amount}]

    def saga(self, gid, amount=30, port=None):
        saga = Saga(self.api, gid)
        for move in self.moves(gid, amount):
            saga.add(move, self.bank_url(port), self.bank_url(port))
        return saga

    def tcc(self, gid, amount=30, port=None):
        """Returns whether the transaction was committed."""
        def work(trans):
            for move in self.moves(gid, amount):
                trans.call_branch(move, *[self.bank_url(port)] * 3)

        return tcc.tcc_global_transaction(self.api, gid, work) == gid
