"""How a test script starts, skips and ends: `main` is its last line."""

import argparse
import contextlib
import fcntl
import filecmp
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import venv

EXIT_SKIPPED = 77  # ctest counts this as skipped (see concerto_script_test).


def need_program(name, package, directories=()):
    """The path of an installed program. Without it the test is skipped, loudly; on CI it fails.

    `directories` are searched after those of PATH.
    """
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *directories]))
    if path:
        return path
    skip(f"'{name}' is not installed (Debian package: {package})")


def need_module(name, package):
    """The same for a Python module that is not in the standard library."""
    if importlib.util.find_spec(name) is None:
        skip(f"{sys.executable} has no module '{name}' (Debian package: {package})")


def skip(message):
    """Ends the test as skipped; on CI as failed."""
    if os.environ.get("CI"):
        sys.exit(f"FAILED: {message}")
    print(f"SKIPPED: {message}", flush=True)
    sys.exit(EXIT_SKIPPED)


def go_build(module, output, package="./..."):
    """Builds programs of a Go module into `output`: its own, or one that its go.mod pins.

    Tests that share `output` take turns.
    """
    go = need_program("go", "golang, 1.21 or later")
    with _taking_turns(output):
        subprocess.run([go, "build", "-o", output + os.sep, package], cwd=module, check=True,
                       env={**os.environ, "GOTOOLCHAIN": "local"})


def python_environment(requirements, directory):
    """The interpreter of a virtual environment with the packages that a requirements file pins.

    It is made anew when that file changes. Tests that share `directory` take turns.
    """
    if importlib.util.find_spec("ensurepip") is None:
        skip("Python's venv is not installed (Debian package: python3-venv)")
    environment = os.path.join(directory, "environment")
    installed = os.path.join(environment, "requirements.txt")
    python = os.path.join(environment, "bin", "python")
    with _taking_turns(directory):
        if not os.path.exists(installed) or not filecmp.cmp(requirements, installed, False):
            venv.create(environment, clear=True, with_pip=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps",
                            "--disable-pip-version-check", "-r", requirements], check=True)
            shutil.copyfile(requirements, installed)
    return python


@contextlib.contextmanager
def _taking_turns(directory):
    """Lets only one process at a time be in such a block. Makes the directory if needed."""
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, ".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


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
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, failfast=True,
                                     resultclass=_Result).run(tests)
    if result.exit:
        shutil.rmtree(test_case.directory)
        raise result.exit
    if not result.wasSuccessful():
        sys.exit(f"FAILED; logs and data are in {test_case.directory}")
    shutil.rmtree(test_case.directory)


class _Result(unittest.TextTestResult):
    """A test that leaves by sys.exit (see need_program) ends the run: unittest alone would count
    an error."""

    exit = None

    def addError(self, test, err):
        if not self._leaves(err):
            super().addError(test, err)

    def addSubTest(self, test, subtest, err):
        if err is None or not self._leaves(err):
            super().addSubTest(test, subtest, err)

    def _leaves(self, err):
        if not isinstance(err[1], SystemExit):
            return False
        self.exit = err[1]
        self.stop()
        return True
