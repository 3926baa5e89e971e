#!/usr/bin/env python3
"""Shows a transfer between two banks that succeeds, and one that is rolled back.

Usage: demo.py <directory of the programs>

Starts concertod and the banks on free ports of loopback, and ends with 0 only if everything came
out as it should.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "support"))  # for the next import

from concerto_testing import Concertod  # noqa: E402

STOP_TIMEOUT_S = 15.0
CALL_TIMEOUT_S = 20.0

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Wrong(Exception):
    """Something did not come out as it should."""


def say(label, text):
    print(f"   {label:<11}{text}", flush=True)


def call(method, url, value=None, timeout_s=CALL_TIMEOUT_S):
    """Status and JSON of the answer."""
    body = None if value is None else json.dumps(value).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
    try:
        with opener.open(request, timeout=timeout_s) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, json.loads(answer.read())


class Bank:
    """A bank in a process of its own. Its lines join those of the demo as they come. Ctrl-C does
    not reach the process: `stop` ends it."""

    def __init__(self, name, account, balance, options=()):
        self.name = name
        self.account = account
        self._process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "bank.py"), *options, name,
             f"{account}={balance}"],
            stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        threading.Thread(target=self._pass_on, daemon=True).start()

    def balance(self):
        return call("GET", f"{self.url}/balances")[1][self.account]

    def repeated(self):
        """How many calls the bank has recognised as repeated."""
        return call("GET", f"{self.url}/repeated")[1]["repeated"]

    def step(self, action):
        return {"action": f"{self.url}/{action}", "compensate": f"{self.url}/{action}Revert"}

    def stop(self):
        self._process.terminate()
        self._process.wait(STOP_TIMEOUT_S)

    def _pass_on(self):
        for line in self._process.stdout:
            print(line, end="", flush=True)


class Demo:
    def __init__(self, coordinator, alice, bob):
        self.coordinator = coordinator
        self.alice = alice
        self.bob = bob

    def run(self):
        print("\n1. 30 go from Alice to Bob.", flush=True)
        out, into = (self.alice, "TransOut"), (self.bob, "TransIn")
        self.transfer(30, [out, into], answer=200, status="succeed", left=(70, 80))
        print("\n2. 500 are to go from Alice to Bob. Bob's bank is asked first; Alice has not got\n"
              "   them, so what Bob's bank did is undone.", flush=True)
        self.transfer(500, [into, out], answer=409, status="failed", left=(70, 80))

    def transfer(self, amount, steps, answer, status, left):
        """Submits a saga, waits for its result and checks it."""
        self.show_balances()
        gid = call("GET", f"{self.coordinator.api}/newGid")[1]["gid"]
        say("submit", f"saga {gid}: " +
            ", then ".join(f"{action} at {bank.name}" for bank, action in steps))
        got = call("POST", f"{self.coordinator.api}/submit", {
            "gid": gid, "trans_type": "saga", "wait_result": True,
            "steps": [bank.step(action) for bank, action in steps],
            "payloads": [json.dumps({"account": bank.account, "amount": amount})
                         for bank, _ in steps]})
        say("answer", f"HTTP {got[0]} {json.dumps(got[1])}")
        check("the answer to submit", got[0], answer)
        check("the final status", self.final_status(gid), status)
        check("the balances of Alice and Bob", self.show_balances(), left)

    def final_status(self, gid):
        """Asks until the saga has ended, because rolling back may go on after the answer."""
        deadline = time.monotonic() + CALL_TIMEOUT_S
        while True:
            found = call("GET", f"{self.coordinator.api}/query?gid={gid}")[1]
            status = found["transaction"]["status"]
            if status in ("succeed", "failed") or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        say("query", f"the saga's status is '{status}'; its branches:")
        for branch in found["branches"]:
            say("", f"{branch['branch_id']} {branch['op']:<11}{branch['status']:<9}{branch['url']}")
        return status

    def show_balances(self):
        balances = self.alice.balance(), self.bob.balance()
        say("balances", f"Alice {balances[0]}, Bob {balances[1]}")
        return balances


def check(what, found, expected):
    if found != expected:
        raise Wrong(f"{what}: {found}, expected {expected}")


def main(programs):
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="concerto-demo-"))
        banks = []
        for name, account, balance in (("bank A", "Alice", 100), ("bank B", "Bob", 50)):
            banks.append(Bank(name, account, balance))
            stack.callback(banks[-1].stop)
            say(name, f"{banks[-1].url}, account of {account}")
        coordinator = Concertod(os.path.join(programs, "concertod"), directory)
        stack.callback(coordinator.kill)
        coordinator.start()
        say("concertod", f"{coordinator.api}, an empty store in {directory}")
        Demo(coordinator, *banks).run()
        check("the exit code of concertod", coordinator.terminate(), 0)
    print("\nEverything came out as it should, and everything is stopped.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        main(sys.argv[1])
    except (Wrong, AssertionError) as wrong:
        sys.exit(f"WRONG: {wrong}")
