"""`CloudWatch Alarm State Change` events, for metric and composite alarms.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.cloudwatch import alarms
from localcloud.cloudwatch.alarms import CLOUDWATCH

FIRST = "Unchecked: Initial alarm creation"

_last: dict[str, dict[str, Any]] = {}  # an alarm's last state, by ARN, as its next event tells it


def install() -> None:
    """Emit an event at each change of state, before the alarm's own actions run."""
    adapter.replace(CLOUDWATCH, "_dispatch_alarm_actions", _emitting)
    adapter.on_ready(_remember)


def _remember() -> None:
    """Take over the states of alarms saved by an earlier cloud."""
    cloudwatch = adapter.part(CLOUDWATCH)
    for alarm in [*cloudwatch._alarms.values(), *cloudwatch._composite_alarms.values()]:
        _last[alarm["AlarmArn"]] = {
            "value": alarm["StateValue"],
            "reason": alarm.get("StateReason", FIRST),
            "timestamp": _stamp(float(alarm.get("StateUpdatedTimestamp", time.time()))),
        }


def _emitting(original: Callable[..., None]) -> Callable[..., None]:
    def dispatch(alarm: dict[str, Any], before: str, after: str, reason: str) -> None:
        emit(alarm, before)
        original(alarm, before, after, reason)

    return dispatch


def emit(alarm: dict[str, Any], before: str) -> None:
    """Put the event of a change that has just been made."""
    arn = alarm["AlarmArn"]
    state = _state(alarm)
    previous = _last.get(arn)
    if previous is None or previous["value"] != before:
        changed = alarm.get("AlarmConfigurationUpdatedTimestamp") or time.time()
        previous = {"value": before, "reason": FIRST, "timestamp": _stamp(float(changed))}
    _last[arn] = state
    detail = {
        "alarmName": alarm["AlarmName"],
        "configuration": configuration(alarm),
        "previousState": previous,
        "state": state,
    }
    adapter.put_event("aws.cloudwatch", "CloudWatch Alarm State Change", detail, [arn])


def _state(alarm: dict[str, Any]) -> dict[str, Any]:
    state = {
        "value": alarm["StateValue"],
        "reason": alarm["StateReason"],
        "timestamp": _stamp(time.time()),
    }
    data = alarm.get("StateReasonData")
    if "AlarmRule" not in alarm and alarm.get("ComparisonOperator"):
        data = _reason_data(alarm)
    return state | ({"reasonData": data} if data else {})


def _reason_data(alarm: dict[str, Any]) -> str:
    """What the state was judged by, as JSON text."""
    now = time.time()
    points = [point for point in alarms.datapoints(alarm, now) if point.value is not None]
    data = {
        "version": "1.0",
        "queryDate": _stamp(now),
        "statistic": alarm.get("ExtendedStatistic") or alarm.get("Statistic"),
        "period": alarm.get("Period"),
        "recentDatapoints": [point.value for point in points],
        "threshold": float(alarm["Threshold"]),
        "evaluatedDatapoints": [
            {
                "timestamp": _stamp(point.start),
                "sampleCount": point.samples,
                "value": point.value,
            }
            for point in reversed(points)
        ],
    }
    if points:
        data["startDate"] = _stamp(points[0].start)
    if alarm.get("Unit"):
        data["unit"] = alarm["Unit"]
    return json.dumps(data, separators=(",", ":"))


def configuration(alarm: dict[str, Any]) -> dict[str, Any]:
    """The alarm's settings as its events carry them."""
    about = {"description": alarm["AlarmDescription"]} if alarm.get("AlarmDescription") else {}
    if "AlarmRule" in alarm:
        return about | {"alarmRule": alarm["AlarmRule"]}
    if not alarm.get("MetricName"):
        return about | {"metrics": [_lower_keys(metric) for metric in alarm.get("Metrics", [])]}
    dimensions = {entry["Name"]: entry["Value"] for entry in alarm.get("Dimensions") or []}
    metric = {
        "namespace": alarm["Namespace"],
        "name": alarm["MetricName"],
        "dimensions": dimensions,
    }
    stat = {
        "metric": metric,
        "period": alarm.get("Period"),
        "stat": alarm.get("ExtendedStatistic") or alarm.get("Statistic"),
    }
    if alarm.get("Unit"):
        stat["unit"] = alarm["Unit"]
    # CloudWatch makes an id for the one metric of a simple alarm.
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, alarm["AlarmArn"]))
    query = {"id": name, "metricStat": stat, "returnData": True}
    return about | {"metrics": [query]}


def _lower_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _lower_keys(item) for key, item in value.items()}
    return [_lower_keys(item) for item in value] if isinstance(value, list) else value


def _stamp(when: float) -> str:
    moment = datetime.fromtimestamp(when, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"
