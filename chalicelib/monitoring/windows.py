"""Which span of time a look takes in: from the last look's end on, no further back than asked.

Whole seconds, as captured requests carry them: the last second is part of the last window.
"""

from __future__ import annotations

import datetime as dt

from chalicelib import clock

SECOND = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)
Window = tuple[dt.datetime, dt.datetime]


def window(
    until: dt.datetime, in_service_at: str, judged_until: str | None, catch_up: dt.timedelta
) -> Window:
    """Since the champion went into service or the last look's end, the later; empty where that is
    not over yet."""
    end = until.replace(microsecond=0) + (SECOND if until.microsecond else dt.timedelta())
    start = clock.parse(in_service_at).replace(microsecond=0)
    if judged_until is not None:
        start = max(start, clock.parse(judged_until))
    start = max(start, end - catch_up)
    return start, max(start, end)


def days(
    until: dt.datetime, in_service_at: str, judged_until: str | None, catch_up: dt.timedelta
) -> list[Window]:
    """The same, a day each, the oldest first: what an outage left out is judged day by day."""
    start, end = window(until, in_service_at, judged_until, catch_up)
    found = []
    while end - start > DAY:
        found.append((start, start + DAY))
        start += DAY
    return [*found, (start, end)]
