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
        ([10], -5.5),
        ([1], 3.5),
        ([100, 1], 3.5),
        ([100, 10], -5.5),
        ([298, 1], 2),
        ([400, 1], -100),
        ([1, 1, 1, 1], 0),
    ],
    ids=[
        "quiet",
        "fresh",
        "still coming",
        "quiet again",
        "the oldest waited almost enough",
        "the oldest waited enough",
        "a full batch",
    ],
)
def test_when_files_are_due(ages: list[int], wanted: float) -> None:
    arrived = [NOW - dt.timedelta(seconds=age) for age in ages]
    assert coalesce.due_in(NOW, arrived, INTAKE) == wanted
