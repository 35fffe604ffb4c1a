"""When waiting files become a run."""

from __future__ import annotations

import datetime as dt

import pytest

from chalicelib import settings
from chalicelib.ingest import coalesce

INTAKE = settings.Intake(quiet_seconds=5, max_wait_seconds=300, max_batch=4)
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("ages", "wanted"),
    [
        ([], False),
        ([10], True),
        ([1], False),
        ([100, 1], False),
        ([100, 10], True),
        ([400, 1], True),
        ([1, 1, 1, 1], True),
    ],
    ids=[
        "nothing",
        "quiet",
        "fresh",
        "still coming",
        "quiet again",
        "the oldest waited enough",
        "a full batch",
    ],
)
def test_due(ages: list[int], wanted: bool) -> None:
    arrived = [NOW - dt.timedelta(seconds=age) for age in ages]
    assert coalesce.due(NOW, arrived, INTAKE) is wanted


@pytest.mark.parametrize(("seconds", "late"), [(0, False), (4.9, False), (5, True), (900, True)])
def test_a_file_is_late_when_the_quiet_window_went_by_while_it_was_taken_in(
    seconds: float, late: bool
) -> None:
    came = NOW - dt.timedelta(seconds=seconds)
    assert coalesce.late(NOW, came, INTAKE) is late
