"""Quiet hours: a time of day, in a time zone, in which nobody is woken and nothing starts."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

PATTERN = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class QuietHours:
    """From `begin` up to `end`, by the clock on the wall; past midnight where `end` is earlier."""

    begin: dt.time
    end: dt.time
    zone: ZoneInfo

    def until(self, moment: dt.datetime) -> dt.datetime | None:
        """When the quiet hours that hold a moment end, in UTC; None where it lies outside."""
        local = moment.astimezone(self.zone)
        clock, date = local.time(), local.date()
        if self.begin < self.end:
            quiet = self.begin <= clock < self.end
        else:
            quiet = clock >= self.begin or clock < self.end
        if not quiet:
            return None
        if clock >= self.end:
            date += DAY
        return dt.datetime.combine(date, self.end, self.zone).astimezone(dt.UTC)


def parse(words: str, zone: str) -> QuietHours | None:
    """`22:00-07:00` in a zone such as `Europe/Berlin`; None for no words. ValueError otherwise."""
    if not words:
        return None
    if not PATTERN.fullmatch(words):
        raise ValueError(f"{words!r} is not of the form 22:00-07:00")
    begin, end = (dt.time.fromisoformat(part) for part in words.split("-"))
    if begin == end:
        raise ValueError(f"{words!r} begins as it ends")
    return QuietHours(begin, end, ZoneInfo(zone))
