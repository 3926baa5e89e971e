#!/usr/bin/env python3
"""Very many transactions: in flight, waiting, finished, and unfinished at the start.

Each row fills a store or a server to the size that its goal names, and compares it in the same run
with a store or server without these transactions. The server has one core, the load the other.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from subprocess import TimeoutExpired

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "support")]
sys.dont_write_bytecode = True

import scale_lab  # noqa: E402  (the path has to be set first)
import scale_rows  # noqa: E402


def run_row(name, arguments, sizes):
    """The result of a row, as --json shows it. A row that could not be measured says why."""
    directory = tempfile.mkdtemp(prefix=f"concerto-scale-{name}-", dir=arguments.directory)
    print(f"{name}:", file=sys.stderr, flush=True)
    begun = time.monotonic()
    found = {"lines": [], "raw": {}, "failed": None}
    try:
        lab = scale_lab.Lab(arguments.bin, directory, sizes)
        found["raw"], found["lines"] = scale_rows.ROWS[name](lab)
    except (scale_lab.RowFailed, AssertionError, OSError, SystemExit, TimeoutExpired) as error:
        found["failed"] = str(error)
        scale_lab.say(f"not measured: {error}")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    found["seconds"] = round(time.monotonic() - begun, 1)
    scale_lab.say(f"took {found['seconds']:g} s")
    return found


def print_table(rows):
    print("| what | goal | measured | beside it | ratio | |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, row in rows.items():
        if row["failed"]:
            print(f"| {name} | | not measured | | | |")
        for line in row["lines"]:
            ratio = "-" if line["ratio"] is None else f"{line['ratio']:.2f}"
            reached = "reached" if line["reached"] else "missed"
            print(f"| {line['what']} | {line['goal']} | {line['measured']} | {line['beside']} "
                  f"| {ratio} | {reached} |")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", required=True, help="directory of the built programs")
    parser.add_argument("--only", help=f"some of the rows: {','.join(scale_rows.ROWS)}")
    parser.add_argument("--directory", help="where stores go while a row runs: up to 10 GB")
    parser.add_argument("--json", help="file for the single results")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes")
    parser.add_argument("--tiny", action="store_true",
                        help="a few transactions: whether it works, not what it takes")
    arguments = parser.parse_args()
    arguments.bin = os.path.abspath(arguments.bin)
    arguments.only = arguments.only.split(",") if arguments.only else list(scale_rows.ROWS)
    unknown = [name for name in arguments.only if name not in scale_rows.ROWS]
    if unknown:
        parser.error(f"--only: no row '{unknown[0]}'")
    return arguments


def main():
    arguments = parse_arguments()
    sizes = scale_lab.Sizes()
    if arguments.quick:
        sizes = scale_lab.QUICK
    if arguments.tiny:
        sizes = scale_lab.TINY
    rows = {name: run_row(name, arguments, sizes) for name in arguments.only}
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"sizes": vars(sizes), "full_size": sizes == scale_lab.Sizes(), "rows": rows},
                      file, indent=1)
    print_table(rows)
    return 1 if any(row["failed"] for row in rows.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
