"""Quiet hours, by the clock on the wall."""

from __future__ import annotations

import pytest

from chalicelib import clock
from chalicelib.drift import quiet

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("hours", "zone", "moment", "until"),
    [
        ("22:00-07:00", "UTC", "2026-03-01T21:59:59Z", None),
        ("22:00-07:00", "UTC", "2026-03-01T22:00:00Z", "2026-03-02T07:00:00.000Z"),
        ("22:00-07:00", "UTC", "2026-03-02T06:59:59Z", "2026-03-02T07:00:00.000Z"),
        ("22:00-07:00", "UTC", "2026-03-02T07:00:00Z", None),
        ("12:00-13:30", "UTC", "2026-03-01T12:30:00Z", "2026-03-01T13:30:00.000Z"),
        ("12:00-13:30", "UTC", "2026-03-01T13:30:00Z", None),
        ("22:00-07:00", BERLIN, "2026-01-10T21:00:00Z", "2026-01-11T06:00:00.000Z"),
        ("22:00-07:00", BERLIN, "2026-07-10T20:00:00Z", "2026-07-11T05:00:00.000Z"),
        # The clocks go forward that night, and back in the autumn.
        ("22:00-07:00", BERLIN, "2026-03-28T22:00:00Z", "2026-03-29T05:00:00.000Z"),
        ("22:00-07:00", BERLIN, "2026-10-24T21:00:00Z", "2026-10-25T06:00:00.000Z"),
    ],
)
def test_until_when_it_is_quiet(hours: str, zone: str, moment: str, until: str | None) -> None:
    found = quiet.parse(hours, zone)
    assert found is not None
    end = found.until(clock.parse(moment))
    assert (clock.text(end) if end else None) == until


def test_no_words_are_no_quiet_hours() -> None:
    assert quiet.parse("", "UTC") is None


@pytest.mark.parametrize("words", ["22-7", "24:00-07:00", "22:00-22:00", "22:00 - 07:00"])
def test_refuses_what_is_no_time_of_day(words: str) -> None:
    with pytest.raises(ValueError, match=r"is not of the form|begins as it ends"):
        quiet.parse(words, "UTC")
