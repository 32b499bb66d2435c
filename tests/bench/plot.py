"""How the cost of a sweep grows, as one SVG: time, calls and memory over the number of subjects, log-log, for three functions."""

import math
from html import escape

WIDTH, PANEL_W, PANEL_H, LEFT, TOP, GAP_X, GAP_Y = 960, 230, 140, 74, 120, 72, 84
# Right of the last subjects, for what was measured there.
END = 50
MEASURES = [("seconds", "seconds"), ("calls", "calls"), ("peak_mb", "MB of memory")]
SERIES = [("ours", "Tourniquet"), ("custodian", "Cloud Custodian")]
STYLE = """
  svg { font: 12px system-ui, sans-serif; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --ours: #0969da; --custodian: #bc4c00; --back: #ffffff }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #f0f6fc; --soft: #9198a1; --line: #3d444d; --ours: #58a6ff; --custodian: #f0883e; --back: #0d1117 }
  }
  .back { fill: var(--back) } text { fill: var(--soft) } .title { fill: var(--ink); font-size: 15px; font-weight: 600 } .head { fill: var(--ink); font-weight: 600 }
  .grid { stroke: var(--line); stroke-width: 1 } .curve { fill: none; stroke-width: 2 }
  .ours { stroke: var(--ours) } .custodian { stroke: var(--custodian); stroke-dasharray: 6 4 }
  .dot-ours { fill: var(--ours) } .dot-custodian { fill: var(--custodian) }
  .end-ours { fill: var(--ours) } .end-custodian { fill: var(--custodian) }
"""


def value(run, measure):
    return sum(run["calls"].values()) if measure == "calls" else run[measure]


def decades(values):
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) - 1e-9)


def short(number):
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}"


class Panel:
    """One measure of one function."""

    def __init__(self, x, y, across, up):
        self.x, self.y, self.across, self.up = x, y, across, up

    def at(self, subjects, amount):
        (a, b), (c, d) = self.across, self.up
        x = self.x + (math.log10(subjects) - a) / (b - a) * (PANEL_W - END)
        return x, self.y + PANEL_H - (math.log10(amount) - c) / (d - c) * PANEL_H

    def grid(self):
        for power in range(self.up[0], self.up[1] + 1):
            y = self.at(10 ** self.across[0], 10**power)[1]
            yield f'<line class="grid" x1="{self.x}" x2="{self.x + PANEL_W}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text x="{self.x - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:,.10g}</text>'
        for power in range(self.across[0], self.across[1] + 1):
            x = self.at(10**power, 10 ** self.up[0])[0]
            yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{self.y}" y2="{self.y + PANEL_H}"/>'
            yield f'<text x="{x:.1f}" y="{self.y + PANEL_H + 16}" text-anchor="middle">{10**power:,}</text>'

    def curve(self, name, points, shift):
        places = [self.at(*point) for point in points]
        yield f'<polyline class="curve {name}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>'
        yield from (f'<circle class="dot-{name}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places)
        (x, y), (_, amount) = places[-1], points[-1]
        # A curve that ends early has the other one on its right.
        early = math.log10(points[-1][0]) < self.across[1]
        x, y, anchor = (x - 5, y - 8, "end") if early else (x + 7, y + 4 + shift, "start")
        yield f'<text class="end-{name}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{short(amount)}</text>'

    def shifts(self, points):
        """Keeps two labels apart that would stand on each other."""
        ys = {name: self.at(*of[-1])[1] for name, of in points.items()}
        first, second = sorted(ys, key=ys.get)
        near = max(0.0, 13 - (ys[second] - ys[first])) / 2
        return {first: -near, second: near}


def growth(results, latency_ms):
    """The whole page of panels: a row for each function, a column for each measure."""
    height = TOP + len(results) * (PANEL_H + GAP_Y)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        "<title>What a sweep costs over 10 to 10,000 subjects</title>", f"<style>{STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{height}"/>',
        f'<text class="title" x="20" y="30">What a sweep costs as the account grows, {latency_ms} ms a call</text>',
    ]
    for index, (name, words) in enumerate(SERIES):
        x = 20 + index * 130
        parts.append(f'<line class="curve {name}" x1="{x}" x2="{x + 26}" y1="50" y2="50"/>')
        parts.append(f'<text class="end-{name}" x="{x + 32}" y="54">{words}</text>')
    parts.append('<text x="330" y="54">both axes are logarithmic</text>')
    measures = {measure: [value(run, measure) for of in results.values() for name, _ in SERIES for run in of[name]] for measure, _ in MEASURES}
    subjects = [run["subjects"] for of in results.values() for run in of["ours"]]
    for row, (function, of) in enumerate(results.items()):
        y = TOP + row * (PANEL_H + GAP_Y)
        parts.append(f'<text class="head" x="20" y="{y - 22}">{escape(function)}: {escape(of["words"])}</text>')
        for column, (measure, words) in enumerate(MEASURES):
            x = LEFT + column * (PANEL_W + GAP_X)
            panel = Panel(x, y + 8, decades(subjects), decades(measures[measure]))
            parts += panel.grid()
            parts.append(f'<text x="{x}" y="{y}">{words}</text>')
            points = {name: [(run["subjects"], value(run, measure)) for run in of[name]] for name, _ in SERIES}
            shifts = panel.shifts(points)
            for name, _ in SERIES:
                parts += panel.curve(name, points[name], shifts[name])
    parts.append("</svg>\n")
    return "\n".join(parts)
