#!/usr/bin/env python3
"""A claim costs PostgreSQL no more with many rows at rest than with a thousand.

The server itself logs the plans (auto_explain) of the statements that concertod runs: with pages
read, in sessions as they are, and with plans that were made while the tables were empty.
"""

import json
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support")]
import concerto_testing  # noqa: E402  (the path has to be set first)
from database_servers import Postgres  # noqa: E402

USER = "concerto"
DUE = 100
AT_REST_FIRST = 1_000
POLL_S = 1
POLLS = 7  # PostgreSQL keeps one plan for all parameters after five
TIMEOUT_S = 60.0
# What a deeper index and the rows of other changes may add.
PAGES_MORE = 40
INDEX = "status_next_cron_time"


class ClaimPlansTest(unittest.TestCase):
    def test_a_claim_reads_no_more_pages(self):
        with Postgres(self.directory) as database:
            self._prepare(database)
            coordinator = concerto_testing.Concertod(self.args.concertod, self.directory, {
                "Store.Driver": "postgres", "Store.Host": "127.0.0.1", "Store.Port": database.port,
                "Store.User": USER, "Store.Password": USER, "TransCronInterval": POLL_S})
            with coordinator:
                self._plans(database, "thousand", AT_REST_FIRST)
                first = self._measure(database, "first")
                self._add_at_rest(database, "more", self.args.rows)
                second = self._measure(database, "second")
        print(f"pages of a claim of {DUE} and of none: {first} with {AT_REST_FIRST:,} rows at "
              f"rest, {second} with {self.args.rows:,}")
        for before, after in zip(first, second):
            self.assertLessEqual(after, before + before // 4 + PAGES_MORE)

    def _prepare(self, database):
        database.sql(f"create role {USER} superuser login; create database dtm owner {USER}")
        for name, value in (("session_preload_libraries", "auto_explain"),
                            ("auto_explain.log_min_duration", "0"),
                            ("auto_explain.log_analyze", "on"),
                            ("auto_explain.log_buffers", "on"),
                            ("auto_explain.log_timing", "off"),
                            ("auto_explain.log_format", "json")):
            database.sql(f"alter role {USER} set {name} = '{value}'")

    def _plans(self, database, names, rows):
        """The plans are made with no rows, and then there are some."""
        self._wait_for_claims(database, 0, POLLS)
        self._add_at_rest(database, names, rows)

    def _add_at_rest(self, database, names, rows):
        """Rows of all unfinished statuses that are due much later, and as many finished ones."""
        self._insert(database, names, rows, "(array['submitted','aborting','prepared'])[1 + i % 3]",
                     "now() + interval '1 hour' + i * interval '1 second'", "cc-rest")
        self._insert(database, names + "-finished", rows, "'succeed'",
                     "now() - i * interval '1 second'", "cc-other")

    def _insert(self, database, names, rows, status, next_cron_time, owner):
        step = 50_000
        for first in range(1, rows + 1, step):
            database.sql(
                "insert into trans_global (gid, trans_type, status, query_prepared, protocol,"
                " create_time, update_time, options, next_cron_interval, next_cron_time, owner)"
                f" select '{names}-' || i, 'saga', {status}, '', 'http', now(), now(),"
                f" '{{\"concurrent\":false}}', 10, {next_cron_time}, '{owner}'"
                f" from generate_series({first}, {min(first + step - 1, rows)}) as i", "dtm")

    def _measure(self, database, names):
        """(pages of a claim of many rows, pages of a claim of none)."""
        done = len(self._claims(database))
        self._insert(database, names, DUE, "'submitted'", "now() - interval '5 seconds'", "cc-rest")
        self._wait_for_claims(database, done, 4)
        claims = self._claims(database)[done:]
        for claim in claims:
            self.assertIn(INDEX, claim["text"])
            self.assertNotIn("Seq Scan", claim["text"])
        of_all = [claim["pages"] for claim in claims if claim["rows"] == DUE]
        of_none = [claim["pages"] for claim in claims if claim["rows"] == 0]
        self.assertTrue(of_all, f"no claim of {DUE} rows: {[c['rows'] for c in claims]}")
        self.assertTrue(of_none, "no claim without rows")
        return min(of_all), min(of_none)

    def _wait_for_claims(self, database, known, count):
        concerto_testing.wait_until(lambda: len(self._claims(database)) >= known + count,
                                    f"{count} claims", TIMEOUT_S)

    @staticmethod
    def _claims(database):
        """The plans that the server has logged of claims of what is due."""
        found = []
        decoder = json.JSONDecoder()
        for part in database.process.text().split("  plan:\n")[1:]:
            try:
                logged, _ = decoder.raw_decode(part.lstrip())
            except ValueError:
                continue  # the server is still writing it
            if "SKIP LOCKED" not in logged["Query Text"] or "mine AS" not in logged["Query Text"]:
                continue
            plan = logged["Plan"]
            found.append({"text": json.dumps(logged), "pages": pages_of(plan, True),
                          "rows": plan["Actual Rows"]})
        return found


def pages_of(node, counts):
    """Pages that a plan has read. A node has those of the nodes below it, except of changes that
    no other node reads."""
    own = node["Shared Hit Blocks"] + node["Shared Read Blocks"]
    changes = node["Node Type"] == "ModifyTable"
    return (own if counts or changes else 0) + sum(
        pages_of(below, False) for below in node.get("Plans", []))


def add_arguments(parser):
    parser.add_argument("concertod")
    parser.add_argument("--rows", type=int, default=100_000, help="at rest")


if __name__ == "__main__":
    concerto_testing.main(ClaimPlansTest, add_arguments, __doc__)
