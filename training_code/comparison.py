"""Challenger against champion on the same rows, by a paired bootstrap; whole and by slice.

Both models' answers are drawn together, so that what is hard for both cancels out. Efron and
Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13: percentile intervals.
"""

from __future__ import annotations

from typing import Any

import metrics
import numpy as np
import pandas as pd
from scoring import Scored

CONFIDENCE = 0.95
MIN_ROWS = 30  # of a slice, before it is judged
MOST = 20  # slices of a column, the largest


def compare(challenger: Scored, champion: Scored, seed: int) -> dict[str, dict[str, Any]]:
    """By metric: both values, their difference and its interval."""
    new, old = metrics.measure(challenger), metrics.measure(champion)
    pairs = list(
        zip(metrics.bootstrap(challenger, seed), metrics.bootstrap(champion, seed), strict=True)
    )
    found = {}
    for name in (name for name in new if name in old):
        drawn = [one[name] - two[name] for one, two in pairs if name in one and name in two]
        low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        found[name] = {
            "challenger": new[name],
            "champion": old[name],
            "difference": new[name] - old[name],
            "interval": [float(low), float(high)],
        }
    return found


def slices(rows: pd.DataFrame, columns: list[str]) -> dict[tuple[str, str], np.ndarray]:
    """The places of the rows of each value, by (column, value); those with rows enough."""
    found = {}
    for column in columns:
        values = rows[column].astype(object).where(rows[column].notna(), "(none)").astype(str)
        counts = values.value_counts()
        for value in counts[counts >= MIN_ROWS].index[:MOST]:
            found[column, str(value)] = np.flatnonzero(values == value)
    return found


def by_slice(
    places: dict[tuple[str, str], np.ndarray],
    challenger: Scored,
    champion: Scored | None,
    seed: int,
) -> list[dict[str, Any]]:
    """{"column", "value", "rows", "metrics", and "comparison" where there is a champion}."""
    found = []
    for (column, value), there in places.items():
        mine = challenger.at(there)
        spread = metrics.deviations(metrics.bootstrap(mine, seed))
        told: dict[str, Any] = {
            "column": column,
            "value": value,
            "rows": len(there),
            "metrics": {
                name: {"value": measured, "standard_deviation": spread.get(name, 0.0)}
                for name, measured in metrics.measure(mine).items()
            },
        }
        if champion is not None:
            told["comparison"] = compare(mine, champion.at(there), seed)
        found.append(told)
    return found
