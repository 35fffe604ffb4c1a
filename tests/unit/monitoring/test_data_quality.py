"""The data-quality script as a container runs it: files, status, metrics, failure."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import PYTHON, ROOT, Write, event, metrics_of, read, run


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the baseline of a csv dataset."""
    base = tmp_path_factory.mktemp("baseline")
    rows = "".join(f"{i % 50},{i / 7:.3f},{'ab'[i % 2]}\n" for i in range(600))
    (base / "data.csv").write_text("Age,Weight,Colour\n" + rows)
    message = run("data_quality.py", base, "--source", str(base / "data.csv"),
                  "--output", str(base / "out"))  # fmt: skip
    assert message == "Completed: baseline of 600 records, 3 features."
    return base / "out"


def managed(baseline: Path, source: Path, **more: str) -> dict[str, str]:
    """The environment that a monitoring schedule sets."""
    return {
        "dataset_format": '{"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput"]}}',
        "dataset_source": str(source),
        "output_path": "/opt/ml/processing/resultdata",
        "baseline_constraints": str(baseline / "constraints.json"),
        "baseline_statistics": str(baseline / "statistics.json"),
        "start_time": "2026-03-01T12:00:00Z",
        "end_time": "2026-03-01T13:00:00Z",
        "publish_cloudwatch_metrics": "Enabled",
        "sagemaker_endpoint_name": "reviews",
        "sagemaker_monitoring_schedule_name": "hourly",
        **more,
    }


def lines(shift: float) -> list[Any]:
    return [event(f"{i % 50},{i / 7 + shift:.3f},{'ab'[i % 2]}") for i in range(600)]


def test_a_schedules_run_without_drift(baseline: Path, captured: Write, tmp_path: Path) -> None:
    message = run("data_quality.py", tmp_path, **managed(baseline, captured(lines(0))))
    assert message == "Completed: Job completed successfully with no violations."
    report = tmp_path / "processing/resultdata"
    assert read(report / "constraint_violations.json") == {"violations": []}
    assert read(report / "constraints.json") == read(baseline / "constraints.json")
    assert read(report / "statistics.json")["dataset"]["item_count"] == 600
    assert not any(each["drifted"] for each in read(report / "drift.json")["comparisons"])


def test_a_schedules_run_with_drift(baseline: Path, captured: Write, tmp_path: Path) -> None:
    message = run("data_quality.py", tmp_path, **managed(baseline, captured(lines(40))))
    assert message == ("CompletedWithViolations: Job completed successfully with 1 violations.")
    report = tmp_path / "processing/resultdata"
    (found,) = read(report / "constraint_violations.json")["violations"]
    assert (found["feature_name"], found["constraint_check_type"]) == (
        "weight", "baseline_drift_check",
    )  # fmt: skip
    worst = read(report / "drift.json")["comparisons"][0]
    assert (worst["feature_name"], worst["drifted"]) == ("weight", True)
    assert {"linf", "linf_robust", "wasserstein", "psi", "jensen_shannon"} <= set(worst)


def test_earlier_looks_are_drawn_beside_this_one(
    baseline: Path, captured: Write, tmp_path: Path
) -> None:
    """They lie in the job's input `history` as the loop lists them: a folder a look."""
    told = {"distance": 0.2, "threshold": 0.1, "drifted": True}
    for hour in (11, 10):
        look = tmp_path / f"processing/input/history/2026-03-01T{hour}-00-00-a1b2c3"
        look.mkdir(parents=True)
        earlier = {"comparisons": [told], "end": f"2026-03-01T{hour}:00:00Z"}
        (look / "drift.json").write_text(json.dumps(earlier))
    history = str(tmp_path / "processing/input/history")
    run("data_quality.py", tmp_path, **managed(baseline, captured(lines(0)), HISTORY=history))
    page = (tmp_path / "processing/resultdata/drift.html").read_text()
    assert "The last 3 runs" in page
    ten, eleven = (page.index(f"2026-03-01T{hour}:00:00Z") for hour in (10, 11))
    assert ten < eleven


