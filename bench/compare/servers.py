"""The coordinators under load, each alone on one core and with a directory of its own."""

import contextlib
import os
import subprocess

from concerto_testing import Concertod, Reference

CONCERTOD = "concertod"
REFERENCE = "reference"


@contextlib.contextmanager
def pinned_to(cores):
    """Processes that are started inside run on these cores only, and see only these from the
    beginning."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cores_for_server_and_load():
    """One core for the server and one for the load. With a single core nothing can be compared."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("the comparison needs two cores: one for the server, one for the load")
    return {cores[0]}, {cores[1]}


def certify(directory):
    """Makes tls.crt and tls.key there: of 127.0.0.1 (P-256), and its own authority."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", f"{directory}/tls.key", "-out", f"{directory}/tls.crt"],
                   check=True, stderr=subprocess.DEVNULL)


class OurServer:
    name = CONCERTOD

    def __init__(self, binary, directory, under=(), context=None, **settings):
        """`context`: of TLS, if the settings say that the ports speak it."""
        self.directory = directory
        self._server = Concertod(binary, directory, under=under, context=context)
        self._server.settings.update(settings)
        self._store = self._server.settings["Store.Path"]
        self._server.start()
        self.process = self._server.process
        self.pid = self.process.pid
        self.http_port = self._server.http_port
        self.grpc_port = self._server.grpc_port

    def kill(self):
        self._server.kill()

    def terminate(self, timeout_s):
        return self._server.terminate(timeout_s)

    def table_bytes(self):
        return table_bytes(self._store)


class ReferenceServer(Reference):
    name = REFERENCE

    def __init__(self, binary, directory):
        self.directory = directory
        super().__init__(binary, directory)

    def table_bytes(self):
        return None  # the reference has one file for everything


@contextlib.contextmanager
def running(kind, binary, directory, cores, **settings):
    """A fresh server. At the end it is killed, which everything that it acknowledged must survive.
    """
    os.makedirs(directory)
    with pinned_to(cores):
        server = kind(binary, directory, **settings)
    try:
        yield server
    finally:
        server.kill()


def table_bytes(store_directory):
    """Bytes in LevelDB's tables. Other bytes written by the device, except the log, are compaction.
    """
    return sum(os.path.getsize(os.path.join(parent, name))
               for parent, _, files in os.walk(store_directory)
               for name in files if name.endswith(".ldb"))
