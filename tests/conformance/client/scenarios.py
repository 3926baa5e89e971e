"""Transactions, and how coordinator and branches answer each of their requests, from tables.

A scenario is data. Branches have names, and the runner makes URLs of them; a name with `!` at its
end is a service that nobody runs.
"""

from dataclasses import dataclass, field
from itertools import chain

WIRES = ("http", "json-rpc", "grpc")
# Every answer of a coordinator or a branch. `drop`: the connection ends without an answer.
ANSWERS = ("failure", "ongoing", "error", "busy", "oldfailure", "oldongoing", "drop")
# The answers to calls of a real coordinator, which come before an ok. `hang`: never.
CALLED = ("failure", "ongoing", "error", "drop", "hang")


@dataclass(eq=False)
class Scenario:
    name: str
    transaction: dict
    answers: dict = field(default_factory=dict)  # operation or branch -> words
    wires: tuple = WIRES
    unreachable: bool = False   # the coordinator is not there
    like: str = ""  # the scenario in which the SDK sends what ours has to send in this one
    ends: bool = True       # with a real coordinator, while the test waits
    slow: bool = False      # takes more than ten seconds there


def saga(steps=2, **more):
    return {"mode": "saga", **more,
            "branches": [{"name": f"n{i}", "action": f"a{i}", "compensate": f"c{i}"}
                         for i in range(1, steps + 1)]}


def msg(steps=2, **more):
    return {"mode": "msg", **more,
            "branches": [{"name": f"n{i}", "action": f"a{i}"} for i in range(1, steps + 1)]}


def two_phase_msg(work="", **more):
    return msg(query="query", work=work, **more)


def tcc(branches=2, **more):
    return {"mode": "tcc", **more,
            "branches": [{"name": f"n{i}", "try": f"t{i}", "confirm": f"f{i}", "cancel": f"b{i}"}
                         for i in range(1, branches + 1)]}


def refused(transaction, branch):
    """The transaction with one branch at a service that nobody runs."""
    branches = [{key: value + "!" if value == branch else value for key, value in each.items()}
                for each in transaction["branches"]]
    return {**transaction, "branches": branches}


def xa(branches=2, **more):
    return {"mode": "xa", **more,
            "branches": [{"name": f"n{i}", "action": f"a{i}"} for i in range(1, branches + 1)]}


def workflow(steps=2, **more):
    """Steps are calls, or `local`; so are their commits and rollbacks."""
    return {"mode": "workflow", **more,
            "branches": [{"name": f"n{i}", "action": f"a{i}", "commit": f"f{i}",
                          "rollback": f"b{i}"} for i in range(1, steps + 1)]}


OPTIONS = {
    "wait_result": {"wait_result": True},
    "timeout_to_fail": {"timeout_to_fail": 7},
    "retry_interval": {"retry_interval": 8},
    "retry_limit": {"retry_limit": 3},
    "request_timeout": {"request_timeout": 9},
    "branch_headers": {"branch_headers": {"x-shop": "north", "X-Trace": "a b"}},
    "all": {"wait_result": True, "timeout_to_fail": 7, "retry_interval": 8, "retry_limit": 3,
            "request_timeout": 9, "branch_headers": {"x-shop": "north"}},
}


def answered(transaction, *names):
    """The transaction with every answer to each of these requests."""
    for name in names:
        for word in ANSWERS:
            yield f"{name}-{word}", transaction, {name: [word]}


def hanging(transaction, *names):
    """The transaction without any answer to one of these requests."""
    for name in names:
        yield f"{name}-hang", {**transaction, "client_timeout": 2}, {name: ["hang"]}


def sagas():
    for steps in (1, 2, 3):
        yield f"{steps}-steps", saga(steps), {}
    yield from answered(saga(), "submit")
    yield from hanging(saga(), "submit")
    for name, options in OPTIONS.items():
        yield f"option-{name}", saga(options=options), {}
    concurrent = {"concurrent": True}
    yield "concurrent", saga(options=concurrent), {}
    yield "orders", saga(3, options=concurrent, orders={"2": [0, 1], "1": [0]}), {}
    yield "orders-not-concurrent", saga(orders={"1": [0]}), {}
    without = saga()
    without["branches"][0]["compensate"] = without["branches"][1]["action"] = ""
    yield "no-urls", without, {}


