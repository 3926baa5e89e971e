"""Real MariaDB, PostgreSQL and Redis servers for tests, and their command line clients.

Each keeps its data and its port over `kill` (as a crash would end it), `stop` (orderly) and
`start`. Nothing is synced to the disk: what was committed outlives the process, not the machine.

    with MariaDb(directory) as server:
        server.create_database("bank")
        server.sql("select 1, 'a'", "bank")     # [["1", "a"]]
"""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

from concerto_testing import Process, free_port, need_program, wait_until

# Each is many times what an idle machine needs: other tests may run at the same time.
INITIALIZE_TIMEOUT_S = 120.0
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0
CLIENT_TIMEOUT_S = 60.0
HOST = "127.0.0.1"
PG_SUPERUSER = "postgres"


class _Server:
    """One server process on a free port of loopback. `options`: further command line arguments."""

    READY = None        # The line that the server writes when it is ready.
    STOP_SIGNAL = signal.SIGTERM

    def __init__(self, directory, name, options=()):
        self.name = name
        self.port = free_port()
        self.process = None
        self._directory = directory
        self._data = os.path.join(directory, name + "-data")
        self._options = list(options)
        self._paused = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def address(self):
        return f"{HOST}:{self.port}"

    def start(self, *options):
        """Returns when the server can be used; the first start makes its data directory. `options`
        are for this start alone."""
        command = self._command()
        if not os.path.exists(self._data):
            os.mkdir(self._data)
            self._initialize()
        self.process = Process(self.name, [*command, *self._options, *options], self._directory)
        self.process.wait_for_line(self.READY, START_TIMEOUT_S)

    def kill(self):
        """SIGKILL for the server and its child processes. Harmless if the server does not run."""
        if self.process is None or not self.process.is_running():
            return
        children = _children(self.process.pid)
        self.process.kill()
        for child in children:
            _kill(child)
        # The server does not start again until these processes have closed the data.
        wait_until(lambda: not any(map(_runs, children)), f"{self.name}'s processes end",
                   STOP_TIMEOUT_S)

    def stop(self):
        """Ends the server in order, without waiting for clients to disconnect."""
        os.kill(self.process.pid, self.STOP_SIGNAL)
        self.process.wait(STOP_TIMEOUT_S)

    def pause(self):
        """SIGSTOP for the server and its child processes: connections are accepted, by the system,
        and nothing answers. `kill` still works."""
        os.kill(self.process.pid, signal.SIGSTOP)  # first, so that no further child begins
        self._paused = [self.process.pid, *_children(self.process.pid)]
        for child in self._paused[1:]:
            os.kill(child, signal.SIGSTOP)

    def resume(self):
        for paused in self._paused:
            os.kill(paused, signal.SIGCONT)
        self._paused = []

    def _command(self):
        raise NotImplementedError

    def _initialize(self):
        """Fills the new data directory."""

    def _run(self, command, text=None, timeout_s=CLIENT_TIMEOUT_S):
        """Runs a program to its end and returns its output. AssertionError if the program fails."""
        done = subprocess.run(command, input=text, cwd=self._directory, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=timeout_s)
        if done.returncode != 0:
            raise AssertionError(f"{self.name}: {text or command}: {done.stderr or done.stdout}")
        return done.stdout


class MariaDb(_Server):
    """User root, no password."""

    READY = "ready for connections"
    USER = "root"

    def __init__(self, directory, name="mariadb", options=()):
        super().__init__(directory, name, options)

    def sql(self, text, database=None):
        """Runs statements; returns the rows as lists of strings (`NULL` for null)."""
        client = [need_program("mariadb", "mariadb-client"), "--no-defaults", "--batch",
                  "--skip-column-names", "--protocol=tcp", f"--host={HOST}",
                  f"--port={self.port}", f"--user={self.USER}"]
        return _rows(self._run(client + ([database] if database else []), text))

    def create_database(self, name):
        self.sql(f"create database `{name}`")

    def _command(self):
        return [need_program("mariadbd", "mariadb-server", ["/usr/sbin"]), "--no-defaults",
                f"--datadir={self._data}", f"--bind-address={HOST}", f"--port={self.port}",
                # Relative to the data directory: a socket's path must be short.
                "--socket=server.sock", "--pid-file=server.pid", "--skip-log-bin",
                "--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=2",
                "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M",
                "--skip-name-resolve"] + self._own_tables() + self._as_root()

    def _initialize(self):
        self._run([need_program("mariadb-install-db", "mariadb-server"), "--no-defaults",
                   f"--datadir={self._data}", "--auth-root-authentication-method=normal",
                   "--skip-test-db", "--innodb-flush-method=nosync",
                   "--innodb-log-file-size=16M"] + self._own_tables() + self._as_root(),
                  timeout_s=INITIALIZE_TIMEOUT_S)

    def _own_tables(self):
        """At its start a server deletes all temporary tables that it finds, other servers' too."""
        directory = os.path.join(self._directory, self.name + "-tables")
        os.makedirs(directory, exist_ok=True)
        return [f"--tmpdir={directory}"]

    @staticmethod
    def _as_root():
        """The server refuses to run as root unless it is told to."""
        return ["--user=root"] if os.geteuid() == 0 else []


