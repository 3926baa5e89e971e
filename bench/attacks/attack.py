"""What all attacks have in common."""

import time


class Attack:
    """One attack. `begin` does it for the given time; it returns what ended it, in a few words.
    `settings` are the coordinator's, `descriptors` its limit of open files."""

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
    """Outcomes with their numbers, the most frequent first: `413 (600), closed (2)`."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{what} ({number})" for what, number in ordered) or "nothing: it was over"
