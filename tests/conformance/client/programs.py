"""The recorder, and the programs whose requests it notes."""

import json
import socket
import subprocess
import threading

from concerto_testing import Process, free_port, free_ports, http_call

PROGRAM_TIMEOUT_S = 20.0


class Recorder:
    """`coordinator`: the HTTP and the gRPC address of a real one, which requests go on to."""

    def __init__(self, program, directory, name, coordinator=None):
        http, grpc = (f"127.0.0.1:{port}" for port in free_ports(2))
        self._http, self._grpc = http, grpc
        forward = ["-coordinator-http", coordinator[0],
                   "-coordinator-grpc", coordinator[1]] if coordinator else []
        self._process = Process(name, [program, "-http", http, "-grpc", grpc, *forward], directory)
        self._process.wait_for_line("^ready$")
        # Bound and not listening: connections are refused, and nobody else gets the port.
        self._closed = socket.socket()
        self._closed.bind(("127.0.0.1", 0))
        self._nobody = f"127.0.0.1:{self._closed.getsockname()[1]}"

    def close(self):
        self._process.kill()
        self._closed.close()

    def coordinator(self, wire, unreachable):
        http, grpc = (self._nobody,) * 2 if unreachable else (self._http, self._grpc)
        return {"http": f"http://{http}/api/dtmsvr", "json-rpc": f"http://{http}/api/json-rpc",
                "grpc": grpc}[wire]

    def script(self, gid, answers, apart):
        """Returns a function that makes the URLs of the transaction's branches. No name is no URL.

        `apart`: on ports of their own, so that a connection that breaks or hangs is not one that
        the coordinator uses for another transaction.
        """
        body = json.dumps({"gid": gid, "answers": answers, "apart": apart}).encode()
        at = self._control("POST", "script", body).json()

        def url(wire, name):
            http, grpc = (self._nobody,) * 2 if name.endswith("!") else (at["http"], at["grpc"])
            path = name.rstrip("!")
            if not path:
                return ""
            if name.startswith("local"):  # not a call
                return name
            return f"{grpc}/busi.Busi/{path}" if wire == "grpc" else f"http://{http}/busi/{path}"

        return url

    def requests(self, gid):
        return self._control("GET", f"requests?gid={gid}").json()

    def _control(self, method, path, body=None):
        return http_call(method, f"http://{self._http}/control/{path}", body)


def run(program, recorder, wire, scenario, gid, apart):
    """Makes the transaction; returns what the program's caller is told."""
    url = recorder.script(gid, scenario.answers, apart)
    transaction = {"gid": gid, **scenario.transaction}
    transaction["query"] = url(wire, transaction.get("query", ""))
    transaction["branches"] = [
        {key: value if key in ("name", "topic") else url(wire, value)
         for key, value in branch.items()} for branch in transaction["branches"]]
    command = [program, "-wire", wire, "-dtm", recorder.coordinator(wire, scenario.unreachable),
               "-transaction", json.dumps(transaction)]
    if transaction["mode"] == "workflow":
        command += ["-listen", f"127.0.0.1:{free_port()}"]
    return result(command)


def result(command):
    """What the program says of its transaction. Workflows go on running, to be resumed."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as running:
        limit = threading.Timer(PROGRAM_TIMEOUT_S, running.kill)
        limit.start()
        told, others = None, []
        for line in running.stdout:
            others.append(line)
            if line.startswith("result: "):
                told = line.strip().removeprefix("result: ")
                break
        limit.cancel()
        running.kill()
    return told or f"no result: {''.join(others)}"
