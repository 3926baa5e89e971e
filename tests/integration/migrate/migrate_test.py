#!/usr/bin/env python3
"""`concerto migrate` between real stores: a round trip through all of them, an interruption, and a
source that does not stand still.

usage: migrate_test.py <concerto> <concertod> [arguments of unittest]
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from concerto_testing import Concertod  # noqa: E402
from concerto_testing.ports import free_ports  # noqa: E402
from database_servers import MariaDb, Postgres, Redis  # noqa: E402

CONCERTO = CONCERTOD = None
TIMEOUT_S = 120
EXIT_FAILED, EXIT_USAGE, EXIT_REFUSED, EXIT_INTERRUPTED = 1, 2, 3, 130
MANY = 10_000

# A transaction of each mode and status, `count` times. What is unfinished rests.
FILL = """
insert into trans_global (gid, trans_type, status, query_prepared, protocol, create_time,
  update_time, finish_time, rollback_time, options, custom_data, next_cron_interval,
  next_cron_time, owner, ext_data, result, rollback_reason)
select gid, mode, status, case mode when 'msg' then 'http://app/asked' else '' end,
  case when i % 2 = 0 then 'http' else 'grpc' end, begin_at, begin_at + interval '3 seconds',
  case status when 'succeed' then begin_at + interval '3 seconds' end,
  case status when 'failed' then begin_at + interval '4 seconds' end,
  '{"timeout_to_fail":' || 30 + i || ',"branch_headers":{"x-user":"u' || i ||
    '"},"concurrent":false,"retry_count":' || 1 + i || '}',
  case mode when 'saga' then '{"concurrent":true}' when 'msg' then '{"delay":9}' else '' end,
  10 + i % 7, begin_at + case when status in ('succeed', 'failed') then interval '10 seconds'
    else interval '9 years' end,
  'cc-rest', '', case mode when 'workflow' then 'cmVzdWx0' else '' end,
  case status when 'failed' then 'no money: "7" \u00e4' else '' end
from (select mode || '-' || status || '-' || i as gid, mode, status, i,
        timestamptz '2026-11-01 00:00:00+00' + i * interval '1 second' as begin_at
      from unnest(array['saga', 'msg', 'tcc', 'xa', 'workflow']) as mode,
        unnest(array['prepared', 'submitted', 'aborting', 'succeed', 'failed']) as status,
        generate_series(1, {count}) as i order by i, mode, status) as t;
insert into trans_branch_op (gid, branch_id, op, url, bin_data, status, create_time, update_time,
  finish_time)
select gid, '0' || b, op, 'http://bank/' || op, convert_to(gid || b || E'\\n', 'UTF8') ||
    '\\x00ff'::bytea, case when b = 1 then 'succeed' else 'prepared' end, create_time,
  case when b = 1 then update_time end, case when b = 1 then update_time end
from trans_global, generate_series(1, 2) as b, unnest(array['compensate', 'action']) as op
order by trans_global.id, b, op desc;
insert into kv (cat, k, v, version, create_time, update_time)
select 'topics', 'topic-' || i, '[{"url":"http://s' || i || '"}]', i,
  timestamptz '2026-11-01 00:00:00+00', timestamptz '2026-11-02 00:00:00+00'
from generate_series(1, 3) as i;
"""

# Everything that a user can see. The owner of a finished transaction means nothing.
EVERYTHING = """
select g.gid, g.trans_type, g.status, g.query_prepared, g.protocol, g.create_time, g.update_time,
  g.finish_time, g.rollback_time, g.options, g.custom_data, g.next_cron_interval,
  g.next_cron_time, case when g.status in ('succeed', 'failed') then '' else g.owner end,
  g.ext_data, g.result, g.rollback_reason,
  (select string_agg(concat_ws('|', b.branch_id, b.op, b.url, encode(b.bin_data, 'hex'), b.status,
     b.create_time, b.update_time, b.finish_time), ';' order by b.id)
   from trans_branch_op b where b.gid = g.gid)
