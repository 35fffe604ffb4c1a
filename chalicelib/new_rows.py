"""How much there is to learn since the last good run: labels of live records, rows of new files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from chalicelib import arrivals, clients, clock, jobs, records
from chalicelib.environment import Environment

LOOK_BACK = 200  # runs


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
    yield from _labels(clock.parse(last["started_at"] if last else "1970-01-01"))


def _labels(since: dt.datetime) -> Iterator[int]:
    """Labels in each object of ground truth since then: its keys sort by the hour of labelling."""
    bucket, s3 = Environment.from_env().data_bucket, clients.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket,
        Prefix=jobs.GROUND_TRUTH,
        StartAfter=f"{jobs.GROUND_TRUTH}{since:%Y/%m/%d/%H/}",
    )
    for page in pages:
        for entry in page.get("Contents", []):
            if entry["LastModified"] >= since.replace(microsecond=0):
                body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
                yield body.count(b"\n")
