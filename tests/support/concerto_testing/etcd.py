"""A real etcd, one member, on loopback."""

import base64
import os
import shutil

from .http import http_json
from .ports import free_ports
from .process import Process
from .wait import wait_until


def _b64(text):
    return base64.b64encode(text.encode()).decode()


def _end_of_prefix(prefix):
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def keys_at(url, prefix, context=None):
    """The keys with this prefix and their values, from the member at a URL."""
    found = http_json("POST", url + "/v3/kv/range",
                      {"key": _b64(prefix), "range_end": _b64(_end_of_prefix(prefix))},
                      context=context)
    return {base64.b64decode(kv["key"]).decode(): base64.b64decode(kv["value"]).decode()
            for kv in found.get("kvs", [])}


class Etcd:
    """Keeps its data and its ports over `kill` and `start`. `tls` are options about its files; it
    then listens over TLS, and `context` is an ssl.SSLContext for the calls of the test."""

    def __init__(self, directory, binary="etcd", name="etcd", tls=(), context=None):
        self._binary = binary
        self._directory = directory
        self._name = name
        self._data = os.path.join(directory, name + ".data")
        self.port, self._peer_port = free_ports(2)
        self._tls = tls
        self.context = context
        self._process = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def address(self):
        return f"localhost:{self.port}"

    @property
    def url(self):
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def start(self):
        client = self.url
        peer = f"http://127.0.0.1:{self._peer_port}"
        self._process = Process(
            self._name,
            [self._binary, "--name", self._name, "--data-dir", self._data,
             "--listen-client-urls", client, "--advertise-client-urls", client,
             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
             "--initial-cluster", f"{self._name}={peer}", *self._tls],
            self._directory)
        wait_until(self._is_healthy, f"etcd serves on port {self.port}\n{self._process.tail()}", 30)

    def kill(self):
        self._process.kill()

    def lose_data(self):
        """Call it between kill and start."""
        shutil.rmtree(self._data)

    def keys(self, prefix):
        """The keys with this prefix and their values."""
        return keys_at(self.url, prefix, self.context)

    def put(self, key, value):
        self._call("kv/put", {"key": _b64(key), "value": _b64(value)})

    def delete(self, key):
        self._call("kv/deleterange", {"key": _b64(key)})

    def wait_for_keys(self, prefix, condition, what, timeout_s=15.0):
        """Waits until `condition(keys)` holds; returns the keys."""
        holder = {}

        def holds():
            holder["keys"] = self.keys(prefix)
            return condition(holder["keys"])

        wait_until(holds, what, timeout_s)
        return holder["keys"]

    def _is_healthy(self):
        health = http_json("GET", self.url + "/health", context=self.context)
        return health["health"] == "true"

    def _call(self, what, value):
        return http_json("POST", f"{self.url}/v3/{what}", value, context=self.context)
