"""Who a client is, how much it may send, and what only operators reach: proxies, limits for each
client, the admin port.

Usage: clients_test.py <concertod>
"""

import json
import socket
import struct

from operations_test_case import OperationsTestCase, main, reload, submit

from concerto_testing import free_port, wait_until

PROXY = "127.0.0.2"  # what the coordinator takes for a proxy
CLIENT = "127.0.0.1"
OTHER = "127.0.0.3"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
NO_HEADER = "connections of proxies were closed at the admin port"


def proxy_header(client, port):
    addresses = (socket.inet_aton(client) + socket.inet_aton("10.0.0.1") +
                 struct.pack(">HH", port, 443))
    return SIGNATURE + b"\x21\x11" + struct.pack(">H", len(addresses)) + addresses


def ask(source, port, method, path, fields=(), body="", before=b""):
    """The answer to a request from this address; empty if the connection was closed."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close",
             f"Content-Length: {len(body)}", *fields, "", body]
    with socket.create_connection(("127.0.0.1", port), 10, (source, 0)) as connection:
        try:
            connection.sendall(before + "\r\n".join(lines).encode())
            with connection.makefile("rb") as answer:
                return answer.read().decode()
        except ConnectionError:
            return ""


def status(answer):
    return int(answer.split()[1]) if answer else 0


class Clients(OperationsTestCase):
    def test_proxies_limits_and_admin_port(self):
        self.admin = free_port()
        self.coordinator = self.start("clients", {
            "Admin.Port": self.admin, "Proxies.Trusted": PROXY, "Proxies.ProxyProtocol": "admin"})
        self.coordinator.process.wait_for_line(f"\\(gRPC\\), admin port {self.admin}")
        self.admin_port()
        self.proxy_protocol()
        self.limits()
        self.connections()
        self.silence()

    def admin_port(self):
        http = self.coordinator.http_port
        submit(self.coordinator, self.saga("any", "a"))
        for path, at_http, at_admin in (
                ("/api/dtmsvr/all", 403, 200), ("/metrics", 403, 200), ("/", 403, 200),
                ("/admin/x", 403, 200), ("/api/concerto/audit", 403, 200),
                ("/api/dtmsvr/newGid", 200, 403), ("/api/dtmsvr/query?gid=any", 200, 200),
                ("/livez", 200, 200), ("/readyz", 200, 200), ("/api/ping", 200, 200),
                ("/nowhere", 404, 404)):
            with self.subTest(path):
                self.assertEqual(status(ask(CLIENT, http, "GET", path)), at_http)
                self.assertEqual(status(ask(CLIENT, self.admin, "GET", path)), at_admin)
        refused = ask(CLIENT, http, "POST", "/api/dtmsvr/forceStop", body='{"gid":"any"}')
        self.assertEqual(status(refused), 403)
        self.assertIn(f"answered only at the admin port, {self.admin}", refused)
        refused = ask(CLIENT, self.admin, "POST", "/api/dtmsvr/submit", body="{}")
        self.assertIn(f"answered only at ports {http} (HTTP) and", refused)
        for host in ("localhost", "127.0.0.1", "[::1]", "2130706433", "another.test"):
            detour = json.dumps({
                "gid": "detour", "trans_type": "saga", "payloads": ["{}"], "steps": [
                    {"action": f"http://{host}:{self.admin}/api/dtmsvr/forceStop"}]})
            refused = ask(CLIENT, http, "POST", "/api/dtmsvr/submit", body=detour)
            self.assertIn(f"target http://{host}:{self.admin} is refused", refused)

    def proxy_protocol(self):
        subscribe = "/api/dtmsvr/subscribe?topic=t&url=http://localhost:1/"
        header = proxy_header("203.0.113.9", 51234)
        answer = ask(PROXY, self.admin, "GET", subscribe + "a", before=header)
        self.assertEqual(status(answer), 200)
        self.coordinator.process.wait_for_line("'t', asked by 203.0.113.9:51234")
        answer = ask(PROXY, self.admin, "GET", subscribe + "b",
                     ["X-Forwarded-For: 192.0.2.7"], before=header)
        self.assertEqual(status(answer), 200)
        wait_until(lambda: len(self.coordinator.process.lines("asked by 203.0.113.9:51234")) == 2,
                   "the client of the header is no proxy")
        self.assertEqual(ask(PROXY, self.admin, "GET", subscribe + "c"), "")
        self.coordinator.process.wait_for_line(NO_HEADER)
        answer = ask(CLIENT, self.admin, "GET", subscribe + "d", before=header)
        self.assertEqual(status(answer), 400)
        self.assertEqual(len(self.coordinator.process.lines("'t', asked by")), 2)

    def new_gids(self, source, client, count=5):
        return [status(ask(source, self.coordinator.http_port, "GET", "/api/dtmsvr/newGid",
                           [f"X-Forwarded-For: {client}"])) for _ in range(count)]

    def limits(self):
        self.assertEqual(self.new_gids(PROXY, "192.0.2.1"), [200] * 5)
        self.reload({"Limits.RequestsPerSecond": 1})
        got = self.new_gids(PROXY, "192.0.2.1")
        self.assertEqual((got[0], got[1:].count(429) > 0), (200, True), got)
        self.assertEqual(self.new_gids(PROXY, "192.0.2.2", 1), [200])
        self.coordinator.process.wait_for_line("a request is refused, asked by 192.0.2.1: ")
        got = self.new_gids(CLIENT, "192.0.2.3") + self.new_gids(CLIENT, "192.0.2.4")
        self.assertIn(429, got)
        self.coordinator.process.wait_for_line("a request is refused, asked by 127.0.0.1:")
        for _ in range(5):
            self.assertEqual(status(ask(CLIENT, self.coordinator.http_port, "GET", "/livez")), 200)
            self.assertEqual(status(ask(CLIENT, self.admin, "GET", "/api/dtmsvr/all")), 200)
        self.assertRegex(ask(CLIENT, self.admin, "GET", "/metrics"),
                         r'concerto_limited_requests_total{kind="requests"} [1-9]')
        self.reload({"Limits.RequestsPerSecond": 1, "Limits.Exempt": "192.0.2.0/24"})
        self.assertEqual(self.new_gids(PROXY, "192.0.2.1"), [200] * 5)

    def connections(self):
        self.reload({"Limits.Connections": 2})
        self.assertEqual(self.new_gids(PROXY, "192.0.2.1"), [200] * 5)
        port = self.coordinator.http_port
        kept = [socket.create_connection(("127.0.0.1", port), 10, (OTHER, 0)) for _ in range(2)]
        wait_until(lambda: status(ask(OTHER, port, "GET", "/livez")) != 200, "two are open")
        self.assertEqual(status(ask(CLIENT, port, "GET", "/livez")), 200)
        self.coordinator.process.wait_for_line(f"client {OTHER} has 2 connections open")
        for connection in kept:
            connection.close()
        wait_until(lambda: status(ask(OTHER, port, "GET", "/livez")) == 200, "both have ended")

    def silence(self):
        """Connections on which nobody speaks keep no operator out."""
        kept = [socket.create_connection(("127.0.0.1", self.admin), 10, (OTHER, 0))
                for _ in range(160)]
        self.coordinator.process.wait_for_line(
            f"client {OTHER} has 32 connections open \\(fixed for the admin port\\)")
        self.assertEqual(status(ask(CLIENT, self.admin, "GET", "/api/dtmsvr/all")), 200)
        for connection in kept:
            connection.close()

    def reload(self, changes):
        reload(self.coordinator, self.directory, changes)


if __name__ == "__main__":
    main(Clients, __doc__)
