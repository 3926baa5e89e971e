"""Sequences of requests to a coordinator, generated from tables.

A sequence is data: what its branches answer, and the requests in their order. `$GID` and `$B` in
texts stand for its gid and for the URL of its branches.
"""

import itertools
from dataclasses import dataclass, field

SUCCESS = (200, '{"dtm_result":"SUCCESS"}')
FAILURE = (409, "no money")
ONGOING = (425, "wait")
ERROR = (500, "oops")

# The answers that a branch may give (page 01, section 5), by name.
ANSWERS = {
    "failure": FAILURE,
    "failure-in-body": (200, '{"dtm_result":"FAILURE"}'),
    "failure-suffixed": (409, "no money FAILURE"),
    "ongoing": ONGOING,
    "ongoing-in-body": (200, '{"dtm_result":"ONGOING"}'),
    "ongoing-before-failure": (409, "ONGOING"),
    "error": ERROR,
    "created": (201, "made"),
    "not-found": (404, "no such page"),
}


@dataclass
class Request:
    method: str
    path: str
    body: object = None   # JSON value, or text that is sent as it is
    text: bool = True     # False: messages may differ; only status and shape are compared


@dataclass
class Sequence:
    name: str
    requests: list
    replies: dict = field(default_factory=dict)  # branch -> answers, used one after the other
    always: dict = field(default_factory=dict)   # branch -> its answer to every call
    ordered: bool = True                         # False: branches are called at the same time


def post(operation, body, text=True):
    return Request("POST", "/api/dtmsvr/" + operation, body, text)


def get(target, text=True):
    return Request("GET", "/api/dtmsvr/" + target, None, text)


QUERY = get("query?gid=$GID")


def saga(count, **fields):
    return {"gid": "$GID", "trans_type": "saga", "wait_result": True, **fields,
            "steps": [{"action": f"$B/a{i}", "compensate": f"$B/c{i}"}
                      for i in range(1, count + 1)],
            "payloads": [f'{{"amount":{i}}}' for i in range(1, count + 1)]}


def msg(count, **fields):
    return {"gid": "$GID", "trans_type": "msg", "wait_result": True, **fields,
            "steps": [{"action": f"$B/a{i}"} for i in range(1, count + 1)],
            "payloads": [f'{{"amount":{i}}}' for i in range(1, count + 1)]}


def trans(kind, **fields):
    return {"gid": "$GID", "trans_type": kind, **fields}


def branch(kind, number):
    own = {"tcc": {"confirm": f"$B/f{number}", "cancel": f"$B/b{number}"},
           "xa": {"url": f"$B/u{number}"},
           "workflow": {"op": "action", "status": "succeed"}}[kind]
    return {"gid": "$GID", "trans_type": kind, "branch_id": f"0{number}",
            "data": f'{{"amount":{number}}}', **own}


def sagas():
    for count in (1, 2, 3):
        yield Sequence(f"saga-{count}", [post("submit", saga(count)), QUERY])
        for step, (name, answer) in itertools.product(range(1, count + 1), ANSWERS.items()):
            yield Sequence(f"saga-{count}-step-{step}-{name}", [post("submit", saga(count)), QUERY],
                           {f"a{step}": [answer]})
    for name, answer in ANSWERS.items():
        yield Sequence(f"saga-compensation-{name}", [post("submit", saga(2)), QUERY],
                       {"a2": [FAILURE], "c1": [answer]})
    for limit in (1, 2):
        yield Sequence(f"saga-retry-limit-{limit}",
                       [post("submit", saga(2, retry_limit=limit)), QUERY], always={"a2": ERROR})
    # A failure next to a running step is left out, because either may come first.
    concurrent = '{"concurrent":true}'
    ordered = '{"concurrent":true,"orders":{"2":[0,1]}}'
    for name, custom, replies in (("concurrent", concurrent, {}), ("ordered", ordered, {}),
                                  ("ordered-fails", ordered, {"a3": [FAILURE]})):
        yield Sequence(f"saga-{name}", [post("submit", saga(3, custom_data=custom)), QUERY],
                       replies, ordered=False)
    empty = saga(2)
    empty["steps"][0]["compensate"] = empty["steps"][1]["action"] = ""
    yield Sequence("saga-empty-urls", [post("submit", empty), QUERY])


