"""Model quality as Model Monitor measures it: regression, binary and multiclass classification.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

REGRESSION, BINARY, MULTICLASS = "Regression", "BinaryClassification", "MulticlassClassification"
KEYS = {
    REGRESSION: "regression",
    BINARY: "binary_classification",
    MULTICLASS: "multiclass_classification",
}
BETAS = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}
POSITIVE = ("1", "1.0", "true", "yes")
ENOUGH = 200  # records of which Model Monitor tells a standard deviation
FEWEST = 30  # records whose bootstrap says how much of a metric is chance
PARTS, SHARE = 5, 0.8  # Model Monitor's: five samples of 80 %
RESAMPLES = 100
LARGEST = 20_000  # records that a resample holds; above it errors are scaled
CURVE = 100  # points of a curve
Metrics = dict[str, float]


@dataclass(frozen=True)
class Outcome:
    """What was so, what the model said, and of binary problems how sure it was of the positive."""

    problem: str
    truth: np.ndarray
    predicted: np.ndarray
    scores: np.ndarray | None = None
    classes: tuple[str, ...] = ()

    def taken(self, chosen: np.ndarray) -> Outcome:
        scores = None if self.scores is None else self.scores[chosen]
        return Outcome(
            self.problem, self.truth[chosen], self.predicted[chosen], scores, self.classes
        )

    def __len__(self) -> int:
        return len(self.truth)


def classified(
    problem: str, truth: np.ndarray, predicted: np.ndarray, scores: np.ndarray | None = None
) -> Outcome:
    """Texts as class numbers; the positive class of a binary problem is number 1."""
    classes = sorted({*truth.tolist(), *predicted.tolist()})
    if problem == BINARY:
        assert len(classes) <= 2, f"a binary problem has two classes, not {classes[:5]}"
        classes.sort(key=lambda name: str(name).lower() in POSITIVE)
        if len(classes) == 1:
            one = str(classes[0]).lower() in POSITIVE
            classes = ["0", *classes] if one else [*classes, "1"]
    numbers = {name: number for number, name in enumerate(classes)}
    sides = [np.array([numbers[value] for value in side], int) for side in (truth, predicted)]
    return Outcome(problem, *sides, scores, tuple(str(name) for name in classes))


def measure(outcome: Outcome) -> Metrics:
    """Every single-valued metric of a problem."""
    return MEASURES[outcome.problem](outcome)


def described(outcome: Outcome) -> dict[str, Any]:
    """The metrics with their deviations, matrices and curves, as statistics.json has them.

    `standard_deviation` is Model Monitor's, of samples of 80 %; `standard_error`, beyond its
    schema, is the bootstrap's, which is what tells a change from chance.
    """
    values = measure(outcome)
    deviations, errors = spread(outcome)
    found: dict[str, Any] = {
        name: {
            "value": value,
            "standard_deviation": deviations.get(name, float("nan")),
            "standard_error": errors.get(name, float("nan")),
        }
        for name, value in values.items()
    }
    if outcome.problem != REGRESSION:
        found = {"confusion_matrix": _named(confusion(outcome), outcome.classes), **found}
    if outcome.problem == BINARY and outcome.scores is not None:
        found |= curves(outcome.truth, outcome.scores)
    return found


def spread(outcome: Outcome) -> tuple[Metrics, Metrics]:
    """Of each metric: the deviation over samples of 80 %, and the bootstrap's standard error.

    Neither where the records are too few for it.
    """
    whole = len(outcome)
    if whole < FEWEST:
        return {}, {}
    random = np.random.default_rng(0)
    size = min(whole, LARGEST)
    parts = [random.permutation(whole)[: int(SHARE * whole)] for _ in range(PARTS)]
    again = [random.integers(0, whole, size) for _ in range(RESAMPLES)]
    errors = _deviation(outcome, again)
    deviations = _deviation(outcome, parts) if whole >= ENOUGH else {}
    return deviations, {name: e * np.sqrt(size / whole) for name, e in errors.items()}


def _deviation(outcome: Outcome, samples: list[np.ndarray]) -> Metrics:
    found = [measure(outcome.taken(chosen)) for chosen in samples]
    return {name: float(np.std([each[name] for each in found], ddof=1)) for name in found[0]}


def confusion(outcome: Outcome) -> np.ndarray:
    """Counts by true class (rows) and predicted class."""
    count = len(outcome.classes)
    cells = np.bincount(outcome.truth * count + outcome.predicted, minlength=count**2)
    return cells.reshape(count, count)


def _regression(outcome: Outcome) -> Metrics:
    errors = outcome.predicted - outcome.truth
    squares = float((errors**2).mean())
    around = float(((outcome.truth - outcome.truth.mean()) ** 2).mean())
    return {
        "mae": float(np.abs(errors).mean()),
        "mse": squares,
        "rmse": float(np.sqrt(squares)),
        "r2": 1 - squares / around if around else float("nan"),
    }


def _binary(outcome: Outcome) -> Metrics:
    (true_negative, false_positive), (false_negative, true_positive) = confusion(outcome)
    positives, negatives = true_positive + false_negative, true_negative + false_positive
    recall = _ratio(true_positive, positives)
    precision = _ratio(true_positive, true_positive + false_positive)
    share = positives / len(outcome)
    found = {
        "recall": recall,
        "precision": precision,
        "accuracy": (true_positive + true_negative) / len(outcome),
        "true_positive_rate": recall,
        "true_negative_rate": _ratio(true_negative, negatives),
        "false_positive_rate": _ratio(false_positive, negatives),
        "false_negative_rate": _ratio(false_negative, positives),
        **{name: _f(precision, recall, beta) for name, beta in BETAS.items()},
        # The best of the two classifiers that always say the same.
        "recall_best_constant_classifier": 1.0,
        "precision_best_constant_classifier": share,
        "accuracy_best_constant_classifier": max(share, 1 - share),
        **{f"{n}_best_constant_classifier": _f(share, 1.0, b) for n, b in BETAS.items()},
    }
    if outcome.scores is not None:
        found["auc"] = auc(outcome.truth, outcome.scores)
    return {name: float(value) for name, value in found.items()}


def _multiclass(outcome: Outcome) -> Metrics:
    matrix = confusion(outcome)
    right, of, said = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    weights = of / of.sum()
    recall = [_ratio(*pair) for pair in zip(right, of, strict=True)]
    precision = [_ratio(*pair) for pair in zip(right, said, strict=True)]
    most = float(weights.max())
    scores = {
        name: [_f(p, r, beta) for p, r in zip(precision, recall, strict=True)]
        for name, beta in BETAS.items()
    }
    return {
        "accuracy": float(right.sum() / of.sum()),
        "weighted_recall": float(weights @ recall),
        "weighted_precision": float(weights @ precision),
        **{f"weighted_{name}": float(weights @ each) for name, each in scores.items()},
        "accuracy_best_constant_classifier": most,
        "weighted_recall_best_constant_classifier": most,
        "weighted_precision_best_constant_classifier": most**2,
        **{
            f"weighted_{name}_best_constant_classifier": most * _f(most, 1.0, beta)
            for name, beta in BETAS.items()
        },
    }


MEASURES: dict[str, Callable[[Outcome], Metrics]] = {
    REGRESSION: _regression,
    BINARY: _binary,
    MULTICLASS: _multiclass,
}


def auc(truth: np.ndarray, scores: np.ndarray) -> float:
    """The share of pairs of a positive and a negative that the scores put right; ties half."""
    from scipy.stats import rankdata

    positives = int(truth.sum())
    pairs = positives * (len(truth) - positives)
    if not pairs:
        return float("nan")
    ranks = rankdata(scores)[truth == 1].sum()
    return float((ranks - positives * (positives + 1) / 2) / pairs)


def curves(truth: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """The ROC and the precision-recall curve, at a hundred points."""
    from sklearn import metrics

    false, true, _ = metrics.roc_curve(truth, scores)
    precisions, recalls, _ = metrics.precision_recall_curve(truth, scores)
    return {
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": _thinned(false),
            "true_positive_rates": _thinned(true),
        },
        "precision_recall_curve": {
            "precisions": _thinned(precisions),
            "recalls": _thinned(recalls),
        },
    }


def _thinned(points: np.ndarray) -> list[float]:
    chosen = np.unique(np.linspace(0, len(points) - 1, CURVE).round().astype(int))
    found: list[float] = points[chosen].tolist()
    return found


def _f(precision: float, recall: float, beta: float) -> float:
    return _ratio((1 + beta**2) * precision * recall, beta**2 * precision + recall)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def _named(matrix: np.ndarray, classes: tuple[str, ...]) -> dict[str, dict[str, int]]:
    return {
        name: {other: int(n) for other, n in zip(classes, row, strict=True)}
        for name, row in zip(classes, matrix, strict=True)
    }
