"""When a monitoring schedule runs: the few cron expressions that SageMaker takes, all in UTC.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ScheduleConfig.html
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from localcloud.sagemaker.errors import validation

NOW = "NOW"
DAILY = "cron(0 0 ? * * *)"  # where a schedule names none; AWS picks the hour
CRON = re.compile(
    r"cron\(0 (?P<hour>\*|[01]?\d|2[0-3])(?:/(?P<step>[1-9]|1\d|2[0-4]))? \? \* \* \*\)"
)
DURATION = re.compile(
    r"(?P<sign>[-+])?P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+)S)?)?"
)
HOUR = timedelta(hours=1)


def hours(expression: str) -> frozenset[int]:
    """The hours of the day at which it runs; what SageMaker does not take is refused."""
    found = CRON.fullmatch(expression)
    if found is None or (found["hour"] == "*" and found["step"]):
        raise validation(
            f"Invalid ScheduleExpression {expression}: it is NOW, cron(0 * ? * * *), "
            "cron(0 [00-23] ? * * *) or cron(0 [00-23]/[01-24] ? * * *)."
        )
    if found["hour"] == "*":
        return frozenset(range(24))
    first, step = int(found["hour"]), int(found["step"] or 24)
    return frozenset((first + n) % 24 for n in range(0, 24, step))


def offset(duration: str) -> float:
    """Seconds of an ISO 8601 duration such as -PT5H or -P1D."""
    found = DURATION.fullmatch(duration)
    if found is None:
        raise validation(f"{duration} is no ISO 8601 duration such as -PT1H.")
    days, hours, minutes, seconds = (int(found[name] or 0) for name in "dhms")
    total = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    return -total if found["sign"] == "-" else total


def following(expression: str, after: float) -> float:
    """The first time after another, in seconds since 1970."""
    wanted = hours(expression)
    moment = datetime.fromtimestamp(after, UTC).replace(minute=0, second=0, microsecond=0) + HOUR
    while moment.hour not in wanted:
        moment += HOUR
    return moment.timestamp()


def before(expression: str, scheduled: float) -> float:
    """The time before a scheduled one: what came between the two is analysed."""
    wanted = hours(expression)
    moment = datetime.fromtimestamp(scheduled, UTC) - HOUR
    while moment.hour not in wanted:
        moment -= HOUR
    return moment.timestamp()
