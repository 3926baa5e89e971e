#!/usr/bin/env python3
"""Prints the bill of materials of a build as CycloneDX 1.5: the Debian packages whose files were
compiled into the targets (headers, sources), linked with them statically, or loaded with their
programs: by the programs themselves, or by the libraries that these load. The packages of npm that
are part of the web console are there, too.

Usage: sbom.py [--page] <build directory> [targets of ninja, by default the programs]

--page prints docs/dependencies.md instead, with a line for each source package.

The environment gives SOURCE_DATE_EPOCH (the time of the document) and COMMIT. One build gives one
text: nothing here is random, and all lists are sorted.
"""

import argparse
import json
import os
import re
import subprocess
import time
import uuid
from urllib.parse import quote

PROGRAMS = ("concerto", "concerto-load", "concertod")
COMPILED = "compiled in"
STATIC = "linked statically"
LOADED = "loaded at run time"
NEEDED = "loaded by a library"
WAYS = (COMPILED, STATIC, LOADED, NEEDED)

# Debian's names of licences that differ from SPDX's, without regard to case.
SPDX = {
    "apache-2.0": "Apache-2.0", "bsd-3-clause": "BSD-3-Clause",
    "bsd-3-clause~google": "BSD-3-Clause", "bsl-1.0": "BSL-1.0", "expat": "MIT",
    "gpl-2": "GPL-2.0-only", "gpl-2+": "GPL-2.0-or-later", "lgpl-2.1": "LGPL-2.1-only",
    "lgpl-2.1+": "LGPL-2.1-or-later", "mit": "MIT", "postgresql": "PostgreSQL", "zlib": "Zlib",
}

LGPL_3_OR_GPL_2 = "LGPL-3.0-or-later OR GPL-2.0-or-later"
# What the programs use of these source packages, where Debian's file speaks of the whole package,
# or is a text for people.
OF_SOURCE = {
    "cyrus-sasl2": "BSD-4-Clause",
    "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1", "glibc": "LGPL-2.1-or-later",
    "gmp": LGPL_3_OR_GPL_2, "gnutls28": "LGPL-2.1-or-later", "keyutils": "LGPL-2.0-or-later",
    "krb5": "MIT", "libidn2": LGPL_3_OR_GPL_2, "libtasn1-6": "LGPL-2.1-or-later",
    "libunistring": LGPL_3_OR_GPL_2,
    "linux": "GPL-2.0-only WITH Linux-syscall-note",
    "mariadb": "LGPL-2.1-or-later",  # the client library, Connector/C
    "nettle": LGPL_3_OR_GPL_2, "openldap": "OLDAP-2.8", "yaml-cpp": "MIT",
}


