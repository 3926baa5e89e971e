"""How a test script starts, skips and ends: `main` is its last line."""

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

EXIT_SKIPPED = 77  # What ctest counts as skipped (see concerto_script_test).


def need_program(name, package, directories=()):
    """The path of an installed program. Without it the test is skipped, loudly; on CI it fails.

    `directories` are searched after those of PATH.
    """
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *directories]))
    if path:
        return path
    message = f"'{name}' is not installed (Debian package: {package})"
    if os.environ.get("CI"):
        sys.exit(f"FAILED: {message}")
    print(f"SKIPPED: {message}", flush=True)
    sys.exit(EXIT_SKIPPED)


def go_build(module, output, package="./..."):
    """Builds programs of a Go module into `output`: its own, or one that its go.mod pins.

    Tests that share `output` take turns.
    """
    go = need_program("go", "golang, 1.21 or later")
    os.makedirs(output, exist_ok=True)
    with open(os.path.join(output, ".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([go, "build", "-o", output + os.sep, package], cwd=module, check=True,
                       env={**os.environ, "GOTOOLCHAIN": "local"})


def main(test_case, add_arguments, description):
    """Runs the tests of a unittest.TestCase class, with parsed arguments in `test_case.args`.

    `test_case.directory` is a new directory for logs and data. It goes away with a success; after
    a failure it stays, and its name is printed.
    """
    parser = argparse.ArgumentParser(description=description)
    add_arguments(parser)
    parser.add_argument("-k", dest="pattern", help="only tests whose name contains this")
    test_case.args = parser.parse_args()
    test_case.directory = tempfile.mkdtemp(prefix="concerto-test-")
    loader = unittest.TestLoader()
    if test_case.args.pattern:
        loader.testNamePatterns = [f"*{test_case.args.pattern}*"]
    tests = loader.loadTestsFromTestCase(test_case)
    if tests.countTestCases() == 0:
        sys.exit(f"FAILED: no test's name contains {test_case.args.pattern!r}")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, failfast=True).run(tests)
    if not result.wasSuccessful():
        sys.exit(f"FAILED; logs and data are in {test_case.directory}")
    shutil.rmtree(test_case.directory)
