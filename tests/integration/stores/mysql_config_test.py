"""The configuration of a store on MariaDB, on a real server, where it differs from PostgreSQL's.

Usage: mysql_config_test.py <concertod>
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from damaged_rows import damaged_rows  # noqa: E402
from store_test_case import (  # noqa: E402
    StoreTestCase, free_place, get, main, post, submit, wait_for_readyz, wait_until)
from database_servers import MariaDb  # noqa: E402


class MysqlConfig(StoreTestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = MariaDb(cls.directory)
        cls.addClassCleanup(cls.server.kill)
        cls.server.start()

    def settings(self, database, **more):
        return {"Store.Driver": "mysql", "Store.Host": "127.0.0.1", "Store.Port": self.server.port,
                "Store.User": MariaDb.USER, "Store.Db": database,
                **{f"Store.{name}": value for name, value in more.items()}}

    def test_reset_makes_the_database(self):
        refused = self.run_with("nowhere", self.settings("bank"))
        self.assertNotEqual(refused.wait(15), 0)
        (line,) = refused.lines("Unknown database 'bank'")
        self.assertIn("the store cannot be opened", line)
        self.assertIn("-r", line)
        made = self.run_with("made", self.settings("bank"), "-r")
        made.wait_for_line("opened a new store, its tables are made: MySQL at 127.0.0.1:[0-9]+, "
                           "database 'bank'", 20)

    def test_coordinators_start_together_on_an_empty_database(self):
        self.server.create_database("together")
        started = [self.run_with(f"together-{number}", self.settings("together"))
                   for number in range(3)]
        for coordinator in started:
            coordinator.wait_for_line("ready: HTTP on port", 20)

    def test_user_pool_and_time_zone(self):
        self.server.create_database("zone")
        self.server.sql("create user clerk@'%' identified by 'pw'; "
                        "grant all on zone.* to clerk@'%'")
        settings = self.settings("zone", User="clerk", Password="pw", MaxOpenConns=3)
        coordinator = self.start("zone", {**settings, "TimeZoneOffset": "+8"})
        for number in range(20):
            submit(coordinator, self.saga(f"g{number}", "a", "b"))
        submit(coordinator, self.saga("last", "a", wait_result=True))
        used = int(self.server.sql("select count(*) from information_schema.processlist where "
                                   "user = 'clerk'")[0][0])
        self.assertTrue(0 < used <= 3, used)
        hours = self.server.sql("select round(timestampdiff(second, utc_timestamp(), create_time) "
                                "/ 3600) from trans_global where gid = 'last'", "zone")[0][0]
        self.assertEqual(hours, "8")
        refused = self.run_with("other-zone", {**settings, "TimeZoneOffset": "-3"})
        self.assertNotEqual(refused.wait(30), 0)
        (line,) = refused.lines("the store cannot be opened")
        self.assertRegex(line, r"-03:00 from UTC, and those of coordinator cc-\w+ on host '.*' are "
                               r"\+08:00.* the same TimeZoneOffset")
        coordinator.terminate()
        self.start("new-zone", {**settings, "TimeZoneOffset": "-3"})

        wrong = self.run_with("wrong", {**settings, "Store.Password": "wp"})
        self.assertEqual(wrong.wait(15), 1)
        (line,) = wrong.lines("Access denied")
        self.assertIn("the store cannot be opened", line)

    def test_rights_on_the_database_are_taken_away_and_given_back(self):
        """A session has the rights of when its database was selected."""
        self.server.create_database("rights")
        self.server.sql("create user teller@'%' identified by 'pw'; "
                        "grant all on rights.* to teller@'%'")
        coordinator = self.start("rights", self.settings("rights", User="teller", Password="pw"))
        submit(coordinator, self.saga("before", "a", wait_result=True))
        self.server.sql("revoke insert on rights.* from teller@'%'")
        wait_for_readyz(coordinator, "INSERT command denied")
        for number in range(3):  # many sessions have found out
            self.assertEqual(post(coordinator, "submit", self.saga(f"r{number}", "a")).status, 503)
        self.server.sql("grant insert on rights.* to teller@'%'")
        wait_until(lambda: get(coordinator, "/readyz").status == 200, "it is ready again", 5)
        for number in range(10):
            submit(coordinator, self.saga(f"after{number}", "a", wait_result=True))
            self.assertEqual(get(coordinator, "/readyz").status, 200)
        self.assertEqual(coordinator.process.lines("time zone may not be noticed"), [])
        self.server.sql("revoke insert, update, delete on rights.* from teller@'%'")
        reader = self.run_with("reader", coordinator.settings | free_place())
        self.assertEqual(reader.wait(15), 1)
        (line,) = reader.lines("the store")
        self.assertIn("the store cannot be opened", line)

    def test_damaged_rows(self):
        self.server.create_database("damaged")
        coordinator = self.start("damaged", self.settings("damaged"))
        damages, repair = damaged_rows(lambda sql: self.server.sql(sql, "damaged"))
        damages["no-time"] = (lambda gid: self.server.sql(
            "set sql_mode = ''; update trans_global set create_time = '0000-00-00' "
            f"where gid = '{gid}'", "damaged"), "create_time is no time")
        self.check_damaged(coordinator, damages, repair)

    def test_what_is_told(self):
        self.server.create_database("told")
        self.check_told(self.settings("told"), lambda gid: self.server.sql(
            f"update trans_global set next_cron_time = null where gid = '{gid}'", "told"))

    def test_reset_of_a_store_in_use(self):
        self.server.create_database("used")
        self.check_reset_in_use(self.settings("used"))

    def test_the_server_refuses_changes_and_is_silent_and_away(self):
        self.server.create_database("away")
        coordinator = self.start("away", self.settings("away"))
        self.check_refused(
            coordinator,
            lambda: self.server.sql("rename table trans_branch_op to hidden", "away"),
            lambda: self.server.sql("rename table hidden to trans_branch_op", "away"),
            r"MySQL: Table 'away.trans_branch_op' doesn't exist \(1146\)")
        self.check_silence(coordinator)
        self.server.kill()
        self.check_away(coordinator, self.server.start)


if __name__ == "__main__":
    main(MysqlConfig, __doc__)
