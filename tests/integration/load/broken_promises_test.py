"""A coordinator that promises more than it does: the load finds it out.

Usage: broken_promises_test.py <concertod> <concerto-load>
"""

import json

from load_test_case import LoadTestCase, main

from concerto_testing import BranchServer

QUERY = "api/dtmsvr/query"


class Impostor:
    """Acknowledges everything over HTTP, makes no calls, and answers queries as it is told."""

    def __init__(self, status, *branch_statuses):
        self._server = BranchServer()
        branches = [{"op": "action", "status": status} for status in branch_statuses]
        transaction = {"status": status} if status else None  # None: forgotten
        self._server.script(QUERY, (200, json.dumps({"transaction": transaction,
                                                     "branches": branches})))
        self.http_port = int(self._server.url("").rsplit(":", 1)[1].strip("/"))
        self.grpc_port = self.http_port  # nobody connects to it
        self.close = self._server.close


class BrokenPromises(LoadTestCase):
    def load_impostor(self, *options, shows=("succeed", "succeed", "succeed")):
        impostor = Impostor(*shows)
        self.addCleanup(impostor.close)
        return self.load(impostor, "--wire", "http", "--warm-up", "0", "--transactions", "12",
                         "--in-flight", "2", *options)

    def check_found(self, exit_code, results, text):
        self.assertEqual((exit_code, results["passed"]), (1, False))
        self.assertEqual((results["failures"], results["wrong"]), (0, 12))
        self.assertEqual(len(results["findings"]), 10)
        for finding in results["findings"]:
            self.assertRegex(finding["gid"], r"^load-[0-9a-f]{8}-00000000\d\d$")
            self.assertIn(text, finding["text"])

    def test_branches_that_were_not_called_before_the_reply(self):
        found = self.load_impostor()
        self.check_found(*found, "calls that did not come: action 01, action 02")

    def test_branches_that_are_not_called_after_it(self):
        found = self.load_impostor("--no-wait", "--drain", "0.2")
        self.check_found(*found, "calls that did not come: action 01, action 02")

    def test_a_branch_that_is_not_stored_as_succeeded(self):
        found = self.load_impostor("--action", "http://a/", "--compensate", "http://a/",
                                   shows=("succeed", "prepared"))
        self.check_found(*found, "prepared")

    def test_an_end_that_is_not_stored(self):
        found = self.load_impostor("--action", "http://a/", "--compensate", "http://a/",
                                   shows=("submitted", "succeed"))
        self.check_found(*found, "submitted")

    def test_a_transaction_that_does_not_roll_back(self):
        exit_code, results = self.load_impostor("--fail-share", "1")
        self.assertEqual((exit_code, results["passed"]), (1, False))
        self.assertEqual((results["wrong_kinds"]["calls"], results["wrong_kinds"]["status"]),
                         (12, 12))
        self.assertIn("action 01, action 02, compensate 01, compensate 02",
                      results["findings"][0]["text"])

    def last_line(self, impostor, *options):
        self.addCleanup(impostor.close)
        load = self.start_load(impostor, "text", "--wire", "http", "--transactions", "3",
                               *options)
        self.assertEqual(load.wait(), 1)
        load.wait_for_line("text-0000000000: ")
        return load.text().rstrip("\n").rpartition("\n")[2]

    def test_a_failed_load_says_why_in_its_last_line(self):
        own = ("--action", "http://a/", "--compensate", "http://a/")
        for status, reason in (("submitted", "are unfinished"), ("failed", "have the wrong status"),
                               (None, "are lost")):
            with self.subTest(status):
                self.assertEqual(self.last_line(Impostor(status, "succeed"), *own),
                                 f"failed: 3 acknowledged transactions {reason}")
        self.assertEqual(self.last_line(Impostor("aborting", "succeed")),
                         "failed: 3 acknowledged transactions have the wrong status; 3 "
                         "acknowledged transactions have the wrong branch calls")


if __name__ == "__main__":
    main(BrokenPromises, __doc__)