def messages():
    for steps in (1, 2, 3):
        yield f"{steps}-steps", msg(steps), {}
    yield from answered(msg(), "submit")
    for name, options in OPTIONS.items():
        yield f"option-{name}", two_phase_msg(options=options), {}
    yield "concurrent", msg(options={"concurrent": True}), {}
    yield "delay", msg(delay=5), {}
    yield "delay-two-phase", two_phase_msg(delay=5), {}
    topic = msg()
    topic["branches"][1] = {"name": "n2", "topic": "news"}
    yield "topic", topic, {}
    for work in ("", "failure", "error"):
        yield f"work-{work or 'ok'}", two_phase_msg(work), {}
    for work, names in (("", ("prepare", "submit")), ("failure", ("abort",)),
                        ("error", ("query", "submit"))):
        transaction = two_phase_msg(work)
        for name, row, answers in chain(answered(transaction, *names),
                                        hanging(transaction, names[0])):
            yield f"work-{work or 'ok'}-{name}", row, answers
    yield "work-error-query-refused", {**two_phase_msg("error"), "query": "query!"}, {}
    yield "query-headers", two_phase_msg("error", options=OPTIONS["branch_headers"]), {}


def tccs():
    for branches in (0, 1, 2, 3):
        yield f"{branches}-branches", tcc(branches), {}
    for name, options in OPTIONS.items():
        yield f"option-{name}", tcc(options=options), {}
    yield from answered(tcc(), "prepare", "registerBranch", "t1", "t2", "submit")
    yield from hanging(tcc(), "prepare", "registerBranch", "t2", "submit")
    for work in ("failure", "error"):
        yield f"work-{work}", tcc(work=work), {}
        for name, transaction, answers in answered(tcc(work=work), "abort"):
            yield f"work-{work}-{name}", transaction, answers
    yield "try-refused", refused(tcc(), "t2"), {}
    without = tcc()  # an empty try ends the SDK
    without["branches"][0]["cancel"] = without["branches"][1]["confirm"] = ""
    yield "no-urls", without, {}


def xas():
    for branches in (0, 1, 2):
        yield f"{branches}-branches", xa(branches), {}
    yield "options", xa(options=OPTIONS["all"]), {}
    yield from answered(xa(), "prepare", "a2", "submit")
    yield from hanging(xa(), "prepare", "a2", "submit")
    for work in ("failure", "error"):
        yield f"work-{work}", xa(work=work), {}
    yield from answered(xa(work="failure"), "abort")
    yield from hanging(xa(work="failure"), "abort")
    yield "branch-refused", refused(xa(), "a2"), {}


# What makes the SDK's program end: answers without a transaction, and FAILURE of a commit.
ENDS_THE_SDK = ["prepareWorkflow-oldfailure", "prepareWorkflow-oldongoing", "f1-failure",
                "f1-oldfailure", "b1-failure", "b1-oldfailure"]


def workflows():
    for steps in (1, 2):
        yield f"{steps}-steps", workflow(steps), {}
    yield "options", workflow(options=OPTIONS["all"]), {}
    for name, row, answers in answered(workflow(), "prepareWorkflow", "a2", "registerBranch", "f1",
                                       "submit"):
        if name not in ENDS_THE_SDK:
            yield name, row, answers
    for name, row, answers in answered(workflow(), "b1", "submit"):
        if name not in ENDS_THE_SDK:
            yield f"rolled-back-{name}", row, {"a2": ["failure"], **answers}
    yield "branch-refused", refused(workflow(), "a2"), {}
    local = workflow(1)
    local["branches"][0].update({"action": "local", "commit": "local", "rollback": "local"})
    yield "local", local, {}


def scenarios_of(name, transaction, answers):
    """One, or two where ours sends something else than the SDK on purpose."""
    operation, _, word = name.rpartition("-")
    if word == "hang":
        # The SDK waits for ever. Ours gives up, as if the connection had ended.
        yield Scenario(name, transaction, answers, like=f"{operation}-drop")
    elif word == "oldfailure" and not {"query", "t1", "t2"} & set(answers):
        # Over JSON-RPC the SDK looks for `error` alone.
        yield Scenario(name, transaction, answers, ("http", "grpc"))
        yield Scenario(name, transaction, answers, ("json-rpc",), like=f"{operation}-failure")
    else:
        yield Scenario(name, transaction, answers)


