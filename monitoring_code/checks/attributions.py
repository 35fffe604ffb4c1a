"""Shapley values of single records, their global mean, and how far a ranking of features moved.

https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-shapley-values.html
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-feature-attribution-drift.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from checks import comparison, significance
from checks import shapley as kernel
from checks.comparison import Comparison

THRESHOLD = 0.9  # nDCG below it is a violation, as Clarify has it
COALITIONS = 128  # of a record, at most; up to seven features these are all there are
RANKING = "ranking for "  # a label, in words
CHECK = "feature_attribution_drift_check"
RESAMPLES = 1000  # of the baseline, for each label
Attributions = Mapping[str, Mapping[str, float]]  # label, feature: mean absolute value
Records = list[dict[str, Any]]
Predict = Callable[[Records], np.ndarray]  # [record, label]


def shapley(
    predict: Predict, records: Records, background: Mapping[str, Any], names: Sequence[str]
) -> np.ndarray:
    """[record, feature, label]: what each feature adds to a prediction, by Kernel SHAP.

    A feature out of a coalition has the background's value.
    """
    masks, weights = kernel.coalitions(len(names), COALITIONS)
    asked = [
        {
            **record,
            **{name: background[name] for name, kept in zip(names, mask, strict=True) if not kept},
        }
        for record in records
        for mask in masks
    ]
    answers = predict(asked).reshape(len(records), len(masks), -1)
    return np.stack([kernel.values(masks, weights, each) for each in answers])


def overall(values: np.ndarray, names: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
    """Of each label, the mean absolute value of every feature (`mean_abs`)."""
    means = np.abs(values).mean(axis=0)
    return {
        label: dict(zip(names, means[:, n].tolist(), strict=True)) for n, label in enumerate(labels)
    }


def ndcg(baseline: Mapping[str, float], live: Mapping[str, float]) -> float:
    """1 where the live attributions rank the features as the baseline's do.

    The baseline's attributions are the gains, in the order that the live ones give; ties share.
    """
    from sklearn.metrics import ndcg_score

    names = [name for name in baseline if name in live]
    if len(names) < 2:
        return 1.0
    gains, order = ([[each[name] for name in names]] for each in (baseline, live))
    if not any(gains[0]):
        return 1.0
    return float(ndcg_score(gains, order))


def chance(values: np.ndarray, live: int, score: float, labels: int = 1, seed: int = 0) -> float:
    """P of so low an nDCG between two samples of the baseline's records: of as many as it has, and
    as many as the `live` ones.

    `values`: [record, feature], the baseline's absolute attributions of one label. So many samples
    that the smallest p there is counts among as many `labels`.
    """
    random, rows = np.random.default_rng(seed), len(values)
    again = RESAMPLES * labels
    known, other = (
        random.multinomial(size, np.full(rows, 1 / rows), again) @ values / size
        for size in (rows, live)
    )
    discount = 1 / np.log2(np.arange(values.shape[1]) + 2)
    gains = np.take_along_axis(known, np.argsort(-other, axis=1, kind="stable"), axis=1)
    best = -np.sort(-known, axis=1) @ discount
    scores = np.divide(gains @ discount, best, out=np.ones(again), where=best > 0)
    return float((1 + np.count_nonzero(scores <= score)) / (1 + again))


def find(
    live: Attributions,
    baseline: Attributions,
    constraints: Mapping[str, Any],
    count: int,
    local: Mapping[str, np.ndarray] | None = None,
) -> tuple[list[dict[str, str]], list[Comparison]]:
    """Labels whose ranking moved too far, and every label's test.

    Clarify's rule: nDCG under 0.9. With `significance_constraints`, also by more than chance
    between samples like the baseline's `local` values (`chance`) and the `count` live records.
    https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-model-attribution-drift-violations.html
    """
    scores = {label: ndcg(known, live[label]) for label, known in baseline.items() if label in live}
    test = significance.enabled(constraints) if local is not None else None
    compared = [
        Comparison(
            f"{RANKING}{label}",
            CHECK,
            "1 - nDCG",
            1 - score,
            1 - THRESHOLD,
            1.0 if test is None else chance(local[label], count, score, len(scores)),
        )
        for label, score in scores.items()
    ]
    compared = comparison.decide(compared, test)
    found = [
        {
            "label": label,
            "metric_name": "shap",
            "constraint_check_type": CHECK,
            "description": f"Feature attribution drift {score} exceeds threshold {THRESHOLD}",
        }
        for (label, score), each in zip(scores.items(), compared, strict=True)
        if each.drifted
    ]
    return found, compared
