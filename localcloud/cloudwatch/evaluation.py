"""What state an alarm should be in: pure functions of its settings, its datapoints and the time.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

COMPARE: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}


@dataclass(frozen=True)
class Datapoint:
    """One period of a metric; the value is None where no data came."""

    start: float
    value: float | None
    samples: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """The state that the datapoints call for; None where they leave it as it is."""

    state: str | None
    reason: str


def decide(alarm: dict[str, Any], points: Sequence[Datapoint]) -> Verdict:
    """The state of a metric alarm, given its evaluation range, oldest datapoint first.

    The range is longer than the evaluation periods: the latest datapoints that are there count,
    and only what is still lacking is filled in as `TreatMissingData` says.
    """
    compare = COMPARE[alarm["ComparisonOperator"]]
    threshold = float(alarm["Threshold"])
    periods = int(alarm.get("EvaluationPeriods") or 1)
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    treatment = alarm.get("TreatMissingData") or "missing"
    real = [point for point in points if point.value is not None][-periods:]
    breaching = [point for point in real if compare(float(point.value or 0), threshold)]
    absent = periods - len(real)
    if not real:
        return _without_data(treatment, absent)
    enough = len(breaching) + (absent if treatment == "breaching" else 0) >= needed
    undecided = len(breaching) == len(real) and len(breaching) < needed
    if undecided and treatment == "ignore":
        return Verdict(None, "")
    if enough or (undecided and treatment == "missing"):
        return Verdict("ALARM", _crossed(alarm, breaching or real, needed, periods, True))
    calm = [point for point in real if point not in breaching]
    return Verdict("OK", _crossed(alarm, calm or real, periods - needed + 1, periods, False))


def _without_data(treatment: str, absent: int) -> Verdict:
    if treatment == "ignore":
        return Verdict(None, "")
    plural, verb = ("s", "were") if absent > 1 else ("", "was")
    if treatment == "missing":
        reason = f"Insufficient Data: {absent} datapoint{plural} {verb} unknown."
        return Verdict("INSUFFICIENT_DATA", reason)
    state, word = ("ALARM", "Breaching") if treatment == "breaching" else ("OK", "NonBreaching")
    reason = (
        f"Threshold Crossed: no datapoints were received for {absent} period{plural} and "
        f"{absent} missing datapoint{plural} {verb} treated as [{word}]."
    )
    return Verdict(state, reason)


def _crossed(
    alarm: dict[str, Any], points: Sequence[Datapoint], needed: int, periods: int, bad: bool
) -> str:
    """The reason in CloudWatch's words."""
    shown = ", ".join(f"{point.value} ({_minute(point.start)})" for point in reversed(points[-5:]))
    number = len(points)
    verb = "were" if number > 1 else "was"
    side = "" if bad else "not "
    minimum = "datapoint" if needed == 1 else "datapoints"
    change = "OK -> ALARM" if bad else "ALARM -> OK"
    return (
        f"Threshold Crossed: {number} out of the last {periods} datapoints [{shown}] {verb} "
        f"{side}{WORDS[alarm['ComparisonOperator']]} the threshold ({float(alarm['Threshold'])}) "
        f"(minimum {needed} {minimum} for {change} transition)."
    )


def _minute(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%d/%m/%y %H:%M:%S")
