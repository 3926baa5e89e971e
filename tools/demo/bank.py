#!/usr/bin/env python3
"""A bank: accounts, and transfers as branches of sagas. It prints a line for each call.

Usage: bank.py <name> <account>=<balance>...

Listens on a free port of loopback, and prints the port as its first line.
  POST /TransIn, /TransInRevert, /TransOut, /TransOutRevert   {"account": .., "amount": ..}
  GET /balances                                               {"<account>": <balance>, ..}
"""

import json
import sys
import threading
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

    def __init__(self, name, balances):
        self._name = name
        self._balances = balances
        self._done = set()  # (gid, branch_id, op)
        self._lock = threading.Lock()

    def balances(self):
        with self._lock:
            return dict(self._balances)

    def transfer(self, what, gid, branch_id, op, account, amount):
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
        print(f"     {self._name}  {text}", flush=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bank = None

    def do_GET(self):
        if self.path == "/balances":
            self._answer(200, self.bank.balances())
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


def main(name, *accounts):
    pairs = (account.split("=") for account in accounts)
    Handler.bank = Bank(name, {account: int(balance) for account, balance in pairs})
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
