"""Plots as inline SVG: no library draws them, and a page that holds them needs no other file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

INK, SOFT, LINE = "#1d2733", "#6b7785", "#dfe4ea"
BLUE, ORANGE = "#2f6fbf", "#d9822b"


def confusion(counts: np.ndarray, classes: Sequence[str]) -> str:
    """The truth in rows; a cell's shade is its share of the row."""
    cell, left, top = 62, 96, 56
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    parts = [
        _text(left + cell * len(classes) / 2, 16, "what the model said", SOFT, "middle"),
        _text(0, 16, "what was true", SOFT),
    ]
    for i, row in enumerate(classes):
        parts.append(_text(left - 10, top + cell * i + 36, _short(row), INK, "end"))
        parts.append(_text(left + cell * (i + 0.5), top - 10, _short(row), INK, "middle"))
        for j in range(len(classes)):
            share = float(shares[i, j])
            x, y = left + cell * j, top + cell * i
            colour = BLUE if i == j else ORANGE
            parts.append(
                f'<rect x="{x + 1}" y="{y + 1}" width="{cell - 2}" height="{cell - 2}" rx="3" '
                f'fill="{colour}" fill-opacity="{0.06 + 0.84 * share:.3f}"/>'
            )
            ink = "#ffffff" if share > 0.55 else INK
            parts.append(_text(x + cell / 2, y + 30, f"{share:.0%}", ink, "middle", 15))
            parts.append(_text(x + cell / 2, y + 47, f"{int(counts[i, j])}", ink, "middle", 11))
    size = cell * len(classes)
    return _svg(left + size + 4, top + size + 4, parts, "confusion matrix")


def bars(
    rows: Sequence[tuple[str, float, float, str]], mean: float | None = None, percent: bool = True
) -> str:
    """Horizontal bars: (name, value, half its interval, a note); a line at the mean."""
    step, left, width = 30, 190, 330
    longest = max([value + half for _, value, half, _ in rows] + [mean or 0, 1e-9])
    scale = width / longest
    parts = []
    for place, (name, value, half, note) in enumerate(rows):
        y = 8 + place * step
        parts.append(_text(left - 10, y + 15, _short(name, 26), INK, "end", 13))
        parts.append(
            f'<rect x="{left}" y="{y}" width="{max(value, 0) * scale:.1f}" height="20" rx="3" '
            f'fill="{BLUE}" fill-opacity="0.8"/>'
        )
        if half:
            low, high = left + max(value - half, 0) * scale, left + (value + half) * scale
            ends = f"M{low:.1f} {y + 6}v8M{high:.1f} {y + 6}v8"
            parts.append(
                f'<path d="M{low:.1f} {y + 10}H{high:.1f}{ends}" stroke="{INK}" '
                'stroke-width="1.3"/>'
            )
        told = f"{value:.1%}" if percent else number(value)
        parts.append(_text(left + width + 14, y + 15, f"{told}  {note}", SOFT, size=12))
    height = 8 + step * len(rows)
    if mean is not None:
        x = left + mean * scale
        parts.append(
            f'<path d="M{x:.1f} 0V{height}" stroke="{ORANGE}" stroke-width="1.5" '
            'stroke-dasharray="4 3"/>'
        )
    return _svg(left + width + 160, height, parts, "bars")


def number(value: float, sign: str = "") -> str:
    """Three decimals; of what is smaller, three digits: a label may be of any scale."""
    return f"{value:{sign}.3f}" if not value or abs(value) >= 0.01 else f"{value:{sign}.3g}"


def calibration(points: Sequence[tuple[float, float, int]]) -> str:
    """(confidence, accuracy, rows): on the diagonal the model is as often right as it is sure."""
    size, left, top = 260, 52, 12
    largest = max([rows for _, _, rows in points] or [1])
    parts = _axes(size, left, top, "how sure the model was", "how often it was right")
    parts.append(
        f'<path d="M{left} {top + size}L{left + size} {top}" stroke="{SOFT}" '
        'stroke-dasharray="4 3"/>'
    )
    for sure, right, rows in points:
        radius = 3 + 9 * (rows / largest) ** 0.5
        parts.append(
            f'<circle cx="{left + sure * size:.1f}" cy="{top + (1 - right) * size:.1f}" '
            f'r="{radius:.1f}" fill="{BLUE}" fill-opacity="0.75"/>'
        )
    return _svg(left + size + 20, top + size + 46, parts, "calibration")


def learning_curve(
    points: Sequence[tuple[int, float, float]], axis: str = "training rows", percent: bool = True
) -> str:
    """(rows or epochs, on the training split, on the validation split)."""
    size, left, top = 260, 52, 12
    most = max(rows for rows, _, _ in points)
    highest = 1.0 if percent else max(max(a, b) for _, a, b in points) or 1.0
    parts = _axes(size, left, top, f"{axis} (all: {most:,})", "", highest, percent)
    for index, (name, colour) in enumerate((("training", ORANGE), ("validation", BLUE))):
        line = [
            (left + point[0] / most * size, top + (1 - point[1 + index] / highest) * size)
            for point in points
        ]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in line)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in line]
        parts.append(_text(line[-1][0] + 8, line[-1][1] + 4, name, colour, size=12))
    return _svg(left + size + 84, top + size + 46, parts, "learning curve")


def _axes(
    size: int, left: int, top: int, x: str, y: str, highest: float = 1.0, percent: bool = True
) -> list[str]:
    parts = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        at = top + (1 - tick) * size
        parts.append(f'<path d="M{left} {at:.1f}h{size}" stroke="{LINE}"/>')
        told = f"{tick:.0%}" if percent else f"{tick * highest:.2f}"
        parts.append(_text(left - 8, at + 4, told, SOFT, "end", 11))
    parts.append(_text(left + size / 2, top + size + 36, x, SOFT, "middle", 12))
    if y:
        parts.append(
            f'<text transform="translate(12 {top + size / 2}) rotate(-90)" text-anchor="middle" '
            f'font-size="12" fill="{SOFT}">{escape(y)}</text>'
        )
        for tick in (0, 0.5, 1):
            parts.append(
                _text(left + tick * size, top + size + 18, f"{tick:.0%}", SOFT, "middle", 11)
            )
    return parts


def _text(
    x: float, y: float, words: str, colour: str, anchor: str = "start", size: int = 13
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" '
        f'font-size="{size}">{escape(words)}</text>'
    )


def _svg(width: float, height: float, parts: Sequence[str], title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" role="img" font-family="system-ui, sans-serif">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def _short(words: str, most: int = 10) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"
