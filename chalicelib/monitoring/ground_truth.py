"""Labels as they came in: which objects of ground truth were written since a moment.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-merge.html
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from chalicelib import clients, places
from chalicelib.environment import Environment
from chalicelib.model import jobs

LATE = dt.timedelta(days=1)


def written(since: dt.datetime, until: dt.datetime) -> Iterator[str]:
    """Keys below ground-truth/ written in whole seconds from `since` and before `until`.

    They sort by the hour of labelling, so the label of an old prediction is a new one. An upload
    may come late for its hour, by a day at most.
    """
    first, after = since.replace(microsecond=0), until.replace(microsecond=0)
    pages = clients.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(
        Bucket=Environment.from_env().data_bucket,
        Prefix=jobs.GROUND_TRUTH,
        StartAfter=f"{jobs.GROUND_TRUTH}{since - LATE:%Y/%m/%d/%H/}",
    )
    for page in listed:
        for entry in page.get("Contents", []):
            if first <= entry["LastModified"] < after:
                yield entry["Key"].removeprefix(jobs.GROUND_TRUTH)


def counts(names: Iterable[str]) -> Iterator[int]:
    """How many labels each object holds."""
    bucket, s3 = Environment.from_env().data_bucket, clients.client("s3")
    for name in names:
        body = s3.get_object(Bucket=bucket, Key=jobs.GROUND_TRUTH + name)["Body"].read()
        yield body.count(b"\n")


def enough(names: Iterable[str], wanted: int) -> int:
    """Labels in the objects, counted no further than `wanted`."""
    found = 0
    for count in counts(names):
        found += count
        if found >= wanted:
            break
    return found


def manifest(environment: Environment, names: Iterable[str]) -> list[object]:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html"""
    return [{"prefix": places.uri(environment, jobs.GROUND_TRUTH)}, *names]
