"""Requests that both have to refuse: the description by its schemas, the server by its answer.

Without them a schema could lose a limit, or have one that the server does not know.
"""

import json

from description import mismatch
from witness import was_refused

SAGA = {"gid": "refused-saga", "trans_type": "saga", "payloads": ["p"], "steps": [{"action": ""}]}
WORKFLOW = {"gid": "refused-workflow", "trans_type": "workflow", "custom_data": '{"name":"w"}'}
BRANCH = {"gid": "refused-tcc", "trans_type": "tcc", "branch_id": "01"}
STEP = {"gid": "refused-workflow", "trans_type": "workflow", "branch_id": "01", "op": "action",
        "status": "succeed"}
ROW = {"branchId": "01", "op": "action"}
LONG_URL = "u" * 8193
TOO_MANY = 2**31

# Without a fault the same requests are accepted.
FAULTLESS_BEFORE = (("prepare", {"gid": "refused-tcc", "trans_type": "tcc"}),
                    ("prepareWorkflow", WORKFLOW))
FAULTLESS_AFTER = (("registerBranch", BRANCH), ("registerBranch", STEP), ("submit", SAGA),
                   ("submit", {**WORKFLOW, "req_extra": {"status": "succeed"}}))


def _bodies():
    """Path and body of each request. Each body has one fault."""
    for name in ("prepare", "submit"):
        for fault in (
                {"gid": ""}, {"gid": None}, {"gid": 1}, {"gid": "g" * 129},
                {"trans_type": ""}, {"trans_type": "nope"}, {"protocol": "smoke"},
                {"steps": {}}, {"steps": ["a"]}, {"steps": [{"action": 1}]},
                {"steps": [{"action": LONG_URL}]}, {"steps": [{"compensate": LONG_URL}]},
                {"steps": [{}] * 10001, "payloads": [""] * 10001}, {"payloads": [1]},
                {"custom_data": " " * 65535 + "{}"}, {"custom_data": {}},
                {"query_prepared": LONG_URL}, {"wait_result": 1}, {"concurrent": "true"},
                {"branch_headers": {"a": 1}}, {"branch_headers": ["a"]}, {"rollback_reason": 1},
                {"branch_headers": {f"h{number}": "v" for number in range(257)}},
                {"payloads": [""] * 20001},
                {"timeout_to_fail": -1}, {"timeout_to_fail": TOO_MANY}, {"timeout_to_fail": 1.5},
                {"request_timeout": -1}, {"request_timeout": TOO_MANY}, {"request_timeout": "1"},
                {"retry_interval": -1}, {"retry_interval": TOO_MANY}, {"retry_interval": True},
                {"retry_limit": -1}, {"retry_limit": TOO_MANY}, {"req_extra": {"status": 1}}):
            yield name, {**SAGA, **fault}
        yield name, _without(SAGA, "gid")
        yield name, _without(SAGA, "trans_type")
    for name in ("abort", "forceStop", "resetNextCronTime"):
        for body in ({}, {"gid": ""}, {"gid": "g" * 129}, {"gid": 1}, []):
            yield name, body
    for extra in (None, {}, {"status": "prepared"}, {"status": "succeed", "result": "r" * 65537}):
        yield "submit", {**WORKFLOW, "req_extra": extra}
    yield "prepareWorkflow", {**WORKFLOW, "trans_type": "saga"}
    for name in ("prepareWorkflow", "prepare"):
        yield name, {**WORKFLOW, "gid": "refused-new", "custom_data": None}
    for fault in ({"gid": ""}, {"gid": "g" * 129}, {"gid": 1}, {"trans_type": "saga"},
                  {"branch_id": ""}, {"branch_id": "b" * 129}, {"confirm": LONG_URL},
                  {"cancel": LONG_URL}, {"data": 1}, {"unknown": 1}, {"sync": True}):
        yield "registerBranch", {**BRANCH, **fault}
    yield "registerBranch", {**BRANCH, "trans_type": "xa", "url": LONG_URL}
    for body in (BRANCH, STEP):
        yield from (("registerBranch", _without(body, member)) for member in body)
    for fault in ({"op": ""}, {"op": "o" * 46}, {"op": None}, {"status": "aborting"},
                  {"status": None}):
        yield "registerBranch", {**STEP, **fault}


def _without(body, member):
    return {name: value for name, value in body.items() if name != member}


