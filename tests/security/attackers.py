"""The vault, which nobody may reach, and a name server that serves attackers."""

import ipaddress
import os
import socket
import struct
import subprocess
import threading

from concerto_testing.namespaces import ip

SECRET = "SECRET-OF-THE-VAULT"

# Of metadata services, of translations and tunnels to them, and link-local.
VAULT_ADDRESSES = ("169.254.169.254/32", "169.254.1.1/32", "100.100.100.200/32",
                   "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::254/128", "fd20:ce::254/128",
                   "64:ff9b::a9fe:a9fe/128", "2002:a9fe:a9fe::1/128", "fe80::1/64")
VAULT_PORT = 80
TYPE_A, TYPE_AAAA = 1, 28


class Vault:
    """A server on port 80 of every address of the machine. It answers each request with a secret,
    and counts its connections."""

    def __init__(self):
        for address in VAULT_ADDRESSES:
            ip("addr", "add", address, "dev", "lo", *(["nodad"] if ":" in address else []))
        self.visits = []
        self._socket = socket.create_server(("::", VAULT_PORT), family=socket.AF_INET6,
                                            dualstack_ipv6=True)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            connection, _ = self._socket.accept()
            self.visits.append(connection.getsockname()[0])
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    @staticmethod
    def _answer(connection):
        with connection:
            connection.settimeout(5)
            try:
                connection.recv(10_000)
                connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(SECRET)}\r\n"
                                   f"Connection: close\r\n\r\n{SECRET}".encode())
            except OSError:
                pass


class NameServer:
    """Answers for the names of `script`, each with a list of answers: one per look-up, the last
    one for all that follow. An answer is a list of addresses."""

    def __init__(self, directory):
        self.script = {}
        self.asked = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        for name, text in (("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:2\n"),
                           ("nsswitch.conf", "hosts: files dns\n")):
            own = os.path.join(directory, name)
            with open(own, "w", encoding="utf-8") as file:
                file.write(text)
            subprocess.run(["mount", "--bind", own, f"/etc/{name}"], check=True)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            query, client = self._socket.recvfrom(1000)
            self._socket.sendto(self._answer(query), client)

    def _answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        question = query[12:at + 5]
        kind = struct.unpack("!H", query[at + 1:at + 3])[0]
        name = ".".join(labels).lower()
        self.asked.append(name)
        answers = self.script.get(name)
        found = [ipaddress.ip_address(each) for each in (answers[0] if answers else [])]
        # A look-up asks for both kinds; the second question ends it.
        if answers and len(answers) > 1 and self.asked.count(name) % 2 == 0:
            answers.pop(0)
        wanted = [each.packed for each in found
                  if each.version == (4 if kind == TYPE_A else 6) and kind in (TYPE_A, TYPE_AAAA)]
        records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(packed)) + packed
                           for packed in wanted)
        code = 0x8180 if answers else 0x8183  # no such name
        return query[:2] + struct.pack("!HHHHH", code, 1, len(wanted), 0, 0) + question + records
