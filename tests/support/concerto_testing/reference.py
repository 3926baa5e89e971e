"""The reference server. Without other settings its embedded store is in the directory that it runs
in."""

from .http import http_call
from .ports import free_ports
from .process import Process
from .wait import wait_until

READY_TIMEOUT_S = 20.0


class Reference:
    """Runs a built `github.com/dtm-labs/dtm`; starts at construction.

    Its log is set to warnings: at its default it would write lines for every call. `env` are its
    settings as environment variables.
    """

    def __init__(self, program, directory, name="reference", env=None):
        self.http_port, self.grpc_port = free_ports(2)
        settings = {"HTTP_PORT": str(self.http_port), "GRPC_PORT": str(self.grpc_port),
                    "UPDATE_BRANCH_SYNC": "1", "LOG_LEVEL": "warn", **(env or {})}
        self._process = Process(name, [program], directory, settings)
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
