"""A participant with accounts in MariaDB; the client's barrier guards every change.

bank.py <port> <database port> [<op> before|after]: with the last two it kills itself in its first
call of that op, before or after its commit.
"""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pymysql
from dtmcli import barrier, utils

SCHEMA = """
create database if not exists dtm_barrier;
create table if not exists dtm_barrier.barrier(
  id bigint(22) primary key auto_increment,
  trans_type varchar(45) default '', gid varchar(128) default '',
  branch_id varchar(128) default '', op varchar(45) default '',
  barrier_id varchar(45) default '', reason varchar(45) default '',
  create_time datetime default now(), update_time datetime default now(),
  key(create_time), key(update_time), unique key(gid, branch_id, op, barrier_id));
create database if not exists bank;
create table if not exists bank.account(
  name varchar(100) primary key, balance int not null, held int not null default 0,
  closed bool not null default false);
"""

# How each op changes an account by %(amount)s, which is below 0 for a withdrawal.
CHANGES = {
    "action": """update bank.account set balance = balance + %(amount)s
                 where name = %(account)s and balance + %(amount)s >= 0 and not closed""",
    "compensate": """update bank.account set balance = balance - %(amount)s
                     where name = %(account)s""",
    "try": """update bank.account set held = held + %(amount)s
              where name = %(account)s and balance + held + %(amount)s >= 0 and not closed""",
    "confirm": """update bank.account set balance = balance + %(amount)s, held = held - %(amount)s
                  where name = %(account)s""",
    "cancel": "update bank.account set held = held - %(amount)s where name = %(account)s",
}


def connect(port):
    return pymysql.connect(host="127.0.0.1", port=port, user="root")


def change(cursor, op, account, amount):
    """One change of an account. DTMFailureError if the account does not allow it."""
    if cursor.execute(CHANGES[op], {"account": account, "amount": amount}) == 0:
        raise utils.DTMFailureError(f"{account}: not with {amount}")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Bank(BaseHTTPRequestHandler):
    database_port = 0
    death = (None, None)

    def do_POST(self):
        query = dict(parse_qsl(urlsplit(self.path).query))
        move = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        op = query["op"]
        self._answer(lambda guard, cursor: self._move(guard, cursor, op, move), query)

    def do_GET(self):
        """Answers the query of messages."""
        query = dict(parse_qsl(urlsplit(self.path).query))
        self._answer(lambda guard, cursor: guard.query_prepared(cursor), query)

    def _move(self, guard, cursor, op, move):
        def work(cursor):
            change(cursor, op, **move)
            if self.death == (op, "before"):
                die()

        guard.call(cursor, work)
        if self.death == (op, "after"):
            die()

    def _answer(self, work, query):
        """Runs `work(barrier, cursor)` and answers with its result."""
        guard = barrier.BranchBarrier(query["trans_type"], query["gid"], query["branch_id"],
                                      query["op"])
        connection = connect(self.database_port)
        try:
            work(guard, connection.cursor())
            status, text = 200, '{"dtm_result":"SUCCESS"}'
        except utils.DTMFailureError as error:
            status, text = 409, str(error)
        finally:
            connection.close()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def main():
    port, database_port, *death = sys.argv[1:]
    Bank.database_port = int(database_port)
    Bank.death = tuple(death)
    ThreadingHTTPServer(("127.0.0.1", int(port)), Bank).serve_forever()


if __name__ == "__main__":
    main()
