"""Which span of time a look takes in: from the last look's end to now, no further back than asked.

Whole seconds, as captured requests carry them: the present second is part of the last window.
"""

from __future__ import annotations

import datetime as dt

from chalicelib import clock

SECOND = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)
Window = tuple[dt.datetime, dt.datetime]


def window(
    now: dt.datetime, in_service_at: str, judged_until: str | None, catch_up: dt.timedelta
) -> Window:
    """Since the champion went into service or the last look's end, the later."""
    now = now.replace(microsecond=0) + (SECOND if now.microsecond else dt.timedelta())
    start = clock.parse(in_service_at).replace(microsecond=0)
    if judged_until is not None:
        start = max(start, clock.parse(judged_until))
    return max(start, now - catch_up), now


def days(
    now: dt.datetime, in_service_at: str, judged_until: str | None, catch_up: dt.timedelta
) -> list[Window]:
    """The same, a day each, the oldest first: what an outage left out is judged day by day."""
    start, end = window(now, in_service_at, judged_until, catch_up)
    found = []
    while end - start > DAY:
        found.append((start, start + DAY))
        start += DAY
    return [*found, (start, end)]
