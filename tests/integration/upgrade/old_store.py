"""The transactions in old_store/, and how they came there: run this with the concertod of a
release, and the directory that it shall write.

Usage: old_store.py <concertod> <directory>

The services have names that do not exist, so that the store has no port of the machine that wrote
it: both the old and the new coordinator call them through a proxy, which is the branch server.
"""

import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import BranchServer, Concertod, http_json, wait_until  # noqa: E402
from concerto_testing.branch_server import FAILURE  # noqa: E402

DONE, UNDONE, WAITING, PREPARED = "old-done", "old-undone", "old-waiting", "old-prepared"
# What the old coordinator has left, by gid.
STATUSES = {DONE: "succeed", UNDONE: "failed", WAITING: "submitted", PREPARED: "prepared"}


def url(name):
    return f"http://bank.test/{name}"


def saga(gid):
    return {"gid": gid, "trans_type": "saga", "custom_data": '{"note":"kept \u00e4"}',
            "steps": [{"action": url(f"{gid}-{step}"), "compensate": url(f"{gid}-{step}-back")}
                      for step in (1, 2)],
            "payloads": ['{"amount":30}', '{"amount":40}']}


def message(gid):
    return {"gid": gid, "trans_type": "msg", "query_prepared": url(f"{gid}-sent"),
            "steps": [{"action": url(f"{gid}-1")}], "payloads": ['{"amount":50}']}


def through_proxy(branches):
    """The environment of a coordinator whose calls reach this branch server."""
    address = branches.url("").rstrip("/")
    return {**os.environ, "HTTP_PROXY": address, "http_proxy": address, "NO_PROXY": "",
            "no_proxy": ""}


def write(program, directory):
    work = directory + ".work"
    os.makedirs(work)
    branches = BranchServer()
    branches.script(f"{UNDONE}-2", FAILURE)
    branches.script(f"{WAITING}-2", (500, "down"))
    settings = {"Store.Path": directory, "RetryInterval": 3600, "TimeoutToFail": 3600}
    old = Concertod(program, work, settings, env=through_proxy(branches))
    old.start()
    try:
        for gid in (DONE, UNDONE, WAITING):
            http_json("POST", f"{old.api}/submit", saga(gid))
        http_json("POST", f"{old.api}/prepare", message(PREPARED))
        branches.wait_for_calls(2, gid=WAITING)
        for gid, status in STATUSES.items():
            wait_until(lambda gid=gid, status=status: old.status(gid) == status, f"{gid} {status}")
    finally:
        code = old.terminate()
        branches.close()
    if code:
        sys.exit(f"{program} ended with {code}")
    shutil.rmtree(work)


if __name__ == "__main__":
    write(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]))
