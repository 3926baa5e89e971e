#!/usr/bin/env python3
"""Looks at the shared libraries of an installed package.

usage: shared_libraries.py <prefix> [<clang++>]

Each library has a SONAME, finds the others beside it wherever the prefix lies, and shows no name
outside of the namespace concerto. What the installed headers declare and do not define is shown: a
program that calls it links. Clang lists the declarations.
"""

import json
import pathlib
import re
import subprocess
import sys

# With a body elsewhere than in the header. Templates are instantiated by who uses them.
FUNCTIONS = ("FunctionDecl", "CXXMethodDecl", "CXXConstructorDecl", "CXXDestructorDecl",
             "CXXConversionDecl")
BODIES = ("CompoundStmt", "CoroutineBodyStmt", "CXXTryStmt")
# What a mangled name begins with if its outermost name is Concerto's, or that of another library.
PREFIX = r"_Z(T[ISVTHW]|GV|T[hv][0-9n_]+)?Z*(N[VKRO]*)?"
OWN = re.compile(PREFIX + "8concerto")
OTHERS = re.compile(PREFIX + r"(5boost|[0-9]+boost_|9__gnu_cxx|St|S[absiod])|boost_asio_"
                    "|_ZnwmPv|_ZdlPvS_")  # placement new and delete


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def find_libraries(prefix):
    """The files themselves, without the symbolic links that lead to them."""
    found = [path for path in prefix.glob("**/libconcerto_*.so*") if not path.is_symlink()]
    if not found:
        sys.exit(f"{prefix} has no shared library")
    return sorted(found)


