"""A look's files: what its job reads and writes, below one prefix."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from chalicelib import clients, documents
from chalicelib.environment import Environment

HISTORY = dt.timedelta(days=14)
PAGE, LIST = "drift.html", "constraint_violations.json"
LOOKS = 30  # that a report's page draws beside its own


def prefix(kind: str, name: str, end: dt.datetime) -> str:
    """Of the look whose job has the name."""
    return f"monitor/{kind}/{end:%Y-%m-%dT%H-%M-%S}-{name[-6:]}/"


def earlier(environment: Environment, kind: str, end: dt.datetime) -> list[str]:
    """Keys of the newest earlier looks' drift.json, below the kind's prefix, oldest first."""
    prefix = f"monitor/{kind}/"
    pages = clients.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(
        Bucket=environment.data_bucket,
        Prefix=prefix,
        StartAfter=f"{prefix}{end - HISTORY:%Y-%m-%dT%H-%M-%S}",
    )
    keys = (entry["Key"] for page in listed for entry in page.get("Contents", []))
    return [key.removeprefix(prefix) for key in keys if key.endswith("/drift.json")][-LOOKS:]


def lines(environment: Environment, report: str) -> list[Any]:
    """The metrics of a report; none where its constraints want none."""
    client = clients.client("s3")
    key = f"{report}cloudwatch_metrics.jsonl"
    try:
        body = client.get_object(Bucket=environment.data_bucket, Key=key)["Body"]
    except client.exceptions.NoSuchKey:
        return []
    return [json.loads(line) for line in body.iter_lines()]


def page(environment: Environment, report: str) -> str:
    """What a person opens of a report; AWS's own containers draw nothing."""
    return PAGE if documents.exists(environment, report + PAGE) else LIST
