"""The gate as a table: what passes, what does not, and the words it gives."""

from __future__ import annotations

import dataclasses

import pytest

from chalicelib.model import gate
from chalicelib.model.gate import Comparison, Policy

POLICY = Policy("accuracy", at_least=0.3, max_regression=0.02)


def against(new: float, old: float, half: float = 0.01, where: str = "") -> Comparison:
    """A comparison whose interval is this far to either side."""
    return Comparison(new, old, new - old - half, new - old + half, where)


@pytest.mark.parametrize(
    ("accuracy", "champion", "half", "promote", "words"),
    [
        (0.50, None, 0, True, "no champion"),
        (0.30, None, 0, True, "is at least 0.3"),
        (0.29, None, 0, False, "below the required 0.3"),
        (0.55, 0.50, 0.01, True, "0.0500 better (95 % interval of the difference +0.0400 to"),
        (0.50, 0.50, 0.00, True, "0.0000 better"),
        (0.49, 0.50, 0.00, True, "within 0.02 allowed"),
        (0.45, 0.50, 0.00, False, "0.0500 worse"),
        (0.45, 0.50, 0.02, False, "more than 0.02 allowed"),
        (0.45, 0.50, 0.04, True, "the test split may be to blame"),
        (0.29, 0.10, 0.01, False, "below the required 0.3"),
    ],
)
def test_the_whole_test_split(
    accuracy: float, champion: float | None, half: float, promote: bool, words: str
) -> None:
    verdict = gate.decide(
        POLICY,
        {"accuracy": accuracy},
        None if champion is None else against(accuracy, champion, half),
    )
    assert verdict.promote is promote
    assert words in " ".join(verdict.reasons)


@pytest.mark.parametrize(
    ("accuracy", "promote", "words"),
    [
        (0.50, True, "could not be compared with (ModuleNotFoundError: torch): the thresholds"),
        (0.29, False, "below the required 0.3"),
    ],
)
def test_a_champion_that_cannot_be_asked_is_told_and_the_thresholds_decide(
    accuracy: float, promote: bool, words: str
) -> None:
    verdict = gate.decide(
        POLICY, {"accuracy": accuracy}, None, not_compared="ModuleNotFoundError: torch"
    )
    assert verdict.promote is promote
    assert words in " ".join(verdict.reasons)
    assert "no champion" not in " ".join(verdict.reasons)


@pytest.mark.parametrize(
    ("slices", "allowed", "promote", "words"),
    [
        ([against(0.6, 0.5, where="kind new")], 0.05, True, "no slice of 1 is clearly worse"),
        ([against(0.3, 0.5, where="kind new")], 0.05, False, "in kind new: accuracy 0.3000"),
        ([against(0.3, 0.5, 0.3, "kind new")], 0.05, True, "no slice of 1"),
        ([against(0.6, 0.5), against(0.2, 0.9, where="kind old")], 0.05, False, "in kind old"),
        ([against(0.3, 0.5, where="kind new")], None, True, "0.0000 better"),
        ([], 0.05, True, "0.0000 better"),
    ],
)
def test_slices(slices: list[Comparison], allowed: float | None, promote: bool, words: str) -> None:
    policy = dataclasses.replace(POLICY, max_slice_regression=allowed)
    verdict = gate.decide(policy, {"accuracy": 0.5}, against(0.5, 0.5), slices)
    assert verdict.promote is promote
    assert words in " ".join(verdict.reasons)


@pytest.mark.parametrize(
    ("minimum", "maximum", "promote", "words"),
    [
        ({"macro_f1": 0.4}, {}, True, "macro_f1 0.4500 is at least 0.4"),
        ({"macro_f1": 0.5}, {}, False, "macro_f1 0.4500 is below the required 0.5"),
        ({}, {"ece": 0.2}, True, "ece 0.1000 is at most 0.2"),
        ({}, {"ece": 0.05}, False, "ece 0.1000 is above the allowed 0.05"),
        ({"macro_f1": 0.1}, {"ece": 0.05}, False, "ece 0.1000 is above"),
    ],
)
def test_thresholds(
    minimum: dict[str, float], maximum: dict[str, float], promote: bool, words: str
) -> None:
    policy = dataclasses.replace(POLICY, minimum=minimum, maximum=maximum)
    verdict = gate.decide(policy, {"accuracy": 0.5, "macro_f1": 0.45, "ece": 0.1}, None)
    assert verdict.promote is promote
    assert words in " ".join(verdict.reasons)


@pytest.mark.parametrize(
    ("new", "old", "promote", "words"),
    [
        (0.8, 1.0, True, "0.2000 better"),
        (1.01, 1.0, True, "within 0.02 allowed"),
        (1.2, 1.0, False, "0.2000 worse"),
        (1.25e-5, 1e-5, True, "rmse 1.25e-05 against the champion's 1e-05: 2.5e-06 worse"),
    ],
)
def test_of_an_error_less_is_better(new: float, old: float, promote: bool, words: str) -> None:
    policy = Policy("rmse", max_regression=0.02)
    verdict = gate.decide(policy, {"rmse": new}, against(new, old))
    assert verdict.promote is promote
    assert words in " ".join(verdict.reasons)
    assert verdict.metrics == {"rmse": new, "champion_rmse": old}


@pytest.mark.parametrize("policy", [POLICY, Policy("f1", maximum={"accuracy": 1})])
def test_a_metric_that_is_not_there_is_named(policy: Policy) -> None:
    with pytest.raises(gate.EvaluationError, match="the evaluation has no metric accuracy; it has"):
        gate.decide(policy, {"f1": 1.0}, None)


def test_reads_single_numbers_of_an_evaluation() -> None:
    evaluation = {
        "multiclass_classification_metrics": {
            "accuracy": {"value": 0.5, "standard_deviation": 0.01},
            "weighted_f1": {"value": 0.4, "standard_deviation": "NaN"},
            "confusion_matrix": {"1": {"1": 3}},
            "broken": {"value": float("nan")},
        },
        "version": 0.0,
    }
    assert gate.metrics(evaluation) == {"accuracy": 0.5, "weighted_f1": 0.4}


def test_reads_comparisons() -> None:
    document = {"f1": {"challenger": 0.5, "champion": 0.4, "difference": 0.1, "interval": [0, 0.2]}}
    assert gate.comparison(document, "f1") == Comparison(0.5, 0.4, 0, 0.2)
    listed = [
        {"column": "kind", "value": "new", "comparison": document},
        {"column": "kind", "value": "old", "comparison": {}},
        {"column": "kind", "value": "odd"},
    ]
    assert gate.slices(listed, "f1") == [Comparison(0.5, 0.4, 0, 0.2, "kind new")]
    with pytest.raises(gate.EvaluationError, match="the comparison has no metric accuracy"):
        gate.comparison(document, "accuracy")
