"""Small charts as inline SVG: bars of shares, and a line of what earlier runs measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

ROW, LABEL, WIDTH, PERCENT = 22, 130, 460, 96
LONGEST = 18  # letters of a bar's name
LINE_WIDTH, LINE_HEIGHT, EDGE = 180, 34, 5


def bars(shares: Mapping[str, float], notes: Mapping[str, str], full: float | None = None) -> str:
    """A bar for each share, in the given order; `full`: the share of a whole bar, else the most."""
    room = WIDTH - LABEL - PERCENT
    widest = full or max(shares.values(), default=0) or 1.0
    rows = []
    for index, (name, share) in enumerate(shares.items()):
        y, length = index * ROW, share / widest * room
        rows.append(
            f'<text x="{LABEL - 8}" y="{y + 15}" text-anchor="end">{escape(_short(name))}'
            f"<title>{escape(name)}</title></text>"
            f'<rect class="{"bar" if share < 1 or not full else "bar whole"}" x="{LABEL}" '
            f'y="{y + 4}" width="{max(length, 1):.1f}" height="14" rx="2"/>'
            f'<text x="{LABEL + length + 6:.1f}" y="{y + 15}">{escape(notes[name])}</text>'
        )
    return _svg(WIDTH, max(1, len(rows)) * ROW, "".join(rows), "bars")


def line(values: Sequence[float], low: float | None, high: float | None, broken: bool) -> str:
    """A value a run, the newest last and marked; the band is where the newest should lie."""
    bounds = [each for each in (low, high) if each is not None and math.isfinite(each)]
    least, most = _view(values, bounds)
    step = (LINE_WIDTH - 2 * EDGE) / max(1, len(values) - 1)

    def level(value: float) -> float:
        inside = min(max(value, least), most)
        return LINE_HEIGHT - EDGE - (inside - least) / (most - least) * (LINE_HEIGHT - 2 * EDGE)

    places = [(EDGE + index * step, level(value)) for index, value in enumerate(values)]
    top = level(high) if high is not None and math.isfinite(high) else 0.0
    bottom = level(low) if low is not None and math.isfinite(low) else float(LINE_HEIGHT)
    band = (
        f'<rect class="band" x="0" width="{LINE_WIDTH}" y="{top:.1f}" '
        f'height="{max(1.5, bottom - top):.1f}"/>'
        if bounds
        else ""
    )
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    x, y = places[-1]
    return _svg(
        LINE_WIDTH,
        LINE_HEIGHT,
        f'{band}<polyline class="line" points="{points}"/>'
        f'<circle class="{"hit" if broken else "dot"}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>',
        "history",
    )


def _view(values: Sequence[float], bounds: Sequence[float]) -> tuple[float, float]:
    """What the chart spans: the values, and those bounds that are not far off."""
    least, most = min(values), max(values)
    spread = most - least or abs(most) * 0.1 or 1.0
    near = [each for each in bounds if least - 2 * spread <= each <= most + 2 * spread]
    least, most = min([least, *near]), max([most, *near])
    return (least, most) if most > least else (least - spread / 2, most + spread / 2)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def _svg(width: int, height: int, content: str, label: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{label}">{content}</svg>'
    )
