"""What a service manager such as systemd is told: sd_notify(3).

Usage: service_manager_test.py <concertod>
"""

import os
import signal
import socket
import time

from operations_test_case import OperationsTestCase, main

from concerto_testing import Concertod, wait_until

WATCHDOG_S = 1.0


class Manager:
    """The end of systemd: a socket of datagrams."""

    def __init__(self, address):
        self.messages = []  # each a dictionary of assignments, and when it came
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    def close(self):
        self._socket.close()

    def read(self):
        while True:
            try:
                text = self._socket.recv(65536).decode()
            except BlockingIOError:
                return self.messages
            assignments = dict(line.split("=", 1) for line in text.split("\n"))
            self.messages.append((assignments, time.monotonic()))

    def has(self, name, value=None):
        """The values of that name, or those that are `value`."""
        return [assignments[name] for assignments, _ in self.read()
                if name in assignments and value in (None, assignments[name])]

    def wait_for(self, name, value, count=1):
        wait_until(lambda: len(self.has(name, value)) >= count, f"{name}={value}", 20)


class ServiceManager(OperationsTestCase):
    def start_managed(self, name, address, **variables):
        manager = Manager(address.replace("@", "\0", 1))
        self.addCleanup(manager.close)
        coordinator = Concertod(self.args.concertod, self.directory, {"Shards": 2}, name,
                                {"NOTIFY_SOCKET": address, **variables})
        self.addCleanup(coordinator.kill)
        coordinator.start()
        return coordinator, manager

    def test_start_reload_and_stop(self):
        coordinator, manager = self.start_managed("path", os.path.join(self.directory, "notify"))
        manager.wait_for("READY", "1")
        wait_until(lambda: any(s.startswith("ready: HTTP on port ") for s in manager.has("STATUS")),
                   "the status says that it is ready")
        self.assertEqual(manager.has("WATCHDOG"), [])  # nobody asked for it
        os.kill(coordinator.process.pid, signal.SIGHUP)
        manager.wait_for("READY", "1", count=2)
        kinds = [next(iter(assignments)) for assignments, _ in manager.messages]
        self.assertLess(kinds.index("RELOADING"), len(kinds) - 1 - kinds[::-1].index("READY"))
        since_boot = int(manager.has("MONOTONIC_USEC")[0]) / 1e6
        self.assertLess(abs(time.clock_gettime(time.CLOCK_MONOTONIC) - since_boot), 30)
        coordinator.process.terminate()
        self.assertEqual(manager.has("STOPPING"), ["1"])

    def test_watchdog_on_an_abstract_name(self):
        address = f"@concerto-{os.getpid()}"
        coordinator, manager = self.start_managed(
            "watched", address, WATCHDOG_USEC=str(int(WATCHDOG_S * 1e6)))
        manager.wait_for("WATCHDOG", "1", count=4)
        alive = [at for assignments, at in manager.messages if "WATCHDOG" in assignments]
        # Not more often than asked for.
        self.assertGreater(alive[-1] - alive[0], 3 * WATCHDOG_S / 2 * 0.8)
        os.kill(coordinator.process.pid, signal.SIGSTOP)
        manager.read()
        count = len(manager.messages)
        time.sleep(2 * WATCHDOG_S)
        self.assertEqual(len(manager.read()), count)
        os.kill(coordinator.process.pid, signal.SIGCONT)
        manager.wait_for("WATCHDOG", "1", count=len(manager.has("WATCHDOG")) + 1)

    def test_a_watchdog_for_another_process_is_left_alone(self):
        _, manager = self.start_managed("other", os.path.join(self.directory, "other"),
                                        WATCHDOG_USEC="1000", WATCHDOG_PID="1")
        manager.wait_for("READY", "1")
        self.assertEqual(manager.has("WATCHDOG"), [])

    def test_wrong_variables_end_the_start(self):
        for name, value, why in (
                ("NOTIFY_SOCKET", "relative", "is neither a path nor an abstract name"),
                ("NOTIFY_SOCKET", "/" + "x" * 200, "is neither a path nor an abstract name"),
                ("NOTIFY_SOCKET", os.path.join(self.directory, "none"), "cannot be reached: No"),
                ("WATCHDOG_USEC", "30s", "is not a number of microseconds"),
                ("WATCHDOG_USEC", "1", "is not a number of microseconds")):
            with self.subTest(name=name, value=value):
                coordinator = Concertod(self.args.concertod, self.directory, {}, "wrong",
                                        {name: value})
                with self.assertRaisesRegex(AssertionError, "ended at start") as ended:
                    coordinator.start()
                self.assertIn(f"the environment's {name} '{value}' {why}", str(ended.exception))


if __name__ == "__main__":
    main(ServiceManager, __doc__)
