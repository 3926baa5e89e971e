"""Does what the Dockerfile says in new Debians, and runs the image as a container engine would
(tests/packaging/container). Needs root and the network; `tools/prove containers` runs it.

Usage: image_test.py <a new Debian 12> <work directory>
"""

import os
import shlex
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.realpath(os.path.join(HERE, "..", ".."))
sys.dont_write_bytecode = True

import dockerfile  # noqa: E402

# $1: the root of a stage, $2: a command.
INSIDE = f"""
source {ROOT}/tools/lib.sh
source {ROOT}/tools/fresh.sh
mount_inside "$1"
run_inside "$1" "$2"
"""


def run(*command):
    subprocess.run(command, check=True)


def ignored_names():
    path = os.path.join(ROOT, "tools/packaging/docker/Dockerfile.dockerignore")
    with open(path, encoding="utf-8") as file:
        return [line.strip().removeprefix("**/") for line in file if not line.startswith("#")]


class Builder:
    """Carries out the steps of stages, each in its own copy of a new Debian."""

    def __init__(self, base, work):
        self._base, self._work = base, work
        self._roots = {}

    def build(self, stage):
        root = os.path.join(self._work, stage.name or "image")
        run("cp", "-a", self._base, root)
        self._roots[stage.name] = root
        directory, settings = "/", {}
        for instruction, text in stage.steps:
            print(f"-- {instruction} {text[:100]}", flush=True)
            if instruction == "WORKDIR":
                directory = text
                os.makedirs(root + text, exist_ok=True)
            elif instruction == "ARG":
                settings.update([text.split("=", 1)])
            elif instruction == "COPY":
                self._copy(root, directory, text.split())
            elif instruction == "RUN":
                exports = "".join(f"export {name}={shlex.quote(value)}; "
                                  for name, value in settings.items())
                self._run(root, f"cd {directory}; {exports}sh -c {shlex.quote(text)}")
        return root

    @staticmethod
    def _run(root, command):
        run("unshare", "--mount", "--pid", "--fork", "--kill-child",
            "bash", "-euo", "pipefail", "-c", INSIDE, "inside", root, command)

    def _copy(self, root, directory, words):
        source_root = ROOT
        if words[0].startswith("--from="):
            source_root = self._roots[words.pop(0).removeprefix("--from=")]
        *sources, target = words
        there = os.path.join(root, os.path.join(directory, target).strip("/"))
        for source in sources:
            here = os.path.join(source_root, source.strip("/"))
            if os.path.isdir(here):
                shutil.copytree(here, there, symlinks=True, dirs_exist_ok=True,
                                ignore=shutil.ignore_patterns(*ignored_names()))
            else:
                os.makedirs(there if target.endswith("/") else os.path.dirname(there),
                            exist_ok=True)
                shutil.copy(here, there)


def main():
    base, work = sys.argv[1:]
    stages = dockerfile.read(os.path.join(ROOT, "tools/packaging/docker/Dockerfile"))
    builder = Builder(base, work)
    for stage in stages:
        root = builder.build(stage)
    image = stages[-1]
    volume = os.path.join(work, "volume")  # a new one has what the image has there
    run("cp", "-a", root + image.last("VOLUME"), volume)
    run("unshare", "--mount", "--pid", "--net", "--fork", "--kill-child",
        os.path.join(HERE, "container"), root, volume, image.last("VOLUME"), image.last("USER"),
        image.command("HEALTHCHECK")[0], *image.command("ENTRYPOINT"), "--",
        *(f"{name}={value}" for name, value in image.environment().items()))


if __name__ == "__main__":
    main()
