"""The evaluation's metrics are scikit-learn's, also on bootstrap samples."""

from __future__ import annotations

import metrics
import numpy as np
import pytest
from scoring import Classified, Estimated
from sklearn import metrics as theirs

COUNT = 500
RANDOM = np.random.default_rng(11)


def classified(classes: int) -> Classified:
    actual = RANDOM.integers(0, classes, COUNT)
    likely = RANDOM.random((COUNT, classes)).round(1) + 0.05 + np.eye(classes)[actual] / 2
    likely /= likely.sum(axis=1, keepdims=True)
    return Classified([str(n) for n in range(classes)], actual, likely.argmax(axis=1), likely)


def known(scored: Classified, weights: np.ndarray) -> dict[str, float]:
    """The same by scikit-learn."""
    found = {
        "accuracy": theirs.accuracy_score(scored.actual, scored.predicted, sample_weight=weights)
    }
    for average in ("weighted", "macro"):
        values = theirs.precision_recall_fscore_support(
            scored.actual, scored.predicted, average=average, sample_weight=weights
        )
        names = ("precision", "recall", "f1")
        found |= {f"{average}_{n}": v for n, v in zip(names, values[:3], strict=True)}
    binary = len(scored.classes) == 2
    found["auc"] = theirs.roc_auc_score(
        scored.actual,
        scored.probabilities[:, 1] if binary else scored.probabilities,
        multi_class="ovr",
        sample_weight=weights,
    )
    return found


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("drawn", [False, True], ids=["all rows", "a bootstrap sample"])
def test_classification_agrees_with_scikit_learn(classes: int, drawn: bool) -> None:
    scored = classified(classes)
    weights = np.bincount(RANDOM.integers(0, COUNT, COUNT), minlength=COUNT) if drawn else None
    found = metrics.measure(scored, weights)
    wanted = known(scored, np.ones(COUNT) if weights is None else weights)
    assert {name: found[name] for name in wanted} == pytest.approx(wanted)


def test_regression_agrees_with_scikit_learn() -> None:
    actual = RANDOM.random(COUNT)
    predicted = actual + RANDOM.normal(0, 0.1, COUNT)
    assert metrics.measure(Estimated(actual, predicted)) == pytest.approx(
        {
            "mae": theirs.mean_absolute_error(actual, predicted),
            "mse": theirs.mean_squared_error(actual, predicted),
            "rmse": theirs.root_mean_squared_error(actual, predicted),
            "r2": theirs.r2_score(actual, predicted),
        }
    )


def test_the_deviation_is_the_binomials() -> None:
    scored = classified(3)
    accuracy = metrics.measure(scored)["accuracy"]
    spread = metrics.deviations(metrics.bootstrap(scored, seed=1))
    assert spread["accuracy"] == pytest.approx((accuracy * (1 - accuracy) / COUNT) ** 0.5, rel=0.15)


@pytest.mark.parametrize(
    ("confidence", "right", "error"),
    [(0.75, 0.75, 0.0), (0.95, 0.45, 0.5), (0.55, 1.0, 0.45)],
)
def test_calibration_error(confidence: float, right: float, error: float) -> None:
    actual = (np.arange(COUNT) >= right * COUNT).astype(int)
    likely = np.tile([confidence, 1 - confidence], (COUNT, 1))
    scored = Classified(["0", "1"], actual, np.zeros(COUNT, dtype=int), likely)
    assert metrics.measure(scored)["ece"] == pytest.approx(error)
    (bin_,) = metrics.calibration(scored)
    assert (bin_["rows"], bin_["confidence"]) == (COUNT, pytest.approx(confidence))


def test_a_class_that_is_not_there_has_no_area() -> None:
    scored = Classified(["0", "1"], np.zeros(3, int), np.zeros(3, int), np.full((3, 2), 0.5))
    assert "auc" not in metrics.measure(scored)
