"""`monitor.schedule` as Model Monitor's schedules have it, which know hours only, in UTC.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ScheduleConfig.html
"""

from __future__ import annotations

import re

HOURS = re.compile(r"rate\((\d+) hours?\)")
DAILY = re.compile(r"cron\(0 (\d+) (?:\* \* \?|\? \* \*) \*\)")


def expression(schedule: str) -> str | None:
    """`monitor.schedule` as SageMaker has it, None of one that it does not take."""
    if schedule in ("hourly", "rate(1 hour)"):
        return "cron(0 * ? * * *)"
    if schedule in ("daily", "rate(1 day)"):
        return "cron(0 0 ? * * *)"
    if (found := HOURS.fullmatch(schedule)) and 1 < int(found[1]) <= 24:
        return f"cron(0 0/{found[1]} ? * * *)"
    if (found := DAILY.fullmatch(schedule)) and int(found[1]) < 24:
        return f"cron(0 {found[1]} ? * * *)"
    return None
