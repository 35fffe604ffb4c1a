"""Embedded metric format: metrics in log lines, from Lambda's logs and from PutLogEvents.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from localcloud import ministack_adapter as adapter

LOGS = "ministack.services.cloudwatch_logs"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Metric:
    """One metric found in a line."""

    namespace: str
    name: str
    values: list[float]
    dimensions: dict[str, str]
    unit: str
    timestamp: float


def install() -> None:
    """Read every line that reaches a log stream."""
    adapter.replace(LOGS, "_append_log_events", _reading)


def _reading(original: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def append(stream: Any, events: list[dict[str, Any]]) -> None:
        original(stream, events)
        for event in events:
            for metric in extract(str(event.get("message", ""))):
                adapter.put_metrics(
                    metric.namespace,
                    metric.name,
                    metric.values,
                    metric.dimensions,
                    metric.unit,
                    metric.timestamp,
                )

    return append


def extract(line: str) -> list[Metric]:
    """The metrics of a line; none where it is not valid embedded metric format."""
    if '"CloudWatchMetrics"' not in line:
        return []
    try:
        return list(_metrics(json.loads(line)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("not valid embedded metric format (%s): %.200s", error, line)
        return []


def _metrics(document: dict[str, Any]) -> Iterator[Metric]:
    about = document["_aws"]
    when = float(about["Timestamp"]) / 1000
    for directive in about["CloudWatchMetrics"]:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(document[name]) for name in names}
            for definition in directive["Metrics"]:
                name = definition["Name"]
                found = document[name]
                values = [float(v) for v in (found if isinstance(found, list) else [found])]
                unit = definition.get("Unit", "None")
                yield Metric(directive["Namespace"], name, values, dimensions, unit, when)
