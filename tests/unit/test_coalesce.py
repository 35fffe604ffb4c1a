"""When waiting files become a run."""

from __future__ import annotations

import datetime as dt

import pytest

from chalicelib import settings
from chalicelib.ingest import coalesce

INTAKE = settings.Intake(quiet_seconds=5, max_wait_seconds=300, max_batch=4, max_batch_mb=100)
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
    ],
    ids=[
        "quiet",
        "fresh",
        "still coming",
        "quiet again",
        "the oldest waited almost enough",
        "the oldest waited enough",
    ],
)
def test_when_files_are_due(ages: list[int], wanted: float) -> None:
    arrived = [NOW - dt.timedelta(seconds=age) for age in ages]
    assert coalesce.due_in(NOW, arrived, INTAKE) == wanted


@pytest.mark.parametrize(
    ("sizes", "taken", "full"),
    [
        ([], 0, False),
        ([1, 2], 2, False),
        ([1, 1, 1, 1, 1], 4, True),
        ([60, 30, 20], 2, True),
        ([60, 40, 1], 2, True),
        ([500, 1], 1, True),
        ([1, 500], 1, True),
    ],
    ids=["none", "few", "many", "more than a run takes", "just as much", "one is too much",
         "the second is too much"],
)  # fmt: skip
def test_a_batch_is_limited_by_files_and_by_their_text(
    sizes: list[int], taken: int, full: bool
) -> None:
    waiting = [{"text_bytes": size * 2**20, "format": "tsv"} for size in sizes]
    assert coalesce.batch(iter(waiting), INTAKE) == (waiting[:taken], full)


def test_parquet_counts_as_the_text_that_it_holds() -> None:
    waiting = [{"text_bytes": 36 * 2**20, "format": "parquet"}, {"text_bytes": 1, "format": "tsv"}]
    assert coalesce.batch(iter(waiting), INTAKE) == (waiting[:1], True)
