#!/usr/bin/env python3
"""Runs a test program against a real MariaDB, which it starts in a scratch directory.

usage: mysql_test.py <program> [arguments of GoogleTest]

Without arguments, of the contracts on the reference's tables only those run that depend on how
these tables differ: they compare texts without regard to case.
"""

import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from database_servers import MariaDb  # noqa: E402


RESTART_PAUSE_S = 0.05
COMPARES_TEXTS = ["Gid", "KeyValue", "AClaim", "ARenewal", "ExpectedStatus", "EachBranch",
                  "ListsByFilter", "RestsForLong", "LostAnswer"]
SHORT_FORM = ":".join(["Mysql*", "*/Mysql*"] + [f"Reference/*{name}*" for name in COMPARES_TEXTS])


def run(program, *arguments):
    with tempfile.TemporaryDirectory() as directory, MariaDb(directory) as server:
        environment = dict(os.environ, CONCERTO_TEST_MYSQL=str(server.port))
        arguments = arguments or [f"--gtest_filter={SHORT_FORM}"]
        with subprocess.Popen([program, *arguments], env=environment) as tests:
            while tests.poll() is None:
                time.sleep(RESTART_PAUSE_S)
                # One of the tests kills the server.
                if not server.process.is_running():
                    server.start()
            return tests.returncode


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
