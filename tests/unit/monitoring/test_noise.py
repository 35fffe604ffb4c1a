"""The rule by default is quiet where nothing drifts and rings where something does, on any rows.

`python -m benchmarks monitor` makes the same study with texts, at full length.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

RUNS = 40
COLOURS = ["red", "green", "blue", "grey"]


def rows(count: int, random: np.random.Generator, **drift: Any) -> pa.Table:
    """Twelve columns of the usual kinds; `drift` changes one of them."""
    normal = {f"x{i}": random.normal(drift.get(f"x{i}", 0.0), size=count) for i in range(6)}
    counts = {f"n{i}": random.poisson(3, count) for i in range(3)}
    shares = drift.get("colour", [0.4, 0.3, 0.2, 0.1])
    colours = {f"c{i}": random.choice(COLOURS, count, p=[0.4, 0.3, 0.2, 0.1]) for i in range(2)}
    missing = random.random(count) < drift.get("missing", 0.05)
    sparse = pa.array(random.gamma(2.0, size=count), mask=missing)
    colour = random.choice(COLOURS, count, p=shares)
    return pa.table({**normal, **counts, **colours, "colour": colour, "sparse": sparse})


def rate(size: int, rule: str, runs: int = RUNS, **drift: Any) -> float:
    """Share of runs with a violation."""
    from checks import constraints, violations
    from profiles import dataset

    def statistics(table: pa.Table) -> dict[str, Any]:
        return dataset.gathered([table], {}, baseline=False).statistics()

    rang = 0
    for seed in range(runs):
        random = np.random.default_rng([seed, size])
        known = statistics(rows(3000, random))
        limits = constraints.suggest(known, 0.1, rule)
        rang += bool(violations.find(statistics(rows(size, random, **drift)), known, limits)[0])
    return rang / runs


@pytest.mark.parametrize("size", [200, 2000])
def test_without_drift_it_is_quiet(size: int) -> None:
    assert rate(size, "Significance") == 0.0


def test_model_monitors_own_rule_is_not() -> None:
    """Any fall of completeness counts there, and half of all samples have one."""
    assert rate(200, "Robust", runs=20) > 0.2


@pytest.mark.parametrize(
    "drift",
    [{"x3": 0.4}, {"colour": [0.2, 0.3, 0.2, 0.3]}, {"missing": 0.1}],
    ids=["a shift", "another mix", "missing values"],
)
def test_with_drift_it_rings(drift: dict[str, Any]) -> None:
    assert rate(2000, "Significance", runs=20, **drift) == 1.0


def texts(goods: list[str], count: int, random: np.random.Generator) -> pa.Table:
    words = [
        "it",
        "is",
        "a",
        "good",
        "one",
        "and",
        "works",
        "well",
        "but",
        "the",
        "cord",
        "of",
        "this",
        "was",
        "short",
    ]
    made = [" ".join([*random.choice(words, 8), *random.choice(goods, 2)]) for _ in range(count)]
    return pa.table({"t": made})


@pytest.mark.parametrize("planted", [False, True], ids=["quiet", "planted"])
@pytest.mark.parametrize("monitor", ["model quality", "bias", "attribution"])
def test_monitors_of_predictions(monitor: str, planted: bool) -> None:
    from benchmarks.noise_of_predictions import rings

    assert [ours for ours, _ in rings(monitor, 2000, planted, runs=3, seed=1)] == [planted] * 3


@pytest.mark.parametrize(("goods", "drifted"), [("dryer brush iron", False),
                                                ("oven plate door", True)])  # fmt: skip
def test_texts_as_a_whole(goods: str, drifted: bool) -> None:
    from checks import comparison, text

    random = np.random.default_rng(4)
    one = texts(["dryer", "brush", "iron"], 800, random)
    found = list(text.compare(["t"], one, texts(goods.split(), 300, random), 0.1))
    decided = comparison.decide(found, {"alpha": 0.01})
    assert [each.method for each in decided] == ["TF-IDF centroid", "Domain classifier (AUC - 0.5)"]
    assert [each.drifted for each in decided] == [drifted, drifted]
