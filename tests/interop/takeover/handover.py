"""One handover: a server leaves the transactions of cases.py unfinished, and another one finishes
them."""

import collections
import concurrent.futures
import itertools
import json
import re
import time

from cases import all_cases
from concerto_testing import BranchServer, http_call, http_json, wait_until
from concerto_testing.branch_server import SUCCESS

# Until the last transaction is finished: leases and intervals between retries are at most 10 s.
FINISH_TIMEOUT_S = 60.0


class Services(BranchServer):
    """Branches that keep when they were called, and what they answered.

    `resume` is the application that a workflow's coordinator calls; `on_resume` is what the
    application does.
    """

    def __init__(self):
        self.on_resume = None
        super().__init__()

    def _answer(self, call):
        call.time = time.monotonic()
        call.answer = None
        answer = super()._answer(call)
        if call.name == "resume" and answer == SUCCESS:
            self.on_resume(call.query["gid"])
        call.answer = answer
        return answer

    def counts(self, gid):
        """How often each "op branch_id" succeeded, and how often it failed."""
        succeeded, failed = collections.Counter(), collections.Counter()
        for call in self.calls(gid):
            name = f"{call.query['op']} {call.query['branch_id']}"
            if call.answer and call.answer[0] == 200 and '"error"' not in call.answer[1]:
                succeeded[name] += 1
            elif call.answer and call.answer[0] == 409:
                failed[name] += 1
        return succeeded, failed


class Handover:
    """`first` and `second` are servers that run one after the other, on the same place."""

    def __init__(self, place, cases=None):
        self.place = place
        self.cases = cases or all_cases()
        self.services = Services()
        self.services.on_resume = self._finish_workflow
        self.begun = {}
        self.taken_over = 0.0
        self.server = None

    def begin(self, server):
        """Makes the transactions, and returns when each has got as far as it can."""
        self.server = server
        self._subscribe("news1", "news2")
        for case in self.cases:
            for name, answer in {**case.answers, **case.held}.items():
                self.services.script(name, answer, gid=case.name)
        # Among other keys the reference may not find its topics in Redis (page 09, F20).
        for topics_first in (True, False):
            cases = [case for case in self.cases if ("topic" in case.name) == topics_first]
            with concurrent.futures.ThreadPoolExecutor(len(cases)) as threads:
                for post in [threads.submit(self._post, case) for case in cases]:
                    post.result()
        for case in self.cases:
            for name in case.held:
                wait_until(lambda: name in self._called(case.name),
                           f"{case.name}: {name} is called", 30.0)

    def finish(self, server):
        """Lets the held branches go on, and returns when all transactions are finished."""
        self.server = server
        self.taken_over = time.monotonic()
        for case in self.cases:
            for name in case.held:
                self.services.script(name, case.opened, gid=case.name)
        wait_until(lambda: not self.place.unfinished(), "all transactions are finished",
                   FINISH_TIMEOUT_S)

    def faults(self):
        """What is wrong at the end, as texts."""
        found = []
        for case in self.cases:
            found += [f"{case.name}: {fault}" for fault in self._faults_of(case)]
        return found

    def _subscribe(self, *names):
        """Returns when the server knows them all: the reference looks for subscribers at times."""
        for name in names:
            answer = http_call("GET", f"{self.server.api}/subscribe?topic=news&url="
                               + self.services.url(name))
            assert answer.status == 200, answer
        message = {"trans_type": "msg", "steps": [{"action": "topic://news"}], "payloads": ["x"]}
        numbers = itertools.count()

        def are_known():
            gid = f"to-subscribers-{next(numbers)}"
            self._ask("submit", json.dumps({**message, "gid": gid}))
            answer = http_json("GET", f"{self.server.api}/query?gid={gid}")
            return len(answer["branches"]) == len(names)

        wait_until(are_known, "all subscribers are known")

    def _called(self, gid):
        return {call.name for call in self.services.calls(gid)}

    def _post(self, case):
        url = self.services.url("").rstrip("/")
        for operation, request in case.requests:
            text = json.dumps(request).replace("$B", url).replace("$GID", case.name)
            answer = self._ask(operation, text)
            may_wait = request.get("wait_result") and answer.status in (409, 425)
            if answer.status != 200 and not may_wait:
                raise AssertionError(f"{case.name}: {operation}: {answer}")
        self.begun[case.name] = time.monotonic()

    def _ask(self, operation, text):
        """The reference takes some time to find a new topic."""
        def ask():
            answer = http_call("POST", f"{self.server.api}/{operation}", text.encode(),
                               timeout_s=30.0)
            return None if b"topic not found" in answer.body else answer
        return wait_until(ask, "the topic is found")

    def _finish_workflow(self, gid):
        """What the application does when it is called: one more branch, and the end."""
        branch = {"gid": gid, "trans_type": "workflow", "branch_id": "02", "op": "action",
                  "status": "succeed", "data": "x"}
        http_json("POST", f"{self.server.api}/registerBranch", branch)
        end = {"status": "failed", "rollback_reason": "no stock"}
        if gid == "workflow-succeeds":
            end = {"status": "succeed", "result": "cjE="}
        http_json("POST", f"{self.server.api}/submit",
                  {"gid": gid, "trans_type": "workflow", "req_extra": end})

    def _faults_of(self, case):
        answer = http_json("GET", f"{self.server.api}/query?gid={case.name}")
        transaction = answer["transaction"]
        if transaction["status"] != case.status:
            yield f"the status is {transaction['status']}, not {case.status}"
        if not re.search(case.reason, transaction.get("rollback_reason", "")):
            yield f"the rollback reason is {transaction.get('rollback_reason')}"
        if case.name.startswith("workflow") and len(answer["branches"]) != 2:
            yield f"the branches are {answer['branches']}"
        if case.name == "workflow-succeeds" and transaction.get("result") != "cjE=":
            yield f"the result is {transaction.get('result')}"
        succeeded, failed = self.services.counts(case.name)
        if succeeded != collections.Counter(case.effects):
            yield f"succeeded: {dict(succeeded)}, not each of {case.effects} once"
        if any(failed[name] != 1 for name in case.refused):
            yield f"failed: {dict(failed)}, not each of {case.refused} once"
        for call in self.services.calls(case.name):
            yield from self._faults_of_call(case, call)

    def _faults_of_call(self, case, call):
        missing = {name: value for name, value in case.headers.items()
                   if call.headers.get(name) != value}
        # What is put into the stored transaction counts from the takeover on.
        if missing and not (case.ext_data and call.time < self.taken_over):
            yield f"{call} has the headers {call.headers}"
        if call.time < self.begun[case.name] + case.not_before_s - 1.0 and case.not_before_s:
            yield f"{call} came after {call.time - self.begun[case.name]:.1f} s"
