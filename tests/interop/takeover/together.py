"""Load on Concerto and the reference, which work on one store at the same time.

Each request goes to one of both servers by chance, and each server is killed and started again
once. The branches keep a ledger with barriers, as DTM's SDKs do, and the ledger is the judge.
"""

import collections
import json
import random
import threading
import time

from concerto_testing import BranchServer, http_call, http_json, wait_until
from concerto_testing.branch_server import FAILURE, ONGOING, SUCCESS

WORKERS = 6
RETRY_INTERVAL_S = 2
TIMEOUT_TO_FAIL_S = 6
# Leases and the reference's locks are at most 10 s, and each retry takes a moment.
FINISH_TIMEOUT_S = 90.0
ORIGIN = {"compensate": "action", "cancel": "try", "rollback": "action"}
FORWARD = {"saga": "action", "msg": "action", "tcc": "confirm", "xa": "commit"}
BACKWARD = {"saga": "compensate", "tcc": "cancel", "xa": "rollback"}


class Ledger(BranchServer):
    """Branches whose names say how they answer: `fail`, `later` (the first call is not finished,
    or is an error), `ok`."""

    def __init__(self):
        self._effects = collections.defaultdict(dict)  # gid -> (branch id, op) -> has an effect
        self._asked = collections.Counter()
        self._ledger_lock = threading.Lock()
        super().__init__()

    def effects(self, gid):
        """The (branch id, op) that had an effect."""
        with self._ledger_lock:
            return {key for key, effective in self._effects[gid].items() if effective}

    def try_branch(self, gid, branch_id, op):
        """What a branch does before its transaction is submitted: the application calls it."""
        with self._ledger_lock:
            self._effects[gid].setdefault((branch_id, op), True)

    def _answer(self, call):
        gid, branch_id, op = (call.query.get(name, "") for name in ("gid", "branch_id", "op"))
        with self._ledger_lock:
            self._asked[gid, branch_id, op] += 1
            if call.name == "fail" and op == "action":
                return FAILURE
            if call.name == "later" and self._asked[gid, branch_id, op] == 1:
                return ONGOING if hash(gid) % 2 else (500, "oops")
            entries = self._effects[gid]
            if (branch_id, op) not in entries:
                before = (branch_id, ORIGIN.get(op))
                # Without its origin a compensation has no effect, and then its origin never will.
                entries[branch_id, op] = op not in ORIGIN or before in entries
                if op in ORIGIN:
                    entries.setdefault(before, False)
            return SUCCESS


