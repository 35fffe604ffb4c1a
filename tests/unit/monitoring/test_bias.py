"""Bias: the numbers of smclarify 0.5, intervals, violations, the script in Clarify's schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from .conftest import Write, event, metrics_of, read, run, truth_line

STAGES = ("pre_training_bias_metrics", "post_training_bias_metrics")


def people(seed: int, count: int = 400, favour: float = 0.55) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    sex = random.choice(["f", "m"], count, p=[0.4, 0.6])
    group = random.choice(["a", "b", "c"], count)
    label = (random.random(count) < np.where(sex == "f", 0.35, favour)).astype(int)
    kept = random.random(count) < 0.8
    said = np.where(kept, label, random.integers(0, 2, count))
    return {"sex": sex, "group": group, "label": label, "prediction": said}


def analysed(rows: dict[str, Any], **config: Any) -> dict[str, Any]:
    from bias import analysis

    table = pa.table({**rows, "ground_truth": pa.array(rows["label"]).cast(pa.string())})
    facet = [{"name_or_index": "sex", "value_or_threshold": ["f"]}]
    stated = {"label": "label", "label_values_or_threshold": [1], "group_variable": "group",
              "facet": facet, **config}  # fmt: skip
    return analysis(table, stated, "prediction")


def metrics(found: dict[str, Any], stage: str) -> dict[str, Any]:
    return {each["name"]: each for each in found[stage]["facets"]["sex"][0]["metrics"]}


def smclarifys(rows: dict[str, Any], stage: str) -> dict[str, float]:
    """The metrics of smclarify's report. Its flip test needs numeric features: it is not ours."""
    import pandas as pd
    from smclarify.bias import report

    frame = pd.DataFrame(rows)
    label, said = (report.LabelColumn(name, frame[name], [1]) for name in ("label", "prediction"))
    first = stage == STAGES[0]
    found = report.bias_report(
        frame,
        report.FacetColumn("sex", ["f"]),
        label,
        stage_type=report.StageType.PRE_TRAINING if first else report.StageType.POST_TRAINING,
        predicted_label_column=None if first else said,
        group_variable=frame["group"],
    )
    return {each["name"]: each["value"] for each in found[0]["metrics"] if each["name"] != "FT"}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("seed", [7, 8, 9])
def test_the_numbers_are_smclarifys(seed: int, stage: str) -> None:
    rows = people(seed)
    values = {name: each["value"] for name, each in metrics(analysed(rows), stage).items()}
    assert values == pytest.approx(smclarifys(rows, stage))


