"""KLL: quantiles of a stream from a few thousand of its values.

A value on level i stands for 2^i. A full level is sorted and every second value, odd or even by
chance, moves up; so any rank is off by about 1/k of the count.
https://datasketches.apache.org/docs/KLL/KLLSketch.html
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

K = 2048
C = 0.64
BUCKETS = 10  # https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-statistics.html
Weighted = tuple[np.ndarray, np.ndarray]


class Sketch:
    """Levels of values; the same stream gives the same sketch."""

    def __init__(self, k: int = K, c: float = C, seed: int = 0) -> None:
        self.k, self.c = k, c
        self.levels: list[np.ndarray] = [np.empty(0)]
        self._random = np.random.default_rng(seed)

    def add(self, values: np.ndarray) -> None:
        """Take a batch of numbers, without NaN."""
        self.levels[0] = np.concatenate([self.levels[0], values])
        while sum(map(len, self.levels)) > self._capacity():
            self._compact()

    def _capacity(self) -> int:
        return sum(self._room(level) for level in range(len(self.levels)))

    def _room(self, level: int) -> int:
        """Higher levels hold more: k at the top, c times less on each level below."""
        return max(2, math.ceil(self.k * self.c ** (len(self.levels) - 1 - level)))

    def _compact(self) -> None:
        """Halve the lowest level that is over its room; a value left over stays."""
        level = next(i for i, held in enumerate(self.levels) if len(held) > self._room(i))
        # Above the lowest level, sorted parts stand one after another, which stable sorts know.
        held = np.sort(self.levels[level], kind="stable" if level else None)
        even = len(held) - len(held) % 2
        if level + 1 == len(self.levels):
            self.levels.append(np.empty(0))
        moved = held[int(self._random.integers(2)) : even : 2]
        self.levels[level] = held[even:]
        self.levels[level + 1] = np.concatenate([self.levels[level + 1], moved])

    def described(self, low: float, high: float) -> dict[str, Any]:
        """The members `buckets` and `sketch` of a feature's distribution.kll."""
        data = [np.sort(level).tolist() for level in self.levels]
        return {
            "buckets": buckets(weighted(data), low, high),
            "sketch": {"parameters": {"c": self.c, "k": float(self.k)}, "data": data},
        }


def weighted(data: Sequence[Sequence[float]]) -> Weighted:
    """A sketch's distinct values in order, and how many values of the stream each stands for."""
    values = np.concatenate([np.empty(0), *(np.asarray(level, float) for level in data)])
    weights = np.repeat([2.0**i for i in range(len(data))], [len(level) for level in data])
    distinct, where = np.unique(values, return_inverse=True)
    return distinct, np.bincount(where, weights, minlength=len(distinct))


def buckets(held: Weighted, low: float, high: float) -> list[dict[str, float]]:
    """Ten of equal width; the last one holds its upper bound too."""
    values, weights = held
    edges = np.linspace(low, high if high > low else low + 1, BUCKETS + 1)
    counts, _ = np.histogram(values, edges, weights=weights)
    return [
        {"lower_bound": float(edges[i]), "upper_bound": float(edges[i + 1]), "count": float(n)}
        for i, n in enumerate(counts)
    ]


def cumulative(held: Weighted, points: np.ndarray) -> np.ndarray:
    """The share of values at or below each point."""
    values, weights = held
    total = np.concatenate([[0.0], np.cumsum(weights)])
    found: np.ndarray = total[np.searchsorted(values, points, side="right")] / total[-1]
    return found