class Together:
    def __init__(self, *servers):
        self._servers = servers
        self._ledger = Ledger()
        self._lock = threading.Lock()
        self._known = {}          # gid -> (mode, branch ids, whether it has to fail or not)
        self._unanswered = set()  # gids for which some request had no answer, or an error
        self._end = 0.0

    def run(self, seconds):
        """Makes load for so long, and waits for nothing afterwards."""
        self._end = time.monotonic() + seconds
        workers = [threading.Thread(target=self._work, args=(number,)) for number in range(WORKERS)]
        for worker in workers:
            worker.start()
        for server in self._servers:
            time.sleep(seconds / 4)
            server.kill()
            time.sleep(seconds / 16)
            server.start()
        for worker in workers:
            worker.join()

    def faults(self, place):
        """Waits for the end of all transactions, and says what is wrong with them."""
        wait_until(lambda: not place.unfinished(), "all transactions are finished",
                   FINISH_TIMEOUT_S)
        return [fault for gid in self._known for fault in self._faults_of(gid, place)]

    def summary(self):
        modes = collections.Counter(mode for mode, _, _ in self._known.values())
        return f"{sum(modes.values())} transactions: {dict(modes)}, {len(self._unanswered)} unclear"

    def _work(self, number):
        chance = random.Random(number)
        count = 0
        while time.monotonic() < self._end:
            count += 1
            mode = chance.choice(["saga", "saga", "msg", "msg-two-phase", "tcc", "xa"])
            gid = f"{mode}-{number}-{count}"
            names = [chance.choice(["ok", "ok", "later"]) for _ in range(chance.randint(1, 3))]
            fails = mode == "saga" and chance.random() < 0.3
            if fails:
                names[chance.randrange(len(names))] = "fail"
            {"saga": self._saga, "msg": self._msg, "msg-two-phase": self._two_phases,
             "tcc": self._second_phase, "xa": self._second_phase}[mode](gid, names, chance, fails)

    def _saga(self, gid, names, chance, fails):
        self._note(gid, "saga", len(names), "failed" if fails else "succeed")
        self._post(chance, "submit", gid, "saga", **self._steps(names, "compensate"))

    def _msg(self, gid, names, chance, _):
        self._note(gid, "msg", len(names), "succeed")
        self._post(chance, "submit", gid, "msg", **self._steps(names))

    def _two_phases(self, gid, names, chance, _):
        self._note(gid, "msg", len(names), "succeed")
        if self._post(chance, "prepare", gid, "msg", query_prepared=self._ledger.url("ok"),
                      **self._steps(names)):
            self._post(chance, "submit", gid, "msg")

    def _second_phase(self, gid, names, chance, _):
        mode = gid.split("-")[0]
        aborts = chance.random() < 0.3
        self._note(gid, mode, len(names), "failed" if aborts else "succeed")
        if not self._post(chance, "prepare", gid, mode):
            return
        for index, name in enumerate(names):
            branch_id = f"{index + 1:02}"
            urls = {"url": self._ledger.url(name)} if mode == "xa" else {
                op: self._ledger.url(name) for op in ("confirm", "cancel")}
            if not self._post(chance, "registerBranch", gid, mode, branch_id=branch_id, data="{}",
                              **urls):
                return
            self._ledger.try_branch(gid, branch_id, "try" if mode == "tcc" else "action")
        self._post(chance, "abort" if aborts else "submit", gid, mode)

    def _steps(self, names, *more):
        return {"steps": [{op: self._ledger.url(name) for op in ("action", *more)}
                          for name in names], "payloads": ["{}"] * len(names)}

    def _note(self, gid, mode, count, status):
        with self._lock:
            self._known[gid] = (mode, [f"{index + 1:02}" for index in range(count)], status)

    def _post(self, chance, operation, gid, mode, **fields):
        """Whether one of the servers, by chance, has answered that it did this."""
        server = chance.choice(self._servers)
        options = {} if operation == "registerBranch" else {
            "retry_interval": RETRY_INTERVAL_S,
            **({} if mode == "saga" else {"timeout_to_fail": TIMEOUT_TO_FAIL_S})}
        request = {"gid": gid, "trans_type": mode, **options, **fields}
        try:
            answer = http_call("POST", f"{server.api}/{operation}", json.dumps(request).encode(),
                               timeout_s=20.0)
            if answer.status == 200:
                return True
        except OSError:
            time.sleep(0.1)  # the server has been killed
        with self._lock:
            self._unanswered.add(gid)
        return False

    def _faults_of(self, gid, place):
        mode, branch_ids, expected = self._known[gid]
        answers = [http_json("GET", f"{server.api}/query?gid={gid}")["transaction"]
                   for server in self._servers]
        statuses = [answer and answer["status"] for answer in answers]
        if statuses[0] != statuses[1]:
            yield f"{gid} is {statuses[0]} for one server and {statuses[1]} for the other"
        status, unclear = statuses[0], gid in self._unanswered
        if status is None and not unclear:
            yield f"{gid} is lost"
        if status not in (expected, None) and not unclear:
            yield f"{gid} is {status} and has to be {expected}"
        effects = self._ledger.effects(gid)
        forward = {branch_id for branch_id in branch_ids if (branch_id, FORWARD[mode]) in effects}
        backward = {branch_id for branch_id in branch_ids
                    if (branch_id, BACKWARD.get(mode)) in effects}
        if mode in ("tcc", "xa") and forward and backward:
            yield f"{gid} ended in two ways: {sorted(effects)}"
        if status == "succeed" and (forward != set(branch_ids) or backward):
            yield f"{gid} has succeeded, with the effects {sorted(effects)}"
        if status == "failed":
            origin = ORIGIN.get(BACKWARD.get(mode))
            done = {branch_id for branch_id in branch_ids if (branch_id, origin) in effects}
            if done != backward or mode == "msg" and forward:
                yield f"{gid} has failed, with the effects {sorted(effects)}: {place.branches(gid)}"
