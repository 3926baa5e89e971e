"""Rows that nobody can read, in the tables of a database."""


def damaged_rows(sql):
    """For check_damaged: damages of the rows in a database, and the repair of the first."""
    def update(change):
        return lambda gid: sql(f"update trans_global set {change} where gid = '{gid}'")

    def branch(statement):
        return lambda gid: sql(f"{statement} where gid = '{gid}' and branch_id = '02' "
                               "and op = 'action'")

    return {
        "status": (update("status = 'odd'"), "status is 'odd'"),
        "options": (update("options = '{'"), "options: not JSON"),
        "interval": (update("""options = '{"retry_interval":-1}'"""),
                     "options: retry_interval is -1"),
        "headers": (update("ext_data = '[]'"), "ext_data: no object"),
        "custom": (update("custom_data = '{'"), "custom_data: not JSON"),
        "branch": (branch("update trans_branch_op set status = 'odd'"),
                   "branch 02 action has the status 'odd'"),
        "last-row": (branch("delete from trans_branch_op"), "branch 02 has no action"),
    }, update("status = 'submitted'")
