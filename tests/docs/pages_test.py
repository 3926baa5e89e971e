#!/usr/bin/env python3
"""The pages of docs/ that concertod can print are equal to what it prints."""

import difflib
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(HERE, "..", "support"))

from concerto_testing import main  # noqa: E402  (the path has to be set first)


class Pages(unittest.TestCase):
    def test_table_of_keys(self):
        self.assert_is_printed("docs/configuration.md", "--print-keys")

    def test_sample(self):
        self.assert_is_printed("docs/concerto.yml", "--print-sample")

    def test_sample_is_correct(self):
        sample = os.path.join(ROOT, "docs", "concerto.yml")
        done = subprocess.run([self.args.concertod, "-c", sample, "--check-config"], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def assert_is_printed(self, page, flag):
        with open(os.path.join(ROOT, page), encoding="utf-8") as file:
            found = file.read()
        printed = subprocess.run([self.args.concertod, flag], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout
        changes = difflib.unified_diff(found.splitlines(), printed.splitlines(), page, flag, n=0,
                                       lineterm="")
        self.assertTrue(found == printed, "\n".join([
            f"{page} is out of date; renew it by: build/release/bin/concertod {flag} > {page}",
            *changes]))


if __name__ == "__main__":
    main(Pages, lambda parser: parser.add_argument("concertod", type=os.path.abspath), __doc__)
