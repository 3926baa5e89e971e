"""Transactions of every mode that one server leaves unfinished and another one finishes."""

import base64
from dataclasses import dataclass, field

from concerto_testing.branch_server import FAILURE, ONGOING, SUCCESS

ERROR = (500, "oops")
REFUSED = "^url:.* return failed: .*no money"
RPC_ERROR = (200, '{"jsonrpc":"2.0","id":"1","error":{"code":-32000,"message":"oops"}}')
RPC_SUCCESS = (200, '{"jsonrpc":"2.0","id":"1","result":{}}')


@dataclass
class Case:
    """`$B` in the texts of requests is the URL of the branches, `$GID` the gid."""

    name: str
    requests: list      # (operation, body), for the server that is stopped
    status: str         # at the end
    effects: list       # the calls that succeed, each exactly once: "op branch_id"
    held: dict = field(default_factory=dict)    # branch -> its answer until the takeover
    answers: dict = field(default_factory=dict)  # branch -> its answer at all times
    refused: list = field(default_factory=list)  # the calls that fail, each exactly once
    reason: str = ""    # a pattern of the rollback reason
    headers: dict = field(default_factory=dict)  # that each call has
    not_before_s: float = 0.0   # after the requests
    opened: object = SUCCESS    # what a held branch answers after the takeover
    is_timed: bool = False  # goes on by itself when its time has come
    ext_data: str = ""  # is put into the stored transaction, as old servers of the reference did


def body(kind, **fields):
    return {"gid": "$GID", "trans_type": kind, "retry_interval": 1, **fields}


def saga(steps, **fields):
    return body("saga", steps=[{"action": f"$B/a{i}", "compensate": f"$B/c{i}"}
                               for i in range(1, steps + 1)],
                payloads=[f'{{"amount":{i}}}' for i in range(1, steps + 1)], **fields)


def msg(steps, **fields):
    return body("msg", steps=[{"action": f"$B/a{i}"} for i in range(1, steps + 1)],
                payloads=[f'{{"amount":{i}}}' for i in range(1, steps + 1)], **fields)


def branch(kind, number):
    own = {"tcc": {"confirm": f"$B/f{number}", "cancel": f"$B/b{number}"},
           "xa": {"url": f"$B/u{number}"},
           "workflow": {"op": "action", "status": "succeed"}}[kind]
    return ("registerBranch", {"gid": "$GID", "trans_type": kind, "branch_id": f"0{number}",
                               "data": f'{{"amount":{number}}}', **own})


def ops(op, *branch_ids):
    return [f"{op} {branch_id}" for branch_id in branch_ids]


def sagas():
    done, undone = ops("action", "01", "02", "03"), ops("compensate", "01", "02", "03")
    yield Case("saga-ongoing", [("submit", saga(3))], "succeed", done, held={"a3": ONGOING})
    yield Case("saga-error", [("submit", saga(3))], "succeed", done, held={"a2": ERROR})
    yield Case("saga-fails-later", [("submit", saga(3))], "failed",
               [*done[:1], *undone[:2]], held={"a2": ONGOING}, opened=FAILURE, refused=done[1:2],
               reason=REFUSED)
    yield Case("saga-compensating", [("submit", saga(3))], "failed",
               [*done[:2], *undone], held={"c1": ONGOING}, answers={"a3": FAILURE},
               refused=done[2:], reason=REFUSED)
    yield Case("saga-concurrent", [("submit", saga(3, custom_data='{"concurrent":true}'))],
               "succeed", done, held={"a2": ONGOING})
    yield Case("saga-ordered",
               [("submit", saga(3, custom_data='{"concurrent":true,"orders":{"2":[0,1]}}'))],
               "succeed", done, held={"a1": ERROR})
    yield Case("saga-waited-for", [("submit", saga(3, wait_result=True))], "succeed", done,
               held={"a2": ONGOING})
    yield Case("saga-timeout", [("submit", saga(3, timeout_to_fail=8))], "failed",
               [*done[:1], *undone[:2]], held={"a2": ONGOING}, opened=ONGOING,
               is_timed=True, reason="^Timeout after 8 seconds$")
    yield Case("saga-retry-limit", [("submit", saga(3, retry_limit=1))], "failed",
               [*done[:1], *undone[:2]], held={"c2": ONGOING}, answers={"a2": ERROR},
               reason="^RetryCount is greater than RetryLimit, RetryLimit: 1$")
    yield Case("saga-headers", [("submit", saga(3, branch_headers={"X-Shop": "north"}))],
               "succeed", done, held={"a2": ONGOING}, headers={"X-Shop": "north"})
    yield Case("saga-passthrough", [("submit", saga(3))], "succeed", done, held={"a2": ONGOING},
               headers={"X-Trace": "t 1"}, ext_data='{"headers":{"X-Trace":"t 1"}}')
    yield Case("saga-slow-retries", [("submit", saga(3, retry_interval=3))], "succeed", done,
               held={"a2": ONGOING})
    yield Case("saga-empty-urls", [("submit", body("saga", steps=[
        {"action": "$B/a1", "compensate": ""}, {"action": "", "compensate": ""},
        {"action": "$B/a3", "compensate": "$B/c3"}], payloads=["", "null", "{}"]))],
        "succeed", ops("action", "01", "03"), held={"a3": ONGOING})
    yield Case("saga-json-rpc", [("submit", body(
        "saga", protocol="json-rpc", payloads=['{"amount":1}'],
        steps=[{"action": "$B/rpc?method=do&gid=$GID&op=action&branch_id=01",
                "compensate": "$B/rpc?method=undo&gid=$GID&op=compensate&branch_id=01"}]))],
        "succeed", ops("action", "01"), held={"rpc": RPC_ERROR}, opened=RPC_SUCCESS)


