"""constraints.json and constraint_violations.json: AWS's rule, ours, and the arithmetic below."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats


def statistics(**columns: list[Any]) -> dict[str, Any]:
    from profiles import dataset

    return dataset.gathered([pa.table(columns)], {}, baseline=False).statistics()


def judged(
    baseline: dict[str, list[Any]], live: dict[str, list[Any]], rule: str = "Significance",
    **config: Any,
) -> list[tuple[str, str]]:  # fmt: skip
    from checks import constraints, violations

    known = statistics(**baseline)
    limits = constraints.suggest(known, 0.1, rule)
    limits["monitoring_config"].update(config)
    found, _ = violations.find(statistics(**live), known, limits)
    return [(each["feature_name"], each["constraint_check_type"]) for each in found]


BASELINE: dict[str, list[Any]] = {
    "n": list(range(300)),
    "x": [i / 7 for i in range(300)],
    "s": ["a", "b", "c"] * 100,
}
CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "the same": ({}, []),
    "a column is gone": ({"s": None}, [("s", "missing_column_check")]),
    "a column is new": ({"new": [1] * 300}, [("new", "extra_column_check")]),
    "values are missing": (
        {"x": [None] * 60 + BASELINE["x"][60:]},
        [("x", "completeness_check"), ("x", "baseline_drift_check")],
    ),
    "numbers are words": ({"n": ["one"] * 300}, [("n", "data_type_check")]),
    "whole numbers are fractions": (
        {"n": [i + 0.5 for i in range(300)]},
        [("n", "data_type_check")],
    ),
    "fractions are whole": ({"x": [float(i // 7) for i in range(300)]}, []),
    "numbers moved": (
        {"x": [value + 9 for value in BASELINE["x"]]},
        [("x", "baseline_drift_check")],
    ),
    "shares moved": ({"s": ["a"] * 200 + ["b", "c"] * 50}, [("s", "baseline_drift_check")]),
    "values are new": (
        {"s": ["d"] * 90 + ["a", "b", "c"] * 70},
        [("s", "categorical_values_check"), ("s", "baseline_drift_check")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", ["Significance", "Simple"])
@pytest.mark.parametrize(("change", "expected"), CASES.values(), ids=CASES)
def test_what_is_a_violation(
    rule: str, change: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    live = {name: values for name, values in {**BASELINE, **change}.items() if values is not None}
    assert judged(BASELINE, live, rule) == expected


MANY = [f"town {n % 80}" for n in range(4000)]
TITLES = ["Five Stars"] * 900 + ["Four Stars"] * 500 + [f"title {n}" for n in range(2600)]
IDS = [f"id {n}" for n in range(4000)]


@pytest.mark.parametrize(
    ("baseline", "live", "found"),
    [
        (MANY, MANY[:2000], []),
        (MANY, [f"town {n % 20}" for n in range(2000)], ["baseline_drift_check"]),
        (MANY, ["town 1"] * 500 + MANY[:1500], ["baseline_drift_check"]),
        (MANY, [f"village {n % 80}" for n in range(2000)], ["baseline_drift_check"]),
        (TITLES, TITLES[::2], []),
        (TITLES, [f"other {n}" for n in range(2000)], ["baseline_drift_check"]),
        (IDS, [f"id {n}" for n in range(9000, 11000)], []),
        (IDS[:100], [f"id {n}" for n in range(9000, 9100)], []),
    ],
    ids=["same", "spread", "one", "new", "titles", "no stars", "ids", "few ids"],
)
def test_a_text_of_many_values_is_compared_where_they_recur(
    baseline: list[str], live: list[str], found: list[str]
) -> None:
    assert [check for _, check in judged({"s": baseline}, {"s": live})] == found


SMALL = {"s": ["a"] * 8 + ["b"] * 2}


@pytest.mark.parametrize(
    ("rule", "config", "drifted"),
    [
        ("Simple", {}, True),
        ("Robust", {}, False),  # what ten values may differ by chance is taken off
        ("Significance", {}, False),
        ("Simple", {"distribution_constraints": {"perform_comparison": "Disabled"}}, False),
        ("Simple", {"evaluate_constraints": "Disabled"}, False),
        ("Simple", {"distribution_constraints": {"comparison_threshold": 1.0}}, False),
        ("Simple", {"distribution_constraints": {"comparison_method": "linf_simple"}}, True),
    ],
)
def test_ten_records_and_the_rules(rule: str, config: dict[str, Any], drifted: bool) -> None:
    assert bool(judged({"s": ["a", "b"] * 150}, SMALL, rule, **config)) is drifted


def test_aws_chi_squared_is_a_p_value() -> None:
    drift = {"categorical_drift_method": "ChiSquared", "categorical_comparison_threshold": 0.05}
    config = {"distribution_constraints": drift}
    assert judged({"s": ["a", "b"] * 150}, {"s": ["a"] * 90 + ["b"] * 60}, "Robust", **config)
    assert not judged({"s": ["a", "b"] * 150}, {"s": ["a"] * 80 + ["b"] * 70}, "Robust", **config)


@pytest.mark.parametrize("place", ["feature", "strings"])
def test_a_features_own_settings_win(place: str) -> None:
    from checks import constraints, violations

    known, live = statistics(s=["a", "b"] * 150), statistics(s=["a"] * 300)
    limits = constraints.suggest(known, 0.1, "Simple")
    own = {"distribution_constraints": {"perform_comparison": "Disabled"}}
    if place == "feature":
        limits["features"][0]["monitoringConfigOverrides"] = own
    else:
        limits["features"][0]["string_constraints"]["monitoring_config_overrides"] = own
    assert violations.find(live, known, limits)[0] == []


def test_descriptions_carry_distance_and_threshold() -> None:
    from checks import constraints, violations

    known, live = statistics(s=["a", "b"] * 150), statistics(s=["a"] * 300)
    limits = constraints.suggest(known, 0.1, "Simple")
    (found,) = violations.find(live, known, limits)[0]
    assert found == {
        "feature_name": "s",
        "constraint_check_type": "baseline_drift_check",
        "description": "Simple distance: 0.5000 exceeds threshold: 0.1 (300 live values)",
    }


def test_constraints_have_aws_members() -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html"""
    from checks import constraints

    found = constraints.suggest(statistics(n=[1, -2], s=["a", None]), 0.2, "Robust")
    assert found == {
        "version": 0.0,
        "features": [
            {"name": "n", "inferred_type": "Integral", "completeness": 1.0,
             "num_constraints": {"is_non_negative": False}},
            {"name": "s", "inferred_type": "String", "completeness": 0.5,
             "string_constraints": {"domains": ["a"]}},
        ],
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 0.1,
            "domain_content_threshold": 0.1,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": 0.2,
                "comparison_method": "Robust",
                "categorical_comparison_threshold": 0.2,
                "categorical_drift_method": "LInfinity",
            },
        },
    }  # fmt: skip