def messages():
    for count in (1, 2, 3):
        yield Sequence(f"msg-{count}", [post("submit", msg(count)), QUERY])
        yield Sequence(f"msg-{count}-two-phase", [
            post("prepare", msg(count)), QUERY,
            post("submit", trans("msg", wait_result=True)), QUERY])
    for step, (name, answer) in itertools.product((1, 2), ANSWERS.items()):
        yield Sequence(f"msg-step-{step}-{name}", [post("submit", msg(2)), QUERY],
                       {f"a{step}": [answer]})
    yield Sequence("msg-concurrent", [post("submit", msg(3, concurrent=True)), QUERY],
                   ordered=False)
    yield Sequence("msg-delayed", [post("submit", msg(1, custom_data='{"delay":60}')), QUERY])
    yield Sequence("msg-aborted", [post("prepare", msg(1)), post("abort", trans("msg")), QUERY])
    legacy = {"gid": "$GID", "trans_type": "msg", "wait_result": True,
              "steps": [{"action": "$B/a1", "data": "legacy"}]}
    yield Sequence("msg-legacy-data", [post("submit", legacy), QUERY])


def second_phases():
    for kind, forward, backward in (("tcc", "f", "b"), ("xa", "u", "u")):
        for count in (0, 1, 2, 3):
            registered = [post("registerBranch", branch(kind, i)) for i in range(1, count + 1)]
            submit = post("submit", trans(kind, wait_result=True))
            yield Sequence(f"{kind}-{count}-submit",
                           [post("prepare", trans(kind)), *registered, QUERY, submit, QUERY])
            yield Sequence(f"{kind}-{count}-abort",
                           [post("prepare", trans(kind, wait_result=True)), *registered,
                            post("abort", trans(kind, rollback_reason="why")), QUERY])
        two = [post("registerBranch", branch(kind, i)) for i in (1, 2)]
        for number, (name, answer) in itertools.product((1, 2), ANSWERS.items()):
            yield Sequence(f"{kind}-submit-{number}-{name}",
                           [post("prepare", trans(kind)), *two,
                            post("submit", trans(kind, wait_result=True)), QUERY],
                           {f"{forward}{number}": [answer]})
            yield Sequence(f"{kind}-abort-{number}-{name}",
                           [post("prepare", trans(kind, wait_result=True)), *two,
                            post("abort", trans(kind)), QUERY],
                           {f"{backward}{number}": [answer]})
        yield Sequence(f"{kind}-registered-twice",
                       [post("prepare", trans(kind)), two[0], two[0], QUERY])


WORKFLOW = {"gid": "$GID", "trans_type": "workflow", "query_prepared": "$B/resume",
            "custom_data": '{"name":"wf","data":"eyJhIjoxfQ=="}'}


def end(status, **extra):
    return post("submit", trans("workflow", req_extra={"status": status, **extra}))


def workflows():
    start = post("prepareWorkflow", WORKFLOW)
    steps = [post("registerBranch", branch("workflow", i)) for i in (1, 2)]
    succeed, fail = end("succeed", result="cjE="), end("failed", rollback_reason="bad")
    yield Sequence("workflow-succeeds", [start, *steps, start, succeed, start])
    yield Sequence("workflow-fails", [start, *steps, fail, start, QUERY])
    yield Sequence("workflow-ends-once", [start, end("succeed"), end("failed"), steps[0]])
    yield Sequence("workflow-unknown", [end("succeed")])
    yield Sequence("workflow-aborted", [start, post("abort", trans("workflow")), QUERY])
    yield Sequence("workflow-stopped", [start, post("forceStop", {"gid": "$GID"}), QUERY, start])


# How a transaction of a mode reaches a status: the requests, and what the branches always answer.
STATES = {
    "saga": {
        "prepared": ([post("prepare", saga(1))], {}),
        "submitted": ([post("submit", saga(1))], {"a1": ONGOING}),
        "aborting": ([post("submit", saga(1))], {"a1": FAILURE, "c1": ONGOING}),
        "succeed": ([post("submit", saga(1))], {}),
        "failed": ([post("submit", saga(1))], {"a1": FAILURE}),
    },
    "msg": {
        "prepared": ([post("prepare", msg(1))], {}),
        "submitted": ([post("submit", msg(1))], {"a1": ONGOING}),
        "succeed": ([post("submit", msg(1))], {}),
        "failed": ([post("prepare", msg(1)), post("abort", trans("msg"))], {}),
    },
}
for _kind, _forward, _backward in (("tcc", "f1", "b1"), ("xa", "u1", "u1")):
    _begin = [post("prepare", trans(_kind, wait_result=True)),
              post("registerBranch", branch(_kind, 1))]
    _submit, _abort = (post(op, trans(_kind, wait_result=True)) for op in ("submit", "abort"))
    STATES[_kind] = {
        "prepared": (_begin, {}),
        "submitted": ([*_begin, _submit], {_forward: ONGOING}),
        "aborting": ([*_begin, _abort], {_backward: ONGOING}),
        "succeed": ([*_begin, _submit], {}),
        "failed": ([*_begin, _abort], {}),
    }


