#!/usr/bin/env python3
"""bench/plots.py <results> <output>: draws plots (SVG) of what bench/run left in a directory.

The plots are modes.svg, latency.svg and sustained.svg. A part that was not run has no plot.
"""

import math
import os
import sys
from xml.sax.saxutils import escape

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from results import CONCURRENT, Results, median  # noqa: E402  (it sets the path of the next one)

from servers import CONCERTOD, REFERENCE  # noqa: E402

SERVERS = (CONCERTOD, REFERENCE)
COLOURS = ("#1f6fb4", "#d9822b")  # of the two servers
WIDTH = 400
HEIGHT = 260
MARGIN_LEFT, MARGIN_RIGHT, MARGIN_TOP, MARGIN_BOTTOM = 62, 16, 34, 44
PERCENTILES = (("p50", "p50_us"), ("p90", "p90_us"), ("p99", "p99_us"), ("p99.9", "p99_9_us"),
               ("max", "max_us"))


class Panel:
    """One plot: a title, a value axis from `low` to `high`, and what is drawn on it."""

    def __init__(self, title, low, high, logarithmic):
        self._low, self._high, self._logarithmic = low, high, logarithmic
        self._parts = [_text(WIDTH / 2, 18, title, "middle", bold=True)]
        for value in self._ticks():
            y = self.y(value)
            self._parts.append(f'<line x1="{MARGIN_LEFT}" x2="{WIDTH - MARGIN_RIGHT}" y1="{y:.1f}" '
                               f'y2="{y:.1f}" stroke="#ddd"/>')
            self._parts.append(_text(MARGIN_LEFT - 6, y + 4, f"{value:,g}", "end"))

    def y(self, value):
        place = _log if self._logarithmic else float
        low, high = place(self._low), place(self._high)
        share = (place(max(value, self._low)) - low) / (high - low)
        return HEIGHT - MARGIN_BOTTOM - share * (HEIGHT - MARGIN_TOP - MARGIN_BOTTOM)

    @staticmethod
    def x(share):
        return MARGIN_LEFT + share * (WIDTH - MARGIN_LEFT - MARGIN_RIGHT)

    def bar(self, begin, end, value, colour):
        x, y = self.x(begin), self.y(value)
        self._parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{self.x(end) - x:.1f}" '
                           f'height="{HEIGHT - MARGIN_BOTTOM - y:.1f}" fill="{colour}">'
                           f'<title>{value:,.1f}</title></rect>')

    def line(self, points, colour):
        """Points are (share of the width, value)."""
        path = " ".join(f"{self.x(share):.1f},{self.y(value):.1f}" for share, value in points)
        self._parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                           'stroke-width="2"/>')

    def label(self, share, text):
        self._parts.append(_text(self.x(share), HEIGHT - MARGIN_BOTTOM + 16, text, "middle"))

    def legend(self, names):
        for i, name in enumerate(names):
            x = self.x(i / len(names))
            self._parts.append(f'<rect x="{x:.1f}" y="{HEIGHT - 16}" width="10" height="10" '
                               f'fill="{COLOURS[i]}"/>')
            self._parts.append(_text(x + 14, HEIGHT - 7, name, "start"))

    def svg(self, number):
        return f'<g transform="translate({number * WIDTH} 0)">' + "\n".join(self._parts) + "</g>"

    def _ticks(self):
        if self._logarithmic:
            return [10.0 ** power for power in range(_log(self._low), _log(self._high) + 1)]
        return [self._high * i / 5 for i in range(6)]


def _log(value):
    exact = math.log10(value)
    return round(exact) if abs(exact - round(exact)) < 1e-9 else exact


def _text(x, y, text, anchor, bold=False):
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight}>{escape(text)}</text>'


def decades(values):
    """Two powers of ten that enclose the values."""
    low = math.floor(math.log10(min(values)))
    return 10.0 ** low, 10.0 ** max(math.ceil(math.log10(max(values))), low + 1)


def round_up(value):
    """The next number whose fifths are easy to read."""
    step = 10.0 ** math.floor(math.log10(value)) / 2
    return math.ceil(value / step) * step


def page(panels):
    width = WIDTH * len(panels)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" '
            f'width="{width}" height="{HEIGHT}" font-family="sans-serif" font-size="11">\n'
            f'<rect width="{width}" height="{HEIGHT}" fill="white"/>\n' +
            "\n".join(panel.svg(i) for i, panel in enumerate(panels)) + "\n</svg>\n")


def mode_bars(rows, field, title):
    """Two bars for each mode."""
    values = {(work, server): median(by_server.get(server, []), field)
              for work, by_server in rows.items() for server in SERVERS}
    panel = Panel(title, *decades([value for value in values.values() if value]), True)
    for i, work in enumerate(rows):
        for j, server in enumerate(SERVERS):
            begin = (i + 0.15 + j * 0.35) / len(rows)
            if values[work, server]:
                panel.bar(begin, begin + 0.33 / len(rows), values[work, server], COLOURS[j])
        panel.label((i + 0.5) / len(rows), work.replace(", submit only", "").replace(
            ", two phases", " 2p"))
    panel.legend(SERVERS)
    return panel


def modes(results):
    found = results.read("modes")
    if not found:
        return []
    return [mode_bars(found["rows"], "tx_per_second", "transactions per second"),
            mode_bars(found["rows"], "server_cpu_us", "server CPU per transaction, us")]


def latency(results):
    panels = []
    for wire in ("grpc", "http"):
        runs = {server: results.load(wire, CONCURRENT, server) for server in SERVERS}
        points = {server: [median(some, field) / 1000 for _, field in PERCENTILES]
                  for server, some in runs.items() if some}
        if not points:
            continue
        panel = Panel(f"latency of sagas over {wire}, {CONCURRENT} in flight, ms",
                      *decades([value for some in points.values() for value in some]), True)
        shares = [(i + 0.5) / len(PERCENTILES) for i in range(len(PERCENTILES))]
        for share, (name, _) in zip(shares, PERCENTILES):
            panel.label(share, name)
        for server, some in points.items():
            panel.line(zip(shares, some), COLOURS[SERVERS.index(server)])
        panel.legend(SERVERS)
        panels.append(panel)
    return panels


def sustained(results):
    panels = []
    for wire in ("grpc", "http"):
        runs = {server: results.load(wire, CONCURRENT, server, "sustained") for server in SERVERS}
        # The last second may be shorter.
        seconds = {server: some[0]["per_second"][:math.floor(some[0]["seconds"])]
                   for server, some in runs.items() if some}
        if not seconds:
            continue
        most = max(one["tx_per_second"] for some in seconds.values() for one in some)
        panel = Panel(f"sagas over {wire} in each second, {CONCURRENT} in flight", 0,
                      round_up(most), False)
        last = max(one["end"] for some in seconds.values() for one in some)
        for server, some in seconds.items():
            panel.line([(one["end"] / last, one["tx_per_second"]) for one in some],
                       COLOURS[SERVERS.index(server)])
        for share in (0, 0.5, 1):
            panel.label(share, f"{share * last:.0f} s")
        panel.legend(SERVERS)
        panels.append(panel)
    return panels


def main():
    results, output = Results(sys.argv[1]), sys.argv[2]
    os.makedirs(output, exist_ok=True)
    for name, plot in (("modes", modes), ("latency", latency), ("sustained", sustained)):
        panels = plot(results)
        if panels:
            with open(os.path.join(output, name + ".svg"), "w", encoding="utf-8") as file:
                file.write(page(panels))


if __name__ == "__main__":
    main()
