"""The formatter changes nothing in any C++ file."""

import os
import re
import shutil
import subprocess

from checks.tree import Finding

FORMATTER = "clang-format-16"
COMPLAINT = re.compile(r"^(?P<path>[^:\n]+):(?P<line>\d+):\d+: error: ", re.MULTILINE)


def is_formatted(tree):
    if not tree.cpp or not (tree.root / ".clang-format").exists():
        return
    if shutil.which(FORMATTER) is None:
        needed = os.environ.get("CI") == "true"
        yield Finding(".clang-format", 1, "format", f"{FORMATTER} is not installed: not checked",
                      warning=not needed)
        return
    run = subprocess.run([FORMATTER, "--dry-run", "-Werror", *(s.path for s in tree.cpp)],
                         cwd=tree.root, capture_output=True, text=True)
    wrong = {}
    for found in COMPLAINT.finditer(run.stderr):
        wrong.setdefault(found["path"], int(found["line"]))
    for path, line in wrong.items():
        yield Finding(path, line, "format", f"run {FORMATTER} -i on it")
    if run.returncode != 0 and not wrong:
        yield Finding(".clang-format", 1, "format", run.stderr.strip() or "the formatter failed")


RULES = [is_formatted]