def test_analysis_has_clarifys_members() -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-run.html"""
    found = analysed(people(7))
    assert found["version"] == "1.0"
    section = found["post_training_bias_metrics"]
    assert {k: v for k, v in section.items() if k != "facets"} == {
        "label": "label", "label_value_or_threshold": "1",
    }  # fmt: skip
    (value,) = section["facets"]["sex"]
    assert value["value_or_threshold"] == "f"
    impact = next(each for each in value["metrics"] if each["name"] == "DI")
    assert impact["description"] == "Disparate Impact (DI)"
    low, high = impact["confidence_interval"]
    assert low < impact["value"] < high


def test_an_interval_covers_the_truth_nineteen_times_in_twenty() -> None:
    covered = 0
    for seed in range(100, 140):
        low, high = metrics(analysed(people(seed)), "pre_training_bias_metrics")["DPL"][
            "confidence_interval"
        ]
        covered += low <= 0.2 <= high
    assert covered >= 34


def test_every_value_of_a_facet_where_none_is_stated() -> None:
    found = analysed(people(7), facet=[{"name_or_index": "sex"}])
    values = found["pre_training_bias_metrics"]["facets"]["sex"]
    assert [each["value_or_threshold"] for each in values] == ["f", "m"]


def test_a_threshold_splits_numbers() -> None:
    from bias import holds

    ages = pa.chunked_array([[18.5, 40.0, 41.5, None]])
    assert holds(ages, [40]).tolist() == [False, False, True, False]
    assert holds(pa.chunked_array([[1.0, 2.0]]), [1]).tolist() == [True, False]
    assert holds(pa.chunked_array([["1", "2"]]), [1]).tolist() == [True, False]


def test_what_cannot_be_measured_says_why() -> None:
    rows = people(7)
    rows["sex"] = np.full(400, "f")
    found = metrics(analysed(rows), "pre_training_bias_metrics")["CI"]
    assert found["value"] is None
    assert found["error"] == "the negated facet set is empty"


def test_violations_ours_and_clarifys() -> None:
    from bias import suggest
    from checks.bias_constraints import find

    known = analysed(people(1, 3000))
    ours, clarifys = (suggest(known, test=test) for test in (True, False))
    quiet = [find(analysed(people(seed, 1000)), ours)[0] for seed in range(2, 12)]
    assert quiet == [[]] * 10
    assert find(analysed(people(2, 1000)), clarifys)[0]  # any further from 0 is a violation
    worse, _ = find(analysed(people(2, 2000, favour=0.8)), ours)
    assert {"DPL", "DPPL"} <= {each["metric_name"] for each in worse}
    assert set(worse[0]) == {
        "facet", "facet_value", "metric_name", "constraint_check_type", "description",
        "value", "baseline_value",
    }  # fmt: skip
    assert worse[0]["constraint_check_type"] == "bias_drift_check"
    assert worse[0]["description"].endswith(" does not meet the constraint requirement")


@pytest.mark.parametrize(
    ("value", "dimension"),
    [
        ("f", "f"),
        ("caf\u00e9", "caf\\xe9"),
        ("\u6599\u7406", "\\u6599\\u7406"),
        ("a\tb", "a\\tb"),
        ("", "(blank)"),
        ("x" * 2000, "x" * 1024),
    ],
    ids=["plain", "accent", "other-script", "control", "empty", "long"],
)
def test_a_value_of_the_data_is_a_dimension_that_cloudwatch_takes(
    value: str, dimension: str
) -> None:
    from outputs.metrics import single

    assert single("DI", 1, FacetValue=value)["Dimensions"] == [
        {"Name": "FacetValue", "Value": dimension}
    ]


def test_no_bias_of_a_ratio_is_one() -> None:
    from checks.bias_metrics import apart

    assert apart("DI", 0.8) == pytest.approx(0.2)
    assert apart("DPL", -0.3) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("favour", "status"), [(0.55, "Completed"), (0.9, "CompletedWithViolations")]
)
def test_the_script(favour: float, status: str, captured: Write, tmp_path: Path) -> None:
    rows = people(1, 3000)
    names = list(rows)
    lines = [",".join(map(str, row)) for row in zip(*rows.values(), strict=True)]
    (tmp_path / "train.csv").write_text("\n".join([",".join(names), *lines]))
    config = {"label": "label", "label_values_or_threshold": [1],
              "facet": [{"name_or_index": "sex", "value_or_threshold": ["f"]}]}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    shared = {"analysis_config": str(tmp_path / "config.json")}
    run("bias.py", tmp_path, "--source", str(tmp_path / "train.csv"), "--output",
        str(tmp_path / "baseline"), "--truth", "label", **shared)  # fmt: skip
    live = people(2, 1500, favour)
    events, labels = [], []
    for n, (sex, _, label, said) in enumerate(zip(*live.values(), strict=True)):
        request, answer = json.dumps({"sex": str(sex)}), json.dumps({"label": int(said)})
        events.append(event(request, "JSON", output=answer, inference_id=f"i{n}"))
        labels.append(truth_line(f"i{n}", str(label)))
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth/a.jsonl").write_text("\n".join(labels))
    message = run("bias.py", tmp_path, "--mode", "analyze", "--source", str(captured(events)),
                  "--baseline", str(tmp_path / "baseline"), "--output", str(tmp_path / "out"),
                  "--ground-truth", str(tmp_path / "truth"), "--publish", "Enabled",
                  "--schedule", "hourly", **shared)  # fmt: skip
    assert message.split(":")[0] == status
    found = read(tmp_path / "out/constraint_violations.json")
    assert found["version"] == "1.0"
    assert bool(found["violations"]) is (status != "Completed")
    page = (tmp_path / "out/drift.html").read_text()
    assert ("further from no bias</span>" in page) is (status != "Completed")
    assert {"sex=f, labels", "sex=f, predictions"} <= set(re.findall("<h3>(.*?)</h3>", page))
    imbalance = metrics_of(tmp_path)["bias_metric_CI"]
    assert {each["Name"]: each["Value"] for each in imbalance["Dimensions"]} == {
        "MonitoringSchedule": "hourly", "BiasStage": "Pre-training", "Label": "label",
        "LabelValue": "1", "Facet": "sex", "FacetValue": "f",
    }  # fmt: skip
