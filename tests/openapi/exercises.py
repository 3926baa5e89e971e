"""Requests that the conformance sequences do not make: each operation of its own, with success."""

import concurrent.futures
import http.client
import socket

from concerto_testing import HttpAnswer, wait_until

WAIT_S = 10.0
EVERY_OPTION = {
    "wait_result": True, "timeout_to_fail": 60, "request_timeout": 2, "retry_interval": 30,
    "retry_limit": 4, "concurrent": True, "branch_headers": {"token": "v", "empty": None},
    "query_prepared": "http://127.0.0.1:9/ask", "custom_data": '{"delay":60}', "protocol": "http",
    "steps": [{"action": "http://127.0.0.1:9/a"}], "payloads": ["p", None], "unknown": [1]}
ALL_ABSENT = dict.fromkeys([name for name in EVERY_OPTION if name != "unknown"] +
                           ["rollback_reason", "req_extra"])


def server(witness):
    for target in ("/api/dtmsvr/version", "/api/dtmsvr/newGid", "/api/ping", "/api/metrics",
                   "/metrics", "/api/openapi.json", "/livez", "/readyz", "/",
                   "/admin/transactions", "/api/concerto/backup"):
        witness.get(target)
    witness.post("/api/concerto/begin", {"reason": "a test"})
    witness.post("/api/concerto/backup", {"name": "described", "full": True, "reason": "a test"})
    wait_until(lambda: witness.get("/api/concerto/backup").json()["state"] == "done",
               "the backup is complete", WAIT_S)
    witness.get("/api/concerto/backup")


def transactions(witness):
    witness.post("/api/dtmsvr/prepare", {"gid": "options", "trans_type": "msg", **EVERY_OPTION})
    for number, protocol in enumerate(("", "http", "grpc", "json-rpc", None)):
        witness.post("/api/dtmsvr/prepare", {**ALL_ABSENT, "gid": f"absent-{number}",
                                             "trans_type": "xa", "protocol": protocol})
    witness.post("/api/dtmsvr/submit", {
        **ALL_ABSENT, "gid": "empty-steps", "trans_type": "saga", "payloads": ["", ""],
        "steps": [None, {"action": None, "compensate": None, "data": None, "unknown": None}]})
    witness.post("/api/dtmsvr/registerBranch", {
        "gid": "absent-0", "trans_type": "xa", "branch_id": "01", "unknown": None,
        **dict.fromkeys(("data", "url", "confirm", "cancel", "op", "status", "sync"))})
    for mode, name in (("xa", "registerXaBranch"), ("tcc", "registerTccBranch")):
        witness.post("/api/dtmsvr/prepare", {"gid": f"old-{mode}", "trans_type": mode,
                                             "steps": None})
        witness.post(f"/api/dtmsvr/{name}", {"gid": f"old-{mode}", "trans_type": mode,
                                             "branch_id": "01", "data": None})
        for gid, number in (("nobody", "01"), (f"old-{mode}", "01"), (f"old-{mode}", "")):
            witness.post(f"/api/dtmsvr/{name}", {"gid": gid, "trans_type": mode,
                                                 "branch_id": number})
    for gid, data in (("old-tcc", '{"name":"w"}'), ("no-name", "{}")):
        witness.post("/api/dtmsvr/prepareWorkflow", {"gid": gid, "trans_type": "workflow",
                                                     "custom_data": data})
    witness.post("/api/json-rpc", {"jsonrpc": "2.0", "id": "1", "method": "newGid"})


def waiting_transaction(witness):
    """A transaction whose branch cannot be reached, so that a reason and a time can be shown."""
    witness.post("/api/dtmsvr/submit", {
        "gid": "waits", "trans_type": "saga", "payloads": [""],
        "steps": [{"action": "http://127.0.0.1:9/a", "compensate": "http://127.0.0.1:9/c"}]})

    def has_failed():
        why = witness.get("/api/concerto/why?gid=waits")
        return why.status != 200 or (why.json()["attempts"] and
                                     why.json()["state"] == "waiting" and
                                     witness.get("/api/dtmsvr/query?gid=waits"))

    wait_until(has_failed, "the branch that cannot be reached was tried", WAIT_S)


