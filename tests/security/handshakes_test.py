"""What both ports agree on in a handshake of TLS, asked with `openssl s_client`: versions, ciphers,
names, ALPN, and what nobody needs.

Usage: handshakes_test.py <concertod>
"""

import os
import re
import socket
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True

from concerto_testing import Concertod, main, need_program  # noqa: E402
from concerto_testing.certificates import COMMAND_TIMEOUT_S, Authority  # noqa: E402

# The client offers everything that its OpenSSL has.
ALL_CIPHERS = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
OLD_VERSIONS = ("-tls1", "-tls1_1")
FORWARD_SECRET = ("{}-AES128-GCM-SHA256", "{}-AES256-GCM-SHA384", "{}-CHACHA20-POLY1305")
NEW_CIPHERS = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")


class Handshakes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.openssl = need_program("openssl", "openssl")
        cls.authority = Authority(os.path.join(cls.directory, "authority"))
        for name, rsa in (("rsa", True), ("ec", False)):
            cls.authority.issue(name, "DNS:dtm.b.org,DNS:*.w.org,IP:127.0.0.1", rsa=rsa)
        # The ciphers with RSA need such a certificate; they would be refused for want of it.
        cls.authority.replace("server", by="rsa")
        cls.coordinator = Concertod(
            cls.args.concertod, cls.directory,
            {"Store.Driver": "memory", "Shards": 1,
             "Tls.CertFile": cls.authority.file("server.pem"),
             "Tls.KeyFile": cls.authority.file("server.key")}, context=cls.authority.context())
        cls.addClassCleanup(cls.coordinator.kill)
        cls.coordinator.start()
        cls.ports = {cls.coordinator.http_port: "http/1.1", cls.coordinator.grpc_port: "h2"}

    def s_client(self, port, *options, stdin=""):
        done = subprocess.run(
            [self.openssl, "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile",
             self.authority.file("ca.pem"), *options],
            input=stdin, timeout=COMMAND_TIMEOUT_S, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        return done.stdout

    def agreed(self, *options):
        """What both ports agree on: version and cipher, or the server's alert."""
        found = set()
        for port in self.ports:
            text = self.s_client(port, *options)
            cipher = re.search(r"New, (\S+), Cipher is (\S+)", text)
            if cipher and cipher.group(2) != "(NONE)":
                found.add(cipher.groups())
            else:
                told = re.search(r"alert ([a-z ]+[a-z])", text)
                found.add(told.group(1) if told else text)
        self.assertEqual(len(found), 1, f"the ports differ: {found}")
        return found.pop()

    def ciphers_of_openssl(self):
        """All ciphers of TLS 1.2 and before."""
        text = subprocess.run([self.openssl, "ciphers", "-s", "-tls1_2", ALL_CIPHERS], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        return set(text.strip().split(":"))

    def check_ciphers(self, kind):
        good = {each.format(kind) for each in FORWARD_SECRET}
        for cipher in sorted(good):
            version, agreed = self.agreed("-tls1_2", "-cipher", cipher)
            self.assertEqual((version, agreed), ("TLSv1.2", cipher))
        others = self.ciphers_of_openssl() - good
        for cipher in ("AES128-GCM-SHA256", "AES128-SHA", "DHE-RSA-AES128-GCM-SHA256",
                       f"{kind}-AES128-SHA", f"{kind}-AES256-SHA384", f"{kind}-AES256-CCM"):
            if cipher in others:
                self.assertEqual(self.agreed("-tls1_2", "-cipher", cipher + ":@SECLEVEL=0"),
                                 "handshake failure", cipher)
        self.assertEqual(self.agreed("-tls1_2", "-cipher", ":".join(others) + ":@SECLEVEL=0"),
                         "handshake failure")

    def test_versions(self):
        for version in OLD_VERSIONS:
            self.assertEqual(self.agreed(version, "-cipher", ALL_CIPHERS), "protocol version")
        self.assertEqual(self.agreed("-tls1_2")[0], "TLSv1.2")
        self.assertEqual(self.agreed("-tls1_3")[0], "TLSv1.3")
        self.assertEqual(self.agreed()[0], "TLSv1.3", "the newest is preferred")

    def test_ciphers(self):
        self.check_ciphers("ECDHE-RSA")
        for cipher in NEW_CIPHERS:
            self.assertEqual(self.agreed("-tls1_3", "-ciphersuites", cipher), ("TLSv1.3", cipher))
        for cipher in ("TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"):
            self.assertEqual(self.agreed("-tls1_3", "-ciphersuites", cipher), "handshake failure")
        self.authority.replace("server", by="ec")
        self.coordinator.process.wait_for_line("files of TLS have changed and are used .*CN=ec ")
        self.check_ciphers("ECDHE-ECDSA")

    def test_names(self):
        for port in self.ports:
            for options, wanted in (
                    (("-verify_hostname", "dtm.b.org"), "0 (ok)"),
                    (("-verify_hostname", "one.w.org", "-servername", "one.w.org"), "0 (ok)"),
                    (("-verify_ip", "127.0.0.1"), "0 (ok)"),
                    (("-verify_hostname", "b.org"), "62 (hostname mismatch)"),
                    (("-verify_hostname", "two.one.w.org"), "62 (hostname mismatch)"),
                    (("-verify_ip", "127.0.0.2"), "64 (IP address mismatch)")):
                text = self.s_client(port, *options)
                self.assertIn("Verify return code: " + wanted, text, options)

    def test_alpn(self):
        for port, protocol in self.ports.items():
            for offered in (protocol, "h2,http/1.1", "spdy/1,http/1.1,h2"):
                for version in ("-tls1_2", "-tls1_3"):
                    self.assertIn("ALPN protocol: " + protocol,
                                  self.s_client(port, version, "-alpn", offered))
            for offered in ("http/1.0", "spdy/1", "h2" if protocol != "h2" else "http/1.1"):
                self.assertIn("no application protocol", self.s_client(port, "-alpn", offered))
            self.assertIn("No ALPN negotiated", self.s_client(port))

    def test_nothing_that_nobody_needs(self):
        for port in self.ports:
            old = self.s_client(port, "-tls1_2", "-comp", stdin="R\n")
            self.assertIn("Compression: NONE", old)
            self.assertIn("RENEGOTIATING", old)
            self.assertIn("no renegotiation", old)
            # After the last line both ports close the connection; the tickets come before that.
            new = self.s_client(port, "-tls1_3", "-ign_eof", stdin="GET / HTTP/1.0\r\n\r\n")
            self.assertEqual(set(re.findall("Max Early Data: ([0-9]+)", new)), {"0"})

    def test_plain_text_gets_no_answer(self):
        for port in self.ports:
            for words in (b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
                          b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
                with socket.create_connection(("127.0.0.1", port), COMMAND_TIMEOUT_S) as plain:
                    plain.sendall(words)
                    try:
                        answer = plain.recv(1000)
                    except ConnectionResetError:
                        answer = b""
                self.assertNotIn(b"HTTP", answer)


if __name__ == "__main__":
    main(Handshakes, lambda parser: parser.add_argument("concertod", type=os.path.abspath), __doc__)
