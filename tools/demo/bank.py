#!/usr/bin/env python3
"""A bank: accounts, and transfers as branches of sagas. It prints a line for each call.

Usage: bank.py [--quiet] [--pause <seconds>] <name> <account>=<balance>...

Listens on a free port of loopback, and prints the port as its first line.
  POST /TransIn, /TransInRevert, /TransOut, /TransOutRevert   {"account": .., "amount": ..}
  GET /balances                                               {"<account>": <balance>, ..}
  GET /repeated                                               {"repeated": <calls>}
"""

import argparse
import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

# What each call does to the account, per unit of money.
DIRECTIONS = {"TransIn": 1, "TransInRevert": -1, "TransOut": -1, "TransOutRevert": 1}


class Refused(Exception):
    """The bank refuses, however often it is asked."""


class Bank:
    """Balances, changed at most once by each branch and operation. Thread-safe.

    A coordinator repeats a call whose answer it did not get. So a bank must remember which calls it
    has carried out, and must do so in the database transaction that changes the balances (here:
    under the same lock). A compensation whose action never arrived changes nothing, and a later
    action is then refused.
    """

    def __init__(self, name, balances, is_quiet=False, pause_s=0.0):
        self._name = name
        self._balances = balances
        self._is_quiet = is_quiet
        self._pause_s = pause_s
        self._repeated = 0
        self._done = set()  # (gid, branch_id, op)
        self._lock = threading.Lock()

    def balances(self):
        with self._lock:
            return dict(self._balances)

    def repeated(self):
        """How many calls were recognised as repeated."""
        with self._lock:
            return self._repeated

    def transfer(self, what, gid, branch_id, op, account, amount):
        time.sleep(self._pause_s)
        with self._lock:
            try:
                done = self._carry_out(what, (gid, branch_id), op, account, amount)
                self._say(f"{what} {amount}: {done}")
            except Refused as reason:
                self._say(f"{what} {amount}: refused, {reason}")
                raise

    def _carry_out(self, what, branch, op, account, amount):
        """Returns a sentence about what happened."""
        if (*branch, op) in self._done:
            self._repeated += 1
            return "done before, nothing to do"
        if op == "action" and (*branch, "compensate") in self._done:
            raise Refused("it is undone already")
        if op == "compensate" and (*branch, "action") not in self._done:
            self._done.add((*branch, op))
            return "nothing was done, nothing to undo"
        before = self._balances[account]
        after = before + DIRECTIONS[what] * amount
        if op == "action" and after < 0:
            raise Refused(f"{account} has only {before}")
        self._balances[account] = after
        self._done.add((*branch, op))
        return f"{account} {before} -> {after}"

    def _say(self, text):
        if not self._is_quiet:
            print(f"     {self._name}  {text}", flush=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bank = None

    def handle(self):
        # A coordinator that has died reads no answer. Whoever takes over calls again.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            super().handle()

    def do_GET(self):
        if self.path == "/balances":
            self._answer(200, self.bank.balances())
        elif self.path == "/repeated":
            self._answer(200, {"repeated": self.bank.repeated()})
        else:
            self._answer(404, {"message": "no such page"})

    def do_POST(self):
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            query = parse_qs(url.query, strict_parsing=True)
            gid, branch_id, op = (query[name][0] for name in ("gid", "branch_id", "op"))
            order = json.loads(body)
            self.bank.transfer(url.path[1:], gid, branch_id, op, order["account"], order["amount"])
        except Refused as reason:
            self._answer(409, {"dtm_result": "FAILURE", "message": str(reason)})
        except (KeyError, ValueError) as error:
            self._answer(400, {"message": f"not a transfer: {error!r}"})
        else:
            self._answer(200, {"dtm_result": "SUCCESS"})

    def log_message(self, *_):
        """Prints nothing: the bank has its own lines."""

    def _answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quiet", action="store_true", help="prints only the port")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds that each transfer takes")
    parser.add_argument("name")
    parser.add_argument("accounts", nargs="+", metavar="account=balance")
    args = parser.parse_args()
    pairs = (account.split("=") for account in args.accounts)
    balances = {account: int(balance) for account, balance in pairs}
    Handler.bank = Bank(args.name, balances, args.quiet, args.pause)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