def layout_faults(prefix, libraries):
    names = set()
    for library in libraries:
        entries = output("readelf", "--dynamic", "--wide", library)
        soname = re.search(r"\(SONAME\).*\[(.*)\]", entries)
        stem = library.name.split(".so")[0]
        if not soname or not re.fullmatch(re.escape(stem) + r"\.so\.\d+\.\d+", soname[1]):
            yield f"{library.name} has the SONAME {soname and soname[1]}"
            continue
        names.add(soname[1])
        for link in (soname[1], stem + ".so"):
            if (library.parent / link).resolve() != library.resolve():
                yield f"{link} does not lead to {library.name}"
    programs = [path for path in (prefix / "bin").glob("*") if path.is_file()]
    for file in [*libraries, *programs]:
        entries = output("readelf", "--dynamic", "--wide", file)
        runpath = re.search(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", entries)
        needed = set(re.findall(r"\(NEEDED\).*\[(libconcerto_.*)\]", entries))
        if not needed <= names:
            yield f"{file.name} needs {', '.join(sorted(needed - names))}"
        if needed and not runpath:
            yield f"{file.name} has no RUNPATH and does not find {', '.join(sorted(needed))}"
        for entry in runpath[1].split(":") if runpath else []:
            if not entry.startswith("$ORIGIN"):
                yield f"{file.name} looks for libraries in {entry}"


def shown_symbols(library):
    """The letter that `nm` gives each exported symbol, by its mangled name."""
    lines = output("nm", "--dynamic", "--defined-only", library).splitlines()
    return {line.split()[-1]: line.split()[-2] for line in lines}


def hiding_faults(library, symbols, declarations):
    """Weak symbols are templates and inline functions. Those of the standard library and of Boost
    are shown because their types are."""
    for name, letter in symbols.items():
        if not OWN.match(name) and not (letter in "VWu" and OTHERS.match(name)):
            yield f"{library.name} shows {name}"
        elif letter in "TDBR" and not declarations.know(name):
            yield f"{library.name} shows {name}, which no installed header declares"


class Declarations:
    """What headers declare: functions and variables by mangled name, classes by the mangled part of
    it, and classes with virtual functions by the name of their type information."""

    def __init__(self):
        self.declared = {}
        self.defined = set()
        self.classes = set()
        self.abstract = set()
        self.polymorphic = {}

    def know(self, name):
        """Whether headers declare the symbol, or the class that has it in a class of its own: the
        two have the same visibility."""
        if re.match("_ZT[IVS]", name) or name in self.declared:
            return True
        constructor = re.sub(r"([CD])[0-2]E", r"\g<1>1E", name)  # Clang lists one of several
        if name in self.defined or constructor in self.declared or constructor in self.defined:
            return True
        inside = re.sub(r"^_Z(T[hv][0-9n_]+)?N[VKRO]*", "", name)
        return any(inside.startswith(part) and inside[len(part)].isdigit() for part in self.classes)

    def read(self, node, scope, is_private=False):
        kind = node.get("kind")
        inner = node.get("inner", [])
        if kind == "NamespaceDecl":
            for child in inner:
                self.read(child, (*scope, node.get("name", "")))
        elif kind == "CXXRecordDecl" and node.get("completeDefinition"):
            self.read_class(node, (*scope, node.get("name", "")), is_private)
        elif kind in ("FriendDecl", "LinkageSpecDecl"):
            for child in inner:
                self.read(child, scope[:1] if kind == "FriendDecl" else scope)
        elif kind in FUNCTIONS:
            self.read_function(node, scope)
        elif kind == "VarDecl" and node.get("storageClass") in ("extern", "static"):
            if not node.get("inline") and not node.get("constexpr"):
                self.declared.setdefault(node["mangledName"], "::".join((*scope, node["name"])))

    def read_class(self, node, scope, is_private):
        mangled = "".join(f"{len(part)}{part}" for part in scope)
        self.classes.add(mangled)
        if node.get("definitionData", {}).get("isAbstract"):
            self.abstract.add(scope)
        access = "private" if node["tagUsed"] == "class" else "public"
        for child in node.get("inner", []):
            access = child["access"] if child.get("kind") == "AccessSpecDecl" else access
            self.read(child, scope, is_private or access == "private")
        if node.get("definitionData", {}).get("isPolymorphic") and not is_private:
            self.polymorphic[f"_ZTIN{mangled}E"] = "::".join(scope)

    def read_function(self, node, scope):
        mangled = node.get("mangledName")
        if not mangled or any(node.get(key) for key in ("pure", "explicitlyDeleted", "isImplicit")):
            return
        if node["kind"] == "CXXConstructorDecl" and scope in self.abstract:
            mangled = mangled.replace("C1E", "C2E", 1)  # Only the base of an object is made.
        has_body = any(child.get("kind") in BODIES for child in node.get("inner", []))
        if has_body or any(node.get(key) for key in ("inline", "constexpr", "explicitlyDefaulted")):
            self.defined.add(mangled)
        else:
            self.declared.setdefault(mangled, "::".join((*scope, node["name"])))


def read_headers(prefix, compiler):
    """Reads the declarations of all headers but <concerto/testing/..>, which has no library."""
    include = prefix / "include"
    headers = sorted(path.relative_to(include) for path in include.glob("concerto/*/*.hpp"))
    source = "".join(f"#include <{header}>\n" for header in headers
                     if header.parts[1] != "testing")
    text = subprocess.run([compiler, "-x", "c++", "-std=c++20", "-fsyntax-only", "-I", include,
                           "-DCONCERTO_SHARED", "-Xclang", "-ast-dump=json",
                           "-Xclang", "-ast-dump-filter=concerto", "-"],
                          input=source, check=True, stdout=subprocess.PIPE, text=True).stdout
    declarations = Declarations()
    decoder = json.JSONDecoder()
    position = 0
    while position < len(text):
        document, position = decoder.raw_decode(text, position)
        declarations.read(document, ())
        while position < len(text) and text[position].isspace():
            position += 1
    return declarations


def missing(declarations, shown):
    for mangled, name in declarations.declared.items():
        if mangled not in shown and mangled not in declarations.defined:
            yield f"{name} is declared in a header and in no library ({mangled})"
    for mangled, name in declarations.polymorphic.items():
        if mangled not in shown:
            yield f"{name} has virtual functions, and no library shows its type ({mangled})"


def main():
    prefix = pathlib.Path(sys.argv[1]).resolve()
    compiler = sys.argv[2] if len(sys.argv) > 2 else "clang++-16"
    libraries = find_libraries(prefix)
    declarations = read_headers(prefix, compiler)
    if len(declarations.declared) < 100:
        sys.exit(f"the headers declare {len(declarations.declared)} functions only")
    faults = list(layout_faults(prefix, libraries))
    shown = set()
    for library in libraries:
        symbols = shown_symbols(library)
        shown.update(symbols)
        faults.extend(hiding_faults(library, symbols, declarations))
    faults.extend(missing(declarations, shown))
    for fault in faults:
        print(fault)
    print(f"{len(libraries)} shared libraries, {len(declarations.declared)} functions and "
          f"{len(declarations.polymorphic)} classes: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
