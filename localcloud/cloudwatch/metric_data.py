"""What PutMetricData takes: points of two weeks past to two hours ahead, dimensions in ASCII.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localcloud import ministack_adapter as adapter

CLOUDWATCH = "ministack.services.cloudwatch"
OLDEST, NEWEST = 14 * 24 * 3600.0, 2 * 3600.0


def install() -> None:
    adapter.replace(CLOUDWATCH, "_put_metric_data", _checked)


def refusal(data: Sequence[Mapping[str, Any]], now: float) -> str:
    """Why the metrics are refused, "" where they are not; a Timestamp is in seconds."""
    for number, datum in enumerate(data, 1):
        named = f"MetricData.member.{number}"
        moment = datum.get("Timestamp")
        if moment is not None and moment < now - OLDEST:
            return f"The parameter {named}.Timestamp must specify a time no more than two weeks in the past."  # noqa: E501
        if moment is not None and moment > now + NEWEST:
            return f"The parameter {named}.Timestamp must specify a time no more than two hours in the future."  # noqa: E501
        for place, dimension in enumerate(datum.get("Dimensions", []), 1):
            value, where = str(dimension["Value"]), f"{named}.Dimensions.member.{place}.Value"
            if not value.strip():
                return f"The parameter {where} must contain at least one non-whitespace character."
            if not (value.isascii() and value.isprintable()):
                return f"The value {value} for parameter {where} contains non-ASCII characters."
    return ""


def _checked(original: Callable[..., Any]) -> Callable[..., Any]:
    """Of requests in CBOR or JSON, which SDKs send; the query protocol's pass as they come."""

    def put(params: Any, body: Any, is_cbor: bool, is_json: bool = False) -> Any:
        inner = adapter.part(CLOUDWATCH)
        data = [
            {**each, "Timestamp": inner._parse_ts(each.get("Timestamp"))}
            for each in (body or {}).get("MetricData", [])
        ]
        if why := refusal(data, time.time()):
            return inner._error("InvalidParameterValue", why, 400, is_json, is_cbor)
        return original(params, body, is_cbor, is_json)

    return put