def states():
    """Every request in every status (page 01, section 4.1)."""
    for kind, statuses in STATES.items():
        again = {"saga": saga(1), "msg": msg(1)}.get(kind, trans(kind, wait_result=True))
        asked = {
            "prepare": post("prepare", again),
            "abort": post("abort", trans(kind, rollback_reason="late")),
            "force-stop": post("forceStop", {"gid": "$GID"}),
            "reset": post("resetNextCronTime", {"gid": "$GID"}),
        }
        if kind in ("tcc", "xa"):
            asked["register"] = post("registerBranch", branch(kind, 2))
        for (status, (begin, always)), (name, request) in itertools.product(
                statuses.items(), asked.items()):
            yield Sequence(f"{kind}-{status}-{name}", [*begin, request, QUERY], always=always)
        for status, (begin, always) in statuses.items():
            if status not in ("submitted", "prepared"):
                yield Sequence(f"{kind}-{status}-submit", [*begin, post("submit", again), QUERY],
                               always=always)


# Every option that a request may have besides those of the modes above, each with a value.
OPTIONS = {
    "timeout-to-fail": {"timeout_to_fail": 3}, "request-timeout": {"request_timeout": 7},
    "retry-interval": {"retry_interval": 30}, "retry-limit": {"retry_limit": 4},
    "branch-headers": {"branch_headers": {"X-Shop": "north"}}, "no-wait": {"wait_result": False},
    "protocol-http": {"protocol": "http"}, "protocol-json-rpc": {"protocol": "json-rpc"},
    "null": dict.fromkeys(("timeout_to_fail", "request_timeout", "retry_interval", "retry_limit",
                           "branch_headers", "concurrent", "custom_data", "protocol")),
}


def options():
    """What is stored and shown of an option. Its effect takes time and is tested elsewhere."""
    for name, fields in OPTIONS.items():
        yield Sequence(f"option-saga-{name}", [post("submit", saga(1, **fields)), QUERY])
        yield Sequence(f"option-msg-{name}", [post("prepare", msg(1, **fields)), QUERY])
        yield Sequence(f"option-tcc-{name}", [post("prepare", trans("tcc", **fields)), QUERY])


def other_requests():
    for kind, operation in (("tcc", "registerTccBranch"), ("xa", "registerXaBranch")):
        yield Sequence(f"{kind}-old-register", [
            post("prepare", trans(kind)), post(operation, branch(kind, 1)), QUERY,
            post("submit", trans(kind, wait_result=True)), QUERY])
    # Branches of nested TCC have longer ids. They are called in the order of their registration,
    # too.
    nested = [post("registerBranch", {**branch("tcc", 1), "branch_id": number})
              for number in ("01", "0101", "0102", "02")]
    for operation in ("submit", "abort"):
        yield Sequence(f"tcc-nested-{operation}", [
            post("prepare", trans("tcc", wait_result=True)), *nested,
            post(operation, trans("tcc", wait_result=True)), QUERY])
    yield Sequence("all-by-gid", [post("submit", saga(1)), get("all?gid=$GID"),
                                  get("all?gid=$GID&position=p&status=failed")])
    yield Sequence("reset-cron-time", [get("resetCronTime?timeout=1000000000&limit=5")])
    yield Sequence("kv-of-nothing", [get("queryKV?cat=$GID"), get("queryKV?cat=$GID&key=k"),
                                     get("scanKV?cat=$GID&limit=1")])
    for method in ("GET", "POST", "DELETE"):
        yield Sequence(f"ping-{method}", [Request(method, "/api/ping")])


