#!/usr/bin/env python3
"""The rules that keep the tables of docs/compatibility.md true, on a small tree and on this one."""

import re
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))
sys.dont_write_bytecode = True

from checks import coverage_rules  # noqa: E402  (the path has to be set first)
from checks.tree import Tree  # noqa: E402

PAGE = """# Compatibility

| what | why |
| --- | --- |
| `not.looked.at` | a table of another kind |

| endpoint | at | covered by |
| --- | --- | --- |
| `POST /api/submit`, `any /api/ping` | 02, 1 | `Engine.Submits`, `script.saga` |

| gRPC method | covered by |
| --- | --- |
| `Submit` | `interop.two.http` |

| JSON-RPC method | covered by |
| --- | --- |
| `submit` | `Table.Rows` |

| key | effect | covered by |
| --- | --- | --- |
| `Store.Driver` | `memory` | `Typed.Works` |
| `HttpPort` | unused | `listed.b` |
"""

FILES = {
    "docs/compatibility.md": PAGE,
    "net/protocol/openapi/openapi.json": """{"paths": {
  "/api/submit": {"post": {}, "parameters": []},
  "/api/ping": {"x-any-method": true, "get": {}}
}}
""",
    "net/protocol/proto/dtmgimp.proto":
        "service Dtm {\n  rpc Submit(DtmRequest) returns (Empty);\n}\n",
    "net/protocol/src/api/route_table.cpp": """const Route table[] = {
    {"/api/submit", "POST", "submit", "Submit", changes, clients, own_pages,
     &Coordinator::submit},
    {"/api/ping", "*", "", "", reads, anyone, any_page, OwnHandlers{&Http::ping}},
};
""",
    "tools/concertod/config_keys.cpp": """const KeyRow rows[] = {
    {"Store.Driver", field, "help"},
    {.path = "HttpPort",
     .field = field},
};
""",
    "tests/unit/a_test.cpp": """TEST_F(Engine, Submits) {}
TEST_P(Table,
       Rows) {}
// TEST(Engine, IsNotThere) {}
""",
    "tests/support/contract.hpp": "TYPED_TEST(Typed, Works) {}\n",
    "tests/CMakeLists.txt": """# concerto_script_test(script.comment)
set(listed_tests a b)
foreach(test saga tcc)
  concerto_script_test(script.${test} LABELS x COMMAND run ${test})
endforeach()
foreach(way one two)
  foreach(wire http grpc)
    concerto_script_test(
      interop.${way}.${wire}
      COMMAND run)
  endforeach()
endforeach()
foreach(test IN LISTS listed_tests)
  concerto_script_test(listed.${test} COMMAND run)
endforeach()
concerto_script_test(alone LABELS x COMMAND run)
""",
    "tests/a/CMakeLists.txt": """set(own_tests d)
foreach(test IN LISTS listed_tests own_tests)
  concerto_script_test(below.${test} COMMAND run)
endforeach()
""",
}


def tree_of(files):
    with tempfile.TemporaryDirectory() as directory:
        for path, text in files.items():
            file = Path(directory) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return Tree(directory)


def findings(files):
    tree = tree_of(files)
    return [str(finding) for rule in coverage_rules.RULES for finding in rule(tree)]


