"""What the endpoint captured in a window: which objects, and how many records.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Iterable, Iterator
from typing import Any

from chalicelib import clients, clock, places
from chalicelib.environment import Environment

HOUR = dt.timedelta(hours=1)


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
            found += len(of_line(line, start, end))
            if found >= wanted:
                return found
    return found


def of_line(line: bytes, start: dt.datetime, end: dt.datetime) -> list[Any]:
    """Records of one captured request; none outside the window or where it cannot be read."""
    try:
        entry = json.loads(line)
        moment = clock.parse(entry["eventMetadata"]["inferenceTime"])
        return _records(entry["captureData"]["endpointInput"]) if start <= moment < end else []
    except (ValueError, KeyError, TypeError):
        return []


def manifest(environment: Environment, names: Iterable[str]) -> list[Any]:
    """The objects as SageMaker's ManifestFile.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
    """
    return [{"prefix": places.uri(environment, places.capture(environment))}, *names]


def _records(data: dict[str, Any]) -> list[Any]:
    text = data["data"]
    if data.get("encoding") == "BASE64":
        try:
            text = base64.b64decode(text, validate=True)
        except binascii.Error:
            return []
    body = json.loads(text)
    found = body.get("records", [body]) if isinstance(body, dict) else []
    return found if isinstance(found, list) else []
