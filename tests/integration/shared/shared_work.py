"""Transactions of every mode whose requests may each go to another coordinator, what their branches
answer, and how they must have ended."""

import json
from dataclasses import dataclass, field

import work
from branch_server import Answer
from watched_branches import SIGNAL_S

# Kinds with saga's and msg's steps are those of work.Kind. These have two registered branches, and
# the client says how they end.
SECOND_PHASE = {"tcc": ("confirm", "cancel"), "xa": ("commit", "rollback"), "workflow": ((), ())}
BRANCH_IDS = ("01", "02")
APPLICATION_ID = "00"
UNDO = {"action": "compensate"}


@dataclass
class Request:
    """`settles`: its success acknowledges the transaction. `repeated_ok`: what a repetition may get
    because an earlier try was carried out, although its answer was lost."""

    path: str
    body: bytes
    repeated_ok: tuple = ()
    settles: bool = False


@dataclass
class SharedWork:
    gid: str
    kind: str
    wanted: tuple               # the statuses that it may end in
    requests: list = field(repr=False)
    steps: work.Work = None     # of a saga or msg


def make_shared_work(gid, url, random):
    kind = random.choice([*work.Kind] + [*SECOND_PHASE] * 2)
    if kind in SECOND_PHASE:
        return _second_phase(gid, kind, url, random)
    steps = work.make_work(gid, kind, url, random)
    submit = Request("submit", steps.body, (409,), settles=True)
    requests = [submit]
    if kind is work.Kind.MSG and random.random() < 0.5:
        prepared = {**json.loads(steps.body), "query_prepared": url}
        # While the client repeats its request, the coordinator may have asked and submitted it.
        requests = [Request("prepare", json.dumps(prepared).encode(), (409,)), submit]
    wanted = {work.Kind.REFUSED: ("failed",), work.Kind.ONCE: ("succeed", "failed")}
    return SharedWork(gid, kind.value, wanted.get(kind, ("succeed",)), requests, steps)


def _second_phase(gid, kind, url, random):
    commits = random.random() < 0.6
    trans = {"gid": gid, "trans_type": kind}
    first, end = "prepare", "submit" if commits else "abort"
    if kind == "workflow":
        first, end = "prepareWorkflow", "submit"
        trans.update(query_prepared=url, custom_data=json.dumps({"name": "flow", "data": ""}))
        status = "succeed" if commits else "failed"
    requests = [_request(first, trans)]
    for branch_id in BRANCH_IDS:
        branch = {"gid": gid, "trans_type": kind, "branch_id": branch_id}
        if kind == "tcc":
            branch.update(confirm=url, cancel=url, data=json.dumps({"gid": gid}))
        elif kind == "xa":
            branch.update(url=url, data=json.dumps({"gid": gid}))
        else:
            branch.update(op="action", status="succeed", data="{}")
        requests.append(_request("registerBranch", branch, (500,)))
    body = {**trans, "req_extra": {"status": status}} if kind == "workflow" else trans
    requests.append(Request(end, json.dumps(body).encode(), (409, 500), settles=True))
    return SharedWork(gid, kind, ("succeed" if commits else "failed",), requests)


def _request(path, body, repeated_ok=()):
    return Request(path, json.dumps(body).encode(), repeated_ok)


def shared_rule(earlier, branch_id, op, payload):
    """What the branch server answers."""
    if branch_id == APPLICATION_ID:
        return Answer(200 if op == "msg" else 425)  # A msg goes on; a workflow is still at work.
    if op in ("action", "compensate"):
        return work.branch_rule(earlier, branch_id, op, payload)
    return Answer(200, 0.1)


def shared_faults(done, status, calls, pauses):
    """What is wrong with the end of an acknowledged transaction (see work.faults)."""
    calls = [call for call in calls if call.branch_id != APPLICATION_ID]
    effective, found = _without_suspended(calls, pauses)
    if status not in done.wanted:
        found.append(f"it ended as {status}")
    if done.steps:
        return found + work.faults(done.steps, status, effective)
    wanted_op, other_op = SECOND_PHASE[done.kind]
    if status == "failed":
        wanted_op, other_op = other_op, wanted_op
    found += [f"branch {call.branch_id} was called for {call.op}" for call in effective
              if call.op != wanted_op]
    if wanted_op:
        found += [f"the {wanted_op} of branch {branch_id} was left out" for branch_id in BRANCH_IDS
                  if not any(call.branch_id == branch_id and call.op == wanted_op and
                             call.answer.status == 200 for call in effective)]
    return found


def _without_suspended(calls, pauses):
    """The calls that had an effect. An action after its compensation has none: a branch's barrier
    suspends it. A coordinator sends such a call if it stood still just before it sent the call."""
    undone, effective, found = set(), [], []
    for call in calls:
        if call.op in UNDO and (call.branch_id, UNDO[call.op]) in undone:
            if not any(pause.end - SIGNAL_S < call.at < pause.end + SIGNAL_S for pause in pauses):
                found.append(f"branch {call.branch_id} was called after its compensation")
            continue
        undone.add((call.branch_id, call.op))
        effective.append(call)
    return effective, found
