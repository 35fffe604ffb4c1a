"""The schedules that SageMaker takes, and when they run.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ScheduleConfig.html
"""

from __future__ import annotations

from datetime import datetime

import pytest

from localcloud.sagemaker.errors import ApiError
from localcloud.sagemaker.monitoring import expressions


def seconds(moment: str) -> float:
    return datetime.fromisoformat(f"2026-03-{moment}:00Z").timestamp()


@pytest.mark.parametrize(
    ("expression", "after", "following", "before"),
    [
        ("cron(0 * ? * * *)", "01T11:59", "01T12:00", "01T11:00"),
        ("cron(0 * ? * * *)", "01T12:00", "01T13:00", "01T12:00"),
        ("cron(0 12 ? * * *)", "01T12:00", "02T12:00", "01T12:00"),
        ("cron(0 17/12 ? * * *)", "01T06:00", "01T17:00", "01T05:00"),
        ("cron(0 0/2 ? * * *)", "01T23:30", "02T00:00", "01T22:00"),
        ("cron(0 5/24 ? * * *)", "01T05:30", "02T05:00", "01T05:00"),
    ],
)
def test_times(expression: str, after: str, following: str, before: str) -> None:
    moment = expressions.following(expression, seconds(after))
    assert moment == seconds(following)
    assert expressions.before(expression, moment) == seconds(before)


@pytest.mark.parametrize(
    "expression",
    ["cron(30 * ? * * *)", "cron(0 24 ? * * *)", "cron(0 0 * * ? *)", "rate(1 hour)",
     "cron(0 */2 ? * * *)", "cron(0 0/25 ? * * *)", "cron(0 12 ? * MON *)"],
)  # fmt: skip
def test_what_it_does_not_take(expression: str) -> None:
    with pytest.raises(ApiError, match="Invalid ScheduleExpression") as refused:
        expressions.hours(expression)
    assert refused.value.code == "ValidationException"


@pytest.mark.parametrize(
    ("duration", "length"), [("-PT5H", -18000), ("PT0S", 0), ("-P1DT1H30M", -91800), ("P1D", 86400)]
)
def test_offsets(duration: str, length: float) -> None:
    assert expressions.offset(duration) == length