class Coverage(unittest.TestCase):
    def changed(self, path, old, new):
        """The findings after a change of one file."""
        self.assertEqual(FILES[path].count(old), 1, f"{old} in {path}")
        return findings({**FILES, path: FILES[path].replace(old, new)})

    def test_a_page_that_is_true_passes(self):
        self.assertEqual(findings(FILES), [])

    def test_tests_have_their_names(self):
        self.assertEqual(coverage_rules.known_tests(tree_of(FILES)), {
            "Engine.Submits", "Table.Rows", "Typed.Works", "script.saga", "script.tcc",
            "interop.one.http", "interop.one.grpc", "interop.two.http", "interop.two.grpc",
            "listed.a", "listed.b", "alone", "below.a", "below.b", "below.d"})

    def test_a_row_without_a_test_is_flagged(self):
        for cell in ("`Engine.Submits`, `script.saga`", "`interop.two.http`"):
            line = PAGE[:PAGE.index(cell)].count("\n") + 1
            self.assertEqual(self.changed("docs/compatibility.md", cell, "by hand"),
                             [f"docs/compatibility.md:{line}: coverage: the row names no test"])

    def test_a_test_that_is_not_there_is_flagged(self):
        for name in ("Engine.IsNotThere", "script.comment", "script.msg", "interop.three.http",
                     "script.${test}", "Submits"):
            self.assertEqual(self.changed("docs/compatibility.md", "script.saga", name),
                             [f"docs/compatibility.md:9: coverage: there is no test '{name}'"])

    def test_a_test_that_goes_is_flagged(self):
        for path, old, name in (("tests/unit/a_test.cpp", "TEST_F(Engine,", "Engine.Submits"),
                                ("tests/CMakeLists.txt", "saga", "script.saga"),
                                ("tests/support/contract.hpp", "Works", "Typed.Works")):
            (found,) = self.changed(path, old, "Other")
            self.assertIn(f"there is no test '{name}'", found)

    def test_what_is_new_is_flagged_where_it_is_declared(self):
        for path, old, new, what in (
                ("net/protocol/openapi/openapi.json", '  "/api/ping"',
                 '  "/why": {"get": {}},\n"/api/ping"',
                 ":3: coverage: endpoint 'GET /why'"),
                ("net/protocol/openapi/openapi.json", '"post": {}', '"post": {}, "delete": {}',
                 ":2: coverage: endpoint 'DELETE /api/submit'"),
                ("net/protocol/proto/dtmgimp.proto", "}\n", "  rpc Abort(DtmRequest)\n}\n",
                 ":3: coverage: gRPC method 'Abort'"),
                ("net/protocol/src/api/route_table.cpp", '"*", ""', '"*", "abort"',
                 ":4: coverage: JSON-RPC method 'abort'"),
                ("tools/concertod/config_keys.cpp", "};", '    {"GrpcPort", f, "h"},\n};',
                 ":5: coverage: key 'GrpcPort'")):
            found = [one for one in self.changed(path, old, new) if coverage_rules.PAGE in one]
            self.assertEqual(found, [f"{path}{what} is not in docs/compatibility.md"])

    def test_a_route_that_an_interface_lacks_is_flagged(self):
        table = "net/protocol/src/api/route_table.cpp"
        proto = "net/protocol/proto/dtmgimp.proto"
        openapi = "net/protocol/openapi/openapi.json"
        self.assertEqual(self.changed(table, '"Submit"', '"Sumbit"'), [
            f"{proto}:2: coverage: gRPC method 'Submit' is not in {table}",
            f"{table}:2: coverage: {proto} has no method 'Sumbit'"])
        self.assertEqual(self.changed(table, '"POST"', '"GET POST"'),
                         [f"{table}:2: coverage: {openapi} has no 'GET /api/submit'"])
        self.assertEqual(self.changed(table, "/api/ping", "/api/pong"),
                         [f"{table}:4: coverage: {openapi} has no 'any /api/pong'"])

    def test_what_has_gone_is_flagged(self):
        for path, old, what in (
                ("net/protocol/openapi/openapi.json", '"x-any-method": true, ',
                 "endpoint 'any /api/ping'"),
                ("net/protocol/proto/dtmgimp.proto", "rpc Submit", "gRPC method 'Submit'"),
                ("net/protocol/src/api/route_table.cpp", '"submit"', "JSON-RPC method 'submit'"),
                ("tools/concertod/config_keys.cpp", '"HttpPort"', "key 'HttpPort'")):
            found = self.changed(path, old, '""' if old == '"submit"' else "")
            self.assertIn(f"{path} has no {what}", "\n".join(found))

    def test_a_page_that_is_not_there_is_flagged(self):
        files = {path: text for path, text in FILES.items() if path != coverage_rules.PAGE}
        self.assertEqual(len(findings(files)), 6)

    def test_every_row_of_this_page_is_needed(self):
        """Without any of its rows about interfaces the rules would complain."""
        tree = Tree(ROOT)
        page = next(source for source in tree.sources if source.path == coverage_rules.PAGE)
        lines = page.text.split("\n")
        rows = [row for row in coverage_rules.table_rows(page.text)
                if row.kind in coverage_rules.INTERFACES]
        self.assertGreater(len(rows), 50)
        for row in rows:
            page.text = "\n".join(lines[:row.line - 1] + lines[row.line:])
            found = [f.message for f in coverage_rules.every_interface_has_a_row(tree)]
            missing = set(re.findall(r"'([^']+)' is not in", "\n".join(found)))
            self.assertEqual(missing, set(row.items), lines[row.line - 1])


if __name__ == "__main__":
    unittest.main()
