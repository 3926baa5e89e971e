"""Rules against overloads that throw if another overload returns the error.

Production code returns a Result that names what failed; an exception that nobody expects ends the
process. Tests and benchmarks may throw, because they end then.
"""

import re

from checks.coroutine_rules import closing

LAYERS = ("core", "net", "persist", "tools")

# Functions of std::filesystem that look at or change files. Their last argument must be an
# error_code.
FILE_FUNCTIONS = (
    "absolute|canonical|weakly_canonical|relative|proximate|copy|copy_file|copy_symlink|"
    "create_directory|create_directories|create_directory_symlink|create_hard_link|create_symlink|"
    "current_path|equivalent|exists|file_size|hard_link_count|is_block_file|is_character_file|"
    "is_directory|is_empty|is_fifo|is_other|is_regular_file|is_socket|is_symlink|last_write_time|"
    "permissions|read_symlink|remove|remove_all|rename|resize_file|space|status|symlink_status|"
    "temp_directory_path")
FILE_CALL = re.compile(rf"\b(?:fs|filesystem)::({FILE_FUNCTIONS})\s*\(")
# Questions to a directory_entry. `status()` is left out, because other types have it too.
ENTRY_CALL = re.compile(
    r"(?:\.|->)(is_(?:block_file|character_file|directory|fifo|other|regular_file|socket|symlink)|"
    r"file_size|hard_link_count|last_write_time|symlink_status)\s*\(\s*\)")
ITERATION = re.compile(r"\bfor\s*\([^;()]*:[^;]*\bdirectory_iterator\b|"
                       r"\bdirectory_iterator\s+\w+\s*[({]\s*(?:\"[^\"]*\"|[\w.>-]+)\s*[)}]")
ERROR_CODE = re.compile(r"\berror_code&?\s+(\w+(?:\s*,\s*\w+)*)")

# (what is called, what to use instead)
REFUSED = (
    (re.compile(r"\bstd::sto(?:i|l|ul|ll|ull|f|d|ld)\s*\("), "use std::from_chars"),
    (re.compile(r"\bstd::random_device\b"), "use getrandom, which says what failed"),
    (re.compile(r"\blexical_cast\s*<"), "use std::from_chars"),
    (re.compile(r"\bstd::(?:jthread\b|async\s*\(|thread\s*[({]|thread\s+\w+\s*[({])"),
     "use start_thread, whose Result says that there is no room for a thread"),
)
# Functions of one argument that throw, unless they get an error_code as another argument.
WITH_ERROR_CODE = re.compile(r"\b(make_address(?:_v[46])?|json::parse)\s*\(")


def last_argument(code, opening):
    """The text of the last argument in the brackets that open there."""
    end = closing(code, opening)
    depth, begin = 0, opening + 1
    for offset in range(opening + 1, end):
        depth += (code[offset] in "([{") - (code[offset] in ")]}")
        if code[offset] == "," and depth == 0:
            begin = offset + 1
    return code[begin:end].strip()


def checked(source):
    return source.is_cpp and source.layer in LAYERS


def no_throwing_file_functions(source):
    if not checked(source):
        return
    code = source.code
    names = {name.strip() for found in ERROR_CODE.findall(code) for name in found.split(",")}
    for found in FILE_CALL.finditer(code):
        if last_argument(code, found.end() - 1) not in names:
            yield source.finding(source.line_of(found.start()), "throwing",
                                 f"{found.group(1)} throws: give it a std::error_code")
    for found in ENTRY_CALL.finditer(code):
        yield source.finding(source.line_of(found.start()), "throwing",
                             f"{found.group(1)} throws: give it a std::error_code")
    for found in ITERATION.finditer(code):
        yield source.finding(source.line_of(found.start()), "throwing",
                             "the iterator throws: give it a std::error_code, and call increment")


def no_throwing_conversions(source):
    if not checked(source) or source.path == "core/base/src/start_thread.cpp":
        return
    code = source.code
    for pattern, instead in REFUSED:
        for found in pattern.finditer(code):
            yield source.finding(source.line_of(found.start()), "throwing",
                                 f"{found.group(0).strip()} throws: {instead}")
    for found in WITH_ERROR_CODE.finditer(code):
        opening = found.end() - 1
        arguments = code[opening + 1:closing(code, opening)].strip()
        if last_argument(code, opening) == arguments:
            yield source.finding(source.line_of(found.start()), "throwing",
                                 f"{found.group(1)} throws: give it an error_code")


RULES = [no_throwing_file_functions, no_throwing_conversions]
