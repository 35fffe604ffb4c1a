"""Bias measures equal those of smclarify, the library that SageMaker Clarify is made with."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import posttraining_bias
import pytest
from smclarify.bias.metrics import posttraining

COUNT = 200


def drawn(seed: int, facet: float, actual: float, predicted: float) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    shares = (facet, actual, predicted)
    return (*(random.random(COUNT) < share for share in shares), random.integers(0, 3, COUNT))


def theirs(name: str, facet: Any, actual: Any, predicted: Any, group: Any) -> float:
    of, told, known = pd.Series(facet), pd.Series(predicted), pd.Series(actual)
    measure = getattr(posttraining, name)
    if name in ("DPPL", "DI"):
        return measure(of, of, told)
    if name == "CDDPL":
        return measure(of, of, told, pd.Series(group))
    return measure(of, of, known, told)


@pytest.mark.parametrize("name", posttraining_bias.NAMES)
@pytest.mark.parametrize(
    ("facet", "actual", "predicted"),
    [
        (0.4, 0.5, 0.5),
        (0.1, 0.9, 0.2),
        (0.5, 0.5, 0.0),
        (0.5, 0.5, 1.0),
        (0.5, 0.0, 0.5),
        (0.5, 1.0, 0.5),
        (0.5, 0.0, 0.0),
        (0.5, 1.0, 1.0),
        (0.05, 0.02, 0.02),
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_equal_to_smclarify(
    name: str, facet: float, actual: float, predicted: float, seed: int
) -> None:
    rows = drawn(seed, facet, actual, predicted)
    found = posttraining_bias.measure(*rows)[name]
    if name == "CDDPL" and predicted in (0.0, 1.0):
        assert np.isnan(found)
        with pytest.raises(ValueError, match=r"No (positive|negative) labels"):
            theirs(name, *rows)
    else:
        assert found == pytest.approx(theirs(name, *rows))


def test_the_report_is_clarifys() -> None:
    rows = pd.DataFrame({"sex": ["f"] * 40 + ["m"] * 60 + ["x"] * 5, "town": "a"})
    labels = {name: np.array(["5", "1", "4"] * 35) for name in ("actual", "predicted")}
    found = posttraining_bias.report(rows, ["sex"], ["4", "5"], labels, label="stars", group="town")
    section = found["post_training_bias_metrics"]
    assert section["label_value_or_threshold"] == "4,5"
    values = section["facets"]["sex"]
    assert [each["value_or_threshold"] for each in values] == ["f", "m"]  # x has 5 rows only
    assert {metric["name"] for metric in values[0]["metrics"]} == set(posttraining_bias.NAMES)
    json.dumps(found, allow_nan=False)
