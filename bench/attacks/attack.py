"""The base of all attacks."""

import time


class Attack:
    """One attack. `begin` attacks for the given time and returns in a few words what ended the
    attack. `settings` are the coordinator's, `descriptors` is its limit of open files."""

    name = ""
    does = ""
    settings: dict = {}
    descriptors = 4096

    def __init__(self, server, seconds):
        self.server = server
        self._end = time.monotonic() + seconds

    def goes_on(self):
        return time.monotonic() < self._end

    def left_s(self):
        return max(0.0, self._end - time.monotonic())

    def begin(self):
        raise NotImplementedError


def summary(counts):
    """Outcomes with their numbers, the most frequent one first: `413 (600), closed (2)`."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{what} ({number})" for what, number in ordered) or "nothing: it was over"
