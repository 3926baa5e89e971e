"""What is compared, and where the coordinator differs from the reference on purpose.

docs/compatibility.md gives the reasons.
"""

# Not compared: surrogate ids, and fields that only some of the reference's own stores return.
DROPPED_TRANSACTION_FIELDS = {
    "id", "steps", "payloads", "wait_result", "timeout_to_fail", "request_timeout",
    "retry_interval", "branch_headers", "retry_limit", "retry_count", "concurrent"}
# The reference loses these fields when a transaction is submitted or ends (page 09, F3).
LOST_BY_REFERENCE = {"create_time", "custom_data", "query_prepared", "next_cron_interval",
                     "next_cron_time", "options"}
# The reference has no times for registered branches.
BRANCH_TIMES = {"create_time", "update_time"}


def _time(value):
    return None if value is None else "a time"


def _transaction(record):
    if not isinstance(record, dict):
        return record
    return {name: _time(value) if name.endswith("_time") else value
            for name, value in record.items() if name not in DROPPED_TRANSACTION_FIELDS}


def _branch(record):
    return {name: _time(value) if name.endswith("_time") else value
            for name, value in record.items() if name != "id" and name not in BRANCH_TIMES}


def _kv(record):
    return {name: _time(value) if name.endswith("_time") else value
            for name, value in record.items() if name != "id"}


def normal(answer):
    """An answer without the fields that are not compared."""
    if not isinstance(answer, dict):
        return answer
    answer = dict(answer)
    answer.pop("why", None)  # only ours has it, for `query`
    if "transaction" in answer:
        answer.pop("why", None)  # only ours has it
        answer["transaction"] = _transaction(answer["transaction"])
    for name, each in (("branches", _branch), ("progresses", _branch), ("kv", _kv),
                       ("transactions", _transaction)):
        if isinstance(answer.get(name), list):
            answer[name] = [each(record) for record in answer[name]]
    if "jsonrpc" in answer and answer.get("result") == {}:
        answer["result"] = None  # clients only test `error`
    return answer


def _without_lost(ours, theirs):
    """Our answer without the fields that the reference has lost."""
    if not (isinstance(ours, dict) and isinstance(theirs, dict)):
        return ours
    mine, other = ours.get("transaction"), theirs.get("transaction")
    if not (isinstance(mine, dict) and isinstance(other, dict)):
        return ours
    if mine.get("trans_type") == "msg":
        mine.pop("rollback_reason", None)  # the reference does not store why a msg was aborted
    if mine.get("rollback_reason", "").startswith("stopped by "):
        # The reference does not store that a transaction was stopped, and leaves what was there.
        before = mine.pop("rollback_reason").partition("; before that: ")[2]
        if before:
            mine["rollback_reason"] = before
    kept = dict(mine)
    for name in LOST_BY_REFERENCE:
        if name not in other:
            kept.pop(name, None)
        elif other[name] is None:
            kept[name] = None
    return {**ours, "transaction": kept}


def _shape(answer):
    """What is compared if messages may differ."""
    return sorted(answer) if isinstance(answer, dict) else type(answer).__name__


def difference(request, ours, theirs):
    """What differs between two steps, as text; None if nothing that counts."""
    # With the reference's embedded store a reset changes nothing (page 09, F8).
    compares_calls = not request.path.endswith("/resetNextCronTime")
    if compares_calls and ours["calls"] != theirs["calls"]:
        return f"calls\n  ours      {ours['calls']}\n  reference {theirs['calls']}"
    if ours["status"] != theirs["status"]:
        return f"status {ours['status']}, the reference's {theirs['status']}: {ours['answer']}"
    mine, other = normal(ours["answer"]), normal(theirs["answer"])
    mine = _without_lost(mine, other)
    if not request.text:
        mine, other = _shape(mine), _shape(other)
    if mine != other:
        return f"answer\n  ours      {mine}\n  reference {other}"
    return None
