"""Additive Holt-Winters: level, trend and season, smoothed; the next value foreseen.

https://otexts.com/fpp2/holt-winters.html, begun as Deequ's HoltWinters is: level, trend and season
of the first two periods.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

START = (0.3, 0.1, 0.1)  # smoothing of level, trend and season
FIRST_STEP, LAST_STEP = 0.25, 0.005


def forecast(series: Sequence[float], period: int) -> tuple[float, float]:
    """The next value, and the standard error of the forecasts one step ahead so far.

    Needs two periods. The smoothing is what makes the squared errors least, within [0, 1].
    """
    if len(series) < 2 * period:
        raise ValueError(f"{len(series)} values are fewer than two periods of {period}")
    best, step = START, FIRST_STEP
    least = _squares(series, period, best)
    while step > LAST_STEP:
        around = [
            tuple(
                min(1.0, max(0.0, at + move * step)) for at, move in zip(best, moves, strict=True)
            )
            for moves in product((-1, 0, 1), repeat=3)
        ]
        squares, nearest = min((_squares(series, period, each), each) for each in around)
        if squares < least:
            least, best = squares, (nearest[0], nearest[1], nearest[2])
        else:
            step /= 2
    following, errors = _smoothed(series, period, best)
    return following, math.sqrt(sum(each**2 for each in errors) / len(errors))


def _squares(series: Sequence[float], period: int, smoothing: Sequence[float]) -> float:
    return sum(each**2 for each in _smoothed(series, period, smoothing)[1])


def _smoothed(
    series: Sequence[float], period: int, smoothing: Sequence[float]
) -> tuple[float, list[float]]:
    """The value after the series, and the error of each forecast within it."""
    alpha, beta, gamma = smoothing
    first, second = sum(series[:period]), sum(series[period : 2 * period])
    level, trend = first / period, (second - first) / period**2
    seasons = [value - level for value in series[:period]]
    errors = []
    for index, value in enumerate(series):
        season = seasons[index]
        errors.append(value - (level + trend + season))
        before = level
        level = alpha * (value - season) + (1 - alpha) * (level + trend)
        seasons.append(gamma * (value - before - trend) + (1 - gamma) * season)
        trend = beta * (level - before) + (1 - beta) * trend
    return level + trend + seasons[len(series)], errors
