"""Bias before and after training, from counts: Clarify's metrics by smclarify's definitions.

A facet's value splits the records into the disadvantaged (d: they have the value) and the
advantaged (a: the rest); a label, true or predicted, is positive or not.
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-measure-data-bias.html
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-measure-post-training-bias.html
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

PRE, POST = "pre_training_bias_metrics", "post_training_bias_metrics"
RESAMPLES = 400
LEVEL = 0.95
NEUTRAL = {"DI": 1.0}  # a ratio; of every other metric no bias is 0
A, D = 0, 1  # advantaged, disadvantaged


@dataclass(frozen=True)
class Metric:
    """`value` and its interval are None where the metric is not defined on these records."""

    name: str
    description: str
    value: float | None
    error: str | None
    interval: tuple[float, float] | None
    standard_error: float | None


def tally(
    facet: np.ndarray, truth: np.ndarray, predicted: np.ndarray, group: np.ndarray
) -> np.ndarray:
    """Counts by [facet has the value, group, label is positive, prediction is positive].

    The first three and the fourth are arrays of as many records; group names any number of values.
    """
    _, groups = np.unique(group, return_inverse=True)
    shape = (2, int(groups.max()) + 1, 2, 2)
    cells = np.ravel_multi_index(
        (facet.astype(int), groups, truth.astype(int), predicted.astype(int)), shape
    )
    return np.bincount(cells, minlength=math.prod(shape)).reshape(shape).astype(float)


def measure(counts: np.ndarray, stage: str) -> list[Metric]:
    """A stage's metrics, each with a bootstrap interval (95 %, percentile)."""
    table = STAGES[stage]
    again = _resampled(counts)
    return [_metric(name, words, function, counts, again) for name, words, function in table]


def apart(name: str, value: float) -> float:
    """How far from no bias."""
    return abs(value - NEUTRAL.get(name, 0.0))


def _resampled(counts: np.ndarray) -> np.ndarray:
    random = np.random.default_rng(0)
    total = int(counts.sum())
    drawn = random.multinomial(total, counts.ravel() / counts.sum(), size=RESAMPLES)
    return drawn.reshape(RESAMPLES, *counts.shape).astype(float)


def _metric(
    name: str,
    words: str,
    function: Callable[[np.ndarray], float],
    counts: np.ndarray,
    again: np.ndarray,
) -> Metric:
    description = f"{words} ({name})"
    try:
        value = function(counts)
    except ValueError as error:
        return Metric(name, description, None, str(error), None, None)
    found = np.array([_or_nan(function, each) for each in again])
    found = found[np.isfinite(found)]
    if len(found) < RESAMPLES // 2:
        return Metric(name, description, value, None, None, None)
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    interval = (float(low), float(high))
    return Metric(name, description, value, None, interval, float(found.std(ddof=1)))


def _or_nan(function: Callable[[np.ndarray], float], counts: np.ndarray) -> float:
    try:
        return function(counts)
    except ValueError:
        return math.nan


def _sides(counts: np.ndarray) -> np.ndarray:
    """Counts by [side, label, prediction]; both sides must have records."""
    found: np.ndarray = counts.sum(axis=1)
    for side, words in ((A, "the negated facet set is empty"), (D, "the facet set is empty")):
        if not found[side].sum():
            raise ValueError(words)
    return found


def _divide(part: float, whole: float) -> float:
    """0/0 is 0; a number over 0 is infinite."""
    if whole:
        return float(part / whole)
    return math.copysign(math.inf, part) if part else 0.0


def _difference(one: float, other: float) -> float:
    return 0.0 if one == other else one - other


def _ci(counts: np.ndarray) -> float:
    sides = _sides(counts).sum(axis=(1, 2))
    return float((sides[A] - sides[D]) / sides.sum())


def _positives(counts: np.ndarray, axis: int) -> tuple[float, float]:
    """The shares of positives of the two sides: of labels (axis 2) or predictions (axis 1)."""
    by_sign = _sides(counts).sum(axis=axis)
    return tuple(float(side[1] / side.sum()) for side in by_sign)  # type: ignore[return-value]


def _dpl(counts: np.ndarray, axis: int = 2) -> float:
    advantaged, disadvantaged = _positives(counts, axis)
    return advantaged - disadvantaged


