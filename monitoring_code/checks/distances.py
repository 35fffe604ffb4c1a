"""How far two distributions are apart: Model Monitor's measures, and the field's other ones.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from profiles.sketch import Weighted, cumulative

ROBUST = 1.8
QUANTILES = 10  # bins of PSI and Jensen-Shannon
LEAST = 1e-4  # the share that an empty bin counts as, so that PSI stays finite


def noise(n: int, m: int) -> float:
    """What Robust takes off: samples of these sizes may differ by it by chance."""
    return ROBUST * math.sqrt((n + m) / (n * m))


def robust(simple: float, n: int, m: int) -> float:
    return max(0.0, simple - noise(n, m)) if n and m else simple


def numerical(baseline: Weighted, live: Weighted) -> dict[str, float]:
    """`linf` (Simple: the largest gap of the cumulative shares), `wasserstein` in the baseline's
    standard deviations, `psi` and `jensen_shannon` on the baseline's deciles."""
    points = np.union1d(baseline[0], live[0])
    gaps = np.abs(cumulative(baseline, points) - cumulative(live, points))
    area = float((gaps[:-1] * np.diff(points)).sum())
    spread = _spread(baseline)
    edges = np.unique(_quantiles(baseline, np.arange(1, QUANTILES) / QUANTILES))
    one, other = (
        np.diff(cumulative(each, edges), prepend=0, append=1) for each in (baseline, live)
    )
    return {
        "linf": float(gaps.max()),
        "wasserstein": area / spread if spread else area,
        **_divergences(one, other),
    }


def categorical(baseline: Mapping[str, int], live: Mapping[str, int]) -> dict[str, float]:
    """`linf` (Simple: the largest difference of a value's shares), `total_variation` (half of all
    differences together), `psi`, `jensen_shannon`."""
    values = sorted({*baseline, *live})
    one, other = (np.array([each.get(v, 0) for v in values], float) for each in (baseline, live))
    one, other = one / one.sum(), other / other.sum()
    gaps = np.abs(one - other)
    return {
        "linf": float(gaps.max()),
        "total_variation": float(gaps.sum() / 2),
        **_divergences(one, other),
    }


def _divergences(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """https://docs.scipy.org/doc/scipy/reference/generated/scipy.spatial.distance.jensenshannon.html"""
    least_one, least_other = np.maximum(one, LEAST), np.maximum(other, LEAST)
    psi = float(((least_other - least_one) * np.log(least_other / least_one)).sum())
    middle = (one + other) / 2
    halves = [_entropy(each, middle) for each in (one, other)]
    return {"psi": psi, "jensen_shannon": math.sqrt(max(0.0, sum(halves) / 2))}


def _entropy(shares: np.ndarray, middle: np.ndarray) -> float:
    held = shares > 0
    return float((shares[held] * np.log2(shares[held] / middle[held])).sum())


def _quantiles(held: Weighted, shares: np.ndarray) -> np.ndarray:
    values, weights = held
    found: np.ndarray = values[np.searchsorted(np.cumsum(weights), shares * weights.sum())]
    return found


def _spread(held: Weighted) -> float:
    values, weights = held
    mean = np.average(values, weights=weights)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))
