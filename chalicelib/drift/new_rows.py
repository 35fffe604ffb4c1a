"""How much there is to learn since the last good run: labels of live records, rows of new files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from chalicelib import clock, records
from chalicelib.ingest import arrivals
from chalicelib.monitoring import ground_truth

LOOK_BACK = 200  # runs
SECOND = dt.timedelta(seconds=1)


def count(dataset: str, wanted: int) -> int:
    """Labelled and pending rows, counted no further than `wanted`."""
    found = 0
    for rows in _rows(dataset) if wanted else ():
        found += rows
        if found >= wanted:
            break
    return found


def _rows(dataset: str) -> Iterator[int]:
    for arrival in arrivals.pending(dataset):
        yield int(arrival["rows"] or 0)
    good = (run for run in records.newest_runs(LOOK_BACK) if run["status"] == "succeeded")
    last = next(good, None)
    since = clock.parse(last["started_at"] if last else "1970-01-01")
    yield from ground_truth.counts(ground_truth.written(since, clock.now() + SECOND))
