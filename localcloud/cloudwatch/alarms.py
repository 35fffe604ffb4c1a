"""Metric alarms evaluated by the clock, once a second, so that missing data counts too.

ministack evaluates when data comes, over all dimensions at once. Here a datapoint belongs to an
alarm only when its dimensions are exactly the alarm's, as on AWS. An alarm on AWS is evaluated
each period; here each second, so that nobody waits a minute for one.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from localcloud import ministack_adapter as adapter
from localcloud.cloudwatch.evaluation import COMPARE, Datapoint, decide

CLOUDWATCH = "ministack.services.cloudwatch"
TICK = 1.0
BEYOND = 2  # periods of the evaluation range beyond the evaluation periods

log = logging.getLogger(__name__)
_lock = threading.RLock()


def install() -> None:
    """Evaluate here, at each datum as before and at each tick."""
    adapter.replace(CLOUDWATCH, "_evaluate_alarm", _evaluated)
    adapter.replace(CLOUDWATCH, "_record_history", _to_the_millisecond)
    stopped = threading.Event()
    adapter.on_ready(lambda: threading.Thread(target=_tick, args=(stopped,), daemon=True).start())
    adapter.on_stop(stopped.set)


def _evaluated(original: Callable[[Any], None]) -> Callable[[Any], None]:
    """Alarms that we know how to judge are judged here; band and expression alarms are not."""

    def evaluate(alarm: dict[str, Any]) -> None:
        if alarm.get("MetricName") and alarm.get("ComparisonOperator") in COMPARE:
            judge(alarm, time.time())
        else:
            original(alarm)

    return evaluate


def _to_the_millisecond(original: Callable[..., None]) -> Callable[..., None]:
    """A change has its time in milliseconds: in whole seconds it lay before what had caused it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_AlarmHistoryItem.html
    """

    def record(*given: Any, **more: Any) -> None:
        with _lock:
            original(*given, **more)
            newest = adapter.part(CLOUDWATCH)._history_entries()[-1]
            newest["Timestamp"] = datetime.now(UTC).isoformat(timespec="milliseconds")

    return record


def _tick(stopped: threading.Event) -> None:
    cloudwatch = adapter.part(CLOUDWATCH)
    while not stopped.wait(TICK):
        for alarm in list(cloudwatch._alarms.values()):
            try:
                cloudwatch._evaluate_alarm(alarm)
            except Exception:
                log.exception("the alarm %s could not be evaluated", alarm.get("AlarmName"))


def state(name: str) -> str | None:
    """The state of a metric or composite alarm; None where there is none of that name."""
    cloudwatch = adapter.part(CLOUDWATCH)
    alarm = cloudwatch._alarms.get(name) or cloudwatch._composite_alarms.get(name)
    return str(alarm["StateValue"]) if alarm else None


def latest(name: str) -> float:
    """The last whole value that an alarm was judged by; 0 where there is none."""
    alarm = adapter.part(CLOUDWATCH)._alarms[name]
    values = [point.value for point in datapoints(alarm, time.time()) if point.value is not None]
    return values[-1] if values else 0.0


def judge(alarm: dict[str, Any], now: float) -> None:
    """Move an alarm to the state that its datapoints call for, and act on the change."""
    with _lock:
        verdict = decide(alarm, datapoints(alarm, now))
        before = alarm["StateValue"]
        if verdict.state is None or verdict.state == before:
            return
        # History first: who sees the state may ask for it at once.
        cloudwatch = adapter.part(CLOUDWATCH)
        cloudwatch._record_history(alarm["AlarmName"], before, verdict.state, verdict.reason)
        alarm["StateValue"] = verdict.state
        alarm["StateReason"] = verdict.reason
        alarm["StateUpdatedTimestamp"] = int(now)
        alarm["StateTransitionedTimestamp"] = int(now)
    # Outside the lock: what an action starts may itself put metrics.
    cloudwatch._dispatch_alarm_actions(alarm, before, verdict.state, verdict.reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def datapoints(alarm: dict[str, Any], now: float) -> list[Datapoint]:
    """The alarm's evaluation range up to now, the running period included when data came in it."""
    cloudwatch = adapter.part(CLOUDWATCH)
    period = int(alarm.get("Period") or 60)
    number = int(alarm.get("EvaluationPeriods") or 1) + BEYOND
    stored = _stored(alarm)
    last = math.floor(now / period) * period
    if not any(point["Timestamp"] >= last for point in stored):
        last -= period
    statistic = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    found = []
    for start in range(int(last) - (number - 1) * period, int(last) + 1, period):
        inside = [point for point in stored if start <= point["Timestamp"] < start + period]
        stats = cloudwatch._calc_stats(inside)
        value = cloudwatch._stat_value(stats, statistic, inside) if stats else None
        found.append(Datapoint(start, value, stats.get("SampleCount", 0.0)))
    return found


def _stored(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    cloudwatch = adapter.part(CLOUDWATCH)
    dimensions = alarm.get("Dimensions") or []
    wanted = cloudwatch._dims_key({entry["Name"]: entry["Value"] for entry in dimensions})
    unit = alarm.get("Unit")
    points = cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], wanted)) or []
    return [point for point in list(points) if not unit or point.get("Unit") == unit]
