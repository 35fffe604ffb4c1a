"""Files in incoming/ that no event told of: the sweep hands them to intake.

Intake removes what it has taken, so whatever lies there for longer than a function may run
was never heard of, or its function crashed. It is handed over again only after as long, and a
file that intake never comes to an end with goes to quarantine.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chalicelib import clients, clock
from chalicelib.environment import Environment
from chalicelib.ingest import arrivals
from chalicelib.ingest.drops import INCOMING, Dropped

MOST = 200  # a sweep; the next one takes more


def announce() -> int:
    """Send intake an event for each file that waits; returns how many."""
    from chalicelib import settings

    bucket = Environment.from_env().data_bucket
    listed = versions(bucket, INCOMING, 5 * MOST)
    patience = dt.timedelta(seconds=settings.load().intake.unheard_seconds)
    told = 0
    for version in waiting(clock.now(), listed, patience):
        found = event(bucket, version)
        attempts = _attempts(Dropped.of(found), patience)
        if not attempts:
            continue
        found["detail"]["attempts"] = attempts
        clients.client("lambda").invoke(
            FunctionName=os.environ["INTAKE_FUNCTION"],
            InvocationType="Event",
            Payload=json.dumps(found).encode(),
        )
        told += 1
        if told == MOST:
            break
    return told


def _attempts(dropped: Dropped, patience: dt.timedelta) -> int:
    """How often the file was handed over, with this time; 0 where it is too soon for that."""
    name, now = f"{arrivals.HANDED}{dropped.id}", clock.now()
    before = arrivals.get(dropped.folder, name)
    if before and now - clock.parse(before["at"]) < patience:
        return 0
    attempts = int(before["attempts"]) + 1 if before else 1
    arrivals.note(dropped.folder, name, {"attempts": attempts, "at": clock.text(now)})
    return attempts


def versions(bucket: str, prefix: str, most: int | None = None) -> Iterator[Mapping[str, Any]]:
    """The versions of the objects under a prefix, as S3 lists them."""
    pages = clients.client("s3").get_paginator("list_object_versions")
    found = pages.paginate(Bucket=bucket, Prefix=prefix, PaginationConfig={"MaxItems": most})
    return (version for page in found for version in page.get("Versions", []))


def waiting(
    now: dt.datetime, listed: Iterable[Mapping[str, Any]], patience: dt.timedelta
) -> list[Mapping[str, Any]]:
    """The versions that have lain there too long, the oldest first."""
    old = [
        version
        for version in listed
        if now - version["LastModified"] >= patience and not version["Key"].endswith("/")
    ]
    return sorted(old, key=lambda version: version["LastModified"])


def event(bucket: str, version: Mapping[str, Any]) -> dict[str, Any]:
    """As EventBridge would have brought it from S3.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    found = {"key": version["Key"], "size": version["Size"]}
    if version.get("VersionId", "null") != "null":
        found["version-id"] = version["VersionId"]
    now = clock.text(clock.now())
    return {
        "version": "0",
        "id": f"sweep-{now}",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "account": "",
        "region": os.environ.get("AWS_REGION", ""),
        "time": now,
        "resources": [],
        "detail": {"bucket": {"name": bucket}, "object": found, "reason": "sweep"},
    }