def output_of(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def ninja(build, tool, *arguments):
    return output_of("ninja", "-C", build, "--quiet", "-t", tool, *arguments).splitlines()


def built_from(build, targets):
    """The sources and headers outside of the build that went into the targets, and the static
    libraries."""
    inputs = {line.strip() for line in ninja(build, "inputs", *targets)}
    files, is_wanted = set(), False
    for line in ninja(build, "deps"):
        if not line.startswith(" "):
            is_wanted = line.partition(": #deps")[0] in inputs
        elif is_wanted:
            files.add(os.path.normpath(os.path.join(build, line.strip())))
    return files, {path for path in inputs if path.endswith(".a")}


def loaded_files(build):
    """The shared libraries that the programs name, and all others that these libraries need."""
    named, needed = set(), set()
    for program in (os.path.join(build, "bin", name) for name in PROGRAMS):
        if not os.path.exists(program):
            continue
        names = re.findall(r"NEEDED +(\S+)", output_of("objdump", "-p", program))
        for line in output_of("ldd", program).splitlines():
            # `name => path (address)`, and for the loader `path (address)`.
            library, _, path = line.strip().rpartition(" => ")
            path = path.split()[0]
            if not path.startswith("/"):
                continue  # the kernel's own
            is_named = library in names or os.path.basename(path) in names
            (named if is_named else needed).add(os.path.realpath(path))
    return named, needed - named


def owners(files):
    """The installed Debian packages that the files belong to."""
    paths = {path for path in files if path.startswith(("/usr/", "/lib"))}
    if not paths:
        return set()
    # Debian 12 has links such as /lib -> /usr/lib; dpkg may know a file by either path.
    paths |= {path.removeprefix("/usr") for path in paths if path.startswith("/usr/lib")}
    found = subprocess.run(["dpkg-query", "--search", *sorted(paths)], check=False, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    packages = set()
    for line in found.splitlines():
        names, _, path = line.rpartition(": ")
        if path in paths:
            packages.update(name.strip() for name in names.split(","))
    return packages


def licences(package, source):
    """What Debian's copyright file says of the files of a package, if OF_SOURCE does not."""
    if source in OF_SOURCE:
        return [{"expression": OF_SOURCE[source]}]
    path = f"/usr/share/doc/{package}/copyright"
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return [{"license": {"name": "not stated"}}]
    found = re.findall(r"^Files:\s*\*[^\n]*\n(?:(?!\n\n).)*?^License:[ \t]*([^\n]+)", text,
                       re.MULTILINE | re.DOTALL)
    if not found:
        return [{"license": {"name": f"see {path} of the package"}}]
    name = found[0].strip()
    spdx = SPDX.get(name.lower())
    return [{"license": {"id": spdx} if spdx else {"name": name}}]


def component(package, ways):
    form = "${Package}\t${Version}\t${Architecture}\t${source:Package}"
    name, version, architecture, source = output_of(
        "dpkg-query", "--show", f"--showformat={form}", package).split("\t")
    purl = (f"pkg:deb/debian/{quote(name, safe='')}@{quote(version, safe='')}"
            f"?arch={architecture}&distro=debian-12")
    return {
        "type": "library", "bom-ref": purl, "name": name, "version": version,
        "licenses": licences(name, source), "purl": purl,
        "properties": [{"name": "concerto:use", "value": way} for way in sorted(ways)] +
                      [{"name": "concerto:source", "value": source}],
    }


def console_components(build, targets):
    """The packages whose code is in the web console, if the targets have one."""
    work = os.path.join("tools", "console", "work")
    inputs = {line.strip() for line in ninja(build, "inputs", *targets)}
    if os.path.join(work, "dist", "page.js") not in inputs:
        return []
    with open(os.path.join(build, work, "package-lock.json"), encoding="utf-8") as file:
        packages = json.load(file)["packages"]
    found = []
    for path, package in sorted(packages.items()):
        if not path or package.get("dev"):
            continue
        name = path.removeprefix("node_modules/")
        purl = f"pkg:npm/{quote(name, safe='/')}@{package['version']}"
        found.append({
            "type": "library", "bom-ref": purl, "name": name, "version": package["version"],
            "licenses": [{"license": {"id": package["license"]}}], "purl": purl,
            "properties": [{"name": "concerto:use", "value": COMPILED},
                           {"name": "concerto:source", "value": f"{name} (npm)"}],
        })
    return found


def bill(build, targets, version):
    ways = {}
    for way, files in zip(WAYS, (*built_from(build, targets), *loaded_files(build))):
        for package in owners(files):
            if way != NEEDED or LOADED not in ways.get(package, ()):
                ways.setdefault(package, set()).add(way)
    components = [component(package, ways[package]) for package in sorted(ways)]
    components += console_components(build, targets)
    commit = os.environ.get("COMMIT", "")
    product = f"pkg:generic/concerto@{version}"
    names = "\n".join([product, commit, *(one["bom-ref"] for one in components)])
    when = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", "0")))
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, names)}",
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", when),
            "component": {
                "type": "application", "bom-ref": product, "name": "concerto", "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}], "purl": product,
                "properties": [{"name": "concerto:commit", "value": commit}],
            },
        },
        "components": components,
        "dependencies": [{"ref": product, "dependsOn": [one["bom-ref"] for one in components]}],
    }


PAGE_HEAD = """<!-- Made by `sbom.py --page build/release > docs/dependencies.md`. -->

# Dependencies

What is compiled into the programs of Concerto, linked with them statically, or loaded with them, on
Debian 12: one line for each source package of Debian, and for each package of npm whose code is in
the web console. The last column has what the loaded libraries
need themselves: the programs do not name it, but it runs in their processes. A release has the same
list of its own build, package by package, as CycloneDX (`concerto.cdx.json`). Tests, benchmarks and
the build need more (`tools/lib.sh`); that does not reach the programs.

| source package | version | licence | compiled in | linked statically | loaded | loaded by these |
| --- | --- | --- | --- | --- | --- | --- |
"""


def licence_of(part):
    licence = part["licenses"][0]
    return licence.get("expression") or licence["license"].get("id") or licence["license"]["name"]


def page(parts):
    sources = {}
    for part in parts:
        *ways, source = [one["value"] for one in part["properties"]]
        sources.setdefault(source, []).append((part, ways))
    lines = []
    for source, members in sorted(sources.items()):
        cells = [", ".join(sorted({licence_of(part) for part, _ in members}))]
        for way in WAYS:
            cells.append(", ".join(f"`{part['name']}`" for part, ways in members if way in ways))
        lines.append(f"| {source} | {members[0][0]['version']} | {' | '.join(cells)} |")
    return PAGE_HEAD + "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--page", action="store_true")
    parser.add_argument("build", type=os.path.abspath)
    parser.add_argument("targets", nargs="*")
    args = parser.parse_args()
    with open(os.path.join(args.build, "CMakeCache.txt"), encoding="utf-8") as file:
        version = re.search(r"^CMAKE_PROJECT_VERSION:\w+=(.*)$", file.read(), re.MULTILINE)[1]
    if args.page:
        print(page(bill(args.build, args.targets or PROGRAMS, version)["components"]))
        return
    print(json.dumps(bill(args.build, args.targets or PROGRAMS, version), indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
