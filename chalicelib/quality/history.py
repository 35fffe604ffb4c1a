"""What each run measured: one record a run in the runs table, the metrics of its dataset.

The sort key `#metrics#<dataset>#<run>` keeps a dataset's runs together, by time: the history of
every metric is one query.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib import clock, records

PREFIX = "#metrics#"
KEPT = 120  # runs that are looked back on
SMALLEST = 1e-100  # DynamoDB's numbers begin at 1e-130


def write(dataset: str, run_id: str, values: Mapping[str, float | None], good: bool) -> None:
    """Keep what a run measured; a retry writes the same record. `good`: a model may learn of it."""
    finite = {name: _small(each) for name, each in values.items() if _is_number(each)}
    record = {"time": clock.text(clock.now()), "values": finite, "good": good}
    records.put(f"{PREFIX}{dataset}#{run_id}", record)


def read(dataset: str, run_id: str) -> dict[str, list[float]]:
    """Values by metric, the oldest first, of the good runs before this one."""
    found = records.newest(f"{PREFIX}{dataset}#", KEPT)
    return series(found, f"{PREFIX}{dataset}#{run_id}")


def series(found: Sequence[Mapping[str, Any]], before: str) -> dict[str, list[float]]:
    """Records, newest first, turned into series; those of bad data would widen every band."""
    values: dict[str, list[float]] = {}
    for record in reversed(found):
        if record["good"] and record["run_id"] < before:
            for name, value in record["values"].items():
                values.setdefault(name, []).append(float(value))
    return values


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _small(value: float | None) -> float | None:
    return 0.0 if value is not None and abs(value) < SMALLEST else value
