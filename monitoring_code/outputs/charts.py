"""Small charts as inline SVG: two histograms on one another, two bars a value, a line of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

import numpy as np
from profiles.sketch import Weighted, cumulative

WIDTH, HEIGHT = 320, 120
BOTTOM = 16  # for the numbers below the axis
BINS = 24
TAIL = 0.005  # of the numbers, beyond either end of a chart
ROW, LABEL, PERCENT = 20, 108, 56  # of a bar chart
LISTED = 7


def histogram(baseline: Weighted, live: Weighted) -> str:
    """Shares of numbers by bin, the baseline filled and the live ones as a line."""
    edges = _edges(baseline, live)
    shares = [_shares(each, edges) for each in (baseline, live)]
    top = max(float(each.max()) for each in shares) or 1.0
    step, high = WIDTH / len(shares[0]), HEIGHT - BOTTOM
    fill = "".join(
        f'<rect x="{i * step + 0.5:.1f}" y="{high - share / top * (high - 4):.1f}" '
        f'width="{step - 1:.1f}" height="{share / top * (high - 4):.1f}"/>'
        for i, share in enumerate(shares[0])
        if share > 0
    )
    points = []
    for i, share in enumerate(shares[1]):
        level = high - share / top * (high - 4)
        points += [f"{i * step:.1f},{level:.1f}", f"{(i + 1) * step:.1f},{level:.1f}"]
    inset = 0.5 if edges[0] % 1 == 0.5 and edges[1] - edges[0] == 1 else 0  # bins of whole numbers
    named = (
        f'<text x="0" y="{HEIGHT - 3}">{number(edges[0] + inset)}</text>'
        f'<text x="{WIDTH}" y="{HEIGHT - 3}" text-anchor="end">{number(edges[-1] - inset)}</text>'
    )
    return _svg(
        WIDTH,
        HEIGHT,
        f'<g class="baseline">{fill}</g>'
        f'<polyline class="live" points="{" ".join(points)}"/>'
        f'<line class="axis" x1="0" x2="{WIDTH}" y1="{high}" y2="{high}"/>{named}',
    )


def bars(baseline: Mapping[str, float], live: Mapping[str, float]) -> str:
    """Shares of values, two bars each; those that differ most come first."""
    one, other = (_normalised(each) for each in (baseline, live))
    names = sorted({*one, *other}, key=lambda v: -abs(one.get(v, 0) - other.get(v, 0)))
    shown = sorted(names[:LISTED], key=lambda v: -max(one.get(v, 0), other.get(v, 0)))
    return _pairs(shown, one, other, lambda share: f"{share:.0%}")


def values(baseline: Mapping[str, float], live: Mapping[str, float]) -> str:
    """Values by name, two bars each, in their own order; a bar is as long as the value is large."""
    return _pairs([*dict.fromkeys([*baseline, *live])], baseline, live, number)


def _pairs(
    shown: Sequence[str],
    one: Mapping[str, float],
    other: Mapping[str, float],
    words: Callable[[float], str],
) -> str:
    room = WIDTH - LABEL - PERCENT
    widest = max((abs(v) for v in (*one.values(), *other.values())), default=0.0) or 1.0
    rows = []
    for i, name in enumerate(shown):
        y = i * ROW
        told = words(other.get(name, 0.0))
        before, now = (abs(side.get(name, 0.0)) / widest * room for side in (one, other))
        rows.append(
            f'<text x="{LABEL - 6}" y="{y + 13}" text-anchor="end">{escape(_short(name))}</text>'
            f'<g class="baseline"><rect x="{LABEL}" y="{y + 3}" height="6" '
            f'width="{before:.1f}"/></g>'
            f'<g class="now"><rect x="{LABEL}" y="{y + 10}" height="6" width="{now:.1f}"/></g>'
            f'<text x="{LABEL + max(before, now) + 4:.1f}" y="{y + 13}">{told}</text>'
        )
    return _svg(WIDTH, max(1, len(shown)) * ROW, "".join(rows))


def trend(values: Sequence[float], drifted: Sequence[bool], times: Sequence[str]) -> str:
    """One value a run, the newest last, with a line at 1; a run that drifted has a full dot."""
    wide, high = 1040, 90
    top = max(1.0, *values) * 1.1
    step = wide / max(1, len(values) - 1)
    places = [(i * step, high - value / top * (high - 6)) for i, value in enumerate(values)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = "".join(
        f'<circle class="{"hit" if hit else "quiet"}" cx="{x:.1f}" cy="{y:.1f}" r="4">'
        f"<title>{escape(time)}: {value:.2f}</title></circle>"
        for (x, y), hit, time, value in zip(places, drifted, times, values, strict=True)
    )
    level = high - high / top + 6 / top
    return _svg(
        wide,
        high + 18,
        f'<line class="limit" x1="0" x2="{wide}" y1="{level:.1f}" y2="{level:.1f}"/>'
        f'<polyline class="live" points="{line}"/>{dots}'
        f'<text x="0" y="{high + 16}">{escape(times[0])}</text>'
        f'<text x="{wide}" y="{high + 16}" text-anchor="end">{escape(times[-1])}</text>',
        margin=6,
    )


def number(value: float) -> str:
    """Four figures at most."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _edges(*sides: Weighted) -> np.ndarray:
    """Bins that hold nearly all of both; one for each number where there are few whole ones."""
    values = np.unique(np.concatenate([each[0] for each in sides]))
    if len(values) <= BINS and (values == np.floor(values)).all() and np.ptp(values) < BINS:
        return np.arange(values[0] - 0.5, values[-1] + 1)
    ends = [_quantile(each, share) for each in sides for share in (TAIL, 1 - TAIL)]
    low, high = min(ends), max(ends)
    return np.linspace(low, high if high > low else low + 1, BINS + 1)


def _quantile(held: Weighted, share: float) -> float:
    values, weights = held
    return float(values[np.searchsorted(np.cumsum(weights), share * weights.sum())])


def _shares(held: Weighted, edges: np.ndarray) -> np.ndarray:
    """What lies beyond an end counts with the end's bin."""
    inner = cumulative(held, edges[1:-1])
    return np.diff(np.concatenate([[0.0], inner, [1.0]]))


def _normalised(counts: Mapping[str, float]) -> dict[str, float]:
    total = sum(counts.values())
    return {value: count / total for value, count in counts.items()} if total else {}


def _short(text: str) -> str:
    return text if len(text) <= 14 else text[:13] + "…"


def _svg(width: int, height: int, content: str, margin: int = 0) -> str:
    box = f"{-margin} {-margin} {width + 2 * margin} {height + 2 * margin}"
    return f'<svg viewBox="{box}" width="{width}" height="{height}" role="img">{content}</svg>'
