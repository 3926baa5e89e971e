"""Rules for the shape of the tree and the direction of links."""

import re
from pathlib import PurePosixPath

from checks.rooms import out_of_bounds, room_of
from checks.tree import Finding

TOP_LEVEL = {
    "CMakeLists.txt", "CMakePresets.json", "core", "net", "persist", "bench", "tests", "conan",
    "tools", "docs", "README.md", "CHANGELOG.md", "LICENSE", ".clang-format", ".clang-tidy", ".ci",
    ".gitignore", ".editorconfig", ".github",
}

# The README above speaks for these: installed headers, protobuf packages, the parts of one kind of
# tests or benchmarks, of the packaging or of the console, dot directories.
COVERED_FROM_ABOVE = re.compile(
    r"(^|/)(include|proto)(/|$)|(^|/)\.\w|"
    r"^(tests/\w+|bench/\w+|tools/packaging/\w+|tools/console|conan)/")

# What the directories of rooms may not link besides the targets of other rooms.
FORBIDDEN_LINKS = {
    "core": r"concerto(::|_)config\b|OpenSSL|[Pp]rotobuf|leveldb|NGHTTP2|spdlog|yaml-cpp|ZLIB",
    "net": r"concerto(::|_)config\b|leveldb",
    # OpenSSL is allowed: the client library of a database server may leave TLS to the store.
    "persist": r"concerto(::|_)config\b|[Pp]rotobuf|NGHTTP2",
}


def forbidden_links(source):
    patterns = [FORBIDDEN_LINKS[source.layer]] if source.layer in FORBIDDEN_LINKS else []
    room = room_of(source.path)
    for other in out_of_bounds(room) if room else ():
        patterns.append(rf"concerto(::|_){other.target}\b")
    return re.compile("|".join(patterns)) if patterns else None


def top_level_is_known(tree):
    for entry in sorted({path.split("/")[0] for path in tree.paths}):
        if entry not in TOP_LEVEL:
            yield Finding(entry, 1, "top-level", "not one of the repository's top-level entries")


def directories_have_a_readme(tree):
    paths = set(tree.paths)
    for directory in sorted({str(PurePosixPath(path).parent) for path in tree.paths}):
        if COVERED_FROM_ABOVE.search(directory):
            continue
        readme = "README.md" if directory == "." else f"{directory}/README.md"
        if readme not in paths:
            yield Finding(readme, 1, "readme", "a directory says what lives in it")


def links_point_down(tree):
    for source in tree.sources:
        forbidden = forbidden_links(source)
        if not forbidden or not source.path.endswith(("CMakeLists.txt", ".cmake")):
            continue
        for number, line in enumerate(source.lines, 1):
            found = forbidden.search(line.split("#")[0])
            if found:
                yield source.finding(number, "layer",
                                     f"{source.layer} must not link {found.group(0)}")


def decisions_say_when_to_think_again(tree):
    for source in tree.sources:
        is_page = re.fullmatch(r"docs/decisions/\d+-[\w-]+\.md", source.path)
        if is_page and "\nThink again when " not in source.text:
            yield source.finding(len(source.lines) - 1, "decision",
                                 "a decision says when to think again: `Think again when ..`")


def scripts_can_be_run(tree):
    for source in tree.sources:
        runs = (tree.root / source.path).stat().st_mode & 0o100
        if source.text.startswith("#!") and not runs:
            yield source.finding(1, "executable", "begins with #!, and may not be run: chmod +x")


RULES = [top_level_is_known, directories_have_a_readme, links_point_down,
         decisions_say_when_to_think_again, scripts_can_be_run]
