"""The monitor's CloudWatch metrics: Model Monitor's own names, and the count the alarm watches.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-cloudwatch.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib import clients

# PutMetricData refuses names that begin with AWS/; Model Monitor's own begin in lower case.
DATA_QUALITY = "aws/sagemaker/Endpoints/data-metrics"
MODEL_QUALITY = "aws/sagemaker/Endpoints/model-metrics"
OWN = "driftloop"
BATCH = (
    500  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
)
Datum = dict[str, Any]
Metrics = tuple[str, list[Datum]]


def data_quality(
    statistics: Mapping[str, Any],
    violations: Sequence[Mapping[str, Any]],
    endpoint: str,
    schedule: str,
) -> Metrics:
    """feature_data_, feature_non_null_ and feature_baseline_drift_ of each feature."""
    dimensions = [
        {"Name": "Endpoint", "Value": endpoint},
        {"Name": "MonitoringSchedule", "Value": schedule},
    ]
    data: list[Datum] = []
    for feature in statistics["features"]:
        name = _name(feature["name"])
        numbers = feature.get("numerical_statistics") or {}
        common = (numbers or feature.get("string_statistics") or {}).get("common", {})
        present, missing = common.get("num_present", 0), common.get("num_missing", 0)
        if numbers:
            data.append(_summary(f"feature_data_{name}", numbers, present))
        if present + missing:
            data.append(_single(f"feature_non_null_{name}", present / (present + missing)))
    for feature, distance in _furthest(violations).items():
        data.append(_single(f"feature_baseline_drift_{_name(feature)}", distance))
    return DATA_QUALITY, [{**datum, "Dimensions": dimensions} for datum in data]


def model_quality(found: Mapping[str, Any], endpoint: str, schedule: str) -> Metrics:
    """Each single number of a model-quality report, under its name."""
    dimensions = [
        {"Name": "Endpoint", "Value": endpoint},
        {"Name": "MonitoringSchedule", "Value": schedule},
    ]
    numbers = {name: each.get("value") for name, each in found.items()}
    return MODEL_QUALITY, [
        {**_single(name, value), "Dimensions": dimensions}
        for name, value in numbers.items()
        if isinstance(value, int | float)
    ]


def violations(count: int, pipeline: str, monitor: str) -> Metrics:
    """What a monitor's alarm watches."""
    dimensions = [
        {"Name": "Pipeline", "Value": pipeline},
        {"Name": "Monitor", "Value": monitor},
    ]
    return OWN, [{**_single("Violations", count), "Unit": "Count", "Dimensions": dimensions}]


def emit(name: str, count: int, **dimensions: str) -> None:
    """A count in CloudWatch's embedded metric format, on the function's own log.

    https://docs.aws.amazon.com/powertools/python/latest/core/metrics/
    """
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    with single_metric(name=name, unit=MetricUnit.Count, value=count, namespace=OWN) as metric:
        for key, value in dimensions.items():
            metric.add_dimension(name=key, value=value)


def publish(*groups: Metrics) -> None:
    for namespace, data in groups:
        for begin in range(0, len(data), BATCH):
            clients.client("cloudwatch").put_metric_data(
                Namespace=namespace, MetricData=data[begin : begin + BATCH]
            )


def _furthest(violations: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The largest distance of each feature that drifted."""
    found: dict[str, float] = {}
    for violation in violations:
        if "distance" in violation:
            feature = str(violation["feature_name"])
            found[feature] = max(found.get(feature, 0.0), violation["distance"])
    return found


def _summary(name: str, numbers: Mapping[str, Any], count: int) -> Datum:
    if not count:
        return _single(name, 0.0)
    summary = {
        "SampleCount": count,
        "Sum": numbers["sum"],
        "Minimum": numbers["min"],
        "Maximum": numbers["max"],
    }
    return {"MetricName": name, "StatisticValues": summary}


def _single(name: str, value: float) -> Datum:
    return {"MetricName": name, "Value": float(value)}


def _name(feature: str) -> str:
    """Baselines' column names: lower case, digits and _."""
    return re.sub(r"[^a-z0-9_]", "_", feature.lower())
