"""An alarm's state by its datapoints: the tables of CloudWatch's documentation.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.cloudwatch.evaluation import Datapoint, Verdict, decide

TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
KEEP = None

# Datapoints (0 calm, X breaching, - missing), then the state under each treatment.
THREE_OF_THREE = [
    ("0-X-X", "OK", "OK", "OK", "OK"),
    ("0----", "OK", "OK", "OK", "OK"),
    ("-----", "INSUFFICIENT_DATA", KEEP, "ALARM", "OK"),
    ("0XX-X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("--X--", "ALARM", KEEP, "ALARM", "OK"),
]
TWO_OF_THREE = [
    ("0-X-X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("00X0X", "ALARM", "ALARM", "ALARM", "ALARM"),
    ("0-X--", "OK", "OK", "ALARM", "OK"),
    ("----0", "OK", "OK", "ALARM", "OK"),
    ("---X-", "ALARM", KEEP, "ALARM", "OK"),
]


def alarm(**more: Any) -> dict[str, Any]:
    return {
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 5.0,
        "EvaluationPeriods": 3,
    } | more


def points(marks: str) -> list[Datapoint]:
    values = {"0": 1.0, "X": 9.0, "-": None}
    return [Datapoint(60 * at, values[mark]) for at, mark in enumerate(marks)]


@pytest.mark.parametrize(
    ("needed", "marks", "treatment", "state"),
    [
        (needed, marks, treatment, state)
        for needed, table in ((3, THREE_OF_THREE), (2, TWO_OF_THREE))
        for marks, *states in table
        for treatment, state in zip(TREATMENTS, states, strict=True)
    ],
)
def test_missing_data_is_treated_as_documented(
    needed: int, marks: str, treatment: str, state: str | None
):
    settings = alarm(DatapointsToAlarm=needed, TreatMissingData=treatment)
    assert decide(settings, points(marks)).state == state


@pytest.mark.parametrize(
    ("operator", "value", "state"),
    [
        ("GreaterThanThreshold", 5.0, "OK"),
        ("GreaterThanOrEqualToThreshold", 5.0, "ALARM"),
        ("LessThanThreshold", 5.0, "OK"),
        ("LessThanOrEqualToThreshold", 5.0, "ALARM"),
        ("LessThanThreshold", -1.0, "ALARM"),
    ],
)
def test_the_threshold_itself_counts_as_the_operator_says(operator: str, value: float, state: str):
    settings = alarm(ComparisonOperator=operator, EvaluationPeriods=1)
    assert decide(settings, [Datapoint(0, value)]).state == state


def test_missing_data_is_missing_unless_the_alarm_says_otherwise():
    assert decide(alarm(), points("-----")) == Verdict(
        "INSUFFICIENT_DATA", "Insufficient Data: 3 datapoints were unknown."
    )


def test_the_reason_is_in_cloudwatchs_words():
    reason = decide(alarm(DatapointsToAlarm=2), points("00X0X")).reason
    assert reason == (
        "Threshold Crossed: 2 out of the last 3 datapoints [9.0 (01/01/70 00:04:00), 9.0 "
        "(01/01/70 00:02:00)] were greater than the threshold (5.0) (minimum 2 datapoints for "
        "OK -> ALARM transition)."
    )
