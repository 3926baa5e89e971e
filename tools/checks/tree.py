"""The files that the rules look at."""

import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CPP_SUFFIXES = (".hpp", ".cpp")
# Bytes as others send them, and as an earlier version wrote them.
INPUTS = ("tests/fuzz/corpus/", "tests/integration/upgrade/old_store/")


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    message: str
    warning: bool = False

    def __str__(self):
        kind = "warning: " if self.warning else ""
        return f"{self.path}:{self.line}: {kind}{self.rule}: {self.message}"


class Source:
    """One text file, by its path relative to the tree's root."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")

    @property
    def is_cpp(self):
        return self.path.endswith(CPP_SUFFIXES)

    @property
    def layer(self):
        return self.path.split("/")[0]

    @cached_property
    def code(self):
        """The C++ text, with blanks in place of comments and of the insides of literals."""
        return blank_literals(self.text)

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def finding(self, line, rule, message):
        return Finding(self.path, line, rule, message)


class Tree:
    """All text files of the repository: tracked ones, and new ones that are not ignored."""

    def __init__(self, root):
        self.root = Path(root)
        self.paths = sorted(p for p in list_files(self.root)
                            if (self.root / p).is_file() and not p.startswith(INPUTS))
        texts = ((path, read_text(self.root / path)) for path in self.paths)
        self.sources = [Source(path, text) for path, text in texts if text is not None]
        self.cpp = [source for source in self.sources if source.is_cpp]


def list_files(root):
    if not (root / ".git").exists():
        return [str(p.relative_to(root)) for p in root.rglob("*")]
    listing = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True).stdout
    return [path for path in listing.split("\0") if path]


def read_text(path):
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None  # A binary file has no style.


LITERAL = re.compile(
    r'''//[^\n]* | /\*.*?\*/ | R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"
        | "(?:\\.|[^"\\\n])*" | (?<![0-9a-zA-Z])'(?:\\.|[^'\\\n])+' ''',
    re.DOTALL | re.VERBOSE)


def blank_literals(text):
    def blank(match):
        found = match.group(0)
        if re.match(r'"[\w./-]+\.(?:hpp|h)"$', found):
            return found  # The name in an #include.
        return re.sub(r"[^\n]", " ", found[:-1]) + (found[-1] if found[0] in "\"'R" else " ")
    return LITERAL.sub(blank, text)
