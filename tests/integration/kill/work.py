"""Transactions to submit, what their branches answer, and how they must have ended."""

import json
from dataclasses import dataclass, field
from enum import Enum

from branch_server import Answer

DELAY_MS = (50, 300)


class Kind(str, Enum):
    SAGA = "saga"  # every step succeeds
    MSG = "msg"
    REFUSED = "refused"  # a saga whose second of three steps answers 409
    ONCE = "once"  # a saga whose first step succeeds once and answers 409 when it is repeated


@dataclass
class Work:
    gid: str
    kind: Kind
    payloads: list
    body: bytes = field(repr=False)

    @property
    def steps(self):
        return len(self.payloads)


def make_work(gid, kind, url, random):
    steps = 3 if kind in (Kind.REFUSED, Kind.ONCE) else random.choice((2, 3))
    payloads = [json.dumps({"gid": gid, "step": step, "kind": kind.value,
                            "delay_ms": random.randint(*DELAY_MS)})
                for step in range(1, steps + 1)]
    step = {"action": url}
    if kind is not Kind.MSG:
        step["compensate"] = url
    body = json.dumps({"gid": gid, "trans_type": "msg" if kind is Kind.MSG else "saga",
                       "steps": [step] * steps, "payloads": payloads})
    return Work(gid, kind, payloads, body.encode())


def branch_rule(earlier, branch_id, op, payload):
    """What the branch server answers (see Kind)."""
    order = json.loads(payload)
    delay_s = order["delay_ms"] / 1000
    repeated = any(call.op == op and call.branch_id == branch_id for call in earlier)
    refused = order["kind"] == Kind.REFUSED and order["step"] == 2
    refused_again = order["kind"] == Kind.ONCE and order["step"] == 1 and repeated
    if op == "action" and (refused or refused_again):
        return Answer(409, delay_s)
    # Compensations are quick, so that the kill finds sagas before and after their failure.
    return Answer(200, delay_s if op == "action" else delay_s / 4)


def faults(work, status, calls):
    """What is wrong with the end of an acknowledged transaction: a list of sentences, empty if
    nothing is. `status` is what the coordinator says, `calls` are those that the branches got."""
    found = [f"branch {call.branch_id} was sent {call.payload!r}" for call in calls
             if call.payload.decode() != work.payloads[int(call.branch_id) - 1]]
    found += _order_faults(work, calls)
    may_end = {Kind.REFUSED: ("failed",), Kind.ONCE: ("succeed", "failed")}
    if status not in may_end.get(work.kind, ("succeed",)):
        found.append(f"it ended as {status}")
    end_faults = _undone_faults if status == "failed" else _kept_faults
    return found + list(end_faults(work, calls))


def _branch_ids(work):
    return [f"{number:02}" for number in range(1, work.steps + 1)]


def _positions(calls, branch_id, op, status=None):
    return [at for at, call in enumerate(calls) if call.branch_id == branch_id and call.op == op
            and status in (None, call.answer.status)]


def _order_faults(work, calls):
    """Each step waits for the one before it."""
    branch_ids = _branch_ids(work)
    for before, after in zip(branch_ids, branch_ids[1:]):
        started = _positions(calls, after, "action")
        done = _positions(calls, before, "action", 200)
        if started and not (done and done[0] < started[0]):
            yield f"step {after} was called before step {before} had succeeded"


def _kept_faults(work, calls):
    """Every action is done, and nothing is compensated."""
    for branch_id in _branch_ids(work):
        if not _positions(calls, branch_id, "action", 200):
            yield f"the action of branch {branch_id} was left out"
    if any(call.op != "action" for call in calls):
        yield "a compensation was called"


def _undone_faults(work, calls):
    """Every action that was done is compensated afterwards."""
    for branch_id in _branch_ids(work):
        done = _positions(calls, branch_id, "action", 200)
        undone = _positions(calls, branch_id, "compensate")
        if done and not (undone and undone[-1] > done[-1]):
            yield f"the action of branch {branch_id} was done and not undone after it"
    if not any(call.answer.status == 409 for call in calls):
        yield "it was rolled back although no branch had refused"
