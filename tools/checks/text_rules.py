"""Rules that hold for every line of every text file."""

import re

LINE_CHARS_MAX = 100
FILE_LINES_MAX = 400

# Formats that have rules of their own, and files that others wrote.
FREE_LENGTH = (".md", ".sum", ".mod", ".pb.go", ".json", ".svg", ".golden",
               "LICENSE")
TABS_BELONG = (".go", ".mod", ".sum", ".gitmodules")
COUNTED = (".hpp", ".cpp", ".py", ".go", ".sh", ".ts", ".tsx", ".mjs", ".css", "CMakeLists.txt",
           ".cmake")


def no_long_lines(source):
    if source.path.endswith(FREE_LENGTH):
        return
    for number, line in enumerate(source.lines, 1):
        if len(line) > LINE_CHARS_MAX:
            yield source.finding(number, "line-length",
                                 f"{len(line)} characters, the limit is {LINE_CHARS_MAX}")


def no_long_files(source):
    if not source.path.endswith(COUNTED):
        return
    count = len(source.lines) - 1
    if count > FILE_LINES_MAX:
        yield source.finding(count, "file-length",
                             f"{count} lines, the limit is {FILE_LINES_MAX}: look for the seam")


def no_tabs(source):
    if source.path.endswith(TABS_BELONG):
        return
    for number, line in enumerate(source.lines, 1):
        if "\t" in line:
            yield source.finding(number, "tab", "a tab; indent with spaces")


def no_trailing_blanks(source):
    for number, line in enumerate(source.lines, 1):
        if line != line.rstrip():
            yield source.finding(number, "trailing-blank", "blanks at the end of the line")


def ends_with_newline(source):
    if source.text and not source.text.endswith("\n"):
        yield source.finding(len(source.lines), "last-newline", "the last line has no newline")


def todos_say_when(source):
    if source.path.startswith("tools/checks/") or source.path.endswith("lint_test.py"):
        return
    for number, line in enumerate(source.lines, 1):
        if re.search(r"\b(FIXME|XXX|HACK)\b", line):
            yield source.finding(number, "todo", "mend it, or write `TODO: <when it can go>`")
        elif re.search(r"\bTODO\b(?!: \S+ \S+ \S+)", line):
            yield source.finding(number, "todo", "a TODO names the condition to remove it")


# What the repository must not speak of: one machine's paths, where a machine gets its packages
# from, and how the repository is written. The product alone is its subject.
FOREIGN = (
    (r"(?<![\w.}])/(?:work|root)/", "a path of one machine"),
    (r"(?<![\w.}])/home/\w+", "a path of one machine"),
    (r"\b(?:pypi|pythonhosted|npmjs|crates)\.(?:org|io)\b", "the host of a package registry"),
    (r"\bproxy\.golang\.org\b|\bdeb\.debian\.org\b", "the host of a package registry"),
    (r"(?i)\b(?:sub-?agents?|chat ?bots?|language models?|AI assistants?)\b",
     "how the repository is written"),
    (r"\b(?:bash_jobs|LLM)\b", "how the repository is written"),
)
LISTS_OF_WORDS = ("text_rules.py", "lint_test.py", "go.sum")


def speaks_of_the_product(source):
    for number, line in enumerate(source.lines, 1):
        for pattern, what in FOREIGN:
            found = re.search(pattern, line)
            if found and not source.path.endswith(LISTS_OF_WORDS):
                yield source.finding(number, "foreign-word", f"'{found.group(0)}': {what}")


# Clients compare these texts, so they are sent as they are, and stand in one file only.
ODD_WORDINGS = re.compile(r"sumbmit|\bunknow\b|\bunkown\b|no such an? (?:url|topic)")
ODD_WORDINGS_FILE = "odd_wordings.hpp"


def odd_wordings_stand_once(source):
    if not source.is_cpp or source.path.startswith("tests/"):
        return
    if source.path.endswith("/" + ODD_WORDINGS_FILE):
        return
    for number, line in enumerate(source.lines, 1):
        found = ODD_WORDINGS.search(line)
        if found:
            yield source.finding(number, "odd-wording",
                                 f"'{found.group(0)}' belongs in {ODD_WORDINGS_FILE} alone")


RULES = [no_long_lines, no_long_files, no_tabs, no_trailing_blanks, ends_with_newline,
         todos_say_when, speaks_of_the_product, odd_wordings_stand_once]
