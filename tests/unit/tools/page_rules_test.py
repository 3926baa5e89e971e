#!/usr/bin/env python3
"""The rule that what is said of docs/protocol leads to a page, section or row, on a small tree."""

import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))
sys.dont_write_bytecode = True

from checks import page_rules  # noqa: E402  (the path has to be set first)
from checks.tree import Tree  # noqa: E402

PAGES = {
    "docs/protocol/02-http.md":
        "# 02 HTTP\n\n## 1. Routes\n\n## 4. Writes\n\n### 4.1 POST prepare\n",
    "docs/protocol/09-quirks.md":
        "# 09 Quirks\n\n## A. Quirks\n\n## B. Flaws\n\n| # | what |\n| --- | --- |\n| F3 | x |\n",
}
NO_SECTION = "page 02 has no section or row "

# A name, a text, and what is missing of the places that the text names.
TEXTS = [
    ("a page", "protocol page 02", []),
    ("a page that is not there", "protocol page 03", ["there is no page 03 in docs/protocol/"]),
    ("several pages", "pages 02 and 03", ["there is no page 03 in docs/protocol/"]),
    ("a section", "page 02, section 4.1.", []),
    ("a section that is not there", "page 02, section 5", [NO_SECTION + "5"]),
    ("a section below one that is there", "page 02, section 4.2.", [NO_SECTION + "4.2"]),
    ("several sections", "page 02, sections 1, 4 and 6", [NO_SECTION + "6"]),
    ("what follows one section", "page 02, section 4, 5 times", []),
    ("two places", "(page 02, section 1; page 09, F3)", []),
    ("the title's number", "page 02, section 02", [NO_SECTION + "02"]),
    ("a part by its letter", "page 09-A", []),
    ("a part that is not there", "page 09-C", ["page 09 has no section or row C"]),
    ("a row that is not there", "page 09, F30", ["page 09 has no section or row F30"]),
    ("a comment's next line in C++", "/// (page 02, section\n  /// 7).", [NO_SECTION + "7"]),
    ("a comment's next line in Python", "# page 02,\n# section 4.1", []),
    ("the next line of a docstring", "page 02,\n    section 8", [NO_SECTION + "8"]),
    ("a page of something else", "page 5 of 10, page 12, homepage 04x", []),
]

TABLES = """| mode | at | covered by |
| --- | --- | --- |
| good | 02, 4.1; 09 | `A.B` |
| ours | own | `A.B` |
| bad | 02, 1; 02, 9 | `A.B` |

| what | why |
| --- | --- |
| a number | 02, 9 |
"""


class PageRulesTest(unittest.TestCase):
    def findings(self, files):
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            for path, text in (PAGES | files).items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text, encoding="utf-8")
            return list(page_rules.pages_are_there(Tree(root)))

    def test_places_are_looked_up(self):
        for name, text, missing in TEXTS:
            with self.subTest(name):
                found = self.findings({"core/a.cpp": text + "\n"})
                self.assertEqual([finding.message for finding in found], missing)

    def test_the_line_is_the_one_where_the_reference_begins(self):
        found = self.findings({"core/a.cpp": "// one\n// page 02,\n// section 9\n"})
        self.assertEqual([(f.path, f.line) for f in found], [("core/a.cpp", 2)])

    def test_the_tables_of_compatibility_are_read(self):
        found = self.findings({"docs/compatibility.md": TABLES})
        self.assertEqual([(f.line, f.message) for f in found], [(5, NO_SECTION + "9")])

    def test_pages_refer_to_each_other(self):
        found = self.findings({"docs/protocol/README.md": "see page 02, section 3\n"})
        self.assertEqual([f.message for f in found], [NO_SECTION + "3"])

    def test_this_tree_has_what_the_rule_looks_at(self):
        tree = Tree(ROOT)
        pages = page_rules.places_by_page(tree)
        self.assertEqual(sorted(pages), [f"0{number}" for number in range(1, 10)])
        self.assertGreater(sum(1 for source in tree.sources
                               for _ in page_rules.references(source.text)), 100)


if __name__ == "__main__":
    unittest.main()
