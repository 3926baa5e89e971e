#!/usr/bin/env python3
"""tools/failed-tests, with what the real ctest says about tests that fail in different ways."""

import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TESTS = """
add_test(good true)
add_test(wrong sh "-c" "seq 100; exit 1")
add_test(absent /nonexistent/program)
add_test(skipped sh "-c" "echo no; exit 77")
set_tests_properties(skipped PROPERTIES SKIP_RETURN_CODE 77)
add_test(also_skipped echo "[  SKIPPED ]")
set_tests_properties(also_skipped PROPERTIES SKIP_REGULAR_EXPRESSION "SKIPPED")
"""


class FailedTests(unittest.TestCase):
    def end_of(self, tests):
        with tempfile.TemporaryDirectory(prefix="concerto-test-") as build:
            (Path(build) / "CTestTestfile.cmake").write_text(tests)
            subprocess.run(["ctest", "--test-dir", build, "--output-junit", "tests.xml"],
                           check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            return self.printed_for(Path(build) / "tests.xml")

    def printed_for(self, file):
        return subprocess.run([ROOT / "tools" / "failed-tests", file], text=True, check=True,
                              stdout=subprocess.PIPE).stdout

    def test_their_output_ends_the_log_and_their_names_are_last(self):
        lines = self.end_of(TESTS).splitlines()
        self.assertEqual(lines[-3:], ["failed tests (2 of 5; more of what they printed is above):",
                                      "  wrong (0 s)", "  absent (0 s)"])
        begin = lines.index("---- wrong: its last 60 of 100 lines")
        self.assertEqual(lines[begin + 1:begin + 61], [str(line) for line in range(41, 101)])
        self.assertIn("Unable to find executable: /nonexistent/program", lines)

    def test_many_have_few_lines_each(self):
        tests = "".join(f'add_test(t{i} sh "-c" "seq 100; exit 1")\n' for i in range(60))
        self.assertIn("---- t7: its last 20 of 100 lines\n81\n", self.end_of(tests))

    def test_nothing_is_said_if_none_fails(self):
        self.assertEqual(self.end_of("add_test(good true)"), "")

    def test_an_unfinished_run_is_named(self):
        self.assertIn("cannot be told", self.printed_for("/nonexistent/tests.xml"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
