"""Files in batch/in/ that no event told of: the sweep starts them.

A file stays where it was put, so it is its record that tells it was started. Of those that have
none yet Step Functions takes each name once. Older ones every sweep of their first day had seen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib import clock, records
from chalicelib.batch import start
from chalicelib.batch.files import IN, BatchFile
from chalicelib.environment import Environment
from chalicelib.ingest import unheard

LOOK_BACK = dt.timedelta(days=1)
KNOWN = 5 * unheard.MOST  # of the newest records


def announce() -> int:
    """Start the machine for each file that waits; returns how many were started."""
    from chalicelib import settings

    patience = dt.timedelta(seconds=settings.load().intake.unheard_seconds)
    listed = unheard.versions(Environment.from_env().data_bucket, IN)
    found = waiting(clock.now(), listed, patience)
    if not found:
        return 0
    known = {record.get("batch_id") for record in records.newest(records.BATCH, KNOWN)}
    missed = [file for file in found if file.id not in known][: unheard.MOST]
    return sum("started" in start.start(file) for file in missed)


def waiting(
    now: dt.datetime, listed: Iterable[Mapping[str, Any]], patience: dt.timedelta
) -> list[BatchFile]:
    """Those of the last day that have lain there too long, the oldest first."""
    recent = (version for version in listed if now - version["LastModified"] < LOOK_BACK)
    return [BatchFile.listed(version) for version in unheard.waiting(now, recent, patience)]
