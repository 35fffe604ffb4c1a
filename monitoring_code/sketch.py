"""Numerical distributions: ten buckets, and a quantile sketch in KLL's layout.

Level i of the sketch holds values that each stand for 2^i. Ours keeps every second value of the
sorted list when a level is full, so ranks are off by 2^levels / n at most.
https://datasketches.apache.org/docs/KLL/KLLSketch.html
"""

from __future__ import annotations

from typing import Any

import numpy as np

K = 2048.0
C = 0.64
BUCKETS = 10


def numerical(numbers: list[float]) -> dict[str, Any]:
    """The members of numerical_statistics beside `common`."""
    values = np.sort(np.asarray(numbers, dtype=float))
    if not len(values):
        return {}
    levels = compact(values)
    return {
        "mean": float(values.mean()),
        "sum": float(values.sum()),
        "std_dev": float(values.std()),
        "min": float(values[0]),
        "max": float(values[-1]),
        "distribution": {
            "kll": {
                "buckets": buckets(values),
                "sketch": {"parameters": {"c": C, "k": K}, "data": levels},
            }
        },
    }


def compact(values: np.ndarray) -> list[list[float]]:
    """Sorted values as levels of at most K entries."""
    levels: list[list[float]] = []
    while len(values) > K:
        odd = len(values) % 2
        levels.append([float(values[-1])] if odd else [])
        even = values[: len(values) - odd]
        values = even[len(levels) % 2 :: 2]
    levels.append([float(value) for value in values])
    return levels


def buckets(values: np.ndarray) -> list[dict[str, float]]:
    """Ten of equal width; the last one holds its upper bound too."""
    low, high = float(values[0]), float(values[-1])
    edges = np.linspace(low, high if high > low else low + 1, BUCKETS + 1)
    counts, _ = np.histogram(values, edges)
    return [
        {"lower_bound": float(edges[i]), "upper_bound": float(edges[i + 1]), "count": float(n)}
        for i, n in enumerate(counts)
    ]


def weighted(feature: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """A numeric feature's values and what each stands for, sorted."""
    levels = feature["numerical_statistics"]["distribution"]["kll"]["sketch"]["data"]
    values = np.array([value for level in levels for value in level])
    weights = np.array([2.0**i for i, level in enumerate(levels) for _ in level])
    order = np.argsort(values, kind="stable")
    return values[order], weights[order]
