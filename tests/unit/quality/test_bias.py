"""Pre-training bias: SageMaker Clarify's own package is the judge."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import smclarify.bias.metrics as clarify
from smclarify.bias import report as clarify_report

from chalicelib.quality import bias, query, verdict
from chalicelib.quality.declared import Bias
from tests.unit.quality.conftest import Measure

EXACT = 1e-9


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """Decisions that favour one gender, more so in some towns."""
    rng = np.random.default_rng(5)
    count = 1500
    gender = rng.choice(["f", "m", "x"], count, p=[0.35, 0.6, 0.05])
    town = rng.choice(["north", "south", "east"], count)
    chance = 0.3 + 0.25 * (gender == "m") + 0.1 * (town == "south")
    stars = np.where(
        rng.random(count) < chance, rng.integers(4, 6, count), rng.integers(1, 4, count)
    )
    age = np.round(rng.uniform(18, 80, count), 1)
    return pd.DataFrame({"gender": gender, "town": town, "stars": stars, "age": age})


def ours(measure: Measure, table: pd.DataFrame, declared: Bias, label: str) -> dict[str, Any]:
    row = measure(table, [], biases=[declared], label=label)
    return bias.measure(bias.read(row["b0"]))


@pytest.mark.parametrize("values", [("f",), ("f", "x")])
def test_equal_to_clarifys_metrics_for_many_labels(
    measure: Measure, people: pd.DataFrame, values: tuple[str, ...]
) -> None:
    declared = Bias(facet="gender", values=values, positive_values=(4, 5), group="town")
    found = ours(measure, people, declared, "stars")
    given = {
        "df": people,
        "feature": people.gender,
        "sensitive_facet_index": people.gender.isin(values),
        "label": people.stars,
        "positive_label_index": people.stars.isin([4, 5]),
        "group_variable": people.town,
    }
    expected = {
        metric.__name__: clarify.call_metric(metric, **given)
        for metric in clarify.PRETRAINING_METRICS
    }
    assert found == pytest.approx(expected, abs=EXACT)
    assert found.keys() == set(bias.METRICS)


@pytest.mark.parametrize(
    ("declared", "facet", "kind"),
    [
        ({"facet": "gender", "values": ("f",)}, ["f"], clarify.common.DataType.CATEGORICAL),
        ({"facet": "age", "above": 40}, [40], clarify.common.DataType.CONTINUOUS),
    ],
)
def test_equal_to_clarifys_report_of_a_yes_or_no(
    measure: Measure, people: pd.DataFrame, declared: dict[str, Any], facet: list[Any], kind: Any
) -> None:
    table = people.assign(decision=(people.stars > 3).astype(int))
    found = ours(measure, table, Bias(positive_values=(1,), group="town", **declared), "decision")
    name = declared["facet"]
    (report,) = [
        each
        for each in clarify_report.bias_report(
            table[[name]],
            clarify_report.FacetColumn(name, sensitive_values=facet),
            clarify_report.LabelColumn("decision", table.decision, [1]),
            clarify_report.StageType.PRE_TRAINING,
            group_variable=table.town,
        )
        if kind == clarify.common.DataType.CONTINUOUS or each["value_or_threshold"] == "f"
    ]
    expected = {metric["name"]: metric["value"] for metric in report["metrics"]}
    assert found == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize(
    ("cells", "nothing"),
    [
        ([], set(bias.METRICS)),
        ([bias.Cell(True, "1", True, None, 5)], set(bias.METRICS)),
        (
            [bias.Cell(True, "1", True, None, 5), bias.Cell(False, "0", False, None, 5)],
            {"KL", "JS", "LP", "TVD", "KS", "CDDL"},
        ),
        (
            [bias.Cell(True, "1", True, "a", 5), bias.Cell(False, "1", True, "a", 5)],
            {"CDDL"},
        ),
    ],
)
def test_what_is_not_defined_is_none(cells: list[bias.Cell], nothing: set[str]) -> None:
    assert {name for name, value in bias.measure(cells).items() if value is None} == nothing


def test_rows_without_facet_or_label_are_left_out(measure: Measure, people: pd.DataFrame) -> None:
    holes = people.head(10).assign(gender=None)
    declared = Bias(facet="gender", values=("f",), positive_above=3)
    whole = ours(measure, people, declared, "stars")
    assert ours(measure, pd.concat([people, holes]), declared, "stars") == pytest.approx(whole)


def test_a_limit_is_on_either_side_of_zero(measure: Measure, people: pd.DataFrame) -> None:
    declared = Bias(
        facet="gender", values=("m",), positive_values=(4, 5), limits={"DPL": 0.05}, level="error"
    )
    row = measure(people, [], biases=[declared], label="stars")
    wanted = query.Wanted(biases=[declared], label="stars")
    report = verdict.judge(row, wanted, 0.0)
    (told,) = report.failures
    assert told.startswith("DPL(gender = m) is -0.2")
    assert "wanted at least -0.05 and at most 0.05" in told
    assert report.values["DPL(gender = m)"] == report.bias["gender = m"]["DPL"]
