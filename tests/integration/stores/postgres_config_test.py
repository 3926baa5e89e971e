"""The configuration of a store on PostgreSQL, on a real server.

Usage: postgres_config_test.py <concertod>
"""

import os
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from damaged_rows import damaged_rows  # noqa: E402
from store_test_case import (  # noqa: E402
    StoreTestCase, main, submit, wait_for_readyz, wait_until)
from concerto_testing.suite import need_program  # noqa: E402
from concerto_testing.ports import free_ports  # noqa: E402
from database_servers import PG_SUPERUSER, Postgres  # noqa: E402


class PostgresConfig(StoreTestCase):
    @classmethod
    def setUpClass(cls):
        cls.ca, options = cls.make_certificates()
        cls.server = Postgres(cls.directory, options=options)
        cls.addClassCleanup(cls.server.kill)
        cls.server.start()

    @classmethod
    def make_certificates(cls):
        """A certificate for 127.0.0.1 that signs itself; the server may read its key."""
        key, certificate = (os.path.join(cls.directory, name) for name in ("pg.key", "pg.crt"))
        subprocess.run([need_program("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048",
                        "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj",
                        "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
                       check=True, capture_output=True)
        os.chmod(key, 0o600)
        if os.geteuid() == 0:
            shutil.chown(key, PG_SUPERUSER)
        return certificate, ["-c", "ssl=on", "-c", f"ssl_cert_file={certificate}",
                             "-c", f"ssl_key_file={key}"]

    def settings(self, database, **more):
        return {"Store.Driver": "postgres", "Store.Host": "127.0.0.1",
                "Store.Port": self.server.port, "Store.User": Postgres.USER, "Store.Db": database,
                **{f"Store.{name}": value for name, value in more.items()}}

    def cell(self, sql, database):
        return self.server.sql(sql, database)[0][0]

    def test_tables_that_another_coordinator_makes_at_the_same_time(self):
        self.server.create_database("race")
        other = threading.Thread(target=self.server.sql, args=(
            "begin; create sequence trans_global_seq; select pg_sleep(2); commit", "race"))
        other.start()
        self.addCleanup(other.join)
        wait_until(lambda: self.cell("select count(*) from pg_stat_activity where wait_event = "
                                     "'PgSleep'", "race") == "1", "the sequence is made", 10)
        late = self.start("late", self.settings("race"))
        late.process.wait_for_line("opened a new store, its tables are made", 10)
        self.assertEqual(late.process.lines("duplicate key|cannot be reached"), [])

    def test_user_database_schema_and_pool(self):
        self.server.create_database("bank")
        self.server.sql("create role clerk login password 'pw'; create schema own authorization "
                        "clerk", "bank")
        settings = self.settings("bank", User="clerk", Password="pw", Schema="own", MaxOpenConns=3)
        coordinator = self.start("pool", settings)
        coordinator.process.wait_for_line(
            "opened a new store, its tables are made: PostgreSQL at 127.0.0.1:[0-9]+, database "
            "'bank', schema 'own'; this coordinator is cc-")
        for number in range(20):
            submit(coordinator, self.saga(f"g{number}", "a", "b"))
        submit(coordinator, self.saga("last", "a", wait_result=True))
        self.assertEqual(self.cell("select count(*) from own.trans_global", "bank"), "21")
        used = int(self.cell("select count(*) from pg_stat_activity where usename = 'clerk'",
                             "bank"))
        self.assertTrue(0 < used <= 3, used)
        coordinator.terminate()
        coordinator.start()
        coordinator.process.wait_for_line("opened the store: PostgreSQL at .*schema 'own'")
        self.assertEqual(coordinator.status("last"), "succeed")

    def test_an_old_layout_is_named_and_reset_replaces_it(self):
        self.server.create_database("old")
        coordinator = self.start("old-made", self.settings("old"))
        coordinator.kill()
        self.server.sql("alter table trans_global drop column rollback_reason; drop table kv",
                        "old")
        refused = self.run_with("old-refused", self.settings("old"))
        self.assertNotEqual(refused.wait(15), 0)
        (line,) = refused.lines("the store cannot be opened")
        self.assertRegex(line, r"rollback_reason.*kv|kv.*rollback_reason")
        self.assertIn("start once with -r", line)
        reset = self.run_with("old-reset", self.settings("old"), "-r")
        reset.wait_for_line("ready: HTTP on port", 20)
        self.assertEqual(self.cell("select count(rollback_reason) from trans_global", "old"), "0")
        # The server's "kv does not exist, skipping" does not break the lines of the log.
        self.assertEqual(reset.lines("^[^{]"), [])

    def test_a_database_that_does_not_exist_ends_the_start(self):
        refused = self.run_with("nowhere", self.settings("nowhere"))
        self.assertNotEqual(refused.wait(15), 0)
        (line,) = refused.lines("does not exist")
        self.assertIn("the store cannot be opened", line)

    def test_a_server_that_is_away_at_the_start_is_said_once(self):
        (port,) = free_ports(1)
        settings = self.settings("nowhere", Port=port)
        away = self.run_with("no-server", settings)
        away.wait_for_line("not ready yet: the store is away or refuses changes", 20)
        (line,) = away.lines("Connection refused")
        self.assertIn("the store cannot be reached yet, it is tried again", line)
        reset = self.run_with("no-server-reset", settings, "-r")
        self.assertEqual(reset.wait(30), 1)
        (line,) = reset.lines("Connection refused")
        self.assertRegex(line, "the store is not reset: .* cannot be looked at")

    def test_damaged_rows(self):
        self.server.create_database("damaged")
        coordinator = self.start("damaged", self.settings("damaged"))
        self.check_damaged(coordinator, *damaged_rows(
            lambda sql: self.server.sql(sql, "damaged")))

    def test_what_is_told(self):
        self.server.create_database("told")
        self.check_told(self.settings("told"), lambda gid: self.server.sql(
            f"update trans_global set next_cron_time = null where gid = '{gid}'", "told"))

    def test_reset_of_a_store_in_use(self):
        self.server.create_database("used")
        self.check_reset_in_use(self.settings("used"))

    def test_reset_beside_a_server_of_the_reference(self):
        self.server.create_database("theirs")
        settings = self.settings("theirs")
        self.start("theirs", settings).kill()
        self.server.sql(
            "insert into trans_global (gid, trans_type, status, query_prepared, protocol, "
            "update_time, next_cron_time) values ('g', 'saga', 'submitted', '', 'http', now(), "
            "now() + interval '1 hour')", "theirs")
        self.assertIn("work on 1 transaction there", self.refused_reset("theirs-now", settings))
        # A server that is gone may have left it.
        self.server.sql("update trans_global set update_time = now() - interval '30 minutes'",
                        "theirs")
        self.assertIn("has 1 unfinished transaction. To drop it too, add --yes",
                      self.refused_reset("theirs-then", settings))

    def test_finished_rows_go_only_if_the_key_is_set(self):
        self.server.create_database("old_rows")
        settings = self.settings("old_rows")
        coordinator = self.start("keeps", settings)
        submit(coordinator, self.saga("g", "a", wait_result=True))
        self.server.sql("update trans_global set finish_time = now() - interval '9 days', "
                        "next_cron_time = now() - interval '9 days'", "old_rows")
        coordinator.terminate()
        count = "select count(*) from trans_global"
        coordinator.start()
        submit(coordinator, self.saga("h", "a", wait_result=True))
        self.assertEqual(self.cell(count, "old_rows"), "2")
        coordinator.terminate()
        coordinator = self.start("deletes", {**settings, "Store.FinishedDataExpire": 3600})
        wait_until(lambda: self.cell(count, "old_rows") == "1", "the old row is deleted", 10)
        self.assertEqual(coordinator.status("h"), "succeed")

    def test_tls(self):
        self.server.create_database("safe")
        settings = self.settings("safe", TlsMode="verify-full", TlsCaFile=self.ca)
        coordinator = self.start("tls", settings)
        submit(coordinator, self.saga("g", "a", wait_result=True))
        self.assertEqual(self.cell("select bool_and(ssl) from pg_stat_ssl join pg_stat_activity "
                                   "using (pid) where datname = 'safe' and pid <> "
                                   "pg_backend_pid()", "safe"), "t")
        coordinator.kill()
        other = os.path.join(self.directory, "other.crt")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                        os.devnull, "-out", other, "-days", "2", "-subj", "/CN=other"], check=True,
                       capture_output=True)
        coordinator = self.start("tls-wrong", {**settings, "Store.TlsCaFile": other})
        wait_for_readyz(coordinator, "certificate verify failed")
        missing = self.run_with("tls-missing", {**settings, "Store.TlsCaFile": "/no/file"})
        self.assertNotEqual(missing.wait(15), 0)
        self.assertTrue(missing.lines("Store.TlsCaFile: the file '/no/file' cannot be read"))

    def test_all_coordinators(self):
        self.server.create_database("shared")
        self.check_all_coordinators(self.settings("shared"))

    def test_the_server_is_away(self):
        self.server.create_database("away")
        coordinator = self.start("away", self.settings("away"))
        self.server.kill()
        self.check_away(coordinator, self.server.start)

    def test_the_server_is_away_and_has_a_part_of_a_migration(self):
        self.server.create_database("part")
        self.start("part", self.settings("part")).kill()
        self.server.sql("insert into kv (cat, k, v) values ('concerto-migrate', 'begun', "
                        "'1 the old store')", "part")
        self.server.kill()
        coordinator = self.run_with("part-late", self.settings("part"))
        coordinator.wait_for_line("listening on port", 20)
        self.server.start()
        self.assertEqual(coordinator.wait(20), 1)
        (line,) = coordinator.lines("a migration from there has begun and has not ended")
        self.assertIn("database 'part', schema 'public' has only a part of the old store:", line)


if __name__ == "__main__":
    main(PostgresConfig, __doc__)
