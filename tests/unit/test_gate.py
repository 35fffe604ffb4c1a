"""The gate as a table: what passes, what does not, and the words it gives."""

from __future__ import annotations

import pytest

from chalicelib import gate
from chalicelib.gate import Metric, Policy

POLICY = Policy("accuracy", at_least=0.3, max_regression=0.02)


@pytest.mark.parametrize(
    ("challenger", "champion", "promote", "words"),
    [
        (Metric(0.50), None, True, "no champion"),
        (Metric(0.30), None, True, "is at least 0.3"),
        (Metric(0.29), None, False, "below the required 0.3"),
        (Metric(0.55), Metric(0.50), True, "0.0500 better"),
        (Metric(0.50), Metric(0.50), True, "0.0000 better"),
        (Metric(0.49), Metric(0.50), True, "within 0.02 allowed"),
        (Metric(0.45), Metric(0.50), False, "more than 0.02 allowed"),
        (Metric(0.45, sd=0.03), Metric(0.50, sd=0.03), True, "the test split's noise"),
        (Metric(0.30, sd=0.03), Metric(0.50, sd=0.03), False, "more than 0.02 allowed"),
        (Metric(0.45, sd=0.001), Metric(0.50, sd=0.001), False, "noise of 0.0023"),
        (Metric(0.29, sd=0.5), Metric(0.10), False, "below the required 0.3"),
    ],
)
def test_decides(challenger: Metric, champion: Metric | None, promote: bool, words: str) -> None:
    verdict = gate.decide(
        POLICY, {"accuracy": challenger}, {"accuracy": champion} if champion else None
    )
    assert verdict.promote is promote
    assert words in " ".join(verdict.reasons)


def test_a_metric_that_is_not_there_is_named() -> None:
    with pytest.raises(gate.EvaluationError, match="no metric accuracy; it has: f1"):
        gate.decide(POLICY, {"f1": Metric(1.0)}, None)


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
    assert gate.metrics(evaluation) == {
        "accuracy": Metric(0.5, 0.01),
        "weighted_f1": Metric(0.4, 0.0),
    }
