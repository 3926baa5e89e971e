#!/usr/bin/env python3
"""Shows that three coordinators on one database lose nothing when one of them is killed.

Usage: cluster.py [--keep] <directory of the programs>

Starts PostgreSQL, etcd, three coordinators and two banks on free ports of loopback, moves money,
kills a coordinator in the middle, and follows its transactions to their end. The exit code is 0
only if everything came out as it should. With --keep everything runs on until Ctrl-C.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
import time

from cluster_parts import Cluster, wait_until
from demo import Bank, Wrong, call, check

TRANSFERS = 60
REFUSED_EACH = 5         # every fifth transfer asks for more than there is
TOO_MUCH = 5000
ALICE_HAS = 1000
# So that the kill comes in the middle, some transfers have ended and some have just begun.
BANK_PAUSE_S = 0.3       # what a call to a bank takes
SUBMIT_PAUSE_S = 0.015
END_TIMEOUT_S = 45.0
WATCH_PAUSE_S = 0.1
SAY_AFTER_S = 5.0        # a line says that the waiting goes on


def say(label, text):
    print(f"   {label:<15}{text}", flush=True)


class Transfer:
    """A saga between the two banks. Alice's bank refuses to give more than she has; then Bob's bank
    was asked first, and what it did has to be undone."""

    def __init__(self, number, alice, bob):
        self.gid = f"transfer-{number}"
        self.is_refused = number % REFUSED_EACH == 0
        self.amount = TOO_MUCH if self.is_refused else number % 7 + 1
        self.expected = "failed" if self.is_refused else "succeed"
        steps = [(alice, "TransOut"), (bob, "TransIn")]
        if self.is_refused:
            steps.reverse()
        self._saga = {
            "gid": self.gid, "trans_type": "saga",
            "steps": [bank.step(action) for bank, action in steps],
            "payloads": [json.dumps({"account": bank.account, "amount": self.amount})
                         for bank, _ in steps]}

    def submit(self, coordinator, wait_result=False):
        """The HTTP status of the answer."""
        saga = {**self._saga, "wait_result": wait_result}
        return call("POST", f"{coordinator.api}/submit", saga, END_TIMEOUT_S)[0]


class Show:
    def __init__(self, cluster, alice, bob):
        self.cluster = cluster
        self.alice = alice
        self.bob = bob
        self.transfers = [Transfer(i + 1, alice, bob) for i in range(TRANSFERS)]
        self.killed_at = None

    def run(self):
        one, two, three = self.cluster.coordinators
        print("\n1. A transfer by one coordinator, asked for at another.", flush=True)
        self.show_balances()
        first = Transfer(TRANSFERS + 1, self.alice, self.bob)
        check("the answer to submit", first.submit(one, wait_result=True), 200)
        check("the status", three.status(first.gid), "succeed")
        say(first.gid, f"submitted at {one.name}, and {three.name} says 'succeed'")
        before = self.show_balances()

        print(f"\n2. {TRANSFERS} transfers, a third by each coordinator. {two.name} is killed in "
              "the middle.", flush=True)
        self.submit_all()
        waiter = Transfer(TRANSFERS + 2, self.alice, self.bob)
        # Without `with`, which would await the client even if the show ends early.
        client = concurrent.futures.ThreadPoolExecutor(1)
        answer = client.submit(self.wait_for_result, waiter, two, three)
        wait_until(lambda: one.status(waiter.gid), f"{waiter.gid} is stored")
        owned = self.kill(two)
        print(f"\n3. Nobody touches these transactions until the leases of {two.name} end. Then the"
              "\n   others take them over.", flush=True)
        self.follow(owned)
        check(f"the answer to the client of {two.name}", answer.result(), 200)
        client.shutdown()

        print("\n4. Nothing was lost, and nothing happened twice.", flush=True)
        self.check_end([*self.transfers, waiter], before)

        print(f"\n5. {two.name} starts again and works with the others.", flush=True)
        self.cluster.start(two)
        last = Transfer(TRANSFERS + 3, self.alice, self.bob)
        check("the answer to submit", last.submit(two, wait_result=True), 200)
        say(last.gid, f"by {two.name}: succeed; in etcd: {', '.join(self.cluster.addresses())}")
        self.show_balances()

    def submit_all(self):
        for number, transfer in enumerate(self.transfers):
            coordinator = self.cluster.coordinators[number % len(self.cluster.coordinators)]
            check(f"the answer to the submit of {transfer.gid}", transfer.submit(coordinator), 200)
            time.sleep(SUBMIT_PAUSE_S)
        say("submitted", f"{len(self.transfers)} transfers, and each of them was acknowledged")

    def wait_for_result(self, transfer, first, second):
        """A client that waits at the first coordinator, and goes to the second if it dies."""
        try:
            return transfer.submit(first, wait_result=True)
        except OSError:
            say("a client", f"waited for {transfer.gid} at {first.name}, and submits it again at "
                f"{second.name}")
        status = transfer.submit(second, wait_result=True)
        say("a client", f"has the answer of {second.name} about {transfer.gid}: HTTP {status}")
        return status

    def kill(self, coordinator):
        """Kills it, and returns what it was working on."""
        coordinator.kill()
        self.killed_at = time.monotonic()
        self.cluster.wait_until_gone(coordinator)
        owned = self.cluster.owned_by(coordinator)
        steps = [done for _, done in owned]
        say("kill -9", f"{coordinator.name}, which was working on {len(owned)} transactions: "
            f"{steps.count('0')} of them in")
        say("", f"the first step, {steps.count('1')} in the second, {steps.count('2')} at the end")
        check("whether it was killed in the middle", len(owned) > 0, True)
        return [gid for gid, _ in owned]

    def follow(self, gids):
        """Watches the rows of the killed coordinator's transactions until all have ended."""
        taken, ended = {}, {}
        spoken = self.since_kill()
        is_listed = True
        while len(ended) < len(gids):
            now = self.since_kill()
            if now > END_TIMEOUT_S:
                raise Wrong(f"not ended: {sorted(set(gids) - set(ended))}")
            dead = self.cluster.coordinators[1]
            if is_listed and dead.grpc_address not in self.cluster.addresses():
                is_listed = False
                say(f"{now:.1f} s", f"etcd has forgotten {dead.name}: new clients do not find it")
            for gid, (status, name) in self.cluster.owners(gids).items():
                if name != dead.name and gid not in taken:
                    taken[gid] = (now, name)
                if status in ("succeed", "failed") and gid not in ended:
                    ended[gid] = (now, status)
            if now - spoken > SAY_AFTER_S:
                spoken = now
                say(f"{now:.0f} s", f"{len(gids) - len(taken)} are still {dead.name}'s, "
                    f"{len(taken)} are taken over, {len(ended)} have ended")
            time.sleep(WATCH_PAUSE_S)
        for gid in gids:
            taken_at, name = taken.get(gid, (0.0, "nobody"))
            ended_at, status = ended[gid]
            say(gid, f"taken over by {name} after {taken_at:4.1f} s, {status} after "
                f"{ended_at:4.1f} s")
        check("transactions that were taken over", len(taken), len(gids))

    def check_end(self, transfers, before):
        ways = {"succeed": 0, "failed": 0}
        for transfer in transfers:
            alive = (self.cluster.coordinators[0], self.cluster.coordinators[2])
            found = [coordinator.status(transfer.gid) for coordinator in alive]
            check(f"the status of {transfer.gid}, at two coordinators", found,
                  [transfer.expected] * 2)
            ways[transfer.expected] += 1
        say("ended", f"{ways['succeed']} have succeeded, {ways['failed']} were refused and undone")
        repeated = self.alice.repeated() + self.bob.repeated()
        say("the banks", f"were asked {repeated} times for what they had done, and did it once")
        moved = sum(transfer.amount for transfer in transfers if not transfer.is_refused)
        say("expected", f"{moved} have moved: Alice {before[0] - moved}, Bob {before[1] + moved}")
        check("the balances", self.show_balances(), (before[0] - moved, before[1] + moved))

    def since_kill(self):
        return time.monotonic() - self.killed_at

    def show_balances(self):
        balances = self.alice.balance(), self.bob.balance()
        say("balances", f"Alice {balances[0]}, Bob {balances[1]}, together {sum(balances)}")
        return balances


