"""What the endpoint captured in a window: which objects, and how many records.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from chalicelib import clients, clock, places
from chalicelib.environment import Environment

HOUR = dt.timedelta(hours=1)
# A member of a request that holds its records, where it is no record itself.
HOLDERS = ("records", "instances", "predictions")


def hours(start: dt.datetime, end: dt.datetime) -> Iterator[str]:
    """The yyyy/mm/dd/hh/ prefixes that a window touches."""
    hour = start.replace(minute=0, second=0, microsecond=0)
    while hour <= end:
        yield hour.strftime("%Y/%m/%d/%H/")
        hour += HOUR


def objects(environment: Environment, start: dt.datetime, end: dt.datetime) -> list[str]:
    """Keys of the captured objects of a window's hours, below the capture prefix."""
    prefix = places.capture(environment)
    pages = clients.client("s3").get_paginator("list_objects_v2")
    return [
        entry["Key"].removeprefix(prefix)
        for hour in hours(start, end)
        for page in pages.paginate(Bucket=environment.data_bucket, Prefix=prefix + hour)
        for entry in page.get("Contents", [])
    ]


def enough(
    environment: Environment,
    names: Iterable[str],
    start: dt.datetime,
    end: dt.datetime,
    wanted: int,
) -> int:
    """Count captured records in the window, no further than `wanted`."""
    found = 0
    for name in names:
        body = clients.client("s3").get_object(
            Bucket=environment.data_bucket, Key=places.capture(environment) + name
        )["Body"]
        for line in body.iter_lines():
            found += of_line(line, start, end)
            if found >= wanted:
                return found
    return found


def of_line(line: bytes, start: dt.datetime, end: dt.datetime) -> int:
    """How many records a captured request holds; none outside the window, or of no known time."""
    try:
        entry = json.loads(line)
        moment = clock.parse(entry["eventMetadata"]["inferenceTime"])
        if not start <= moment < end:
            return 0
        request = entry["captureData"]["endpointInput"]
    except (ValueError, KeyError, TypeError):
        return 0
    try:
        return _count(request)
    except (ValueError, KeyError, TypeError, csv.Error):
        return 1


def manifest(environment: Environment, names: Iterable[str]) -> list[Any]:
    """The objects as SageMaker's ManifestFile.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    """
    return [{"prefix": places.uri(environment, places.capture(environment))}, *names]


def _count(request: dict[str, str]) -> int:
    """Records as the jobs read them; a payload that cannot be read is one, for the job to tell of.

    BASE64 is text whose content type the configuration does not name.
    """
    text, encoding = request["data"], request["encoding"]
    if encoding == "BASE64":
        text = base64.b64decode(text, validate=True).decode()
        kind = request.get("observedContentType") or ""
        encoding = "JSON" if "json" in kind or text.lstrip()[:1] in ("{", "[") else "CSV"
    if encoding == "CSV":
        return sum(1 for row in csv.reader(io.StringIO(text)) if row)
    try:
        body = json.loads(text)
    except ValueError:
        return len([json.loads(line) for line in text.splitlines() if line.strip()])
    if isinstance(body, dict):
        body = next((body[each] for each in HOLDERS if isinstance(body.get(each), list)), body)
    return len(body) if isinstance(body, list) else 1
