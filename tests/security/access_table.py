"""Who may use what, as these tests know it: `c` is a client, `v` a viewer, `o` an operator, and `-`
somebody whom nobody knows."""

ROLES = {"c": "client", "v": "viewer", "o": "operator"}
EVERYBODY = "-cvo"

TABLE = """
    cvo   http      GET     /api/dtmsvr/version
    co    http      GET     /api/dtmsvr/newGid
    co    json-rpc  POST    newGid
    co    grpc      -       dtmgimp.Dtm/NewGid
    co    http      POST    /api/dtmsvr/prepare
    co    json-rpc  POST    prepare
    co    grpc      -       dtmgimp.Dtm/Prepare
    co    http      POST    /api/dtmsvr/submit
    co    json-rpc  POST    submit
    co    grpc      -       dtmgimp.Dtm/Submit
    co    http      POST    /api/dtmsvr/abort
    co    json-rpc  POST    abort
    co    grpc      -       dtmgimp.Dtm/Abort
    co    http      POST    /api/dtmsvr/registerBranch
    co    json-rpc  POST    registerBranch
    co    grpc      -       dtmgimp.Dtm/RegisterBranch
    co    http      POST    /api/dtmsvr/registerXaBranch
    co    http      POST    /api/dtmsvr/registerTccBranch
    co    http      POST    /api/dtmsvr/prepareWorkflow
    co    grpc      -       dtmgimp.Dtm/PrepareWorkflow
    o     http      POST    /api/dtmsvr/forceStop
    o     http      POST    /api/dtmsvr/resetNextCronTime
    o     http      GET     /api/dtmsvr/resetCronTime
    o     http      POST    /api/dtmsvr/resetCronTime
    o     http      GET     /api/dtmsvr/subscribe
    o     http      POST    /api/dtmsvr/subscribe
    o     grpc      -       dtmgimp.Dtm/Subscribe
    o     http      GET     /api/dtmsvr/unsubscribe
    o     http      POST    /api/dtmsvr/unsubscribe
    o     grpc      -       dtmgimp.Dtm/Unsubscribe
    o     http      DELETE  /api/dtmsvr/topic/*
    o     grpc      -       dtmgimp.Dtm/DeleteTopic
    cvo   http      GET     /api/dtmsvr/query
    vo    http      GET     /api/dtmsvr/all
    vo    http      GET     /api/dtmsvr/queryKV
    vo    http      GET     /api/dtmsvr/scanKV
    cvo   http      GET     /api/concerto/why
    vo    http      GET     /api/concerto/audit
    o     http      POST    /api/concerto/begin
    o     http      POST    /api/concerto/backup
    vo    http      GET     /api/concerto/backup
    vo    http      GET     /api/concerto/count
    vo    http      GET     /api/concerto/damaged
    o     http      POST    /api/concerto/retry
    o     http      POST    /api/concerto/stop
    o     http      POST    /api/concerto/skip
    o     http      POST    /api/concerto/edit
    vo    http      GET     /api/concerto/jobs
    o     http      POST    /api/concerto/cancelJob
    vo    http      GET     /api/concerto/pauses
    o     http      POST    /api/concerto/pause
    o     http      POST    /api/concerto/resume
    co    http      POST    /api/json-rpc
    cvo   http      GET     /api/openapi.json
    -cvo  http      *       /api/ping
    vo    http      GET     /api/metrics
    vo    http      GET     /metrics
    -cvo  http      GET     /livez
    -cvo  http      GET     /readyz
    -cvo  http      GET     /dtm/
    -cvo  http      GET     /dtm/admin/*
    -cvo  grpc      -       grpc.health.v1.Health/Check
    -cvo  grpc      -       grpc.health.v1.Health/Watch
    vo    grpc      -       grpc.reflection.v1.ServerReflection/ServerReflectionInfo
    vo    grpc      -       grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo
"""


def table():
    """(front end, method, name): who may use it."""
    rows = [row.split() for row in TABLE.splitlines() if row.strip()]
    return {(front_end, verb.strip("-"), name): who for who, front_end, verb, name in rows}


def printed_table(text):
    """The same from the output of `concertod --print-access`."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        who, front_end, verb, name = line.split("\t")
        letters = [letter for letter, role in ROLES.items() if role in who.split(",")]
        found[front_end, verb, name] = EVERYBODY if who == "anyone" else "".join(letters)
    return found
