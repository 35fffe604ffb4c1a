"""The monitor's CloudWatch metrics: Model Monitor's own names, and the count the alarm watches.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-cloudwatch.html
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from chalicelib import clients, clock

# PutMetricData refuses names that begin with AWS/; Model Monitor's own begin in lower case.
ENDPOINTS = "aws/sagemaker/Endpoints"
OWN = "driftloop"
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
BATCH = 500
OLDEST = dt.timedelta(days=14)
Datum = dict[str, Any]
Metrics = tuple[str, list[Datum]]


def of_report(kind: str, data: Sequence[Datum], now: dt.datetime) -> Metrics:
    """What a monitoring job has found, as it would go to CloudWatch by a managed schedule.

    A look that caught up with what is older than CloudWatch takes leaves its report alone.
    """
    taken = [datum for datum in data if now - clock.parse(datum["Timestamp"]) < OLDEST]
    return f"{ENDPOINTS}/{kind}", taken


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


def _single(name: str, value: float) -> Datum:
    return {"MetricName": name, "Value": float(value)}
