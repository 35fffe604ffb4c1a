"""When a schedule is due: its expression read in its time zone.

In spring a cron expression's time that the clock leaps over is skipped; in autumn one that the
clock shows twice counts once, the first time.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

AT = re.compile(r"\s*at\((.+)\)\s*")
Next = Callable[[datetime], datetime | None]  # on one clock, the first time after another


def known(zone: str) -> bool:
    """Whether there is a time zone of that name."""
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        return False
    return True


def once(expression: str, zone: str) -> datetime | None:
    """The moment of an at() expression, None of another."""
    found = AT.fullmatch(expression)
    if found is None:
        return None
    return datetime.fromisoformat(found[1].strip()).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def following(find: Next, zone: str, after: datetime) -> datetime | None:
    """The first moment after `after` at which the zone's clock shows what `find` looks for.

    `find` knows of no zones: the clock's face is handed to it, and taken from it, as UTC.
    """
    place = ZoneInfo(zone)
    face = after.astimezone(place).replace(tzinfo=UTC, fold=0)
    while (shown := find(face)) is not None:
        moment = shown.replace(tzinfo=place).astimezone(UTC)
        exists = moment.astimezone(place).replace(tzinfo=UTC) == shown
        if exists and moment > after:
            return moment
        face = shown
    return None


def every(seconds: int, after: datetime) -> datetime:
    """The next moment of a rate() expression."""
    return after + timedelta(seconds=seconds)
