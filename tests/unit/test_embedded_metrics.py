"""Embedded metric format: which metrics a log line holds.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.cloudwatch.embedded_metrics import Metric, extract


def line(directive: dict[str, Any], **values: Any) -> str:
    about = {"Timestamp": 1574109732004, "CloudWatchMetrics": [{"Namespace": "shop"} | directive]}
    return json.dumps({"_aws": about} | values)


def test_one_metric_for_each_set_of_dimensions():
    text = line(
        {
            "Dimensions": [["service"], ["service", "model"], []],
            "Metrics": [{"Name": "time", "Unit": "Milliseconds"}],
        },
        service="predict",
        model="7",
        time=12.5,
    )
    made = [
        Metric("shop", "time", [12.5], dimensions, "Milliseconds", 1574109732.004)
        for dimensions in ({"service": "predict"}, {"service": "predict", "model": "7"}, {})
    ]
    assert extract(text) == made


def test_several_values_and_several_metrics():
    text = line({"Metrics": [{"Name": "a"}, {"Name": "b"}]}, a=[1, 2.5], b=3)
    assert [(m.name, m.values, m.unit) for m in extract(text)] == [
        ("a", [1.0, 2.5], "None"),
        ("b", [3.0], "None"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "START RequestId: 1",
        '{"message": "no metric"}',
        '{"_aws": {"CloudWatchMetrics": "not a list"}}',
        line({"Metrics": [{"Name": "absent"}]}),
        line({"Dimensions": [["absent"]], "Metrics": [{"Name": "a"}]}, a=1),
        line({"Metrics": [{"Name": "a"}]}, a="not a number"),
        line({"Metrics": [{"Name": "a"}]}, a=1)[:-1],
    ],
)
def test_a_line_that_is_not_valid_gives_none(text: str):
    assert extract(text) == []
