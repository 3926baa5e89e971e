"""The ports of concertod over TLS: sessions, certificates of clients, and the rotation of files.

Usage: tls_test.py <concertod>
"""

import http.client
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import Process, free_ports, main, need_program, wait_until  # noqa: E402
from concerto_testing.certificates import COMMAND_TIMEOUT_S, Authority  # noqa: E402
from concerto_testing.concertod import to_yaml  # noqa: E402

COMMAND_TIMEOUT_S = 30


class Tls(unittest.TestCase):
    def setUp(self):
        self.work = os.path.join(self.directory, self.id().split(".")[-1])
        os.mkdir(self.work)
        self.authority = Authority(self.work)
        self.authority.issue("server", "DNS:localhost,IP:127.0.0.1")
        self.http_port, self.grpc_port = free_ports(2)
        self.server = None

    def start(self, settings=None):
        file = self.authority.file
        self.settings = {
            "HttpPort": self.http_port, "GrpcPort": self.grpc_port, "ListenAddress": "127.0.0.1",
            "Store.Driver": "memory", "Shards": 1, "ShutdownDelay": 0,
            "Tls.CertFile": file("server.pem"), "Tls.KeyFile": file("server.key"),
            **(settings or {})}
        config = file("concertod.yml")
        with open(config, "w", encoding="utf-8") as out:
            out.write(to_yaml(self.settings))
        self.server = Process("concertod", [self.args.concertod, "-c", config], self.work)
        self.addCleanup(self.server.kill)
        self.server.wait_for_line("listening on port .* over TLS as CN=server valid until ")

    def connect(self, shown=None, name="localhost"):
        """An open HTTP connection, made by a full handshake."""
        connection = http.client.HTTPSConnection(name, self.http_port, timeout=10,
                                                 context=self.authority.context(shown))
        connection.connect()
        self.addCleanup(connection.close)
        return connection

    def ping(self, connection):
        connection.request("GET", "/api/ping")
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def ping_resumed(self, earlier):
        """Goes on with the session of an earlier connection: whether it was resumed, the status."""
        connection = http.client.HTTPConnection("localhost", self.http_port, timeout=10)
        connection.connect()
        self.addCleanup(connection.close)
        connection.sock = earlier.sock.context.wrap_socket(
            connection.sock, server_hostname="localhost", session=earlier.sock.session)
        return connection.sock.session_reused, self.ping(connection)

    def shown_name(self):
        """The common name of the certificate that the server shows to a new connection."""
        with self.connect().sock as stream:
            subject = dict(entry[0] for entry in stream.getpeercert()["subject"])
        return subject["commonName"]

    def why_refused(self, shown=None):
        """The error of a request over a new connection; with TLS 1.3 the first read has it."""
        with self.assertRaises((ssl.SSLError, ConnectionError)) as refused:
            self.ping(self.connect(shown))
        return str(refused.exception)

    def s_client(self, port, *options):
        done = subprocess.run(
            [need_program("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{port}",
             "-CAfile", self.authority.file("ca.pem"), "-verify_return_error", *options],
            input="", timeout=COMMAND_TIMEOUT_S, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", check=False)
        return done.stdout

    def test_sessions_are_resumed(self):
        self.start()
        first = self.connect()
        self.assertEqual(self.ping(first), 200)
        self.assertEqual(self.ping_resumed(first), (True, 200))
        first.request("GET", "/api/metrics")
        end = re.search(r'\nconcerto_tls_certificate_expiry_timestamp_seconds{use="server"} (\S+)',
                        first.getresponse().read().decode())
        self.assertAlmostEqual(float(end[1]), time.time() + 2 * 86400, delta=3600)
        self.server.wait_for_line("the certificate of the ports .* expires in 47 hours")

    def test_certificates_of_clients(self):
        for name in ("good", "bad"):
            self.authority.issue(name, f"DNS:{name}.b.org")
        self.authority.revoke("bad")
        file = self.authority.file
        self.start({"Tls.ClientAuth": "required", "Tls.ClientCaFile": file("ca.pem"),
                    "Tls.ClientCrlFile": file("crl.pem")})
        self.assertEqual(self.ping(self.connect("good")), 200)
        self.why_refused()
        self.why_refused("bad")
        self.server.wait_for_line("TLS handshakes failed at the HTTP port")
        keep = self.connect("good")
        self.assertEqual(self.ping(keep), 200)
        self.assertEqual(self.ping_resumed(keep), (False, 200), "each certificate is verified")
        self.authority.revoke("good")
        self.server.wait_for_line("files of TLS have changed and are used")
        self.assertEqual(self.ping(keep), 200, "its connection is older than the list")
        self.why_refused("good")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.ping_resumed(keep)

    def test_rotation_without_a_failed_call(self):
        self.start()
        self.authority.issue("server-2", "DNS:localhost,IP:127.0.0.1")
        self.authority.issue("server-3", "DNS:localhost,IP:127.0.0.1")
        old = self.connect()
        statuses, failures, stop = [], [], threading.Event()

        def call():
            while not stop.is_set():
                try:
                    connection = self.connect()
                    statuses.append(self.ping(connection))
                    connection.close()
                except OSError as error:
                    failures.append(repr(error))

        client = threading.Thread(target=call)
        client.start()
        try:
            self.authority.replace("server", by="server-2")
            self.server.wait_for_line("files of TLS have changed and are used .* as CN=server-2 ")
            self.assertEqual(self.shown_name(), "server-2")
            self.authority.replace("server", by="server-3")
            os.kill(self.server.pid, signal.SIGHUP)
            wait_until(lambda: self.shown_name() == "server-3", "SIGHUP reads the files")
        finally:
            stop.set()
            client.join()
        self.assertRegex(self.s_client(self.grpc_port, "-alpn", "h2"), "subject=CN *= *server-3")
        self.assertEqual(failures, [])
        self.assertEqual(set(statuses), {200})
        self.assertEqual(self.ping(old), 200)

    def test_broken_files_change_nothing(self):
        self.start()
        with open(self.authority.file("server.key"), "w", encoding="ascii") as file:
            file.write("no key")
        line = self.server.wait_for_line("files of TLS have changed and cannot be used")
        self.assertIn("server.key", line)
        self.assertEqual(self.shown_name(), "server")
        os.kill(self.server.pid, signal.SIGHUP)
        self.server.wait_for_line("the configuration is not reloaded")
        self.assertEqual(self.shown_name(), "server")
        self.authority.issue("server-2", "DNS:localhost,IP:127.0.0.1")
        self.authority.replace("server", by="server-2")
        self.server.wait_for_line("files of TLS have changed and are used")
        self.assertEqual(self.shown_name(), "server-2")
        self.assertEqual(len(re.findall("cannot be used", self.server.text())), 1)


if __name__ == "__main__":
    main(Tls, lambda parser: parser.add_argument("concertod"), __doc__)
