"""CloudWatch metrics: a file beside the report, one where the managed platform publishes it, or
put from here.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-cloudwatch.html
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-cloudwatch.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from inputs.contract import Job
from inputs.window import UTC

ENDPOINTS, BATCH = "aws/sagemaker/Endpoints", "aws/sagemaker/ModelMonitoring"
DATA, MODEL, BIAS, EXPLAINABILITY = (
    "data-metrics",
    "model-metrics",
    "bias-metrics",
    "explainability-metrics",
)
FILE = "cloudwatch_metrics.jsonl"
OLDEST = timedelta(days=14)  # that CloudWatch takes
LONGEST, BLANK = 1024, "(blank)"  # of a dimension's value
A_CALL = 500  # metrics that one PutMetricData takes
# https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-bias-drift-cw.html
INFINITE = 2.348543e108
Datum = dict[str, Any]


def publish(job: Job, kind: str, data: Sequence[Datum]) -> None:
    """`data`: metrics without time and the job's dimensions, which are added here."""
    moment = job.window.end or datetime.now(UTC)
    named = dimensions(job)
    stamped = [
        {
            **datum,
            "Timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "Dimensions": [*named, *datum.get("Dimensions", [])],
        }
        for datum in data
    ]
    folders = [job.output]
    if job.publish:
        folders.append(job.base / "output" / "metrics" / "cloudwatch")
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(datum) + "\n" for datum in stamped)
        (folder / FILE).write_text(text, encoding="utf-8")
    if job.put and datetime.now(UTC) - moment < OLDEST:
        _put(f"{ENDPOINTS if job.endpoint else BATCH}/{kind}", stamped)


def dimensions(job: Job) -> list[dict[str, str]]:
    """Endpoint and MonitoringSchedule; of batch data the schedule alone."""
    named = {"Endpoint": job.endpoint, "MonitoringSchedule": job.schedule}
    return [{"Name": name, "Value": value} for name, value in named.items() if value]


def single(name: str, value: float, **named: str) -> Datum:
    """One value; infinities as AWS writes them, dimensions as CloudWatch takes them."""
    datum: Datum = {"MetricName": name, "Value": max(-INFINITE, min(INFINITE, float(value)))}
    if named:
        datum["Dimensions"] = [{"Name": key, "Value": ascii_(text)} for key, text in named.items()]
    return datum


def ascii_(text: str) -> str:
    """A value from the data as a dimension's: different ones stay different.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
    """
    return text.encode("unicode_escape").decode()[:LONGEST] if text.strip() else BLANK


def data_quality(
    statistics: Mapping[str, Any], distances: Iterable[tuple[str, float]]
) -> list[Datum]:
    """feature_data_, feature_non_null_ and feature_baseline_drift_ of each feature."""
    found: list[Datum] = []
    for feature in statistics["features"]:
        numbers = feature.get("numerical_statistics")
        common = (numbers or feature["string_statistics"])["common"]
        total = common["num_present"] + common["num_missing"]
        if numbers:
            summary = {
                "SampleCount": float(common["num_present"]),
                "Sum": numbers["sum"],
                "Minimum": numbers["min"],
                "Maximum": numbers["max"],
            }
            found.append(
                {"MetricName": f"feature_data_{feature['name']}", "StatisticValues": summary}
            )
        if total:
            share = common["num_present"] / total
            found.append(single(f"feature_non_null_{feature['name']}", share))
    return [*found, *(single(f"feature_baseline_drift_{name}", d) for name, d in distances)]


def _put(namespace: str, data: Sequence[Datum]) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html"""
    import boto3

    client = boto3.client("cloudwatch")
    for begin in range(0, len(data), A_CALL):
        client.put_metric_data(Namespace=namespace, MetricData=data[begin : begin + A_CALL])
