"""The rows of the table of routes, net/protocol/src/api/route_table.cpp."""

import re
from dataclasses import dataclass

PATH = "net/protocol/src/api/route_table.cpp"

# Four texts and three words: path, methods, rpc, grpc, deed, role, browser.
ROW = re.compile(r'^\s*\{"(/[^"]*)",' + r'\s*"([^"]*)",' * 3 + r"\s*(\w+)," * 3, re.MULTILINE)


@dataclass(frozen=True)
class RouteRow:
    path: str       # `*` at its end stands for the rest
    methods: tuple  # of HTTP; ("*",): any
    rpc: str        # method of JSON-RPC, or empty
    grpc: str       # method of dtmgimp.Dtm, or empty
    deed: str       # reads, changes, operates
    role: str
    browser: str


def route_rows(text):
    return [RouteRow(path, tuple(methods.split()), *rest)
            for path, methods, *rest in ROW.findall(text)]
