"""The base of the tests in this directory: a coordinator, which is called only by grpcurl."""

import base64
import json
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

from concerto_testing import Concertod, go_build  # noqa: E402  (the path has to be set first)

GRPCURL = "github.com/fullstorydev/grpcurl/cmd/grpcurl"
RUN_TIMEOUT_S = 30

# gRPC codes. grpcurl ends with 64 more than the code.
UNKNOWN, DEADLINE_EXCEEDED, NOT_FOUND, RESOURCE_EXHAUSTED = 2, 4, 5, 8
FAILED_PRECONDITION, ABORTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 9, 10, 12, 13, 14
EXIT_CODE_BASE = 64


class GrpcError(Exception):
    """`code` and `message` as the server sent them."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def steps(*urls, **more):
    """DtmRequest's Steps and one payload each: msg from actions, saga from (action, compensate)."""
    entries = [{"action": url} if isinstance(url, str) else
               {"action": url[0], "compensate": url[1]} for url in urls]
    return {"Steps": json.dumps(entries), "BinPayloads": [b64(b"{}")] * len(entries), **more}


def b64(data):
    """The form in which grpcurl accepts and prints bytes."""
    return base64.b64encode(data).decode()


class GrpcurlTest(unittest.TestCase):
    maxDiff = None
    SETTINGS = {}
    ACCESS = {}  # how the test itself reaches the coordinator, if that wants TLS or tokens
    OPTIONS = ("-plaintext",)

    def setUp(self):
        work = os.path.join(self.directory, self.id().split(".")[-1])
        os.mkdir(work)
        go_build(HERE, self.args.build_directory, GRPCURL)
        self.coordinator = Concertod(self.args.concertod, work, self.SETTINGS, **self.ACCESS)
        self.addCleanup(self.coordinator.kill)
        self.coordinator.start()

    def command(self, *arguments):
        """A command line. The address comes after the options."""
        options = [argument for argument in arguments if argument.startswith("-")]
        others = [argument for argument in arguments if not argument.startswith("-")]
        return [os.path.join(self.args.build_directory, "grpcurl"), *self.OPTIONS, *options,
                self.coordinator.grpc_address, *others]

    def grpcurl(self, *arguments, stdin=""):
        return subprocess.run(self.command(*arguments), input=stdin, timeout=RUN_TIMEOUT_S,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def text(self, *arguments):
        """The output of grpcurl, which must succeed."""
        done = self.grpcurl(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def invoke(self, method, request, *options):
        """The answer of a call. GrpcError if the call is refused."""
        done = self.grpcurl("-d=@", "-format-error", *options, method, stdin=json.dumps(request))
        if done.returncode == 0:
            return json.loads(done.stdout)
        error = json.loads(done.stderr)
        self.assertEqual(done.returncode, EXIT_CODE_BASE + error["code"])
        raise GrpcError(error["code"], error["message"])

    def call(self, method, **request):
        return self.invoke(f"dtmgimp.Dtm/{method}", request)

    def refused(self, code, message, method, **request):
        """Checks the error of a call: its code and its whole text."""
        with self.subTest(method=method, message=message):
            with self.assertRaises(GrpcError) as refusal:
                self.call(method, **request)
            self.assertEqual((refusal.exception.code, refusal.exception.message), (code, message))

    def refused_with(self, code, pattern, method, **request):
        """Like `refused`, for texts that are only partly fixed: `pattern` is a regular expression.
        """
        with self.subTest(method=method, pattern=pattern):
            with self.assertRaises(GrpcError) as refusal:
                self.call(method, **request)
            self.assertEqual(refusal.exception.code, code)
            self.assertRegex(refusal.exception.message, pattern)

    def transaction(self, gid):
        return self.coordinator.query(gid)["transaction"]

    def branches(self, gid):
        """(branch id, op, status) of each of a transaction's branches."""
        return [(branch["branch_id"], branch["op"], branch["status"])
                for branch in self.coordinator.query(gid)["branches"]]


def add_arguments(parser):
    parser.add_argument("concertod", help="the coordinator's program", type=os.path.abspath)
    parser.add_argument("build_directory", help="where grpcurl is built", type=os.path.abspath)
