#!/usr/bin/env python3
"""run.py <build directory> <test> <arguments>: runs a test where DTM's Python client is installed.

The build directory is where that environment is made.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

from concerto_testing import python_environment  # noqa: E402  (the path has to be set first)


def main():
    directory, test, *arguments = sys.argv[1:]
    python = python_environment(os.path.join(HERE, "requirements.txt"), os.path.abspath(directory))
    os.execv(python, [python, os.path.join(HERE, test), *arguments])


if __name__ == "__main__":
    main()
