#!/usr/bin/env python3
"""Checks how built programs are linked: the libraries that they name and where these are found,
and what makes attacks on memory harder.

Usage: check_programs.py [--hardened] <program>...

An unexpected library, a search path inside of the program, a library outside of the system's
directories, or a missing protection of the linker is an error. Protections of the compiler (stack
protector, FORTIFY) are listed; with --hardened (a build with CONCERTO_HARDEN) they are required.
"""

import argparse
import os
import re
import subprocess
import sys

EXPECTED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libraries.txt")
SYSTEM = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/")


def output_of(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT).stdout


def expected_libraries():
    with open(EXPECTED, encoding="utf-8") as file:
        return {line.strip() for line in file if line.strip() and not line.startswith("#")}


def plain_name(library):
    """`libboost_json` of `libboost_json.so.1.81.0`."""
    return library.partition(".so")[0]


def faults_of_libraries(dynamic, linked, expected):
    """What is wrong with `readelf -d` and `ldd` of a program."""
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)
    for library in needed:
        if plain_name(library) not in expected:
            yield f"names the library {library}, which {os.path.basename(EXPECTED)} does not have"
    for path in re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", dynamic):
        yield f"looks for libraries in {path}"
    for line in linked.splitlines():
        library, _, place = line.strip().partition(" => ")
        path = place.split(" ")[0]
        if path == "not":
            yield f"does not find {library}"
        elif path and not os.path.realpath(path).startswith(SYSTEM):
            yield f"loads {library} from {path}"


def faults_of_linking(header, segments, dynamic):
    """What is missing of the protections that the linker gives."""
    if not re.search(r"Type:\s+DYN", header):
        yield "is not position-independent (PIE)"
    stack = re.search(r"GNU_STACK(?:\s+0x\w+){5}\s+([RWE ]+)", segments)
    if stack is None or "E" in stack[1]:
        yield "has an executable stack"
    if re.search(r"LOAD\s.*\bRWE\b", segments):
        yield "has a segment that is writable and executable"
    if "GNU_RELRO" not in segments:
        yield "has no RELRO"
    if not re.search(r"BIND_NOW|Flags:.*\bNOW\b", dynamic):
        yield "binds late (no BIND_NOW), so that its RELRO is partial"


def missing_of_compiler(symbols):
    if "__stack_chk_fail" not in symbols:
        yield "stack protector"
    if not re.search(r"__\w+_chk\b", symbols.replace("__stack_chk_fail", "")):
        yield "FORTIFY"


def check(program, hardened):
    dynamic = output_of("readelf", "-dW", program)
    faults = [*faults_of_libraries(dynamic, output_of("ldd", program), expected_libraries()),
              *faults_of_linking(output_of("readelf", "-hW", program),
                                 output_of("readelf", "-lW", program), dynamic)]
    missing = [*missing_of_compiler(output_of("readelf", "-W", "--dyn-syms", program))]
    if missing and hardened:
        faults.append("is compiled without " + ", ".join(missing))
    elif missing:
        print(f"{program}: compiled without {', '.join(missing)}")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hardened", action="store_true")
    parser.add_argument("programs", nargs="+")
    args = parser.parse_args()
    count = 0
    for program in args.programs:
        for fault in check(program, args.hardened):
            print(f"{program} {fault}", file=sys.stderr)
            count += 1
    if count:
        return 1
    print(f"{len(args.programs)} programs name only expected libraries and are linked as expected")
    return 0


if __name__ == "__main__":
    sys.exit(main())
