"""Is a difference more than chance? Tests of one feature, and correction for many of them."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

EXPECTED = 5.0  # in a cell of a chi-square test; rarer values are taken together
ALPHA = 0.005
EXACT = 20_000  # terms of an exact test; with more the normal law serves


@functools.cache
def _special() -> Any:
    """scipy.special, and not scipy.stats, whose import takes longer than all tests of a run.

    So does that of numpy.f2py, which scipy would take along with everything else of numpy's.
    """
    vars(np).setdefault("f2py", None)
    from scipy import special

    return special


def kolmogorov_smirnov(distance: float, n: int, m: int) -> float:
    """P of a gap of cumulative shares this large between samples of one distribution.

    Kolmogorov's law with Stephens' correction for small samples.
    https://doi.org/10.1111/j.2517-6161.1970.tb00821.x
    """
    root = math.sqrt(n * m / (n + m))
    return float(_special().kolmogorov((root + 0.12 + 0.11 / root) * distance))


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
    expected = totals * cells.sum(axis=0) / cells.sum()
    statistic = ((cells - expected) ** 2 / expected).sum()
    return float(_special().chdtrc(cells.shape[1] - 1, statistic))


def fewer(baseline: tuple[int, int], live: tuple[int, int]) -> float:
    """P of so small a share in the live data (hits, of): Fisher's exact test, one-sided."""
    (hits, of), (seen, total) = baseline, live
    lost, all_lost, everything = total - seen, of - hits + total - seen, of + total
    most = min(all_lost, total)
    if most - lost > EXACT:
        share = all_lost / everything
        deviation = math.sqrt(share * (1 - share) * (1 / of + 1 / total))
        return normal((lost / total - (of - hits) / of) / deviation) if deviation else 1.0
    terms = np.arange(lost, most + 1)
    logs = (
        _choose(all_lost, terms)
        + _choose(everything - all_lost, total - terms)
        - _choose(everything, total)
    )
    return float(min(1.0, np.exp(logs).sum()))


def _choose(of: int, count: np.ndarray | int) -> np.ndarray:
    """Logarithm of the number of ways."""
    left = np.asarray(of - count, float)
    ways = _special().gammaln(of + 1.0) - _special().gammaln(np.asarray(count, float) + 1)
    found: np.ndarray = np.where(left >= 0, ways - _special().gammaln(np.abs(left) + 1), -np.inf)
    return found


def normal(deviations: float) -> float:
    """P of a value so many standard deviations above the mean."""
    return float(_special().ndtr(-deviations))


def auc(value: float, n: int, m: int) -> float:
    """P of an AUC this high of scores that know nothing (Mann-Whitney, normal)."""
    return normal((value - 0.5) / math.sqrt((n + m + 1) / (12 * n * m)))


def beyond(value: float, chance: np.ndarray) -> float:
    """P of a value this large, where `chance` holds what random splits gave (a gamma law)."""
    mean, variance = float(chance.mean()), float(chance.var(ddof=1))
    if variance <= 0 or value <= 0:
        return 1.0
    return float(_special().gammaincc(mean**2 / variance, value * mean / variance))


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


def rule(**own: float) -> dict[str, Any]:
    """`significance_constraints`, the member of a constraints file that our rule goes by.

    A run may ring falsely once in a hundred; the level of half that leaves room for tests that
    are only nearly exact.
    """
    return {"perform_test": "Enabled", "alpha": ALPHA, "correction": "Holm", **own}


def enabled(constraints: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The rule of a constraints file, None where AWS's decides."""
    found: Mapping[str, Any] = constraints.get("significance_constraints", {})
    return found if found.get("perform_test") == "Enabled" else None


def level(test: Mapping[str, Any]) -> float:
    return float(test.get("alpha", ALPHA))


def least_change(constraints: Mapping[str, Any] | None) -> float:
    """How far a value may be worse without being a violation; by AWS's rule not at all."""
    return float((enabled(constraints or {}) or {}).get("minimum_change", 0.0))


def adjusted(values: Sequence[float], test: Mapping[str, Any]) -> list[float]:
    """P values of all of a run's tests, corrected as the rule says."""
    return CORRECTIONS[test.get("correction", "Holm")](values)


CORRECTIONS = {"Holm": holm, "BenjaminiHochberg": benjamini_hochberg, "None": list}


def _back(ordered: np.ndarray, order: np.ndarray) -> list[float]:
    found = np.empty(len(ordered))
    found[order] = ordered
    return [float(value) for value in found]
