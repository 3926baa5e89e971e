"""docs/compatibility.md names every interface, and for each interface tests that exist.

The rules read its tables whose last column is `covered by`: the first column names what is covered,
the last one names the tests, each between backticks. The tests that docs/guarantees.md names exist
too.
"""

import fnmatch
import itertools
import json
import re
from dataclasses import dataclass

from checks import route_rows
from checks.tree import Finding

PAGE = "docs/compatibility.md"
PROMISES = "docs/guarantees.md"
COLUMN = "covered by"
TESTS_BUILD = "tests/CMakeLists.txt"  # Its lists are known in all directories below.

GTEST = re.compile(r"^(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)
# A test as pages name it: `Suite.Name`, `Suite.*`, `integration.name`.
TEST_NAME = re.compile(r"`((?:[A-Z]\w+|demo|integration|interop|kill)\.[\w.*]+)`")
CMAKE_CALL = re.compile(r"\b(set|foreach|endforeach|concerto_script_test)\s*\(([^)]*)\)")


@dataclass(frozen=True)
class Row:
    line: int
    kind: str    # the header of the first column
    items: list  # what is between backticks in the first cell
    tests: list  # what is between backticks in the last cell


def table_rows(text):
    """The rows of the tables that say what is covered by which tests."""
    header = None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.startswith("|"):
            header = None
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if header is None:
            header = cells
        elif header[-1] == COLUMN and not re.fullmatch(r"[-: ]+", cells[0]):
            yield Row(number, header[0], re.findall(r"`([^`]+)`", cells[0]),
                      re.findall(r"`([^`]+)`", cells[-1]))


def script_tests(text, lists):
    """The names that a CMakeLists.txt gives to concerto_script_test, loops unrolled. `lists` has
    the lists that the file finds set, and gets those that it sets."""
    loops = []
    for call, words in CMAKE_CALL.findall(re.sub(r"#[^\n]*", "", text)):
        words = words.split()
        if call == "set":
            lists[words[0]] = words[1:]
        elif call == "foreach":
            items = words[1:]
            if items[:2] == ["IN", "LISTS"]:
                items = [item for name in items[2:] for item in lists.get(name, [])]
            loops.append((words[0], items))
        elif call == "endforeach":
            loops.pop()
        else:
            for values in itertools.product(*(items for _, items in loops)):
                name = words[0]
                for (variable, _), value in zip(loops, values):
                    name = name.replace(f"${{{variable}}}", value)
                yield name


def known_tests(tree):
    """Names as ctest has them, without preset, instantiation and parameter."""
    names, lists_for_all = set(), {}
    for source in sorted(tree.sources, key=lambda source: source.path != TESTS_BUILD):
        if source.layer != "tests":
            continue
        if source.is_cpp:
            names |= {f"{suite}.{name}" for suite, name in GTEST.findall(source.text)}
        elif source.path == TESTS_BUILD:
            names |= set(script_tests(source.text, lists_for_all))
        elif source.path.endswith("CMakeLists.txt"):
            names |= set(script_tests(source.text, dict(lists_for_all)))
    return names


def openapi_operations(text):
    for path, item in json.loads(text)["paths"].items():
        if item.get("x-any-method"):
            yield f"any {path}"
        else:
            yield from (f"{method.upper()} {path}" for method in item
                        if method in ("get", "post", "put", "delete", "patch"))


def rpc_methods(text):
    return [row.rpc for row in route_rows.route_rows(text) if row.rpc]


def config_keys(text):
    return re.findall(r'^    \{(?:\.path = )?"([\w.]+)"', text, re.MULTILINE)


# Where the interfaces of each kind are declared: the first column's name for the kind, and the
# file.
INTERFACES = {
    "endpoint": ("net/protocol/openapi/openapi.json", openapi_operations),
    "gRPC method": ("net/protocol/proto/dtmgimp.proto",
                    re.compile(r"^\s*rpc (\w+)", re.MULTILINE).findall),
    "JSON-RPC method": (route_rows.PATH, rpc_methods),
    "key": ("tools/concertod/config_keys.cpp", config_keys),
}


def line_of(word, text):
    found = re.search(rf'["\s]{re.escape(word)}["(]', text)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def page_of(tree):
    return next((list(table_rows(s.text)) for s in tree.sources if s.path == PAGE), [])


def named_tests_exist(tree):
    rows = page_of(tree)
    tests = known_tests(tree) if rows else set()
    for row in rows:
        if not row.tests:
            yield Finding(PAGE, row.line, "coverage", "the row names no test")
        for name in row.tests:
            if name not in tests:
                yield Finding(PAGE, row.line, "coverage", f"there is no test '{name}'")


def tests_of_promises_exist(tree):
    """A name may stand for all tests that begin with it and a dot, as `integration.operations`."""
    page = next((source for source in tree.sources if source.path == PROMISES), None)
    if page is None:
        return
    tests = known_tests(tree)
    keys = {key for source in tree.sources if source.path == INTERFACES["key"][0]
            for key in config_keys(source.text)}
    for number, line in enumerate(page.lines, 1):
        for name in TEST_NAME.findall(line):
            matching = fnmatch.filter(tests, name) or fnmatch.filter(tests, name + ".*")
            if name not in keys and not matching:
                yield Finding(PROMISES, number, "coverage", f"there is no test '{name}'")


def every_interface_has_a_row(tree):
    rows = page_of(tree)
    texts = {source.path: source.text for source in tree.sources}
    for kind, (path, declared_in) in INTERFACES.items():
        text = texts.get(path)
        declared = list(declared_in(text)) if text is not None else []
        named = {item: row.line for row in rows if row.kind == kind for item in row.items}
        for item in declared:
            if item not in named:
                yield Finding(path, line_of(item.split()[-1], text), "coverage",
                              f"{kind} '{item}' is not in {PAGE}")
        for item, line in named.items():
            if item not in declared:
                yield Finding(PAGE, line, "coverage", f"{path} has no {kind} '{item}'")


def routes_are_those_of_the_interfaces(tree):
    """The table of routes has every gRPC method of the protocol's file, and each of its paths is in
    the description of the HTTP interface."""
    texts = {source.path: source.text for source in tree.sources}
    if route_rows.PATH not in texts:
        return
    text = texts[route_rows.PATH]
    rows = route_rows.route_rows(text)
    api, declared_in = INTERFACES["gRPC method"]
    methods = set(declared_in(texts.get(api, "")))
    for method in sorted(methods - {row.grpc for row in rows}):
        yield Finding(api, line_of(method, texts[api]), "coverage",
                      f"gRPC method '{method}' is not in {route_rows.PATH}")
    for row in rows:
        if row.grpc and row.grpc not in methods:
            yield Finding(route_rows.PATH, line_of(row.grpc, text), "coverage",
                          f"{api} has no method '{row.grpc}'")
    api, declared_in = INTERFACES["endpoint"]
    described = {re.sub(r"\{[^}]*\}", "*", item)
                 for item in declared_in(texts.get(api, '{"paths": {}}'))}
    for row in rows:
        for method in row.methods:
            item = f"{'any' if method == '*' else method} {row.path}"
            if item not in described:
                yield Finding(route_rows.PATH, line_of(row.path, text), "coverage",
                              f"{api} has no '{item}'")


RULES = [named_tests_exist, tests_of_promises_exist, every_interface_has_a_row,
         routes_are_those_of_the_interfaces]
