"""A strict reader of Prometheus' text format 0.0.4."""

import math
import re
from dataclasses import dataclass, field

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r"([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\n]|\\[\\\"n])*)\""
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)\}})? (\S+)")
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?Inf|NaN")
TYPES = ("counter", "gauge", "histogram", "summary", "untyped")
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class FormatError(AssertionError):
    """The text is not in the format, or contradicts itself."""


@dataclass
class Histogram:
    """Cumulative counts by upper bound, in the order of the text."""

    buckets: dict = field(default_factory=dict)
    sum: float = None
    count: float = None


@dataclass
class Family:
    name: str
    type: str = "untyped"
    help: str = None
    samples: dict = field(default_factory=dict)  # Labels as a frozenset of pairs -> value.


def parse(text):
    """Name -> Family. The samples of a histogram are Histograms, others numbers."""
    if not text.endswith("\n"):
        raise FormatError("the last line has no end")
    families, ended, family = {}, set(), None
    for line in text[:-1].split("\n"):
        name = _family_of(line, families)
        if family is None or name != family.name:
            if name in ended:
                raise FormatError(f"the lines of {name} are not in one group: {line}")
            if family is not None:
                ended.add(family.name)
            family = families.setdefault(name, Family(name))
        _take(line, family)
    for family in families.values():
        _check(family)
    return families


def _family_of(line, families):
    """The name of the family that a line belongs to."""
    comment = re.fullmatch(rf"# (?:HELP|TYPE) ({NAME}) .*", line)
    if comment:
        return comment[1]
    sample = SAMPLE.fullmatch(line)
    if not sample:
        raise FormatError(f"not a line of the format: {line!r}")
    name = sample[1]
    base = re.sub("_(bucket|sum|count)$", "", name)
    is_part = base in families and families[base].type == "histogram"
    return base if is_part else name


def _take(line, family):
    if line.startswith("# HELP "):
        if family.help is not None or family.samples:
            raise FormatError(f"a second or late HELP: {line}")
        family.help = line.split(" ", 3)[3]
    elif line.startswith("# TYPE "):
        if family.type != "untyped" or family.samples:
            raise FormatError(f"a second or late TYPE: {line}")
        family.type = line.split(" ")[3]
        if family.type not in TYPES:
            raise FormatError(f"unknown type: {line}")
    else:
        _take_sample(SAMPLE.fullmatch(line), family)


def _take_sample(match, family):
    labels = [(name, re.sub(r"\\.", lambda escape: ESCAPES[escape[0]], value))
              for name, value in re.findall(LABEL, match[2] or "")]
    if len({name for name, _ in labels}) != len(labels):
        raise FormatError(f"a label is there twice: {match[0]}")
    value = _number(match[match.lastindex])
    if family.type == "histogram":
        _take_part(match[1][len(family.name):], labels, value, family)
        return
    if frozenset(labels) in family.samples:
        raise FormatError(f"there twice: {match[0]}")
    family.samples[frozenset(labels)] = value


def _take_part(part, labels, value, family):
    bounds = [_number(bound) for name, bound in labels if name == "le"]
    key = frozenset(label for label in labels if label[0] != "le")
    histogram = family.samples.setdefault(key, Histogram())
    if part == "_bucket" and len(bounds) == 1 and bounds[0] not in histogram.buckets:
        histogram.buckets[bounds[0]] = value
    elif part == "_sum" and not bounds and histogram.sum is None:
        histogram.sum = value
    elif part == "_count" and not bounds and histogram.count is None:
        histogram.count = value
    else:
        raise FormatError(f"not a part of a histogram, or there twice: {family.name}{part}{labels}")


def _number(text):
    if not NUMBER.fullmatch(text):
        raise FormatError(f"not a number: {text!r}")
    return float(text)


def _check(family):
    if not family.help or not family.samples:
        raise FormatError(f"{family.name} has no help, or no sample")
    if family.type == "counter":
        if not family.name.endswith("_total") or min(family.samples.values()) < 0:
            raise FormatError(f"the counter {family.name} has no _total, or is negative")
    if family.type == "histogram":
        for labels, histogram in family.samples.items():
            _check_histogram(f"{family.name}{sorted(labels)}", histogram)


def _check_histogram(name, histogram):
    bounds, counts = list(histogram.buckets), list(histogram.buckets.values())
    if histogram.sum is None or histogram.count is None or not bounds or bounds[-1] != math.inf:
        raise FormatError(f"{name} has no sum, no count or no bucket without a bound")
    if bounds != sorted(bounds) or counts != sorted(counts):
        raise FormatError(f"the buckets of {name} are not cumulative: {histogram.buckets}")
    if counts[-1] != histogram.count or (histogram.count == 0) != (histogram.sum == 0):
        raise FormatError(f"count and sum of {name} contradict its buckets: {histogram}")