# Over gRPC the SDK rolls a workflow back, if a step has the old ongoing or is refused by the
# coordinator. Ours does as both do over HTTP: the workflow is resumed later.
RESUMED_LATER = {"a2-oldongoing": "a2-ongoing", "registerBranch-failure": "registerBranch-error",
                 "registerBranch-oldfailure": "registerBranch-error",
                 "registerBranch-oldongoing": "registerBranch-error"}


def workflow_scenarios():
    for name, row, answers in workflows():
        if name in RESUMED_LATER:
            yield Scenario(f"workflow-{name}", row, answers, ("http",))
            yield Scenario(f"workflow-{name}", row, answers, ("grpc",),
                           like=f"workflow-{RESUMED_LATER[name]}")
        else:
            yield Scenario(f"workflow-{name}", row, answers, ("http", "grpc"))


def requests():
    """What clients send to a coordinator, and to branches, that follow a script."""
    for mode, rows, transaction in (("saga", sagas, saga()), ("msg", messages, two_phase_msg()),
                                    ("tcc", tccs, tcc()), ("xa", xas, xa())):
        for name, row, answers in rows():
            yield from scenarios_of(f"{mode}-{name}", row, answers)
        yield Scenario(f"{mode}-coordinator-refused", transaction, unreachable=True)
    yield from workflow_scenarios()


def new_gids():
    """The same gid in each of them."""
    for mode, transaction in (("saga", saga()), ("msg", msg()), ("tcc", tcc())):
        yield Scenario(f"{mode}-new-gid", {**transaction, "gid": ""}, wires=("http", "grpc"))


# Retried soon, and the result is waited for. Nothing but a `hang` takes ten seconds.
QUICK = {"wait_result": True, "retry_interval": 1, "request_timeout": 10}


def called(name, transaction, branch, **others):
    """The transaction with every answer to a call that a coordinator makes."""
    impatient = {**transaction, "options": {**QUICK, "request_timeout": 2}}
    for word in CALLED:
        yield Scenario(f"{name}-{branch}-{word}", impatient if word == "hang" else transaction,
                       {**others, branch: [word, "ok"]})
    yield Scenario(f"{name}-{branch}-refused", refused(transaction, branch), others, ends=False)


def at_coordinators():
    """What real coordinators make of the transactions of clients."""
    yield from sagas_called()
    yield from messages_called()
    yield from tccs_called()
    yield from workflows_called()


def sagas_called():
    transaction = saga(options=QUICK)
    yield Scenario("saga", transaction)
    yield from called("saga", transaction, "a1")
    yield from called("saga", transaction, "a2")
    yield from called("saga", transaction, "c1", a2=["failure"])


def messages_called():
    yield Scenario("msg", msg(options=QUICK))
    yield from called("msg", msg(options=QUICK), "a2")
    for work in ("", "failure", "error"):
        yield Scenario(f"msg-work-{work or 'ok'}", two_phase_msg(work, options=QUICK))
    # A coordinator asks, too, if the client could not find out.
    asked = {**QUICK, "timeout_to_fail": 3}
    for word in ("failure", "ongoing", "error", "drop"):
        yield Scenario(f"msg-query-{word}", two_phase_msg("error", options=asked),
                       {"query": [word, "ok"]}, ("http", "grpc"), slow=word != "failure")


def tccs_called():
    transaction = tcc(options=QUICK)
    yield Scenario("tcc", transaction)
    for word in ("failure", "ongoing", "error", "drop"):
        yield Scenario(f"tcc-t2-{word}", transaction, {"t2": [word]})
    yield from called("tcc", transaction, "f1")
    yield from called("tcc", transaction, "b1", t2=["failure"])
    yield Scenario("tcc-t2-refused", refused(transaction, "t2"))


def workflows_called():
    """Those that end without being resumed."""
    yield Scenario("workflow", workflow(), wires=("http", "grpc"))
    for branch in ("a1", "a2"):
        yield Scenario(f"workflow-{branch}-failure", workflow(), {branch: ["failure"]},
                       ("http", "grpc"))
