"""Is a difference more than chance? Tests of one feature, and correction for many of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

EXPECTED = 5.0  # in a cell of a chi-square test; rarer values are taken together


def kolmogorov_smirnov(distance: float, n: int, m: int) -> float:
    """P of a gap of cumulative shares this large between samples of one distribution."""
    return float(stats.kstwo.sf(distance, max(1, round(n * m / (n + m)))))


def chi_square(baseline: Mapping[str, int], live: Mapping[str, int]) -> float:
    """P of counts this different; values too rare for the test count as one."""
    values = sorted({*baseline, *live})
    table = np.array([[each.get(v, 0) for v in values] for each in (baseline, live)], float)
    totals = table.sum(axis=1, keepdims=True)
    common = (table.sum(axis=0) * totals.min() / table.sum()) >= EXPECTED
    rare = table[:, ~common].sum(axis=1, keepdims=True)
    cells = np.hstack([table[:, common], rare]) if rare.any() else table[:, common]
    cells = cells[:, cells.sum(axis=0) > 0]
    if cells.shape[1] < 2:
        return 1.0
    return float(stats.chi2_contingency(cells, correction=False).pvalue)


def fewer(baseline: tuple[int, int], live: tuple[int, int]) -> float:
    """P of so small a share in the live data (hits, of): Fisher's exact test, one-sided."""
    (hits, of), (seen, total) = baseline, live
    return float(stats.hypergeom.cdf(seen, of + total, hits + seen, total))


def auc(value: float, n: int, m: int) -> float:
    """P of an AUC this high of scores that know nothing (Mann-Whitney, normal)."""
    deviation = math.sqrt((n + m + 1) / (12 * n * m))
    return float(stats.norm.sf((value - 0.5) / deviation))


def beyond(value: float, chance: np.ndarray) -> float:
    """P of a value this large, where `chance` holds what random splits gave (a gamma law)."""
    mean, variance = float(chance.mean()), float(chance.var(ddof=1))
    if variance <= 0:
        return 1.0
    return float(stats.gamma.sf(value, mean**2 / variance, scale=variance / mean))


def holm(values: Sequence[float]) -> list[float]:
    """P values that bound the chance of even one false alarm among all tests.

    https://doi.org/10.2307/4615733
    """
    order = np.argsort(values, kind="stable")
    factors = len(values) - np.arange(len(values))
    raised = np.maximum.accumulate(np.asarray(values, float)[order] * factors)
    return _back(np.minimum(raised, 1.0), order)


def benjamini_hochberg(values: Sequence[float]) -> list[float]:
    """P values that bound the share of false ones among the alarms.

    https://doi.org/10.1111/j.2517-6161.1995.tb02031.x
    """
    order = np.argsort(values, kind="stable")
    count = len(values)
    scaled = np.asarray(values, float)[order] * count / np.arange(1, count + 1)
    raised = np.minimum.accumulate(scaled[::-1])[::-1]
    return _back(np.minimum(raised, 1.0), order)


CORRECTIONS = {"Holm": holm, "BenjaminiHochberg": benjamini_hochberg, "None": list}


def _back(ordered: np.ndarray, order: np.ndarray) -> list[float]:
    found = np.empty(len(ordered))
    found[order] = ordered
    return [float(value) for value in found]