def test_metrics_for_the_platform_to_publish(
    baseline: Path, captured: Write, tmp_path: Path
) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-cloudwatch.html"""
    run("data_quality.py", tmp_path, **managed(baseline, captured(lines(40))))
    found = metrics_of(tmp_path)
    assert set(found) == {
        *(f"feature_data_{name}" for name in ("age", "weight")),
        *(f"feature_non_null_{name}" for name in ("age", "weight", "colour")),
        *(f"feature_baseline_drift_{name}" for name in ("age", "weight", "colour")),
    }
    age = found["feature_data_age"]
    assert age["StatisticValues"] == {
        "SampleCount": 600.0, "Sum": pytest.approx(14700.0), "Minimum": 0.0, "Maximum": 49.0,
    }  # fmt: skip
    assert age["Timestamp"] == "2026-03-01T13:00:00Z"
    assert age["Dimensions"] == [
        {"Name": "Endpoint", "Value": "reviews"},
        {"Name": "MonitoringSchedule", "Value": "hourly"},
    ]
    assert found["feature_non_null_colour"]["Value"] == 1.0
    assert found["feature_baseline_drift_weight"]["Value"] > 0.4


def test_a_batch_in_parquet(baseline: Path, tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({"age": range(300), "weight": [1.0] * 300, "colour": ["a"] * 300})
    frame.to_parquet(tmp_path / "batch.parquet")
    variables = managed(baseline, tmp_path / "batch.parquet", dataset_format='{"parquet": {}}')
    message = run("data_quality.py", tmp_path, **{**variables, "start_time": "", "end_time": ""},
                  MODE="analyze")  # fmt: skip
    assert message.startswith("CompletedWithViolations")


def test_too_few_records_are_described_and_not_judged(
    baseline: Path, captured: Write, tmp_path: Path
) -> None:
    variables = managed(baseline, captured(lines(40)[:20]), MIN_RECORDS="50")
    assert run("data_quality.py", tmp_path, **variables).startswith("Completed:")
    assert read(tmp_path / "processing/resultdata/statistics.json")["dataset"]["item_count"] == 20


def test_what_cannot_be_read_is_told_wherever_the_look_is(
    baseline: Path, captured: Write, tmp_path: Path
) -> None:
    strange = [event("?", "BASE64", number=n) for n in range(3)]
    message = run(
        "data_quality.py", tmp_path, **managed(baseline, captured([*lines(40), *strange]))
    )
    assert message.endswith(" Not read: 3 payloads that are no text.")
    folder = tmp_path / "processing/resultdata"
    assert read(folder / "drift.json")["not_read"] == {"payloads that are no text": 3}
    assert "Not read: 3 payloads that are no text." in (folder / "drift.html").read_text()


def test_no_traffic_is_no_failure(baseline: Path, captured: Write, tmp_path: Path) -> None:
    old = [event("1,1,a", moment="2026-02-01T00:00:00Z")]
    message = run("data_quality.py", tmp_path, **managed(baseline, captured(old)))
    assert message == "Completed: Job completed successfully with no violations."
    statistics = read(tmp_path / "processing/resultdata/statistics.json")
    assert statistics["dataset"]["item_count"] == 0
    assert (tmp_path / "processing/resultdata/drift.html").stat().st_size > 1000


def test_users_scripts_run_before_and_after(
    baseline: Path, captured: Write, tmp_path: Path
) -> None:
    before, after = tmp_path / "before.py", tmp_path / "after.py"
    before.write_text(
        "def preprocess_handler(inference_record):\n"
        "    age, weight, colour = inference_record.endpoint_input.data.split(',')\n"
        "    return {'age': int(age), 'weight': float(weight) + 99, 'colour': colour}\n"
    )
    after.write_text(
        f"def postprocess_handler():\n    open({str(tmp_path / 'done')!r}, 'w').close()\n"
    )
    variables = managed(baseline, captured(lines(0)), record_preprocessor_script=str(before),
                        post_analytics_processor_script=str(after))  # fmt: skip
    assert run("data_quality.py", tmp_path, **variables).startswith("CompletedWithViolations")
    assert (tmp_path / "done").exists()


def test_without_a_baseline_the_records_are_described_and_constraints_suggested(
    baseline: Path, captured: Write, tmp_path: Path
) -> None:
    variables = managed(baseline, captured(lines(40)), baseline_constraints="",
                        baseline_statistics="", MODE="analyze")  # fmt: skip
    message = run("data_quality.py", tmp_path, **variables)
    assert message == "Completed: Job completed successfully with no violations."
    report = tmp_path / "processing/resultdata"
    assert read(report / "statistics.json")["dataset"]["item_count"] == 600
    suggested = [each["inferred_type"] for each in read(report / "constraints.json")["features"]]
    assert suggested == ["Integral", "Fractional", "String"]
    assert (report / "drift.html").exists()


@pytest.mark.parametrize(
    ("records", "checks"),
    [
        ([event(f"{i % 50},{i / 7 + 40:.3f},a") for i in range(600)], []),
        (
            [event(f"{i % 50 if i % 2 else ''},{i / 7:.3f},z") for i in range(600)],
            ["completeness_check", "categorical_values_check"],
        ),
    ],
    ids=["moved", "missing and unknown"],
)
def test_by_constraints_alone_no_distribution_is_judged(
    records: list[Any], checks: list[str], baseline: Path, captured: Write, tmp_path: Path
) -> None:
    variables = managed(baseline, captured(records), baseline_statistics="")
    run("data_quality.py", tmp_path, **variables)
    found = read(tmp_path / "processing/resultdata/constraint_violations.json")["violations"]
    assert [each["constraint_check_type"] for each in found] == checks


def test_a_failure_is_told_in_the_exit_message(tmp_path: Path) -> None:
    """A baseline may be left out; one that is named has to be there."""
    message = run("data_quality.py", tmp_path, fails=True, MODE="analyze",
                  baseline_constraints="/opt/ml/processing/baseline/constraints.json")  # fmt: skip
    assert message.startswith("Failed: FileNotFoundError")


def test_help_names_every_option() -> None:
    done = subprocess.run(
        [str(PYTHON), str(ROOT / "monitoring_code" / "data_quality.py"), "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "constraint_violations.json" in done.stdout
    assert "--start-offset" in done.stdout
