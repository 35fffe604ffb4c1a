"""Two versions side by side: what they answered, how often alike, how often right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli import comparison


def captured(call: str, *labels: str) -> dict[str, Any]:
    predictions = [{"label": label} for label in labels]
    return {
        "eventMetadata": {"inferenceId": call},
        "captureData": {"endpointOutput": {"data": json.dumps({"predictions": predictions})}},
    }


ONE = comparison.answers([captured("a", "5"), captured("b", "1", "2"), captured("c", "3")])
OTHER = comparison.answers([captured("a", "5"), captured("b", "1", "3")])


def test_answers_are_by_inference_id() -> None:
    assert ONE == {"a": ["5"], "b": ["1", "2"], "c": ["3"]}
    without = {"eventMetadata": {}, "captureData": {}}
    assert comparison.answers([without]) == {}


def test_versions_agree_on_records_that_both_answered() -> None:
    assert comparison.agreement(ONE, OTHER) == {"records": 3, "share": pytest.approx(2 / 3)}
    assert comparison.agreement(ONE, {}) == {"records": 0, "share": None}


@pytest.mark.parametrize(
    ("truth", "wanted"),
    [
        ({"a": "5", "b/1": "3"}, {"labels": 2, "accuracy": 0.5}),
        ({"c": "3"}, {"labels": 1, "accuracy": 1.0}),
        ({}, {"labels": 0, "accuracy": None}),
    ],
)
def test_accuracy_where_labels_came(truth: dict[str, str], wanted: dict[str, Any]) -> None:
    """One record has the call's id; of many, each the call's id and its place."""
    assert comparison.accuracy(ONE, truth) == wanted


def test_truth_is_by_the_records_id() -> None:
    line = {
        "groundTruthData": {"data": "4", "encoding": "CSV"},
        "eventMetadata": {"eventId": "b/1"},
    }
    assert comparison.truth([line]) == {"b/1": "4"}
