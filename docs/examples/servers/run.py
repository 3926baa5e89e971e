#!/usr/bin/env python3
"""Runs a program with servers of its own, which end with it, in a directory of its own.

usage: run.py <concertod> <program> [arguments]

In the arguments, {http} and {grpc} become the addresses of a new coordinator, {postgres} a new
database of PostgreSQL, and {port} a free port. The exit code is that of the program. If a server is
not installed it is 77, with CI=true in the environment 1.
"""

import glob
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

WAIT_S = 60.0  # many times what an idle machine needs
USER = "postgres"


def need(found, name):
    if found and os.access(found, os.X_OK):
        return found
    print(f"{name} is not installed")
    return sys.exit(1 if os.environ.get("CI") == "true" else 77)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start(server, is_ready, *command):
    """The server ends with this process, even after kill -9."""
    log = open(server + ".log", "wb")  # pylint: disable=consider-using-with
    process = subprocess.Popen(["setpriv", "--pdeathsig=KILL", *command], stdout=log, stderr=log)
    until = time.monotonic() + WAIT_S
    while not is_ready():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            sys.exit(f"{server} did not start:\n{open(server + '.log', encoding='utf-8').read()}")
        time.sleep(0.02)
    return process


def start_coordinator(concertod, addresses):
    http, grpc = free_ports(2)
    with open("concerto.yml", "w", encoding="utf-8") as file:
        file.write(f"HttpPort: {http}\nGrpcPort: {grpc}\nListenAddress: '127.0.0.1'\n"
                   "Store:\n  Driver: 'leveldb'\n  Path: 'concerto-data'\nRetryInterval: 1\n"
                   "TransCronInterval: 1\n")
    addresses["{http}"] = f"http://127.0.0.1:{http}/api/dtmsvr"
    addresses["{grpc}"] = f"localhost:{grpc}"

    def answers():
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{http}/api/ping").status == 200
        except OSError:
            return False

    return start("concertod", answers, concertod, "-c", "concerto.yml")


def start_postgres(addresses):
    """On a socket in its directory. The server refuses to run as root."""
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    path = os.pathsep.join([os.environ["PATH"], *reversed(programs)])
    program = {name: need(shutil.which(name, path=path), "PostgreSQL")
               for name in ("initdb", "postgres", "pg_isready")}
    home = os.path.abspath("postgres")
    os.mkdir(home)
    rights = []
    if os.geteuid() == 0:
        os.chmod(".", 0o755)
        shutil.chown(home, USER)
        rights = [f"--reuid={USER}", f"--regid={USER}", "--init-groups"]
    subprocess.run(["setpriv", *rights, program["initdb"], "-D", home + "/data", "-U", USER,
                    "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
                   stdout=subprocess.DEVNULL, check=True)
    addresses["{postgres}"] = f"host={home} user={USER} dbname=postgres"
    is_ready = [program["pg_isready"], "--quiet", "--host", home, "--username", USER]
    return start("postgres", lambda: subprocess.call(is_ready) == 0, *rights, program["postgres"],
                 "-D", home + "/data", "-k", home, "-c", "listen_addresses=", "-c", "fsync=off")


def main(concertod, *command):
    concertod = os.path.abspath(need(concertod, "concertod"))
    command = [os.path.abspath(part) if os.path.exists(part) else part for part in command]
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        addresses = {"{port}": str(free_ports(1)[0])}
        servers = [start_coordinator(concertod, addresses)]
        try:
            if any("{postgres}" in argument for argument in command):
                servers.append(start_postgres(addresses))
            for name, address in addresses.items():
                command = [argument.replace(name, address) for argument in command]
            return subprocess.call(command)
        finally:
            for server in servers:
                server.terminate()
            for server in servers:
                server.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
