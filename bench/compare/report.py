"""Results as tables: medians with their spread, and ratios."""

import statistics

from servers import CONCERTOD, REFERENCE

# name, field of a result, unit in print, whether more is better
METRICS = (
    ("transactions per second", "tx_per_second", "{:,.0f}", True),
    ("p50, ms", "p50_ms", "{:.2f}", False),
    ("p99, ms", "p99_ms", "{:.2f}", False),
    ("server CPU per transaction, us", "server_cpu_us", "{:,.1f}", False),
    ("client CPU per transaction, us", "client_cpu_us", "{:,.1f}", False),
    ("bytes written by the device per transaction", "device_bytes", "{:,.0f}", False),
    ("bytes in LevelDB's tables per transaction", "table_bytes", "{:,.0f}", False),
)


def values(results, field):
    if field.endswith("_ms"):
        return [result[field[:-2] + "us"] / 1000 for result in results]
    return [result[field] for result in results if field in result]


def median(results, field):
    found = values(results, field)
    return statistics.median(found) if found else None


def cell_text(results, field, style):
    found = values(results, field)
    if not found:
        return "-"
    text = style.format(statistics.median(found))
    if len(found) > 1:
        text += f" ({style.format(min(found))} to {style.format(max(found))})"
    return text


def ratio_text(ours, theirs, field, more_is_better):
    a, b = median(ours, field), median(theirs, field)
    if not a or not b:
        return "-"
    factor = a / b if more_is_better else b / a
    return f"{factor:,.1f}x" if factor >= 1 else f"{factor:,.2f}x"


def table(title, by_server):
    """Markdown: one row per metric. The ratio says how many times better concertod is."""
    ours, theirs = by_server.get(CONCERTOD, []), by_server.get(REFERENCE, [])
    lines = [f"**{title}**", "", "| | concertod | reference | concertod is better by |",
             "| --- | --- | --- | --- |"]
    for name, field, style, more_is_better in METRICS:
        if not values(ours + theirs, field):
            continue
        lines.append(f"| {name} | {cell_text(ours, field, style)} | "
                     f"{cell_text(theirs, field, style)} | "
                     f"{ratio_text(ours, theirs, field, more_is_better)} |")
    return "\n".join(lines) + "\n"
