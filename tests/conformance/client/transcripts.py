"""What programs send, in a form that can be compared."""

import base64
import json
import re


def _read(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


_ADDRESS = re.compile(r"127\.0\.0\.1:\d+|127\.0\.0\.1%3A\d+")


def readable(requests, gid):
    """The requests with JSON read, and with names in place of the gid and of addresses."""
    text = json.dumps(requests).replace(gid, "$GID")
    requests = json.loads(_ADDRESS.sub("$ADDRESS", text))
    for request in requests:
        request.setdefault("method", "")
        request["body"] = _read(request["body"])
        fields = request.get("message", {})
        if "Steps" in fields:  # JSON in a text
            fields["Steps"] = _read(fields["Steps"])
        for part in (fields, request["body"]):
            if request["to"] == "coordinator" and isinstance(part, dict):
                _read_workflow(part)
    return requests


def _read_workflow(fields):
    """Reads the data of a workflow: branches as JSON, in base64, in a text of JSON. Each program
    writes them in its own way."""
    if "workflow" not in (fields.get("trans_type"), fields.get("TransType")):
        return
    for name in {"custom_data", "CustomedData"} & set(fields):
        custom = json.loads(fields[name])
        branches = json.loads(_ADDRESS.sub("$ADDRESS", base64.b64decode(custom["data"]).decode()))
        custom["data"] = [{key: value for key, value in branch.items() if value}
                          for branch in branches]
        fields[name] = custom


def first_difference(sdk, ours):
    """As text; None if both sent the same."""
    names = [[request["name"] for request in requests] for requests in (sdk, ours)]
    if names[0] != names[1]:
        return f"requests\n  SDK  {names[0]}\n  ours {names[1]}"
    for theirs, mine in zip(sdk, ours):
        for part in sorted(set(theirs) | set(mine)):
            if theirs.get(part) != mine.get(part):
                return (f"{part} of {theirs['name']}\n  SDK  {theirs.get(part)}\n"
                        f"  ours {mine.get(part)}")
    return None


def branch_call(request):
    """What a call asks of a branch, whoever made it: one line. Headers and the address of the
    coordinator are those of the caller."""
    if request["kind"] == "grpc":
        values = {key: ",".join(request["headers"].get("dtm-" + key, []))
                  for key in ("gid", "trans_type", "branch_id", "op")}
    elif request["kind"] == "json-rpc":
        values = request["body"]["params"]
    else:
        values = dict(pair.split("=", 1) for pair in request["target"].split("?")[1].split("&"))
    return " ".join([request["kind"], request["method"], request["name"], values["trans_type"],
                     values["branch_id"], values["op"], json.dumps(request["body"])])
