"""Single measurements: one period of load, and the time of a sync on this disk."""

import json
import os
import statistics
import subprocess
import time

from servers import pinned_to

LOAD_LIMIT_S = 60.0  # beyond the time of the load itself


def start_load(program, server, cores, wire, in_flight, seconds, warm_up, prefix, mode="saga",
               options=(), under=()):
    """Begins a load on a running server. `load_result` returns what the load reports.

    `options`: further options of the load. `under`: a command that runs the load's command.
    """
    command = [*under, program, "--mode", mode, "--wire", wire,
               "--grpc", f"127.0.0.1:{server.grpc_port}",
               "--http", f"127.0.0.1:{server.http_port}", "--server-process", str(server.pid),
               "--in-flight", str(in_flight), "--seconds", str(seconds),
               "--warm-up", str(warm_up), "--gid-prefix", prefix,
               "--data-directory", server.directory, "--json", "-", *options]
    with pinned_to(cores):
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def load_result(process, what, timeout_s):
    """Waits for the end of a load. It fails unless the load was a good one."""
    try:
        out, errors = process.communicate(timeout=timeout_s)
    finally:
        process.kill()
    if process.returncode != 0:
        raise SystemExit(f"the load on {what} failed: {errors.strip()}\n{out[:2000]}")
    return json.loads(out)


def load(program, server, cores, wire, in_flight, seconds, warm_up, prefix, rate=0,
         mode="saga", options=(), under=()):
    """Runs the load on a running server, and returns what the load reports.

    `rate`: transactions that begin per second, at even times, instead of `in_flight` at one time.
    """
    pace = ["--rate", str(rate)] if rate else []
    process = start_load(program, server, cores, wire, in_flight, seconds, warm_up, prefix, mode,
                         [*options, *pace], under)
    return load_result(process, f"{server.name} ({mode} over {wire})",
                       seconds + warm_up + LOAD_LIMIT_S)


def busy(result, side):
    """The share of one core that `client` or `server` used while the load was measured."""
    return result["tx_per_second"] * result[f"{side}_cpu_us"] / 1e6


def sync_times_us(directory, count=300, record_bytes=700, zeroed=True):
    """Times of write and fdatasync of small records, one after the other, in microseconds.

    `zeroed`: the records go into space that was written before, as in the embedded store. Otherwise
    each record makes the file longer.
    """
    path = os.path.join(directory, "sync-probe")
    record = b"r" * record_bytes
    times = []
    file = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    try:
        if zeroed:
            os.pwrite(file, bytes(count * record_bytes), 0)
            os.fsync(file)
        for i in range(count):
            begin = time.perf_counter()
            os.pwrite(file, record, i * record_bytes)
            os.fdatasync(file)
            times.append((time.perf_counter() - begin) * 1e6)
    finally:
        os.close(file)
        os.unlink(path)
    return times


def sync_us(directory, zeroed=True):
    """The median of them."""
    return statistics.median(sync_times_us(directory, zeroed=zeroed))


def percentile(values, percent):
    """The smallest value that at least so many percent of the values do not exceed."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(int(rank), 1) - 1]