def lists(witness, gids):
    """Every page of every list, and every transaction by itself."""
    for mode in ("", "saga", "msg", "tcc", "xa", "workflow"):
        for status in ("", "prepared", "submitted", "aborting", "succeed", "failed"):
            witness.get(f"/api/dtmsvr/all?limit=5&status={status}&transType={mode}")
    for trouble in ("status=prepared,submitted,aborting&minAge=0", "status=failed&minAge=1",
                    "target=127.0.0.1&lastError=refused"):
        _pages(witness, f"/api/dtmsvr/all?limit=5&explain=true&{trouble}")
    for filters in ("", "&createTimeStart=1&createTimeEnd=32503680000000", "&createTimeEnd=1"):
        _pages(witness, f"/api/dtmsvr/all?limit=50{filters}")
    for target in ("/api/dtmsvr/all", "/api/dtmsvr/all?gid=nobody&position=p",
                   "/api/dtmsvr/scanKV", "/api/dtmsvr/queryKV",
                   "/api/dtmsvr/resetCronTime?timeout=100000&limit=5",
                   "/api/concerto/audit?limit=5", "/api/concerto/count",
                   *(f"/api/concerto/count?by={by}&status=submitted&minAge=1&maxAge=99999"
                     for by in ("status", "transType", "target", "lastError", "topic",
                                "owner", "age")),
                   "/api/concerto/damaged", "/api/concerto/damaged?limit=5&position=a",
                   "/api/concerto/jobs?limit=5", "/api/concerto/jobs?id=none",
                   "/api/concerto/why", "/api/concerto/why?gid=nobody"):
        witness.get(target)
    for gid in gids:
        witness.get(f"/api/concerto/why?gid={gid}")
        witness.get(f"/api/dtmsvr/all?gid={gid}")


def actions(witness):
    """What operators do to one, some and many transactions."""
    for number in range(4):
        witness.post("/api/dtmsvr/submit", {
            "gid": f"acted-{number}", "trans_type": "saga", "payloads": [""],
            "steps": [{"action": "http://127.0.0.1:9/acted", "compensate": ""}]})
    select = {"target": ":9/acted", "status": "submitted", "transType": "saga", "minAge": 0}
    for name, more in (("retry", {}), ("skip", {"branchId": "01", "op": "action"}), ("stop", {})):
        path = f"/api/concerto/{name}"
        reason = {"reason": "a test", **more}
        for named in ({"select": select}, {"gid": "acted-0"}, {"gids": ["acted-0", "nobody"]},
                      {"gid": "nobody"}):
            witness.post(path, {**named, "dryRun": True, **reason})
        job = witness.post(path, {"select": {"target": "nowhere"}, "limit": 2, **reason})
        witness.post("/api/concerto/cancelJob", {"id": job.json()["id"], "reason": "a test"})
        witness.get(f"/api/concerto/jobs?id={job.json()['id']}")
        witness.post(path, {"gids": ["acted-0", "nobody"], **reason})
        witness.post(path, {"gid": "nobody", **reason})
        witness.post(path, {"gid": "acted-1", **reason})
        witness.post(path, {"gid": "acted-1", **reason})
    witness.post("/api/concerto/cancelJob", {"id": "none"})
    edit = {"gid": "acted-3", "branchId": "01", "op": "action", "reason": "a test"}
    for more in ({"url": "http://127.0.0.1:9/edited", "dryRun": True}, {"payload": "new"},
                 {"url": "http://127.0.0.1:9/edited", "payloadBase64": "bmV3"}, {"url": "none://"},
                 {"payload": "a", "payloadBase64": "YQ=="}, {"payloadBase64": "?"}, {"op": "none"}):
        witness.post("/api/concerto/edit", {**edit, **more})
    witness.post("/api/concerto/edit", {**edit, "gid": "nobody", "url": "http://127.0.0.1:9/e"})
    witness.post("/api/concerto/edit", {**edit, "gid": "acted-1", "url": "http://127.0.0.1:9/e"})
    for pause in ({"kind": "target", "value": "nowhere", "reason": "a test"},
                  {"kind": "mode", "value": "xa"}):
        for name in ("pause", "resume"):
            witness.post(f"/api/concerto/{name}", {**pause, "dryRun": True})
        for name in ("pause", "pause", "resume", "resume"):
            witness.post(f"/api/concerto/{name}", pause)
            witness.get("/api/concerto/pauses")


