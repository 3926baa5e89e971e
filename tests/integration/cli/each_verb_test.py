"""Each verb with a coordinator that has 10,000 stuck transactions: in a pipe, whose output is as in
golden/each/<verb>.golden, and in a pseudo-terminal, which shows the same in colours.

Usage: each_verb_test.py <concerto> <concertod>
"""

import os
import re

from cli_test_case import DONE, LATE, CliTestCase, dead_url, main, stable
from shells_test import VERBS

from concerto_testing import wait_until

COUNT = 10_000
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Verbs without a coordinator, which shells_test and acting_test have.
OTHERS = {"context", "completion", "man"}


def shown(terminal_text):
    """What is left to see on a terminal: without colours, and without lines that were replaced."""
    lines = ESCAPES.sub("", terminal_text).split("\n")
    return "\n".join(line.rpartition("\r")[2] for line in lines)


def plain(text):
    """Without what differs from run to run, or between the runs in a pipe and in a terminal. Of the
    numbers, that of the stuck transactions stays."""
    text = stable(text)
    for pattern, replacement in (
            (r"stuck-\d{5}", "stuck-N"), (r"\bload-[0-9a-f]{8}", "load-N"),
            (r"(?m)^stuck  (ok|warning)  .*\n", ""),  # whether a minute is over
            (r"(?m)^machine  .*$", "machine  MACHINE"),
            (r"\b(pipe|terminal)\b", "WHERE"), (r"\b(tcc|xa)\b", "MODE"),
            (r"/\S*/(?=(concerto-load|WHERE)\b)", "DIR/"), (r"\b\S+-[0-9a-f]{8}\b", "ID"),
            (r"\b[0-9a-f]{16,}\b", "ID"),
            (r"(?<![\w.])(?!10000\b)\d+([.,]\d+)*(?!\w)", "N"),
            (r"(?m)^(mode  MODE)  [-N]  ", r"\1  WAITING  ")):  # none, or it is not said
        text = re.sub(pattern, replacement, text)
    return re.sub(r" {2,}", "  ", text)


class EachVerb(CliTestCase):
    def start_stuck(self):
        self.backups = os.path.join(self.home, "backups")
        self.coordinator = self.start({"MaxJournal": COUNT, "Backup.Directory": self.backups})
        self.url = dead_url("stock")
        self.submit_many(COUNT, self.url)
        wait_until(lambda: self.coordinator.metric("concerto_alarms") == COUNT, "all wait", 120)

    def runs(self, where, first):
        """The arguments of each verb; `first` is the number of transactions of its own."""
        gids = [f"stuck-{first + number:05}" for number in range(10)]
        store = os.path.join(self.home, where + "-store")
        backup = os.path.join(self.backups, where)
        why = ("--reason", "ticket 4711")
        mode = {"pipe": "tcc", "terminal": "xa"}[where]
        grpc = f"127.0.0.1:{self.coordinator.grpc_port}"
        return (
            ("list", "list", "--limit", "3"),
            ("get", "get", gids[0]),
            ("watch", "watch", gids[0], "--for", "1s", "--interval", "0.2"),
            ("why", "why", gids[0]),
            ("count", "count", "--by", "target"),
            ("targets", "targets"),
            ("top", "top", "--interval", "0.2", "--times", "1"),
            ("doctor", "doctor"),
            ("retry", "retry", *gids[1:3], *why),
            ("stop", "stop", gids[3], *why),
            ("skip", "skip", gids[4], "--branch", "01", *why),
            ("edit", "edit", gids[5], "01", "--url", self.url, *why),
            ("pause", "pause", "mode", mode, *why),
            ("resume", "resume", "mode", mode, *why),
            ("begin", "begin", *why),
            ("jobs", "jobs", "--limit", "1"),
            ("topics", "topics", "subscribe", "orders-" + where, "http://b.org/a", *why),
            ("audit", "audit", "--gid", gids[3]),
            ("bench", "bench", "--grpc", grpc, "--", "--transactions", "20", "--warm-up", "0",
             "--in-flight", "2"),
            ("archive", "archive", "--to", os.path.join(self.home, where + ".ndjson.gz")),
            ("backup", "backup", "--name", where, "--full", *why),
            ("restore", "restore", "--from", backup, "--to", store),
            ("verify", "verify", store),
            ("migrate", "migrate", "--from", "leveldb:" + store, "--to",
             "leveldb:" + store + "-moved"),
        )

    def test_in_pipes_and_terminals(self):
        self.start_stuck()
        for (name, *in_pipe), (_, *in_terminal) in zip(
                self.runs("pipe", 100), self.runs("terminal", 200), strict=True):
            with self.subTest(verb=name):
                code = LATE if name == "watch" else DONE
                piped = self.expect(code, *in_pipe)
                self.assertNotIn("\x1b", piped.out + piped.err)
                self.assertNotIn("\r", piped.out + piped.err)
                if name != "resume":  # bulk_test looks at what it says
                    self.golden("each/" + name, plain(piped.out))
                ran = self.run_in_terminal(*in_terminal, columns=250, rows=200)
                self.assertEqual(ran.code, code, ran)
                self.assertIn(plain(piped.out).strip(), plain(shown(ran.out)))
        verbs = {arguments[0] for _, *arguments in self.runs("pipe", 100)}
        self.assertEqual(verbs | OTHERS, set(VERBS), "a verb is left out")


if __name__ == "__main__":
    main(EachVerb, __doc__)
