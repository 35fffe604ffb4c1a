"""Metrics that a monitoring container leaves in a file, published as the platform does.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-cloudwatch.html
"""

from __future__ import annotations

import json
from pathlib import Path

from localcloud import ministack_adapter as cloud

FILE = "output/metrics/cloudwatch/cloudwatch_metrics.jsonl"
NAMESPACE = "aws/sagemaker/Endpoints"
GROUPS = {
    "DataQuality": "data-metrics",
    "ModelQuality": "model-metrics",
    "ModelBias": "bias-metrics",
    "ModelExplainability": "explainability-metrics",
}
MOST = 500  # metrics that one PutMetricData takes


def publish(base: Path, kind: str) -> None:
    path = base / FILE
    if not path.is_file():
        return
    data = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for begin in range(0, len(data), MOST):
        cloud.client("cloudwatch").put_metric_data(
            Namespace=f"{NAMESPACE}/{GROUPS[kind]}", MetricData=data[begin : begin + MOST]
        )