def topics(witness):
    for number in range(5):
        witness.get(f"/api/dtmsvr/subscribe?topic=t{number}&url=http://127.0.0.1:9/u&remark=r")
    for target in ("all", "all?topic=none", "all?topic=t1"):
        witness.get(f"/api/dtmsvr/{target}")
    for selection in ("by=topic", "topic=t1&by=topic", "topic=none"):
        witness.get(f"/api/concerto/count?{selection}")
    for topic in ("t1", "none"):
        witness.post("/api/concerto/retry", {"select": {"topic": topic}, "dryRun": True})
        for dry_run in ({"dryRun": True}, {}):
            for name in ("pause", "resume"):
                witness.post(f"/api/concerto/{name}",
                             {"kind": "topic", "value": topic, "reason": "a test", **dry_run})
    _pages(witness, "/api/dtmsvr/scanKV?cat=topics&limit=2")
    witness.get("/api/dtmsvr/queryKV?cat=topics&key=t1")
    witness.get("/api/dtmsvr/unsubscribe?topic=t1&url=http://127.0.0.1:9/u")
    for target in ("subscribe?topic=t1&url=http://127.0.0.1:9/v",
                   "unsubscribe?topic=t1&url=http://127.0.0.1:9/v",
                   "resetCronTime?timeout=100000&limit=5"):
        witness.post_query(f"/api/dtmsvr/{target}")


def _pages(witness, target):
    position = ""
    while True:
        answer = witness.get(f"{target}&position={position}")
        if answer.status != 200:
            return
        position = answer.json()["next_position"]
        if not position:
            return


def refused_by_http(witness, operations, port):
    """Requests that reach no operation: a body that is too long, and one that is not HTTP."""
    for operation in operations:
        if operation.request_schema is None:
            continue
        for field, body in (("Content-Length: 1000000000", b""),
                            ("Transfer-Encoding: chunked", b"no chunk\r\n")):
            head = f"{operation.method} {operation.path} HTTP/1.1\r\nHost: test\r\n{field}\r\n\r\n"
            answer = _raw_call(port, head.encode() + body, operation.method)
            witness.check(operation.method, operation.path, body, answer)


def _raw_call(port, request, method):
    with socket.create_connection(("127.0.0.1", port), WAIT_S) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection, method=method)
        answer.begin()
        return HttpAnswer(answer.status, dict(answer.getheaders()), answer.read())


def unavailable(witness, coordinator):
    """One transaction is in flight, and no other is allowed. Then the coordinator ends first.

    Returns the headers of the answer to one transaction too many.
    """
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(WAIT_S)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        saga = {"gid": "stuck", "trans_type": "saga", "wait_result": True, "request_timeout": 60,
                "steps": [{"action": url, "compensate": url}], "payloads": [""]}
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(witness.post, "/api/dtmsvr/submit", saga)
            with silent.accept()[0]:  # the branch is called and does not answer
                refused = witness.post("/api/dtmsvr/prepare",
                                       {"gid": "second", "trans_type": "tcc"})
                coordinator.terminate()
                answer.result()
    return refused.headers


def other_requests(witness, operations, url):
    """Paths that are not described, and described paths with other methods."""
    for path in ("/nope", "/api", "/api/", "/api/nope", "/api/dtmsvr", "/api/dtmsvr/",
                 "/api/dtmsvr/query/x", "/api/dtmsvr/topic/", "/api/concerto/nope"):
        for method in ("GET", "POST", "DELETE"):
            witness.call(method, url + path, b"{}" if method == "POST" else None)
    for path in sorted({operation.path for operation in operations}):
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
            if not any(one.answers(method) for one in operations if one.path == path):
                witness.call(method, url + path.replace("{", "").replace("}", ""))
    witness.call("PUT", f"{url}/api/ping")
    for path in ("/api/ping", "/livez", "/api/dtmsvr/version", "/api/dtmsvr/all"):
        witness.call("HEAD", url + path)
