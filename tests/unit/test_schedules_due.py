"""Scheduler's expressions in their time zones, over the days on which clocks are changed.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from localcloud.scheduler import due


def daily(hour: int, minute: int) -> due.Next:
    """What finds the next time that a clock shows this."""

    def find(face: datetime) -> datetime:
        found = face.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return found if found > face else found + timedelta(days=1)

    return find


@pytest.mark.parametrize(
    ("zone", "clock", "after", "moments"),
    [
        ("UTC", (6, 0), "2026-03-28T12:00", ["2026-03-29T06:00", "2026-03-30T06:00"]),
        # Berlin is an hour ahead in winter and two in summer.
        ("Europe/Berlin", (6, 0), "2026-03-27T12:00", ["2026-03-28T05:00", "2026-03-29T04:00"]),
        # 02:30 does not exist on 29 March: skipped.
        ("Europe/Berlin", (2, 30), "2026-03-28T00:00", ["2026-03-28T01:30", "2026-03-30T00:30"]),
        # It comes twice on 25 October: the first counts.
        ("Europe/Berlin", (2, 30), "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        # Seen between the two, it is over for the day.
        ("Europe/Berlin", (2, 30), "2026-10-25T01:00", ["2026-10-26T01:30", "2026-10-27T01:30"]),
        ("America/New_York", (2, 30), "2026-03-07T12:00", ["2026-03-09T06:30", "2026-03-10T06:30"]),
        ("America/New_York", (1, 30), "2026-11-01T00:00", ["2026-11-01T05:30", "2026-11-02T06:30"]),
        ("Asia/Kolkata", (0, 0), "2026-01-01T00:00", ["2026-01-01T18:30", "2026-01-02T18:30"]),
        # Half an hour forward and back, on Lord Howe Island.
        ("Australia/Lord_Howe", (2, 15), "2026-10-02T20:00", ["2026-10-04T15:15"]),
    ],
)
def test_the_next_moments(
    zone: str, clock: tuple[int, int], after: str, moments: list[str]
) -> None:
    moment: datetime | None = datetime.fromisoformat(f"{after}Z")
    for expected in moments:
        assert moment is not None
        moment = due.following(daily(*clock), zone, moment)
        assert moment == datetime.fromisoformat(f"{expected}Z")


def test_an_expression_that_is_over_has_no_next_moment() -> None:
    assert (
        due.following(lambda face: None, "UTC", datetime.fromisoformat("2026-01-01T00:00Z")) is None
    )


@pytest.mark.parametrize(
    ("expression", "zone", "moment"),
    [
        ("at(2026-07-01T09:00:00)", "UTC", "2026-07-01T09:00Z"),
        ("at(2026-07-01T09:00:00)", "Europe/Berlin", "2026-07-01T07:00Z"),
        ("rate(1 hour)", "UTC", None),
    ],
)
def test_one_moment(expression: str, zone: str, moment: str | None) -> None:
    assert due.once(expression, zone) == (datetime.fromisoformat(moment) if moment else None)


@pytest.mark.parametrize(
    ("zone", "known"), [("Europe/Berlin", True), ("Berlin", False), ("../etc/passwd", False)]
)
def test_names_of_zones(zone: str, known: bool) -> None:
    assert due.known(zone) is known
