"""Feature attributions: Shapley values that are right, nDCG as Clarify, the script with a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import Write, event, metrics_of, read, run


def linear(weights: list[float]) -> Any:
    def predict(records: list[dict[str, Any]]) -> np.ndarray:
        return np.array([[sum(w * r[f"x{i}"] for i, w in enumerate(weights))] for r in records])

    return predict


def records(count: int, width: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(0)
    return [
        {f"x{i}": float(v) for i, v in enumerate(row)} for row in random.normal(size=(count, width))
    ]


@pytest.mark.parametrize("width", [1, 2, 4, 9])
def test_a_linear_models_values_are_its_terms(width: int) -> None:
    from checks.attributions import shapley

    weights = [float(i + 1) for i in range(width)]
    names, rows = [f"x{i}" for i in range(width)], records(5, width)
    found = shapley(linear(weights), rows, dict.fromkeys(names, 0.5), names)
    expected = [
        [w * (row[name] - 0.5) for w, name in zip(weights, names, strict=True)] for row in rows
    ]
    assert found[:, :, 0] == pytest.approx(np.array(expected))


def test_an_interaction_is_shared() -> None:
    from checks.attributions import shapley

    def product(rows: list[dict[str, Any]]) -> np.ndarray:
        return np.array([[r["a"] * r["b"], -r["c"]] for r in rows])

    background = {"a": 0, "b": 0, "c": 0}
    found = shapley(product, [{"a": 2, "b": 3, "c": 5}], background, ["a", "b", "c"])
    assert found[0] == pytest.approx(np.array([[3, 0], [3, 0], [0, -5]]))


def test_values_add_up_to_the_prediction() -> None:
    from checks.attributions import shapley

    def odd(rows: list[dict[str, Any]]) -> np.ndarray:
        return np.array([[np.tanh(sum(r.values())) + r["x0"] ** 2] for r in rows])

    names, rows = [f"x{i}" for i in range(9)], records(3, 9)
    background = dict.fromkeys(names, 0.0)
    found = shapley(odd, rows, background, names)
    assert found.sum(axis=1) == pytest.approx(odd(rows) - odd([background]))


SAME = {"a": 0.5, "b": 0.3, "c": 0.1}


@pytest.mark.parametrize(
    ("live", "score"),
    [
        (SAME, 1.0),
        ({"a": 50, "b": 30, "c": 10}, 1.0),  # the order counts alone
        (
            {"a": 0.1, "b": 0.3, "c": 0.5},
            (0.1 + 0.3 / np.log2(3) + 0.25) / (0.5 + 0.3 / np.log2(3) + 0.05),
        ),
        ({"a": 0.5}, 1.0),
    ],
)
def test_ndcg(live: dict[str, float], score: float) -> None:
    from checks.attributions import ndcg

    assert ndcg(SAME, live) == pytest.approx(score)


def test_a_violation_is_clarifys() -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-model-attribution-drift-violations.html"""
    from checks.attributions import find

    live, known = (
        {"label0": dict(zip("ab", pair, strict=True))} for pair in ((0.0, 1.0), (1.0, 0.0))
    )
    found, [compared] = find(live, known, {}, 100)
    words = f"Feature attribution drift {1 - compared.distance} exceeds threshold 0.9"
    assert found == [
        {
            "label": "label0",
            "metric_name": "shap",
            "constraint_check_type": "feature_attribution_drift_check",
            "description": words,
        }
    ]


@pytest.mark.parametrize(
    ("spread", "drifted"), [(0.1, True), (30.0, False)], ids=["steady", "a few large values"]
)
def test_a_ranking_that_chance_explains_is_no_drift(spread: float, drifted: bool) -> None:
    """Forty records, of which a few decide the mean when the values are spread so wide."""
    from checks import significance
    from checks.attributions import find, ndcg

    random = np.random.default_rng(2)
    local = np.exp(random.normal([1.0, 0.8, 0.0], spread / 10, (40, 3)))
    means = local.mean(axis=0)
    known = {"l": dict(zip("abc", means.tolist(), strict=True))}
    live = {"l": dict(zip("abc", (-means).tolist(), strict=True))}  # the other way round
    assert ndcg(known["l"], live["l"]) < 0.9
    limits = {"significance_constraints": significance.rule()}
    assert bool(find(live, known, limits, 40, {"l": local})[0]) is drifted
    assert find(live, known, {}, 40, {"l": local})[0]  # Clarify's rule


SCRIPT = """
import json, os

def model_fn(model_dir):
    return json.load(open(os.path.join(model_dir, "model.json")))

def predict_fn(records, model):
    scores = [sum(w * float(r[name] or 0) for name, w in model.items()) for r in records]
    return [{"probabilities": {"no": 1 - s, "yes": s}} for s in scores]
"""


@pytest.mark.parametrize("drifted", [False, True], ids=["the same use", "another use"])
def test_the_script(drifted: bool, captured: Write, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    (tmp_path / "code").mkdir()
    (tmp_path / "code/inference.py").write_text(SCRIPT)
    (tmp_path / "model").mkdir()
    (tmp_path / "model/model.json").write_text(
        json.dumps({"age": 0.01, "size": 0.01, "noise": 0.001})
    )

    def rows(age: float, size: float) -> np.ndarray:
        return random.normal(0, [age, size, 1], (100, 3)).round(4)

    lines = [",".join(map(str, row)) for row in rows(9, 1)]
    (tmp_path / "train.csv").write_text("\n".join(["age,size,noise", *lines]))
    shared = (
        "--model",
        str(tmp_path / "model"),
        "--script",
        str(tmp_path / "code/inference.py"),
    )
    run("attribution.py", tmp_path, "--source", str(tmp_path / "train.csv"), "--output",
        str(tmp_path / "baseline"), *shared)  # fmt: skip
    events = [
        event(
            json.dumps({"records": [dict(zip(("age", "size", "noise"), row, strict=True))]}), "JSON"
        )
        for row in rows(*((0.1, 9) if drifted else (9, 1))).tolist()
    ]
    message = run("attribution.py", tmp_path, "--mode", "analyze", "--source",
                  str(captured(events)), "--baseline", str(tmp_path / "baseline"), "--output",
                  str(tmp_path / "out"), "--publish", "Enabled", *shared)  # fmt: skip
    assert message.startswith("CompletedWithViolations" if drifted else "Completed:")
    found = read(tmp_path / "out/analysis.json")["explanations"]["kernel_shap"]
    assert set(found) == {"no", "yes"}
    assert set(found["yes"]) == {"global_shap_values", "expected_value"}
    labels = [v["label"] for v in read(tmp_path / "out/constraint_violations.json")["violations"]]
    assert labels == (["no", "yes"] if drifted else [])
    page = (tmp_path / "out/drift.html").read_text()
    assert ("2 violations in 2 labels" if drifted else "No violation") in page
    assert page.count("<svg") == 2
    published = metrics_of(tmp_path)["feature_age"]["Dimensions"]
    assert {"Name": "ExplainabilityMethod", "Value": "KernelShap"} in published
    expected = metrics_of(tmp_path)["ExpectedValue"]["Dimensions"]
    assert {"Name": "ValueType", "Value": "ExpectedValue"} in expected