def test_distances_are_the_fields_own() -> None:
    from checks import distances
    from profiles.sketch import weighted

    random = np.random.default_rng(1)
    one, other = random.normal(size=400), random.normal(0.5, 2, size=300)
    found = distances.numerical(weighted([one.tolist()]), weighted([other.tolist()]))
    assert found["linf"] == pytest.approx(stats.ks_2samp(one, other).statistic)
    expected = stats.wasserstein_distance(one, other) / one.std()
    assert found["wasserstein"] == pytest.approx(expected)
    shares = distances.categorical({"a": 50, "b": 50}, {"a": 80, "b": 20})
    assert shares["linf"] == pytest.approx(0.3)
    assert shares["psi"] == pytest.approx(0.3 * np.log(1.6) - 0.3 * np.log(0.4))
    from scipy.spatial.distance import jensenshannon

    assert shares["jensen_shannon"] == pytest.approx(jensenshannon([0.5, 0.5], [0.8, 0.2], 2))
    assert distances.categorical({"a": 1}, {"b": 1})["jensen_shannon"] == pytest.approx(1)
    assert distances.robust(0.5, 100, 100) == pytest.approx(0.5 - 1.8 * np.sqrt(200 / 10_000))


def test_tests_are_scipys() -> None:
    from checks import significance

    p = significance.chi_square({"a": 60, "b": 40}, {"a": 45, "b": 55})
    assert p == pytest.approx(stats.chi2_contingency([[60, 40], [45, 55]], correction=False).pvalue)
    p = significance.fewer((95, 100), (80, 100))
    exact = stats.fisher_exact([[80, 20], [95, 5]], alternative="less").pvalue
    assert p == pytest.approx(exact)
    assert significance.fewer((100, 100), (100, 100)) == 1.0
    many = stats.fisher_exact([[59_000, 41_000], [60_000, 40_000]], alternative="less").pvalue
    assert significance.fewer((60_000, 100_000), (59_000, 100_000)) == pytest.approx(many, rel=0.1)
    random = np.random.default_rng(2)
    one, other = random.normal(size=900), random.normal(0.1, size=700)
    tested = stats.ks_2samp(one, other, method="asymp")
    found = significance.kolmogorov_smirnov(float(tested.statistic), 900, 700)
    assert found == pytest.approx(tested.pvalue, rel=0.02)


@pytest.mark.parametrize(("ours", "scipys"), [("holm", None), ("benjamini_hochberg", "bh")])
def test_corrections(ours: str, scipys: str | None) -> None:
    from checks import significance

    values = [0.01, 0.04, 0.03, 0.005, 0.8]
    found = getattr(significance, ours)(values)
    if scipys:
        assert found == pytest.approx(stats.false_discovery_control(values, method=scipys))
    else:
        assert found == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.8])
    assert getattr(significance, ours)([]) == []


def test_rare_values_count_as_one() -> None:
    from checks import significance

    one, other = ({f"{side}{i}": 1 for i in range(40)} for side in "xy")
    assert significance.chi_square({**one, "a": 100}, {**other, "a": 100}) > 0.9
