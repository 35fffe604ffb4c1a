"""The monitor's pure parts: windows, counts, distances, metrics."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import json
from typing import Any

import pytest

from chalicelib import clock, metrics, settings
from chalicelib.monitoring import capture, looks, model_quality, monitor

NOW = clock.parse("2026-03-01T12:00:00Z")


@pytest.mark.parametrize(
    ("in_service", "analysed", "edges"),
    [
        ("03-01T11:00", None, ["03-01T11:00", "03-01T12:00"]),
        ("03-01T11:00", "03-01T11:30", ["03-01T11:30", "03-01T12:00"]),
        ("03-01T11:00", "03-01T10:30", ["03-01T11:00", "03-01T12:00"]),
        ("02-28T12:00", None, ["02-28T12:00", "03-01T12:00"]),
        # Missed windows, a day each, and no further back than three days.
        ("02-01T00:00", "02-28T11:00", ["02-28T11:00", "03-01T11:00", "03-01T12:00"]),
        ("02-01T00:00", None, ["02-26T12:00", "02-27T12:00", "02-28T12:00", "03-01T12:00"]),
    ],
)
def test_windows(in_service: str, analysed: str | None, edges: list[str]) -> None:
    until = f"2026-{analysed}:00Z" if analysed else None
    found = monitor.windows(NOW, f"2026-{in_service}:00Z", until, dt.timedelta(days=3))
    moments = [clock.parse(f"2026-{edge}:00Z") for edge in edges]
    assert found == list(itertools.pairwise(moments))


def test_a_window_takes_in_the_present_second() -> None:
    [(start, end)] = monitor.windows(
        NOW.replace(microsecond=7),
        "2026-03-01T11:00:00.9Z",
        "2026-03-01T10:30:00Z",
        dt.timedelta(days=3),
    )
    assert (clock.text(start), clock.text(end)) == (
        "2026-03-01T11:00:00.000Z",
        "2026-03-01T12:00:01.000Z",
    )


def test_a_retried_begin_names_the_same_job() -> None:
    execution = {"start": "-PT1H", "scheduled_at": "2026-03-01T12:00:00Z"}
    name = looks.job_name("reviews", "data-quality", execution)
    assert name == looks.job_name("reviews", "data-quality", dict(execution))
    assert name.startswith("reviews-data-quality-20260301-120000-")
    assert len(name) <= 63


def test_hours_of_a_window() -> None:
    start = clock.parse("2026-02-28T23:59:59Z")
    assert list(capture.hours(start, start + dt.timedelta(seconds=2))) == [
        "2026/02/28/23/",
        "2026/03/01/00/",
    ]


def line(data: str, encoding: str = "JSON", moment: str = "2026-03-01T11:59:59Z") -> bytes:
    entry: dict[str, Any] = {
        "captureData": {"endpointInput": {"data": data, "encoding": encoding}},
        "eventMetadata": {"eventId": "x", "inferenceTime": moment},
    }
    return json.dumps(entry).encode()


@pytest.mark.parametrize(
    ("captured", "records"),
    [
        (line('{"records": [{"a": 1}, {"a": 2}]}'), 2),
        (line('{"a": 1}'), 1),
        (line(base64.b64encode(b'{"records": [{}]}').decode(), "BASE64"), 1),
        (line("?", "BASE64"), 0),
        (line('{"records": []}', moment="2026-03-01T12:00:00Z"), 0),
        (line('{"a": 1}', moment="2026-03-01T10:59:59Z"), 0),
        (b"not json", 0),
        (b"{}", 0),
    ],
)
def test_the_records_of_a_captured_request(captured: bytes, records: int) -> None:
    assert len(capture.of_line(captured, clock.parse("2026-03-01T11:00:00Z"), NOW)) == records


@pytest.mark.parametrize(
    ("description", "numbers"),
    [
        ("distance: 0.42 exceeds threshold: 0.1", (0.42, 0.1)),
        ("Baseline drift distance: 0.42 exceeds threshold: 0.1.", (0.42, 0.1)),
        ("distance: 1e-3 exceeds threshold: 5e-4 (length)", (0.001, 0.0005)),
        ("Data type match requirement is not met", None),
    ],
)
def test_reads_distances(description: str, numbers: tuple[float, float] | None) -> None:
    found = monitor.distances(
        {"feature_name": "f", "constraint_check_type": "c", "description": description}
    )
    pair = (found["distance"], found["threshold"]) if "distance" in found else None
    assert pair == numbers


def test_metrics_carry_model_monitors_names() -> None:
    statistics = {
        "features": [
            {
                "name": "Helpful Votes",
                "numerical_statistics": {
                    "common": {"num_present": 3, "num_missing": 1},
                    "sum": 6.0,
                    "min": 1.0,
                    "max": 3.0,
                },
            },
            {"name": "body", "string_statistics": {"common": {"num_present": 4, "num_missing": 0}}},
        ]
    }
    drifted = [{"feature_name": "body", "distance": 0.4}, {"feature_name": "body", "distance": 0.2}]
    namespace, data = metrics.data_quality(statistics, drifted, "reviews", "hourly")
    assert namespace == "aws/sagemaker/Endpoints/data-metrics"
    assert {datum["MetricName"]: datum.get("Value") for datum in data} == {
        "feature_data_helpful_votes": None,
        "feature_non_null_helpful_votes": 0.75,
        "feature_non_null_body": 1.0,
        "feature_baseline_drift_body": 0.4,
    }
    assert {d["Name"] for d in data[0]["Dimensions"]} == {"Endpoint", "MonitoringSchedule"}


def test_live_accuracy_is_judged_by_the_evaluations() -> None:
    evaluation = {
        "version": 0.0,
        "multiclass_classification_metrics": {
            "accuracy": {"value": 0.61, "standard_deviation": 0.02},
            "auc": {"value": 0.9, "standard_deviation": 0.01},
        },
    }
    documents = model_quality.baseline(evaluation, settings.load())
    limits = documents["constraints.json"]
    assert limits["multiclass_classification_constraints"] == {
        "accuracy": {"threshold": 0.61, "comparison_operator": "LessThanThreshold"}
    }
    assert limits["significance_constraints"]["minimum_change"] == 0.1
    known = documents["statistics.json"]["multiclass_classification_metrics"]
    assert known["accuracy"]["standard_error"] == 0.02


def test_an_evaluation_without_the_metric_is_told() -> None:
    with pytest.raises(model_quality.EvaluationError, match=r"_metrics\.accuracy"):
        model_quality.baseline({"multiclass_classification_metrics": {}}, settings.load())


def test_model_quality_metrics_are_the_reports_numbers() -> None:
    report = {"accuracy": {"value": 0.5}, "auc": {"value": "NaN"}, "confusion_matrix": {"1": {}}}
    namespace, data = metrics.model_quality(report, "reviews", "hourly")
    assert namespace == "aws/sagemaker/Endpoints/model-metrics"
    assert [(datum["MetricName"], datum["Value"]) for datum in data] == [("accuracy", 0.5)]
