#!/usr/bin/env python3
"""Does what docs/start.md says, word for word, on ports of its own.

The fences of the page, in order:
  ```sh          is run; each line of it that begins with `#>` has to be in what it prints
  ```sh server   runs until the test ends
  ```python name and ```go name   are written to that file
"""

import os
import re
import shutil
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(HERE, "..", "support"))
os.environ["NO_PROXY"] = "*"  # so that curl and the clients use no proxy

from concerto_testing import (  # noqa: E402  (the path has to be set first)
    Concertod, Process, Timeout, free_ports, go_build, main, need_program, python_environment,
    wait_for_port, wait_until)

INTEROP = os.path.join(ROOT, "tests", "interop")
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BY_HAND, PROGRAMS = "## 1. ", "## 6. "  # the beginnings of these parts of the page
START = "tools/run\n"
ANSWER_TIMEOUT_S = 10.0


class StartPage(unittest.TestCase):
    def setUp(self):
        self.work = os.path.join(self.directory, self.id().split(".")[-1])
        os.mkdir(self.work)
        self.servers = 0
        self.coordinator = Concertod(self.args.concertod, self.work)
        self.addCleanup(self.coordinator.kill)
        shop, purse = free_ports(2)
        self.ports = {"36789": self.coordinator.http_port, "36790": self.coordinator.grpc_port,
                      "8081": shop, "8082": purse}
        with open(os.path.join(ROOT, "docs", "start.md"), encoding="utf-8") as page:
            self.page = page.read()

    def test_by_hand(self):
        need_program("curl", "curl")
        ran = self.follow(self.part(BY_HAND, PROGRAMS))
        self.assertGreater(ran, 6, "fragments were left out")
        self.assertEqual(self.coordinator.terminate(), 0)

    def test_python_client(self):
        self.start_servers()
        python = python_environment(os.path.join(INTEROP, "python", "requirements.txt"),
                                    os.path.join(self.args.build_directory, "python"))
        os.symlink(os.path.dirname(os.path.dirname(python)), os.path.join(self.work, "venv"))
        self.assertEqual(self.follow(self.part("**Python**", "**Go**")), 1)

    def test_go_client(self):
        self.start_servers()
        for name in ("go.mod", "go.sum"):
            shutil.copy(os.path.join(INTEROP, "gosdk", name), self.work)
        part = self.part("**Go**", "**Java**")
        self.write_files(part)
        # Built here, so that only this build prints lines; `go run` then has nothing left to build.
        go_build(self.work, os.path.join(self.args.build_directory, "go"), ".")
        self.assertEqual(self.follow(part), 1)

    def part(self, begin, end):
        return self.page[self.page.index(f"\n{begin}"):self.page.index(f"\n{end}")]

    def start_servers(self):
        """What the page has running when the next part begins."""
        part = self.part(BY_HAND, PROGRAMS)
        self.write_files(part)
        for language, word, text in FENCE.findall(part):
            if (language, word) == ("sh", "server"):
                self.start(text)

    def write_files(self, part):
        for language, name, text in FENCE.findall(part):
            if language != "sh":
                with open(os.path.join(self.work, name), "w", encoding="utf-8") as file:
                    file.write(self.with_ports(text))

    def follow(self, part):
        """Does everything in the order of the page. Returns how many fragments it ran."""
        self.write_files(part)
        ran = 0
        for language, word, text in FENCE.findall(part):
            if language != "sh":
                continue
            if word == "server":
                self.start(text)
            else:
                self.assertEqual(word, "", "a word that this test does not know")
                self.run_fragment(self.with_ports(text))
                ran += 1
        return ran

    def start(self, text):
        if text == START:
            self.coordinator.start()
            return
        self.servers += 1
        command = self.with_ports(text)
        server = Process(f"server-{self.servers}", ["bash", "-c", f"exec {command}"], self.work)
        self.addCleanup(server.kill)
        for port in re.findall(r"\b\d{4,5}\b", command):
            wait_for_port(int(port), server)

    def run_fragment(self, text):
        """A fragment that only asks is repeated until the answer is the page's."""
        expected = re.findall(r"^#> ?(.*)$", text, re.MULTILINE)
        asks_only = "curl" in text and " -d " not in text
        printed = [""]

        def answers():
            printed[0] = self.output_of(text)
            return follow_each_other(expected, printed[0]) or not asks_only

        try:
            wait_until(answers, "the page's answer", ANSWER_TIMEOUT_S)
        except Timeout:
            pass  # its output says more
        self.assertTrue(follow_each_other(expected, printed[0]),
                        f"{text}\nprinted\n{printed[0]}\n{self.coordinator.process.tail()}")

    def output_of(self, text):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=self.work, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              env={**os.environ, "GOTOOLCHAIN": "local"}, check=False)
        self.assertEqual(done.returncode, 0, f"{text}\nprinted\n{done.stdout}")
        return done.stdout

    def with_ports(self, text):
        return re.sub(r"\b(36789|36790|8081|8082)\b", lambda port: str(self.ports[port[0]]), text)


def follow_each_other(lines, text):
    """Whether the text has these lines, or the parts of lines that they quote, one after the other.
    """
    at = 0
    for line in lines:
        at = text.find(line, at)
        if at < 0:
            return False
        at += len(line)
    return True


def add_arguments(parser):
    parser.add_argument("concertod", help="the coordinator's program", type=os.path.abspath)
    parser.add_argument("build_directory", help="where the clients are installed and built",
                        type=os.path.abspath)


if __name__ == "__main__":
    main(StartPage, add_arguments, __doc__)
