"""Reads a Dockerfile: its stages, and the instructions of each."""

import json
import re
import shlex
from dataclasses import dataclass, field


@dataclass
class Stage:
    base: str
    name: str | None
    steps: list = field(default_factory=list)  # (instruction, text)

    def texts(self, instruction):
        return [text for name, text in self.steps if name == instruction]

    def environment(self):
        """What ENV sets."""
        words = [word for text in self.texts("ENV") for word in shlex.split(text)]
        return dict(word.split("=", 1) for word in words)

    def last(self, instruction):
        return (self.texts(instruction) or [""])[-1]

    def command(self, instruction):
        """The words of ENTRYPOINT or HEALTHCHECK, which have the form of a list."""
        return json.loads(re.search(r"\[.*\]", self.last(instruction))[0])


def read(path):
    with open(path, encoding="utf-8") as file:
        lines = [line for line in file.read().splitlines() if not line.lstrip().startswith("#")]
    stages = []
    for text in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        instruction, _, rest = text.strip().partition(" ")
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base, name or None))
        elif instruction:
            stages[-1].steps.append((instruction, rest.strip()))
    return stages