from trans_global g order by g.gid;
select cat, k, v, version, create_time, update_time from kv order by cat, k;
"""


class MigrateTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        cls.postgres = cls.enterClassContext(Postgres(cls.directory))
        cls.mariadb = cls.enterClassContext(MariaDb(cls.directory))
        cls.redis = cls.enterClassContext(Redis(cls.directory))
        cls.mariadb.create_database("dtm")

    def database(self, name):
        """A new database of PostgreSQL; returns its URL."""
        self.postgres.sql(f"drop database if exists {name} with (force)")
        self.postgres.create_database(name)
        return f"postgres://postgres@{self.postgres.address}/{name}"

    def filled_database(self, name, count):
        url = self.database(name)
        # A first look creates the tables, and says that they are empty.
        refused = self.migrate(url, self.leveldb("never"), code=EXIT_REFUSED)
        self.assertIn("nothing to copy", refused.stderr)
        self.postgres.sql(FILL.replace("{count}", str(count)), name)
        return url

    def leveldb(self, name):
        path = os.path.join(self.directory, name)
        return "leveldb:" + path

    def migrate(self, source, target, *options, code=0):
        done = subprocess.run([CONCERTO, "migrate", "--from", source, "--to", target, *options],
                              capture_output=True, text=True, timeout=TIMEOUT_S)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_is_in_the_audit_log_of_the_target(self):
        source = self.filled_database("audited", 1)
        audit = os.path.join(self.directory, "audit.jsonl")
        target = os.path.join(self.directory, "audited.yml")
        with open(target, "w", encoding="utf-8") as file:
            file.write(f"Store: {{Path: {self.directory}/audited-store}}\n"
                       f"Audit: {{File: {audit}}}\n")
        self.migrate(source, target, "--dry-run")
        self.assertFalse(os.path.exists(audit))
        self.migrate(source, target)
        self.migrate(source, target, code=EXIT_REFUSED)
        with open(audit, encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        self.assertEqual([record["event"] for record in records],
                         ["begun", "done", "begun", "failed"])
        for record in records:
            self.assertEqual(record["action"], "migrate")
            self.assertIn("database 'audited'", record["details"])

    def test_passwords_do_not_stay_in_the_command_line(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            process = self.start(f"postgres://u:marked-secret@127.0.0.1:{port}/d",
                                 self.leveldb("hidden"))
            silent.accept()[0].close()
            with open(f"/proc/{process.pid}/cmdline", "rb") as file:
                self.assertNotIn(b"marked-secret", file.read())
            _, errors = process.communicate(timeout=TIMEOUT_S)
            self.assertNotIn("marked-secret", errors)

    def start(self, source, target):
        process = subprocess.Popen([CONCERTO, "migrate", "--from", source, "--to", target],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        return process

    def wait_for_rows(self, database, least):
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                if int(self.postgres.sql("select count(*) from trans_global",
                                         database)[0][0]) >= least:
                    return
            except AssertionError:
                pass  # the tables are not there yet
            time.sleep(0.02)
        self.fail(f"no {least} rows in {database}")

    def test_everything_survives_a_way_through_all_stores(self):
        source = self.filled_database("first", 4)
        stores = [source, self.leveldb("one"), self.database("second"),
                  f"mysql://root@{self.mariadb.address}/dtm",
                  f"redis://{self.redis.address}?RedisPrefix=%7Bm%7D", self.leveldb("two"),
                  self.database("last")]
        counted = self.migrate(stores[0], stores[1], "--dry-run")
        self.assertIn("100 transactions: 20 prepared, 20 submitted, 20 aborting, 20 succeed, "
                      "20 failed; 3 topics", counted.stdout)
        for here, there in zip(stores, stores[1:]):
            done = self.migrate(here, there)
            self.assertIn("100 copied now", done.stdout)
        expected = self.postgres.sql(EVERYTHING, "first")
        self.assertEqual(len(expected), 103)
        self.assertEqual(self.postgres.sql(EVERYTHING, "last"), expected)
        # What rests is nobody's, and nothing was called: there is nobody who could.
        owners = self.postgres.sql("select distinct owner from trans_global where status in "
                                   "('prepared', 'submitted', 'aborting')", "last")
        self.assertEqual(owners, [["cc-rest"]])
        # In Redis the schedule has every unfinished transaction, at its time.
        self.assertEqual(self.redis.command("ZCARD", "{m}_u"), 60)
        refused = self.migrate(stores[0], stores[1], code=EXIT_REFUSED)
        self.assertIn("is not empty", refused.stderr)

    def test_goes_on_after_a_kill(self):
        source = self.filled_database("many", MANY // 25)
        target = self.database("killed")
        process = self.start(source, target)
        self.wait_for_rows("killed", 1000)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        rows = int(self.postgres.sql("select count(*) from trans_global", "killed")[0][0])
        self.assertLess(rows, MANY)
        elsewhere = self.filled_database("elsewhere", 1)
        refused = self.migrate(elsewhere, target, code=EXIT_REFUSED)
        self.assertIn("migration that has begun", refused.stderr)
        refused = self.migrate(target, self.leveldb("never"), code=EXIT_REFUSED)
        self.assertIn("has not ended", refused.stderr)
        rows = int(self.postgres.sql("select count(*) from trans_global", "killed")[0][0])
        process = self.start(source, target)
        self.wait_for_rows("killed", rows + 1)
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
        self.assertEqual(process.returncode, EXIT_INTERRUPTED, said)
        self.assertIn("\ninterrupted. To go on, run the same command again. Until it has ended, no "
                      "coordinator starts on ", said)
        done = self.migrate(source, target)
        self.assertNotIn(" 0 before", done.stdout)
        self.assertEqual(self.postgres.sql(EVERYTHING, "killed"),
                         self.postgres.sql(EVERYTHING, "many"))
        self.assertEqual(self.postgres.sql("select count(*) from trans_branch_op", "killed"),
                         [[str(4 * MANY)]])

    def test_a_source_that_changes_is_noticed(self):
        source = self.filled_database("changing", MANY // 25)
        process = self.start(source, self.database("behind"))
        reader = threading.Thread(target=lambda: setattr(self, "said", process.communicate()))
        reader.start()
        self.wait_for_rows("behind", 1000)
        self.postgres.sql("update trans_global set status = 'failed', update_time = now() "
                          "where gid = 'saga-submitted-1'", "changing")
        reader.join()
        self.assertEqual(process.returncode, EXIT_FAILED, self.said)
        self.assertIn("did not stand still: 'saga-submitted-1' has changed", self.said[1])

    def test_a_store_in_use_is_refused(self):
        source = self.filled_database("in_use", 1)
        self.postgres.sql("update trans_global set owner = 'cc-another', next_cron_time = now() + "
                          "interval '1 minute' where gid = 'saga-submitted-1'", "in_use")
        refused = self.migrate(source, self.leveldb("never"), code=EXIT_REFUSED)
        self.assertIn("others work on 1 transaction", refused.stderr)

    def test_no_coordinator_starts_on_a_part_of_a_store(self):
        source = self.filled_database("source", 1)
        self.postgres.sql("update trans_global set options = '[]' where gid = 'msg-succeed-1'",
                          "source")
        self.mariadb.create_database("part")
        server = {"Store.Host": "127.0.0.1", "Store.Db": "part"}
        targets = {
            "postgres": (self.database("part"), {
                **server, "Store.Port": self.postgres.port, "Store.User": "postgres"}),
            "mysql": (f"mysql://root@{self.mariadb.address}/part", {
                **server, "Store.Port": self.mariadb.port, "Store.User": "root"}),
            "redis": (f"redis://{self.redis.address}?RedisPrefix=%7Bp%7D", {
                **server, "Store.Port": self.redis.port, "Store.RedisPrefix": "{p}"}),
            "leveldb": (self.leveldb("part"), {
                "Store.Path": os.path.join(self.directory, "part")})}
        coordinators = {}
        for kind, (url, settings) in targets.items():
            # What cannot be read is not copied, so the migration does not end.
            self.migrate(source, url, code=EXIT_FAILED)
            coordinator = Concertod(CONCERTOD, self.directory,
                                    {"Store.Driver": kind, "Shards": 1, **settings}, kind)
            self.addCleanup(coordinator.kill)
            with self.assertRaisesRegex(AssertionError, "ended at start"):
                coordinator.start()
            (line,) = coordinator.process.lines("has not ended")
            self.assertRegex(line, "has only a part of PostgreSQL at .*, database 'source'.*"
                                   "Run concerto migrate again with the same two stores")
            coordinators[kind] = coordinator
        # A reset gives the migration up, and so does its end.
        coordinators["postgres"].start("-r")
        self.assertIsNone(coordinators["postgres"].status("msg-succeed-2"))
        self.postgres.sql("update trans_global set options = '{}' where gid = 'msg-succeed-1'",
                          "source")
        for kind in ("mysql", "redis", "leveldb"):
            self.migrate(source, targets[kind][0])
            coordinators[kind].start()
            self.assertEqual(coordinators[kind].status("msg-succeed-1"), "succeed")

    def test_why_a_store_cannot_be_opened_is_said_once(self):
        (port,) = free_ports(1)
        for source, why in ((f"postgres://postgres@{self.postgres.address}/nowhere",
                             "does not exist"),
                            (f"mysql://root@{self.mariadb.address}/nowhere", "Unknown database"),
                            (f"redis://127.0.0.1:{port}", "Connection refused")):
            refused = self.migrate(source, self.leveldb("never"), code=EXIT_REFUSED)
            self.assertEqual(refused.stderr.count(why), 1, refused.stderr)

    def test_what_does_not_fit_is_named_and_passwords_are_not(self):
        source = self.filled_database("large", 1)
        self.postgres.sql("update trans_branch_op set bin_data = repeat('x', 70000)::bytea "
                          "where gid = 'tcc-failed-1'", "large")
        target = f"mysql://mover:s3cret@{self.mariadb.address}/large"
        self.mariadb.create_database("large")
        self.mariadb.sql("create user mover identified by 's3cret'; grant all on *.* to mover")
        failed = self.migrate(source, target, "--dry-run", code=EXIT_FAILED)
        self.assertIn("'tcc-failed-1' does not fit into", failed.stderr)
        self.assertNotIn("s3cret", failed.stdout + failed.stderr)
        self.migrate(source, "mysql://nowhere", code=EXIT_USAGE)

    def test_version_has_the_name(self):
        done = subprocess.run([CONCERTO, "--version"], capture_output=True, text=True, check=True)
        self.assertRegex(done.stdout, r"^concerto [0-9]+\.[0-9]+\.[0-9]+\n$")


if __name__ == "__main__":
    CONCERTO, CONCERTOD = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main()
