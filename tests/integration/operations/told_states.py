"""What is told of transactions, by every store in the same words."""

from concerto_testing import http_call, http_json


def told(coordinator, path):
    """The answer of Concerto's own API."""
    return http_json("GET", f"http://127.0.0.1:{coordinator.http_port}/api/concerto/{path}")


def listed(coordinator, query):
    """The transactions of a list with what `why` says of them, by their gids."""
    page = http_json("GET", f"{coordinator.api}/all?explain=true&limit=100&{query}")
    return {trans["gid"]: trans["why"] for trans in page["transactions"]}


def check_told_states(case, coordinator, branches):
    """A young prepared message, and a transaction that is stopped: `branches` are scripted."""
    asked = branches.url("asked")
    http_json("POST", f"{coordinator.api}/prepare", {
        "gid": "told-young", "trans_type": "msg", "query_prepared": asked,
        "steps": [{"action": branches.url("told")}], "payloads": ["{}"]})
    case.assertEqual([(group["value"], group["count"])
                      for group in told(coordinator, "count?by=target")["groups"]], [(asked, 1)])
    why = listed(coordinator, "target=/asked")
    case.assertEqual({gid: found["urls"] for gid, found in why.items()}, {"told-young": [asked]})

    branches.script("told-stuck", (500, "out of order"))
    stuck = branches.url("told-stuck")
    http_json("POST", f"{coordinator.api}/submit", {
        "gid": "told-stopped", "trans_type": "saga", "payloads": ["{}", "{}"],
        "steps": [{"action": branches.url(name), "compensate": branches.url("undo")}
                  for name in ("well", "told-stuck")]})
    branches.wait_for_calls(2, "told-stopped")
    answer = http_call("POST", f"{coordinator.api}/forceStop", b'{"gid": "told-stopped"}',
                       headers={"X-Concerto-Reason": "ticket 4711"})
    case.assertEqual(answer.status, 200, answer.body)
    reason = f"stopped by an operator while submitted at {stuck}: ticket 4711"
    found = http_json("GET", f"{coordinator.api}/query?gid=told-stopped")["transaction"]
    case.assertEqual((found["status"], found["rollback_reason"]), ("failed", reason))
    why = listed(coordinator, "status=failed&lastError=stopped%20by")["told-stopped"]
    case.assertEqual((why["explanation"], why["urls"]), (f"failed: {reason}", []))
    case.assertIsNotNone(why["end_time"])
    case.assertEqual(listed(coordinator, "status=failed&target=http"), {})


def check_told_without_time(case, coordinator, forget_time):
    """After check_told_states, in the tables of a database: `forget_time` empties the
    next_cron_time of a transaction."""
    forget_time("told-young")
    found = listed(coordinator, "status=prepared")["told-young"]
    case.assertTrue(found["explanation"].startswith("its next_cron_time is empty, so no next "),
                    found)
    case.assertIsNone(found["next_attempt_time"])
    answer = http_call("POST", f"{coordinator.api}/resetNextCronTime", b'{"gid": "told-young"}')
    case.assertEqual(answer.status, 200, answer.body)
    found = listed(coordinator, "status=prepared")["told-young"]
    case.assertIn("after 35 seconds the coordinator asks", found["explanation"])


def check_told_damage(case, coordinator, damages):
    """Operators find the damaged records that the metrics count. `damages`: what is wrong with
    which transaction."""
    answer = told(coordinator, "damaged")
    case.assertEqual({record["name"]: record["kind"] for record in answer["records"]},
                     dict.fromkeys(damages, "transaction"))
    for record in answer["records"]:
        case.assertIn(damages[record["name"]], record["error"])
    first = told(coordinator, "damaged?limit=1")
    rest = told(coordinator, f"damaged?position={first['next_position']}")
    case.assertEqual(first["records"] + rest["records"], answer["records"])
    case.assertEqual((first["total"], rest["next_position"]), (len(damages), ""))
    counts = told(coordinator, "count")  # All others have ended.
    case.assertEqual(counts["total"] + counts["damaged"], len(damages), counts)
    case.assertGreater(counts["damaged"], 0)
    ready = http_call("GET", f"http://127.0.0.1:{coordinator.http_port}/readyz").json()
    said = [warning for warning in ready["warnings"] if "concerto list --damaged" in warning]
    case.assertEqual([warning.split(" of ")[0] for warning in said], [f"{len(damages)} records"])
