"""Bulk actions, jobs and pauses, against a server that answers as the operators' API does.

Usage: bulk_test.py <concerto> <concertod>
"""

import base64
import gzip
import os

from cli_test_case import (DONE, FAILED, NOT_FOUND, PARTLY, REFUSED, UNREACHABLE, USAGE,
                           CliTestCase, main)
from scripted_server import ScriptedServer

SAMPLE = {"gid": "g1", "status": "submitted", "transType": "saga",
          "createTime": "2026-11-30T03:00:00Z", "urls": ["http://stock/a"]}
PREVIEW = {"dryRun": True, "matched": 3, "complete": True, "sample": [SAMPLE]}


def job(state, done, failed=0, **more):
    return {"id": "j1", "action": "retry", "state": state, "reason": "why not", "caller": "otto",
            "created": "2026-11-30T03:00:00Z", "updated": "2026-11-30T03:00:01Z", "limit": 0,
            "done": done, "failed": failed, "errors": [], "select": {}, **more}


def jobs(*args, **more):
    return 200, {"jobs": [job(*args, **more)]}


class Bulk(CliTestCase):
    def setUp(self):
        super().setUp()
        self.api = ScriptedServer()
        self.addCleanup(self.api.close)
        self.server = self.api.root

    def test_one_transaction(self):
        self.api.script("/api/concerto/retry", (200, {"done": 1, "failed": 0}))
        ran = self.expect(DONE, "retry", "g1", "--reason", "why not")
        self.assertEqual(ran.out, "1 done, 0 failed\n")
        (_, _, body, headers), = self.api.requests
        self.assertEqual(body, {"gid": "g1", "reason": "why not"})
        self.assertEqual(headers["X-Concerto-Reason"], "why not")
        self.api.script("/api/concerto/retry", (404, {"message": "no transaction g1"}))
        self.expect(NOT_FOUND, "retry", "g1")
        self.api.script("/api/concerto/retry", (409, {"message": "it has ended"}))
        self.assertIn("it has ended", self.expect(REFUSED, "retry", "g1").err)
        self.api.script("/api/concerto/retry", (503, {"message": "the store is away"},
                                               {"Retry-After": "1"}))
        self.expect(UNREACHABLE, "retry", "g1")

    def test_a_selection_is_a_job_that_is_followed(self):
        self.api.script("/api/concerto/retry", (202, job("running", 0)))
        self.api.script("/api/concerto/jobs", jobs("running", 1), (503, {"message": "away"}),
                        jobs("done", 3))
        ran = self.expect(DONE, "retry", "--target", "stock", "--status", "unfinished", "--min-age",
                          "5m", "--limit", "10", "--yes", "--reason", "why not")
        self.golden("job", ran.out)
        asked = [request[2] for request in self.api.asked("/api/concerto/retry")]
        wanted = {"reason": "why not", "limit": 10,
                  "select": {"status": "prepared,submitted,aborting", "minAge": 300,
                             "target": "stock"}}
        self.assertEqual(asked, [wanted])

    def test_some_transactions(self):
        self.api.script("/api/concerto/stop", (200, {"done": 1, "failed": 1, "errors": [
            {"gid": "g2", "error": "it has ended"}]}))
        ran = self.expect(PARTLY, "stop", "g1", "g2")
        self.assertEqual((ran.out, ran.err), ("1 done, 1 failed\n", "g2: it has ended\n"))

    def test_exit_codes_of_jobs(self):
        for ends, code in ((("done", 3), DONE), (("done", 2, 1), PARTLY), (("done", 0, 3), FAILED),
                           (("cancelled", 1), PARTLY), (("failed", 0), FAILED)):
            self.api.script("/api/concerto/retry", (202, job("running", 0)))
            errors = [{"gid": "g9", "error": "it has ended"}] if len(ends) > 2 else []
            self.api.script("/api/concerto/jobs", jobs(*ends, errors=errors))
            ran = self.expect(code, "retry", "g1", "g2", "g3")
            self.assertEqual("g9: it has ended" in ran.err, bool(errors))
        self.api.script("/api/concerto/retry", (202, job("running", 0)))
        self.assertIn("running", self.expect(DONE, "retry", "g1", "g2", "--no-wait").out)

    def test_a_dry_run_changes_nothing(self):
        self.api.script("/api/concerto/stop", (200, PREVIEW))
        self.golden("dry_run", self.expect(DONE, "stop", "--all", "--dry-run").out)
        self.assertEqual(self.expect(DONE, "stop", "--all", "--dry-run", "-o", "json").json(),
                         PREVIEW)
        self.assertEqual([request[2]["dryRun"] for request in self.api.requests], [True, True])
        self.assertEqual(self.api.requests[0][2]["select"], {})

    def test_a_terminal_is_asked(self):
        self.api.script("/api/concerto/retry", (200, PREVIEW), (202, job("running", 0)))
        self.api.script("/api/concerto/jobs", jobs("running", 1), jobs("done", 3))
        ran = self.run_in_terminal("retry", "--stuck", keys="n\n")
        self.assertEqual(ran.code, REFUSED, ran)
        self.assertIn("3 transactions", ran.out)
        self.assertIn("nothing was changed", ran.out)
        self.assertEqual(len(self.api.requests), 1)
        self.api.script("/api/concerto/retry", (200, PREVIEW), (202, job("running", 0)))
        ran = self.run_in_terminal("retry", "--stuck", keys="y\n")
        self.assertEqual(ran.code, DONE, ran)
        self.assertIn("retry: [=========", ran.out)
        self.assertIn("3 of 3", ran.out)

    def test_skip_and_edit(self):
        self.api.script("/api/concerto/skip", (200, {"done": 1, "failed": 0}))
        self.expect(DONE, "skip", "g1", "--branch", "02", "--op", "action", "--reason", "by hand")
        self.assertEqual(self.api.requests[-1][2], {"gid": "g1", "branchId": "02", "op": "action",
                                                    "reason": "by hand"})
        self.api.script("/api/concerto/edit", (200, {"done": 1, "failed": 0}))
        self.expect(DONE, "edit", "g1", "02", "--op", "action", "--url", "http://new/a",
                    "--payload-file", "-", "--reason", "moved", stdin='{"n":2}')
        self.assertEqual(self.api.requests[-1][2],
                         {"gid": "g1", "branchId": "02", "op": "action", "url": "http://new/a",
                          "reason": "moved", "payload": '{"n":2}'})
        path = self.home + "/payload"
        with open(path, "wb") as file:
            file.write(b"\xff\x00")
        self.expect(DONE, "edit", "g1", "02", "--payload-file", path, "--reason", "x", "--dry-run")
        self.assertEqual(base64.b64decode(self.api.requests[-1][2]["payloadBase64"]), b"\xff\x00")
        self.expect(USAGE, "edit", "g1", "02", "--payload-file", "/nowhere", "--reason", "x")
        asked = len(self.api.requests)
        ran = self.expect(USAGE, "edit", "g1", "02", "--payload-file", "-", "--reason", "x",
                          stdin="")
        self.assertIn("'-' is empty", ran.err)
        self.assertEqual(len(self.api.requests), asked)

    def test_a_row_without_a_name_is_asked_for_and_named(self):
        skip = ("skip", "g1", "--reason", "by hand")
        look = (200, {"dryRun": True, "matched": 1, "refused": 0, "errors": [], "complete": True,
                      "sample": [{"gid": "g1", "branchId": "02", "op": "action"}]})
        self.api.script("/api/concerto/skip", look, (200, {"done": 1, "failed": 0}))
        ran = self.expect(DONE, *skip)
        self.assertIn("branch 02, action", ran.err)
        self.assertEqual([one[2] for one in self.api.asked("/api/concerto/skip")],
                         [{"gid": "g1", "reason": "by hand", "dryRun": True},
                          {"gid": "g1", "branchId": "02", "op": "action", "reason": "by hand"}])
        refused = (200, {"dryRun": True, "matched": 0, "refused": 1, "sample": [],
                         "errors": [{"gid": "g1", "error": "g1 calls 2 rows next"}]})
        self.api.script("/api/concerto/skip", refused)
        self.assertIn("2 rows next", self.expect(REFUSED, *skip).err)
        self.api.script("/api/concerto/skip", (200, PREVIEW))
        self.assertIn("older", self.expect(REFUSED, *skip).err)
        asked = len(self.api.requests)
        self.assertIn("--branch and --op", self.expect(USAGE, "skip", "g1", "g2", *skip[2:]).err)
        self.assertEqual(len(self.api.asked("/api/concerto/skip")), 4, self.api.requests[asked:])
        self.api.script("/api/concerto/edit", (200, {
            "dryRun": True, "matched": 1, "branchId": "02", "op": "action", "url": "http://new/a",
            "urlBefore": "http://old/a", "payloadBytesBefore": 46, "payloadBytes": 46}),
                        (200, {"done": 1, "failed": 0}))
        self.expect(DONE, "edit", "g1", "02", "--url", "http://new/a", "--reason", "moved")
        self.assertEqual(self.api.requests[-1][2],
                         {"gid": "g1", "branchId": "02", "op": "action", "url": "http://new/a",
                          "reason": "moved"})

    def test_what_may_have_been_changed_is_no_refusal(self):
        away = {"message": "the store has trouble"}
        soon, unknown = {"Retry-After": "1"}, {"Retry-After": "1", "Concerto-Outcome": "unknown"}
        skip = ("skip", "g1", "--branch", "01", "--op", "action", "--reason", "x")
        for name, verb in (("skip", skip), ("stop", ("stop", "g1")), ("retry", ("retry", "g1")),
                           ("pause", ("pause", "mode", "saga"))):
            for status, headers, code in ((503, soon, UNREACHABLE), (503, unknown, FAILED),
                                          (503, {}, FAILED), (502, {}, FAILED),
                                          (504, soon, FAILED), (429, {}, UNREACHABLE)):
                with self.subTest(verb=name, status=status, headers=headers):
                    self.api.script(f"/api/concerto/{name}", (status, away, headers))
                    self.expect(code, *verb)
        self.api.script("/api/concerto/skip", (503, away, unknown))
        self.expect(UNREACHABLE, *skip, "--dry-run")

    def test_a_job_that_was_lost_sight_of(self):
        self.api.script("/api/concerto/stop", (202, job("running", 0)))
        self.api.script("/api/concerto/jobs", (500, {"message": "lost"}))
        ran = self.expect(FAILED, "stop", "--all", "--yes")
        self.assertIn("the job goes on without this program", ran.err)

    def test_an_edit_says_what_it_changes(self):
        self.api.script("/api/concerto/edit", (200, {
            "dryRun": True, "matched": 1, "urlBefore": "http://old/a", "url": "http://new/a",
            "payloadBytesBefore": 46, "payloadBytes": 9}))
        ran = self.expect(DONE, "edit", "g1", "02", "--url", "http://new/a", "--reason", "x",
                          "--dry-run")
        self.assertEqual(ran.out, "url      http://old/a -> http://new/a\n"
                                  "payload  46 bytes -> 9 bytes\n"
                                  "it can be changed; nothing was\n")

    def test_targets_have_no_users(self):
        self.api.script("/api/concerto/count", (200, {"total": 3, "complete": True, "groups": [
            {"value": "http://u:***@stock:1/a", "count": 3, "oldest": "2026-11-30T03:00:00Z"}]}))
        targets = self.expect(DONE, "targets", "-o", "json").json()
        self.assertEqual([(one["target"], one["waiting"]) for one in targets],
                         [("http://stock:1", 3)])

    def test_a_service_is_no_coordinator(self):
        for path in ("/api/ping", "/api/dtmsvr/version", "/readyz", "/api/dtmsvr/all",
                     "/api/concerto/count"):
            self.api.script(path, (200, {"dtm_result": "SUCCESS"}))
        ran = self.expect(UNREACHABLE, "doctor")
        self.assertIn(f"{self.server} is no coordinator", ran.out)
        self.api.script("/api/dtmsvr/version", (200, {"version": "v0.1.0"}))
        self.assertIn("lists cannot be read", self.expect(FAILED, "doctor").out)
        self.api.script("/api/dtmsvr/all", (200, {"transactions": [], "next_position": ""}))
        self.api.script("/api/concerto/count", (200, {"total": 0, "groups": []}))
        self.api.script("/api/dtmsvr/resetNextCronTime", (503, {"message": "no audit log"}))
        ran = self.expect(FAILED, "doctor", "--may-act")
        self.assertRegex(ran.out, "role +error .*no audit log")

    def test_readiness_is_told_in_words(self):
        self.api.script("/api/ping", (200, {"dtm_result": "SUCCESS"}))
        reasons = ["the store is away", "shard 1 has not run for 9 s"]
        for status, answer, words in (
                (503, {"status": "not ready"}, ["HTTP 503: not ready"]),
                (503, {"other": 1}, ["HTTP 503, and no reason is said"]),
                (429, {"message": "too many requests"}, ["HTTP 429: too many requests"]),
                (503, {"status": "not ready", "reasons": reasons}, reasons),
                (503, {"status": "not ready", "reasons": ["x"], "paused": True},
                 ["it was started with --paused"])):
            self.api.script("/readyz", (status, answer))
            ran = self.expect(FAILED, "doctor")
            rows = [line.split(None, 2) for line in ran.out.splitlines()
                    if line.startswith("ready ")]
            self.assertEqual([row[1] for row in rows], ["error"] * len(words))
            for row, text in zip(rows, words, strict=True):
                self.assertTrue(row[2].startswith(text), ran)
                self.assertNotIn("{", row[2])
            told = [one for one in self.run_cli("doctor", "-o", "json").json()
                    if one["check"] == "ready"]
            self.assertEqual([one["answer"] for one in told], [answer] * len(words))

    def test_what_a_retry_does_not_bring_on(self):
        self.api.script("/api/concerto/retry", (200, {**PREVIEW, "held": 2, "paused": True}))
        ran = self.expect(DONE, "retry", "--all", "--dry-run")
        self.assertIn("2 of them wait on: a pause holds up what comes next", ran.out)
        self.assertIn("nothing is called now: it was started with --paused", ran.out)
        self.api.script("/api/concerto/retry", (200, {"done": 2, "failed": 0, "held": 1}))
        ran = self.expect(DONE, "retry", "g1", "g2")
        self.assertEqual(ran.out, "2 done, 0 failed\n")
        self.assertIn("1 of them waits on", ran.err)

    def test_a_job_says_why_it_waits(self):
        waits = "the coordinator was started paused and calls nobody"
        self.api.script("/api/concerto/retry", (202, job("running", 0, trouble=waits)))
        self.api.script("/api/concerto/jobs", jobs("running", 0, trouble=waits),
                        jobs("running", 0, trouble=waits), jobs("done", 3))
        ran = self.expect(DONE, "retry", "--all", "--yes")
        self.assertEqual(ran.err, waits + "\n")
        self.assertIn(waits, self.expect(DONE, "retry", "--all", "--yes", "--no-wait").err)
        shown = self.run_in_terminal("retry", "g1", "g2")
        self.assertEqual(shown.code, DONE, shown)
        broken = {**job("failed", 0, trouble="the record cannot be read"), "action": "unknown"}
        self.api.script("/api/concerto/jobs", (200, {"jobs": [broken, job("done", 1)]}))
        ran = self.expect(DONE, "jobs")
        self.assertEqual(ran.err, "j1: the record cannot be read\n")
        self.assertIn("unknown", ran.out)

    def test_an_archive_is_a_file(self):
        self.assertIn("is a file", self.expect(USAGE, "archive", "--to", "-").err)

    def test_gids_of_a_pipe(self):
        self.api.script("/api/concerto/retry", (200, {"done": 2, "failed": 0}),
                        (200, {"done": 1000, "failed": 0}), (200, {"done": 0, "failed": 1}))
        self.expect(DONE, "retry", "-", stdin="g1\r\n  g2 \n\ng1\n")
        self.assertEqual(self.api.requests[-1][2]["gids"], ["g1", "g2"])
        gids = [f"g{i}" for i in range(1001)]
        ran = self.expect(PARTLY, "retry", "-", stdin="\n".join(gids))
        self.assertEqual(ran.out, "1000 done, 0 failed\n0 done, 1 failed\n")
        sent = [request[2] for request in self.api.requests[-2:]]
        self.assertEqual(sent[0]["gids"] + [sent[1]["gid"]], gids)

    def test_pauses(self):
        pause = {"kind": "target", "value": "http://stock", "reason": "repair", "caller": "otto",
                 "since": "2026-11-30T03:00:00Z", "waiting": 7}
        self.api.script("/api/concerto/pauses", (200, {"pauses": [pause]}))
        self.api.script("/api/concerto/pause", (200, pause))
        self.api.script("/api/concerto/resume", (200, pause))
        self.golden("pauses", self.expect(DONE, "pause").out)
        self.expect(DONE, "pause", "target", "http://stock", "--reason", "repair")
        self.assertEqual(self.api.requests[-1][2],
                         {"kind": "target", "value": "http://stock", "reason": "repair"})
        self.expect(DONE, "resume", "target", "http://stock")
        self.expect(USAGE, "pause", "target")
        self.assertEqual(self.expect(DONE, "pause", "-o", "json").json(), [pause])

    def test_jobs(self):
        self.api.script("/api/concerto/jobs", jobs("running", 1))
        self.api.script("/api/concerto/cancelJob", (200, job("cancelled", 1)))
        self.golden("jobs", self.expect(DONE, "jobs").out)
        self.assertEqual(self.expect(DONE, "jobs", "j1", "-o", "json").json(), job("running", 1))
        self.expect(USAGE, "jobs", "j1", "--cancel")
        self.assertIn("cancelled", self.expect(DONE, "jobs", "j1", "--cancel", "--reason", "x").out)
        self.api.script("/api/concerto/jobs", (200, {"jobs": []}))
        self.expect(NOT_FOUND, "jobs", "j2")

    def test_counts_of_the_coordinator(self):
        counts = {"total": 3, "complete": True, "groups": [
            {"value": "\u8ba2\u5355", "count": 2, "oldest": "2026-11-30T03:00:00Z"},
            {"value": "x", "count": 1, "oldest": "2026-11-30T03:00:00Z"}]}
        self.api.script("/api/concerto/count", (200, counts))
        self.golden("count_topics", self.expect(DONE, "count", "--by", "topic").out)
        self.assertEqual(self.api.requests[-1][2],
                         {"by": "topic", "status": "prepared,submitted,aborting"})
        del counts["complete"]
        self.assertNotIn("not all", self.expect(DONE, "count").out)
        self.api.script("/api/concerto/count", (400, {"message": "by: not by topic"}))
        self.assertIn("by: not by topic", self.expect(REFUSED, "count", "--by", "topic").err)

    def test_damaged_records_are_listed(self):
        records = [{"kind": "transaction", "name": "g1", "error": "status is 'odd'"},
                   {"kind": "other", "name": "the schedule", "error": "it is a string"}]
        path = "/api/concerto/damaged"
        self.api.script(path, (200, {"records": records[:1], "next_position": "g1", "total": 2}),
                        (200, {"records": records[1:], "next_position": "", "total": 2}))
        ran = self.expect(DONE, "list", "--damaged", "--all", "-o", "json")
        self.assertEqual(ran.json(), records)
        self.assertEqual(self.api.requests[-1][2], {"limit": "1000", "position": "g1"})
        self.api.script(path, (200, {"records": records, "next_position": "x", "total": 3}))
        ran = self.expect(DONE, "list", "--damaged", "--limit", "2")
        self.golden("damaged", ran.out)
        self.assertIn("there may be more behind these 2", ran.err)
        self.assertEqual(self.expect(DONE, "list", "--damaged", "--limit", "2", "--gids").out,
                         "g1\n")
        self.expect(USAGE, "list", "--damaged", "--stuck")
        self.api.script("/api/concerto/count", (200, {"total": 0, "groups": [], "damaged": 3}))
        self.assertIn("3 damaged records cannot be counted: concerto list --damaged",
                      self.expect(DONE, "count").out)
        self.api.script("/api/ping", (200, {"dtm_result": "SUCCESS"}))
        self.api.script("/readyz", (200, {"status": "ok", "warnings": [
            "3 records of the store cannot be read or used and wait for an operator: concerto "
            "list --damaged"]}))
        told = self.run_cli("doctor").out
        self.assertRegex(told, "damage +warning +3 damaged records")
        self.assertEqual(told.count("--damaged"), 1, told)
        self.api.script(path, (200, {"records": [], "next_position": "", "total": 0}))
        self.assertIn("no damaged record", self.expect(DONE, "list", "--damaged").err)

    def test_an_archive_waits_if_there_are_too_many_requests(self):
        gids = [f"g{number}" for number in range(40)]
        self.api.script("/api/dtmsvr/all", (200, {
            "transactions": [{"gid": gid} for gid in gids], "next_position": ""}))
        found = (200, {"transaction": {"gid": "g"}, "branches": []})
        too_many = (429, {"message": "too many requests"})
        self.api.script("/api/dtmsvr/query", found, too_many, too_many, found)
        path = os.path.join(self.home, "a.ndjson.gz")
        self.assertIn("40 transactions", self.expect(DONE, "archive", "--to", path).out)
        with gzip.open(path, "rt") as file:
            self.assertEqual(len(file.readlines()), 40)
        asked = [request[2]["gid"] for request in self.api.asked("/api/dtmsvr/query")]
        self.assertEqual((set(asked), len(asked)), (set(gids), 42))

    def test_a_coordinator_without_the_routes(self):
        for arguments in (("retry", "--all", "--yes"), ("skip", "g1", "--reason", "x"), ("pause",),
                          ("jobs",), ("count", "--by", "topic"),
                          ("edit", "g1", "01", "--url", "http://a", "--reason", "x"),
                          ("resume", "mode", "saga")):
            self.assertIn("older version", self.expect(REFUSED, *arguments).err)


if __name__ == "__main__":
    main(Bulk, __doc__)
