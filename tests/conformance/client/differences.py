"""Where the requests of concerto::client differ from those of the Go SDK on purpose.

docs/client.md says the same to users. Each difference is a function that changes a request, or
the list of requests, of either side so that both are the same; one that is not needed any more
fails the test.
"""

import json
from dataclasses import dataclass

# What the transports write themselves, and nothing in the protocol reads.
TRANSPORT_HEADERS = {"user-agent", "accept-encoding", "content-length"}
# In the texts of errors: the parts that the answer of a coordinator or a branch brought.
ANSWERED_TEXTS = {"no money": "failure", "FAILURE": "failure", "not yet": "ongoing",
                  "ONGOING": "ongoing", "out of order": "error", "too many requests": "busy",
                  "was it committed?": "the work's"}


def _each(change):
    def all_of_them(requests, wire):
        for request in requests:
            change(request, wire)
        return requests
    return all_of_them


def _fields(request):
    """The fields of a request to the coordinator."""
    body = request["message"] if request["kind"] == "grpc" else request["body"]
    if not isinstance(body, dict):
        return {}
    return body["params"] if request["kind"] == "json-rpc" else body


DEFAULTS = (("concurrent", False), ("protocol", ""), ("protocol", "http"), ("Steps", None),
            ("TransOptions", {}), ("data", ""))


def _defaults(request, _wire):
    if request["to"] != "coordinator":
        return
    fields = _fields(request)
    for name, default in DEFAULTS:
        if name in fields and fields[name] == default:
            del fields[name]
    for step in fields.get("steps", fields.get("Steps", [])):
        if step.get("compensate") == "":
            del step["compensate"]


def _reasons(request, wire):
    """Over HTTP the text is the SDK's, unless the transport had no answer, or a workflow failed."""
    if request["to"] != "coordinator":
        return
    fields = _fields(request)
    for name, holder in (("RollbackReason", fields), ("rollback_reason", fields),
                         ("rollback_reason", fields.get("ReqExtra", {})),
                         ("rollback_reason", fields.get("req_extra", {}))):
        meanings = [meaning for text, meaning in ANSWERED_TEXTS.items()
                    if text in holder.get(name, "")]
        is_exact = wire == "http" and holder is fields and meanings
        if holder.get(name) and not is_exact:
            holder[name] = meanings[0] if meanings else "no answer"


def _transport(request, _wire):
    for name in TRANSPORT_HEADERS:
        request["headers"].pop(name, None)


def _time_limits(request, _wire):
    request["headers"].pop("grpc-timeout", None)


def _codec(request, _wire):
    if request["headers"].get("content-type") == ["application/grpc+dtm_raw"]:
        request["headers"]["content-type"] = ["application/grpc"]


def _repeated_gets(requests, _wire):
    return [request for before, request in zip([None, *requests], requests)
            if request["method"] != "GET" or request != before]


@dataclass
class Difference:
    what: str
    why: str
    settle: object
    used: bool = False


DIFFERENCES = [
    Difference("fields with their default (`concurrent`, `protocol`, an empty `compensate` or "
               "`data`, no steps, no options) are left out", "no server tells them apart",
               _each(_defaults)),
    Difference("the text of the error in a rollback_reason is the one that was answered, without "
               "Go's words around it (`rpc error: code =`, `Post ..:`, the JSON of JSON-RPC)",
               "it is read by people only", _each(_reasons)),
    Difference("user-agent, accept-encoding, content-length", "each transport has its own",
               _each(_transport)),
    Difference("ours has a grpc-timeout", "ClientOptions::timeout ends every request; the SDK "
               "waits for ever", _each(_time_limits)),
    Difference("the SDK names its own codec in the content-type when it asks query_prepared over "
               "gRPC", "servers that do not know the name take it for protobuf", _each(_codec)),
    Difference("the SDK repeats a GET of query_prepared on a kept connection that ended without "
               "an answer", "the coordinator asks again if nobody knows", _repeated_gets),
]


def settled(requests, wire):
    """The requests without the differences on purpose."""
    for difference in DIFFERENCES:
        before = json.dumps(requests)
        requests = difference.settle(requests, wire)
        difference.used |= json.dumps(requests) != before
    return requests


def unused():
    return [difference.what for difference in DIFFERENCES if not difference.used]
