"""The reference server. Its embedded store is in the directory that it runs in."""

from .http import http_call
from .ports import free_ports
from .process import Process
from .wait import wait_until

READY_TIMEOUT_S = 60.0


class Reference:
    """Runs a built `github.com/dtm-labs/dtm`; starts at construction.

    Its log is set to warnings: at its default it would write lines for every call. `env` has
    further settings. `kill` and `start` keep the ports.
    """

    def __init__(self, program, directory, name="reference", env=None):
        self._program = program
        self._directory = directory
        self._name = name
        self.http_port, self.grpc_port = free_ports(2)
        self._env = {"HTTP_PORT": str(self.http_port), "GRPC_PORT": str(self.grpc_port),
                     "UPDATE_BRANCH_SYNC": "1", "LOG_LEVEL": "warn", **(env or {})}
        self.start()

    @property
    def api(self):
        return f"http://127.0.0.1:{self.http_port}/api/dtmsvr"

    def start(self):
        """Returns when the HTTP port answers."""
        self._process = Process(self._name, [self._program], self._directory, self._env)
        self.pid = self._process.pid
        ping = f"http://127.0.0.1:{self.http_port}/api/ping"

        def answers():
            self._process.check_runs()
            return http_call("GET", ping).status == 200

        wait_until(answers, f"the reference answers {ping}", READY_TIMEOUT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        self._process.kill()
