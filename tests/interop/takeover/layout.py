"""What both servers have stored of the same transaction, and where it may differ."""

import json
import re

# Concerto's own members in Redis; what the reference puts into a record at its creation, and loses
# at the first change; and what the reference's cron adds to a record.
ONLY_IN_REDIS = {"concerto", "concerto_payload", "steps", "payloads", "wait_result"}
# Who has the transaction now, and until when.
OF_THE_OWNER = {"owner", "next_cron_time", "id"}
# The reference loses these in Redis when a transaction is submitted (page 09, F3).
LOST_BY_REFERENCE = {"create_time", "custom_data", "query_prepared", "options"}
# The reference sets these for registered branches in SQL alone.
BRANCH_TIMES = {"create_time", "update_time"}


def normal(record, url):
    """A row or JSON record without what is different at each run."""
    shown = {}
    for name, value in record.items():
        if name in ONLY_IN_REDIS | OF_THE_OWNER:
            continue
        if name.endswith("_time"):
            value = None if value is None else "a time"
        elif name == "next_cron_interval":
            value = "an interval" if value > 0 else value  # grows while branches fail
        elif name == "options":
            value = json.loads(value)
            value.pop("retry_count", None)  # the reference keeps it in memory
        elif isinstance(value, str):
            value = value.replace(url, "$B")
        shown[name] = value
    return shown


def differences(name, ours, theirs, lost):
    """Texts that say where two normal records differ. `lost`: what the reference may not have."""
    return [f"{name}: {column}: {ours.get(column)!r}, the reference's {theirs.get(column)!r}"
            for column in sorted(ours.keys() | theirs.keys())
            if ours.get(column) != theirs.get(column)
            and not (column in lost and theirs.get(column) is None)]


def snapshot(place, gids, url):
    """The transactions with their branches, by gid."""
    url = re.sub(r"/$", "", url)
    return {gid: (normal(place.transaction(gid), url),
                  [normal(branch, url) for branch in place.branches(gid)]) for gid in gids}


def compare(ours, theirs, timed):
    """What differs between two snapshots. `timed`: what may have gone on, on a slow machine."""
    found = []
    for gid, (transaction, branches) in ours.items():
        their_transaction, their_branches = theirs[gid]
        if gid in timed and transaction["status"] != their_transaction["status"]:
            continue
        found += differences(gid, transaction, their_transaction, LOST_BY_REFERENCE)
        if len(branches) != len(their_branches):
            found.append(f"{gid}: {len(branches)} branches, the reference's {len(their_branches)}")
        for index, (branch, their_branch) in enumerate(zip(branches, their_branches)):
            found += differences(f"{gid} branch {index}", branch, their_branch, BRANCH_TIMES)
    return found