def _distributions(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the label's values on both sides, of values that occur on both."""
    labels = _sides(counts).sum(axis=2)
    labels /= labels.sum(axis=1, keepdims=True)
    both = labels[:, (labels > 0).all(axis=0)]
    if not both.size:
        raise ValueError("the two sides have no label in common")
    return both[A], both[D]


def _kl(counts: np.ndarray) -> float:
    one, other = _distributions(counts)
    return float((one * np.log(one / other)).sum())


def _js(counts: np.ndarray) -> float:
    one, other = _distributions(counts)
    middle = (one + other) / 2
    halves = [(each * np.log(each / middle)).sum() for each in (one, other)]
    return float(sum(halves) / 2)


def _norm(order: float, factor: float = 1.0) -> Callable[[np.ndarray], float]:
    def found(counts: np.ndarray) -> float:
        one, other = _distributions(counts)
        return factor * float(np.linalg.norm(one - other, order))

    return found


def _cdd(counts: np.ndarray, axis: int = 3) -> float:
    """Within each group, the disadvantaged's share of rejections less that of acceptances."""
    _sides(counts)
    signs = counts.sum(axis=axis)  # [side, group, sign]
    totals = signs.sum(axis=0)  # [group, sign]
    if not totals.sum(axis=0).all():
        raise ValueError("all labels are of one kind")
    shares = [[_divide(signs[D, g, s], totals[g, s]) for s in (0, 1)] for g in range(len(totals))]
    gaps = np.array([rejected - accepted for rejected, accepted in shares])
    return float(np.average(gaps, weights=totals.sum(axis=1)))


def _di(counts: np.ndarray) -> float:
    advantaged, disadvantaged = _positives(counts, 1)
    return _divide(disadvantaged, advantaged)


def _rates(
    part: Callable[[np.ndarray], float], whole: Callable[[np.ndarray], float], first: int
) -> Callable[[np.ndarray], float]:
    """Difference of a ratio of the two sides, `first` less the other; a side is [label, pred]."""

    def found(counts: np.ndarray) -> float:
        sides = _sides(counts)
        one, other = (_divide(part(sides[s]), whole(sides[s])) for s in (first, 1 - first))
        return _difference(one, other)

    return found


def _entropy(counts: np.ndarray) -> float:
    """Generalised entropy of what people get beyond their due, alpha 2."""
    cells = counts.sum(axis=(0, 1))
    benefit = np.array([[1.0, 2.0], [0.0, 1.0]])  # prediction - label + 1
    mean = float((cells * benefit).sum() / cells.sum())
    if not mean:
        raise ValueError("all predicted labels are false negatives")
    return float((cells * ((benefit / mean) ** 2 - 1)).sum() / (2 * cells.sum()))


Table = list[tuple[str, str, Callable[[np.ndarray], float]]]
PRE_TRAINING: Table = [
    ("CDDL", "Conditional Demographic Disparity in Labels", _cdd),
    ("CI", "Class Imbalance", _ci),
    ("DPL", "Difference in Positive Proportions in Labels", _dpl),
    ("JS", "Jensen-Shannon Divergence", _js),
    ("KL", "Kullback-Liebler Divergence", _kl),
    ("KS", "Kolmogorov-Smirnov Distance", _norm(np.inf)),
    ("LP", "L-p Norm", _norm(2)),
    ("TVD", "Total Variation Distance", _norm(1, 0.5)),
]
POST_TRAINING: Table = [
    (
        "AD",
        "Accuracy Difference",
        _rates(lambda side: side[0, 0] + side[1, 1], lambda side: side.sum(), A),
    ),
    (
        "CDDPL",
        "Conditional Demographic Disparity in Predicted Labels",
        lambda counts: _cdd(counts, axis=2),
    ),
    (
        "DAR",
        "Difference in Acceptance Rates",
        _rates(lambda side: side[1, 1], lambda side: side[:, 1].sum(), A),
    ),
    (
        "DCA",
        "Difference in Conditional Acceptance",
        _rates(lambda side: side[1].sum(), lambda side: side[:, 1].sum(), A),
    ),
    (
        "DCR",
        "Difference in Conditional Rejection",
        _rates(lambda side: side[0].sum(), lambda side: side[:, 0].sum(), D),
    ),
    ("DI", "Disparate Impact", _di),
    (
        "DPPL",
        "Difference in Positive Proportions in Predicted Labels",
        lambda counts: _dpl(counts, axis=1),
    ),
    (
        "DRR",
        "Difference in Rejection Rates",
        _rates(lambda side: side[0, 0], lambda side: side[:, 0].sum(), D),
    ),
    ("GE", "Generalized Entropy", _entropy),
    (
        "RD",
        "Recall Difference",
        _rates(lambda side: side[1, 1], lambda side: side[1].sum(), A),
    ),
    (
        "SD",
        "Specificity Difference",
        _rates(lambda side: side[0, 0], lambda side: side[0].sum(), D),
    ),
    (
        "TE",
        "Treatment Equality",
        _rates(lambda side: side[1, 0], lambda side: side[0, 1], D),
    ),
]
STAGES = {PRE: PRE_TRAINING, POST: POST_TRAINING}
