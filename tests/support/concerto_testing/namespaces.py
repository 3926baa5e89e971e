"""Networks for one test, which runs in its own network namespace."""

import os
import subprocess
import sys

from .suite import need_program, skip

_INSIDE = "CONCERTO_TEST_NAMESPACE"


def enter_own_network(*more):
    """Starts the script anew in a network namespace of its own, and in those of `more`
    (`--mount`); call it first of all. Without the right to make one the test is skipped, or fails
    on CI."""
    if _INSIDE in os.environ:
        ip("link", "set", "lo", "up")
        return
    unshare = need_program("unshare", "util-linux")
    need_program("ip", "iproute2")
    rights = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = [unshare, *rights, "--net", *more]
    if subprocess.run([*command, "true"], check=False).returncode != 0:
        skip("this user may not make network namespaces; run it as root")
    os.environ[_INSIDE] = "1"
    os.execv(command[0], [*command, sys.executable, *sys.argv])


def ip(*arguments, inside=()):
    """Runs `ip`; `inside` is the command of a Namespace."""
    subprocess.run([*inside, "ip", *arguments], check=True)


class Bridge:
    """A network of hosts `10.<number>.0.<host>`; this script's own host is 254."""

    def __init__(self, number):
        self.number = number
        self.name = f"net{number}"
        ip("link", "add", self.name, "type", "bridge")
        ip("addr", "add", f"10.{number}.0.254/24", "dev", self.name)
        ip("link", "set", self.name, "up")


class Namespace:
    """A host with a cable to each of its bridges. It ends with the test."""

    def __init__(self, host, bridges):
        self._host = host
        self._holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec cat"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._holder.stdout.readline()  # Now the namespace exists.
        self.inside = ["nsenter", "--net", f"--target={self._holder.pid}"]
        ip("link", "set", "lo", "up", inside=self.inside)
        for bridge in bridges:
            self._connect(bridge)

    def close(self):
        self._holder.stdin.close()
        self._holder.stdout.close()
        self._holder.wait()

    def address(self, bridge):
        return f"10.{bridge.number}.0.{self._host}"

    def unplug(self, bridge):
        """From now on, packets to and from the host over this bridge are lost."""
        ip("link", "set", self._cable(bridge), "down")

    def plug_in(self, bridge):
        ip("link", "set", self._cable(bridge), "up")

    def _cable(self, bridge):
        return f"v{bridge.number}h{self._host}"

    def _connect(self, bridge):
        cable, end = self._cable(bridge), f"eth{bridge.number}"
        ip("link", "add", cable, "type", "veth", "peer", "name", end, "netns",
           str(self._holder.pid))
        ip("link", "set", cable, "master", bridge.name)
        ip("link", "set", cable, "up")
        ip("addr", "add", f"{self.address(bridge)}/24", "dev", end, inside=self.inside)
        ip("link", "set", end, "up", inside=self.inside)
