"""The verbs that change something, with a coordinator that has no bulk actions as well as with one
that has them; topics, audit, contexts, tokens.

Usage: acting_test.py <concerto> <concertod>
"""

import os
import ssl

from cli_test_case import (DONE, FAILED, NOT_FOUND, REFUSED, UNREACHABLE, USAGE, CliTestCase,
                           dead_url, main)

from concerto_testing import Concertod
from concerto_testing.certificates import Authority
from concerto_testing.tokens import caller_line


class Acting(CliTestCase):
    def test_retry(self):
        coordinator = self.start()
        # A service that answers again wakes what waits for it: each has a service of its own.
        for gid in ("g1", "g2", "g3"):
            branches = self.start_branches()
            branches.script("stock", (500, "no disk"), (200, ""))
            self.submit(gid, branches.url("stock"))
            self.wait_until_stuck(gid)
        self.expect(DONE, "retry", "g1", "--reason", "the disk is back")
        self.expect(DONE, "watch", "g1", "--interval", "0.1", "--for", "20s")
        records = self.expect(DONE, "audit", "--gid", "g1", "-o", "json").json()
        self.assertEqual({record["reason"] for record in records}, {"the disk is back"})
        listed = self.expect(DONE, "list", "--status", "unfinished", "--gids").out
        self.expect(DONE, "retry", "-", stdin=listed)
        for gid in ("g2", "g3"):
            coordinator.wait_for_status(gid, "succeed")

    def test_stop(self):
        coordinator = self.start()
        self.submit("g1", dead_url())
        self.wait_until_stuck("g1")
        self.expect(DONE, "stop", "g1", "--reason", "paid by hand")
        self.assertEqual(coordinator.status("g1"), "failed")
        ran = self.run_cli("stop", "g1")
        self.assertIn(ran.code, (FAILED, REFUSED), ran)
        self.golden("audit", self.run_cli("audit", "--gid", "g1", "--limit", "2").out)

    def test_unknown_transactions(self):
        self.start()
        for verb in ("retry", "stop"):
            ran = self.run_cli(verb, "nobody")
            self.assertIn(ran.code, (FAILED, NOT_FOUND), ran)
            self.assertIn("nobody", ran.err)

    def test_what_a_selection_needs(self):
        self.start()
        self.submit("g1", dead_url())
        self.wait_until_stuck("g1")
        self.assertIn("Name gids", self.expect(USAGE, "retry").err)
        self.assertIn("together", self.expect(USAGE, "retry", "g1", "--stuck").err)
        self.assertIn("--yes", self.expect(USAGE, "retry", "--status", "submitted").err)
        self.assertIn("no gid", self.expect(USAGE, "retry", "-").err)
        self.assertIn("reason", self.expect(USAGE, "skip", "g1").err)
        self.expect(USAGE, "edit", "g1", "01", "--reason", "x")
        self.expect(USAGE, "pause", "planet", "x")

    def test_topics(self):
        self.start()
        name = "\u8ba2\u5355/new orders"
        self.expect(DONE, "topics", "subscribe", name, "http://b.org/a", "--remark", "stock",
                    "--reason", "it is new")
        self.expect(DONE, "topics", "subscribe", name, "http://b.org/b")
        self.expect(REFUSED, "topics", "subscribe", name, "nowhere")
        self.refused_changes_of(name)
        for wrong in (("", "http://b.org/a"), (name, "")):
            self.expect(USAGE, "topics", "subscribe", *wrong)
        self.expect(NOT_FOUND, "topics", "unsubscribe", name, "http://b.org/never")
        self.assertIn("bogus", self.expect(USAGE, "list", "--status", "submitted,bogus").err)
        self.golden("topics", self.expect(DONE, "topics", "list").out)
        topics = self.expect(DONE, "topics", "list", "-o", "json").json()
        self.assertEqual([one["url"] for one in topics[0]["subscribers"]],
                         ["http://b.org/a", "http://b.org/b"])
        self.expect(DONE, "topics", "unsubscribe", name, "http://b.org/a")
        self.assertNotIn("/a", self.expect(DONE, "topics", "list").out)
        self.expect(DONE, "topics", "delete", name)
        self.assertEqual(self.expect(NOT_FOUND, "topics", "delete", "nope").err,
                         "there is no topic 'nope'\n")
        self.assertIn("no topic 'nope'", self.expect(REFUSED, "list", "--topic", "nope").err)
        self.assertIn("gid: expected a text", self.expect(USAGE, "get", "").err)
        self.assertIn("gid: expected a text", self.expect(USAGE, "why", "").err)
        self.assertEqual(self.expect(DONE, "topics", "list").err, "no topic\n")
        reasons = [record.get("reason") for record in
                   self.expect(DONE, "audit", "--action", "subscribe", "-o", "json").json()]
        self.assertIn("it is new", reasons)

    def refused_changes_of(self, name):
        """None of them has changed anything, and each says what it is about."""
        verb = ("topics", "subscribe")
        ran = self.expect(REFUSED, *verb, name, "http://b.org/a", "--remark", "other")
        self.assertEqual(ran.err, f"topic '{name}' has the subscriber http://b.org/a already; "
                                  "nothing was changed\n")
        self.assertEqual(ran.out, "")
        for url in ("http://", "http://b.org/" + "a" * 9000, "http://b.org/\n"):
            with self.subTest(url=url[:20]):
                self.expect(REFUSED, *verb, name, url)
        self.expect(REFUSED, *verb, "n" * 300, "http://b.org/a")
        self.expect(REFUSED, *verb, "a\nb", "http://b.org/a")
        self.expect(REFUSED, *verb, name, "http://b.org/c", "--remark", "r" * 5000)
        verb = ("topics", "unsubscribe")
        self.assertEqual(self.expect(NOT_FOUND, *verb, name, "http://b.org/never").err,
                         f"topic '{name}' has no subscriber http://b.org/never\n")
        self.assertIn("name it as it is",
                      self.expect(NOT_FOUND, *verb, name, "http://u:***@b.org/never").err)
        self.assertEqual(self.expect(NOT_FOUND, *verb, "nope", "http://b.org/a").err,
                         "there is no topic 'nope'\n")
        self.expect(DONE, "topics", "subscribe", "empty", "http://b.org/a")
        self.expect(DONE, *verb, "empty", "http://b.org/a")
        self.assertEqual(self.expect(NOT_FOUND, *verb, "empty", "http://b.org/a").err,
                         "topic 'empty' has no subscriber, and so not http://b.org/a\n")
        self.expect(DONE, "topics", "delete", "empty")

    def test_the_audit_log_finds_each_transaction_that_an_action_named(self):
        self.start()
        for gid in ("g1", "g2", "g3"):
            self.submit(gid, dead_url())
        self.wait_until_stuck("g3")
        self.expect(DONE, "stop", "g1", "g2", "g3", "--reason", "enough")
        for gid in ("g1", "g2", "g3"):
            ran = self.expect(DONE, "audit", "--gid", gid)
            self.assertIn(f"{gid} and 2 more", ran.out)
            records = self.expect(DONE, "audit", "--gid", gid, "-o", "json").json()
            self.assertEqual([(each["event"], each["gids"]) for each in records],
                             [("done", ["g1", "g2", "g3"]), ("begun", ["g1", "g2", "g3"])])
        self.assertIn("3 gids: g1, g2, g3", self.expect(DONE, "audit").out)
        ran = self.expect(DONE, "audit", "--gid", "nobody")
        self.assertEqual(ran.out, "")
        self.assertIn("no record at this coordinator; each coordinator of a cluster has an audit "
                      "log of its own", ran.err)
        self.assertIn("a selection", ran.err)
        ran = self.expect(DONE, "audit", "--caller", "nobody", "-o", "json")
        self.assertEqual(ran.json(), [])
        self.assertIn("each coordinator", ran.err)

    def test_a_topic_is_paused_and_goes_on(self):
        self.start()
        self.expect(DONE, "topics", "subscribe", "orders", "http://127.0.0.1:1/a")
        tried = self.expect(DONE, "pause", "topic", "orders", "--reason", "x", "--dry-run")
        self.assertIn("nothing was changed", tried.err)
        self.assertEqual(self.expect(DONE, "pause").err, "nothing is paused\n")
        self.expect(DONE, "pause", "topic", "orders", "--reason", "x")
        self.assertRegex(self.expect(DONE, "pause").out, r"topic +orders +0 ")
        self.expect(REFUSED, "pause", "topic", "orders")
        self.assertIn("no topic 'nope'", self.expect(REFUSED, "pause", "topic", "nope").err)
        tried = self.expect(DONE, "resume", "topic", "orders", "--dry-run", "-o", "json").json()
        self.assertEqual((tried["dryRun"], tried["waiting"]), (True, 0))
        self.assertEqual(self.expect(DONE, "resume", "topic", "orders").out,
                         "topic orders goes on\n")
        self.expect(NOT_FOUND, "resume", "topic", "orders")

    def test_owners_of_a_store_that_nobody_shares(self):
        self.start()
        for arguments in (("count", "--by", "owner"), ("count", "--owner", "cc-1"),
                          ("list", "--owner", "cc-1"), ("stop", "--owner", "cc-1", "--dry-run")):
            ran = self.expect(REFUSED, *arguments)
            self.assertIn("owner: transactions have owners only in a store", ran.err)
        self.assertIn("0 transactions", self.expect(DONE, "count", "--by", "last-error").out)

    def test_no_audit_log(self):
        self.start(audit=False)
        self.assertIn("Audit.File", self.expect(REFUSED, "audit").err)

    def test_contexts(self):
        coordinator = self.start()
        self.server = None
        self.expect(DONE, "context", "add", "here", "--server", coordinator.root + "/")
        self.expect(DONE, "context", "add", "away", "--server", "http://127.0.0.1:1")
        self.golden("contexts", self.expect(DONE, "context", "list").out)
        self.expect(DONE, "list")
        self.expect(UNREACHABLE, "list", "--context", "away")
        self.expect(DONE, "context", "use", "away")
        self.expect(UNREACHABLE, "list")
        self.expect(REFUSED, "context", "add", "away", "--server", "http://b")
        self.expect(USAGE, "context", "add", "", "--server", "http://b")
        self.expect(NOT_FOUND, "context", "use", "nobody")
        self.expect(DONE, "context", "remove", "away")
        self.expect(NOT_FOUND, "list", "--context", "away")
        path = os.path.join(self.home, ".config", "concerto", "config.yml")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        os.chmod(path, 0o644)
        self.assertIn("chmod 600", self.expect(USAGE, "list").err)

    def start_closed(self):
        """Over TLS, with callers. Returns the files of their tokens by name."""
        authority = Authority(os.path.join(self.home, "tls"))
        authority.issue("server", "DNS:dtm.example.org")
        tokens = {name: name + "-token-that-is-long-enough-0123456789" for name in
                  ("client", "viewer", "operator")}
        callers = os.path.join(self.home, "callers")
        with open(callers, "w", encoding="ascii") as file:
            file.writelines(caller_line(name, name, token) for name, token in tokens.items())
        files = {}
        for name, token in tokens.items():
            files[name] = os.path.join(self.home, name + ".token")
            with open(os.open(files[name], os.O_CREAT | os.O_WRONLY, 0o600), "w",
                      encoding="ascii") as file:
                file.write(token + "\n")
        coordinator = self.start_tls(authority, callers, tokens["viewer"])
        self.server = None
        common = ["--server", coordinator.root, "--ca", authority.file("ca.pem"),
                  "--server-name", "dtm.example.org"]
        return common, files, tokens

    def start_tls(self, authority, callers, token):
        context = ssl.create_default_context(cafile=authority.file("ca.pem"))
        context.check_hostname = False
        coordinator = Concertod(self.args.concertod, self.home, {
            "Shards": 1, "Tls.CertFile": authority.file("server.pem"),
            "Tls.KeyFile": authority.file("server.key"), "Auth.CallersFile": callers,
            "Audit.File": os.path.join(self.home, "audit.jsonl")}, context=context, token=token)
        self.addCleanup(coordinator.kill)
        coordinator.start()
        self.coordinator = coordinator
        return coordinator

    def test_bench_over_tls_with_a_token(self):
        common, files, tokens = self.start_closed()
        self.expect(DONE, "context", "add", "closed", *common, "--token-file", files["client"])
        grpc = ("bench", "--grpc", f"127.0.0.1:{self.coordinator.grpc_port}")
        load = ("--", "--transactions", "20", "--warm-up", "0", "--in-flight", "2")
        for wire in ("grpc", "http"):
            ran = self.expect(DONE, *grpc, *load, "--wire", wire)
            self.assertIn("passed: 20 acknowledged, 20 queried", ran.out)
            self.assertNotIn(tokens["client"], ran.out + ran.err)
        ran = self.expect(FAILED, *grpc, "--token-file", files["viewer"], *load)
        self.assertIn("PermissionDenied", ran.out + ran.err)
        ran = self.expect(FAILED, *grpc, *common[:4], *load)  # another name, and no token
        self.assertIn("failed: ", ran.out + ran.err)

    def test_tokens_and_tls(self):
        common, files, tokens = self.start_closed()
        self.expect(DONE, "list", *common, "--token-file", files["viewer"])
        self.expect(REFUSED, "list", *common, "--token-file", files["client"])
        self.assertIn("401", self.expect(REFUSED, "list", *common).err)
        self.expect(DONE, "list", *common, env={"CONCERTO_TOKEN": tokens["viewer"]})
        self.expect(DONE, "list", *common, env={"CONCERTO_TOKEN_FILE": files["viewer"]})
        ran = self.expect(REFUSED, "retry", "g1", *common, "--token-file", files["viewer"])
        self.assertIn("403", ran.err)
        # The certificate has another name than the URL.
        self.expect(UNREACHABLE, "list", *common[:4], "--token-file", files["viewer"])
        self.expect(UNREACHABLE, "list", *common[:2], "--token-file", files["viewer"])
        self.expect(DONE, "context", "add", "closed", *common, "--token-file", files["operator"])
        ran = self.expect(DONE, "doctor", "--may-act")
        self.assertIn("may read and act", ran.out)
        self.assertRegex(ran.out, r"certificate +(ok|warning) +that for server is valid for 1d")
        self.assertIn("may not act", self.expect(DONE, "doctor", "--may-act", "--token-file",
                                                 files["viewer"]).out)
        self.assertRegex(ran.out, r"certificate +\w+ +the one that it shows is valid for 1d")
        # Who may not see the metrics is told of the certificate, too.
        ran = self.expect(FAILED, "doctor", "--token-file", files["client"])
        self.assertRegex(ran.out, r"certificate +\w+ +the one that it shows is valid for 1d")
        self.assertNotIn("for server", ran.out)
        os.chmod(files["operator"], 0o640)
        self.assertIn("0640", self.expect(USAGE, "list").err)
        with open(os.path.join(self.home, ".config", "concerto", "config.yml"),
                  encoding="utf-8") as file:
            self.assertNotIn(tokens["operator"], file.read())


if __name__ == "__main__":
    main(Acting, __doc__)
