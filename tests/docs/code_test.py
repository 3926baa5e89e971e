#!/usr/bin/env python3
"""The C++ code of a page is code that the tests compile: every block is a part of a source, but for
indentation."""

import os
import re
import sys
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PAGES = {
    "docs/barrier.md": ("docs/examples/grpc-branch/main.cpp",
                        "tests/interop/databases/cpp/main.cpp",
                        "tests/interop/databases/cpp/postgres_branch.cpp",
                        "tests/integration/barrier/redis_barrier_test.cpp",
                        "tests/integration/barrier/sqlite_barrier_test.cpp"),
    "docs/embedding.md": ("tests/unit/embed/embedding_guide_test.cpp",),
}


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def lines_of(code):
    return "\n".join(line.strip() for line in code.strip().splitlines())


class Code(unittest.TestCase):
    def test_blocks_are_parts_of_sources(self):
        for page, sources in PAGES.items():
            compiled = [lines_of(text_of(source)) for source in sources]
            blocks = re.findall(r"^```cpp\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)
            self.assertTrue(blocks, f"{page} has no code")
            for block in blocks:
                with self.subTest(page=page, block=block):
                    self.assertTrue(any(lines_of(block) in source for source in compiled),
                                    f"no source of {page} has this block")


if __name__ == "__main__":
    sys.exit(unittest.main())