def start(stack, programs):
    directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="concerto-cluster-"))
    cluster = Cluster(stack, directory, os.path.join(programs, "concertod"))
    say("PostgreSQL", f"{cluster.database.address}, an empty database in {directory}")
    say("etcd", cluster.etcd.address)
    for _ in range(3):
        coordinator = cluster.add_coordinator()
        say(coordinator.name, f"{coordinator.api}, gRPC {coordinator.grpc_address}")
    options = ["--quiet", f"--pause={BANK_PAUSE_S}"]
    banks = []
    for name, account, balance in (("bank A", "Alice", ALICE_HAS), ("bank B", "Bob", 0)):
        banks.append(Bank(name, account, balance, options))
        stack.callback(banks[-1].stop)
        say(name, f"{banks[-1].url}, account of {account}")
    return Show(cluster, *banks)


def leave(*_):
    sys.exit("ended by a signal; everything is stopped")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", help="the directory of concertod")
    parser.add_argument("--keep", action="store_true", help="runs on until Ctrl-C")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, leave)
    with contextlib.ExitStack() as stack:
        show = start(stack, args.programs)
        show.run()
        if args.keep:
            print("\nEverything came out as it should. It runs on until Ctrl-C; the coordinators'"
                  "\npages are:", flush=True)
            for coordinator in show.cluster.coordinators:
                print(f"   http://127.0.0.1:{coordinator.http_port}/", flush=True)
            threading.Event().wait()
        for coordinator in show.cluster.coordinators:
            check(f"the exit code of {coordinator.name}", coordinator.terminate(), 0)
    print("\nEverything came out as it should, and everything is stopped.")


if __name__ == "__main__":
    try:
        main()
    except (Wrong, AssertionError) as wrong:
        sys.exit(f"WRONG: {wrong}")
    except KeyboardInterrupt:
        sys.exit("\nended by Ctrl-C; everything is stopped")