def messages():
    done = ops("action", "01", "02")
    asked = {"query_prepared": "$B/asked"}
    yield Case("msg-ongoing", [("submit", msg(2))], "succeed", done, held={"a2": ONGOING})
    yield Case("msg-failure-is-tried-again", [("submit", msg(2))], "succeed", done,
               held={"a2": FAILURE})
    yield Case("msg-concurrent", [("submit", msg(3, concurrent=True))], "succeed",
               ops("action", "01", "02", "03"), held={"a1": ONGOING})
    yield Case("msg-delayed", [("submit", msg(2, custom_data='{"delay":5}'))], "succeed", done,
               not_before_s=5.0, is_timed=True)
    yield Case("msg-two-phase", [("prepare", msg(2, **asked)), ("submit", body("msg"))],
               "succeed", done, held={"a1": ONGOING})
    yield Case("msg-committed", [("prepare", msg(2, timeout_to_fail=8, **asked))], "succeed",
               ["msg 00", *done], is_timed=True)
    yield Case("msg-given-up", [("prepare", msg(2, timeout_to_fail=8, **asked))], "failed", [],
               answers={"asked": FAILURE}, refused=["msg 00"], is_timed=True)
    yield Case("msg-topic", [("submit", body("msg", steps=[{"action": "topic://news"}],
                                             payloads=["hello"]))], "succeed",
               ops("action", "01-01", "01-02"), held={"news2": ONGOING})


def second_phases():
    for kind, forward, backward in (("tcc", "f", "b"), ("xa", "u", "u")):
        commit, undo = {"tcc": ("confirm", "cancel"), "xa": ("commit", "rollback")}[kind]
        first = {"tcc": "2", "xa": "1"}[kind]  # the branch that is called first
        begin = [("prepare", body(kind)), branch(kind, 1), branch(kind, 2)]
        yield Case(f"{kind}-{commit}", [*begin, ("submit", body(kind))], "succeed",
                   ops(commit, "01", "02"), held={forward + first: ERROR})
        yield Case(f"{kind}-{undo}", [*begin, ("abort", body(kind, rollback_reason="why"))],
                   "failed", ops(undo, "01", "02"), reason="^why$",
                   held={backward + first: ONGOING})
        yield Case(f"{kind}-forgotten", [("prepare", body(kind, timeout_to_fail=8)),
                                         branch(kind, 1)],
                   "failed", ops(undo, "01"), reason="^Timeout after 8 seconds$", is_timed=True)


def workflows():
    custom = '{"name":"wf","data":"' + base64.b64encode(b'{"a":1}').decode() + '"}'
    begin = [("prepareWorkflow", body("workflow", query_prepared="$B/resume",
                                      custom_data=custom)), branch("workflow", 1)]
    yield Case("workflow-succeeds", begin, "succeed", ["wf 00"], held={"resume": ONGOING})
    yield Case("workflow-fails", begin, "failed", ["wf 00"], held={"resume": ONGOING},
               reason="^no stock$")


def all_cases():
    return [*sagas(), *messages(), *second_phases(), *workflows()]
