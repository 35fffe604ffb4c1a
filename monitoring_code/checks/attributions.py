"""Shapley values of single records, their global mean, and how far a ranking of features moved.

https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-shapley-values.html
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-feature-attribution-drift.html
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

THRESHOLD = 0.9  # nDCG below it is a violation, as Clarify has it
EXACT = 6  # features of which all coalitions are asked
COALITIONS = 128  # otherwise
Records = list[dict[str, Any]]
Predict = Callable[[Records], np.ndarray]  # [record, label]


def shapley(
    predict: Predict, records: Records, background: Mapping[str, Any], names: Sequence[str]
) -> np.ndarray:
    """[record, feature, label]: what each feature adds to a prediction, by Kernel SHAP.

    A feature out of a coalition has the background's value. With few features every coalition is
    asked and the values are exact.
    """
    masks, weights = coalitions(len(names))
    asked = [
        {
            **record,
            **{name: background[name] for name, kept in zip(names, mask, strict=True) if not kept},
        }
        for record in records
        for mask in masks
    ]
    answers = predict(asked).reshape(len(records), len(masks), -1)
    return np.stack([_solve(masks, weights, each) for each in answers])


def coalitions(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """[coalition, feature], and weights; first the empty and the whole one, which always hold."""
    ends = np.array([[False] * count, [True] * count])
    sizes = np.arange(1, count)
    by_size = (count - 1) / (sizes * (count - sizes))  # of all coalitions of a size together
    if count <= EXACT:
        inner = np.array(
            [
                mask
                for mask in itertools.product([False, True], repeat=count)
                if 0 < sum(mask) < count
            ]
        ).reshape(-1, count)
        weights = np.array([by_size[n - 1] / math.comb(count, n) for n in inner.sum(axis=1)])
    else:
        random = np.random.default_rng(seed)
        half = np.zeros((COALITIONS // 2, count), bool)
        drawn = random.choice(sizes, len(half), p=by_size / by_size.sum())
        for row, size in zip(half, drawn, strict=True):
            row[random.choice(count, size, replace=False)] = True
        inner = np.concatenate([half, ~half])  # in pairs, which halves the error
        weights = np.ones(len(inner))
    return np.concatenate([ends, inner]), np.concatenate([[0.0, 0.0], weights])


def _solve(masks: np.ndarray, weights: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Weighted least squares, under the condition that the values add up to the whole effect."""
    empty, whole = answers[0], answers[1]
    count = masks.shape[1]
    if count == 1:
        return (whole - empty)[None]
    inner = masks[2:].astype(float)
    root = np.sqrt(weights[2:])[:, None]
    reduced = (inner[:, :-1] - inner[:, -1:]) * root
    target = (answers[2:] - empty - inner[:, -1:] * (whole - empty)) * root
    found, *_ = np.linalg.lstsq(reduced, target, rcond=None)
    return np.concatenate([found, (whole - empty - found.sum(axis=0))[None]])


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