def _actions():
    """The same for operators' actions."""
    for fault in ({}, {"gid": ""}, {"gid": 1}, {"gids": []}, {"gids": "a"}, {"gids": ["g"] * 1001},
                  {"select": []}, {"select": {"statu": "x"}}, {"select": {"status": "failed"}},
                  {"select": {"status": 1}}, {"select": {"minAge": "x"}},
                  {"select": {"minAge": {}}},
                  {"select": {"minAge": -1}}, {"select": {"maxAge": 0}},
                  {"select": {"target": None}}, {"select": {}, "dryRun": None},
                  {"gid": "g", "gids": ["h"]}, {"gid": "g", "select": {}},
                  {"select": {}, "limit": 0}, {"select": {}, "limit": "1"},
                  {"select": {}, "dryRun": 1}, {"gid": "g", "reason": 1},
                  {"gid": "g", "reason": "r" * 1025}, {"gid": "g", "unknown": 1}):
        for name in ("retry", "stop"):
            yield f"/api/concerto/{name}", fault
        yield "/api/concerto/skip", {"reason": "r", **ROW, **fault}
    for fault in ({"reason": ""}, {"reason": None}, {"branchId": 1}, {"op": "o" * 46}):
        yield "/api/concerto/skip", {"gid": "g", "reason": "r", **ROW, **fault}
    for named in ({"gid": "g"}, {"gids": ["g"]}, {"select": {}}):
        for member in ROW:
            yield "/api/concerto/skip", {**named, "reason": "r", **_without(ROW, member)}
    for member in ROW:
        yield "/api/concerto/edit", {"gid": "g", "payload": "p", "reason": "r",
                                     **_without(ROW, member)}
    for fault in ({"gid": None}, {"gid": ""}, {"branchId": 1}, {"op": "o" * 46}, {"url": ""},
                  {"url": "u" * 8193}, {"url": 1}, {"payload": 1}, {"payloadBase64": 1},
                  {"reason": ""}, {"reason": "r" * 1025}, {"dryRun": "no"}, {"unknown": 1}):
        yield "/api/concerto/edit", {"gid": "g", "url": "http://127.0.0.1:9/e", "reason": "r",
                                     **ROW, **fault}
    for member in ("target", "lastError", "topic", "owner", "status", "transType"):
        for name in ("retry", "stop"):
            yield f"/api/concerto/{name}", {"select": {member: ""}}
    for fault in ({"kind": "planet"}, {"kind": None}, {"value": None}, {"dryRun": 1},
                  {"value": ""}, {"value": 1}, {"value": "v" * 101}, {"reason": 1}, {"unknown": 1}):
        for name in ("pause", "resume"):
            yield f"/api/concerto/{name}", {"kind": "target", "value": "none", **fault}
    for body in ({}, {"id": 1}, {"id": ""}, {"id": "a", "unknown": 1}):
        yield "/api/concerto/cancelJob", body
    for body in ({"reason": 1}, {"reason": "r" * 1025}, {"unknown": 1}, []):
        yield "/api/concerto/begin", body
    for body in ({"name": "../x"}, {"name": "/x"}, {"name": ""}, {"name": ".."}, {"name": 1},
                 {"name": "a.partial"}, {"name": "n" * 101}, {"base": "../x"}, {"base": None},
                 {"full": 1}, {"reason": 1}, {"reason": "r" * 1025}, {"unknown": 1}, []):
        yield "/api/concerto/backup", body


def _calls():
    """The same for JSON-RPC."""
    good = {"jsonrpc": "2.0", "id": "1", "method": "submit", "params": SAGA}
    for fault in ({"jsonrpc": "1.0"}, {"jsonrpc": None}, {"id": ""}, {"id": True}, {"id": None},
                  {"method": "query"}, {"method": None}, {"params": []}, {"params": None}):
        yield {**good, **fault}
    for method, params in (("prepare", {**SAGA, "gid": ""}), ("submit", {**SAGA, "gid": ""}),
                           ("abort", {}), ("registerBranch", {**BRANCH, "branch_id": ""})):
        yield {**good, "method": method, "params": params}


def _targets():
    for name in ("subscribe", "unsubscribe"):
        for query in ("", "topic=t", "url=u", "topic=&url=u", "topic=t&url=",
                      f"topic={'t' * 129}&url=u", f"topic=t&url={LONG_URL}"):
            yield f"/api/dtmsvr/{name}?{query}"
    for target in ("query", "query?gid=", "all?limit=x", "all?createTimeStart=x",
                   "all?createTimeEnd=1.5", "all?minAge=x", "all?explain=x",
                   "all?status=x", "all?transType=x", "all?target=", "all?lastError=", "all?topic=",
                   "all?owner=", "all?minAge=-1", "all?maxAge=0", "all?explain=",
                   f"all?target={'t' * 1025}", "resetCronTime?timeout=x", "resetCronTime?limit=x",
                   "scanKV?limit=x"):
        yield f"/api/dtmsvr/{target}"
    yield "/api/concerto/audit?limit=x"
    for query in ("by=x", "minAge=x", "minAge=-1", "maxAge=x", "maxAge=0", "status=x",
                  "status=failed", "transType=x", f"target={'t' * 1025}", "target=", "lastError=",
                  "topic=", "owner=", "status=", "transType=", "by="):
        yield f"/api/concerto/count?{query}"
    yield "/api/concerto/damaged?limit=x"
    yield "/api/concerto/jobs?limit=x"
    yield "/api/concerto/why"
    yield "/api/concerto/why?gid="


def disagreements(witness, description):
    """Sends all requests. Yields a text for each that only one of the two refuses."""
    yield from _faultless(witness, FAULTLESS_BEFORE)
    posts = [*((f"/api/dtmsvr/{name}", body) for name, body in _bodies()),
             *_actions(), *(("/api/json-rpc", call) for call in _calls())]
    for path, body in posts:
        operation = description.find("POST", path)
        if operation is None or mismatch(operation.request_schema, body) is None:
            yield f"POST {path}: the description does not refuse {json.dumps(body)[:300]}"
        if not was_refused(witness.post(path, body)):
            yield f"POST {path}: the server does not refuse {json.dumps(body)[:300]}"
    for target in _targets():
        path, _, query = target.partition("?")
        operation = description.find("GET", path)
        if operation is None or not any(operation.parameter_problems(query)):
            yield f"GET {target[:300]}: the description does not refuse it"
        if not was_refused(witness.get(target)):
            yield f"GET {target[:300]}: the server does not refuse it"
    yield from _faultless(witness, FAULTLESS_AFTER)


def _faultless(witness, requests):
    for name, body in requests:
        if was_refused(witness.post(f"/api/dtmsvr/{name}", body)):
            yield f"POST {name}: the server refuses {json.dumps(body)}"
