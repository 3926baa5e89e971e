"""What an operator sees of a PostgreSQL that does not do what the coordinator asks for.

Usage: postgres_troubles_test.py <concertod>
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from store_test_case import (  # noqa: E402
    SILENT, StoreTestCase, get, main, submit, wait_for_readyz, wait_until)
from database_servers import Postgres  # noqa: E402

SLOW_INSERT = """
create function sleeps() returns trigger language plpgsql as
  $$ begin perform pg_sleep(1.3); return new; end $$;
create trigger sleeps before insert on trans_global for each statement
  execute function sleeps()
"""


class PostgresTroubles(StoreTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Postgres(cls.directory)
        cls.addClassCleanup(cls.server.kill)
        cls.server.start()

    def sql(self, text):
        self.server.sql(text, "bank")

    def read_only(self, value):
        self.sql(f"alter system set default_transaction_read_only = {value}")
        self.sql("select pg_reload_conf()")

    def test_troubles(self):
        """One after the other on one coordinator. What ends late is looked for at the end."""
        self.server.sql("create role clerk login")
        self.server.sql("create database bank owner clerk")
        coordinator = self.start("troubles", {
            "Store.Driver": "postgres", "Store.Host": "127.0.0.1", "Store.Port": self.server.port,
            "Store.User": "clerk", "Store.Db": "bank", "Store.Schema": "public",
            "ShutdownGrace": 1})
        submit(coordinator, self.saga("before", "a", wait_result=True))
        log = coordinator.process
        self.check_refused(coordinator,
                           lambda: self.sql("revoke insert on trans_branch_op from clerk"),
                           lambda: self.sql("grant insert on trans_branch_op to clerk"),
                           r"PostgreSQL: permission denied for table trans_branch_op \(42501\)")
        self.sql(SLOW_INSERT)
        for gid in ("slow-1", "slow-2", "slow-3"):
            submit(coordinator, self.saga(gid, "a", wait_result=True))
        self.assertEqual(len(log.lines(r"the database is slow: a statement took 1\.[3-9] s")), 1)
        ready = get(coordinator, "/readyz")
        self.assertEqual(ready.status, 200, ready.body)
        self.assertIn("the database is slow", ready.json()["warnings"][0])
        self.sql("drop trigger sleeps on trans_global")
        self.check_lock(coordinator, lambda: self.sql(
            "begin; lock table trans_global; select pg_sleep(11.5); commit"))
        self.read_only("on")
        wait_for_readyz(coordinator, "read-only")
        self.read_only("off")
        wait_until(lambda: get(coordinator, "/readyz").status == 200, "it is ready again", 5)
        self.assertEqual(len(log.lines("the store is away: .*read-only")), 1)
        self.check_silence(coordinator)
        self.assertEqual(len(log.lines(f"the store is away: .*({SILENT})")), 1)
        log.wait_for_line("the database makes changes again", 12)
        log.wait_for_line("the database is no longer slow", 12)
        # Each trouble has a line where it begins, one where it is over, and a few of the engine.
        self.assertLess(len(log.lines('"level":"(warn|error)"')), 12, log.tail())
        self.check_stop_in_silence(coordinator)


if __name__ == "__main__":
    main(PostgresTroubles, __doc__)
