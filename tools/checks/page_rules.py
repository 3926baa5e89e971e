"""The code's references to docs/protocol lead somewhere.

A reference names a page by its number, a section by its heading's number, and a row of page 09 by
its first cell: `page 05, section 2.1`, `pages 01 and 02`, `page 09, F10`, `page 09-A`.
"""

import re
from functools import partial

DIRECTORY = "docs/protocol/"
COMPATIBILITY = "docs/compatibility.md"
OWN_TESTS = "tests/unit/tools/"  # these name pages that do not exist

# A reference may go over two lines of a comment.
GAP = r"(?:[ \t]|\n[ \t]*(?:///?|\#)?)+"
NUMBER = r"\d+(?:\.\d+)*"
REFERENCE = re.compile(
    rf"""\b[Pp]ages?{GAP}(?P<pages>0\d(?:(?:,|{GAP}and){GAP}0\d\b)*)
    (?:-(?P<letter>[A-Z])\b
     |,{GAP}section{GAP}(?P<section>{NUMBER}|[A-Z]\b)
     |,{GAP}sections{GAP}(?P<sections>{NUMBER}(?:(?:,|{GAP}and){GAP}{NUMBER})*)
     |,{GAP}(?P<row>[QFP]\d+)\b)?""", re.VERBOSE)
HEADING = re.compile(rf"^\#\#+ (?P<place>{NUMBER}|[A-Z](?=\.))\.? ", re.MULTILINE)
ROW = re.compile(r"^\| (?P<place>[QFP]\d+) \|", re.MULTILINE)
CELL = re.compile(rf"(?P<page>0\d)(?:, (?P<place>{NUMBER}))?")


def places_by_page(tree):
    """The sections and numbered rows of each page, by the page's number."""
    places = {}
    for source in tree.sources:
        page = re.match(rf"{DIRECTORY}(0\d)-", source.path)
        if page:
            places[page[1]] = {match["place"] for rule in (HEADING, ROW)
                               for match in rule.finditer(source.text)}
    return places


def references(text):
    """(offset, page, place in the page or None) for each reference in the text."""
    for match in REFERENCE.finditer(text):
        pages = re.findall(r"0\d", match["pages"])
        within = [match["letter"], match["section"], match["row"]]
        within += re.findall(NUMBER, match["sections"] or "")
        named = [place for place in within if place] or [None]
        yield from ((match.start(), page, None) for page in pages[:-1])
        yield from ((match.start(), pages[-1], place) for place in named)


def cells_of_compatibility(source):
    """The same for the columns `at` of the tables in docs/compatibility.md."""
    column, offset = None, 0
    for line in source.lines:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            column = None
        elif "at" in cells:
            column = cells.index("at")
        elif column is not None and column < len(cells):
            yield from ((offset, match["page"], match["place"])
                        for match in CELL.finditer(cells[column]))
        offset += len(line) + 1


def what_is_missing(places, page, place):
    if page not in places:
        return f"there is no page {page} in {DIRECTORY}"
    if place is not None and place not in places[page]:
        return f"page {page} has no section or row {place}"
    return None


def pages_are_there(tree):
    missing = partial(what_is_missing, places_by_page(tree))
    for source in tree.sources:
        if source.path.startswith(OWN_TESTS):
            continue
        found = list(references(source.text))
        if source.path == COMPATIBILITY:
            found += cells_of_compatibility(source)
        for offset, page, place in found:
            message = missing(page, place)
            if message:
                yield source.finding(source.line_of(offset), "page", message)


RULES = [pages_are_there]
