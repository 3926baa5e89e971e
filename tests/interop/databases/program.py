"""The Go program as a process, or another program that serves the same branches."""

import json
import os
from urllib.parse import urlencode

from concerto_testing import Process, free_ports, http_call

WAIT_TIMEOUT_S = 20.0


class Program:
    """Serves the branches of one bank, and may start a transaction. Keeps its addresses when it is
    started again."""

    def __init__(self, world, bank, name, wire, binary=None):
        self.name = name
        self.bank = bank
        self.http_port, self.grpc_port = free_ports(2)
        self.process = None
        self._world = world
        self._wire = wire
        self._binary = binary or os.path.join(world.args.build_directory, "databases")

    def start(self, hold="", work=None):
        """`hold`: the points to hold; `work`: a transaction that the program starts itself."""
        coordinator = self._world.coordinator
        command = [self._binary, "-wire", self._wire, "-dtm-http", coordinator.api,
                   "-dtm-grpc", coordinator.grpc_address, "-http", f"127.0.0.1:{self.http_port}",
                   "-grpc", f"127.0.0.1:{self.grpc_port}", "-driver", self.bank.driver,
                   "-db-port", str(self.bank.server.port), "-hold", hold]
        if work:
            command += ["-run", json.dumps(work)]
        self.process = Process(self.name, command, self._world.work)
        self.process.wait_for_line("^ready$")

    def kill(self):
        """kill -9"""
        if self.process:
            self.process.kill()

    def restart(self):
        """Kills the program and starts it again, to serve only. Nothing is held any more."""
        self.kill()
        self.start()

    def address(self, wire):
        return f"127.0.0.1:{self.http_port if wire == 'http' else self.grpc_port}"

    def hold(self, point):
        self._post("hold?" + urlencode({"point": point}))

    def wait_for_hold(self, point):
        self.process.wait_for_line(f"^holding {point}$", WAIT_TIMEOUT_S)

    def release(self):
        self._post("release")

    def wait_for_call(self, gid, call):
        """`call`: branch id and op, as in `01:action`."""
        self.process.wait_for_line(f"^called {gid} {call}$", WAIT_TIMEOUT_S)

    def wait_for_answer(self, gid, call, result):
        """Waits until every such call has this answer, and there was at least one."""
        count = max(1, len(self.process.lines(f"^called {gid} {call}$")))
        self.process.wait_for_line(f"^answered {gid} {call}: .*{result}", WAIT_TIMEOUT_S, count)

    def result(self):
        """How the transaction that the program started ended, as the program saw it."""
        return self.process.wait_for_line("^result: ", WAIT_TIMEOUT_S)[len("result: "):]

    def call(self, trans_type, gid, branch_id, op, order, accepted=(200, 409)):
        """Calls a branch over HTTP, as the coordinator does. The branch may refuse, because Redis's
        barrier looks at the money before it looks for an earlier call."""
        query = urlencode({"trans_type": trans_type, "gid": gid, "branch_id": branch_id, "op": op})
        self._post(f"bank?{query}", json.dumps(order).encode(), accepted)

    def _post(self, what, body=b"", accepted=(200,)):
        answer = http_call("POST", f"http://127.0.0.1:{self.http_port}/{what}", body)
        if answer.status not in accepted:
            raise AssertionError(f"{self.name}: {what}: {answer.status} {answer.body!r}")
