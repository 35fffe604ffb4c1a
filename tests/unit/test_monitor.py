"""The monitors' pure parts: windows, counts, violations, what a pipeline can be judged by."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import json
from typing import Any

import pytest

from chalicelib import clock, metrics, settings
from chalicelib.monitoring import bias, capture, data_quality, kinds, looks, windows

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
    found = windows.days(NOW, f"2026-{in_service}:00Z", until, dt.timedelta(days=3))
    moments = [clock.parse(f"2026-{edge}:00Z") for edge in edges]
    assert found == list(itertools.pairwise(moments))


def test_a_model_that_is_younger_than_the_capture_is_late_has_nothing_to_judge() -> None:
    [(start, end)] = windows.days(NOW, "2026-03-01T12:03:00Z", None, dt.timedelta(days=3))
    assert start == end == clock.parse("2026-03-01T12:03:00Z")


def test_a_window_takes_in_the_last_second() -> None:
    [(start, end)] = windows.days(
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
    execution = {"scheduled_at": "2026-03-01T12:00:00Z", "capture_delay_seconds": 300}
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
        (line('[{"a": 1}, {"a": 2}]'), 2),
        (line('{"a": 1}\n{"a": 2}\n\n{"a": 3}\n'), 3),
        (line('{"instances": [[1, 2], [3, 4]]}'), 2),
        (line('1,"two\nlines"\n2,b\n', "CSV"), 2),
        (line(base64.b64encode(b"1,a\n2,b").decode(), "BASE64"), 2),
        (line(base64.b64encode(b'{"a": 1}\n{"a": 2}').decode(), "BASE64"), 2),
        # The job tells of what it cannot read.
        (line("?", "BASE64"), 1),
        (line('{"a": 1'), 1),
        (line("x", "PNG"), 1),
        (line('{"records": []}', moment="2026-03-01T12:00:00Z"), 0),
        (line('{"a": 1}', moment="2026-03-01T10:59:59Z"), 0),
        (b"not json", 0),
        (b"{}", 0),
    ],
)
def test_the_records_of_a_captured_request(captured: bytes, records: int) -> None:
    assert capture.of_line(captured, clock.parse("2026-03-01T11:00:00Z"), NOW) == records


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
    found = data_quality.violation(
        {"feature_name": "f", "constraint_check_type": "c", "description": description}
    )
    pair = (found["distance"], found["threshold"]) if "distance" in found else None
    assert pair == numbers


@pytest.mark.parametrize(
    ("kind", "found", "shown"),
    [
        (
            "model-quality",
            {"metric_name": "accuracy", "description": "Metric accuracy with 0.3", "more": 1},
            {"feature_name": "accuracy", "description": "Metric accuracy with 0.3"},
        ),
        (
            "bias",
            {"facet": "vine", "facet_value": "Y", "metric_name": "DPPL", "value": 0.4321,
             "baseline_value": 0.1, "description": "Value 0.4321 does not"},
            {"feature_name": "vine=Y DPPL",
             "description": "0.432 is further from no bias than the baseline's 0.1"},
        ),
        (
            "bias",
            {"facet": "vine", "facet_value": "Y", "metric_name": "DPPL",
             "description": "Value 0.4321 does not meet the constraint requirement"},
            {"feature_name": "vine=Y DPPL",
             "description": "Value 0.4321 does not meet the constraint requirement"},
        ),
        (
            "attribution",
            {"label": "4", "metric_name": "shap", "description": "It has moved"},
            {"feature_name": "ranking for 4", "description": "It has moved"},
        ),
        (
            "attribution",
            {"label": "5", "metric_name": "shap",
             "description": "Feature attribution drift 0.75 exceeds threshold 0.9"},
            {"feature_name": "ranking for 5", "distance": 0.25, "threshold": 0.1,
             "description": "Feature attribution drift 0.75 exceeds threshold 0.9"},
        ),
    ],
)  # fmt: skip
def test_violations_of_all_kinds_read_alike(
    kind: str, found: dict[str, Any], shown: dict[str, Any]
) -> None:
    violation = kinds.KINDS[kind].violation({"constraint_check_type": "c", **found})
    assert violation == {"constraint_check_type": "c", **shown}


def configured(**changes: dict[str, Any]) -> settings.Settings:
    """The project's settings with members of sections changed."""
    given = settings.load()
    sections = {
        name: getattr(given, name).model_copy(update=change) for name, change in changes.items()
    }
    return given.model_copy(update=sections)


@pytest.mark.parametrize(
    ("kind", "changes", "why"),
    [
        ("data-quality", {}, ""),
        (
            "data-quality",
            {"monitor": {"kinds": ("bias",)}},
            "monitor.kinds leaves data-quality out",
        ),
        ("bias", {}, ""),
        ("bias", {"evaluation": {"facets": ()}}, "evaluation.facets names no group"),
        ("bias", {"evaluation": {"facets": ("vine",)}}, "requests carry no vine"),
        ("bias", {"model": {"problem": "regression"}}, "a regression has none"),
        ("attribution", {}, "the model reads one column"),
        ("attribution", {"model": {"features": ("product_category",)}}, ""),
    ],
)
def test_what_a_pipeline_cannot_be_judged_by(
    kind: str, changes: dict[str, dict[str, Any]], why: str
) -> None:
    found = kinds.unfit(kinds.KINDS[kind], configured(**changes))
    assert found.startswith(why) if not why else why in found
    assert bool(found) is bool(why)


def test_the_baselines_that_a_new_model_makes() -> None:
    assert kinds.of_model(configured()) == ["model-quality", "bias"]
    reads = {"model": {"features": ("product_category",)}, "monitor": {"kinds": ("attribution",)}}
    assert kinds.of_model(configured(**reads)) == ["attribution"]


def test_clarifys_configuration_names_the_facets_that_requests_carry() -> None:
    changed = {"facets": ("vine", "verified_purchase"), "group": "product_category"}
    assert bias.config(configured(evaluation=changed)) == {
        "label": "star_rating",
        "label_values_or_threshold": [4, 5],
        "facet": [{"name_or_index": "verified_purchase"}],
        "group_variable": "product_category",
    }
    assert "group_variable" not in bias.config(configured(evaluation={"group": "vine"}))


def test_metrics_of_a_report_go_out_under_model_monitors_namespace() -> None:
    found = [{"MetricName": "x", "Timestamp": "2026-03-01T11:00:00Z"}]
    namespace, data = metrics.of_report(kinds.KINDS["attribution"].metrics, found, NOW)
    assert namespace == "aws/sagemaker/Endpoints/explainability-metrics"
    assert data == found


def test_metrics_older_than_cloudwatch_takes_are_left_out() -> None:
    found = [{"MetricName": "x", "Timestamp": f"2026-02-{day}T12:00:00Z"} for day in (15, 16)]
    _, data = metrics.of_report("data-metrics", found, NOW)
    assert data == found[1:]
