"""Rules for a single C++ file."""

import re

from checks.rooms import out_of_bounds, room_of

FUNCTION_LINES_MAX = 60

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')

# Its objects find their members in a hash table, in which a sender can choose names that collide.
JSON_PARSERS = (r"boost/json(\.hpp$|/(parse|parser|stream_parser)\.hpp)",
                "JSON from outside is read by JsonTree, in linear time")

# What the directories of rooms may not include besides the headers of other rooms, and why.
FORBIDDEN_INCLUDES = {
    "core": (
        (r"boost/asio/(ip|ssl|local|serial_port)|boost/asio/.*(socket|acceptor|resolver)|"
         r"boost/beast|nghttp2/|openssl/|sys/socket\.h|netinet/|arpa/|netdb\.h",
         "core opens no socket"),
        (r"leveldb/|fstream|filesystem|fcntl\.h|sys/stat\.h", "core touches no disk"),
        (r"google/protobuf|\.pb\.h$|grpcpp/|yaml-cpp/|spdlog/", "core knows no wire format"),
        JSON_PARSERS,
    ),
    "net": ((r"leveldb/", "net knows no store"), JSON_PARSERS),
    "persist": (
        JSON_PARSERS,
        (r"boost/beast|nghttp2/|boost/asio/(ip|ssl)", "persist knows no transport"),
    ),
}

WALL_CLOCK = re.compile(r"\bsystem_clock\s*::\s*now\b|\bgettimeofday\b|\bstd::time\s*\(")

SYSTEM_CLOCK = "core/base/src/system.cpp"


def forbidden_includes(source):
    yield from FORBIDDEN_INCLUDES.get(source.layer, ())
    room = room_of(source.path)
    for other in out_of_bounds(room) if room else ():
        yield rf"concerto/{other.headers}/", f"{room.path} must not know {other.path}"


def layers_point_down(source):
    if not source.is_cpp:
        return
    forbidden = list(forbidden_includes(source))
    for number, line in enumerate(source.lines, 1):
        found = INCLUDE.match(line)
        for pattern, why in forbidden:
            if found and re.search(pattern, found.group(1)):
                yield source.finding(number, "layer", f"#include of {found.group(1)}: {why}")


def core_asks_its_clock(source):
    if not source.is_cpp or source.layer != "core" or source.path == SYSTEM_CLOCK:
        return
    for found in WALL_CLOCK.finditer(source.code):
        yield source.finding(source.line_of(found.start()), "layer",
                             "core reads no wall clock; ask the Clock")
    for found in re.finditer(r"\basio::(ip|ssl|local)::", source.code):
        yield source.finding(source.line_of(found.start()), "layer", "core opens no socket")


def headers_have_pragma_once(source):
    if not source.path.endswith(".hpp"):
        return
    first = next((line for line in source.lines if line and not line.startswith("//")), "")
    if first != "#pragma once":
        yield source.finding(1, "pragma-once", "a header begins with #pragma once")


def detached_only_in_task_group(source):
    allowed = source.layer in ("tests", "docs") or source.path == "core/base/src/task_group.cpp"
    if not source.is_cpp or allowed:
        return
    for number, line in enumerate(source.code.split("\n"), 1):
        if re.search(r"\basio::detached\b|asio/detached\.hpp", line):
            yield source.finding(number, "detached", "a coroutine without an owner: use TaskGroup")


NOT_A_FUNCTION = re.compile(
    r"^\s*(?:\[\[.*?\]\]\s*)?(?:if|else|for|while|switch|do|try|catch|namespace|class|struct|enum|"
    r"union|extern|case|default|return|co_return|template\s*<[^{}]*>\s*(?:class|struct))\b")


def is_function(head):
    """Whether the text between the last statement and a brace opens a function's body."""
    head = re.sub(r"^\s*#[^\n]*", "", head)
    return "(" in head and head.count("(") == head.count(")") and not NOT_A_FUNCTION.match(head)


def functions_fit_a_screen(source):
    if not source.is_cpp:
        return
    code = source.code
    head_begin, open_braces = 0, []
    for found in re.finditer(r"[;{}]", code):
        offset, char = found.start(), found.group(0)
        if char == "{":
            # After a member's initialiser in braces the rest of a constructor's head is gone.
            head = code[head_begin:offset]
            after_brace = head_begin > 0 and code[head_begin - 1] == "}" and not head.strip()
            open_braces.append(offset if is_function(head) or after_brace else None)
        elif char == "}" and open_braces:
            begin = open_braces.pop()
            count = code.count("\n", begin, offset) if begin is not None else 0
            if count > FUNCTION_LINES_MAX:
                yield source.finding(source.line_of(begin), "function-length",
                                     f"{count} lines, the limit is {FUNCTION_LINES_MAX}")
        head_begin = offset + 1


RULES = [layers_point_down, core_asks_its_clock, headers_have_pragma_once,
         detached_only_in_task_group, functions_fit_a_screen]
