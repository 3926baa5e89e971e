"""docs/glossary.md names types and functions that exist.

The rule reads the columns `In the code` and `Name`: each name between backticks must occur in the
C++ code as a whole word. So whoever renames something renames it in the glossary, too.
"""

import re

PAGE = "docs/glossary.md"
COLUMNS = {"In the code", "Name"}
WORD = re.compile(r"[A-Za-z_]\w*")


def names(source):
    """(line, name) for each name between backticks in the columns that name code."""
    columns = None
    for number, line in enumerate(source.lines, 1):
        if not line.startswith("|"):
            columns = None
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if columns is None:
            columns = [i for i, cell in enumerate(cells) if cell in COLUMNS]
            continue
        for i in columns:
            if i < len(cells):
                yield from ((number, name) for name in re.findall(r"`([^`]+)`", cells[i]))


def glossary_names_code(tree):
    page = next((source for source in tree.sources if source.path == PAGE), None)
    if page is None:
        return
    words = set()
    for source in tree.cpp:
        words.update(WORD.findall(source.text))
    for number, name in names(page):
        unknown = [word for word in WORD.findall(name) if word not in words]
        if unknown:
            yield page.finding(number, "glossary", f"'{name}': the code has no '{unknown[0]}'")


RULES = [glossary_names_code]
