"""Helpers of the tests that run real programs: ports, processes, waiting, HTTP, etcd, concertod.

Python's standard library only. Everything listens on loopback, and every wait has a deadline.
"""

from .branch_server import BranchServer
from .concertod import Concertod
from .etcd import Etcd
from .http import HttpAnswer, http_call, http_json
from .ports import free_port, free_ports, wait_for_port
from .process import Process, ProcessEnded
from .reference import Reference
from .suite import go_build, main, need_module, need_program, python_environment
from .wait import Timeout, ends_within, wait_until

__all__ = [
    "BranchServer", "Concertod", "Etcd", "HttpAnswer", "Process", "ProcessEnded", "Reference",
    "Timeout", "ends_within", "free_port", "free_ports", "go_build", "http_call", "http_json",
    "main", "need_module", "need_program", "python_environment", "wait_for_port", "wait_until",
]
