"""An application that sends a message together with a change of its own database.

sender.py <coordinator> <gid> <database port> <account> <query url> <action url> <to> before|after:
it takes 30 from the account for the account `to`, and kills itself before or after its commit.
"""

import sys

import bank
from dtmcli.msg import Msg


class DyingMsg(Msg):
    def submit(self):
        bank.die()


def main():
    api, gid, database_port, account, query, action, to, death = sys.argv[1:]

    def work(cursor):
        bank.change(cursor, "action", account, -30)
        if death == "before":
            bank.die()

    msg = DyingMsg(api, gid)
    msg.add({"account": to, "amount": 30}, action)
    msg.trans_base.timeout_to_fail = 1
    msg.do_and_submit_db(query, bank.connect(int(database_port)).cursor(), work)


if __name__ == "__main__":
    main()