class Postgres(_Server):
    """User postgres, no password; prepared transactions are allowed."""

    READY = "database system is ready to accept connections"
    STOP_SIGNAL = signal.SIGINT
    USER = PG_SUPERUSER

    def __init__(self, directory, name="postgres", options=()):
        super().__init__(directory, name, options)

    def sql(self, text, database="postgres"):
        """Runs statements; returns the rows as lists of strings (`NULL` for null)."""
        client = [_postgres_program("psql"), "--no-psqlrc", "--quiet",
                  "--tuples-only", "--no-align", "--field-separator=\t", "--pset=null=NULL",
                  "--set=ON_ERROR_STOP=1", f"--host={HOST}", f"--port={self.port}",
                  f"--username={self.USER}", "--no-password", f"--dbname={database}"]
        return _rows(self._run(client, text))

    def create_database(self, name):
        self.sql(f'create database "{name}"')

    def _command(self):
        return self._as_postgres() + [
            _postgres_program("postgres"), "-D", self._data, "-h", HOST, "-p", str(self.port),
            "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "full_page_writes=off",
            "-c", "max_prepared_transactions=64", "-c", "max_connections=100",
            "-c", "shared_buffers=16MB"]

    def _initialize(self):
        if os.geteuid() == 0:
            _let_others_pass(self._directory)
            self._run(["chown", PG_SUPERUSER, self._data])
        self._run(self._as_postgres() + [
            _postgres_program("initdb"), "-D", self._data, "-U", self.USER, "-A", "trust",
            "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"],
            timeout_s=INITIALIZE_TIMEOUT_S)

    @staticmethod
    def _as_postgres():
        """The server refuses to run as root. Changing the user clears the death signal."""
        if os.geteuid() != 0:
            return []
        return [need_program("setpriv", "util-linux"), f"--reuid={PG_SUPERUSER}",
                f"--regid={PG_SUPERUSER}", "--init-groups", "--pdeathsig=KILL"]


class Redis(_Server):
    """No password; every answered write is in its append-only file."""

    READY = "Ready to accept connections"

    def __init__(self, directory, name="redis", options=()):
        super().__init__(directory, name, options)

    def command(self, *words):
        """Runs one command; returns its answer as a Python value."""
        client = [need_program("redis-cli", "redis-tools"), "-h", HOST, "-p", str(self.port),
                  "-e", "--json", *map(str, words)]
        return json.loads(self._run(client))

    def _command(self):
        return [need_program("redis-server", "redis-server"), "--bind", HOST, "--port",
                str(self.port), "--dir", self._data, "--save", "", "--appendonly", "yes",
                "--appendfsync", "no"]


def _rows(printed):
    return [line.split("\t") for line in printed.splitlines() if line]


def _postgres_program(name):
    """The programs of the newest version. Debian keeps each version's programs in a separate
    directory; Debian's `psql` on PATH is a script that looks for the version and is ten times as
    slow."""
    installed = sorted(glob.glob("/usr/lib/postgresql/*/bin"),
                       key=lambda path: int(re.search(r"(\d+)/bin$", path).group(1)), reverse=True)
    return shutil.which(name, path=os.pathsep.join(installed)) or need_program(name, "postgresql")


def _let_others_pass(directory):
    """Lets other users reach the files in a directory below the temporary directory."""
    top = os.path.realpath(tempfile.gettempdir())
    path = os.path.realpath(directory)
    while path.startswith(top + os.sep):
        os.chmod(path, os.stat(path).st_mode | 0o011)
        path = os.path.dirname(path)


def _children(pid):
    """The running child processes; none if the process does not exist any more."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except FileNotFoundError:
        return []


def _kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _runs(pid):
    """Whether the process exists and is not a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
