"""The coordinator's program under test."""

import os

from .http import http_call, http_json
from .ports import free_ports
from .process import Process
from .wait import wait_until

READY_TIMEOUT_S = 60.0


class Concertod:
    """Runs the program with its own YAML configuration.

    `settings` maps the paths of page 06 (`MicroService.Target`) to values. Ports, loopback as the
    listening address, a store below `directory` and a stop without delay are set unless given.
    `kill` and `start` keep ports and store. `under` is a command that the program's is appended
    to, such as valgrind's. With TLS and callers, `context` is an ssl.SSLContext and `token` is that
    of a caller who may read all.
    """

    def __init__(self, binary, directory, settings=None, name="concertod", env=None, under=(),
                 context=None, token=None):
        self._command = [*under, binary]
        self._directory = directory
        self._env = env
        self._context = context
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.name = name
        self.http_port, self.grpc_port = free_ports(2)
        defaults = {
            "HttpPort": self.http_port,
            "GrpcPort": self.grpc_port,
            "ListenAddress": "127.0.0.1",
            "Store.Driver": "leveldb",
            "Store.Path": os.path.join(directory, name + "-data"),
            "ShutdownDelay": 0,
            "CoreDumps": 1,  # tests look into /proc, as the user that runs them
        }
        self.settings = {**defaults, **(settings or {})}
        self.http_port = self.settings["HttpPort"]
        self.grpc_port = self.settings["GrpcPort"]
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def root(self):
        scheme = "https" if self._context else "http"
        return f"{scheme}://127.0.0.1:{self.http_port}"

    @property
    def api(self):
        return self.root + "/api/dtmsvr"

    @property
    def grpc_address(self):
        return f"localhost:{self.grpc_port}"

    def start(self, *options):
        """Returns when the HTTP port answers. `options`: more of the command line, such as -r."""
        config = os.path.join(self._directory, self.name + ".yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(to_yaml(self.settings))
        command = [*self._command, "-c", config, *options]
        self.process = Process(self.name, command, self._directory, self._env)
        ping = self.root + "/api/ping"

        def answers():
            if not self.process.is_running():
                raise AssertionError(f"{self.name} ended at start\n{self.process.tail()}")
            return http_call("GET", ping, context=self._context).status == 200

        wait_until(answers, f"{self.name} answers {ping}", READY_TIMEOUT_S)

    def terminate(self, timeout_s=15.0):
        """SIGTERM; returns the exit code."""
        return self.process.terminate(timeout_s)

    def kill(self):
        if self.process:
            self.process.kill()

    def query(self, gid):
        """`transaction` and `branches` as the query interface shows them."""
        return self._get_json(f"/api/dtmsvr/query?gid={gid}")

    def status(self, gid):
        transaction = self.query(gid)["transaction"]
        return transaction["status"] if transaction else None

    def why(self, gid):
        """What this coordinator says of a transaction and its attempts."""
        return self._get_json(f"/api/concerto/why?gid={gid}")

    def metric(self, sample):
        """The value of a sample (`name`, or `name{label="value"}`); None if it is not shown."""
        page = http_call("GET", self.root + "/api/metrics", headers=self._headers,
                         context=self._context).body.decode()
        found = [line for line in page.splitlines() if line.startswith(sample + " ")]
        return float(found[0].rpartition(" ")[2]) if found else None

    def wait_for_status(self, gid, status, timeout_s=20.0):
        wait_until(lambda: self.status(gid) == status, f"{gid} is {status}", timeout_s)

    def _get_json(self, path):
        return http_json("GET", self.root + path, headers=self._headers, context=self._context)


def to_yaml(settings):
    """Nested YAML of settings whose keys are dotted paths. Strings are quoted, numbers are not."""
    tree = {}
    for path, value in settings.items():
        node = tree
        *parents, leaf = path.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = value
    return "".join(_yaml_lines(tree, 0))


def _yaml_lines(tree, depth):
    for key, value in tree.items():
        indent = "  " * depth
        if isinstance(value, dict):
            yield f"{indent}{key}:\n"
            yield from _yaml_lines(value, depth + 1)
        elif isinstance(value, str):
            quoted = value.replace("'", "''")
            yield f"{indent}{key}: '{quoted}'\n"
        else:
            yield f"{indent}{key}: {value}\n"
