#!/usr/bin/env python3
"""curl, grpcurl, grpc-go and OpenSSL against our servers over TLS, and our client against grpc-go's
server."""

import json
import os
import re
import signal
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

from concerto_testing import Process, go_build, main, need_program  # noqa: E402

GRPCURL = "github.com/fullstorydev/grpcurl/cmd/grpcurl"
GRPCURL_MODULE = os.path.join(HERE, "..", "grpcurl")
GRPCGO_MODULE = os.path.join(HERE, "grpcgo")
HEALTH = "grpc.health.v1.Health"
RUN_TIMEOUT_S = 30
LARGE_BYTES = 3_000_000
CURL_CERTIFICATE_REFUSED = 60


class Tls(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.work = os.path.join(self.directory, self.id().split(".")[-1])
        os.mkdir(self.work)
        self.server = Process("tls_server", [self.args.tls_server, self.work], self.work)
        self.addCleanup(self.server.kill)
        ports = re.search(r"HTTP (\d+) gRPC (\d+)", self.server.wait_for_line("HTTP .* gRPC"))
        self.http_port, self.grpc_port = ports.groups()

    def file(self, name):
        return os.path.join(self.work, name)

    def program(self, name):
        return os.path.join(self.args.build_directory, name)

    def run_program(self, *command, stdin=""):
        return subprocess.run(command, input=stdin, timeout=RUN_TIMEOUT_S, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, errors="replace")

    def curl(self, *options, ca="ca.pem"):
        return self.run_program(need_program("curl", "curl"), "--silent", "--show-error",
                                "--noproxy", "*", "--cacert", self.file(ca), *options,
                                f"https://localhost:{self.http_port}/echo")

    def grpcurl(self, *arguments, ca="ca.pem", name="localhost"):
        go_build(GRPCURL_MODULE, self.args.build_directory, GRPCURL)
        options = [argument for argument in arguments if argument.startswith("-")]
        others = [argument for argument in arguments if not argument.startswith("-")]
        return self.run_program(self.program("grpcurl"),
                                f"-cacert={self.file(ca)}", f"-servername={name}", *options,
                                f"127.0.0.1:{self.grpc_port}", *others)

    def grpcgo(self, ca="ca.pem", name="localhost"):
        """Makes each kind of call with grpc-go."""
        go_build(GRPCGO_MODULE, self.args.build_directory)
        return self.run_program(self.program("grpcgo"), "call", "-ca", self.file(ca), "-name", name,
                                "-address", f"127.0.0.1:{self.grpc_port}",
                                "-bytes", str(LARGE_BYTES))

    def start_grpcgo_server(self):
        """The port of a server that is grpc-go's and has the certificate of ours."""
        go_build(GRPCGO_MODULE, self.args.build_directory)
        server = Process("grpcgo_server", [self.program("grpcgo"), "serve",
                                           "-certificate", self.file("server.pem"),
                                           "-key", self.file("server.key")], self.work)
        self.addCleanup(server.kill)
        return re.search(r"gRPC (\d+)", server.wait_for_line("gRPC")).group(1)

    def our_client(self, port, ca="ca.pem", name="localhost"):
        return self.run_program(self.args.tls_client, port, self.file(ca), name, str(LARGE_BYTES))

    def negotiated(self, port, *offered):
        """The protocol that ALPN agrees on. If it agrees on none, the whole output."""
        done = self.run_program(
            need_program("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{port}",
            "-servername", "localhost", "-CAfile", self.file("ca.pem"), "-alpn",
            ",".join(offered))
        found = re.search(r"ALPN protocol: (\S+)", done.stdout)
        return found.group(1) if found else done.stdout + done.stderr

    def test_curl_sends_and_gets_a_large_body(self):
        body = self.file("body")
        with open(body, "w", encoding="ascii") as file:
            file.write("0123456789" * (LARGE_BYTES // 10))
        done = self.curl("--data-binary", f"@{body}", "--output", self.file("answer"),
                         "--write-out", "%{http_code} %{http_version}")
        self.assertEqual((done.returncode, done.stdout), (0, "200 1.1"), done.stderr)
        with open(body, "rb") as sent, open(self.file("answer"), "rb") as got:
            self.assertTrue(sent.read() == got.read())

    def test_curl_keeps_its_connection(self):
        done = self.curl("--data-binary", "x", "--output", "/dev/null", "--write-out",
                         "%{num_connects} ", f"https://localhost:{self.http_port}/echo",
                         "--output", "/dev/null")
        self.assertEqual((done.returncode, done.stdout), (0, "1 0 "), done.stderr)

    def test_curl_refuses_a_stranger(self):
        done = self.curl("--data-binary", "x", ca="stranger.pem")
        self.assertEqual(done.returncode, CURL_CERTIFICATE_REFUSED, done.stderr)
        self.assertEqual(self.failed_handshakes(), ("1", "0"))

    def test_grpcurl_calls_and_reflects(self):
        done = self.grpcurl(f"{HEALTH}/Check")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), {"status": "SERVING"})
        done = self.grpcurl("list")
        self.assertEqual((done.returncode, done.stdout.splitlines()), (0, [HEALTH]), done.stderr)

    def test_grpcurl_refuses_a_stranger_and_another_name(self):
        for options in ({"ca": "stranger.pem"}, {"name": "elsewhere.org"}):
            done = self.grpcurl("-connect-timeout=3", f"{HEALTH}/Check", **options)
            self.assertNotEqual(done.returncode, 0, done.stdout)
            self.assertIn("certificate", done.stderr)

    def test_grpc_go_calls(self):
        done = self.grpcgo()
        self.assertEqual((done.returncode, done.stdout.splitlines()), (0, [
            "health SERVING over h2", "unknown method Unimplemented", "watch SERVING",
            f"echo {LARGE_BYTES}"]), done.stderr)
        self.assertEqual(self.failed_handshakes(), ("0", "0"))

    def test_grpc_go_refuses_a_stranger_and_another_name(self):
        for options, reason in (({"ca": "stranger.pem"}, "unknown authority"),
                                ({"name": "elsewhere.org"}, "not elsewhere.org")):
            done = self.grpcgo(**options)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("code = Unavailable", done.stderr)
            self.assertIn(reason, done.stderr)

    def test_our_client_calls_grpc_go(self):
        done = self.our_client(self.start_grpcgo_server())
        self.assertEqual((done.returncode, done.stdout.splitlines()), (0, [
            "health SERVING", "unknown method Unimplemented", f"echo {LARGE_BYTES}"]), done.stderr)

    def test_our_client_refuses_a_stranger_and_another_name(self):
        port = self.start_grpcgo_server()
        for options, reason in (({"ca": "stranger.pem"}, "certificate verify failed"),
                                ({"name": "elsewhere.org"}, "mismatch")):
            done = self.our_client(port, **options)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("code = Unavailable", done.stderr)
            self.assertIn(reason, done.stderr)

    def test_a_stream_ends_with_the_server(self):
        go_build(GRPCURL_MODULE, self.args.build_directory, GRPCURL)
        watch = Process("watch", [self.program("grpcurl"),
                                  f"-cacert={self.file('ca.pem')}", "-servername=localhost",
                                  f"127.0.0.1:{self.grpc_port}", f"{HEALTH}/Watch"], self.work)
        self.addCleanup(watch.kill)
        watch.wait_for_line('"status": "SERVING"')
        self.failed_handshakes()

    def test_alpn_agrees_on_the_servers_protocol(self):
        self.assertEqual(self.negotiated(self.http_port, "h2", "http/1.1"), "http/1.1")
        self.assertEqual(self.negotiated(self.grpc_port, "http/1.1", "h2"), "h2")
        for port, wrong in ((self.http_port, "h2"), (self.grpc_port, "http/1.1")):
            self.assertIn("no application protocol", self.negotiated(port, wrong))

    def failed_handshakes(self):
        """Stops the server. Returns how many handshakes failed, over HTTP and over gRPC."""
        os.kill(self.server.pid, signal.SIGTERM)
        self.assertEqual(self.server.wait(), 0, self.server.text())
        counted = re.search(r"failed handshakes: HTTP (\d+) gRPC (\d+)", self.server.text())
        return counted.groups()


def add_arguments(parser):
    parser.add_argument("tls_server", help="the server's program", type=os.path.abspath)
    parser.add_argument("tls_client", help="the client's program", type=os.path.abspath)
    parser.add_argument("build_directory", help="for the programs in Go", type=os.path.abspath)


if __name__ == "__main__":
    main(Tls, add_arguments, __doc__)
