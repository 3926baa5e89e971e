#!/usr/bin/env python3
"""The same requests to concertod and to the reference: answers and branch calls are the same.

Without options it plays every sequence against concertod and compares with transcript.json, which
was recorded from the reference. --record PROGRAM records it anew; --live PROGRAM plays both now.
--store chooses where concertod stores transactions: it starts that store's server.
"""

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import Concertod, Reference  # noqa: E402  (the path has to be set first)
from differences import difference, normal  # noqa: E402
from player import Branches, Player  # noqa: E402
from sequences import all_sequences  # noqa: E402
from shared_stores import add_store_argument, store_server  # noqa: E402

TRANSCRIPT = os.path.join(HERE, "transcript.json")


def record(program, sequences, branches, directory):
    with Reference(program, directory) as reference:
        player = Player(f"http://127.0.0.1:{reference.http_port}", branches)
        transcript = {sequence.name: player.play(sequence) for sequence in sequences}
    for step in (step for steps in transcript.values() for step in steps):
        step["answer"] = normal(step["answer"])
    return transcript


def compare(coordinator, sequences, branches, transcript):
    """Prints the differences, and returns how many sequences differ."""
    different = 0
    player = Player(f"http://127.0.0.1:{coordinator.http_port}", branches)
    for sequence in sequences:
        recorded = transcript.get(sequence.name)
        if recorded is None or len(recorded) != len(sequence.requests):
            print(f"{sequence.name}: not in the transcript; record it anew")
            different += 1
            continue
        played = player.play(sequence, recorded)
        found = [f"{request.method} {request.path}: {text}"
                 for request, ours, theirs in zip(sequence.requests, played, recorded)
                 if (text := difference(request, ours, theirs))]
        if found:
            different += 1
            print(sequence.name, *found, sep="\n  ")
    return different


@contextlib.contextmanager
def running(program, store, directory):
    """A coordinator with an empty store."""
    with store_server(store, directory) as server:
        place = server.place("conformance")
        coordinator = Concertod(program, directory, place.settings)
        try:
            coordinator.start(*place.options_of_first_start)
            yield coordinator
        finally:
            coordinator.kill()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--concertod", help="the coordinator's program", type=os.path.abspath)
    parser.add_argument("--record", metavar="PROGRAM", help="the reference, to record from")
    parser.add_argument("--live", metavar="PROGRAM", help="the reference, to compare with now")
    add_store_argument(parser)
    parser.add_argument("-k", dest="pattern", default="", help="only names that contain this")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    sequences = [one for one in all_sequences() if arguments.pattern in one.name]
    if arguments.record and arguments.pattern:
        sys.exit("--record takes all sequences; -k does not go with it")
    if not sequences:
        sys.exit(f"FAILED: no sequence's name contains {arguments.pattern!r}")
    branches = Branches()
    directory = tempfile.mkdtemp(prefix="concerto-conformance-")
    program = arguments.record or arguments.live
    if program:
        transcript = record(os.path.abspath(program), sequences, branches, directory)
    else:
        with open(TRANSCRIPT, encoding="utf-8") as file:
            transcript = json.load(file)
    if arguments.record:
        with open(TRANSCRIPT, "w", encoding="utf-8") as file:
            json.dump(transcript, file, indent=0, sort_keys=True)
            file.write("\n")
    if arguments.concertod:
        with running(arguments.concertod, arguments.store, directory) as coordinator:
            different = compare(coordinator, sequences, branches, transcript)
        print(f"{len(sequences)} sequences, {different} differ")
        if different:
            sys.exit(f"FAILED; logs and data are in {directory}")
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
