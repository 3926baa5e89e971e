#!/usr/bin/env python3
"""New TLS connections per second, and the CPU of each: concertod's HTTP port beside nginx.

`openssl s_time` makes connection after connection on a core of its own, and closes each after the
handshake. Both servers have one core, the same key (P-256) and the same certificate.
"""

import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "support")]
sys.dont_write_bytecode = True

import contest  # noqa: E402  (the path has to be set first)
import servers  # noqa: E402
from concerto_testing import Process, free_port, wait_for_port  # noqa: E402

NGINX = "nginx"
VERSIONS = ("TLS 1.3", "TLS 1.2")
SKIPPED = 77

NGINX_CONF = """
daemon off; master_process off; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {directory}; proxy_temp_path {directory}; fastcgi_temp_path {directory};
  uwsgi_temp_path {directory}; scgi_temp_path {directory};
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {directory}/tls.crt; ssl_certificate_key {directory}/tls.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {{ return 200; }}
  }}
}}
"""


def concertod(arguments, directory, port):
    settings = {"HttpPort": port, "GrpcPort": free_port(), "ListenAddress": "127.0.0.1"}
    sections = {"Store": {"Driver": "leveldb", "Path": f"{directory}/data"},
                "Tls": {"CertFile": f"{directory}/tls.crt", "KeyFile": f"{directory}/tls.key"}}
    conf = f"{directory}/concerto.yml"
    with open(conf, "w", encoding="utf-8") as file:
        json.dump({**settings, **sections}, file)  # JSON is YAML
    return [os.path.join(arguments.bin, servers.CONCERTOD), "-c", conf]


def nginx(_, directory, port):
    conf = f"{directory}/nginx.conf"
    with open(conf, "w", encoding="utf-8") as file:
        file.write(NGINX_CONF.format(directory=directory, port=port))
    return [NGINX, "-p", directory, "-c", conf]


COMMANDS = {servers.CONCERTOD: concertod, NGINX: nginx}


@contextlib.contextmanager
def running(name, arguments, directory, cores):
    """The pid of a fresh server and its port."""
    os.makedirs(directory)
    servers.certify(directory)
    port = free_port()
    command = COMMANDS[name](arguments, directory, port)
    with servers.pinned_to(cores):
        process = Process(name, command, directory)
    with process:
        wait_for_port(port, process)
        yield process.pid, port


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(pid, port, cores, version, seconds):
    option = "-" + version.lower().replace(" ", "").replace(".", "_")
    before = cpu_seconds(pid)
    with servers.pinned_to(cores):
        done = subprocess.run(["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-new",
                               "-time", str(seconds), option],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=True)
    found = re.search(r"(\d+) connections in (\d+) real seconds", done.stdout)
    count = int(found.group(1)) if found else 0
    if count == 0:
        raise SystemExit(f"no handshake at port {port}: {done.stdout}{done.stderr}")
    # s_time goes on until its whole second is over.
    return {"per_second": count / int(found.group(2)),
            "cpu_us": (cpu_seconds(pid) - before) / count * 1e6}


def run_round(arguments, parent, number):
    server_cores, load_cores = servers.cores_for_server_and_load()
    names = [servers.CONCERTOD] if arguments.tiny else sorted(COMMANDS, reverse=number % 2 == 1)
    found = {}
    for name in names:
        directory = os.path.join(parent, f"{number}-{name}")
        with running(name, arguments, directory, server_cores) as (pid, port):
            found[name] = {version: measure(pid, port, load_cores, version, arguments.seconds)
                           for version in VERSIONS}
        print(f"  round {number} {name}: {found[name]}", file=sys.stderr, flush=True)
    return found


def median(rounds, name, version, what):
    found = [one[name][version][what] for one in rounds if name in one]
    return statistics.median(found) if found else None


def table(rounds):
    """Markdown: medians over the rounds."""
    heads = ("handshakes", "concertod, per second", "CPU", "nginx, per second", "CPU",
             "ratio by CPU")
    lines = ["| " + " | ".join(heads) + " |",
             "| --- | --- | --- | --- | --- | --- |"]
    for version in VERSIONS:
        cells, costs = [], []
        for name in (servers.CONCERTOD, NGINX):
            rate = median(rounds, name, version, "per_second")
            cost = median(rounds, name, version, "cpu_us")
            cells += ["-", "-"] if rate is None else [f"{rate:,.0f}", f"{cost:,.0f} us"]
            costs.append(cost)
        ratio = "-" if costs[1] is None else f"{costs[1] / costs[0]:.2f}x"
        lines.append(f"| {version} | " + " | ".join(cells) + f" | {ratio} |")
    return "\n".join(lines) + "\n"


def parse_arguments():
    parser = contest.argument_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each version in a round")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds = 2, 2
    if arguments.tiny:
        arguments.rounds, arguments.seconds = 1, 1
    return arguments


def main():
    arguments = parse_arguments()
    if not arguments.tiny and not shutil.which(NGINX):
        print("nginx is not installed: tools/setup bench", file=sys.stderr)
        sys.exit(SKIPPED)
    with contest.temporary_directory("handshakes", arguments.directory) as directory:
        rounds = [run_round(arguments, directory, i) for i in range(arguments.rounds)]
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"rounds": rounds}, file, indent=1)
    print(table(rounds))


if __name__ == "__main__":
    main()
