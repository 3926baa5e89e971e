"""What the keys of the configuration do, seen from outside: one test per key or two.

Usage: settings_test.py <concertod>

That every key is read from file and environment is tested in tests/unit/tools.
"""

import json
import os
import socket
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import (  # noqa: E402  (the path has to be set first)
    BranchServer, Concertod, http_call, http_json, main, wait_until)

WAIT_S = 10.0
FAILURE = (409, "no money")
PING = b"GET /api/ping HTTP/1.1\r\nHost: test\r\n\r\n"
SETTINGS_FRAME = b"\0\0\0\4\0\0\0\0\0"
GOAWAY_FRAME_HEAD = b"\0\0\x08\x07\0\0\0\0\0"


class Settings(unittest.TestCase):
    def setUp(self):
        self.branches = BranchServer()
        self.addCleanup(self.branches.close)

    def start(self, settings, env=None, name=None):
        coordinator = Concertod(self.args.concertod, self.directory, {"Shards": 1, **settings},
                                name or self.id().split(".")[-1], env)
        self.addCleanup(coordinator.kill)
        coordinator.start()
        return coordinator

    def submit(self, coordinator, gid, name="a", payload="{}", **fields):
        """A saga of one step. Returns the answer, whatever its status."""
        url = name if "://" in name else self.branches.url(name)
        saga = {"gid": gid, "trans_type": "saga", "payloads": [payload],
                "steps": [{"action": url, "compensate": url}], **fields}
        return http_call("POST", f"{coordinator.api}/submit", json.dumps(saga).encode(),
                         timeout_s=WAIT_S)

    def interval_of(self, coordinator, gid):
        return coordinator.query(gid)["transaction"]["next_cron_interval"]

    def connect(self, coordinator):
        connection = socket.create_connection(("127.0.0.1", coordinator.http_port), WAIT_S)
        self.addCleanup(connection.close)
        return connection

    def test_retry_interval_and_backoff_max(self):
        self.branches.script("broken", (500, "oops"))
        for settings, interval in (({"RetryInterval": 12}, 24),
                                   ({"RetryInterval": 12, "BackoffMax": 15}, 15)):
            coordinator = self.start(settings, name=f"backoff-{interval}")
            self.submit(coordinator, "broken", "broken", wait_result=True)
            self.assertEqual(self.interval_of(coordinator, "broken"), interval)

    def test_timeout_to_fail(self):
        coordinator = self.start({"RetryInterval": 1, "TimeoutToFail": 1})
        http_json("POST", f"{coordinator.api}/prepare", {"gid": "idle", "trans_type": "tcc"})
        coordinator.wait_for_status("idle", "failed")
        self.assertRegex(coordinator.query("idle")["transaction"]["rollback_reason"],
                         r"^Timeout after \d+ seconds$")

    def test_request_timeout(self):
        coordinator = self.start({"RetryInterval": 30, "RequestTimeout": 1, "TimeoutToFail": 60})
        gate = self.branches.hold("slow")
        self.addCleanup(gate.set)
        self.submit(coordinator, "slow", "slow", wait_result=True)
        root = coordinator.api.removesuffix("/dtmsvr")
        (attempt,) = http_json("GET", f"{root}/concerto/why?gid=slow")["attempts"]
        self.assertRegex(attempt["answer"], "time|deadline")
        self.assertGreaterEqual(attempt["latency_ms"], 1000)
        self.assertLess(attempt["latency_ms"], 2900)  # less than the default allows

    def test_branches_without_a_host_are_on_this_machine(self):
        coordinator = self.start({})
        port = self.branches.url("a").split(":")[2].split("/")[0]
        answer = self.submit(coordinator, "no-host", f"http://:{port}/a", wait_result=True)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(coordinator.status("no-host"), "succeed")

    def test_spellings_that_the_reference_starts_with(self):
        coordinator = self.start({"LogLevel": "DEBUG", "RequestTimeout": 3.0,
                                  "TransCronInterval": -1, "AdminBasePath": "dtm/"})
        self.assertEqual(self.submit(coordinator, "spelt").status, 200)
        page = http_call("GET", f"http://127.0.0.1:{coordinator.http_port}/dtm/")
        self.assertEqual((page.status, page.headers["Content-Type"].partition(";")[0]),
                         (200, "text/html"))

    def test_environment_and_file(self):
        env = {"RETRY_INTERVAL": "17", "TIMEOUT_TO_FAIL": "40"}
        for settings, interval in (({}, 17), ({"RetryInterval": 13}, 13)):
            coordinator = self.start(settings, env, name=f"environment-{interval}")
            http_json("POST", f"{coordinator.api}/prepare", {"gid": "g", "trans_type": "xa"})
            self.assertEqual(self.interval_of(coordinator, "g"), interval)

    def test_time_zone_offset(self):
        for offset, zone in (("+8", r"\+08:00"), ("-5", "-05:00"), ("0", "Z")):
            coordinator = self.start({"TimeZoneOffset": offset}, name=f"zone{offset}")
            self.submit(coordinator, "g", wait_result=True)
            found = coordinator.query("g")
            for record in (found["transaction"], *found["branches"]):
                for name in ("create_time", "update_time"):
                    self.assertRegex(record[name], rf"T[0-9:.]+{zone}$", (offset, name))

    def test_listen_address(self):
        for address, reached in (("127.0.0.1", False), ("", True)):
            coordinator = self.start({"ListenAddress": address}, name=f"address-{reached}")
            warned = coordinator.process.lines('"level":"warn".*everybody who reaches the ports')
            self.assertEqual(bool(warned), reached)
            for port in (coordinator.http_port, coordinator.grpc_port):
                socket.create_connection(("127.0.0.1", port), WAIT_S).close()
                with socket.socket() as other:
                    other.settimeout(WAIT_S)
                    self.assertEqual(other.connect_ex(("127.0.0.2", port)) == 0, reached)

    def test_shards(self):
        coordinator = self.start({"Shards": 3})
        coordinator.process.wait_for_line('"msg":"ready: .* 3 shards"')

    def test_docker_host(self):
        """IS_DOCKER, as a proxy sees it: the name need not be resolvable here."""
        proxy = self.branches.url("").rstrip("/")
        env = {"IS_DOCKER": "1", "HTTP_PROXY": proxy, "NO_PROXY": "", "http_proxy": "",
               "no_proxy": ""}
        coordinator = self.start({}, env)
        for number, host in enumerate(("localhost", "127.0.0.1")):
            gid = f"docker-{number}"
            answer = self.submit(coordinator, gid, f"http://{host}:9/a", wait_result=True)
            self.assertEqual(answer.status, 200)
            (call,) = self.branches.calls(gid)
            self.assertEqual(call.headers["Host"], "host.docker.internal:9")

    def test_max_body_bytes(self):
        coordinator = self.start({"MaxBodyBytes": 2000})
        for length, status in ((1000, 200), (2000, 413)):
            answer = self.submit(coordinator, f"body-{length}", payload="x" * length)
            self.assertEqual(answer.status, status)

    def test_max_response_bytes(self):
        """An answer is not read beyond the limit, and so a FAILURE there is not seen."""
        self.branches.script("wordy", (200, "x" * 2000 + "FAILURE"))
        for limit, status in ((4000, 409), (1000, 200)):
            coordinator = self.start({"MaxResponseBytes": limit}, name=f"response-{limit}")
            answer = self.submit(coordinator, "wordy", "wordy", wait_result=True)
            self.assertEqual(answer.status, status)

    def test_max_in_flight_bytes(self):
        coordinator = self.start({"MaxInFlightBytes": 1000})
        for length, status in ((500, 200), (2000, 503)):
            answer = self.submit(coordinator, f"bytes-{length}", payload="x" * length,
                                 wait_result=True)
            self.assertEqual(answer.status, status)

    def test_max_connections(self):
        coordinator = self.start({"MaxConnections": 2})
        kept = []

        def connects():
            """The connection of `start` may still be counted."""
            connection = self.connect(coordinator)
            connection.sendall(PING)
            if b" 200 OK" in connection.recv(1000):
                kept.append(connection)
            return len(kept) == 2

        wait_until(connects, "two connections", WAIT_S)
        self.assertIn(b" 503 ", self.connect(coordinator).recv(1000))

    def test_http_wait_max(self):
        coordinator = self.start({"HttpWaitMax": 1, "RequestTimeout": 60})
        held = self.branches.hold("slow")
        self.addCleanup(held.set)
        answer = self.submit(coordinator, "g", "slow", wait_result=True)
        self.assertEqual(answer.status, 503, answer.body)
        self.assertEqual(answer.headers["Concerto-Outcome"], "pending")
        held.set()
        wait_until(lambda: coordinator.query("g")["transaction"]["status"] == "succeed",
                   "it goes on", WAIT_S)

    def test_read_and_idle_timeout(self):
        coordinator = self.start({"ReadTimeout": 1, "IdleTimeout": 1})
        slow, idle = self.connect(coordinator), self.connect(coordinator)
        slow.sendall(PING[:-2])
        idle.sendall(PING)
        self.assertIn(b"pong", idle.recv(1000))
        grpc = socket.create_connection(("127.0.0.1", coordinator.grpc_port), WAIT_S)
        self.addCleanup(grpc.close)
        grpc.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS_FRAME)
        grpc.settimeout(WAIT_S / 2)
        received = b""
        while GOAWAY_FRAME_HEAD not in received:
            octets = grpc.recv(1000)
            self.assertTrue(octets, "closed without GOAWAY")
            received += octets
        for connection in (slow, idle):  # ended before the default, perhaps after some bytes
            connection.settimeout(WAIT_S / 2)
            while connection.recv(1000):
                pass

    def test_store(self):
        for driver, kept in (("leveldb", True), ("boltdb", True), ("memory", False)):
            path = os.path.join(self.directory, f"store-{driver}")
            coordinator = self.start({"Store.Driver": driver, "Store.Path": path}, name=driver)
            self.submit(coordinator, "g", wait_result=True)
            self.assertEqual(os.path.isdir(path), kept)
            if kept:
                coordinator.process.wait_for_line(f"opened a new store: '{path}'")
                self.assertEqual(self.open_to_others(path), [])
            coordinator.kill()
            coordinator.start()
            self.assertEqual(coordinator.status("g"), "succeed" if kept else None)
            if kept:
                coordinator.process.wait_for_line(f"opened the store: '{path}'")

    def open_to_others(self, directory):
        """Everything below the directory, with the directory itself, that others may read or write.
        """
        paths = [os.path.join(at, name) for at, directories, files in os.walk(directory)
                 for name in directories + files]
        return [path for path in [directory, *paths] if os.stat(path).st_mode & 0o077]

    def test_log(self):
        path = os.path.join(self.directory, "lines.log")
        coordinator = self.start({"Log.Outputs": f"stdout,{path}"}, name="log-info")
        coordinator.process.wait_for_line('"msg":"ready: ')
        self.assertEqual(os.stat(path).st_mode & 0o027, 0, "logs quote what branches answer")
        with open(path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.assertTrue([line for line in lines if line["msg"].startswith("ready: ")])
        for level, written in (("debug", {"debug", "info"}), ("warn", set())):
            path = os.path.join(self.directory, f"{level}.log")
            coordinator = self.start({"LogLevel": level, "Log.Outputs": path}, name=f"log-{level}")
            self.branches.script("poor", FAILURE, (200, ""), gid=level)
            self.submit(coordinator, level, "poor", wait_result=True)
            self.assertEqual(coordinator.terminate(), 0)
            with open(path, encoding="utf-8") as file:
                levels = {json.loads(line)["level"] for line in file}
            self.assertEqual(levels & {"debug", "info"}, written)


if __name__ == "__main__":
    main(Settings, lambda parser: parser.add_argument("concertod"), __doc__)
