"""What is made from the description of the command line: completion of bash, zsh and fish, man
pages, docs/cli.md. And bench.

Usage: shells_test.py <concerto> <concertod>
"""

import os
import re
import subprocess

from cli_test_case import DONE, FAILED, HERE, NOT_FOUND, USAGE, CliTestCase, main

from concerto_testing import need_program

ROOT = os.path.join(HERE, "..", "..", "..")
VERBS = ("list get watch why count retry stop skip edit pause resume begin jobs topics targets top "
         "audit archive doctor bench migrate backup restore verify context completion man").split()
BASH = r"""
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { :; }
_concerto
printf '%s\n' "${COMPREPLY[@]}"
"""
# zsh completes in an editor alone, so the test types into one.
ZSH = r"""
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell "PS1='ready> '; unsetopt zle_bracketed_paste; autoload -Uz compinit"
zpty -w shell "compinit -u -d $3; source $1; LISTMAX=1000; zstyle ':completion:*' list-separator --"
zpty -w shell "echo be''gin"
zpty -r shell text '*begin*'
zpty -w -n shell "$2"$'\t\t'
integer i
for ((i = 0; i < 40; i++)); do
  sleep 0.1
  while zpty -r -t shell text; do print -rn -- "$text"; done
done
"""


class Shells(CliTestCase):
    def script(self, shell):
        path = os.path.join(self.home, "completion." + shell)
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.expect(DONE, "completion", shell).out)
        return path

    def add_contexts(self):
        for name in ("prod", "test"):
            self.expect(DONE, "context", "add", name, "--server", "http://localhost")

    def run_shell(self, *command):
        # The shells find the program as `concerto`.
        path = os.path.dirname(self.args.concerto) + os.pathsep + os.environ["PATH"]
        ran = subprocess.run(command, capture_output=True, timeout=60, check=False,
                             env=self.environment({"PATH": path}), cwd=self.home)
        self.assertEqual((ran.returncode, ran.stderr.decode()), (0, ""), ran.stdout)
        return ran.stdout.decode()

    def test_bash(self):
        path = self.script("bash")
        self.add_contexts()

        def complete(*words):
            return set(self.run_shell("bash", "--norc", "-c", BASH, "bash", path, "concerto",
                                      *words).split())

        self.assertEqual(complete(""), set(VERBS) | {"-h", "--help", "--version"})
        self.assertEqual(complete("co"), {"count", "context", "completion"})
        self.assertEqual(complete("list", "-o", ""), {"table", "json", "yaml"})
        self.assertEqual(complete("list", "--output", "=", "j"), {"json"})
        self.assertEqual(complete("list", "--status", "failed", "--min"), {"--min-age"})
        self.assertEqual(complete("list", "--status", ""), set())
        self.assertEqual(complete("list", "--context", "p"), {"prod"})
        self.assertEqual(complete("context", "u"), {"use"})
        self.assertEqual(complete("context", "use", ""), {"prod", "test", "-h", "--help"})
        self.assertEqual(complete("pause", "to"), {"topic"})
        self.assertEqual(complete("context", "add", "x", "--ca", "compl"), {"completion.bash"})
        for verb in VERBS:
            self.assertIn("--help", complete(verb, "--h"), verb)

    def test_fish(self):
        fish = need_program("fish", "fish")
        path = self.script("fish")
        self.add_contexts()

        def complete(line):
            out = self.run_shell(fish, "--no-config", "-c",
                                 f'source {path}; complete -C "{line}"')
            return {shown.split("\t")[0] for shown in out.splitlines()}

        self.assertEqual(complete("concerto "), set(VERBS))
        self.assertEqual(complete("concerto co"), {"count", "context", "completion"})
        self.assertEqual(complete("concerto list -o "), {"table", "json", "yaml"})
        self.assertEqual(complete("concerto list --status failed --min"), {"--min-age"})
        self.assertEqual(complete("concerto list --context p"), {"prod"})
        self.assertEqual(complete("concerto context use "), {"prod", "test"})
        self.assertEqual(complete("concerto pause to"), {"topic"})
        for verb in VERBS:
            self.assertTrue({"-h", "--help"} & complete(f"concerto {verb} -"), verb)

    def test_zsh(self):
        zsh = need_program("zsh", "zsh")
        path = self.script("zsh")
        self.add_contexts()
        dump = os.path.join(self.home, "dump")

        def complete(line):
            return self.run_shell(zsh, "-f", "-c", ZSH, "zsh", path, line, dump)

        shown = complete("concerto ")
        for verb in VERBS:
            self.assertIn(verb, shown)
        self.assertIn("Follow one transaction until it ends", shown)
        self.assertRegex(complete("concerto list -o "), r"json\s+table\s+yaml")
        self.assertIn("--min-age", complete("concerto list --status failed --min"))
        self.assertIn("prod", complete("concerto context use "))

    def test_man_pages(self):
        mandoc = need_program("mandoc", "mandoc")
        directory = os.path.join(self.home, "man")
        os.mkdir(directory)
        env = {"SOURCE_DATE_EPOCH": "1796007942"}
        self.expect(DONE, "man", "--directory", directory, env=env)
        names = sorted(os.listdir(directory))
        self.assertEqual(names, sorted(["concerto.1"] + [f"concerto-{verb}.1" for verb in VERBS]))
        for name in names:
            path = os.path.join(directory, name)
            ran = subprocess.run([mandoc, "-Tlint", "-W", "warning", path], capture_output=True,
                                 check=False)
            self.assertEqual((ran.returncode, ran.stdout.decode()), (0, ""), name)
        with open(os.path.join(directory, "concerto-list.1"), encoding="utf-8") as file:
            page = file.read()
        self.assertIn("2026-11-30", page)
        self.assertEqual(self.expect(DONE, "man", "list", env=env).out, page)
        self.expect(NOT_FOUND, "man", "nothing")
        text = subprocess.run([mandoc, "-Tutf8", os.path.join(directory, "concerto-list.1")],
                              capture_output=True, check=True).stdout.decode()
        self.assertIn("--min-age", re.sub(".\b", "", text))

    def test_docs(self):
        with open(os.path.join(ROOT, "docs", "cli.md"), encoding="utf-8") as file:
            page = file.read()
        self.assertEqual(self.expect(DONE, "man", "--markdown").out, page,
                         "make it anew: build/release/bin/concerto man --markdown > docs/cli.md")

    def test_every_verb_has_help(self):
        for verb in VERBS:
            ran = self.expect(DONE, verb, "--help")
            self.assertIn("concerto " + verb, ran.out)
        self.expect(USAGE, "completion", "tcsh")

    def test_bench(self):
        coordinator = self.start()
        ran = self.expect(DONE, "bench", "--grpc", f"127.0.0.1:{coordinator.grpc_port}", "--",
                          "--transactions", "20", "--warm-up", "0", "--in-flight", "2")
        self.assertIn("20", ran.out)
        self.expect(USAGE, "bench", "--server", "http://localhost/dtm")
        self.expect(FAILED, "bench", "--grpc", "127.0.0.1:1", "--", "--seconds", "0.2")


if __name__ == "__main__":
    main(Shells, __doc__)
