"""Reads what callgrind wrote: the instructions of each function and of each object file.

The format is that of valgrind's manual, "Callgrind Format Specification".
"""

import collections
import os
import re

# Names of one kind share their numbers: a name is written once with its number, later only the
# number.
SPACES = {"ob": "ob", "cob": "ob", "fn": "fn", "cfn": "fn"}


class Profile:
    """Counts of (object, function). `with_calls` includes the called functions, `own` does not.

    A function that others call again while it runs counts in `with_calls` each time.
    """

    def __init__(self, path=None):
        self.own = collections.Counter()
        self.with_calls = collections.Counter()
        if path:
            self._read(path)

    def total(self):
        return sum(self.own.values())

    def by_object(self):
        objects = collections.Counter()
        for (ob, _), count in self.own.items():
            objects[ob] += count
        return objects

    def per_unit(self, fewer, units):
        """Counts for each of the units by which this run did more than the other."""
        each = Profile()
        for name in ("own", "with_calls"):
            more, less = getattr(self, name), getattr(fewer, name)
            getattr(each, name).update({key: (more[key] - less[key]) / units for key in more})
        return each

    def _read(self, path):
        reader = _Reader(self)
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                reader.take(line.rstrip("\n"))


class _Reader:
    def __init__(self, profile):
        self._profile = profile
        self._names = {"ob": {}, "fn": {}}
        self._at = {"ob": "?", "fn": "?", "cob": None, "cfn": None}
        self._is_call = False

    def take(self, line):
        if line[:1].isdigit() or line[:1] in ("+", "-", "*"):
            self._count(line.split())
        elif line.startswith("calls="):
            self._is_call = True
        else:
            key, _, value = line.partition("=")
            if key in SPACES:
                self._at[key] = self._name(SPACES[key], value)

    def _name(self, space, text):
        number, name = re.fullmatch(r"\((\d+)\)(?: (.*))?", text).groups()
        if name is not None:
            # Deeper levels of a recursion have their number after the name.
            self._names[space][number] = (os.path.basename(name) if space == "ob"
                                          else re.sub(r"'\d+$", "", name))
        return self._names[space][number]

    def _count(self, columns):
        """A line of positions and one count. The count belongs to the function itself, or to the
        call in the line before."""
        count = int(columns[1]) if len(columns) > 1 else 0
        here = (self._at["ob"], self._at["fn"])
        if not self._is_call:
            self._profile.own[here] += count
            self._profile.with_calls[here] += count
            return
        called = (self._at["cob"] or self._at["ob"], self._at["cfn"])
        if called != here:
            self._profile.with_calls[here] += count
        self._is_call = False
        self._at["cob"] = None


ALLOCATOR = re.compile(r"(_int_)?(malloc|free|realloc|calloc|memalign)|malloc_consolidate|"
                       r"unlink_chunk.*|sysmalloc.*|systrim.*|tcache.*|operator (new|delete).*|"
                       r"(grow|shrink)_heap.*|arena_get.*|alloc_perturb.*")
AREAS = ("concerto::net::", "concerto::persist::", "concerto::tools::", "concerto::",
         "boost::asio::", "boost::beast::", "boost::", "std::")


def area(ob, function):
    """The part of an object to which a function with this short name belongs."""
    if ALLOCATOR.fullmatch(function):
        return "allocator"
    return next((f"{ob}: {name.rstrip(':')}" for name in AREAS if function.startswith(name)), ob)


def short_name(function):
    """The name without return type, without arguments of templates and functions, and without marks
    of the compiler."""
    name = re.sub(r" \[clone .*|\[abi:\w+\]", "", function)
    name = name.replace("(anonymous namespace)", "{}").replace("operator()", "operator{}")
    name = re.sub(r"operator (?=new|delete)", "operator~", name)
    for brackets in (r"<[^<>]*>", r"\([^()]*\)"):
        previous = None
        while previous != name:
            previous, name = name, re.sub(brackets, "", name)
    name = re.sub(r"( const| volatile| &+)+$", "", name).split(" ")[-1]
    return name.replace("operator{}", "operator()").replace("operator~", "operator ") or function
