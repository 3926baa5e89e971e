"""The shop's programs: etcd, the coordinator, order.rpc, stock.rpc and the API before them."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from concerto_testing import (
    Concertod, Etcd, Process, free_port, http_call, wait_for_port, wait_until)

ORDER_TIMEOUT_S = 25
THREADS_MAX = 50

PARTICIPANT_CONFIG = """\
Name: {name}.rpc
ListenOn: 127.0.0.1:{port}
CpuThreshold: 0
Log:
  Level: error
Etcd:
  Hosts:
  - {etcd}
  Key: {name}.rpc
DataSource: {data_source}
Gates: {gates}
"""
API_CONFIG = """\
Name: shop-api
Host: 127.0.0.1
Port: {port}
CpuThreshold: 0
Timeout: 60000
Log:
  Level: error
Dtm: etcd://{etcd}/dtmservice
OrderRpc:
  Target: etcd://{etcd}/order.rpc
StockRpc:
  Target: etcd://{etcd}/stock.rpc
"""


class Answer:
    """The API's answer to an order."""

    def __init__(self, http):
        self.status = http.status
        if http.status not in (200, 409, 429, 502):
            raise AssertionError(f"POST /orders: HTTP {http.status}: {http.body[:500]!r}")
        value = http.json()
        self.gid = value.get("gid")
        self.error = value.get("error", "")


class Shop:
    """Each program is started by its own call and keeps its port. All of them end with the `with`
    block."""

    def __init__(self, concertod, go_programs, directory, data_sources):
        self._programs = go_programs
        self._directory = directory
        self._data_sources = data_sources
        self._gates = os.path.join(directory, "gates")
        os.mkdir(self._gates)
        self._ports = {}
        self._posts = ThreadPoolExecutor(THREADS_MAX)
        self._running = {}
        self.etcd = Etcd(directory)
        self.coordinator = Concertod(concertod, directory, {
            "TransCronInterval": 1,
            "MicroService.Driver": "dtm-driver-gozero",
            "MicroService.Target": f"etcd://{self.etcd.address}/dtmservice"})
        self.coordinator.settings["MicroService.EndPoint"] = self.coordinator.grpc_address

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self._running.values():
            process.kill()
        self.coordinator.kill()
        self.etcd.kill()
        self._posts.shutdown()

    def __getitem__(self, name):
        """The process of a Go program: order, stock or api."""
        return self._running[name]

    def kill(self, name):
        """kill -9 of a program; it may be started again."""
        (self.coordinator if name == "coordinator" else self._running[name]).kill()

    def start_all(self):
        self.start_coordinator()
        for name in ("order", "stock"):
            self.start_participant(name)
        self.start_api()

    def start_coordinator(self):
        self.coordinator.start()
        address = self.coordinator.grpc_address
        self.etcd.wait_for_keys("dtmservice/", lambda keys: address in keys.values(),
                                f"dtmservice is at {address}")

    def start(self, name):
        """Starts the coordinator, order.rpc or stock.rpc again."""
        if name == "coordinator":
            self.start_coordinator()
        else:
            self.start_participant(name)

    def start_participant(self, name):
        self._start(name, PARTICIPANT_CONFIG, gates=self._gates,
                    data_source=self._data_sources[name])
        address = f"127.0.0.1:{self._ports[name]}"
        self.etcd.wait_for_keys(f"{name}.rpc/", lambda keys: address in keys.values(),
                                f"{name}.rpc is at {address}")

    def move(self, name):
        """Gives the next start of the service another port."""
        del self._ports[name]

    def start_api(self):
        self._start("api", API_CONFIG)

    def _start(self, name, template, **settings):
        port = self._ports.setdefault(name, free_port())
        config = template.format(name=name, port=port, etcd=self.etcd.address, **settings)
        path = os.path.join(self._directory, name + ".yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        process = Process(name, [os.path.join(self._programs, name), "-f", path], self._directory)
        self._running[name] = process
        wait_for_port(port, process)

    def order(self, product, quantity, **times):
        """Places an order; returns a future of the Answer."""
        text = ", ".join([f'"product_id": "{product}"', f'"quantity": {quantity}',
                          *(f'"{name}": {value}' for name, value in times.items())])
        return self._posts.submit(self._post, "{" + text + "}")

    def order_begun(self, product, quantity, **times):
        """Like `order`, but also returns the gid, before there is an answer."""
        before = len(self["api"].lines("^order "))
        answer = self.order(product, quantity, **times)
        line = self["api"].wait_for_line("^order ", count=before + 1)
        return line.split()[1], answer

    def _post(self, body):
        return Answer(http_call("POST", f"http://127.0.0.1:{self._ports['api']}/orders",
                                body.encode(), {"Content-Type": "application/json"},
                                ORDER_TIMEOUT_S))

    @contextmanager
    def gate(self, name):
        """Holds calls at this gate (see participant.go) while the block runs."""
        path = os.path.join(self._gates, name)
        with open(path, "w", encoding="utf-8"):
            pass
        try:
            yield
        finally:
            os.remove(path)

    def wait_for_call(self, name, outcome, gid, count=1):
        """Waits until so many calls of this name, for example `deduct`, have printed this outcome.
        """
        self._callee(name).wait_for_line(f"^{name} {gid}: ({outcome})$", count=count)

    def calls(self, name, outcome, gid):
        """How many calls have printed this outcome."""
        return len(self._callee(name).lines(f"^{name} {gid}: ({outcome})$"))

    def wait_until_held(self, gate, gid):
        """Waits until a call for the gid is held at the gate."""
        self._callee(gate.split("-")[0]).wait_for_line(f"^held at {gate}: {gid}$")

    def _callee(self, name):
        return self["order" if name in ("create", "cancel") else "stock"]

    def wait_for_retries(self, gid, interval_s):
        """Waits until the coordinator's interval has grown to so many seconds."""

        def has_backed_off():
            # The gid may be known before the coordinator has the transaction.
            transaction = self.coordinator.query(gid)["transaction"]
            return transaction and transaction["next_cron_interval"] >= interval_s

        wait_until(has_backed_off, f"the calls for {gid} are {interval_s} s apart", 20)