def odd_requests():
    for operation in ("abort", "forceStop", "resetNextCronTime"):
        yield Sequence(f"unknown-{operation}", [post(operation, trans("msg"))])
    yield Sequence("unknown-query", [QUERY, get("all?gid=$GID")])
    yield Sequence("query-without-gid", [get("query"), get("query?gid=")])
    for name, body in (("empty", ""), ("no-json", "{"), ("wrong-type", {"gid": 1})):
        for operation in ("prepare", "submit", "registerBranch"):
            yield Sequence(f"bad-body-{name}-{operation}", [post(operation, body, text=False)])
    nope = trans("nope")
    yield Sequence("unknown-mode", [post(op, nope, text=False) for op in ("prepare", "submit")])
    yield Sequence("register-unknown-mode", [post("registerBranch", {**nope, "branch_id": "01"})])
    yield Sequence("register-unknown-gid", [post("registerBranch", branch("tcc", 1))])
    yield Sequence("gid-is-cleaned", [post("submit", {**saga(1), "gid": "$GID;\n"}), QUERY])
    for target in ("all?limit=abc", "all?createTimeStart=abc", "resetCronTime?timeout=abc",
                   "resetCronTime?limit=abc", "scanKV?limit=abc"):
        yield Sequence("bad-number-" + target.split("=")[0].replace("?", "-"), [get(target)])
    for method, path in (("GET", "submit"), ("POST", "query"), ("PUT", "submit"),
                         ("POST", "nope")):
        yield Sequence(f"no-route-{method}-{path}", [Request(method, "/api/dtmsvr/" + path, "{}")])


def topics():
    yield Sequence("topics-refused", [
        get("subscribe"), get("subscribe?topic=$GID"), get("unsubscribe"),
        get("unsubscribe?topic=$GID"), get("unsubscribe?topic=$GID&url=$B/u"),
        get("subscribe?topic=$GID&url=$B/u1&remark=r"), get("subscribe?topic=$GID&url=$B/u1"),
        get("unsubscribe?topic=$GID&url=$B/u2"), get("unsubscribe?topic=$GID&url=$B/u1"),
        get("unsubscribe?topic=$GID&url=$B/u1"), get("queryKV?cat=topics&key=$GID"),
        Request("DELETE", "/api/dtmsvr/topic/$GID"), Request("DELETE", "/api/dtmsvr/topic/$GID"),
        Request("DELETE", "/api/dtmsvr/topic/")])
    unknown = {"gid": "$GID", "trans_type": "msg", "steps": [{"action": "topic://$GID"}],
               "payloads": ["p"]}
    yield Sequence("topic-unknown", [post("submit", unknown), QUERY])


def rpc(method, params, call_id="i1", version="2.0", text=True):
    return Request("POST", "/api/json-rpc",
                   {"jsonrpc": version, "id": call_id, "method": method, "params": params}, text)


def json_rpc():
    yield Sequence("rpc-tcc", [
        rpc("prepare", trans("tcc")), rpc("registerBranch", branch("tcc", 1)),
        rpc("submit", trans("tcc", wait_result=True)), QUERY, rpc("submit", trans("tcc")),
        rpc("abort", trans("tcc"))])
    yield Sequence("rpc-saga-fails", [rpc("submit", saga(2)), QUERY], {"a2": [FAILURE]})
    yield Sequence("rpc-ongoing", [
        rpc("prepare", trans("xa")), rpc("registerBranch", branch("xa", 1)),
        rpc("submit", trans("xa", wait_result=True))], {"u1": [ONGOING]})
    yield Sequence("rpc-unknown", [rpc("nope", {}), rpc("abort", trans("msg")),
                                   rpc("registerBranch", branch("tcc", 1))])
    yield Sequence("rpc-bad", [
        rpc("newGid", {}, "", text=False), rpc("newGid", {}, "i", "1.0", False),
        Request("POST", "/api/json-rpc", "{", False), Request("POST", "/api/json-rpc", [], False)])
    yield Sequence("rpc-params", [
        *(rpc("newGid", params, text=False) for params in ([], [1], "", None)),
        Request("POST", "/api/json-rpc", {"jsonrpc": "2.0", "id": "i", "method": "newGid"}, False),
        *(rpc(method, params, text=False)
          for method in ("prepare", "submit", "abort", "registerBranch") for params in ([], "x"))])


def all_sequences():
    found = [*sagas(), *messages(), *second_phases(), *workflows(), *states(), *options(),
             *other_requests(), *odd_requests(), *topics(), *json_rpc()]
    names = [sequence.name for sequence in found]
    assert len(set(names)) == len(names), "two sequences have one name"
    return found
