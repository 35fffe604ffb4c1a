"""The metrics of a model's answers, each also by bootstrap.

Every metric takes weights of the rows: a bootstrap sample is how often it drew each row.
Names as in SageMaker's model quality metrics:
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scoring import Classified, Estimated, Scored

ROUNDS = 400
BINS = 10  # of the confidence, for the calibration

Metrics = dict[str, float]


def measure(scored: Scored, weights: np.ndarray | None = None) -> Metrics:
    """Every metric of the answers; weights (n,), 1 each where none are given."""
    given = np.ones(len(scored.actual)) if weights is None else weights
    if isinstance(scored, Estimated):
        return _of_numbers(scored, given)
    found = _of_confusion(confusion(scored, given))
    if len(scored.classes) == 2:
        found |= _of_binary(confusion(scored, given))
    if scored.probabilities is not None:
        auc = _auc(scored, given)
        found |= {} if auc is None else {"auc": auc}
        found["ece"] = _ece(scored, given)
    return found


def bootstrap(scored: Scored, seed: int, rounds: int = ROUNDS) -> list[Metrics]:
    """The metrics of samples drawn with replacement.

    The same seed draws the same rows, so two models' samples of the same rows are pairs.
    """
    random = np.random.default_rng(seed)
    count = len(scored.actual)
    return [
        measure(scored, np.bincount(random.integers(0, count, count), minlength=count))
        for _ in range(rounds)
    ]


def deviations(samples: list[Metrics]) -> Metrics:
    names = set.intersection(*(set(each) for each in samples))
    return {name: float(np.std([each[name] for each in samples])) for name in names}


def confusion(scored: Classified, weights: np.ndarray | None = None) -> np.ndarray:
    """(classes, classes): the truth in rows."""
    size = len(scored.classes)
    pairs = scored.actual * size + scored.predicted
    return np.bincount(pairs, weights=weights, minlength=size * size).reshape(size, size)


def calibration(scored: Classified) -> list[dict[str, Any]]:
    """By tenths of confidence: how sure the model was, and how often it was right."""
    confidence, right, place = _confidence(scored)
    found = []
    for bin_ in range(BINS):
        there = place == bin_
        if there.any():
            found.append(
                {
                    "rows": int(there.sum()),
                    "confidence": float(confidence[there].mean()),
                    "accuracy": float(right[there].mean()),
                }
            )
    return found


def _of_numbers(scored: Estimated, weights: np.ndarray) -> Metrics:
    errors = scored.predicted - scored.actual
    mse = float(np.average(errors**2, weights=weights))
    mean = np.average(scored.actual, weights=weights)
    variance = float(np.average((scored.actual - mean) ** 2, weights=weights))
    return {
        "mae": float(np.average(np.abs(errors), weights=weights)),
        "mse": mse,
        "rmse": float(np.sqrt(mse)),
        "r2": 1 - mse / variance if variance else 0.0,
    }


def _of_confusion(counts: np.ndarray) -> Metrics:
    right, truth, told = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    recall, precision = _ratio(right, truth), _ratio(right, told)
    f1 = _ratio(2 * precision * recall, precision + recall)
    weights, there = truth / truth.sum(), truth > 0
    found = {"accuracy": float(right.sum() / truth.sum())}
    for name, values in (("precision", precision), ("recall", recall), ("f1", f1)):
        found[f"weighted_{name}"] = float(values @ weights)
        found[f"macro_{name}"] = float(values[there].mean())
    return found


def _of_binary(counts: np.ndarray) -> Metrics:
    """Of the second class, which is the positive one."""
    (tn, fp), (fn, tp) = counts
    precision, recall = _share(tp, tp + fp), _share(tp, tp + fn)
    return {
        "precision": precision,
        "recall": recall,
        "f1": _share(2 * precision * recall, precision + recall),
        "true_positive_rate": recall,
        "true_negative_rate": _share(tn, tn + fp),
        "false_positive_rate": _share(fp, tn + fp),
        "false_negative_rate": _share(fn, tp + fn),
    }


def _auc(scored: Classified, weights: np.ndarray) -> float | None:
    """Area under the ROC curve: one class against the rest, averaged over the classes."""
    assert scored.probabilities is not None
    places = [1] if len(scored.classes) == 2 else range(len(scored.classes))
    found = [
        area
        for place in places
        if (area := _area(scored.probabilities[:, place], scored.actual == place, weights))
        is not None
    ]
    return float(np.mean(found)) if found else None


def _area(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> float | None:
    """The share of (positive, negative) pairs in the right order; a tie is half a pair."""
    _, rank = np.unique(scores, return_inverse=True)
    above = np.bincount(rank, weights=weights * positive)
    below = np.bincount(rank, weights=weights * ~positive)
    pairs = above.sum() * below.sum()
    if not pairs:
        return None
    return float(above @ (np.cumsum(below) - below / 2) / pairs)


def _ece(scored: Classified, weights: np.ndarray) -> float:
    """Expected calibration error: |confidence - accuracy| of each bin, weighted by its rows."""
    confidence, right, place = _confidence(scored)
    sure = np.bincount(place, weights=weights * confidence, minlength=BINS)
    correct = np.bincount(place, weights=weights * right, minlength=BINS)
    return float(np.abs(sure - correct).sum() / weights.sum())


def _confidence(scored: Classified) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(how sure, whether right, bin) of each answer."""
    assert scored.probabilities is not None
    confidence = scored.probabilities[np.arange(len(scored.predicted)), scored.predicted]
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return confidence, scored.predicted == scored.actual, place


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
