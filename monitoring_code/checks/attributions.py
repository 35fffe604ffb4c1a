"""Shapley values of single records, their global mean, and how far a ranking of features moved.

https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-shapley-values.html
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-feature-attribution-drift.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from checks import shapley as kernel

THRESHOLD = 0.9  # nDCG below it is a violation, as Clarify has it
COALITIONS = 128  # of a record, at most; up to seven features these are all there are
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


def violations(
    live: Mapping[str, Mapping[str, float]], baseline: Mapping[str, Mapping[str, float]]
) -> tuple[list[dict[str, str]], dict[str, float]]:
    """Labels whose ranking moved too far, and every label's score.

    https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-model-attribution-drift-violations.html
    """
    scores = {label: ndcg(known, live[label]) for label, known in baseline.items() if label in live}
    found = [
        {
            "label": label,
            "metric_name": "shap",
            "constraint_check_type": "feature_attribution_drift_check",
            "description": f"Feature attribution drift {score} exceeds threshold {THRESHOLD}",
        }
        for label, score in scores.items()
        if score < THRESHOLD
    ]
    return found, scores
