"""Two runs side by side."""

from __future__ import annotations

from typing import Any

import pytest

from cli import run_comparison, versions
from cli.run_comparison import Row

SLICE = {"column": "kind", "value": "Toys", "rows": 9, "metrics": {"accuracy": {"value": 0.5}}}


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        (0.5, 0.625, "+0.125"),
        (3, 1, "-2"),
        (1, 1, ""),
        ("a", "b", "differs"),
        (None, 0.5, "differs"),
        (None, None, ""),
        (True, False, "-1"),
    ],
)
def test_how_far_two_values_are_apart(one: Any, other: Any, words: str) -> None:
    assert Row("evaluation", "accuracy", one, other).difference == words


def test_what_one_run_lacks_has_a_row_too() -> None:
    one = {"evaluation": {"accuracy": 0.5}, "slices": {"kind Toys accuracy": 0.4}}
    other = {"evaluation": {"accuracy": 0.5, "f1": 0.3}, "seconds": {"Train": 2.0}}
    assert run_comparison.side_by_side(one, other) == [
        Row("evaluation", "accuracy", 0.5, 0.5),
        Row("evaluation", "f1", None, 0.3),
        Row("slices", "kind Toys accuracy", 0.4, None),
        Row("seconds", "Train", None, 2.0),
    ]


def test_every_number_of_a_run_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    documents: dict[str, Any] = {
        "runs/r/lineage.json": {
            "training": {"HyperParameters": {"C": "0.5"}},
            "code": {"digest": "c0de"},
            "environment": {"image": "i", "versions": {"numpy": "2"}},
        },
        "runs/r/dataset.json": {"version": "r", "total_rows": 600, "arrivals": []},
        "runs/r/evaluation/slices.json": [SLICE],
    }
    monkeypatch.setattr(versions, "read", lambda stack, key: documents.get(key))
    monkeypatch.setattr(run_comparison, "seconds", lambda run: {"Train": 2.0})
    run = {
        "run_id": "r",
        "reason": "data",
        "rows": {"curated": 600},
        "training": {"metrics": {"validation:accuracy": 0.4}, "scores": {"train": {"accuracy": 1}}},
        "evaluation": {"accuracy": 0.45},
    }
    found = run_comparison.numbers("stack", run)
    assert found["data"] | {"total_rows": 600, "curated": 600} == found["data"]
    assert found["parameters"] == {"C": "0.5"}
    assert found["environment"] == {"code": "c0de", "image": "i", "versions numpy": "2"}
    assert found["training"] == {"metrics validation:accuracy": 0.4, "scores train accuracy": 1}
    assert found["evaluation"] == {"accuracy": 0.45}
    assert found["slices"] == {"kind Toys rows": 9, "kind Toys accuracy": 0.5}
    assert found["seconds"] == {"Train": 2.0}


def test_a_run_that_failed_early_is_compared_by_what_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(versions, "read", lambda stack, key: None)
    found = run_comparison.numbers("stack", {"run_id": "r", "reason": "data", "status": "failed"})
    assert found["run"]["status"] == "failed"
    assert not any(found[name] for name in ("parameters", "evaluation", "slices"))
