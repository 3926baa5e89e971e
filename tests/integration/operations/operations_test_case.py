"""What these tests share: a coordinator, scripted branches, and the requests of an operator."""

import json
import os
import signal
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import BranchServer, Concertod, http_call, http_json, wait_until  # noqa: E402
from concerto_testing import main as run_tests  # noqa: E402
from concerto_testing.concertod import to_yaml  # noqa: E402

RELOADED = '"msg":"reloaded: '


class OperationsTestCase(unittest.TestCase):
    def setUp(self):
        self.branches = BranchServer()
        self.addCleanup(self.branches.close)

    def start(self, name, settings=None, env=None):
        """A coordinator with one shard, so that numbers per shard are those of the whole."""
        coordinator = Concertod(self.args.concertod, self.directory,
                                {"Shards": 1, "RetryInterval": 1, **(settings or {})}, name, env)
        self.addCleanup(coordinator.kill)
        coordinator.start()
        wait_until_ready(coordinator)
        return coordinator

    def saga(self, gid, *names, **options):
        """A saga whose steps call branches with these names. A URL is used as it is."""
        urls = [name if "://" in name else self.branches.url(name) for name in names]
        steps = [{"action": url, "compensate": url} for url in urls]
        return {"gid": gid, "trans_type": "saga", "steps": steps, "payloads": ["{}"] * len(steps),
                **options}

    def msg(self, gid, *names, **options):
        request = self.saga(gid, *names, **options)
        steps = [{"action": step["action"]} for step in request["steps"]]
        return {**request, "trans_type": "msg", "steps": steps}

    def wait_for_why(self, coordinator, gid, condition, what, timeout_s=10.0):
        """The first answer to "why" that meets the condition."""

        def meets():
            found = why(coordinator, gid)
            return found if condition(found) else None

        return wait_until(meets, f"why of {gid}: {what}", timeout_s)


def post(coordinator, name, request, timeout_s=30.0):
    """A request of the HTTP API. Returns the answer, whatever its status."""
    return http_call("POST", f"{coordinator.api}/{name}", json.dumps(request).encode(),
                     timeout_s=timeout_s)


def submit(coordinator, request):
    """A submit that must be accepted."""
    http_json("POST", f"{coordinator.api}/submit", request)


def try_now(coordinator, gid):
    http_json("POST", f"{coordinator.api}/resetNextCronTime", {"gid": gid})


def reload(coordinator, directory, changes, line=RELOADED):
    """Changes the configuration file, sends SIGHUP and waits for the line that follows it."""
    path = os.path.join(directory, coordinator.name + ".yml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(to_yaml({**coordinator.settings, **changes}))
    return hang_up(coordinator, line)


def hang_up(coordinator, line):
    count = len(coordinator.process.lines(line))
    os.kill(coordinator.process.pid, signal.SIGHUP)
    return coordinator.process.wait_for_line(line, count=count + 1)


def get(coordinator, path):
    return http_call("GET", f"http://127.0.0.1:{coordinator.http_port}{path}")


def wait_until_ready(coordinator):
    """Waits until the coordinator is ready: it serves before it has read the unfinished
    transactions."""
    wait_until(lambda: get(coordinator, "/readyz").status == 200, "it is ready", 20)


def why(coordinator, gid):
    return coordinator.why(gid)


def main(test_case, description):
    run_tests(test_case, lambda parser: parser.add_argument("concertod"), description)
