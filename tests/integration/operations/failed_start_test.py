"""A start that fails half-way ends with an error and a sentence, never with a signal.

Usage: failed_start_test.py [--rounds N] <concertod>; the long form of tools/prove has 500 rounds
and programs built with sanitizers, whose findings are exit codes of their own.
"""

import os
import random
import resource
import signal
import socket
import subprocess
import threading
import unittest

from operations_test_case import http_json, run_tests, to_yaml
from concerto_testing import Concertod, ends_within
from concerto_testing.ports import free_ports

END_S = 60
SAGAS = 60
LONELY_USER = 61238  # has no processes but those of a test
STOP_WITHIN_S = 0.08  # from the first instruction to the last line of a start


def become_lonely():
    """Gives root's rights up."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(LONELY_USER, LONELY_USER, LONELY_USER)
        os.setresuid(LONELY_USER, LONELY_USER, LONELY_USER)


class FailedStarts(unittest.TestCase):
    def rounds(self):
        return range(self.args.rounds)

    def config(self, name, settings):
        path = os.path.join(self.directory, name + ".yml")
        http_port, grpc_port = free_ports(2)
        defaults = {"ListenAddress": "127.0.0.1", "HttpPort": http_port, "GrpcPort": grpc_port,
                    "Shards": 2, "Store.Path": os.path.join(self.directory, name),
                    "ShutdownDelay": 0}
        with open(path, "w", encoding="utf-8") as file:
            file.write(to_yaml({**defaults, **settings}))
        return path

    def run_program(self, config, stop_after_s=None):
        """The exit code and the output."""
        with subprocess.Popen([self.args.concertod, "-c", config], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, cwd=self.directory) as program:
            timer = None
            if stop_after_s is not None:
                timer = threading.Timer(stop_after_s, program.send_signal, [signal.SIGTERM])
                timer.start()
            try:
                text, _ = program.communicate(timeout=END_S)
            finally:
                program.kill()
                if timer:
                    timer.cancel()
        return program.returncode, text

    def run_until_ready(self, config, prepare):
        """The same for a start that is stopped as soon as it serves, if it serves at all."""
        with subprocess.Popen([self.args.concertod, "-c", config], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, preexec_fn=prepare,
                              cwd=self.directory) as program:
            text = ""
            with ends_within(END_S, program, "is ready and stops, or ends"):
                for line in program.stdout:
                    text += line
                    if '"msg":"ready' in line:
                        program.send_signal(signal.SIGTERM)
                code = program.wait()
        return code, text

    def expect_refusal(self, config, sentence):
        code, text = self.run_program(config)
        self.assertEqual(code, 1, text)
        self.assertIn(sentence, text)

    def expect_one_reason(self, config, reason, prepare=None):
        code, text = self.run_until_ready(config, prepare)
        self.assertEqual(code, 1, text)
        (line,) = [line for line in text.splitlines() if reason in line]
        self.assertIn("the store cannot be opened: ", line)

    def test_a_store_that_another_process_has(self):
        holder = Concertod(self.args.concertod, self.directory, {"Shards": 1}, "holder")
        self.addCleanup(holder.kill)
        holder.start()
        config = self.config("held", {"Store.Path": holder.settings["Store.Path"]})
        self.expect_one_reason(config, "another process has this store open")

    def test_a_directory_that_cannot_be_written(self):
        path = os.path.join(self.directory, "unwritable")
        os.mkdir(path, 0o555)
        os.chmod(self.directory, 0o755)
        config = self.config("unwritable-store", {"Store.Path": path})
        self.expect_one_reason(config, "Permission denied", become_lonely)

    def taken_port(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        return taken.getsockname()[1]

    def test_taken_http_port_and_a_new_store(self):
        port = self.taken_port()
        for i in self.rounds():
            config = self.config(f"http-{i}", {"HttpPort": port})
            self.expect_refusal(config, f"cannot listen on 127.0.0.1:{port}: Address already in")

    def test_taken_grpc_port_and_a_new_store(self):
        port = self.taken_port()
        for i in self.rounds():
            config = self.config(f"grpc-{i}", {"GrpcPort": port})
            self.expect_refusal(config, f"cannot listen on 127.0.0.1:{port}: Address already in")

    def test_taken_port_on_every_interface_is_named_as_taken(self):
        taken = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        self.addCleanup(taken.close)
        port = taken.getsockname()[1]
        for key in ("HttpPort", "GrpcPort"):
            config = self.config(f"every-{key}", {key: port, "ListenAddress": ""})
            self.expect_refusal(config, f":{port}: Address already in use")

    def store_with_unfinished(self):
        """A store whose recovery has something to read."""
        coordinator = Concertod(self.args.concertod, self.directory,
                                {"Shards": 2, "RetryInterval": 30}, "unfinished")
        self.addCleanup(coordinator.kill)
        coordinator.start()
        for i in range(SAGAS):
            http_json("POST", f"{coordinator.api}/submit", {
                "gid": f"g{i}", "trans_type": "saga", "payloads": ["{}"],
                "steps": [{"action": "http://127.0.0.1:1/a"}]})
        self.assertEqual(coordinator.terminate(), 0)
        return coordinator.settings["Store.Path"]

    def test_taken_port_and_stops_while_recovery_reads(self):
        store = self.store_with_unfinished()
        port = self.taken_port()
        taken = self.config("taken", {"Store.Path": store, "GrpcPort": port})
        free = self.config("free", {"Store.Path": store})
        moments = random.Random(1)
        for _ in self.rounds():
            self.expect_refusal(taken, "Address already in use")
            code, text = self.run_program(free, stop_after_s=moments.uniform(0, STOP_WITHIN_S))
            # Until the program listens for the signal, the signal ends the process.
            self.assertIn(code, (0, -signal.SIGTERM), text)

    def test_registry_that_is_not_there(self):
        config = self.config("registry", {
            "MicroService.Driver": "dtm-driver-gozero",
            "MicroService.Target": "etcd://127.0.0.1:1/dtmservice",
            "MicroService.EndPoint": "127.0.0.1:36790"})
        moments = random.Random(2)
        for _ in self.rounds():
            code, text = self.run_program(config, stop_after_s=moments.uniform(0, STOP_WITHIN_S))
            self.assertIn(code, (0, -signal.SIGTERM), text)

    def test_too_few_descriptors_at_any_step(self):
        for limit in range(4, 40, max(1, 40 // self.args.rounds)):
            config = self.config(f"descriptors-{limit}", {})

            def starve(limit=limit):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

            code, text = self.run_until_ready(config, starve)
            # Enough for a start, or an error, or (127) too few for the loader to load the
            # libraries.
            self.assertIn(code, (0, 1, 127), f"limit {limit}: {text}")

    @unittest.skipIf(os.geteuid() != 0, "only root can become a user without processes")
    def test_too_few_threads_at_any_step(self):
        """The log, the store and each shard have threads of their own."""
        for limit in range(12):
            config = self.config(f"threads-{limit}", {})
            store = os.path.join(self.directory, f"threads-{limit}")
            os.mkdir(store)
            os.chown(store, LONELY_USER, LONELY_USER)
            os.chmod(self.directory, 0o755)

            def starve(limit=limit):
                become_lonely()
                resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))

            code, text = self.run_until_ready(config, starve)
            self.assertIn(code, (0, 1), f"limit {limit}: {text}")
            if code == 1:
                self.assertIn("the system starts no thread", text)


if __name__ == "__main__":
    def add_arguments(parser):
        parser.add_argument("concertod")
        parser.add_argument("--rounds", type=int, default=8)

    run_tests(FailedStarts, add_arguments, __doc__)
